"""Which settings a rule reads is told by its code; here each rule is run, and what it looks at is held against that."""

from dataclasses import replace

import pytest

from app.domain.reads import settings_read
from app.domain.rulebook import judge
from app.domain.settings_defaults import DEFAULTS
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, SIGNER, clean

KNOWN = frozenset(each.name for each in DEFAULTS)


class Noting(dict):
    """Settings that note which of them were looked at."""

    def __init__(self, given):
        super().__init__(given)
        self.looked_at = set()

    def __contains__(self, name):
        self.looked_at.add(name)
        return super().__contains__(name)

    def __getitem__(self, name):
        self.looked_at.add(name)
        return super().__getitem__(name)


def looked_at(rule, dossier, *, gate, at, signer=SIGNER):
    settings = Noting(dossier.settings)
    judge([rule], replace(dossier, settings=settings), gate=gate, at=at, signer=signer)
    return settings.looked_at


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_whatever_a_rule_looks_at_while_it_runs_is_told(rule):
    told = set(settings_read(rule, known=KNOWN))
    for each in rule.breaks:
        for dossier in (clean(each.kind), each.edit(clean(each.kind))):
            found = looked_at(rule, dossier, gate=each.gate, at=each.at(AT), signer=each.signer(SIGNER))
            assert found & KNOWN <= told, each.name


def test_it_tells_no_other():
    assert settings_read(BY_ID["QA-03"], known=KNOWN) == ("qa03.domains", "qa03.years")
    assert settings_read(BY_ID["REL-07"], known=KNOWN) == ()
    assert settings_read(BY_ID["QA-03"], known={"qa03.years"}) == ("qa03.years",)
