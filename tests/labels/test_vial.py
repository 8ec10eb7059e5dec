"""The vial label: what it says, that nothing is cut or overlaps, and that it cannot lie."""

import dataclasses
import gc
import hashlib
import io
from datetime import date
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageOps
from reportlab.pdfbase.ttfonts import TTFont

from labels import typeface, vial
from labels.codes import CodeError, CodeKind, format_code, new_code
from labels.printer_dots import DOTS_PER_MM, PrinterDots
from labels.symbols import ReadBackError, verified_datamatrix
from labels.typeface import FONT_PATH, MissingGlyph, require_glyphs
from labels.vial import DoesNotFit, LabelLanguage, VialFacts, VialUse, vial_dots, vial_pdf

FACTS = VialFacts(
    code=new_code(CodeKind.VIAL),
    name="PREP-26-0108",
    product="骨髓间充质干细胞",
    passage_number=3,
    cells=5_234_000,
    frozen_on=date(2026, 11, 22),
    use=VialUse.AUTOLOGOUS,
    storage_celsius_max=-150,
    vial_number=12,
)
ENGLISH = dataclasses.replace(FACTS, product="Bone-marrow MSC")
LONGEST = dataclasses.replace(
    FACTS, product="WWWWWWWWWW", cells=88_800_000_000, passage_number=28, vial_number=888, storage_celsius_max=-196
)
EVERY = [(facts, language) for facts in (FACTS, ENGLISH, LONGEST) for language in LabelLanguage]


def read(picture: Image.Image) -> list[tuple[str, str]]:
    """Return what zxing-cpp reads, unrestricted."""
    return [(code.symbology_identifier, code.text) for code in zxingcpp.read_barcodes(picture.convert("L"))]


def rendered(pdf: bytes, *, dots_per_mm: float) -> Image.Image:
    page = pypdfium2.PdfDocument(pdf)[0]
    picture: Image.Image = page.render(scale=dots_per_mm * 25.4 / 72).to_pil().convert("L")
    return picture


@pytest.mark.parametrize("dots_per_mm", DOTS_PER_MM)
@pytest.mark.parametrize(("facts", "language"), EVERY)
def test_the_dots_read_as_the_code(facts: VialFacts, language: LabelLanguage, dots_per_mm: float) -> None:
    dots = vial_dots(facts, dots_per_mm=dots_per_mm, language=language)
    assert (dots.width_dots, dots.height_dots) == (round(25 * dots_per_mm), round(13 * dots_per_mm))
    assert read(dots.picture()) == [("]d1", facts.code)]
    png = Image.open(io.BytesIO(dots.png_bytes()))
    assert png.mode == "1"
    assert png.info["dpi"][0] == pytest.approx(dots_per_mm * 25.4, abs=0.1)
    assert read(png) == [("]d1", facts.code)]


@pytest.mark.parametrize("dots_per_mm", DOTS_PER_MM)
def test_every_module_is_a_whole_number_of_dots_with_a_quiet_zone_around(dots_per_mm: float) -> None:
    picture = vial_dots(FACTS, dots_per_mm=dots_per_mm).picture().convert("L")
    matrix = verified_datamatrix(FACTS.code)
    module = {8.0: 4, 11.8: 6, 12.0: 6}[dots_per_mm]
    side = matrix.side * module
    left, top = round(0.9 * dots_per_mm), round(0.75 * dots_per_mm)
    drawn = picture.crop((left, top, left + side, top + side))
    for row, modules in enumerate(matrix.rows):
        for column, is_dark in enumerate(modules):
            box = (column * module, row * module, (column + 1) * module, (row + 1) * module)
            assert drawn.crop(box).getextrema() == ((0, 0) if is_dark else (255, 255))
    quiet = picture.crop((left - module, top - module, left + side + module, top + side + module))
    quiet.paste(255, (module, module, module + side, module + side))
    assert quiet.getextrema() == (255, 255)


@pytest.mark.parametrize("dots_per_mm", DOTS_PER_MM)
@pytest.mark.parametrize(("facts", "language"), EVERY)
def test_nothing_overlaps_and_nothing_is_cut(facts: VialFacts, language: LabelLanguage, dots_per_mm: float) -> None:
    size = (round(25 * dots_per_mm), round(13 * dots_per_mm))
    boxes = []
    for line in vial._layout(facts, language=language):
        alone = Image.new("1", (size[0] + 80, size[1] + 80), color=1)
        moved = dataclasses.replace(
            line, left_mm=line.left_mm + 40 / dots_per_mm, baseline_mm=line.baseline_mm + 40 / dots_per_mm
        )
        vial._burn_line(alone, moved, dots_per_mm=dots_per_mm)
        ink = ImageOps.invert(alone.convert("L")).getbbox()
        assert ink is not None
        boxes.append(tuple(edge - 40 for edge in ink))
    symbol_edge = round((0.9 + 8.5) * dots_per_mm)
    for index, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 2
        assert top >= 2
        assert right <= size[0] - 2
        assert bottom <= size[1] - 1
        assert left >= symbol_edge or top >= round(9.25 * dots_per_mm) - 1, "a text stands in the quiet zone"
        for other_left, other_top, other_right, other_bottom in boxes[index + 1 :]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


@pytest.mark.parametrize(("facts", "language"), EVERY)
def test_the_pdf_reads_as_the_code_and_says_all_facts(facts: VialFacts, language: LabelLanguage) -> None:
    pdf = vial_pdf(facts, language=language)
    page = pypdfium2.PdfDocument(pdf)[0]
    assert page.get_size() == pytest.approx((25 / 25.4 * 72, 13 / 25.4 * 72), abs=0.01)
    for dots_per_mm in (8, 12, 24):
        assert read(rendered(pdf, dots_per_mm=dots_per_mm)) == [("]d1", facts.code)]
    text = page.get_textpage().get_text_bounded()
    wanted = ["PREP-26-0108", facts.product, f"P{facts.passage_number}", "2026-11-22", format_code(facts.code)]
    wanted += [f"≤−{-facts.storage_celsius_max} °C", "AUTOLOGOUS", f"/{facts.vial_number}"]
    for fact in wanted:
        assert fact in text, text
    assert "×10" in text
    assert b"/FontFile2" in pdf, "the typeface is embedded"


def test_the_same_facts_give_the_same_bytes() -> None:
    assert vial_pdf(FACTS) == vial_pdf(FACTS)
    assert vial_dots(FACTS, dots_per_mm=8) == vial_dots(FACTS, dots_per_mm=8)
    assert vial_pdf(FACTS) != vial_pdf(dataclasses.replace(FACTS, passage_number=4))


def test_cells_are_shown_to_three_digits() -> None:
    assert vial._scientific(5_234_999) == ("5.23×10", "6")
    assert vial._scientific(999_999) == ("1.00×10", "6")
    assert vial._scientific(0) == ("0.00×10", "0")


def test_a_pdf_leaves_no_typeface_behind() -> None:
    vial_pdf(FACTS)
    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, TTFont)] == []


@pytest.mark.parametrize(
    ("product", "character"),
    [("CD34⁺ HSC", "⁺"), ("MSC 🧬", "🧬"), ("MSC\u200b", "?"), ("MSC\u202e", "?"), ("M\nSC", "?"), ("M\u00a0SC", "?")],
)
def test_a_character_that_would_not_show_is_an_error(product: str, character: str) -> None:
    facts = dataclasses.replace(FACTS, product=product)
    for make in (lambda: vial_pdf(facts), lambda: vial_dots(facts, dots_per_mm=8)):
        with pytest.raises(MissingGlyph) as caught:
            make()
        assert str(caught.value.details["character"]).startswith(character)


def test_rare_characters_and_signs_of_the_laboratory_show() -> None:
    require_glyphs("㐀龘彧喆 −196 °C ≤ ≥ × µ μ ± · é Ω α β γ δ ² ³")


def test_the_typeface_is_the_one_that_was_vendored() -> None:
    for line in (FONT_PATH.parent / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((FONT_PATH.parent / name).read_bytes()).hexdigest() == digest


def test_our_reading_of_the_character_map_agrees_with_reportlab() -> None:
    known = TTFont("Check", str(FONT_PATH)).face.charToGlyph
    ours = {code_point for code_point in range(0x30000) if typeface._has_glyph(code_point)}
    assert ours == {code_point for code_point, glyph in known.items() if glyph and code_point < 0x30000}


@pytest.mark.parametrize(
    "change", [{"product": "很长的产品名称写不下了呀真的"}, {"name": "PREP-2026-000108-AND-MORE"}, {"product": ""}]
)
def test_a_text_that_would_not_be_legible_is_an_error(change: dict[str, Any]) -> None:
    facts = dataclasses.replace(FACTS, **change)
    with pytest.raises(DoesNotFit):
        vial_pdf(facts)
    with pytest.raises(DoesNotFit):
        vial_dots(facts, dots_per_mm=8)


def test_only_the_code_of_a_vial_gets_a_vial_label() -> None:
    with pytest.raises(ValueError, match="vial"):
        vial_pdf(dataclasses.replace(FACTS, code=new_code(CodeKind.FLASK)))
    with pytest.raises(ValueError, match="vial"):
        vial_dots(dataclasses.replace(FACTS, code="=G12349865432177"), dots_per_mm=8)
    with pytest.raises(CodeError):
        vial_dots(dataclasses.replace(FACTS, code="V0000000000"), dots_per_mm=8)
    with pytest.raises(ValueError, match="dots/mm"):
        vial_dots(FACTS, dots_per_mm=9)


def test_dots_that_read_as_another_vial_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    burn = vial._burn_modules
    other = verified_datamatrix(new_code(CodeKind.VIAL))
    monkeypatch.setattr(
        vial, "_burn_modules", lambda picture, _, *, dots_per_mm: burn(picture, other, dots_per_mm=dots_per_mm)
    )
    with pytest.raises(ReadBackError):
        vial_dots(FACTS, dots_per_mm=8)


def test_dots_whose_symbol_a_text_runs_over_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = vial._layout
    monkeypatch.setattr(
        vial,
        "_layout",
        lambda facts, *, language: tuple(
            dataclasses.replace(line, left_mm=0.5, baseline_mm=1.5 + 1.2 * row)
            for row, line in enumerate(layout(facts, language=language))
        ),
    )
    with pytest.raises(ReadBackError):
        vial_dots(FACTS, dots_per_mm=8)


def test_zpl_announces_what_it_carries() -> None:
    dots = vial_dots(FACTS, dots_per_mm=11.8)
    zpl = dots.zpl_bytes(copies=2).decode("ascii")
    assert zpl.startswith("^XA\n^PW295\n^LL153\n")
    assert zpl.endswith("^PQ2\n^XZ\n")
    graphic = zpl.split("^GFA,")[1].split("^FS")[0]
    total, also_total, row_bytes, digits = graphic.split(",")
    assert int(total) == int(also_total) == len(dots.packed) == int(row_bytes) * 153
    assert bytes.fromhex(digits) == dots.packed


def test_bits_beyond_the_width_stay_white() -> None:
    dots: PrinterDots = vial_dots(FACTS, dots_per_mm=11.8)
    assert dots.row_bytes * 8 > dots.width_dots
    assert all(dots.packed[end] & 1 == 0 for end in range(dots.row_bytes - 1, len(dots.packed), dots.row_bytes))
