"""The house on its pages: equipment that is fit, documents, areas and what was monitored in them."""

from datetime import date, timedelta

from tests import life
from tests.web.browsing import words
from tests.world import ok

HOSTILE = "<script>alert(1)</script>'; DROP TABLE lab.lots; --"


def day(days=0):
    return str(date.today() + timedelta(days=days))


async def piece(lab, kind="workstation"):
    body = {"name": f"{HOSTILE} {life.now()}", "kind": kind, "room": "B-01"}
    return ok(await lab.as_("hedda").post("/equipment", body))["code"]


def done(**more):
    return {
        "kind": "calibration",
        "done_on": day(-1),
        "due_on": day(364),
        "outcome": "passed",
        "as_found": "yes",
        "evidence": HOSTILE,
        "done_by": "Metrology Ltd",
        **more,
    }


async def test_what_was_done_to_equipment_is_recorded_on_its_page(lab, browser_of):
    code = await piece(lab, "cell_counter")
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    here = f"/equipment/{code}"
    assert "calibration: never recorded" in words((await tess.get(here)).text)
    assert "Record what was done" not in words((await tess.get(here)).text)
    answer = await quinn.post(f"{here}/qualifications", done(), page=here)
    assert answer.headers["location"] == here, words(answer.text)
    shown = (await tess.get(here)).text
    assert "in tolerance as it was found" in words(shown)
    assert "<script>alert" not in shown
    assert f'href="{here}"' in (await tess.get(f"/items/{code}")).text
    assert code[:4] in (await tess.get("/equipment?kind=cell_counter")).text


async def test_what_is_wrong_of_equipment_stands_at_its_field(lab, browser_of):
    code = await piece(lab)
    quinn = await browser_of("quinn")
    here = f"/equipment/{code}"
    for wrong, field in (
        ({"kind": ""}, "kind"),
        ({"done_on": day(3)}, "done_on"),
        ({"due_on": day(-5)}, "due_on"),
        ({"as_found": ""}, "as_found"),
        ({"evidence": ""}, "evidence"),
        ({"outcome": "perhaps"}, "outcome"),
    ):
        answer = await quinn.post(f"{here}/qualifications", done(**wrong), page=here)
        assert answer.status_code == 422, (field, words(answer.text))
        assert f'id="{field}-wrong"' in answer.text, field
    tess = await browser_of("tess")
    assert (await tess.post(f"{here}/qualifications", done(), page=here)).status_code == 403


async def test_a_document_is_proposed_and_approved_on_its_pages(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    fields = {
        "number": "SOP-PAGE-1",
        "title": HOSTILE,
        "types": ["recall", "complaint"],
        "effective_from": "",
        "review_due": day(500),
        "file_name": "SOP-PAGE-1.pdf",
        "file_sha256": "c" * 64,
    }
    for wrong, field in (({"file_sha256": "abc"}, "file_sha256"), ({"review_due": day(-1)}, "review_due")):
        answer = await quinn.post("/documents/new", fields | wrong, page="/documents/new")
        assert answer.status_code == 422, words(answer.text)
        assert f'id="{field}-wrong"' in answer.text, field
    answer = await quinn.post("/documents/new", fields, page="/documents/new")
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "waits for approval" in words(shown)
    assert "<script>alert" not in shown
    opened = f"{there}?sign=sign-document_approved"
    await lab.forget_failures("lin")
    factors = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    answer = await lin.post(f"{there}/approval", factors, page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "in effect" in words((await quinn.get(there)).text)
    renewal = (await quinn.get("/documents/new?number=SOP-PAGE-1")).text
    assert 'value="SOP-PAGE-1"' in renewal
    listed = words((await quinn.get("/documents?kind=recall")).text)
    assert "SOP-PAGE-1" in listed
    assert (await quinn.get("/documents/SOP-NOT-THERE-1")).status_code == 404


async def test_a_session_is_monitored_and_read_on_its_page(lab, browser_of):
    lived = await life.preparation(lab, upto="cleared")
    tess, ana = await browser_of("tess"), await browser_of("ana")
    listed = ok(await lab.as_("ana").get("/monitoring/sessions", limit=200))
    session = next(each["session"] for each in listed if each["lot"] == lived.lot)
    here = f"/monitoring/{session}"
    at = (await tess.get(here)).text.split('name="taken_at"')[1].split('value="')[1].split('"')[0]
    fields = {"kind": "settle", "grade": "A", "place": HOSTILE, "taken_at": at}
    answer = await tess.post(f"{here}/samples", fields | {"grade": "E"}, page=here)
    assert answer.status_code == 422
    assert 'id="take-grade-wrong"' in answer.text
    answer = await tess.post(f"{here}/samples", fields | {"taken_at": "2020-01-01T10:00"}, page=here)
    assert 'id="take-taken_at-wrong"' in answer.text
    await life.go_on(lived, upto="isolated")
    kept = {"samples": [{"kind": "settle", "grade": "A", "place": HOSTILE, "taken_at": life.now()}]}
    (number,) = ok(await lab.as_("tess").post(f"/monitoring/sessions/{session}/samples", kept))["samples"]
    assert "not read yet: 1" in words((await ana.get("/monitoring?which=pending")).text)
    later = await ana.get(here)
    assert "Record a reading" in words(later.text)
    assert "<script>alert" not in later.text
    read = {"sample": str(number), "value": "2", "organism": "Micrococcus"}
    read["read_at"] = later.text.split('name="read_at"')[1].split('value="')[1].split('"')[0]
    answer = await ana.post(f"{here}/readings", read | {"value": "two"}, page=here)
    assert 'id="read-value-wrong"' in answer.text
    ok(
        await lab.as_("ana").post(
            "/monitoring/readings", {"readings": [{"sample": number, "value": "2", "read_at": life.now()}]}
        )
    )
    assert "above the action limit" in words((await ana.get(here)).text)
    assert (await ana.get("/monitoring/99999999999999999999999")).status_code == 404


async def test_an_area_is_classified_on_its_page(lab, browser_of):
    quinn = await browser_of("quinn")
    fields = {"room": f"C {HOSTILE}", "workstation": "", "grade": "C", "classified_on": day(-1), "due_on": day(300)}
    fields["evidence"] = "CL-9"
    page = "/monitoring/areas"
    for wrong, field in (({"grade": "isolator"}, "grade"), ({"room": ""}, "room"), ({"due_on": day(-9)}, "due_on")):
        answer = await quinn.post(page, fields | wrong, page=page)
        assert answer.status_code == 422, words(answer.text)
        assert f'id="{field}-wrong"' in answer.text, field
    assert (await quinn.post(page, fields, page=page)).status_code == 303
    shown = (await quinn.get(page)).text
    assert "CL-9" in shown
    assert "<script>alert" not in shown


async def test_who_answers_is_proposed_accepted_and_ended_on_its_pages(lab, browser_of):
    quinn, tom = await browser_of("quinn"), await browser_of("tom")
    page = "/mandates/responsibilities/new"
    fields = {"level": "study", "username": "tom", "duties": HOSTILE, "from_at": "", "until_at": ""}
    for wrong, field in (({"level": "canteen"}, "level"), ({"until_at": "2020-01-01T10:00"}, "until_at")):
        answer = await quinn.post(page, fields | wrong, page=page)
        assert f'id="{field}-wrong"' in answer.text, words(answer.text)
    answer = await quinn.post(page, fields, page=page)
    there = answer.headers["location"]
    assert "Accept…" not in words((await quinn.get(there)).text)
    await lab.forget_failures("tom")
    factors = {"password": lab.password("tom"), "totp": await lab.totp("tom")}
    opened = f"{there}?sign=sign-responsibility_accepted"
    answer = await tom.post(f"{there}/acceptance", factors, page=opened)
    assert answer.status_code == 303, words(answer.text)
    shown = (await quinn.get(there)).text
    assert "answers for it" in words(shown)
    assert "<script>alert" not in shown
    assert "Tom Tian" in words((await quinn.get("/mandates")).text)
    assert (await quinn.post(f"{there}/end", {}, page=there)).status_code == 303
    assert "ended" in words((await quinn.get(there)).text)


async def test_a_process_version_is_authorised_on_its_pages(lab, browser_of):
    process = await life.process(lab)
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    page = "/mandates/authorisations/new"
    fields = {"process": process["name"], "version": "1", "owner": HOSTILE, "address": "1 Lab Road"}
    fields |= {"classification": "A in B", "valid_from": "", "valid_to": "2039-01-01T10:00"}
    answer = await quinn.post(page, fields | {"valid_to": "2020-01-01T10:00"}, page=page)
    assert 'id="valid_to-wrong"' in answer.text
    assert (await quinn.post(page, fields | {"process": "none"}, page=page)).status_code == 404
    there = (await quinn.post(page, fields, page=page)).headers["location"]
    await lab.forget_failures("lin")
    factors = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    answer = await lin.post(f"{there}/signature", factors, page=f"{there}?sign=sign-process_authorised")
    assert answer.status_code == 303, words(answer.text)
    shown = (await quinn.get(there)).text
    assert "in force" in words(shown)
    assert "<script>alert" not in shown
    assert (await quinn.get("/mandates/authorisations/99999999999999999999999")).status_code == 404
