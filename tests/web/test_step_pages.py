"""Work at the bench by forms: what is scanned, what is counted, what is refused, and what is kept."""

import re

import pytest

from tests import life
from tests.web.browsing import hidden_fields, words
from tests.world import ok

pytestmark = pytest.mark.asyncio(loop_scope="session")


def scan_numbers(page):
    return re.findall(r'<input type="hidden" name="scan" value="(\d+)">', page)


class Bench:
    """Tess before the form of one step."""

    def __init__(self, browser, kind, lot):
        self.browser, self.path = browser, f"/bench/steps/{kind}/{lot}"
        self.page, self.scans = "", []

    async def opens(self):
        self.page = (await self.browser.get(self.path)).text
        return self

    async def scan(self, code, **more):
        hidden = hidden_fields(self.page)
        fields = {"csrf": hidden["csrf"], "raw": code, "scan": self.scans, **more}
        said = await self.browser.http.post(f"{self.path}/scan", data=fields, headers={"HX-Request": "true"})
        assert said.status_code == 200, said.text
        self.scans = scan_numbers(said.text)
        return said.text

    async def records(self, **fields):
        hidden = hidden_fields(self.page)
        started = re.search(r'name="started_at"[^>]*value="([^"]+)"', self.page)[1]
        sent = {"csrf": hidden["csrf"], "key": hidden["key"], "started_at": started, "scan": self.scans} | fields
        return await self.browser.http.post(self.path, data=sent)


async def at(browser, life_):
    """The session goes to the life's workstation."""
    page = (await browser.get("/bench")).text
    token = re.search(r'data-csrf="([^"]+)"', page)[1]
    answer = await browser.http.post(
        "/bench/scan",
        data={"raw": life_.workstation, "key": f"w-{life_.workstation}", "csrf": token, "intent": "identify"},
    )
    assert answer.status_code == 200, answer.text


async def quantities(lived):
    found = {}
    for bottle in lived.shared.bottles:
        found |= {f"quantity-{bottle}": "12.5", f"unit-{bottle}": "mL"}
    return found


async def test_a_life_at_the_bench(lab, browser_of):
    """Clear, isolate, passage, fill, clear, freeze: each by its form, each verified."""
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = (await life.equipment(lab))["code"]
    tess = await browser_of("tess")
    await at(tess, lived)
    asked = (await tess.get("/bench/clearance/before")).text
    checks = re.findall(r'name="checks" value="([^"]+)"', asked)
    assert len(checks) >= 3
    half = await tess.post(
        "/bench/clearance/before", {"lot": lived.lot, "checks": checks[:2]}, page="/bench/clearance/before"
    )
    assert half.status_code == 422
    assert "Not found in order" in half.text
    cleared = await tess.post(
        "/bench/clearance/before", {"lot": lived.lot, "checks": checks}, page="/bench/clearance/before"
    )
    assert cleared.status_code == 303, words(cleared.text)
    number = re.fullmatch(r"/bench\?verify=clearance-(\d+)", cleared.headers["location"])[1]

    form = await Bench(tess, "isolation", lived.lot).opens()
    await form.scan(lived.donation)
    early = await form.records(viable="1.8e7", dead="1.1e6", flasks="2", no_materials="on")
    assert early.status_code == 409
    assert "GMP-03" in early.text
    assert "/bench/already-happened?what=isolation" in early.text
    ok(await life.verify_clearance(lived, int(number)))

    form = await Bench(tess, "isolation", lived.lot).opens()
    taken = await form.scan(lived.donation)
    assert 'class="ticks"><li class="on">' in taken
    for bottle in lived.shared.bottles:
        taken = await form.scan(bottle)
    assert taken.count("taken-material") == 2
    grown = await tess.http.post(f"{form.path}/growth", data={"viable": "1.8e7", "dead": "2e6"})
    assert "90.0" in words(grown.text)
    made = await form.records(viable="1.8e7", dead="1.1e6", flasks="2", **await quantities(lived))
    assert made.status_code == 303, words(made.text)
    twice = await form.records(viable="1.8e7", dead="1.1e6", flasks="2", **await quantities(lived))
    assert twice.headers["location"] == made.headers["location"], "one form is one step"
    done = (await tess.get(made.headers["location"])).text
    flasks = re.findall(r'<a class="code" href="/items/([A-Z0-9]+)">', done)
    assert len(flasks) == 2
    step = int(made.headers["location"].rsplit("/", 1)[1])
    printed = await tess.post(f"/bench/done/{step}/labels", {"language": "en"}, page=f"/bench/done/{step}")
    assert printed.status_code == 303, words(printed.text)
    assert "every label is made" in (await tess.get(f"/bench/done/{step}")).text
    ok(await life.verify(lived, step, scanned=flasks[0]))

    form = await Bench(tess, "passage", lived.lot).opens()
    for code in (*flasks, *lived.shared.bottles):
        await form.scan(code)
    counts = {"viable_seeded": "5e5", "viable_harvested": "4e6", "dead_harvested": "2e5"}
    grown = words((await tess.http.post(f"{form.path}/growth", data=counts | {"scan": form.scans})).text)
    assert "3.00" in grown
    assert "P1 of 3" in grown
    made = await form.records(**counts, flasks="1", **await quantities(lived))
    assert made.status_code == 303, words(made.text)
    step = int(made.headers["location"].rsplit("/", 1)[1])
    flask = re.findall(r'<a class="code" href="/items/([A-Z0-9]+)">', (await tess.get(made.headers["location"])).text)
    ok(await life.verify(lived, step, scanned=flask[0]))

    form = await Bench(tess, "fill", lived.lot).opens()
    gone = await form.scan(flasks[0])
    assert "recorded as used up" in gone
    await form.scan(flask[0])
    fill = {
        "viable_harvested": "2.4e7",
        "dead_harvested": "1.2e6",
        "vials": "3",
        "volume_ml": "1",
        "viable_cells_per_vial": "5.2e6",
    }
    bare = await form.records(**fill)
    assert bare.status_code == 422
    assert "No material was scanned" in bare.text
    made = await form.records(**fill, no_materials="on")
    assert made.status_code == 303, words(made.text)
    vials = re.findall(r'<a class="code" href="/items/([A-Z0-9]+)">', (await tess.get(made.headers["location"])).text)
    assert len(vials) == 3
    ok(await life.verify(lived, int(made.headers["location"].rsplit("/", 1)[1]), scanned=vials[0]))

    cleared = await tess.post("/bench/clearance/after", {"checks": checks}, page="/bench/clearance/after")
    assert cleared.headers["location"] == "/bench"

    form = await Bench(tess, "cryopreservation", lived.lot).opens()
    nowhere = await form.records(programme="1 °C/min to -80 °C, then vapour")
    assert nowhere.status_code == 422
    assert "No place was scanned" in nowhere.text
    await form.scan(lived.shared.freezer)
    frozen = await form.records(programme="1 °C/min to -80 °C, then vapour")
    assert frozen.status_code == 303, words(frozen.text)
    assert await lived.state() == "quarantine"
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.containers WHERE lot_id = $1 AND state = 'stored'", await lived.lot_id()
        )
        == 3
    )


async def test_what_does_not_belong_is_red_and_takes_no_part(lab, browser_of):
    mine = await life.preparation(lab, upto="isolated")
    other = await life.preparation(lab, upto="isolated")
    quarantined = await life.material_lot(lab, "Serum", [])
    tess = await browser_of("tess")
    await at(tess, mine)
    form = await Bench(tess, "passage", mine.lot).opens()
    said = await form.scan(other.flasks[0])
    assert "Another donor" in said
    said = await form.scan(quarantined["containers"][0]["code"])
    assert "Not for use" in said
    assert "quantity-" not in said
    said = await form.scan("NO-SUCH-CODE")
    assert said.count("is-refused") == 3
    await form.scan(mine.flasks[0])
    refused = await form.records(viable_seeded="5,5", viable_harvested="4e6", dead_harvested="2e5", flasks="0")
    assert refused.status_code == 422
    page = words(refused.text)
    assert "A comma may stand" in page
    assert "less than 1" in page
    assert refused.text.count("is-refused") == 3, "what was scanned is still there"
    assert re.search(r'name="dead_harvested"[^>]*value="2e5"', refused.text)


@pytest.mark.parametrize(
    "said", ["<script>alert(1)</script>", "'; DROP TABLE lab.lots; --", "=1+1", "\u202egnp", "x" * 700, "0", "\x00"]
)
async def test_hostile_words_stay_words(lab, browser_of, said):
    mine = await life.preparation(lab, upto="isolated")
    tess = await browser_of("tess")
    await at(tess, mine)
    form = await Bench(tess, "passage", mine.lot).opens()
    shown = await form.scan(said)
    assert "<script>alert" not in shown
    form.scans = [said, "12x", "9" * 40]
    for name in ("viable_seeded", "flasks", "started_at", "ended_at", "scan"):
        fields = {"viable_seeded": "5e5", "viable_harvested": "4e6", "dead_harvested": "2e5", "flasks": "2"}
        answer = await form.records(**fields | {name: said})
        assert answer.status_code < 500
        assert "<script>alert" not in answer.text
        grown = await tess.http.post(f"{form.path}/growth", data=fields | {name: said})
        assert grown.status_code == 200


async def test_who_does_not_work_at_the_bench_gets_no_form(lab, browser_of):
    mine = await life.preparation(lab, upto="isolated")
    ana = await browser_of("ana")
    for path in (f"/bench/steps/passage/{mine.lot}", "/bench/clearance/before"):
        assert (await ana.get(path)).status_code == 403


async def test_labels_of_a_step_go_to_the_printer_of_their_size(lab, browser_of):
    mine = await life.preparation(lab, upto="isolated")
    made = {}
    for name, media in (("Bench printer", "50x25"), ("Tube printer", "25x13")):
        body = {
            "name": f"{name} {mine.lot}",
            "room": "B-01",
            "address": "127.0.0.1:9",
            "dots_per_mm": 12,
            "media": media,
        }
        made[media] = ok(await lab.as_("hedda").post("/printers", body))["code"]
    step = await lab.value("SELECT max(id) FROM lab.steps WHERE lot_id = $1", await mine.lot_id())
    tess = await browser_of("tess")
    page = (await tess.get(f"/bench/done/{step}")).text
    assert made["50x25"] in page
    assert made["25x13"] not in page
    answer = await tess.post(
        f"/bench/done/{step}/labels", {"language": "en", "printer": made["50x25"]}, page=f"/bench/done/{step}"
    )
    assert answer.status_code == 303, words(answer.text)
    queued = await lab.value(
        "SELECT count(*) FROM lab.print_jobs j JOIN lab.labels b ON b.id = j.label_id WHERE b.item_id = ANY ($1)",
        [await mine.id(each) for each in mine.flasks],
    )
    assert queued == len(mine.flasks)
    assert (await tess.get("/bench/done/999999999")).status_code == 404
