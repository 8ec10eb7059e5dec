"""What came to light, as pages tell it: the list, one of them, and the ways that lead there."""

import pytest

from tests import life
from tests.web.browsing import words
from tests.world import ok


@pytest.fixture(scope="module")
async def found(lab):
    """A released lot whose donor turned positive."""
    lived = await life.preparation(lab, upto="released")
    positive = {**life.markers()[0], "outcome": "positive"}
    ok(await lab.as_("ana").post(f"/donors/{lived.donor}/markers", {"markers": [positive]}))
    (line,) = ok(await lab.as_("quinn").get("/impacts", item=lived.lot))
    return lived, line["number"]


async def test_the_list_leads_to_one_which_names_lot_vials_recipient_and_what_to_do(browser_of, found):
    lived, number = found
    lin = await browser_of("lin")
    page = await lin.get("/impacts")
    assert f'href="/impacts/{number}"' in page.text
    one = await lin.get(f"/impacts/{number}")
    assert one.status_code == 200
    said = words(one.text)
    assert lived.name in said
    assert all(f"/items/{vial}" in one.text for vial in lived.vials)
    assert "decides whether it is recalled" in said
    assert "DON-04" in said
    assert "HIV" in said


async def test_a_search_finds_it_by_lot_and_by_donor_and_says_when_there_is_nothing(browser_of, found):
    lived, number = found
    quinn = await browser_of("quinn")
    for code in (lived.lot, lived.donor):
        assert number in (await quinn.get("/impacts", params={"q": code})).text
    nothing = words((await quinn.get("/impacts", params={"q": "no such thing"})).text)
    assert "Nothing came to light about no such thing." in nothing
    assert number in (await quinn.get("/impacts?kind=donor_marker")).text
    assert number not in (await quinn.get("/impacts?kind=consent_withdrawn")).text
    assert (await quinn.get("/impacts/IM-26-99999999")).status_code == 404


async def test_lot_donor_and_dashboard_lead_to_it(browser_of, found):
    lived, _ = found
    lin = await browser_of("lin")
    assert f"/impacts?q={lived.lot}" in (await lin.get(f"/lots/{lived.lot}")).text
    assert f"/impacts?q={lived.donor}" in (await lin.get(f"/donors/{lived.donor}")).text
    board = (await lin.get("/dashboard")).text
    assert 'href="/impacts"' in board
    assert "Recalls to decide" in board
    material = lived.shared.material_lots[0]
    assert f"/impacts?q={material}" in (await lin.get(f"/materials/{material}")).text
