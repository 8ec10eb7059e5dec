"""What a supplier's GS1 bar code tells of itself: the trade item, the supplier's lot, the expiry.

Read so that nobody types it. Source: GS1 General Specifications, application identifiers (from general knowledge, unverified).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_SEPARATOR = "\x1d"
_FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_VARIABLE = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "240": 30, "241": 30, "242": 6, "250": 30, "251": 30}
_DAY = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TradeItem:
    """What the code says; None for what it does not."""

    gtin: str | None = None
    supplier_lot: str | None = None
    expires_on: date | None = None


def read_trade_item(text: str) -> TradeItem:
    """What stands in the text, as far as it can be read. A text that is no GS1 code says nothing."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        identifier = next((rest[:length] for length in (2, 3) if rest[:length] in _FIXED | _VARIABLE), None)
        if identifier is None:
            return TradeItem()
        value, rest = _cut(rest[len(identifier) :], identifier)
        if not value:
            return TradeItem()
        found.setdefault(identifier, value)
    gtin = found.get("01") or found.get("02")
    return TradeItem(
        gtin=gtin if gtin and gtin.isascii() and gtin.isdigit() and len(gtin) == _FIXED["01"] else None,
        supplier_lot=found.get("10"),
        expires_on=_day(found.get("17", "")),
    )


def _cut(text: str, identifier: str) -> tuple[str, str]:
    if identifier in _FIXED:
        length = _FIXED[identifier]
        return text[:length], text[length:].removeprefix(_SEPARATOR)
    value, _, rest = text.partition(_SEPARATOR)
    return (value, rest) if len(value) <= _VARIABLE[identifier] else ("", "")


def _day(text: str) -> date | None:
    """YYMMDD; day 00 is the month's last."""
    read = _DAY.fullmatch(text)
    if read is None:
        return None
    year, month, day = 2000 + int(read[1]), int(read[2]), int(read[3])
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None
