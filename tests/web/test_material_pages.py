"""Materials on their pages: defined, received by scan, approved, rejected, opened, recalled; processes and specifications."""

import html
import re
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.services import things
from tests.web.browsing import hidden_fields, words
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE lab.materials; --",
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }}",
    "a\x00b",
    "\u202eevil",
    "x" * 9000,
    "\ud7ff",
    "１２３",
)


def ago(**parts):
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


def a_material(**more):
    return {
        "name": f"Page medium {uuid.uuid4().hex[:8]}",
        "description": "培养基",
        "grade": "pharmacopoeial_excipient",
        "kind": "reagent",
        "animal_derived": "no",
        "human_derived": "no",
        "selected_with": "",
        "known": "all",
        "components": "L-glutamine 56-85-9\nα-MEM\nsodium chloride (CAS 7647-14-5)",
        "animal_serum": "no",
        "species": "",
        "opened_life_hours": "48",
    } | more


def a_lot(material, **more):
    return {
        "material": material,
        "supplier": "Good Supplies",
        "supplier_lot": f"GS-{uuid.uuid4().hex[:6]}",
        "expires_on": f"{date.today() + timedelta(days=200)}",
        "received_at": ago(hours=1),
        "storage": "as_required",
        "certificate_reference": "CoA-9",
        "certificate_reviewed_at": ago(minutes=30),
        "containers": "2",
    } | more


async def defined(browser, **more):
    fields = a_material(**more)
    answer = await browser.post("/materials/catalogue/new", fields, page="/materials/catalogue/new")
    assert answer.headers.get("location") == "/materials/catalogue", words(answer.text)
    return fields["name"]


async def received(browser, material, **more):
    page = f"/materials/receive?material={material}"
    fields = hidden_fields((await browser.get(page)).text) | a_lot(material, **more)
    answer = await browser.http.post("/materials/receive", data=fields)
    assert answer.status_code == 303, words(answer.text)
    assert answer.headers["location"].endswith("/labels"), "a container without its label is nobody's"
    return answer.headers["location"].removesuffix("/labels")


async def proof(lab, name):
    return {"password": lab.password(name), "totp": await lab.totp(name)}


async def test_a_material_is_defined_received_approved_and_opened_on_pages(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    name = await defined(quinn)
    listed = (await quinn.get("/materials/catalogue", params={"q": name})).text
    assert "3 components" in words(listed)
    assert "7647-14-5" in listed
    assert "48 h" in words(listed)
    there = await received(tess, name)
    page = (await quinn.get(there)).text
    assert 'data-rule="MAT-05" data-outcome="pass"' in page
    assert "no rule blocks" in words(page)
    assert "sign-material_approved" not in (await tess.get(there)).text, "a technician is offered no signature"
    opened = f"{there}?sign=sign-material_approved"
    answer = await quinn.post(f"{there}/approval", await proof(lab, "quinn"), page=opened)
    assert answer.headers.get("location") == there, words(answer.text)
    shown = (await tess.get(there)).text
    assert "Approved by Quinn Qiu" in words(shown)
    container = re.search(r"/opening\?container=([0-9A-Z]+)", shown)[1]
    opening = f"{there}/opening?container={container}"
    answer = await tess.post(f"{there}/opening", {"container": container, "opened_at": ago(minutes=5)}, page=opening)
    assert answer.status_code == 303, words(answer.text)
    again = await tess.post(f"{there}/opening", {"container": container, "opened_at": ago(minutes=5)}, page=opening)
    assert again.status_code == 409
    assert "stands open already" in words(again.text)
    shown = (await tess.get(there)).text
    assert shown.count("unopened") == 1
    assert 'class="v wait"' in shown


async def test_a_scan_of_the_suppliers_code_tells_lot_expiry_and_next_time_the_material(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    name = await defined(quinn)
    gtin = f"{uuid.uuid4().int % 10**14:014d}"
    expires = date.today() + timedelta(days=300)
    first = f"]d201{gtin}17{expires:%y%m%d}10AB-1\x1d21S1"
    page = (await tess.get("/materials/receive", params={"scan": first, "material": ""})).text
    assert "No lot with this bar code was received before." in words(page)
    filled = (await tess.get("/materials/receive", params={"scan": first, "material": name})).text
    assert re.search(r'name="supplier_lot"[^>]* value="AB-1"', filled)
    assert re.search(rf'name="expires_on"[^>]* value="{expires}"', filled)
    carried = {"supplier_code": html.unescape(re.search(r'name="supplier_code" value="([^"]*)"', filled)[1])}
    fields = a_lot(name, supplier="Scanned House", supplier_lot="AB-1") | hidden_fields(filled) | carried
    answer = await tess.http.post("/materials/receive", data=fields)
    assert answer.status_code == 303, words(answer.text)
    second = first.replace("AB-1", "AB-2")
    known = (await tess.get("/materials/receive", params={"scan": second, "material": ""})).text
    assert name in known
    assert re.search(r'name="supplier"[^>]* value="Scanned House"', known)
    assert re.search(r'name="supplier_lot"[^>]* value="AB-2"', known)
    ours = await tess.get("/materials/receive", params={"scan": "=A99992612345600", "material": ""})
    assert ours.status_code == 422
    assert "is not a supplier" in words(ours.text)
    nothing = await tess.get("/materials/receive", params={"scan": "", "material": "no such thing"})
    assert nothing.status_code == 422
    assert "There is no material" in words(nothing.text)


async def test_serum_questions_are_asked_of_serum_alone_and_close_the_gate(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    plain = await defined(quinn)
    assert "origin_countries" not in (await tess.get(f"/materials/receive?material={plain}")).text
    serum = await defined(quinn, animal_serum="yes", species="bovine")
    assert "origin_countries" in (await tess.get(f"/materials/receive?material={serum}")).text
    come_from = {"origin_countries": "uy, PY", "processed_in": "UY", "collected_on": f"{date.today() - timedelta(90)}"}
    fields = a_lot(serum, **come_from)
    page = f"/materials/receive?material={serum}"
    wrong = await tess.post("/materials/receive", fields | {"origin_countries": "UY, Narnia"}, page=page)
    assert wrong.status_code == 422
    assert "NARNIA is no country." in words(wrong.text)
    assert 'value="GS-' in wrong.text, "what was typed stands there still"
    there = await received(tess, serum, **come_from)
    shown = (await quinn.get(there)).text
    assert 'data-rule="MAT-05" data-outcome="fail"' in shown
    assert "sign-material_approved" not in shown, "what the rules close is not offered"
    assert "Paraguay (PY), Uruguay (UY)" in words(shown)
    refused = await quinn.post(
        f"{there}/approval", await proof(lab, "quinn"), page=f"{there}?sign=sign-material_approved"
    )
    assert refused.status_code in {403, 409, 422}
    for country in ("UY", "PY"):
        fields = {"country": country, "disease": "bse", "category": "negligible", "valid_from": "2010-01-01",
                  "valid_to": "", "source": "WOAH resolution 20"}  # fmt: skip
        answer = await quinn.post("/materials/animal-diseases/new", fields, page="/materials/animal-diseases/new")
        assert answer.status_code == 303, words(answer.text)
    assert 'data-rule="MAT-05" data-outcome="pass"' in (await quinn.get(there)).text
    listed = words((await tess.get("/materials/animal-diseases?country=UY")).text)
    assert "WOAH resolution 20" in listed
    assert (await tess.get("/materials/animal-diseases/new")).status_code == 403


async def test_a_lot_is_rejected_with_a_reason_and_another_recalled(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    lot = await things.material_lot(lab)
    there = f"/materials/{lot['code']}"
    opened = f"{there}?sign=sign-material_rejected"
    empty = await quinn.post(f"{there}/rejection", {"reason": " "} | await proof(lab, "quinn"), page=opened)
    assert empty.status_code == 422
    assert "<dialog" in empty.text
    asked = {"reason": "The seal is broken."} | await proof(lab, "quinn")
    answer = await quinn.post(f"{there}/rejection", asked, page=opened)
    assert answer.headers.get("location") == there, words(answer.text)
    shown = words((await tess.get(there)).text)
    assert "rejected" in shown
    assert "The seal is broken." in shown
    other = f"/materials/{(await things.approved_material_lot(lab))['code']}"
    assert (await tess.get(f"{other}/recall")).status_code == 403
    assert (await quinn.post(f"{other}/recall", {"reason": ""}, page=f"{other}/recall")).status_code == 422
    answer = await quinn.post(f"{other}/recall", {"reason": "The supplier calls it back."}, page=f"{other}/recall")
    assert answer.status_code == 303, words(answer.text)
    assert "recalled" in words((await tess.get(other)).text)


async def test_lots_are_found_by_scan_name_state_and_expiry(lab, browser_of):
    tess = await browser_of("tess")
    soon = await things.material_lot(lab, expires_on=f"{date.today() + timedelta(days=5)}")
    late = await things.material_lot(lab)
    led = await tess.get("/materials", params={"q": soon["code"]})
    assert led.headers["location"] == f"/materials/{soon['code']}"
    led = await tess.get("/materials", params={"q": soon["containers"][0]["code"]})
    assert led.headers["location"] == f"/items/{soon['containers'][0]['code']}"
    for params, here in (
        ({"q": soon["material"]["name"][:18].lower()}, {soon["code"]}),
        ({"q": late["name"]}, {late["code"]}),
        ({"q": late["supplier_lot"]}, {late["code"]}),
        ({"state": "expiring", "q": soon["name"]}, {soon["code"]}),
        ({"state": "expiring", "q": late["name"]}, set()),
        ({"state": "approved", "q": soon["name"]}, set()),
    ):
        page = (await tess.get("/materials", params=params)).text
        assert set(re.findall(r'data-leads-to="/materials/([0-9A-Z]+)"', page)) & {soon["code"], late["code"]} == here


async def test_a_material_is_refused_at_the_field(lab, browser_of):
    quinn = await browser_of("quinn")
    for wrong, field in (
        ({"name": ""}, "name"),
        ({"components": ""}, "components"),
        ({"opened_life_hours": "1,5"}, "opened_life_hours"),
        ({"opened_life_hours": "0"}, "opened_life_hours"),
        ({"grade": "gold"}, "grade"),
        ({"animal_serum": "yes", "species": "yeti"}, "species"),
        ({"known": "nothing"}, None),
    ):
        answer = await quinn.post("/materials/catalogue/new", a_material(**wrong), page="/materials/catalogue/new")
        assert answer.status_code == (303 if field is None else 422), (wrong, words(answer.text))
        if field:
            assert f'href="#{field}"' in answer.text, wrong


async def test_processes_and_specifications_are_defined_and_carried_into_the_next_version(lab, browser_of):
    hedda, quinn, tess = await browser_of("hedda"), await browser_of("quinn"), await browser_of("tess")
    name = f"PROC {uuid.uuid4().hex[:8]}"
    fields = {
        "name": name, "version": "1", "product": "BM-MSC", "product_zh": "骨髓间充质干细胞", "cell_source": "bone marrow",
        "passage_convention": "primary_is_p0", "max_passage": "5", "max_pdl": "18.5", "shelf_life_days": "",
        "traits": ["short_cycle", "low_manipulation"],
    }  # fmt: skip
    answer = await hedda.post("/processes/new", fields, page="/processes/new")
    assert answer.headers.get("location") == "/processes", words(answer.text)
    again = await hedda.post("/processes/new", fields, page="/processes/new")
    assert again.status_code == 409
    zero = await hedda.post("/processes/new", fields | {"max_pdl": "0"}, page="/processes/new")
    assert 'href="#max_pdl"' in zero.text
    following = (await hedda.get("/processes/new", params={"of": name, "version": 1})).text
    assert re.search(r'name="version"[^>]* value="2"', following)
    assert re.search(r'value="short_cycle" checked', following)
    assert (await tess.get("/processes/new")).status_code == 403
    assert "骨髓间充质干细胞" in (await tess.get("/processes", params={"after": name, "after_version": 0})).text

    spec = f"SPEC {uuid.uuid4().hex[:8]}"
    fields = {
        "name": spec, "version": "1", "effective_from": ago(days=1),
        "test-0": "endotoxin", "method-0": "LAL", "high-0": "5", "unit-0": "EU/mL", "required-0": "on", "safety-0": "on",
        "test-1": "sterility", "method-1": "culture", "expected-1": "no growth", "required-1": "on",
        "test-2": "", "method-2": "",
    }  # fmt: skip
    twice = await quinn.post("/specifications/new", fields | {"test-1": "endotoxin"}, page="/specifications/new")
    assert twice.status_code == 422
    assert 'href="#test-1"' in twice.text, "where it stands again"
    unbounded = await quinn.post("/specifications/new", fields | {"high-0": ""}, page="/specifications/new")
    assert unbounded.status_code == 422
    assert 'href="#test-0"' in unbounded.text
    answer = await quinn.post("/specifications/new", fields, page="/specifications/new")
    assert answer.headers.get("location") == "/specifications", words(answer.text)
    shown = words((await tess.get("/specifications", params={"after": spec, "after_version": 0})).text)
    assert "≤ 5 EU/mL" in shown
    assert "no growth" in shown
    following = (await quinn.get("/specifications/new", params={"of": spec, "version": 1})).text
    assert re.search(r'name="expected-1"[^>]* value="no growth"', following)


@pytest.mark.parametrize("text", HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
async def test_hostile_text_does_nothing_but_stand_there(lab, browser_of, text):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    lot = await things.approved_material_lot(lab)
    there = f"/materials/{lot['code']}"
    forms = [
        (quinn, "/materials/catalogue/new", "/materials/catalogue/new", a_material(name=text, description=text, components=text)),
        (quinn, "/materials/animal-diseases/new", "/materials/animal-diseases/new",
         dict.fromkeys(("country", "disease", "category", "valid_from", "valid_to", "source"), text)),
        (tess, "/materials/receive", f"/materials/receive?material={lot['material']['name']}",
         a_lot(lot["material"]["name"], supplier=text, supplier_lot=text, supplier_code=text, certificate_reference=text,
               origin_countries=text, processed_in=text)),
        (tess, f"{there}/opening", f"{there}/opening", {"container": text, "opened_at": text}),
        (quinn, f"{there}/recall", f"{there}/recall", {"reason": text, "csrf": text}),
        (quinn, f"{there}/rejection", f"{there}?sign=sign-material_rejected", {"reason": text, "password": "x", "totp": "1"}),
        (quinn, "/processes/new", "/processes/new",
         dict.fromkeys(("name", "version", "product", "product_zh", "cell_source", "traits", "max_pdl"), text)),
        (quinn, "/specifications/new", "/specifications/new",
         dict.fromkeys(("name", "version", "test-0", "method-0", "low-0", "unit-0", "expected-0", "test-9999999999"), text)),
    ]  # fmt: skip
    for browser, path, page, fields in forms:
        answer = await browser.post(path, fields, page=page)
        assert answer.status_code < 500, (path, answer.status_code)
        assert "<script>alert(1)" not in answer.text
        assert "<img src=x" not in answer.text
        await lab.forget_failures("quinn")
    for path in ("/materials", "/materials/catalogue", "/materials/receive", "/materials/animal-diseases", "/processes", "/specifications"):  # fmt: skip
        named = dict.fromkeys(("q", "state", "after", "country", "scan", "material"), text[:500])
        for params in (named, {}):
            answer = await tess.get(path, params=params)
            assert answer.status_code < 500, (path, answer.status_code)
            assert "<script>alert(1)" not in answer.text
            assert "<img src=x" not in answer.text
    assert ok(await lab.as_("tess").get(f"/material-lots/{lot['code']}"))["state"] in {"approved", "recalled"}


async def test_the_items_pages_of_a_material_lead_to_its_lot(lab, browser_of):
    tess = await browser_of("tess")
    lot = await things.approved_material_lot(lab)
    for code in (lot["code"], lot["containers"][0]["code"]):
        assert f'href="/materials/{lot["code"]}"' in (await tess.get(f"/items/{code}")).text, code


async def test_every_container_gets_its_label_once(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    lot = await things.material_lot(lab, containers=3)
    there = f"/materials/{lot['code']}/labels"
    assert "A label for each of its 3 containers" in words((await tess.get(there)).text)
    made = await tess.post(there, {"language": "en", "printer": ""}, page=there)
    assert made.status_code == 200
    assert "Labels made: 3" in words(made.text)
    for each in lot["containers"]:
        assert f"/items/{each['code']}/label.pdf" in made.text
        assert len(ok(await lab.as_("tess").get(f"/items/{each['code']}/labels"))) == 1
    again = await tess.post(there, {"language": "en", "printer": ""}, page=there)
    assert again.status_code == 409
    assert (await quinn.get(there)).status_code == 403
