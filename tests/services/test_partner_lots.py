"""A preparation that a partner makes: named beforehand, its papers and steps entered, carried here, released here."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import asyncpg
import pytest

from tests import life
from tests.services.test_ceremonies import account
from tests.services.test_partners import PARTS, assessed, assessment
from tests.services.test_transports import qualification
from tests.study import day
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.life import Life
    from tests.world import Lab

COVERS = ("equipment", "clean_area", "training", "deviations")
DUTIES = {
    "preparation": "partner",
    "testing": "both",
    "release": "house",
    "transport": "both",
    "records": "both",
    "data_access": "both",
}
HELD = "SELECT count(*) FROM lab.steps s JOIN lab.lots l ON l.id = s.lot_id WHERE l.name = $1"


_AWAY: WeakKeyDictionary[Lab, life.Shared] = WeakKeyDictionary()


async def away(lab: Lab) -> life.Shared:
    """What partners' lots are made of: a process of their own, for a partner's lot is a further site of its process."""
    if lab not in _AWAY:
        _AWAY[lab] = await life.new_shared(lab)
    return _AWAY[lab]


async def maker(lab: Lab, *, is_assessed: bool = True, is_agreed: bool = True, **agreed: Any) -> str:
    """The name of a partner that prepares cells, assessed and agreed with before any work."""
    name, quinn = f"Cell Works {uuid.uuid4().hex[:8]}", lab.as_("quinn")
    made = ok(await quinn.post("/partners", {"name": name, "kind": "preparation", "address": "Road 9"}))["partner"]
    if is_assessed:
        await assessed(lab, made, assessment())
    if is_agreed:
        process = (await away(lab)).process
        body = {"process": process["name"], "process_version": process["version"], "duties": DUTIES}
        body |= {"signed_on": day(-15), "reference": "QA-77", **agreed}
        ok(await quinn.post(f"/partners/{made}/agreements", body))
    return name


async def named(lab: Lab, by: str, *, use: life.Shared | None = None) -> Life:
    """A planned lot that this partner makes; the house keeps some of the donation before it is sent."""
    lived = await life.preparation(lab, upto="planned", use=use or await away(lab))
    body = {"partner": by, "lot_number": f"CW-{uuid.uuid4().hex[:6]}", "process": "MSC-P 2"}
    ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/maker", body))
    await life.retain(lived, "starting_material", lived.donation, "mL")
    return lived


def step(lived: Life, kind: str, **more: Any) -> dict[str, Any]:
    """A step as a batch record that leaves nothing out tells it."""
    cleared, at = life.now(), life.now()
    body: dict[str, Any] = {"kind": kind, "started_at": at, "ended_at": at, "performed_by": "Liu", "page": "p. 7"}
    body |= {"verified_by": "Wu", "verified_at": at, "workstation": "BSC 3", "one_donor": True}
    body |= {
        "cleared_by": "Liu",
        "cleared_at": cleared,
        "clearance_verified_by": "Wu",
        "clearance_verified_at": cleared,
    }
    if kind != "cryopreservation":
        body["materials"] = [{"container": each, "quantity": "12.5", "unit": "mL"} for each in lived.shared.bottles]
    counts = {"viable_seeded": "5e5", "viable_harvested": "4.2e6", "dead_harvested": "2e5"}
    match kind:
        case "isolation":
            body |= {"viable_harvested": "1.8e7", "dead_harvested": "1.1e6"}
        case "passage":
            body |= counts
        case "fill":
            body |= {"viable_harvested": "2.4e7", "dead_harvested": "1.2e6", "vials": 4, "volume_ml": "1"}
            body["viable_cells_per_vial"] = "5.2e6"
        case _:
            body["place"] = lived.shared.freezer
    return {**body, **more}


async def stepped(lived: Life, kind: str, **more: Any) -> dict[str, Any]:
    path = f"/lots/{lived.lot}/maker/steps"
    made: dict[str, Any] = ok(await lived.lab.as_("quinn").post(path, step(lived, kind, **more)))
    return made


def paper(kind: str, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": kind, "reference": f"CW-{kind}-{uuid.uuid4().hex[:6]}", "conforms": True}
    body |= {"covers": COVERS if kind == "release" else (), "signed_by": "Dr Hua", "signed_at": life.now()}
    return {**body, "file_name": f"{kind}.pdf", "file_sha256": "c" * 64, **more}


async def filed(lived: Life, kind: str, **more: Any) -> str:
    """A paper on record; its reference."""
    body = paper(kind, **more)
    ok(await lived.lab.as_("quinn").post(f"/lots/{lived.lot}/maker/papers", body))
    return str(body["reference"])


async def carried(lived: Life, by: str) -> None:
    lab, box = lived.lab, qualification()
    ok(await lab.as_("quinn").post("/shippers", box))
    made = {"partner": by, "shipper": box["shipper"], "from_place": "Cell Works", "to_place": "the house"}
    made |= {"dispatched_at": life.now(), "handed_over_by": "Liu", "arrived_at": life.now(), "received_by": "Vera"}
    made |= {"min_c": "3", "max_c": "6.5", "file_name": "log.csv", "file_sha256": "b" * 64}
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/transports", made))


async def made(
    lab: Lab, by: str, *, papers: tuple[str, ...] = ("batch_record", "analysis", "release"), **more: Any
) -> Life:
    """A lot that the partner made and that was carried here, tested by its certificate, up to the batch review."""
    lived = await named(lab, by)
    await stepped(lived, "isolation", **more)
    await stepped(lived, "passage")
    await stepped(lived, "passage")
    lived.vials = (await stepped(lived, "fill"))["containers"]
    await stepped(lived, "cryopreservation")
    references = {each: await filed(lived, each) for each in papers}
    await carried(lived, by)
    tess, ana = lab.as_("tess"), lab.as_("ana")
    await life.retain(lived, "final_product", lived.vials[-1], "vial")
    sample = {"from": lived.vials[-2], "purpose": "release testing"}
    lived.samples.append(ok(await tess.post(f"/lots/{lived.lot}/samples", sample))["code"])
    for test, (value, unit) in life.FINDINGS.items():
        body = {"test": test, "value": value, "unit": unit, "method_version": "1", "measured_at": life.now()}
        body["paper"] = references.get("analysis")
        kept = ok(await ana.post(f"/samples/{lived.samples[0]}/results", body))["result"]
        await life.result_reviewed(lived, kept)
    await life.labels_counted(lived)
    refused(await life.review_batch(lived), 403)  # Quinn entered the partner's record
    ok(await life.review_batch(lived, who=await account(lab, "qa_manager")))
    ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit"))
    return lived


async def closing(lab: Lab, lived: Life) -> set[str]:
    """The rules that keep the lot from its release."""
    found = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
    return {each["rule"] for each in found["verdicts"] if each["outcome"] in {"fail", "indeterminate", "needs_waiver"}}


async def test_a_lot_that_a_partner_made_is_released_by_this_house(lab: Lab) -> None:
    by = await maker(lab)
    lived = await made(lab, by)
    assert await closing(lab, lived) == set()
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
    outcomes = {each["rule"]: each["outcome"] for each in checked["verdicts"]}
    assert {outcomes[rule] for rule in ("EXT-01", "EXT-02", "EXT-03", "EXT-04")} == {"pass"}
    assert {outcomes[rule] for rule in ("GMP-02", "GMP-04", "QA-07", "ORG-05")} == {"not_applicable"}
    assert {outcomes[rule] for rule in ("GMP-03", "GMP-05", "CB-05", "CB-06", "REL-02")} == {"pass"}
    ok(await life.release(lived))
    assert await lived.state() == "released"
    shown = ok(await lab.as_("tess").get(f"/lots/{lived.lot}/maker"))
    assert shown["maker"]["partner"] == by
    assert [(each["kind"], each["passage"]) for each in shown["steps"]] == [
        ("isolation", 0),
        ("passage", 1),
        ("passage", 2),
        ("fill", 2),
        ("cryopreservation", 2),
    ]
    assert shown["steps"][2]["cpdl"] is not None
    assert {each["kind"] for each in shown["papers"]} == {"batch_record", "analysis", "release"}
    given = await lab.value(
        "SELECT dossier FROM lab.judgements j JOIN lab.releases r ON r.judgement_id = j.id WHERE r.lot_id = $1",
        await lived.lot_id(),
    )
    assert [each["paper"] for each in json.loads(given)["results"]] == [
        each["reference"] for each in shown["papers"] if each["kind"] == "analysis"
    ] * len(life.FINDINGS)


async def test_a_result_names_a_paper_that_is_on_record_or_is_not_kept(lab: Lab) -> None:
    lived = await made(lab, await maker(lab))
    body = {"test": "dose", "value": "5e6", "unit": "cells/vial", "method_version": "1", "measured_at": life.now()}
    path, count = f"/samples/{lived.samples[0]}/results", "SELECT count(*) FROM lab.results"
    before = await lab.value(count)
    refused(await lab.as_("ana").post(path, body | {"paper": "CW-nothing"}), 422)
    assert await lab.value(count) == before


@pytest.mark.parametrize(
    ("papers", "more", "closes"),
    [
        (("batch_record", "release"), {}, {"EXT-03"}),
        (("batch_record", "analysis"), {}, {"EXT-03", "GMP-02", "GMP-04", "GMP-06", "QA-07"}),
        (("batch_record", "analysis", "release"), {"verified_by": "Liu"}, {"GMP-05"}),
        (("batch_record", "analysis", "release"), {"verified_by": "ｌｉｕ"}, {"GMP-05"}),
        (("batch_record", "analysis", "release"), {"clearance_verified_by": "LIU"}, {"GMP-03"}),
        (("batch_record", "analysis", "release"), {"verified_by": None, "verified_at": None}, {"GMP-05"}),
        (("batch_record", "analysis", "release"), {"one_donor": None}, {"GMP-03"}),
    ],
)
async def test_what_the_partner_s_papers_do_not_show_closes_the_release(
    lab: Lab, papers: tuple[str, ...], more: dict[str, Any], closes: set[str]
) -> None:
    lived = await made(lab, await maker(lab), papers=papers, **more)
    assert await closing(lab, lived) == closes
    assert await lived.state() == "awaiting_release"


async def test_a_partner_nobody_assessed_or_agreed_with_makes_nothing_that_is_released(lab: Lab) -> None:
    by = await maker(lab, is_assessed=False, is_agreed=False)
    lived = await made(lab, by)
    assert await closing(lab, lived) == {"EXT-01", "EXT-02"}
    found = {each["name"]: each["partner"] for each in ok(await lab.as_("quinn").get("/partners"))}
    await assessed(lab, found[by], assessment(sections=PARTS))
    assert await closing(lab, lived) == {"EXT-01", "EXT-02"}, "late paper heals nothing"


OBJECTIONS = """
SELECT DISTINCT split_part(o, ':', 1) AS rule FROM gate.objections($1, (SELECT id FROM people.accounts WHERE username = 'lin')) AS o
"""


async def test_the_gate_asks_the_papers_again_whatever_was_judged(lab: Lab) -> None:
    whole = await made(lab, await maker(lab))
    assert await lab.sql(OBJECTIONS, await whole.lot_id()) == []
    bare = await made(lab, await maker(lab, is_assessed=False, is_agreed=False), papers=("batch_record", "analysis"))
    found = {each["rule"] for each in await lab.sql(OBJECTIONS, await bare.lot_id())}
    assert found == {"EXT-01", "EXT-02", "EXT-03"}
    alone = await made(lab, await maker(lab), verified_by=None, verified_at=None)
    assert {each["rule"] for each in await lab.sql(OBJECTIONS, await alone.lot_id())} == {"GMP-05"}
    twice = await made(lab, await maker(lab), performed_by="Liu  Wei", verified_by="LIU\twei")
    assert {each["rule"] for each in await lab.sql(OBJECTIONS, await twice.lot_id())} == {"GMP-05"}
    asked = (
        "SELECT gate.verified_by_a_partner(jsonb_populate_record(s, jsonb_build_object('started_at', p.verified_at + $2::interval,"
        " 'ended_at', p.verified_at + interval '1 hour'))) FROM lab.steps s JOIN lab.partner_steps p ON p.step_id = s.id WHERE s.lot_id = $1"
    )
    lot = await whole.lot_id()
    assert {row[0] for row in await lab.sql(asked, lot, timedelta(0))} == {True}
    assert {row[0] for row in await lab.sql(asked, lot, timedelta(seconds=1))} == {False}, "verified before it began"
    unmoved = await named(lab, await maker(lab))
    assert "EXT-04" in {each["rule"] for each in await lab.sql(OBJECTIONS, await unmoved.lot_id())}


async def test_a_paper_against_the_lot_is_hidden_by_no_date_on_either_hand(lab: Lab) -> None:
    lived = await made(lab, await maker(lab))
    assert await closing(lab, lived) == set()
    await filed(lived, "analysis", conforms=False, signed_at=life.ago(days=3))  # dated before the clean one on record
    assert await closing(lab, lived) == {"EXT-03", "QA-06"}
    objected = {each["rule"] for each in await lab.sql(OBJECTIONS, await lived.lot_id())}
    assert objected == {"EXT-03", "QA-06"}
    await filed(lived, "analysis", signed_at=life.ago(days=4))  # recorded after it, and signed before
    assert "EXT-03" in await closing(lab, lived)
    assert "EXT-03" in {each["rule"] for each in await lab.sql(OBJECTIONS, await lived.lot_id())}
    await filed(lived, "analysis")  # the partner signed anew
    assert await closing(lab, lived) == {"QA-06"}, "the package is another one than was reviewed"
    assert {each["rule"] for each in await lab.sql(OBJECTIONS, await lived.lot_id())} == {"QA-06"}


async def test_a_paper_against_a_released_lot_comes_to_light_and_holds_it(lab: Lab) -> None:
    lived = await made(lab, await maker(lab))
    ok(await life.release(lived))
    held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
    await filed(lived, "analysis")
    assert await lab.value(held, await lived.lot_id()) == 0, "one that speaks for it holds nothing"
    said = await filed(lived, "batch_record", conforms=False, signed_at=life.ago(days=3))
    assert await lab.value(held, await lived.lot_id()) == 1
    assert await lived.state() == "released"
    (line,) = ok(await lab.as_("quinn").get("/impacts", item=lived.lot, kind="partner_paper"))
    found = ok(await lab.as_("quinn").get(f"/impacts/{line['number']}"))
    assert said in str(found["impact"]["facts"])
    (touched,) = found["touched"]
    assert (touched["code"], touched["state_then"], touched["held"]) == (lived.lot, "released", True)
    assert touched["next"] == "decide_recall"
    assert touched["recipient"] is not None
    assert "EXT-03" in {each["rule"] for each in touched["verdict"]["closing"]}


async def test_a_maker_is_named_once_and_before_the_work(lab: Lab) -> None:
    by, other = await maker(lab), await maker(lab)
    lived = await named(lab, by)
    body = {"partner": other, "lot_number": "CW-1", "process": "x"}
    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/maker", body), 409)
    begun = await life.preparation(lab, upto="isolated")
    refused(await lab.as_("quinn").post(f"/lots/{begun.lot}/maker", body), 409)
    planned = await life.preparation(lab, upto="planned", use=await away(lab))
    refused(await lab.as_("tess").post(f"/lots/{planned.lot}/maker", body), 403, "not-permitted")
    refused(await lab.as_("quinn").post(f"/lots/{planned.lot}/maker", {**body, "partner": "nobody"}), 422)
    assert ok(await lab.as_("quinn").get(f"/lots/{planned.lot}/maker"))["maker"] is None


async def test_a_step_out_of_order_or_impossible_is_refused_and_nothing_kept(lab: Lab) -> None:
    lived = await named(lab, await maker(lab))
    path, quinn = f"/lots/{lived.lot}/maker/steps", lab.as_("quinn")
    refused(await quinn.post(path, step(lived, "passage")), 409)
    refused(await quinn.post(path, step(lived, "isolation", ended_at=life.ago(hours=1))), 422)
    refused(await quinn.post(path, step(lived, "isolation", verified_at=life.ago(hours=-3))), 422)
    refused(await quinn.post(path, step(lived, "isolation", cleared_at=None)), 422)
    refused(await quinn.post(path, step(lived, "isolation", vials=3)), 422)
    refused(await lab.as_("tess").post(path, step(lived, "isolation")), 403, "not-permitted")
    assert await lab.value(HELD, lived.name) == 0
    ok(await quinn.post(path, step(lived, "isolation")))
    early = life.ago(hours=2)
    refused(await quinn.post(path, step(lived, "passage", started_at=early, ended_at=early, verified_at=early)), 422)
    assert await lab.value(HELD, lived.name) == 1


async def test_this_house_enters_no_partner_s_step_for_a_lot_of_its_own(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    path = f"/lots/{lived.lot}/maker"
    refused(await lab.as_("quinn").post(f"{path}/steps", step(lived, "isolation")), 409)
    refused(await lab.as_("quinn").post(f"{path}/papers", paper("release")), 409)
    assert await lab.value(HELD, lived.name) == 0


async def test_a_paper_is_possible_or_refused(lab: Lab) -> None:
    lived = await named(lab, await maker(lab))
    path, quinn = f"/lots/{lived.lot}/maker/papers", lab.as_("quinn")
    refused(await quinn.post(path, paper("release", signed_at=life.ago(hours=-3))), 422)
    refused(await quinn.post(path, paper("analysis", covers=["training"])), 422)
    refused(await quinn.post(path, paper("release", file_sha256="c" * 63)), 422)
    assert ok(await quinn.get(f"/lots/{lived.lot}/maker"))["papers"] == []


async def test_the_database_itself_takes_no_maker_late_and_no_step_as_a_partner_s_later(
    lab: Lab, database: Database
) -> None:
    begun = await life.preparation(lab, upto="isolated")
    await maker(lab)
    lot, partner = await begun.lot_id(), await lab.value("SELECT max(id) FROM lab.partners WHERE kind = 'preparation'")
    theirs = await named(lab, await maker(lab))
    kept = (await stepped(theirs, "isolation"))["step"]
    other = await theirs.lot_id()
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        who = lab.id_of("quinn")
        tries = (
            (
                f"INSERT INTO lab.partner_lots (lot_id, partner_id, lot_number, process, recorded_by) VALUES ({lot}, {partner}, 'x', 'x', {who})",
                "before its work begins",
            ),
            (
                f"INSERT INTO lab.partner_steps (step_id, lot_id, performed_by, page, recorded_by) VALUES ({kept}, {other}, 'x', 'x', {who})",
                "stated with the step itself",
            ),
            (f"UPDATE lab.partner_steps SET verified_by = 'x' WHERE step_id = {kept}", "permission denied"),
            (f"UPDATE lab.partner_papers SET conforms = true WHERE lot_id = {other}", "permission denied"),
            (f"DELETE FROM lab.partner_lots WHERE lot_id = {other}", "permission denied"),
        )
        for statement, why in tries:
            with pytest.raises(asyncpg.PostgresError, match=why):
                await in_an_entry(hand, who, statement)
    finally:
        await hand.close()


async def in_an_entry(hand: asyncpg.Connection, who: int, statement: str) -> None:
    """As the application's password could, with an entry opened as it should be."""
    async with hand.transaction():
        await hand.execute("SELECT audit.open($1, 'test', '', 'name_maker', '', 'raw', '', NULL, NULL, NULL)", who)
        await hand.execute(statement)
