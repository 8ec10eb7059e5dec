"""The catalogue of both languages: gathered from the code and the templates, compiled, and checked to be whole.

`python -m app.web.translations` brings the catalogue in step with the code, keeps what is translated, and compiles it.
"""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from app.locale import FOLDER
from app.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = "zh_CN"
PO = FOLDER / LANGUAGE / "LC_MESSAGES" / "stemma.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {**DEFAULT_KEYWORDS, "Text": None, "N_": None}
FOLDERS = ("app", "labels", "devices")
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
PINNED = datetime(2026, 1, 1, tzinfo=UTC)
"""Dates in the header would make every run another file."""
PLACEHOLDER = re.compile(r"\{(\w*)\}")
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
ENGLISH = re.compile(r"[A-Za-z]*[a-z]{2}[A-Za-z]*")
"""A word. Units, signs and short codes are the same in every language."""


def gathered() -> Catalog:
    """Every sentence that the code and the templates say, with where it stands."""
    found = Catalog(project="Stemma", charset="utf-8", fuzzy=False)
    for folder in FOLDERS:
        for path, _, message, comments, context in extract_from_dir(ROOT / folder, METHODS, OPTIONS, keywords=KEYWORDS):
            found.add(message, locations=[(f"{folder}/{path}", 0)], auto_comments=comments, context=context)
    # Counterexamples are read by people too; some are made by helpers of their rule, so they are asked of the book.
    for rule in RULES:
        for each in rule.breaks:
            found.add(each.name, locations=[(f"{rule.check.__module__.replace('.', '/')}.py", 0)])
    return found


def kept() -> Catalog:
    """The catalogue as it is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing() -> list[str]:
    """What keeps the catalogue from being whole; empty when all is well."""
    return list(_troubles(gathered(), kept()))


def _troubles(said: Catalog, catalogue: Catalog) -> Iterator[str]:
    for message in said:
        if not message.id:
            continue
        translated = catalogue.get(message.id)
        if translated is None or not translated.string:
            yield f"not translated: {message.id!r}"
        elif translated.fuzzy:
            yield f"fuzzy: {message.id!r}"
        elif _placeholders(translated.string) != _placeholders(message.id):
            yield f"other placeholders: {message.id!r} -> {translated.string!r}"
        elif _is_left_in_english(str(translated.string)):
            yield f"still English: {message.id!r} -> {translated.string!r}"
    yield from (f"said nowhere: {message.id!r}" for message in catalogue if message.id and said.get(message.id) is None)
    if not MO.exists() or MO.read_bytes() != compiled(catalogue):
        yield "stemma.mo is not what stemma.po says: run python -m app.web.translations"


def _placeholders(text: object) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(str(text))))


def _is_left_in_english(translated: str) -> bool:
    words = PLACEHOLDER.sub("", translated)
    return not CHINESE.search(words) and bool(ENGLISH.search(words))


def update() -> None:
    """Take what is said now into the catalogue, drop what is not, and compile."""
    said = gathered()
    catalogue = kept() if PO.exists() else Catalog(locale=LANGUAGE, project="Stemma", charset="utf-8", fuzzy=False)
    fresh = Catalog(
        locale=LANGUAGE, project="Stemma", charset="utf-8", fuzzy=False, header_comment="# Stemma, 简体中文"
    )
    fresh.revision_date = fresh.creation_date = PINNED
    for message in said:
        if message.id:
            known = catalogue.get(message.id)
            fresh.add(message.id, known.string if known is not None else "", locations=message.locations)
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, fresh, width=120, sort_by_file=True, include_lineno=False, omit_header=False)
    MO.write_bytes(compiled(kept()))


if __name__ == "__main__":
    update()
    troubles = missing()
    sys.stdout.write("\n".join([*troubles, f"{len(troubles)} sentences want work\n"]))
    sys.exit(bool(troubles))
