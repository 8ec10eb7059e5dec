"""Every sentence stands in both languages, and the check would notice if one did not."""

import ast
import re

import pytest

from app.domain import sources
from app.rules import RULES
from app.web import translations
from app.web.sources import SECTION_NAMES, SOURCE_NAMES

MARKERS = {"Text", "N_"}


@pytest.fixture(scope="module")
def said():
    return translations.gathered()


def test_the_catalogue_is_whole():
    assert translations.missing() == []


def test_what_is_gathered_holds_code_templates_rules_and_labels(said):
    assert len(said) > 1000
    for sentence in ("You are not signed in.", "Scan anything…", "Scan one label at a time.", "in quarantine"):
        assert said.get(sentence) is not None, sentence


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda message: setattr(message, "string", ""), "not translated"),
        (lambda message: message.flags.add("fuzzy"), "fuzzy"),
        (lambda message: setattr(message, "string", "没有 {0}"), "other placeholders"),
        (lambda message: setattr(message, "string", "There is none of {code}"), "still English"),
    ],
)
def test_the_check_finds_a_sentence_that_is_not_whole(said, change, trouble):
    catalogue = translations.kept()
    change(catalogue.get("There is no item {code}."))
    found = list(translations._troubles(said, catalogue))
    assert any(each.startswith(trouble) for each in found), found
    assert any("stemma.mo" in each for each in found)


def test_the_check_finds_a_sentence_that_nobody_says(said):
    catalogue = translations.kept()
    catalogue.add("Nobody says this.", "没有人说这句话。")
    assert "said nowhere: 'Nobody says this.'" in list(translations._troubles(said, catalogue))


def test_every_marked_sentence_is_a_constant_that_can_be_gathered():
    wrong = []
    for folder in translations.FOLDERS:
        for file in (translations.ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
                    first = node.args[0] if node.args else None
                    is_constant = isinstance(first, ast.Constant) and isinstance(first.value, str)
                    # Words of the label grammar are marked where they are written and become a text where they are shown.
                    if not is_constant and "words" not in ast.unparse(first or node):
                        wrong.append(f"{file.relative_to(translations.ROOT)}:{node.lineno}")
    assert wrong == []


def test_every_citation_is_named_in_the_readers_language():
    assert {str(text) for text in SOURCE_NAMES.values()} == set(SOURCE_NAMES)
    assert {str(text) for text in SECTION_NAMES.values()} == set(SECTION_NAMES)
    assert set(SOURCE_NAMES) == {value for name, value in vars(sources).items() if name.isupper()}
    in_words = {cite.section for rule in RULES for cite in rule.cites if re.match(r"[a-z]{3}", cite.section)}
    assert any(in_words)
    assert in_words <= set(SECTION_NAMES), in_words - set(SECTION_NAMES)
