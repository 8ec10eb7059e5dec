"""Every remedy of the rule book as reviewed text. None suggests to close, delete or change a record in order to pass."""

import re

import pytest

from app.domain.rulebook import judge
from app.rules import RULES
from app.web.translations import kept
from tests.golden_files import agrees
from tests.rules.clean import AT, SIGNER, clean

FORBIDDEN = {
    "en": re.compile(
        r"\b(clos|delet|remov|eras|invalidat|withdraw|chang|edit|overwrit|correct|lift)\w*\s+(the|this|a|its|that)\s+"
        r"(\w+\s+)?(deviation|record|result|hold|entry|finding|assessment|marker|step|verdict|review|consumption)"
        r"|backdat|back-dat|as if it",
        re.IGNORECASE,
    ),
    "zh_CN": re.compile(
        r"(关闭|删除|移除|作废|修改|更改|改写|覆盖|撤销|解除)(该|此|这|其)?(项|条|个|次)?"
        r"(偏差|记录|结果|暂停|条目|发现|评估|标志物|步骤|判定|审核)|倒签|补签日期|回填日期"
    ),
}


def remedies():
    """Every remedy that a counterexample brings out: (rule, text)."""
    found = {}
    for rule in RULES:
        for example in rule.breaks:
            dossier = example.edit(clean(example.kind))
            (verdict,) = judge(
                [rule], dossier, gate=example.gate, at=example.at(AT), signer=example.signer(SIGNER)
            ).verdicts
            for finding in verdict.findings:
                found.setdefault((rule.id, finding.remedy.template), finding.remedy)
    return found


def test_the_remedies_are_as_reviewed():
    lines = [f"{rule}  {template}" for rule, template in sorted(remedies())]
    agrees("remedies.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("language", FORBIDDEN)
def test_none_suggests_closing_or_changing_a_record_to_pass(language):
    catalogue = kept()

    def say(message):
        found = catalogue.get(message) if language == "zh_CN" else None
        return str(found.string) if found is not None and found.string else message

    bad = [
        (rule, said)
        for (rule, _), text in remedies().items()
        if FORBIDDEN[language].search(said := text.translated(say))
    ]
    assert bad == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Close the deviation and try again."),
        ("en", "Delete the failing result."),
        ("en", "Lift the hold."),
        ("zh_CN", "关闭该偏差后重试。"),
        ("zh_CN", "删除此结果。"),
    ],
)
def test_the_search_bites(language, words):
    assert FORBIDDEN[language].search(words)
