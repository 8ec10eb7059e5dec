"""Scanners that type: from the characters of a keyboard wedge to the raw text of one scan.

A wedge ends each scan with a key (return, line feed or tabulator). The separator of GS1 fields (GS, 0x1D) has no key:
scanners type it as Control and ], which few programs see, or as a stand-in, which is put back here. Which one a
scanner uses is its setting; a separator that was dropped cannot be guessed, only noticed by who parses the fields.
"""

from dataclasses import dataclass
from typing import Final

GROUP_SEPARATOR: Final = "\x1d"
TEXT_LENGTH_MAX: Final = 4096

_ENDS: Final = frozenset("\r\n\t")


@dataclass(frozen=True, kw_only=True, slots=True)
class WedgeSettings:
    """How a scanner is set up: what it types for GS, and what it was told to type around every scan."""

    separator_stand_ins: tuple[str, ...] = ("\u241d", "{GS}", "<GS>")
    prefix: str = ""
    suffix: str = ""


DEFAULT_SETTINGS: Final = WedgeSettings()


class Wedge:
    """Collects typed characters into scans. Longer scans than ``TEXT_LENGTH_MAX`` are cut one character beyond it.

    The cut text is still too long for any code, so that whoever parses it refuses it; nothing is dropped silently,
    and nobody's stuck key fills the memory.
    """

    def __init__(self, *, settings: WedgeSettings = DEFAULT_SETTINGS) -> None:
        self._settings = settings
        self._typed: list[str] = []

    def feed(self, characters: str) -> list[str]:
        """Take typed characters; return the raw texts of the scans that they complete. Empty lines are no scans."""
        scans = []
        for character in characters:
            if character not in _ENDS:
                if len(self._typed) <= TEXT_LENGTH_MAX:
                    self._typed.append(character)
            elif self._typed:
                scans.append(raw_text("".join(self._typed), settings=self._settings))
                self._typed.clear()
        return scans


def raw_text(typed: str, *, settings: WedgeSettings = DEFAULT_SETTINGS) -> str:
    """Return what was in the symbol, given what the scanner typed for it: without ends, prefix and stand-ins."""
    text = typed.strip("".join(_ENDS))
    text = text.removeprefix(settings.prefix).removesuffix(settings.suffix)
    for stand_in in settings.separator_stand_ins:
        text = text.replace(stand_in, GROUP_SEPARATOR)
    return text
