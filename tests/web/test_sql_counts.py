"""At most twelve statements a page. Every area adds its addresses to PAGES of tests/web/pages.py."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.db.door import Scanning
from tests import life
from tests.web.pages import PAGES, names_of

STATEMENTS_MOST = 12


@dataclass
class Asked:
    """The statements that were sent, in order."""

    statements: list[str] = field(default_factory=list)


@contextmanager
def counting(monkeypatch):
    """Every statement of both ways to the database: the engine's, and the driver's own."""
    asked = Asked()

    def note(_connection, _cursor, statement, *_):
        asked.statements.append(statement)

    plain = Scanning.row

    async def row(self, statement, *values):
        asked.statements.append(statement)
        return await plain(self, statement, *values)

    event.listen(Engine, "before_cursor_execute", note)
    with monkeypatch.context() as patched:
        patched.setattr(Scanning, "row", row)
        try:
            yield asked
        finally:
            event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
async def names(lab):
    """One lot that awaits release, and what it is made of."""
    return names_of(await life.preparation(lab))


@pytest.mark.parametrize(("who", "path"), PAGES)
async def test_a_page_asks_the_database_at_most_twelve_times(lab, browser_of, names, monkeypatch, who, path):
    browser = await browser_of(who)
    there = path.format_map(names)
    assert (await browser.get(there)).status_code == 200, "also so that what is asked once was asked"
    with counting(monkeypatch) as asked:
        assert (await browser.get(there)).status_code == 200
    assert 0 < len(asked.statements) <= STATEMENTS_MOST, "\n".join(each.strip()[:90] for each in asked.statements)


async def test_the_count_sees_both_ways_to_the_database(lab, browser_of, names, monkeypatch):
    browser = await browser_of("quinn")
    with counting(monkeypatch) as asked:
        await browser.get(f"/lots/{names['lot']}")
    said = "\n".join(asked.statements)
    assert "people.who" in said, "the session, on the driver's connection"
    assert "dossier.lot" in said, "the judgement, on the engine's"
