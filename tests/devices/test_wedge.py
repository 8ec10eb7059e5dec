"""A scanner that types, and the real thing's quirks."""

import pytest

from devices.decoder_child import DecodedCode
from devices.simulated import SimulatedWedge
from devices.wedge import TEXT_LENGTH_MAX, Wedge, WedgeSettings, raw_text
from labels.codes import CodeError, CodeKind, CodeReason, CodeScheme, new_code, parse

GS1 = DecodedCode("010950600013435210ABC123\x1d21S0001", "DataMatrix", "]d2")


def test_what_a_scanner_types_is_the_code_it_saw() -> None:
    code = new_code(CodeKind.VIAL)
    typed = SimulatedWedge().typed(DecodedCode(code, "DataMatrix", "]d1"))
    (raw,) = Wedge().feed(typed)
    assert raw == code
    assert parse(raw).kind is CodeKind.VIAL


@pytest.mark.parametrize("separator", ["\u241d", "{GS}", "<GS>", "\x1d"])
def test_separators_survive_the_keyboard(separator: str) -> None:
    wedge = SimulatedWedge(separator=separator, sends_aim_identifier=True)
    (raw,) = Wedge().feed(wedge.typed(GS1))
    parsed = parse(raw)
    assert (parsed.scheme, parsed.value, parsed.symbology) == (CodeScheme.UNKNOWN, GS1.text, "]d2")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\t"])
def test_scans_end_with_a_key_and_arrive_in_pieces(end: str) -> None:
    wedge = Wedge()
    assert wedge.feed("AB") == []
    assert wedge.feed(f"C{end}DE{end}F") == ["ABC", "DE"]
    assert wedge.feed(end) == ["F"]
    assert wedge.feed(end * 3) == []


def test_what_a_scanner_was_told_to_add_is_taken_off() -> None:
    settings = WedgeSettings(prefix="~", suffix="#")
    assert raw_text("~ABC#\r", settings=settings) == "ABC"
    assert raw_text("ABC", settings=settings) == "ABC"


def test_a_stuck_key_fills_no_memory_and_is_refused() -> None:
    wedge = Wedge()
    for _ in range(100):
        wedge.feed("A" * 1000)
    (raw,) = wedge.feed("\r")
    assert len(raw) == TEXT_LENGTH_MAX + 1
    with pytest.raises(CodeError) as caught:
        parse(raw)
    assert caught.value.code is CodeReason.TOO_LONG
