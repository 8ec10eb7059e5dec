"""The screen against names as they stand on bottles: each with the verdict that it must get, and the words for it."""

import re
from pathlib import Path

import pytest

from app.domain.facts import Component
from app.domain.materials import look_at, look_at_composition, squeezed

TABLE = Path(__file__).with_name("beta_lactam_names.txt")
ROWS = [
    tuple(line.rstrip().split("\t"))
    for line in TABLE.read_text("utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]
LEAST = 400
CHINESE = re.compile("[\u4e00-\u9fff]")


def said_of(text):
    """The verdict on a text, the words for it, and the groups of what was found."""
    look = look_at(text)
    if look.matches:
        return "harmful", {squeezed(each.words) for each in look.matches}, {each.group for each in look.matches}
    if look.undisclosed:
        return "undisclosed", set(look.undisclosed), set(look.undisclosed)
    if look.remarks:
        return "remark", {squeezed(each) for each in look.remarks}, set()
    return "clear", set(), set()


@pytest.mark.parametrize(("verdict", "reason", "text"), ROWS)
def test_each_name_gets_its_verdict_and_the_words_for_it(verdict, reason, text):
    wanted = {squeezed(each) for each in re.findall(r"\[([^]]*)\]", text)}
    plain = text.replace("[", "").replace("]", "")
    said, words, groups = said_of(plain)
    assert (said, wanted - words) == (verdict, set())
    if verdict == "harmful":
        assert reason in groups
    # A component says no less than a name, and neither what stands before it nor its case hides anything.
    as_component = look_at_composition([Component(plain, None)])
    assert {squeezed(each.words) for each in as_component.matches} == (words if verdict == "harmful" else set())
    assert said_of(f"materiel, {plain.replace('ß', 'β').upper()}")[0] == verdict


def test_the_table_is_large_has_both_languages_and_every_verdict():
    assert len(ROWS) >= LEAST
    assert len(set(ROWS)) == len(ROWS)
    assert {row[0] for row in ROWS} == {"harmful", "undisclosed", "remark", "clear"}
    for verdict in ("harmful", "clear", "remark", "undisclosed"):
        assert any(CHINESE.search(row[2]) for row in ROWS if row[0] == verdict)
        assert any(not CHINESE.search(row[2]) for row in ROWS if row[0] == verdict)
