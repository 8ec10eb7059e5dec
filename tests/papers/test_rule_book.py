"""The rule book as a paper: it holds every rule whole, its contents lead to the right pages, and anybody may have it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pypdfium2
import pytest

from app.locale import gettext_for
from app.papers.facts import Kind, Language
from app.rules import RULEBOOK_VERSION, RULES
from tests import life
from tests.papers.samples import BOOK
from tests.papers.test_drawing import drawn, pictures, squeezed, texts
from tests.web.browsing import Browser

if TYPE_CHECKING:
    from tests.world import Lab

each_language = pytest.mark.parametrize("language", Language)


@each_language
def test_every_rule_stands_in_it_whole(language: Language) -> None:
    say = gettext_for(language.value)
    said = squeezed(" ".join(texts(drawn(Kind.RULE_BOOK, BOOK, language).pdf)))
    for rule in RULES:
        wanted = [rule.id, rule.title.translated(say)]
        wanted += [cite.paraphrase.translated(say) for cite in rule.cites]
        wanted += [say(each.name) for each in rule.breaks]
        for each in wanted:
            assert re.sub(r"\W", "", each) in re.sub(r"\W", "", said), (rule.id, each)


@each_language
def test_the_contents_lead_to_the_page_on_which_each_rule_begins(language: Language) -> None:
    say = gettext_for(language.value)
    pages = texts(drawn(Kind.RULE_BOOK, BOOK, language).pdf)
    contents = squeezed(" ".join(pages[:3]))
    found = 0
    for rule in BOOK.rules:
        title = squeezed(rule.title.translated(say))
        # Its title stands in the contents first, and then where it begins.
        begins = max(number for number, page in enumerate(pages, start=1) if f"{rule.id}{title}" in squeezed(page))
        assert f"{rule.id}{title}{begins}" in contents, rule.id
        found += 1
    assert found == len(RULES)


@each_language
def test_the_version_and_the_date_stand_on_every_page(language: Language) -> None:
    for page in texts(drawn(Kind.RULE_BOOK, BOOK, language).pdf):
        assert squeezed(RULEBOOK_VERSION) in squeezed(page)
        assert "2026-11-22" in page


def test_its_bookmarks_are_its_rules() -> None:
    document = pypdfium2.PdfDocument(drawn(Kind.RULE_BOOK, BOOK).pdf)
    titles = [each.get_title() for each in document.get_toc()]
    document.close()
    for rule in RULES:
        assert f"{rule.id}  {rule.title}" in titles


def test_every_page_shows_something() -> None:
    for picture in pictures(drawn(Kind.RULE_BOOK, BOOK).pdf, scale=1.0):
        dark = sum(picture.histogram()[:128])
        assert dark > 800


def test_a_missing_setting_is_said_to_close() -> None:
    assert "missing: the rule closes" in " ".join(texts(drawn(Kind.RULE_BOOK, BOOK).pdf))
    whole = replace(BOOK, settings=BOOK.settings[:1])
    assert "missing: the rule closes" not in " ".join(texts(drawn(Kind.RULE_BOOK, whole).pdf))


@pytest.mark.parametrize(("language", "title"), [("en", "Rule book"), ("zh_CN", gettext_for("zh_CN")("Rule book"))])
async def test_whoever_may_read_the_rules_may_have_the_paper(lab: Lab, language: str, title: str) -> None:
    answer = await lab.as_("adam").get("/rules/book.pdf", language=language)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert re.search(r'filename="RB-CN-818-[\w-]+-[0-9A-F]{10}\.pdf"', answer.headers["content-disposition"])
    pages = texts(answer.content)
    assert title in pages[0]
    assert "qa03.years" in " ".join(pages)
    assert squeezed(RULEBOOK_VERSION) in squeezed(pages[-1])


async def test_nobody_has_it_who_is_not_signed_in_and_no_other_language_is_there(lab: Lab) -> None:
    assert (await lab.http.get("/api/v1/rules/book.pdf")).status_code == 401
    assert (await lab.as_("adam").get("/rules/book.pdf", language="fr")).status_code == 422


async def test_it_is_no_paper_about_a_lot(lab: Lab) -> None:
    made = await life.preparation(lab, upto="planned")
    before = await lab.value("SELECT count(*) FROM lab.papers")
    browser = Browser(lab)
    await browser.sign_in("quinn")
    page = f"/lots/{made.lot}/papers"
    answer = await browser.post(page, {"kind": "rule_book", "language": "en"}, page=page)
    await browser.http.aclose()
    assert answer.status_code == 422
    assert await lab.value("SELECT count(*) FROM lab.papers") == before
