"""The grammar of every code that Stemma reads or writes: text to a parsed code, and a fresh code to text.

Three schemes. **Own**: a kind letter, nine random characters of ``RANDOM_ALPHABET`` and an ISO/IEC 7064 MOD 37,36
check character, shown in groups (``F-3K7-PX2-M9A-T``) with hyphens that reading ignores. **DIN**: the ISBT 128
donation identification number (data structure 001), read and never minted, for its numbers belong to registered
facilities. **Unknown**: anything else that is harmless text, kept as it stands, so that a supplier's code can be found.

What reading promises: a text that differs in one character from one of our codes, or in a swap of two neighbours, is
never read as another code of ours. Of a DIN the same holds where a check stands in the text (typed with its boxed
character, or scanned with type 3 flags, 60 to 96); a scan with other flags carries no check of its own.

Codes are the same thing when ``(scheme, value)`` is the same.
"""

import re
import secrets
import string
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from labels.check_characters import mod_37_2, mod_37_2_value, mod_37_36
from labels.words import N_, SpokenError, Words

RANDOM_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TEXT_LENGTH_MAX: Final = 256

_RANDOM_LENGTH: Final = 9
_OWN_LENGTH: Final = 11
_OWN_GROUPS: Final = ((0, 1), (1, 4), (4, 7), (7, 10), (10, 11))
_GROUP_SEPARATOR: Final = "\x1d"  # stands for FNC1 between GS1 fields
_DIN_LENGTH: Final = 13

# A scanner may put the AIM identifier (ISO/IEC 15424) in front: "]", the symbology's letter, a modifier.
_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_GS1_IDENTIFIERS: Final = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})

# The letter O never stands in a donation number, so that it cannot be taken for a zero (ISBT 128, structure 001).
_DIN: Final = r"[A-NP-Z1-9][0-9A-NP-Z]{4}[0-9]{8}"
_SCANNED_DIN: Final = re.compile(rf"=({_DIN})([0-9A-Z]{{2}})")
_TYPED_DIN: Final = re.compile(rf"({_DIN})([0-9A-Z*])")
_CHECKED_FLAGS: Final = range(60, 97)

# Full-width forms come from a keyboard left in a Chinese input method; they are the same characters.
_TYPED_AS_MEANT: Final = (
    {code_point: code_point - 0xFEE0 for code_point in range(0xFF01, 0xFF5F)}
    | {0x3000: " "}
    | {ord(small): small.upper() for small in string.ascii_lowercase}
    | {0xFF41 + index: chr(ord("A") + index) for index in range(26)}
)
_SEPARATORS: Final = re.compile(r"[ \u00a0\-\u2010-\u2015\u2212]+")
_OUR_GROUPS: Final = re.compile(r"\w(?:[- ]\w{3}){3}(?:[- ]?\w*)")
_AROUND: Final = " \r\n\t\u3000"
# Letters and marks by their category, and yet nobody sees them: fillers, the joiner, variation selectors.
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)


class CodeScheme(StrEnum):
    """Whose grammar a text follows."""

    OWN = "own"
    DIN = "din"
    UNKNOWN = "unknown"


class CodeKind(StrEnum):
    """What one of our codes is stuck on: its first letter."""

    PERSON = "P"
    DONATION = "D"
    MATERIAL_CONTAINER = "M"
    FLASK = "F"
    VIAL = "V"
    BAG = "B"
    SAMPLE_TUBE = "T"
    EQUIPMENT = "E"
    SHELF = "S"
    POSITION = "N"
    BADGE = "G"
    LOT = "L"
    RETAIN = "R"


_KIND_LETTERS: Final = frozenset(kind.value for kind in CodeKind)


class CodeReason(StrEnum):
    """Why a text is not read as a code."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    INVISIBLE_CHARACTER = "invisible_character"
    WRONG_LENGTH = "wrong_length"
    WRONG_ALPHABET = "wrong_alphabet"
    WRONG_CHECK_CHARACTER = "wrong_check_character"
    MISSING_CHECK_CHARACTER = "missing_check_character"
    UNKNOWN_GRAMMAR = "unknown_grammar"


_SCAN_AGAIN: Final = N_("Scan the label again, or type the characters printed beside the symbol.")
_WORDS: Final = {
    CodeReason.EMPTY: Words(N_("Nothing was read."), N_("The text is empty."), _SCAN_AGAIN),
    CodeReason.TOO_LONG: Words(
        N_("The text of {length} characters is too long for a code."),
        N_("No label carries more than {length_max} characters."),
        N_("Scan one label at a time."),
    ),
    CodeReason.CONTROL_CHARACTER: Words(
        N_("The text {shown} is not a code."),
        N_("It holds the control character {character}, which no label carries."),
        N_("Check the settings of the scanner, then scan again."),
    ),
    CodeReason.INVISIBLE_CHARACTER: Words(
        N_("The text {shown} is not a code."),
        N_("It holds the invisible character {character}, which can make one code look like another."),
        N_("Do not paste codes from documents: scan the label, or type the characters printed beside the symbol."),
    ),
    CodeReason.WRONG_LENGTH: Words(
        N_("{shown} is not a whole code."),
        N_("It has {length} characters where {length_wanted} are needed."),
        _SCAN_AGAIN,
    ),
    CodeReason.WRONG_ALPHABET: Words(
        N_("{shown} is not a code."),
        N_("The character {character} does not occur in such a code; O is never used for zero, nor I or L for one."),
        _SCAN_AGAIN,
    ),
    CodeReason.WRONG_CHECK_CHARACTER: Words(
        N_("{shown} was read or typed wrongly."),
        N_("Its check character does not fit the other characters."),
        _SCAN_AGAIN,
    ),
    CodeReason.MISSING_CHECK_CHARACTER: Words(
        N_("The donation number {shown} stands without its check character."),
        N_("A typed donation number is accepted only with the character printed in the box behind it."),
        N_("Scan the label, or type the boxed character too."),
    ),
    CodeReason.UNKNOWN_GRAMMAR: Words(
        N_("{shown} is not a code that can be read."),
        N_("Its first characters announce a format that the rest does not follow."),
        N_("Keep the item apart and ask quality assurance which label it should carry."),
    ),
}


class CodeError(SpokenError):
    """A text that must not be used as a code: hostile, empty, too long, or one of our codes or a DIN gone wrong."""

    def __init__(self, *, code: CodeReason, **details: str | int) -> None:
        super().__init__(code=code, words=_WORDS[code], details=details)


@dataclass(frozen=True, slots=True)
class ParsedCode:
    """A text and what it turned out to be.

    ``value`` is normalised: our own code as eleven characters without hyphens, a DIN as its thirteen characters
    without flags or check, any other text as it was read without the spaces around it. ``kind`` is known for our own
    codes only. ``raw`` is the text as it came, ``symbology`` the AIM identifier (``]d1``) where one is known.
    """

    scheme: CodeScheme
    value: str
    kind: CodeKind | None
    raw: str
    symbology: str | None = None

    @property
    def shown(self) -> str:
        """The code as people read it: ours in groups, a DIN with its check character, others as they are."""
        match self.scheme:
            case CodeScheme.OWN:
                return format_code(self.value)
            case CodeScheme.DIN:
                return f"{self.value[:5]} {self.value[5:7]} {self.value[7:]} {check_character(self.value)}"
            case CodeScheme.UNKNOWN:
                return self.value


def check_character(body: str) -> str:
    """Return the check character of ``body``: MOD 37,36 for our ten characters, MOD 37-2 for a DIN's thirteen.

    Raises:
        ValueError: ``body`` is neither.

    """
    if len(body) == _OWN_LENGTH - 1:
        return mod_37_36(body)
    if re.fullmatch(_DIN, body):
        return mod_37_2(body)
    message = "a check character belongs to the ten characters of our own code or the thirteen of a DIN"
    raise ValueError(message)


def new_code(kind: CodeKind) -> str:
    """Return a fresh code of ``kind``: eleven characters, 45 bits from the operating system's randomness.

    The random part is drawn again while the check character is one that people misread, or while a swap of two
    neighbours would pass the check unseen; so every code that is issued detects every such swap.
    """
    while True:
        body = kind + "".join(secrets.choice(RANDOM_ALPHABET) for _ in range(_RANDOM_LENGTH))
        code = body + mod_37_36(body)
        if code[-1] in RANDOM_ALPHABET and not _hides_a_swap(code):
            return code


def format_code(code: str) -> str:
    """Return our own ``code`` in the groups that people read: ``F3K7PX2M9AT`` becomes ``F-3K7-PX2-M9A-T``.

    Raises:
        CodeError: ``code`` is not one of our codes.

    """
    if not _is_own(code):
        _refuse_own(code)
    return "-".join(code[start:end] for start, end in _OWN_GROUPS)


def parse(raw: str, *, symbology: str | None = None) -> ParsedCode:
    """Return what ``raw``, a scanned or typed text, is.

    ``symbology`` is the AIM identifier that the decoder reported; one at the front of the text is taken off and wins.
    A text marked as GS1 is never taken for one of ours, whatever it spells.

    Raises:
        CodeError: the text is empty, too long or holds hidden characters, or it is one of our codes, or a DIN, that
            was damaged. A foreign text is no error: its scheme is unknown.

    """
    _refuse_hostile(raw)
    text = raw.strip(_AROUND)
    if aim := _AIM.match(text):
        symbology, text = aim[0], text[aim.end() :]
    if not text.strip(_GROUP_SEPARATOR):
        raise CodeError(code=CodeReason.EMPTY)
    if symbology in _GS1_IDENTIFIERS:
        return _parse_gs1(text, raw=raw, symbology=symbology)
    if text.startswith("="):
        return _parse_isbt(text, raw=raw, symbology=symbology)
    return (
        _parse_own(text, raw=raw, symbology=symbology)
        or _parse_typed_din(text, raw=raw, symbology=symbology)
        or ParsedCode(scheme=CodeScheme.UNKNOWN, value=text, kind=None, raw=raw, symbology=symbology)
    )


def printable(raw: str) -> str:
    """Return ``raw`` safe to keep and to show: its first 256 characters, each hidden one as its escape."""
    shown = "".join(
        character if character.isprintable() and character not in _BLANKS else _escaped(character)
        for character in raw[:TEXT_LENGTH_MAX]
    )
    return shown if len(raw) <= TEXT_LENGTH_MAX else f"{shown}…"


def _hides_a_swap(code: str) -> bool:
    for left in range(_OWN_LENGTH - 1):
        swapped = code[:left] + code[left + 1] + code[left] + code[left + 2 :]
        if swapped != code and mod_37_36(swapped[:-1]) == swapped[-1]:
            return True
    return False


def _is_own(code: str) -> bool:
    return (
        len(code) == _OWN_LENGTH
        and code[0] in _KIND_LETTERS
        and all(character in RANDOM_ALPHABET for character in code[1:])
        and mod_37_36(code[:-1]) == code[-1]
    )


def _refuse_own(code: str) -> NoReturn:
    """Say what is wrong with a text that should be one of our codes."""
    shown = printable(code)
    if len(code) != _OWN_LENGTH:
        raise CodeError(code=CodeReason.WRONG_LENGTH, shown=shown, length=len(code), length_wanted=_OWN_LENGTH)
    strange = [character for character in code[1:] if character not in RANDOM_ALPHABET]
    if code[0] not in _KIND_LETTERS:
        strange.insert(0, code[0])
    if strange:
        raise CodeError(code=CodeReason.WRONG_ALPHABET, shown=shown, character=printable(strange[0]))
    raise CodeError(code=CodeReason.WRONG_CHECK_CHARACTER, shown=shown)


def _parse_own(text: str, *, raw: str, symbology: str | None) -> ParsedCode | None:
    """Read ``text`` as one of ours, refuse it when it claims to be one and is not, else return None.

    A claim is a kind letter followed by ten characters in one piece, or by groups as we print them.
    """
    grouped = text.translate(_TYPED_AS_MEANT)
    compact = _SEPARATORS.sub("", grouped)
    if compact[:1] not in _KIND_LETTERS or not (compact.isascii() and compact.isalnum()):
        return None
    if not _is_own(compact):
        in_one_piece = len(compact) == _OWN_LENGTH and compact == grouped
        if in_one_piece or _OUR_GROUPS.fullmatch(grouped):
            _refuse_own(compact)
        return None
    return ParsedCode(scheme=CodeScheme.OWN, value=compact, kind=CodeKind(compact[0]), raw=raw, symbology=symbology)


def _parse_isbt(text: str, *, raw: str, symbology: str | None) -> ParsedCode:
    """Read a text whose first character is ``=``: a DIN, or another ISBT 128 structure that stays unknown here."""
    if scanned := _SCANNED_DIN.fullmatch(text):
        din, flags = scanned[1], scanned[2]
        if flags.isdecimal() and int(flags) in _CHECKED_FLAGS and int(flags) != 60 + mod_37_2_value(din):
            raise CodeError(code=CodeReason.WRONG_CHECK_CHARACTER, shown=text)
        return ParsedCode(scheme=CodeScheme.DIN, value=din, kind=None, raw=raw, symbology=symbology)
    second = text[1:2]
    is_message = _SCANNED_DIN.match(text) is not None and text[16] in "=&"
    if is_message or (second and not second.isalnum() and second.isascii()):
        return ParsedCode(scheme=CodeScheme.UNKNOWN, value=text, kind=None, raw=raw, symbology=symbology)
    if len(text) != _DIN_LENGTH + 3:
        raise CodeError(code=CodeReason.WRONG_LENGTH, shown=text, length=len(text), length_wanted=_DIN_LENGTH + 3)
    raise CodeError(code=CodeReason.WRONG_ALPHABET, shown=text, character=_first_stranger(text))


def _first_stranger(text: str) -> str:
    """Return the first character of a sixteen character text that has no place there in a scanned DIN."""
    example = "=A000000000000000"
    for index in range(1, len(text)):
        if not _SCANNED_DIN.fullmatch(example[:index] + text[index] + example[index + 1 : 16]):
            return text[index]
    return text[0]


def _parse_typed_din(text: str, *, raw: str, symbology: str | None) -> ParsedCode | None:
    """Read a DIN typed as printed: thirteen characters, perhaps spaced, and the boxed check character.

    Only a leading letter claims to be a DIN here: fourteen digits are far more likely a trade item number.
    """
    compact = text.replace(" ", "")
    if not compact[:1].isalpha():
        return None
    if re.fullmatch(_DIN, compact):
        raise CodeError(code=CodeReason.MISSING_CHECK_CHARACTER, shown=text)
    typed = _TYPED_DIN.fullmatch(compact)
    if typed is None:
        return None
    if mod_37_2(typed[1]) != typed[2]:
        raise CodeError(code=CodeReason.WRONG_CHECK_CHARACTER, shown=text)
    return ParsedCode(scheme=CodeScheme.DIN, value=typed[1], kind=None, raw=raw, symbology=symbology)


def _parse_gs1(text: str, *, raw: str, symbology: str | None) -> ParsedCode:
    """Keep a GS1 text as it stands, once it begins as every GS1 text does: with two digits."""
    if not re.match(r"[0-9]{2}", text):
        raise CodeError(code=CodeReason.UNKNOWN_GRAMMAR, shown=printable(text))
    return ParsedCode(scheme=CodeScheme.UNKNOWN, value=text, kind=None, raw=raw, symbology=symbology)


def _refuse_hostile(raw: str) -> None:
    if len(raw) > TEXT_LENGTH_MAX:
        raise CodeError(code=CodeReason.TOO_LONG, length=len(raw), length_max=TEXT_LENGTH_MAX)
    # A wedge may end its line with carriage return, line feed or tabulator: those at the ends are not part of a code.
    for character in raw.strip(_AROUND):
        if not _is_hidden(character) or character == _GROUP_SEPARATOR:
            continue
        is_control = unicodedata.category(character) == "Cc"
        code = CodeReason.CONTROL_CHARACTER if is_control else CodeReason.INVISIBLE_CHARACTER
        raise CodeError(code=code, shown=printable(raw), character=_escaped(character))


def _is_hidden(character: str) -> bool:
    """Say whether a character is one that nobody sees: control, format (bidi, zero width), surrogate, private, line."""
    category = unicodedata.category(character)
    return category[0] == "C" or category in {"Zl", "Zp"} or character in _BLANKS


def _escaped(character: str) -> str:
    code_point = ord(character)
    if code_point < 0x100:
        return f"\\x{code_point:02x}"
    return f"\\u{code_point:04x}" if code_point < 0x10000 else f"\\U{code_point:08x}"
