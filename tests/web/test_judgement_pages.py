"""The page of a judgement that was kept, and the list of them."""

from app.locale import gettext_for
from app.rules import BY_ID
from tests import life
from tests.web.browsing import words
from tests.world import ok


async def test_a_judgement_is_found_from_the_thing_and_says_what_it_said(lab, browser_of):
    lived = await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})
    number = ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))["kept"]
    quinn = await browser_of("quinn")
    assert f'href="/judgements?item={lived.lot}"' in (await quinn.get(f"/lots/{lived.lot}")).text
    assert f'href="/judgements?item={lived.lot}"' in (await quinn.get(f"/why/{lived.lot}")).text
    listed = (await quinn.get(f"/judgements?item={lived.lot}")).text
    assert f'href="/judgements/{number}"' in listed
    assert "blocked" in words(listed)
    page = words((await quinn.get(f"/judgements/{number}")).text)
    for said in (f"Judgement {number}", "REL-02", "Quinn Qiu", "the record that was kept has this digest"):
        assert said in page, said
    assert str(BY_ID["REL-02"].cites[0].paraphrase) in page


async def test_it_says_so_in_chinese(lab, browser_of):
    lived = await life.preparation(lab)
    number = ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))["kept"]
    quinn = await browser_of("quinn")
    await quinn.get("/lots?lang=zh_CN")
    page = words((await quinn.get(f"/judgements/{number}?lang=zh_CN")).text)
    say = gettext_for("zh_CN")
    assert BY_ID["QA-03"].cites[0].paraphrase.translated(say) in page
    assert say("What did not stand in the way: {count}").split("{")[0].strip()[:4] in page


async def test_the_newest_fifty_stand_first_and_the_older_are_a_page_further(lab, browser_of):
    lived = await life.preparation(lab, upto="tested")
    kept = [ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))["kept"] for _ in range(51)]
    quinn = await browser_of("quinn")
    first = (await quinn.get(f"/judgements?item={lived.lot}")).text
    assert f'href="/judgements/{kept[-1]}"' in first
    assert f'href="/judgements/{kept[0]}"' not in first
    older = (await quinn.get(f"/judgements?item={lived.lot}&after={kept[1]}")).text
    assert f'href="/judgements/{kept[0]}"' in older


async def test_who_may_not_read_it_is_told_so_and_no_number_that_is_none_breaks_it(lab, browser_of):
    lived = await life.preparation(lab, upto="isolated")
    number = ok(await lab.as_("quinn").get("/judgements", item=lived.donation))[0]["judgement"]
    adam = await browser_of("adam")
    assert (await adam.get(f"/judgements/{number}")).status_code == 403
    quinn = await browser_of("quinn")
    for path, status in (
        ("/judgements/0", 404),
        ("/judgements/999999999", 404),
        ("/judgements/x", 404),
        ("/judgements", 404),
    ):
        assert (await quinn.get(path)).status_code in {status, 422}, path
