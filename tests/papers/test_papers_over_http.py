"""Papers over HTTP: made, recorded, fetched with the same bytes; and every reason why one is not made."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import zxingcpp

from app.papers import child
from app.services.papers import Kind, Language
from app.workers import sealer
from tests import life
from tests.seal.deeds import KEY
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


async def made(lab: Lab, address: str, who: str = "quinn", **body: Any) -> tuple[dict[str, Any], bytes]:
    """A paper that was made, and its bytes."""
    paper = ok(await lab.as_(who).post(address, body))
    where, _, number = paper["pdf"].partition("?number=")
    fetched = await lab.as_(who).get(where, number=number)
    assert fetched.headers["content-type"] == "application/pdf"
    return paper, fetched.content


async def sealed(lab: Lab, database: Database) -> None:
    """Seal everything that is written by now; a transaction of another test may hold it back for a while."""
    last = await lab.value("SELECT max(number) FROM audit.entries")
    async with asyncio.timeout(30):
        while await lab.value("SELECT n FROM audit.leaves WHERE number = $1", last) is None:
            await sealer.seal_once(database.url("stemma_seal"), key=KEY, outside=[])
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def released(lab: Lab) -> life.Life:
    return await life.preparation(lab, upto="released")


async def test_a_certificate_waits_for_the_seal_then_anchors_in_it(
    lab: Lab, database: Database, released: life.Life
) -> None:
    address = f"/lots/{released.lot}/certificate.pdf"
    entry = await lab.value(
        "SELECT entry_number FROM audit.rows WHERE tbl = 'lab.releases' AND key = $1", str(released.release["release"])
    )
    if await lab.value("SELECT n FROM audit.leaves WHERE number = $1", entry) is None:
        problem = refused(await lab.as_("quinn").post(address, {}), 409, "busy")
        assert "seal" in problem["why"]
    await sealed(lab, database)
    paper, pdf = await made(lab, address)
    assert hashlib.sha256(pdf).hexdigest() == paper["sha256"]
    said = text_of(pdf)
    donor = await lab.value("SELECT pseudonym FROM lab.persons WHERE id = $1", await released.id(released.donor))
    for fact in (
        released.name,
        donor,
        "Dr Lin Qing",
        "CERT-2019-0042",
        "no growth",
        "QA-01",
        "conforms",
        "4 / 2",
        paper["number"],
    ):
        assert fact in said, fact
    assert "Wang Fang" not in said
    assert "MRN-" not in said
    pages = pypdfium2.PdfDocument(pdf)
    (symbol,) = zxingcpp.read_barcodes(pages[len(pages) - 1].render(scale=4).to_pil())
    leaf = await lab.value("SELECT n FROM audit.leaves WHERE number = $1", entry)
    note = await lab.value("SELECT note FROM audit.checkpoints ORDER BY size DESC LIMIT 1")
    assert symbol.text == f"stemma anchor 1\nentry {entry}\nleaf {leaf}\ndigest {released.release['digest']}\n\n{note}"
    pages.close()


async def test_what_was_made_is_recorded_and_stays_the_same_bytes(lab: Lab, released: life.Life) -> None:
    address = f"/lots/{released.lot}/batch-summary.pdf"
    first, pdf = await made(lab, address, language="zh_CN")
    second, other = await made(lab, address, language="en")
    assert first["number"] != second["number"]
    assert pdf != other
    assert (await lab.as_("tess").get(address, number=first["number"])).content == pdf
    assert (await lab.as_("tess").get(address)).content == other, "without a number the last"
    assert (await lab.as_("tess").get(address, language="zh_CN")).content == pdf
    kept = (await lab.sql("SELECT * FROM lab.papers WHERE number = $1", first["number"]))[0]
    assert kept["pdf_sha256"] == first["sha256"] == hashlib.sha256(pdf).hexdigest()
    assert hashlib.sha256(kept["content"].encode()).hexdigest() == kept["content_sha256"]
    act = await lab.sql(
        "SELECT act, actor, reason FROM audit.entries WHERE act = 'print_paper' AND reason LIKE $1",
        f"%{first['sha256']}",
    )
    assert [(row["act"], row["actor"]) for row in act] == [("print_paper", "quinn")]
    product = await lab.value(
        "SELECT p.product_zh FROM lab.lots l JOIN lab.process_versions p ON p.id = l.process_id WHERE l.id = $1",
        await released.lot_id(),
    )
    assert product in text_of(pdf)


async def test_a_batch_summary_tells_of_any_lot(lab: Lab) -> None:
    made_so_far = await life.preparation(lab, upto="isolated")
    await life.deviation_closed(lab, made_so_far.lot, what="<b>a label</b> & was torn")
    ok(await lab.as_("vera").post("/holds", {"item": made_so_far.flasks[0], "reason": "a cracked cap"}))
    _, pdf = await made(lab, f"/lots/{made_so_far.lot}/batch-summary.pdf")
    said = text_of(pdf)
    for fact in (
        "in process",
        "isolation",
        "Tess Tan",
        "Vera Wei",
        "18 000 000",
        "<b>a label</b> & was torn",
        "a cracked",
    ):
        assert fact in said, fact
    refused(await lab.as_("quinn").post(f"/lots/{made_so_far.lot}/certificate.pdf", {}), 409, "conflict")
    kept = await lab.sql("SELECT kind FROM lab.refusals WHERE act = 'print_paper' AND subject = $1", made_so_far.lot)
    assert [row["kind"] for row in kept] == ["conflict"]


async def test_an_eligibility_sheet_names_nobody(lab: Lab) -> None:
    given = await life.preparation(lab, upto="eligible")
    _, pdf = await made(lab, f"/donations/{given.donation}/eligibility.pdf", who="phil")
    said = text_of(pdf)
    for fact in (
        "eligible",
        "Dr Phil Fang",
        "HIV NAT",
        "K-17",
        "ICF-2",
        "DON-01",
        "panel complete and reviewed",
        "autologous",
    ):
        assert fact in said, fact
    assert "Wang Fang" not in said
    assert "1971-08-15" not in said
    content = await lab.value("SELECT content FROM lab.papers WHERE item_id = $1", await given.id(given.donation))
    for identifying in ("Wang Fang", "1971-08-15", "MRN-"):
        assert identifying not in content


async def test_the_certificate_of_a_recalled_lot_is_not_handed_out_again(lab: Lab, database: Database) -> None:
    lot = await life.preparation(lab, upto="released")
    await sealed(lab, database)
    address = f"/lots/{lot.lot}/certificate.pdf"
    paper, _ = await made(lab, address)
    ok(await lab.as_("quinn").post(f"/lots/{lot.lot}/recall", {"reason": "a material was recalled"}))
    refused(await lab.as_("quinn").get(address, number=paper["number"]), 409, "conflict")
    refused(await lab.as_("quinn").post(address, {}), 409, "conflict")


async def test_a_character_without_a_form_is_said_and_nothing_is_kept(lab: Lab) -> None:
    lot = await life.preparation(lab, upto="planned")
    await life.deviation_closed(lab, lot.lot, what="the incubator sang 🎵 all night")
    problem = refused(await lab.as_("quinn").post(f"/lots/{lot.lot}/batch-summary.pdf", {}), 422, "bad-input")
    assert "🎵 (U+1F3B5)" in problem["why"]
    assert await lab.value("SELECT count(*) FROM lab.papers WHERE item_id = $1", await lot.lot_id()) == 0
    refused(await lab.as_("quinn").get(f"/lots/{lot.lot}/batch-summary.pdf"), 404, "not-found")


async def test_another_drawing_of_the_same_content_is_never_passed_off_as_the_first(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = await life.preparation(lab, upto="planned")
    paper, _ = await made(lab, f"/lots/{lot.lot}/batch-summary.pdf")
    drawn = child._drawn

    async def another_version(request: bytes) -> child.Paper:
        found = await drawn(request)
        return dataclasses.replace(found, pdf=found.pdf + b"% another version")

    monkeypatch.setattr(child, "_drawn", another_version)
    refused(await lab.as_("quinn").get(f"/lots/{lot.lot}/batch-summary.pdf", number=paper["number"]), 409, "stale")


async def test_a_child_that_ends_early_leaves_no_paper(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = await life.preparation(lab, upto="planned")
    monkeypatch.setattr(child, "_WALL_S", 0.01)
    refused(await lab.as_("quinn").post(f"/lots/{lot.lot}/batch-summary.pdf", {}), 409, "busy")
    assert await lab.value("SELECT count(*) FROM lab.papers WHERE item_id = $1", await lot.lot_id()) == 0


@pytest.mark.parametrize("who", ["adam"])
async def test_who_has_no_business_with_lots_gets_no_paper(lab: Lab, released: life.Life, who: str) -> None:
    for address in (f"/lots/{released.lot}/batch-summary.pdf", f"/donations/{released.donation}/eligibility.pdf"):
        refused(await lab.as_(who).post(address, {}), 403, "not-permitted")
        refused(await lab.as_(who).get(address), 403, "not-permitted")


async def test_unknown_things_have_no_papers(lab: Lab, released: life.Life) -> None:
    refused(await lab.as_("quinn").post(f"/lots/{released.donation}/batch-summary.pdf", {}), 404, "not-found")
    refused(await lab.as_("quinn").post(f"/donations/{released.lot}/eligibility.pdf", {}), 404, "not-found")
    refused(
        await lab.as_("quinn").get(f"/lots/{released.lot}/batch-summary.pdf", number="BS-NO-SUCH"), 404, "not-found"
    )
    refused(await lab.as_("quinn").post(f"/lots/{released.lot}/batch-summary.pdf", {"language": "fr"}), 422)


async def test_what_is_drawn_while_others_work_holds_nobody_up(lab: Lab, released: life.Life) -> None:
    done = await asyncio.gather(
        *(
            lab.as_("quinn").post(f"/lots/{released.lot}/batch-summary.pdf", {"language": language})
            for language in (Language.ENGLISH, Language.CHINESE)
            for _ in range(2)
        ),
        lab.as_("tess").get(f"/lots/{released.lot}/release"),
    )
    assert [answer.status_code for answer in done] == [201, 201, 201, 201, 200]
    assert len({answer.json()["number"] for answer in done[:4]}) == 4


def test_every_kind_is_known_to_the_table() -> None:
    from app.db.tables.papers import papers

    checks = " ".join(str(each.sqltext) for each in papers.constraints if hasattr(each, "sqltext"))
    kept = set(Kind) - {Kind.RULE_BOOK}  # it is about no item: no row is kept of it
    assert all(f"'{kind.value}'" in checks for kind in kept)
    assert all(f"'{language.value}'" in checks for language in Language)
