"""Suppliers, papers, origins, recipes and reagents on their pages."""

import re
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.services import test_reagents as making
from tests.services import things
from tests.web.browsing import hidden_fields, words

HERE = ZoneInfo("Asia/Shanghai")


def when(**parts):
    return f"{datetime.now(HERE) + timedelta(**parts):%Y-%m-%dT%H:%M}"


def an_audit(**more):
    return {
        "method": "on_site",
        "audited_on": f"{datetime.now(HERE) - timedelta(days=2):%Y-%m-%d}",
        "outcome": "qualified",
        "findings": "one minor finding",
        "evidence": "AR-26-77",
        "valid_from": "",
        "valid_to": when(days=400),
    } | more


async def send(browser, path, fields, page=None):
    return await browser.post(path, fields, page=page or path)


async def registered(quinn):
    name = f"Page supplier {uuid.uuid4().hex[:6]}"
    fields = {"name": name, "kind": "manufacturer", "address": "4 Mill Lane"}
    answer = await send(quinn, "/materials/suppliers/new", fields)
    assert answer.status_code == 303, words(answer.text)
    return name, answer.headers["location"]


async def proof(lab, name):
    await lab.forgive_places()
    return {"password": lab.password(name), "totp": await lab.totp(name)}


async def test_a_supplier_is_registered_audited_by_one_and_decided_about_by_another(lab, browser_of):
    quinn, rolf = await browser_of("quinn"), await browser_of("rolf")
    name, there = await registered(quinn)
    assert "never qualified" in words((await quinn.get(there)).text)
    wrong = await send(rolf, f"{there}/audit", an_audit(valid_to=when(days=-3)))
    assert wrong.status_code == 422
    assert "end before it begins" in words(wrong.text)
    assert (await send(rolf, f"{there}/audit", an_audit())).status_code == 303
    assert "waits for its signature" in words((await rolf.get(there)).text)

    opened = f"{there}?sign=sign-supplier_decided"
    assert "You decide about this supplier" in words((await quinn.get(opened)).text)
    answer = await send(quinn, f"{there}/decision", await proof(lab, "quinn"), page=opened)
    assert answer.status_code == 303, words(answer.text)
    shown = words((await quinn.get(there)).text)
    assert "Quinn Qiu" in shown
    assert "Rolf Rong" in shown
    assert name in words((await quinn.get("/materials/suppliers", params={"q": name})).text)


async def test_whoever_wrote_an_audit_is_offered_no_signature_on_it(browser_of):
    quinn = await browser_of("quinn")
    _, there = await registered(quinn)
    assert (await send(quinn, f"{there}/audit", an_audit())).status_code == 303
    shown = (await quinn.get(there)).text
    assert "sign-supplier_decided" not in shown
    assert "Somebody else signs what you wrote down." in words(shown)


async def test_a_paper_is_filed_and_a_supplier_chosen_on_the_lots_page(lab, browser_of):
    rolf, quinn = await browser_of("rolf"), await browser_of("quinn")
    lot = await things.material_lot(lab, supplier="Goood Supplies")
    there = f"/materials/{lot['code']}"
    assert "supplier not known" in words((await quinn.get(there)).text)
    wrong = await send(rolf, f"{there}/certificates", {"kind": "donor_pool", "reference": "POOL-3", "pool_size": ""})
    assert wrong.status_code == 422
    filed = await send(rolf, f"{there}/certificates", {"kind": "donor_pool", "reference": "POOL-3", "pool_size": "11"})
    assert filed.status_code == 303, words(filed.text)
    assert (await send(quinn, f"{there}/supplier", {"supplier": "Nobody"})).status_code == 404
    assert (await send(quinn, f"{there}/supplier", {"supplier": "Good Supplies"})).status_code == 303
    shown = words((await quinn.get(there)).text)
    assert "supplier not known" not in shown
    assert "POOL-3" in shown
    assert "11 donors" in shown


async def test_the_origin_of_a_material_is_stated_from_the_catalogue(lab, browser_of):
    quinn = await browser_of("quinn")
    made = await things.material(lab, animal_derived=None)
    listed = (await quinn.get("/materials/catalogue", params={"q": made["name"]})).text
    assert "origin not stated" in words(listed)
    (link,) = re.findall(r'href="(/materials/catalogue/origin[^"]*)"', listed)
    fields = {"animal_derived": "yes", "human_derived": "no"}
    assert (await send(quinn, link, fields)).status_code == 303
    assert re.search(r'value="yes"[^>]*checked', (await quinn.get(link)).text)


async def test_a_recipe_is_defined_prepared_by_scan_and_verified(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    base = await making.part(lab)
    name = f"Page medium {uuid.uuid4().hex[:6]}"
    recipe = {
        "material": name,
        "components": f"{base['name']}; 450 mL",
        "shelf_life_hours": "48",
        "storage": "cold",
        "instructions": "mix",
    }
    wrong = await send(quinn, "/materials/recipes/new", recipe | {"components": "some of it"})
    assert wrong.status_code == 422
    assert "names no material with its amount" in words(wrong.text)
    assert (await send(quinn, "/materials/recipes/new", recipe)).status_code == 303
    listed = (await tess.get("/materials/recipes")).text
    assert name in listed
    (prepare, *_) = re.findall(r'href="(/materials/recipes/[0-9]+/prepare)"', listed)
    fields = {"container0": base["bottle"], "quantity0": "450", "containers": "1", "prepared_at": when(minutes=-1)}
    wrong = await send(tess, prepare, fields | {"container0": base["lot"]})
    assert wrong.status_code == 422
    answer = await send(tess, prepare, fields)
    assert answer.status_code == 303, words(answer.text)
    code = answer.headers["location"].split("/")[2]

    there = f"/materials/{code}/preparation"
    page = (await tess.get(there)).text
    assert "waits for a second person" in words(page)
    assert base["name"] in page
    seen = {"badge": lab.badge("vera"), "pin": lab.pin("vera"), "scanned": base["bottle"]}
    await lab.forgive_places()
    own = await send(tess, there, seen | {"badge": lab.badge("tess"), "pin": lab.pin("tess")})
    assert own.status_code == 403
    await lab.forgive_places()
    answer = await send(tess, there, seen)
    assert answer.status_code == 303, words(answer.text)
    shown = words((await quinn.get(there)).text)
    assert "waits for a second person" not in shown
    assert "Vera Wei" in shown
    assert "How it was prepared" in words((await quinn.get(f"/materials/{code}")).text)
    assert hidden_fields((await tess.get(prepare)).text)
