"""People as they are called: rules and dossiers know user names, pages show the names that stand on signatures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PEOPLE = frozenset({"by", "person", "analyst", "first", "second", "performer", "verifier", "reviewer", "signer"})
"""Names of a text's values that hold a user name. Only these: a test may be called as a person is."""

Verdict = TypeVar("Verdict")


def people_in(texts: Iterable[Text]) -> set[str]:
    """The user names that these texts may hold."""
    return {value for text in texts for name, value in text.values if name in PEOPLE and isinstance(value, str)}


def with_names(text: Text, names: Mapping[str, str]) -> Text:
    """The same sentence with user names replaced by printed names, where they are known."""
    if not any(name in PEOPLE for name, _ in text.values):
        return text
    kept: dict[str, Any] = text.to_json()
    values = {
        name: names.get(value, value) if name in PEOPLE and isinstance(value, str) else value
        for name, value in kept["values"].items()
    }
    return Text.from_json({**kept, "values": values})


def verdict_texts(verdict: Any) -> list[Text]:
    """Every sentence of a verdict that a page shows."""
    return [
        *(each.problem for each in verdict.findings),
        *(each.remedy for each in verdict.findings),
        *(each.says for each in getattr(verdict, "evidence", ())),
    ]


def named_verdict(verdict: Verdict, names: Mapping[str, str]) -> Verdict:
    """The verdict with printed names in its findings and evidence."""
    shown: Any = verdict
    findings = tuple(
        replace(each, problem=with_names(each.problem, names), remedy=with_names(each.remedy, names))
        for each in shown.findings
    )
    if not hasattr(shown, "evidence"):
        return replace(shown, findings=findings)  # type: ignore[no-any-return]
    evidence = tuple(replace(each, says=with_names(each.says, names)) for each in shown.evidence)
    return replace(shown, findings=findings, evidence=evidence)  # type: ignore[no-any-return]
