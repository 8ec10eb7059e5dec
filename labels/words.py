"""The words of a refusal, marked for translation where they are written and filled in where they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


def N_(message: str) -> str:  # noqa: N802
    """Mark ``message`` for the translation catalogue, under the name its extractors look for; return it unchanged."""
    return message


@dataclass(frozen=True, slots=True)
class Words:
    """What is wrong, why, and what to do, as English templates with ``{named}`` details: each one is a message id."""

    what: str
    why: str
    remedy: str


class SpokenError(Exception):
    """An error that tells a person what is wrong, why, and what to do.

    ``words`` are the untranslated templates and ``details`` their values, so that whoever shows the error can
    translate first and fill in afterwards; ``what``, ``why`` and ``remedy`` are the same in English.
    """

    def __init__(self, *, code: str, words: Words, details: Mapping[str, str | int] | None = None) -> None:
        self.code = code
        self.words = words
        self.details: Mapping[str, str | int] = MappingProxyType(dict(details or {}))
        super().__init__(f"{self.what} {self.why}")

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return self.words.what.format(**self.details)

    @property
    def why(self) -> str:
        """Why it is refused, in English."""
        return self.words.why.format(**self.details)

    @property
    def remedy(self) -> str:
        """What to do next, in English."""
        return self.words.remedy.format(**self.details)
