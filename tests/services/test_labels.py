"""Labels: made, read back, counted, fetched; and every reason why one is not made."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from PIL import Image

from app.db import labels
from labels.codes import CodeKind, new_code
from labels.facts import DonationFacts, Infection, LabelLanguage
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def made(lab: Lab) -> dict:
    return await things.preparation(lab, (await things.eligible_donation(lab))["code"])


def read(picture: bytes) -> list[str]:
    import io

    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))]


async def count(lab: Lab, vial: int) -> int:
    return await lab.value("SELECT count(*) FROM lab.labels WHERE item_id = $1", vial)


async def test_a_label_is_made_read_back_and_fetched(lab: Lab) -> None:
    vial = await made(lab)
    label = ok(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}))
    assert label["read_back"] == vial["vial_code"]
    assert label["design"] == "vial-25x13-en"
    assert label["reprint_of"] is None
    for dots in (8, 11.8, 12):
        png = await lab.as_("tess").get(label["png"], dots_per_mm=dots)
        assert png.headers["content-type"] == "image/png"
        assert read(png.content) == [vial["vial_code"]]
    pdf = await lab.as_("tess").get(label["pdf"])
    assert pdf.content.startswith(b"%PDF")
    zpl = await lab.as_("tess").get(label["zpl"], dots_per_mm=8)
    assert zpl.content.startswith(b"^XA")
    assert await count(lab, vial["vial"]) == 1
    seen = ok(await lab.as_("tess").get(f"/items/{vial['vial_code']}"))
    assert seen["labels"] == 1


async def test_a_chinese_label_stays_chinese(lab: Lab) -> None:
    vial = await made(lab)
    english = ok(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}))
    chinese = ok(
        await lab.as_("tess").post(
            f"/items/{vial['vial_code']}/labels", {"language": "zh", "reason": "ward asks for it"}
        )
    )
    assert chinese["design"] == "vial-25x13-zh"
    assert chinese["content_sha256"] != english["content_sha256"]
    assert read((await lab.as_("tess").get(chinese["png"])).content) == [vial["vial_code"]]


async def test_nothing_uncounted_is_drawn(lab: Lab) -> None:
    vial = await made(lab)
    for form in ("png", "pdf", "zpl"):
        refused(await lab.as_("tess").get(f"/items/{vial['vial_code']}/label.{form}"), 404, "not-found")
    refused(await lab.as_("tess").get(f"/items/{vial['vial_code']}/label.svg"), 422)


async def test_a_second_label_needs_a_reason(lab: Lab) -> None:
    vial = await made(lab)
    path = f"/items/{vial['vial_code']}/labels"
    first = ok(await lab.as_("tess").post(path, {}, key="first-label"))
    assert ok(await lab.as_("tess").post(path, {}, key="first-label")) == first
    assert refused(await lab.as_("tess").post(path, {}), 422)["field"] == "reason"
    assert await count(lab, vial["vial"]) == 1
    second = ok(await lab.as_("tess").post(path, {"reason": "smeared"}))
    assert (second["reprint_of"], second["reason"]) == (first["number"], "smeared")


async def test_the_reason_for_a_second_label_may_be_picked_and_its_words_are_owed(lab: Lab) -> None:
    vial = await made(lab)
    path = f"/items/{vial['vial_code']}/labels"
    ok(await lab.as_("tess").post(path, {}))
    assert refused(await lab.as_("tess").post(path, {"picked": "no-such-reason"}), 422)["field"] == "picked"
    assert (
        refused(await lab.as_("tess").post(path, {"picked": "label-damaged", "reason": "x"}), 422)["field"] == "reason"
    )
    assert await count(lab, vial["vial"]) == 1
    second = ok(await lab.as_("tess").post(path, {"picked": "label-damaged"}))
    assert second["reason"] == "label damaged or unreadable"
    (owed,) = [each for each in ok(await lab.as_("tess").get("/reasons")) if each["item"] == vial["vial_code"]]
    assert owed["picked"] == "label-damaged"
    row = (await lab.sql("SELECT lot_id, note FROM lab.bench_reasons WHERE id = $1", owed["reason"]))[0]
    assert (row["lot_id"], row["note"]) == (vial["lot"], None)


async def test_many_at_once_are_each_counted(lab: Lab) -> None:
    vial = await made(lab)
    path = f"/items/{vial['vial_code']}/labels"
    answers = await asyncio.gather(*(lab.as_("tess").post(path, {"reason": f"copy {n}"}) for n in range(4)))
    numbers = {ok(each)["number"] for each in answers}
    assert len(numbers) == 4 == await count(lab, vial["vial"])


async def test_a_label_whose_facts_changed_is_not_drawn_again(lab: Lab) -> None:
    vial = await made(lab)
    label = ok(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}))
    await lab.arrange("UPDATE lab.lots SET frozen_at = '2026-03-01T00:00:00Z' WHERE id = $1", vial["lot"])
    refused(await lab.as_("tess").get(label["png"]), 409, "stale")


async def test_lots_and_people_carry_no_label_and_only_some_may_make_one(lab: Lab) -> None:
    vial = await made(lab)
    refused(await lab.as_("tess").post(f"/items/{vial['lot_code']}/labels", {}), 404, "not-found")
    refused(await lab.as_("tess").post(f"/items/{new_code(CodeKind.VIAL)}/labels", {}), 404, "not-found")
    for name in ("lin", "adam", "quinn"):
        refused(await lab.as_(name).post(f"/items/{vial['vial_code']}/labels", {}), 403, "not-permitted")
    assert await count(lab, vial["vial"]) == 0


async def code_of(lab: Lab, number: int) -> str:
    return await lab.value("SELECT code FROM lab.item_codes WHERE item_id = $1 AND scheme = 'own'", number)


async def every_kind(lab: Lab) -> dict[str, str]:
    """One code of each kind of thing that carries a label, by the design that it should have."""
    lot = await made(lab)
    _, bag = await things.cells(lab, lot["lot"], "bag", parent=lot["flask"])
    sample = ok(
        await lab.as_("tess").post(
            f"/lots/{lot['lot_code']}/samples", {"from": lot["flask_code"], "purpose": "无菌 test"}
        )
    )
    retain = {"kind": "starting_material", "from": await code_of(lab, lot["donation"]), "place": "R-1", "unit": "mL"}
    kept = ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/retains", retain | {"quantity": "1"}))
    material = await things.material_lot(lab)
    equipment = ok(
        await lab.as_("hedda").post(
            "/equipment", {"name": f"BSC {uuid.uuid4().hex[:6]}", "kind": "workstation", "room": "C-1"}
        )
    )
    _, shelf = await things.item(lab, "shelf", CodeKind.SHELF)
    _, position = await things.item(lab, "position", CodeKind.POSITION)
    return {
        "vial-25x13": lot["vial_code"],
        "flask-50x25": lot["flask_code"],
        "bag-100x50": bag,
        "sample-25x13": sample["code"],
        "retain-25x13": kept["code"],
        "donation-50x25": await code_of(lab, lot["donation"]),
        "material-50x25": material["containers"][0]["code"],
        "equipment-100x25": equipment["code"],
        "place-100x25": shelf,
        "place-100x25 ": position,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_everything_that_carries_a_label_gets_its_own(lab: Lab, language: str) -> None:
    for design, code in (await every_kind(lab)).items():
        label = ok(await lab.as_("tess").post(f"/items/{code}/labels", {"language": language}))
        assert label["design"] == f"{design.strip()}-{language}"
        assert label["read_back"] == code
        assert label["copy"] == 1
        assert read((await lab.as_("tess").get(label["png"])).content) == [code]
        assert (await lab.as_("tess").get(label["pdf"])).content.startswith(b"%PDF")


async def test_a_badge_is_printed_by_whoever_may_issue_one(lab: Lab) -> None:
    number, badge = await things.item(lab, "badge", CodeKind.BADGE)
    nobody = await lab.arrange(
        "INSERT INTO people.accounts (username, printed_name, language) VALUES ($1, 'Bo Bai', 'en') RETURNING id",
        f"bo{uuid.uuid4().hex[:8]}",
    )
    await lab.arrange(
        "INSERT INTO people.badges (id, account_id, recorded_by) VALUES ($1, $2, $2)", number, nobody[0][0]
    )
    refused(await lab.as_("tess").post(f"/items/{badge}/labels", {}), 403, "not-permitted")
    label = ok(await lab.as_("adam").post(f"/items/{badge}/labels", {}))
    assert label["design"] == "badge-54x86-en"
    refused(await lab.as_("tess").get(label["png"]), 403, "not-permitted")
    assert read((await lab.as_("adam").get(label["png"])).content) == [badge]
    # An administrator could never add the words that a picked reason owes.
    refused(await lab.as_("adam").post(f"/items/{badge}/labels", {"picked": "label-damaged"}), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.bench_reasons WHERE item_id = $1", number) == 0
    await lab.arrange("UPDATE people.badges SET revoked_at = clock_timestamp() WHERE id = $1", number)
    refused(await lab.as_("adam").post(f"/items/{badge}/labels", {"reason": "lost"}), 409, "conflict")


async def test_a_reprint_voids_the_first_and_says_which_copy_it_is(lab: Lab) -> None:
    vial = await made(lab)
    path = f"/items/{vial['vial_code']}/labels"
    first = ok(await lab.as_("tess").post(path, {}))
    second = ok(await lab.as_("tess").post(path, {"reason": "smeared"}))
    assert (second["copy"], second["reprint_of"]) == (2, first["number"])
    assert second["content_sha256"] != first["content_sha256"]
    listed = ok(await lab.as_("quinn").get(path))
    assert [each["number"] for each in listed] == [second["number"], first["number"]]


async def test_an_infection_marker_changes_what_the_label_warns_of(lab: Lab) -> None:
    donor = (await things.donor(lab))["code"]
    donation = (await things.donation(lab, donor))["code"]
    tess, ana = lab.as_("tess"), lab.as_("ana")
    ok(await tess.post(f"/items/{donation}/labels", {}))
    assert await infection(lab, donation) is Infection.NOT_EVALUATED, "whoever was not tested is not negative"
    ok(await ana.post(f"/donors/{donor}/markers", {"markers": things.markers()}))
    assert await infection(lab, donation) is Infection.NEGATIVE
    refused(await tess.get(f"/items/{donation}/label.png"), 409, "stale")
    positive = [each for each in things.markers("positive") if each["marker"] == "HBsAg"]
    ok(await ana.post(f"/donors/{donor}/markers", {"markers": positive}))
    assert await infection(lab, donation) is Infection.BIOHAZARD


async def infection(lab: Lab, code: str) -> Infection:
    """What the label of a donation would warn of now."""
    async with lab.app.state.house.door.look() as reading:
        found = await labels.item(reading, code=code)
        facts = await labels.facts_of(
            reading, item_id=found.id, kind=found.kind, code=code, language=LabelLanguage.ENGLISH
        )
    assert isinstance(facts, DonationFacts)
    return facts.infection


# -- all containers of a lot at once -----------------------------------------------------------------------------------


async def test_all_vials_of_a_lot_are_labelled_at_once_in_bounded_time(lab: Lab) -> None:
    lot = await made(lab)
    codes = {lot["vial_code"]}
    for _ in range(23):
        codes.add((await things.cells(lab, lot["lot"], "vial", parent=lot["flask"]))[1])
    began = time.perf_counter()
    done = ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"language": "zh"}, key="all-of-them"))
    assert time.perf_counter() - began < 10
    assert {each["item"] for each in done["labels"]} == codes
    assert {each["read_back"] for each in done["labels"]} == codes
    assert (done["left"], done["lot"]) == (0, lot["lot_code"])
    again = ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"language": "zh"}, key="all-of-them"))
    assert again == done
    problem = refused(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {}), 409, "conflict")
    assert "has its label" in problem["why"]
    total = "SELECT count(*) FROM lab.labels b JOIN lab.containers c ON c.id = b.item_id WHERE c.lot_id = $1"
    assert await lab.value(total, lot["lot"]) == 24
    ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"kind": "flask"}))
    refused(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"kind": "bag"}), 409, "conflict")


async def test_two_who_label_a_lot_at_once_make_each_label_once(lab: Lab) -> None:
    lot = await made(lab)
    for _ in range(5):
        await things.cells(lab, lot["lot"], "vial", parent=lot["flask"])
    path = f"/lots/{lot['lot_code']}/labels"
    answers = await asyncio.gather(*(lab.as_(who).post(path, {}) for who in ("tess", "tom", "ana")))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    twice = (
        "SELECT count(*) FROM lab.labels b JOIN lab.containers c ON c.id = b.item_id WHERE c.lot_id = $1"
        " GROUP BY b.item_id HAVING count(*) > 1"
    )
    assert await lab.sql(twice, lot["lot"]) == []


async def test_what_cannot_be_printed_is_refused_with_the_character(lab: Lab) -> None:
    vial = await made(lab)
    await lab.arrange("ALTER TABLE lab.process_versions DISABLE TRIGGER a_append_only")
    await lab.arrange(
        "UPDATE lab.process_versions SET product = 'MSC 🧫' WHERE id = (SELECT process_id FROM lab.lots WHERE id = $1)",
        vial["lot"],
    )
    await lab.arrange("ALTER TABLE lab.process_versions ENABLE ALWAYS TRIGGER a_append_only")
    problem = refused(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}), 422, "bad-input")
    assert "U+1F9EB" in problem["why"]
    assert await count(lab, vial["vial"]) == 0


async def test_an_unknown_print_head(lab: Lab) -> None:
    vial = await made(lab)
    label = ok(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}))
    assert refused(await lab.as_("tess").get(label["png"], dots_per_mm=10), 422)["field"] == "dots_per_mm"
    refused(await lab.as_("tess").get(label["png"], dots_per_mm="nan"), 422)
