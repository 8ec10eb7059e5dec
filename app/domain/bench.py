"""What a bench offers to pick from: reasons and timers, as their settings list them in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REASONS, TIMERS = "bench.reasons", "bench.timers"
CLEARANCE, PROGRAMMES = "bench.clearance", "bench.programmes"
MINUTES_MOST = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to pick, in both languages. `minutes` is of timers alone."""

    code: str
    en: str
    zh: str
    minutes: Decimal | None = None

    def named(self, language: str) -> str:
        """Its name in the reader's language."""
        return self.zh if language.startswith("zh") else self.en


def offers(setting: Any) -> tuple[Offer, ...]:
    """What the setting's value lists; what is misshapen in it is left out, for a bench must not stop for it."""
    return tuple(_read(setting)) if isinstance(setting, list) else ()


def _read(listed: list[Any]) -> Iterator[Offer]:
    for each in listed:
        if not isinstance(each, dict):
            continue
        code, en, zh = (each.get(name) for name in ("code", "en", "zh"))
        if not (isinstance(code, str) and isinstance(en, str) and code.strip() and en.strip()):
            continue
        yield Offer(
            code=code, en=en, zh=zh if isinstance(zh, str) and zh else en, minutes=_minutes(each.get("minutes"))
        )


def _minutes(value: Any) -> Decimal | None:
    try:
        minutes = Decimal(str(value))
    except InvalidOperation:
        return None
    return minutes if 0 < minutes <= MINUTES_MOST else None
