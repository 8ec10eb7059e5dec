"""How a country stood on a day, and what a supplier's bar code tells."""

from datetime import UTC, date, datetime

import pytest

from app.domain.animal_serum import BSE, disease_of, standing_on
from app.domain.countries import COUNTRIES
from app.domain.facts import DiseaseStatus
from app.domain.gs1 import TradeItem, read_trade_item


def status(number, category, begins, ends=None, *, country="AU", disease=BSE):
    return DiseaseStatus(
        number, country, disease, category, begins, ends, f"list {number}", datetime(2020, 1, 2, tzinfo=UTC)
    )


def on(day, *statuses, country="AU"):
    found = standing_on(statuses, country=country, disease=BSE, day=day)
    return found and found.id


OPEN = status(1, "negligible", date(2020, 1, 1))


@pytest.mark.parametrize(
    ("day", "statuses", "stands"),
    [
        (date(2019, 12, 31), [OPEN], None),
        (date(2020, 1, 1), [OPEN], 1),
        (date(2024, 1, 1), [status(1, "negligible", date(2020, 1, 1), date(2024, 1, 1))], 1),
        (date(2024, 1, 2), [status(1, "negligible", date(2020, 1, 1), date(2024, 1, 1))], None),
        # What is stated later supersedes from its first day on, and not before it.
        (date(2023, 1, 1), [OPEN, status(2, "undetermined", date(2024, 1, 1))], 1),
        (date(2024, 1, 1), [OPEN, status(2, "undetermined", date(2024, 1, 1))], 2),
        (date(2024, 1, 1), [OPEN, status(2, "undetermined", date(2020, 1, 1))], 2),
        # Also when it has ended: nobody said that what stood before stands again.
        (date(2025, 1, 1), [OPEN, status(2, "prohibited", date(2024, 1, 1), date(2024, 6, 30))], None),
        # What is recorded later of an earlier time supersedes nothing; side by side the worst counts.
        (date(2024, 1, 1), [OPEN, status(2, "controlled", date(2010, 1, 1), date(2015, 1, 1))], 1),
        (date(2024, 1, 1), [OPEN, status(2, "controlled", date(2010, 1, 1))], 2),
        (date(2024, 1, 1), [OPEN, status(2, "prohibited", date(2024, 1, 1), country="NZ")], 1),
        (date(2024, 1, 1), [OPEN, status(2, "prohibited", date(2024, 1, 1), disease="FMD")], 1),
    ],
)
def test_how_a_country_stood_on_a_day(day, statuses, stands):
    assert on(day, *statuses) == stands
    assert on(day, *reversed(statuses)) == stands, "the order in which they are read says nothing"


def test_a_disease_is_kept_by_one_name():
    assert {disease_of(each) for each in ("BSE", " bse ", "Bse")} == {BSE}
    assert disease_of("sheep  pox") == "sheep pox"


def test_countries_are_those_of_the_standard():
    assert len(COUNTRIES) == 249
    assert {"CN", "AU", "NZ", "TW", "HK"} <= COUNTRIES
    assert not {"XX", "ZZ", "EU", "UK"} & COUNTRIES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("010950600013435217290531", TradeItem("09506000134352", None, date(2029, 5, 31))),
        ("01095060001343521729020010AB-1", TradeItem("09506000134352", "AB-1", date(2029, 2, 28))),
        ("10AB-1\x1d17290531", TradeItem(None, "AB-1", date(2029, 5, 31))),
        ("10AB-1\x1d21SN\x1d0109506000134352", TradeItem("09506000134352", "AB-1", None)),
        ("17299931", TradeItem()),
        ("01123", TradeItem()),
        ("10" + "x" * 21, TradeItem()),
        ("10", TradeItem()),
        ("9912345", TradeItem()),
        ("hello", TradeItem()),
        ("", TradeItem()),
    ],
)
def test_a_suppliers_bar_code_tells_what_it_holds_and_no_more(text, told):
    assert read_trade_item(text) == told
