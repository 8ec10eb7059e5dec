"""Settings: proposed by one, signed by the authority, and what then holds, from when, and what does not change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

YEARS = "qa03.years"
KEPT = "SELECT count(*) FROM lab.settings WHERE name = $1"


def body(value: Any, unit: str | None = "a", **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": "our own procedure QP-7", "why": "the board asked for it", **more}


async def proposed(lab: Lab, name: str, value: Any, unit: str | None = "a", who: str = "quinn", **more: Any) -> int:
    return int(ok(await lab.as_(who).post(f"/settings/{name}/proposals", body(value, unit, **more)))["proposal"])


async def approve(lab: Lab, proposal: int, who: str = "lin") -> Any:
    signed = await life.ceremony(lab, who, "setting_approved", "setting", proposal)
    return await lab.as_(who).post(f"/settings/proposals/{proposal}/approve", {"ceremony": signed})


async def now_holds(lab: Lab, name: str) -> Any:
    """What the rules are told."""
    return await lab.value("SELECT dossier.settings() -> $1 ->> 'value'", name)


async def test_a_setting_is_proposed_signed_and_holds_from_then_on(lab: Lab) -> None:
    name = "assessment.months_max"
    before = ok(await lab.as_("adam").get(f"/settings/{name}"))
    proposal = await proposed(lab, name, 18, "months")
    waits = ok(await lab.as_("tess").get(f"/settings/{name}"))
    assert waits["current"] == before["current"]
    assert (waits["proposals"][0]["old_value"], waits["proposals"][0]["value"]) == (before["current"]["value"], 18)

    signed = await lab.sign("lin", "setting_approved", "setting", str(proposal))
    done = ok(await lab.as_("lin").post(f"/settings/proposals/{proposal}/approve", {"ceremony": signed}))
    assert (done["name"], done["version"]) == (name, before["current"]["version"] + 1)

    after = ok(await lab.as_("tess").get(f"/settings/{name}"))
    assert (after["current"]["value"], after["current"]["approved_by"]) == (18, "Dr Lin Qing")
    assert (after["current"]["proposed_by"], after["current"]["source"]) == ("quinn", "our own procedure QP-7")
    assert after["proposals"] == []
    assert [each["state"] for each in after["versions"]] == ["in_force", *("past" for _ in before["versions"])]
    assert await now_holds(lab, name) == "18"
    listed = {each["name"]: each for each in ok(await lab.as_("adam").get("/settings"))}
    assert listed[name]["current"]["value"] == 18
    assert {"DON-01", "DON-04", "DON-05", "DON-06"} <= set(listed["don01.panel"]["read_by"])
    assert listed["don01.panel"]["current"]["version"] == 1


async def test_a_change_to_come_holds_from_its_moment_and_not_before(lab: Lab) -> None:
    name = "cb02.days_over"
    soon = datetime.now(UTC) + timedelta(days=2)
    later = await proposed(lab, name, 21, "d", valid_from=soon.isoformat())
    ok(await approve(lab, later))
    assert await now_holds(lab, name) == "30"
    at_once = await proposed(lab, name, 25, "d")
    ok(await approve(lab, at_once))
    assert await now_holds(lab, name) == "25"
    found = ok(await lab.as_("tess").get(f"/settings/{name}"))
    # The one that was signed first holds from its own moment on, though another was signed after it.
    assert [(each["value"], each["state"]) for each in found["versions"]] == [
        (25, "in_force"),
        (21, "to_come"),
        (30, "past"),
    ]
    assert await lab.value("SELECT dossier.setting_at($1, $2) ->> 'value'", name, soon) == "21"
    refused(await lab.as_("quinn").post(f"/settings/{name}/proposals", body(21, "d", valid_from=soon.isoformat())), 422)


async def test_what_was_signed_late_never_reaches_back(lab: Lab) -> None:
    proposal = await proposed(lab, "cb02.passages_over", 4, None)
    await lab.arrange("SELECT 1")
    signed = await life.ceremony(lab, "lin", "setting_approved", "setting", proposal)
    before = await lab.value("SELECT clock_timestamp()")
    done = ok(await lab.as_("lin").post(f"/settings/proposals/{proposal}/approve", {"ceremony": signed}))
    assert datetime.fromisoformat(done["valid_from"]) >= before


async def test_old_judgements_keep_their_values(lab: Lab) -> None:
    lived = await life.preparation(lab)
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
    kept = "SELECT dossier, digest FROM lab.judgements WHERE subject_id = $1 ORDER BY id DESC LIMIT 1"
    (before,) = await lab.sql(kept, await lived.lot_id())
    ok(await approve(lab, await proposed(lab, "rel05.identifiers_min", 3, None)))
    (after,) = await lab.sql(kept, await lived.lot_id())
    assert tuple(before) == tuple(after)
    assert checked["digest"] == before["digest"]
    try:
        again = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
        assert again["digest"] != checked["digest"]
    finally:
        ok(await approve(lab, await proposed(lab, "rel05.identifiers_min", 2, None)))


async def test_the_qa_manager_proposes_and_the_authority_alone_signs(lab: Lab) -> None:
    for who in ("tess", "hedda", "adam", "lin", "phil"):
        refused(await lab.as_(who).post(f"/settings/{YEARS}/proposals", body(5)), 403, "not-permitted")
    proposal = await proposed(lab, YEARS, 5)
    signed = await life.ceremony(lab, "lin", "setting_approved", "setting", proposal)
    path = f"/settings/proposals/{proposal}/approve"
    for who in ("quinn", "quincy", "adam"):
        refused(await lab.as_(who).post(path, {"ceremony": signed}), 403, "not-permitted")
        refused(await lab.try_to_sign(who, "setting_approved", "setting", proposal, digest="0" * 64), 403)
    refused(await lab.as_("lin").post("/settings/proposals/999999999/approve", {"ceremony": signed}), 404, "not-found")
    assert await lab.value(KEPT, YEARS) == 1


async def test_nobody_signs_their_own_and_none_twice(lab: Lab) -> None:
    name = "qa03.domains"
    mine = await proposed(lab, name, ["stem_cell_quality_management", "cell_bank_quality"], None)
    # Proposals are never changed: the superuser writes one as if the authority had proposed it.
    (row,) = await lab.arrange(
        "INSERT INTO lab.setting_proposals (name, value, source, why, valid_from, proposed_by)"
        " SELECT name, value, source, why, valid_from, $2 FROM lab.setting_proposals WHERE id = $1 RETURNING id",
        mine,
        lab.id_of("lin"),
    )
    refused(await approve(lab, row["id"]), 403, "ceremony-refused")
    assert await lab.value(KEPT, name) == 1
    ok(await approve(lab, mine))
    refused(await approve(lab, mine), 409, "conflict")
    assert await lab.value(KEPT, name) == 2


async def test_what_was_signed_between_showing_and_signing_makes_it_stale(lab: Lab) -> None:
    name = "qa02.title_levels"
    first = await proposed(lab, name, ["senior", "associate_senior"], None)
    second = await proposed(lab, name, ["associate_senior"], None, who="quincy")
    shown = await life.ceremony(lab, "lin", "setting_approved", "setting", first)
    ok(await approve(lab, second))
    refused(await lab.as_("lin").post(f"/settings/proposals/{first}/approve", {"ceremony": shown}), 409, "stale")
    assert await now_holds(lab, name) == '["associate_senior"]'
    # Shown anew, with what holds now beside it, it can be signed.
    ok(await approve(lab, first))
    back = await proposed(lab, name, ["senior"], None)
    ok(await approve(lab, back))


@pytest.mark.parametrize(
    ("name", "unit", "value", "field"),
    [
        (YEARS, "a", 2, "value"),
        (YEARS, "a", "five", "value"),
        (YEARS, "a", True, "value"),
        (YEARS, "a", None, "value"),
        (YEARS, "months", 36, "unit"),
        (YEARS, None, 5, "unit"),
        (YEARS, "a", 3, "value"),
        ("people.hours_before_reset_factors_sign", "h", 1.5, "value"),
        ("rel03.adventitious_virus_by", None, "nobody", "value"),
        ("gmp05.critical_steps", None, ["isolation", "isolation"], "value"),
        ("gmp05.critical_steps", None, ["dancing"], "value"),
        ("gmp05.critical_steps", None, [], "value"),
        ("don01.panel", None, {"HIV": ["HIV NAT"]}, "value"),
        ("don01.panel", None, {"HIV": [], "HBV": ["x"], "HCV": ["x"], "syphilis": ["x"]}, "value.HIV"),
        ("cb04.minimum", None, {"mL": "much"}, "value.mL"),
        ("don01.waivable", None, {"HBV": {"marker": "anti-HBc"}}, "value.HBV"),
        ("bench.timers", "min", [{"code": "a", "en": "A", "zh": "甲", "minutes": 0}], "value.1.minutes"),
        ("bench.reasons", None, [{"code": "A", "en": "a", "zh": "a"}, {"code": "A", "en": "b", "zh": "b"}], "value"),
        ("qa03.domains", None, ["a\u200bb"], "value"),
    ],
)
async def test_a_value_of_another_shape_is_refused_at_its_field(
    lab: Lab, name: str, unit: str | None, value: Any, field: str
) -> None:
    problem = refused(await lab.as_("quinn").post(f"/settings/{name}/proposals", body(value, unit)), 422, "bad-input")
    assert problem["field"] == field, problem
    assert await lab.value("SELECT count(*) FROM lab.setting_proposals WHERE value = $1::jsonb", "null") == 0


async def test_a_day_gone_by_and_an_unknown_setting_are_refused(lab: Lab) -> None:
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    problem = refused(await lab.as_("quinn").post(f"/settings/{YEARS}/proposals", body(6, valid_from=past)), 422)
    assert problem["field"] == "valid_from"
    refused(await lab.as_("quinn").post("/settings/qa03.nothing/proposals", body(6)), 404, "not-found")
    refused(await lab.as_("quinn").get("/settings/qa03.nothing"), 404, "not-found")


async def test_the_same_key_proposes_once(lab: Lab) -> None:
    sent = body(7)
    one = ok(await lab.as_("quinn").post(f"/settings/{YEARS}/proposals", sent, key="settings-once"))
    two = ok(await lab.as_("quinn").post(f"/settings/{YEARS}/proposals", sent, key="settings-once"))
    assert one == two


async def test_no_hand_writes_a_setting_without_its_signature(lab: Lab, database: Database) -> None:
    application = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "INSERT INTO lab.settings (name, version, value, source, valid_from) VALUES ('qa03.years', 9, '0', 'me', now())",
            "UPDATE lab.settings SET value = '0'",
            "UPDATE lab.setting_proposals SET value = '0'",
            "INSERT INTO lab.pack_choices (pack, proposal_id, signature_id) SELECT 'EU', 1, min(id) FROM lab.signatures",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute(statement)
    finally:
        await application.close()
    # Not even whoever owns the database writes a second version that nobody signed.
    with pytest.raises(asyncpg.CheckViolationError):
        await lab.arrange(
            "INSERT INTO lab.settings (name, version, value, source, valid_from) VALUES ('qa03.years', 9, '4', 'me', now())"
        )
