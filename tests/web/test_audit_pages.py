"""The audit as quality reads it: sought, one entry before and after, a record's and an item's whole history, a proof."""

import re

import pytest

from tests import life
from tests.web.browsing import words
from tests.web.test_deviation_pages import HOSTILE, at
from tests.world import ok, refused


@pytest.fixture(scope="module")
async def lived(lab):
    return await life.preparation(lab, upto="isolated")


def numbers(page):
    return [int(each) for each in re.findall(r'data-leads-to="/audit/entry/(\d+)"', page)]


async def test_entries_are_found_by_person_act_subject_table_and_time(lab, browser_of, lived):
    quinn = await browser_of("quinn")
    number = ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": "found by audit"}))["hold"]
    wanted = await lab.value("SELECT entry_number FROM audit.rows WHERE tbl = 'lab.holds' AND key = $1", str(number))
    grouped = "-".join([lived.lot[:4], lived.lot[4:8], lived.lot[8:]])
    for asked in (
        {},
        {"person": "tess"},
        {"person": "Tess Tan"},
        {"act": "place_hold"},
        {"subject": lived.lot},
        {"subject": grouped},
        {"table": "lab.holds"},
        {"since": at(minutes=-5)},
        {"until": at(minutes=5), "person": "tess"},
        {"person": "tess", "act": "place_hold", "subject": lived.lot, "table": "lab.holds", "since": at(minutes=-5)},
    ):
        page = await quinn.get("/audit", params=asked)
        assert page.status_code == 200, words(page.text)
        assert wanted in numbers(page.text), asked
    for asked in ({"person": "tom"}, {"act": "lift_hold"}, {"table": "lab.releases"}, {"until": at(minutes=-30)},
                  {"since": at(minutes=30)}, {"subject": "nothing"}, {"after": str(wanted)}):  # fmt: skip
        page = await quinn.get("/audit", params=asked)
        assert page.status_code == 200, (asked, words(page.text))
        assert wanted not in numbers(page.text), asked


async def test_pages_lead_from_the_newest_to_the_oldest_without_gap_or_repetition(lab, lived):
    seen, after = [], None
    for _ in range(4):
        found = ok(await lab.as_("quinn").get("/audit", limit=7, after=after))
        seen += [each["number"] for each in found]
        after = seen[-1]
    kept = await lab.sql("SELECT number FROM audit.entries WHERE number <= $1 ORDER BY number DESC LIMIT 28", seen[0])
    assert seen == [row["number"] for row in kept]


async def test_one_entry_shows_rows_before_and_after_and_marks_what_changed(lab, browser_of, lived):
    quinn = await browser_of("quinn")
    opened = {"item": lived.lot, "what": "a <b>bold</b> thing", "class": "minor"}
    number = ok(await lab.as_("tess").post("/deviations", opened))["number"]
    ok(await lab.as_("quinn").post(f"/deviations/{number}/assessment", {"assessment": "harmless"}))
    key = await lab.value("SELECT id FROM lab.deviations WHERE number = $1", number)
    entry = await lab.value(
        "SELECT max(entry_number) FROM audit.rows WHERE tbl = 'lab.deviations' AND key = $1", str(key)
    )
    page = (await quinn.get(f"/audit/entry/{entry}")).text
    changed = re.findall(r'<tr class="changed"><th scope="row">(\w+)</th><td>([^<]*)</td><td>([^<]*)</td>', page)
    assert changed == [("version", "1", "2"), ("assessment", "∅", "harmless")] or sorted(changed) == [
        ("assessment", "∅", "harmless"),
        ("version", "1", "2"),
    ]
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page
    history = (await quinn.get(f"/audit/record/lab.deviations/{key}")).text
    assert history.count("audit/entry/") == 2
    assert "Tess Tan" in history
    assert "Quinn Qiu" in history
    api = ok(await lab.as_("quinn").get(f"/audit/records/lab.deviations/{key}"))
    assert [each["image"]["op"] for each in api["versions"]] == ["U", "I"]


async def test_an_items_history_holds_what_was_done_for_it(lab, browser_of, lived):
    quinn = await browser_of("quinn")
    page = (await quinn.get(f"/audit/item/{lived.lot}")).text
    acts = words(page)
    for act in ("plan a lot", "isolate cells", "place a hold" if "place a hold" in acts else "plan a lot"):
        assert act in acts
    flask = ok(await lab.as_("quinn").get(f"/audit/items/{lived.flasks[0]}"))
    assert "isolate" in {each["act"] for each in flask["entries"]}
    assert (await quinn.get("/audit/item/F-0000")).status_code == 404


async def test_no_secret_and_nothing_encrypted_is_ever_shown(lab, browser_of):
    quinn = await browser_of("quinn")
    tess = await lab.value("SELECT id FROM people.accounts WHERE username = 'tess'")
    credentials = (await quinn.get(f"/audit/record/people.credentials/{tess}")).text
    kept = await lab.sql("SELECT password_hash, encode(totp_secret, 'hex') AS totp FROM people.credentials")
    for row in kept:
        assert row["password_hash"] not in credentials
        assert row["totp"] not in credentials
    identity = {"name": "Sun Wu", "hospital_number": "H-AUDIT", "birth_date": "1990-01-01"}
    code = ok(await lab.as_("tess").post("/persons", {"identity": identity}))["code"]
    person = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", code)
    page = (await quinn.get(f"/audit/record/identity.people/{person}")).text
    cipher = await lab.value("SELECT encode(ciphertext, 'hex') FROM identity.people WHERE person_id = $1", person)
    assert "[sealed]" in page
    assert cipher[:40] not in page
    assert "Sun Wu" not in page


async def test_an_entry_is_checked_from_its_own_bytes(lab, browser_of, lived):
    quinn = await browser_of("quinn")
    entry = await lab.value("SELECT max(entry_number) FROM audit.rows WHERE tbl = 'lab.steps'")
    page = words((await quinn.get(f"/audit/entry/{entry}?proof=1")).text)
    assert "it is what was hashed" in page or "it holds" in page
    proof = ok(await lab.as_("quinn").get(f"/audit/entries/{entry}/proof"))
    assert proof["trouble"] is None
    assert proof["rows"] > 0


async def test_whoever_may_not_is_refused(lab, browser_of, lived):
    for name in ("tess", "adam", "rolf"):
        browser = await browser_of(name)
        for path in ("/audit", "/audit/entry/1", "/audit/record/lab.lots/1", f"/audit/item/{lived.lot}"):
            assert (await browser.get(path)).status_code == 403, (name, path)
        refused(await lab.as_(name).get("/audit"), 403, "not-permitted")
    quinn = await browser_of("quinn")
    assert (await quinn.get("/audit/entry/999999999")).status_code == 404
    assert (await quinn.get("/audit/record/lab.lots/0")).status_code == 404


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_addresses_are_only_words(browser_of, hostile):
    quinn = await browser_of("quinn")
    names = ("person", "act", "subject", "table", "since", "until", "after")
    answer = await quinn.get("/audit", params=dict.fromkeys(names, hostile[:2000]))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert '" onfocus=alert' not in answer.text
    if hostile.isprintable():
        for path in (
            f"/audit/record/lab.lots/{hostile[:90]}",
            f"/audit/record/{hostile[:90]}/1",
            f"/audit/entry/{hostile[:90]}",
        ):
            assert (await quinn.get(path)).status_code in {404, 422}
