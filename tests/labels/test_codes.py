"""Reading and writing codes: what works first, then each way to refuse."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.check_characters import DIGITS_AND_LETTERS, mod_37_2, mod_37_2_value, mod_37_36
from labels.codes import (
    RANDOM_ALPHABET,
    CodeError,
    CodeKind,
    CodeReason,
    CodeScheme,
    check_character,
    format_code,
    new_code,
    parse,
    printable,
)

VIAL = "V3K7PX2M9A" + mod_37_36("V3K7PX2M9A")
KINDS = st.sampled_from(CodeKind)
BODIES = st.builds(
    lambda kind, rest: kind + rest, KINDS, st.text(alphabet=RANDOM_ALPHABET, min_size=9, max_size=9)
).filter(lambda body: mod_37_36(body) in RANDOM_ALPHABET)
DINS = st.from_regex(r"\A[A-NP-Z1-9][0-9A-NP-Z]{4}[0-9]{8}\Z")


def refusal(raw: str, *, symbology: str | None = None) -> CodeError:
    """Parse ``raw`` and return the refusal that it must meet."""
    with pytest.raises(CodeError) as caught:
        parse(raw, symbology=symbology)
    return caught.value


def own_value(raw: str) -> str | None:
    """Return the code of ours that ``raw`` is read as, or None."""
    try:
        parsed = parse(raw)
    except CodeError:
        return None
    return parsed.value if parsed.scheme is CodeScheme.OWN else None


def din_value(raw: str) -> str | None:
    """Return the DIN that ``raw`` is read as, or None."""
    try:
        parsed = parse(raw)
    except CodeError:
        return None
    return parsed.value if parsed.scheme is CodeScheme.DIN else None


# Check characters


def test_the_published_example_of_mod_37_36_holds() -> None:
    assert mod_37_36("A12425GABC1234002") == "M"  # the Global Release Identifier's own example


@pytest.mark.parametrize(
    ("din", "character", "flags"),
    [("G123498654321", "H", 77), ("G123417654321", "A", 70), ("A999921123456", "3", 63), ("W483626000011", "N", 83)],
)
def test_the_published_examples_of_mod_37_2_hold(din: str, character: str, flags: int) -> None:
    assert check_character(din) == character
    assert 60 + mod_37_2_value(din) == flags
    assert parse(f"={din}{flags}").value == din


def test_a_check_character_belongs_to_a_code_body_only() -> None:
    assert check_character("F3K7PX2M9A") == mod_37_36("F3K7PX2M9A")
    with pytest.raises(ValueError, match="check character"):
        check_character("F3K7PX2M9")


def test_mod_37_36_misses_exactly_the_swaps_that_its_docstring_admits() -> None:
    def step(product: int, value: int) -> int:
        return ((product + value) % 36 or 36) * 2 % 37

    pairs = [(p, a, b) for p in range(1, 37) for a in range(36) for b in range(36) if a != b]
    missed = [1 for p, a, b in pairs if step(step(p, a), b) == step(step(p, b), a)]
    assert (len(missed), len(pairs)) == (72, 45_360)


# Our own codes


@given(kind=KINDS)
def test_a_new_code_comes_back_in_every_way_of_writing_it(kind: CodeKind) -> None:
    code = new_code(kind)
    full_width = code.translate({ord(c): ord(c) + 0xFEE0 for c in DIGITS_AND_LETTERS})
    spellings = [
        code,
        code.lower(),
        format_code(code),
        format_code(code).replace("-", " "),
        format_code(code).replace("-", "\u2011"),
        f"]d1{code}",
        f"]C0{code}\r\n",
        f"  {code}\t",
        full_width,
    ]
    for spelling in spellings:
        parsed = parse(spelling)
        assert (parsed.scheme, parsed.value, parsed.kind, parsed.raw) == (CodeScheme.OWN, code, kind, spelling)
    assert set(code[1:]) <= set(RANDOM_ALPHABET)
    assert parse(f"]d1{code}", symbology="]C0").symbology == "]d1"
    assert parse(code, symbology="]C0").symbology == "]C0"


def test_a_code_is_shown_in_groups() -> None:
    assert format_code(VIAL) == f"V-3K7-PX2-M9A-{VIAL[-1]}"
    assert parse(VIAL).shown == format_code(VIAL)
    with pytest.raises(CodeError):
        format_code("V3K7PX2M9A")


def test_new_codes_differ_and_use_the_whole_alphabet() -> None:
    codes = {new_code(CodeKind.FLASK) for _ in range(2000)}
    assert len(codes) == 2000
    assert {character for code in codes for character in code[1:10]} == set(RANDOM_ALPHABET)


@settings(max_examples=30)
@given(body=BODIES)
def test_every_substitution_of_one_character_is_detected(body: str) -> None:
    code = body + mod_37_36(body)
    assert own_value(code) == code
    for place in range(11):
        for character in DIGITS_AND_LETTERS + string.ascii_lowercase + "*":
            damaged = code[:place] + character + code[place + 1 :]
            if damaged.upper() != code:
                assert own_value(damaged) is None, damaged


@settings(max_examples=200)
@given(kind=KINDS)
def test_every_swap_of_neighbours_in_a_code_that_we_issue_is_detected(kind: CodeKind) -> None:
    code = new_code(kind)
    for left in range(10):
        swapped = code[:left] + code[left + 1] + code[left] + code[left + 2 :]
        if swapped != code:
            assert own_value(swapped) is None, (code, swapped)


def test_the_swap_test_has_teeth() -> None:
    """A code that was not drawn again shows the pair of neighbours that the check character alone would miss."""
    hidden = [
        (code, swapped)
        for kind in CodeKind
        for first in RANDOM_ALPHABET
        for second in RANDOM_ALPHABET
        if (code := _closed(f"{kind}{first}{second}0000000")) != (swapped := _closed(f"{kind}{second}{first}0000000"))
        and code[-1] == swapped[-1]
    ]
    assert hidden
    assert all(own_value(swapped) == swapped for _, swapped in hidden if swapped[-1] in RANDOM_ALPHABET)


def _closed(body: str) -> str:
    return body + mod_37_36(body)


def test_a_damaged_code_of_ours_is_refused_with_what_why_and_remedy() -> None:
    wrong = VIAL[:-1] + ("0" if VIAL[-1] != "0" else "1")
    error = refusal(wrong)
    assert error.code is CodeReason.WRONG_CHECK_CHARACTER
    assert wrong in error.what
    assert "check character" in error.why
    assert error.remedy
    assert error.words.what.format(**error.details) == error.what


@pytest.mark.parametrize("letter", "ILOU")
def test_letters_that_look_like_digits_are_refused_not_guessed(letter: str) -> None:
    error = refusal(VIAL[:5] + letter + VIAL[6:])
    assert error.code is CodeReason.WRONG_ALPHABET
    assert error.details["character"] == letter


@pytest.mark.parametrize("grouped", ["V-3K7-PX2-M9A", "V-3K7-PX2-M9A-TT", "v 3k7 px2 m9a"])
def test_a_grouped_code_of_the_wrong_length_is_refused(grouped: str) -> None:
    assert refusal(grouped).code is CodeReason.WRONG_LENGTH


# Donation numbers


@given(din=DINS)
def test_a_din_is_the_same_whatever_its_flags(din: str) -> None:
    checked = 60 + mod_37_2_value(din)
    typed = f"{din[:5]} {din[5:7]} {din[7:]} {mod_37_2(din)}"
    for raw in (f"={din}00", f"={din}05", f"={din}{checked}", f"]C0={din}00", f"]d1={din}{checked}"):
        parsed = parse(raw)
        assert (parsed.scheme, parsed.value, parsed.kind) == (CodeScheme.DIN, din, None)
    assert parse(f"={din}00").shown == typed
    if din[0].isalpha():
        assert din_value(typed) == din
        assert din_value(typed.replace(" ", "")) == din


@settings(max_examples=30)
@given(din=DINS)
def test_every_substitution_and_swap_in_a_din_with_type_3_flags_is_detected(din: str) -> None:
    flags = 60 + mod_37_2_value(din)
    for place in range(13):
        for character in DIGITS_AND_LETTERS:
            damaged = din[:place] + character + din[place + 1 :]
            assert damaged == din or din_value(f"={damaged}{flags}") is None, damaged
    for left in range(12):
        swapped = din[:left] + din[left + 1] + din[left] + din[left + 2 :]
        assert swapped == din or din_value(f"={swapped}{flags}") is None, swapped


@settings(max_examples=30)
@given(din=DINS)
def test_a_typed_din_needs_its_boxed_character(din: str) -> None:
    for character in DIGITS_AND_LETTERS + "*":
        read = din_value(din + character)
        assert read is None or (read == din and character == mod_37_2(din))
    assert din_value(din) is None
    if din[0].isalpha():
        assert refusal(din).code is CodeReason.MISSING_CHECK_CHARACTER


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("=G1234986543217", CodeReason.WRONG_LENGTH),
        ("=G1234986543210000", CodeReason.WRONG_LENGTH),
        ("=", CodeReason.WRONG_LENGTH),
        ("=G12349865432178", CodeReason.WRONG_CHECK_CHARACTER),
        ("=O12349865432100", CodeReason.WRONG_ALPHABET),
        ("=012349865432100", CodeReason.WRONG_ALPHABET),
        ("=G1O349865432100", CodeReason.WRONG_ALPHABET),
        ("=g12349865432100", CodeReason.WRONG_ALPHABET),
        ("=G1234986543A100", CodeReason.WRONG_ALPHABET),
        ("=G١23498654321٠٠", CodeReason.WRONG_ALPHABET),
        ("G1234 98 654321 J", CodeReason.WRONG_CHECK_CHARACTER),
    ],
)
def test_a_malformed_din_is_refused(raw: str, reason: CodeReason) -> None:
    assert refusal(raw).code is reason


# Texts of others


@pytest.mark.parametrize(
    "raw",
    [
        "PREP-26-0108",
        "LOT-2026/11",
        "06901234567892",
        "16901234567899",
        "=<S1234V00",
        "=+04000=G00002600000100=<S1234799=,000007&>0263261430",
        "=G12349865432177=<S1234V00",
        "&a260108-0001",
        "培养基 2026",
        "VIALS-ARE-HERE",
        "A3K7PX2M9AT",
    ],
)
def test_a_foreign_text_is_kept_as_it_stands(raw: str) -> None:
    parsed = parse(f" {raw}\r")
    assert (parsed.scheme, parsed.value, parsed.kind, parsed.shown) == (CodeScheme.UNKNOWN, raw, None, raw)


@pytest.mark.parametrize("identifier", ["]C1", "]d2", "]Q3"])
def test_a_gs1_text_keeps_its_separators_and_is_never_taken_for_ours(identifier: str) -> None:
    text = "010950600013435210ABC123\x1d21S0001"
    assert parse(f"{identifier}{text}").value == text
    assert parse(text, symbology=identifier).scheme is CodeScheme.UNKNOWN
    assert refusal(f"{identifier}{VIAL}").code is CodeReason.UNKNOWN_GRAMMAR
    assert refusal(VIAL, symbology=identifier).code is CodeReason.UNKNOWN_GRAMMAR


# Hostile texts


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", CodeReason.EMPTY),
        (" \r\n\t", CodeReason.EMPTY),
        ("]d1", CodeReason.EMPTY),
        ("\x1d", CodeReason.EMPTY),
        ("x" * 257, CodeReason.TOO_LONG),
        (" " * 300, CodeReason.TOO_LONG),
        (f"{VIAL[:4]}\x00{VIAL[4:]}", CodeReason.CONTROL_CHARACTER),
        (f"{VIAL}\x1b[2J", CodeReason.CONTROL_CHARACTER),
        (f"a{VIAL}\nb", CodeReason.CONTROL_CHARACTER),
        (f"{VIAL}\x7f", CodeReason.CONTROL_CHARACTER),
        (f"\u202e{VIAL}", CodeReason.INVISIBLE_CHARACTER),
        (f"V\u200b{VIAL[1:]}", CodeReason.INVISIBLE_CHARACTER),
        (f"\ufeff{VIAL}", CodeReason.INVISIBLE_CHARACTER),
        ("lot\u00ad12", CodeReason.INVISIBLE_CHARACTER),
        ("lot\u2066x\u2069", CodeReason.INVISIBLE_CHARACTER),
        ("lot\ud800", CodeReason.INVISIBLE_CHARACTER),
        ("lot\u3164", CodeReason.INVISIBLE_CHARACTER),
        ("lot\u2028x", CodeReason.INVISIBLE_CHARACTER),
        ("lot\ue000", CodeReason.INVISIBLE_CHARACTER),
    ],
)
def test_a_hostile_text_is_refused_and_shown_escaped(raw: str, reason: CodeReason) -> None:
    error = refusal(raw)
    assert error.code is reason
    said = error.what + error.why + error.remedy
    assert said.isprintable()
    said.encode("utf-8")


def test_hidden_characters_are_shown_as_what_they_are() -> None:
    assert refusal(f"{VIAL}\x00").details["character"] == r"\x00"
    assert printable("a\x1db\u202ec") == r"a\x1db\u202ec"
    assert printable("\U000e0041") == r"\U000e0041"
    assert len(printable("y" * 1000)) == 257


@settings(max_examples=1000)
@given(raw=st.text(max_size=300), symbology=st.none() | st.sampled_from(["]C0", "]C1", "]d1", "]d2", "nonsense"]))
def test_any_text_is_either_read_or_refused(raw: str, symbology: str | None) -> None:
    try:
        parsed = parse(raw, symbology=symbology)
    except CodeError as error:
        said = error.what + error.why + error.remedy
    else:
        said = parsed.value.replace("\x1d", "").translate(dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000")))
        assert said or not parsed.value.isascii()
        parsed.value.encode("utf-8")
    assert all(character.isprintable() or character.isspace() for character in said)


@pytest.mark.parametrize("character", ["ſ", "ı", "K", "Ⅴ", "𝐕", "٣"])
def test_characters_that_only_look_like_ours_are_not_ours(character: str) -> None:
    assert own_value(character + VIAL[1:]) is None
    assert own_value(VIAL[:3] + character + VIAL[4:]) is None
