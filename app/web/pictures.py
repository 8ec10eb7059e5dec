"""What pictures are made of: icons from the vendored sheet, and words that fit where they stand."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup

from app.web.assets import asset

SHEET = "vendor/tabler-icons.svg"


@cache
def icon(name: str, css_class: str = "") -> Markup:
    """One icon of the sheet. It only repeats what a word beside it says, so readers skip it."""
    return Markup('<svg class="i {css_class}" aria-hidden="true"><use href="{sheet}#{name}"/></svg>').format(
        css_class=css_class, sheet=asset(SHEET), name=name
    )


HAN_FROM = "\u2e80"
"""From here on characters are as wide as they are high."""
LATIN_EM, HAN_EM = 0.56, 1.02


def text_width(text: str, size: float) -> float:
    """About how wide a text is drawn at this size of letters, in the same unit: never less than it is."""
    return sum(HAN_EM if each >= HAN_FROM else LATIN_EM for each in text) * size


def fitting(text: str, width: float, size: float) -> str:
    """As much of a text as fits, with an ellipsis where it was cut. SVG neither wraps nor cuts by itself."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}…", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
