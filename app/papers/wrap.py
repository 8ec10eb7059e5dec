"""Lines out of a text: broken at spaces and between Chinese characters, never before a mark that ends a clause."""

from __future__ import annotations

import re
from typing import Final

from app.papers.typeface import width

_IDEOGRAPHS: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECES: Final = re.compile(rf" +|[{_IDEOGRAPHS}]|[^ {_IDEOGRAPHS}]+")
_NOT_FIRST: Final = frozenset("，。；：、！？）》」』】〕％%")
_NOT_LAST: Final = frozenset("（《「『【〔")


def wrapped(text: str, *, size: float, within: float) -> list[str]:
    """The lines of a visible text in points of width; a word that is too long is broken where it must be."""
    return [line for paragraph in text.split("\n") for line in _lines(paragraph, size=size, within=within)]


def _lines(paragraph: str, *, size: float, within: float) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _bound(_PIECES.findall(paragraph)):
        advance = width(piece, size)
        if used + advance <= within or (piece.isspace() and line):
            line, used = line + piece, used + advance
            continue
        if line.strip():
            lines.append(line.rstrip())
        line, used = "", 0.0
        for part in _broken(piece, size=size, within=within):
            if line:
                lines.append(line)
            line, used = part, width(part, size)
    return [*lines, line.rstrip()]


def _bound(pieces: list[str]) -> list[str]:
    """The pieces with marks tied to what they must not be parted from."""
    bound: list[str] = []
    for piece in pieces:
        if bound and (piece[0] in _NOT_FIRST or bound[-1][-1] in _NOT_LAST) and not bound[-1].isspace():
            bound[-1] += piece
        else:
            bound.append(piece)
    return bound


def _broken(piece: str, *, size: float, within: float) -> list[str]:
    """A piece that fits nowhere whole, in parts that do."""
    if piece.isspace():
        return []
    parts, part = [], ""
    for character in piece:
        if part and width(part + character, size) > within:
            cut = part.rfind("-") + 1 or len(part)  # codes and numbers part at their hyphens
            parts.append(part[:cut])
            part = part[cut:]
        part += character
    return [*parts, part]
