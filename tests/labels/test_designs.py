"""Every design: what it says, that nothing is cut or overlaps, and that it cannot lie."""

import dataclasses
import gc
import hashlib
import io
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageOps
from reportlab.pdfbase.ttfonts import TTFont

from labels import drawing, typeface
from labels.codes import CodeError, CodeKind, format_code, new_code
from labels.designs import draw
from labels.drawing import DoesNotFit, Drawing, burn_line
from labels.facts import DOTS_PER_MM, Infection, LabelFacts, LabelLanguage, Use, content_sha256
from labels.symbols import ReadBackError, verified_datamatrix
from labels.typeface import FONT_PATH, MissingGlyph, require_glyphs
from tests.labels import things

EN, ZH = LabelLanguage.ENGLISH, LabelLanguage.CHINESE
IDS = [f"{facts.design}-{language.value}-{copy}-{n}" for n, (facts, language, copy) in enumerate(things.EVERY)]
every = pytest.mark.parametrize(("facts", "language", "copy"), things.EVERY, ids=IDS)
heads = pytest.mark.parametrize("dots_per_mm", DOTS_PER_MM)


def read(picture: Image.Image) -> list[tuple[str, str]]:
    """Return what zxing-cpp reads, unrestricted."""
    return [(code.symbology_identifier, code.text) for code in zxingcpp.read_barcodes(picture.convert("L"))]


def rendered(pdf: bytes, *, dots_per_mm: float) -> Image.Image:
    page = pypdfium2.PdfDocument(pdf)[0]
    picture: Image.Image = page.render(scale=dots_per_mm * 25.4 / 72).to_pil().convert("L")
    return picture


@heads
@every
def test_the_dots_read_as_the_code(facts: LabelFacts, language: LabelLanguage, copy: int, dots_per_mm: float) -> None:
    dots = draw(facts, language=language, copy=copy).dots(dots_per_mm=dots_per_mm)
    width_mm, height_mm, _ = things.SIZES[facts.design]
    assert (dots.width_dots, dots.height_dots) == (round(width_mm * dots_per_mm), round(height_mm * dots_per_mm))
    assert read(dots.picture()) == [("]d1", facts.code)]


@heads
@pytest.mark.parametrize("facts", things.PLAIN, ids=things.name_of)
def test_every_module_is_a_whole_number_of_dots_with_a_quiet_zone_around(facts: LabelFacts, dots_per_mm: float) -> None:
    made = draw(facts, language=ZH, copy=2)
    picture = made.dots(dots_per_mm=dots_per_mm).picture().convert("L")
    matrix = verified_datamatrix(facts.code)
    assert made.symbol.module_mm == things.SIZES[facts.design][2]
    module = round(made.symbol.module_mm * dots_per_mm)
    side = matrix.side * module
    left, top = round(made.symbol.left_mm * dots_per_mm), round(made.symbol.top_mm * dots_per_mm)
    drawn = picture.crop((left, top, left + side, top + side))
    for row, modules in enumerate(matrix.rows):
        for column, is_dark in enumerate(modules):
            box = (column * module, row * module, (column + 1) * module, (row + 1) * module)
            assert drawn.crop(box).getextrema() == ((0, 0) if is_dark else (255, 255))
    quiet = picture.crop((left - module, top - module, left + side + module, top + side + module))
    quiet.paste(255, (module, module, module + side, module + side))
    assert quiet.getextrema() == (255, 255)


@heads
@every
def test_nothing_overlaps_and_nothing_is_cut(
    facts: LabelFacts, language: LabelLanguage, copy: int, dots_per_mm: float
) -> None:
    made = draw(facts, language=language, copy=copy)
    size = (round(made.width_mm * dots_per_mm), round(made.height_mm * dots_per_mm))
    boxes = _inks(made, dots_per_mm)
    right, bottom = made.symbol.right_mm * dots_per_mm - 1, made.symbol.bottom_mm * dots_per_mm - 1
    for box, says in boxes:
        assert box[0] >= 2, says
        assert box[1] >= 2, says
        assert box[2] <= size[0] - 2, says
        assert box[3] <= size[1] - 1, says
        in_column = box[2] > made.symbol.left_mm * dots_per_mm - 1 and box[0] < right
        assert not (in_column and box[1] < bottom and box[3] > made.symbol.top_mm * dots_per_mm), says
    for index, (one, says) in enumerate(boxes):
        for other, also in boxes[index + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (says, also)


def _inks(made: Drawing, dots_per_mm: float) -> list[tuple[tuple[int, int, int, int], str]]:
    """Where the ink of each text, sign and rule stands, in dots."""
    size = (round(made.width_mm * dots_per_mm), round(made.height_mm * dots_per_mm))
    found = []
    for line in made.lines:
        alone = Image.new("1", (size[0] + 80, size[1] + 80), color=1)
        moved = dataclasses.replace(
            line, left_mm=line.left_mm + 40 / dots_per_mm, baseline_mm=line.baseline_mm + 40 / dots_per_mm
        )
        burn_line(alone, moved, dots_per_mm=dots_per_mm)
        ink = ImageOps.invert(alone.convert("L")).getbbox()
        assert ink is not None, line.text
        found.append((tuple(edge - 40 for edge in ink), line.text))
    for each in (*made.hazards, *made.bars):
        wide, high = (each.side_mm, each.side_mm) if hasattr(each, "side_mm") else (each.width_mm, each.height_mm)
        edges = (each.left_mm, each.top_mm, each.left_mm + wide, each.top_mm + high)
        found.append((tuple(int(edge * dots_per_mm) for edge in edges), type(each).__name__))
    return found  # type: ignore[return-value]  # four edges


@every
def test_the_pdf_reads_as_the_code_and_says_it_in_groups(facts: LabelFacts, language: LabelLanguage, copy: int) -> None:
    made = draw(facts, language=language, copy=copy)
    pdf = made.pdf()
    page = pypdfium2.PdfDocument(pdf)[0]
    width_mm, height_mm, _ = things.SIZES[facts.design]
    assert page.get_size() == pytest.approx((width_mm / 25.4 * 72, height_mm / 25.4 * 72), abs=0.01)
    assert read(rendered(pdf, dots_per_mm=12)) == [("]d1", facts.code)]
    text = page.get_textpage().get_text_bounded()
    assert format_code(facts.code) in text
    for line in made.lines:
        assert "".join(line.whole.split()) in "".join(text.split()), line.whole
    assert b"/FontFile2" in pdf, "the typeface is embedded"


@pytest.mark.parametrize(
    ("facts", "english", "chinese"),
    [
        (things.VIAL, ("PREP-26-0108 /12", "P3", "Frozen 2026-11-22", "≤−150 °C", "FOR AUTOLOGOUS USE ONLY"), ("冻存 2026-11-22",)),
        (things.FLASK, ("PREP-26-0108  P2", "Donor D-26-0007", "2026-11-22 14:05 +08:00"), ("供者 D-26-0007", "接种")),
        (things.BAG, ("20 mL", "Recipient D-26-0007", "Expires 2028-11-21", "For clinical research use only"), ("仅供临床研究使用", "受者", "有效期至")),
        (things.SAMPLE, ("PREP-26-0108", "sterility", "Taken 2026-11-22"), ("取样 2026-11-22",)),
        (things.RETAIN, ("PREP-26-0108", "Retain: starting"), ("留样：起始物料",)),
        (things.DONATION, ("Donor D-26-0007", "DIN G1234 98 654321 [H]", "QUARANTINE UNTIL ELIGIBILITY"), ("供者合格判定前隔离",)),
        (things.MATERIAL, ("MAT-26-0003 /2", "Supplier lot RH-26-001", "Expires 2027-09-01", "Status: scan the code"), ("供应商批号", "状态")),
        (things.PLACE, ("Tank 2 Rack B Shelf 4", "Shelf"), ("搁架",)),
        (things.EQUIPMENT, ("BSC-02", "Workstation   C-114"), ("操作台",)),
        (things.BADGE, ("王芳 Wang Fang", "Staff badge  fang", "Issued 2026-11-22"), ("工作证",)),
    ],
    ids=things.name_of,
)  # fmt: skip
def test_each_design_says_its_facts(facts: LabelFacts, english: tuple[str, ...], chinese: tuple[str, ...]) -> None:
    for language, wanted in ((EN, english), (ZH, chinese)):
        said = "\n".join(line.whole for line in draw(facts, language=language).lines)
        for each in wanted:
            assert each in said, said


@pytest.mark.parametrize("facts", things.PLAIN, ids=things.name_of)
def test_only_a_reprint_says_which_copy_it_is(facts: LabelFacts) -> None:
    said = {
        (language, copy): "\n".join(line.whole for line in draw(facts, language=language, copy=copy).lines)
        for language in LabelLanguage
        for copy in (1, 2)
    }
    assert "copy" not in said[EN, 1]
    assert "c.2" in said[EN, 2] or "copy 2" in said[EN, 2]
    assert "份" not in said[ZH, 1]
    assert "第2份" in said[ZH, 2]


@pytest.mark.parametrize(
    "facts",
    [things.VIAL, things.FLASK, things.BAG, things.SAMPLE, things.RETAIN, things.DONATION],
    ids=things.name_of,
)
def test_an_infection_is_warned_of(facts: Any) -> None:
    def said(infection: Infection, language: LabelLanguage) -> str:
        made = draw(dataclasses.replace(facts, infection=infection), language=language)
        return "\n".join(line.whole for line in made.lines)

    for language in LabelLanguage:
        assert "BIOHAZARD" in said(Infection.BIOHAZARD, language)
        assert "AUTOLOGOUS" in said(Infection.NEGATIVE, language)
        assert "BIOHAZARD" not in said(Infection.NEGATIVE, language) + said(Infection.NOT_EVALUATED, language)
    assert "NOT EVALUATED" in said(Infection.NOT_EVALUATED, EN)
    assert "感染" in said(Infection.NOT_EVALUATED, ZH)
    assert "感染" not in said(Infection.NEGATIVE, ZH)


@pytest.mark.parametrize("facts", [things.FLASK, things.BAG, things.DONATION], ids=things.name_of)
def test_the_biohazard_sign_stands_beside_its_warning(facts: Any) -> None:
    warned = draw(dataclasses.replace(facts, infection=Infection.BIOHAZARD), language=EN)
    (sign,) = warned.hazards
    picture = warned.dots(dots_per_mm=12.0).picture().convert("L")
    edges = [sign.left_mm, sign.top_mm, sign.left_mm + sign.side_mm, sign.top_mm + sign.side_mm]
    square = picture.crop(tuple(round(each * 12) for each in edges))  # type: ignore[arg-type]  # four edges
    dark = square.histogram()[0] / (square.width * square.height)
    assert 0.2 < dark < 0.6
    on_paper = rendered(warned.pdf(), dots_per_mm=12.0).crop(tuple(round(each * 12) for each in edges))  # type: ignore[arg-type]  # as above
    assert sum(on_paper.histogram()[:128]) / (on_paper.width * on_paper.height) == pytest.approx(dark, abs=0.06)
    assert draw(facts, language=EN).hazards == ()


def test_the_same_facts_give_the_same_bytes() -> None:
    one = draw(things.VIAL, language=EN)
    assert one.pdf() == one.pdf()
    assert one.dots(dots_per_mm=8.0) == one.dots(dots_per_mm=8.0)
    assert one.pdf() != draw(dataclasses.replace(things.VIAL, passage_number=4), language=EN).pdf()


def test_the_digest_covers_every_fact_language_and_copy() -> None:
    for facts in things.PLAIN:
        first = content_sha256(facts, language=EN, copy=1)
        assert content_sha256(facts, language=EN, copy=1) == first
        assert content_sha256(facts, language=ZH, copy=1) != first
        assert content_sha256(facts, language=EN, copy=2) != first
    for change in ({"cells": 1}, {"infection": Infection.BIOHAZARD}, {"use": Use.ALLOGENEIC}, {"vial_number": 13}):
        changed = dataclasses.replace(things.VIAL, **change)  # type: ignore[arg-type]  # one of its own fields
        assert content_sha256(changed, language=EN, copy=1) != content_sha256(things.VIAL, language=EN, copy=1)


def test_cells_are_shown_to_three_digits() -> None:
    assert drawing.scientific(5_234_999) == ("5.23×10", "6")
    assert drawing.scientific(999_999) == ("1.00×10", "6")
    assert drawing.scientific(0) == ("0.00×10", "0")


def test_a_pdf_leaves_no_typeface_behind() -> None:
    draw(things.VIAL, language=EN).pdf()
    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, TTFont)] == []


@pytest.mark.parametrize(
    ("product", "character"),
    [("CD34⁺ HSC", "⁺"), ("MSC 🧬", "🧬"), ("MSC\u200b", "?"), ("MSC\u202e", "?"), ("M\nSC", "?"), ("M\u00a0SC", "?")],
)
def test_a_character_that_would_not_show_is_an_error(product: str, character: str) -> None:
    for facts in (things.VIAL, things.FLASK, things.BAG):
        with pytest.raises(MissingGlyph) as caught:
            draw(dataclasses.replace(facts, product=product), language=EN)
        assert str(caught.value.details["character"]).startswith(character)


def test_rare_characters_and_signs_of_the_laboratory_show() -> None:
    require_glyphs("㐀龘彧喆 −196 °C ≤ ≥ × µ μ ± · é Ω α β γ δ ² ³ …")


def test_the_typeface_is_the_one_that_was_vendored() -> None:
    for line in (FONT_PATH.parent / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((FONT_PATH.parent / name).read_bytes()).hexdigest() == digest


def test_our_reading_of_the_character_map_agrees_with_reportlab() -> None:
    known = TTFont("Check", str(FONT_PATH)).face.charToGlyph
    ours = {code_point for code_point in range(0x30000) if typeface._has_glyph(code_point)}
    assert ours == {code_point for code_point, glyph in known.items() if glyph and code_point < 0x30000}


@pytest.mark.parametrize(
    "facts",
    [
        dataclasses.replace(things.VIAL, name="PREP-2026-000108-AND-MORE"),
        dataclasses.replace(things.VIAL, product=""),
        dataclasses.replace(things.SAMPLE, name="PREP-2026-000108-AND-MORE"),
        dataclasses.replace(things.MATERIAL, supplier_lot="X" * 60),
        dataclasses.replace(things.EQUIPMENT, name="W" * 120),
        dataclasses.replace(things.BADGE, printed_name="W" * 80),
    ],
    ids=things.name_of,
)
def test_an_identity_that_would_not_be_legible_is_an_error(facts: LabelFacts) -> None:
    with pytest.raises(DoesNotFit):
        draw(facts, language=EN)


def test_what_only_describes_is_cut_short_and_says_so() -> None:
    said = [line.text for line in draw(dataclasses.replace(things.SAMPLE, purpose=things.LONG), language=EN).lines]
    assert any(text.startswith("Long words") and text.endswith("…") for text in said)
    vial = draw(dataclasses.replace(things.VIAL, product="很长的产品名称写不下了呀真的"), language=ZH)
    assert vial.lines[1].text.endswith("…")


@pytest.mark.parametrize("facts", things.PLAIN, ids=things.name_of)
def test_a_label_carries_only_the_code_of_its_own_kind(facts: Any) -> None:
    wrong = CodeKind.LOT
    with pytest.raises(ValueError, match="this label carries"):
        draw(dataclasses.replace(facts, code=new_code(wrong)), language=EN)
    with pytest.raises(ValueError, match="this label carries"):
        draw(dataclasses.replace(facts, code="=G12349865432177"), language=EN)
    with pytest.raises(CodeError):
        draw(dataclasses.replace(facts, code=f"{facts.code[0]}0000000000"), language=EN)


def test_an_unknown_print_head_is_an_error() -> None:
    with pytest.raises(ValueError, match="dots/mm"):
        draw(things.VIAL, language=EN).dots(dots_per_mm=9)


def test_dots_that_read_as_another_thing_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    burn = drawing._burn_modules
    other = verified_datamatrix(new_code(CodeKind.VIAL))
    monkeypatch.setattr(
        drawing,
        "_burn_modules",
        lambda picture, _, symbol, *, dots_per_mm: burn(picture, other, symbol, dots_per_mm=dots_per_mm),
    )
    for facts in things.PLAIN:
        with pytest.raises(ReadBackError):
            draw(facts, language=EN).dots(dots_per_mm=8.0)


def test_dots_whose_symbol_a_text_runs_over_never_leave() -> None:
    made = draw(things.VIAL, language=EN)
    over = tuple(
        dataclasses.replace(line, left_mm=0.5, baseline_mm=1.5 + 1.2 * row) for row, line in enumerate(made.lines)
    )
    with pytest.raises(ReadBackError):
        dataclasses.replace(made, lines=over).dots(dots_per_mm=8.0)


def test_zpl_announces_what_it_carries() -> None:
    dots = draw(things.VIAL, language=EN).dots(dots_per_mm=11.8)
    zpl = dots.zpl_bytes(copies=2).decode("ascii")
    assert zpl.startswith("^XA\n^PW295\n^LL153\n")
    assert zpl.endswith("^PQ2\n^XZ\n")
    graphic = zpl.split("^GFA,")[1].split("^FS")[0]
    total, also_total, row_bytes, digits = graphic.split(",")
    assert int(total) == int(also_total) == len(dots.packed) == int(row_bytes) * 153
    assert bytes.fromhex(digits) == dots.packed


def test_a_png_states_its_resolution() -> None:
    png = Image.open(io.BytesIO(draw(things.BAG, language=EN).dots(dots_per_mm=11.8).png_bytes()))
    assert png.mode == "1"
    assert png.info["dpi"][0] == pytest.approx(11.8 * 25.4, abs=0.1)
    assert read(png) == [("]d1", things.BAG.code)]


def test_bits_beyond_the_width_stay_white() -> None:
    dots = draw(things.VIAL, language=EN).dots(dots_per_mm=11.8)
    assert dots.row_bytes * 8 > dots.width_dots
    assert all(dots.packed[end] & 1 == 0 for end in range(dots.row_bytes - 1, len(dots.packed), dots.row_bytes))
