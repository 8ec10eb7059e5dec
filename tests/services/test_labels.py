"""Labels: made, read back, counted, fetched; and every reason why one is not made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import zxingcpp
from PIL import Image

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


async def test_only_vials_have_a_label_and_only_some_may_make_one(lab: Lab) -> None:
    vial = await made(lab)
    for code in (vial["flask_code"], vial["lot_code"]):
        refused(await lab.as_("tess").post(f"/items/{code}/labels", {}), 404, "not-found")
    for name in ("lin", "adam", "quinn"):
        refused(await lab.as_(name).post(f"/items/{vial['vial_code']}/labels", {}), 403, "not-permitted")
    assert await count(lab, vial["vial"]) == 0


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
