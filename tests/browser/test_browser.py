"""Sign-in, bench and release as people meet them: in Chromium, at the keyboard, in both languages, in light and dark."""

import asyncio

import pytest

from app.workers.sealer import make_key, seal_once
from labels.codes import CodeKind, new_code
from tests import life


@pytest.fixture(scope="module")
async def lots(site):
    """One lot at its workstation, one that awaits release, and one that fails."""
    at_work = await life.preparation(site.lab, upto="passaged")
    ready = await life.preparation(site.lab)
    failing = await life.preparation(site.lab, upto="tested", findings={"sterility": ("growth", None)})
    return at_work, ready, failing


async def scans_of(site, name):
    return await site.lab.value("SELECT count(*) FROM lab.scans WHERE account_id = $1", site.lab.id_of(name))


async def test_signing_in_and_out_at_the_keyboard(site):
    async with site.person() as tess:
        await tess.goes_to("/lots")
        await tess.screen("sign-in")
        await tess.types("tess", into="#username")
        await tess.page.fill("#password", "certainly not this")
        await tess.page.keyboard.press("Enter")
        await tess.sees("does not match", "Type them again")
        await tess.screen("sign-in-refused")
        await tess.types(site.lab.password("tess"), into="#password")
        await tess.page.keyboard.press("Enter")
        await tess.comes_to("**/lots")
        await tess.page.get_by_role("button", name="Sign out").click()
        await tess.comes_to("**/sign-in")
        await tess.goes_to("/bench")
        await tess.comes_to("**/sign-in?next=/bench")


async def test_a_wedge_scans_at_the_bench_without_a_mouse(site, lots):
    at_work, ready, _ = lots
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.sees("Where do you work?")
        before = await tess.page.locator("#log tr[data-row]").count()
        await tess.screen("bench-first")
        await tess.scans(at_work.workstation)
        await tess.sees("You work at")
        await tess.sees(at_work.name, "Passage P2", "verified by Vera Wei", within="#workplace")
        await tess.scans(at_work.flasks[0])
        await tess.page.locator("#answer .tile.go").get_by_text(at_work.name).wait_for()
        await tess.screen("bench-go")
        await tess.scans(ready.vials[0])
        await tess.sees("Another donor's item", "Take it away closed")
        assert await tess.page.locator("#answer .tile.stop .word").text_content() == "Stop"
        await tess.screen("bench-stop")
        # The scanner's keys go to the scan box wherever the cursor was, and its Enter presses no button.
        await tess.page.focus("button[data-theme-switch]")
        await tess.scans(new_code(CodeKind.VIAL))
        await tess.sees("Unknown code")
        assert await tess.page.evaluate("document.activeElement.id") == "scan"
        assert await tess.page.evaluate("document.documentElement.dataset.bsTheme") == "light"
        # F2 asks whether it may be used instead of what it is.
        await tess.page.keyboard.press("F2")
        await tess.scans(at_work.flasks[0])
        await tess.sees("It may be used here.")
        rows = await tess.page.locator("#log tr").count()
        assert rows == min(before + 5, 8)


async def test_a_fast_scanner_loses_nothing_and_keeps_its_order(site, lots):
    at_work, _, _ = lots
    codes = [*at_work.flasks, *at_work.all_flasks[:2], new_code(CodeKind.VIAL), new_code(CodeKind.FLASK)]
    async with site.person() as tom:
        await tom.signs_in("tom")
        before = await scans_of(site, "tom")
        for code in codes:
            await tom.page.keyboard.type(code)
            await tom.page.keyboard.press("Enter")
        await tom.page.locator(f"#log tr:nth-child({len(codes)})").wait_for()
        kept = await site.lab.sql(
            "SELECT raw FROM lab.scans WHERE account_id = $1 ORDER BY number DESC LIMIT $2",
            site.lab.id_of("tom"),
            len(codes),
        )
        assert [row["raw"] for row in reversed(kept)] == codes
        assert await scans_of(site, "tom") == before + len(codes)


async def test_a_lost_connection_is_said_and_the_scan_is_sent_again_once(site, lots):
    at_work, _, _ = lots
    async with site.person() as tom:
        await tom.signs_in("tom")
        before = await scans_of(site, "tom")
        lost = asyncio.Event()

        async def lose_the_answer(route):
            if lost.is_set():
                await route.continue_()
                return
            lost.set()
            await route.fetch()  # the server gets it and answers; the answer never arrives
            await route.abort()

        await tom.page.route("**/bench/scan", lose_the_answer)
        await tom.scans(at_work.flasks[0])
        await tom.sees("No connection", "do not go on")
        await tom.page.locator("#answer .tile.go").wait_for()
        assert await tom.page.locator(".away-note").is_hidden()
        assert await scans_of(site, "tom") == before + 1


async def test_a_scan_that_comes_before_the_bench_is_ready_is_kept(site, lots):
    at_work, _, _ = lots
    async with site.person() as tom:
        await tom.signs_in("tom")
        before = await scans_of(site, "tom")
        ready = asyncio.Event()

        async def slowly(route):
            await ready.wait()
            await route.continue_()

        await tom.page.route("**/bench*.js*", slowly)
        await tom.page.goto(f"{site.address}/bench", wait_until="commit")
        await tom.page.locator("#scan").wait_for()
        for code in at_work.flasks[:2]:
            await tom.page.keyboard.type(code)
            await tom.page.keyboard.press("Enter")
        await tom.page.keyboard.type(at_work.flasks[0][:4])
        ready.set()
        await tom.page.locator("#answer .tile.go").wait_for()
        await tom.page.wait_for_function("queue.length === 0")
        assert await scans_of(site, "tom") == before + 2
        assert await tom.page.locator("#scan").input_value() == at_work.flasks[0][:4]


@pytest.mark.parametrize("status", [500, 504])
async def test_a_server_that_stumbles_leaves_no_go_on_the_screen_and_loses_no_scan(site, lots, status):
    at_work, _, _ = lots
    async with site.person() as tom:
        await tom.signs_in("tom")
        await tom.scans(at_work.flasks[0])
        await tom.page.locator("#answer .tile.go").wait_for()
        before = await scans_of(site, "tom")
        stumbles = True

        async def stumble(route):
            await (route.fulfill(status=status, body="Internal Server Error") if stumbles else route.continue_())

        await tom.page.route("**/bench/scan", stumble)
        await tom.scans(at_work.flasks[1])
        await tom.sees("No connection", "is not taken yet")
        await tom.page.locator("#answer .tile.rest").wait_for()
        assert await tom.page.locator("#answer .tile.go").count() == 0
        assert await scans_of(site, "tom") == before
        stumbles = False
        await tom.page.locator("#answer .tile.go").wait_for()
        assert await scans_of(site, "tom") == before + 1


async def test_a_lost_connection_takes_an_old_go_away(site, lots):
    at_work, _, _ = lots
    async with site.person() as tom:
        await tom.signs_in("tom")
        # The side is asked anew soon after a scan: cut off before that, the browser would complain, and rightly.
        async with tom.page.expect_request_finished(lambda each: each.url.endswith("/bench/workplace")):
            await tom.scans(at_work.flasks[0])
        await tom.page.locator("#answer .tile.go").wait_for()
        await tom.page.context.set_offline(True)
        await tom.sees("No connection", "Ready")
        assert await tom.page.locator("#answer .tile.go").count() == 0
        await tom.page.context.set_offline(False)
        await tom.page.locator(".away-note").wait_for(state="hidden")


async def test_one_unbroken_line_and_a_narrow_screen_widen_no_page(site):
    lot = await life.preparation(site.lab, upto="isolated")
    await site.lab.as_("tess").post("/deviations", {"item": lot.lot, "what": "x" * 4000, "class": "major"})
    for size in ((1280, 800), (390, 844)):
        async with site.person(size=size) as vera:
            await vera.signs_in("vera")
            for path in (f"/lots/{lot.lot}", f"/lots/{lot.lot}/release"):
                await vera.goes_to(path)
                wide = await vera.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= size[0], (path, size)
            cells = await vera.page.locator(".rules td").evaluate_all(
                "cells => cells.map(each => each.getBoundingClientRect().right)"
            )
            assert max(cells) <= size[0], "evidence and remedy are seen whole"
            await vera.screen(f"release-long-{size[0]}")


async def test_a_scan_after_the_screen_locked_leads_to_the_lock(site):
    async with site.person() as vera:
        await vera.signs_in("vera")
        await site.lab.sql(
            "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '1 hour' WHERE account_id = $1",
            site.lab.id_of("vera"),
        )
        site.lab.as_("vera").token = None  # that session locked too: whoever acts for her later signs in anew
        await vera.scans(new_code(CodeKind.VIAL))
        await vera.comes_to("**/unlock")
        await vera.screen("locked")
        await vera.types(site.lab.password("vera"), into="#password")
        await vera.page.keyboard.press("Enter")
        await vera.comes_to("**/bench")


async def test_what_has_already_happened_has_its_door_on_the_bench(site):
    lot = await life.preparation(site.lab, upto="isolated")
    async with site.person() as tess:
        await tess.signs_in("tess")
        await site.lab.as_("tess").post("/holds", {"item": lot.flasks[0], "reason": "found open"})
        await tess.scans(lot.flasks[0])
        await tess.sees("On hold", "found open")
        await tess.page.get_by_role("link", name="It has already happened…").click()
        await tess.page.locator("#account").fill("It was used before the hold was seen.")
        await tess.screen("already-happened")
        await tess.page.get_by_role("button", name="Keep it").click()
        await tess.sees("Kept as it happened", "Tell the QA manager")
        await tess.page.locator("#scan:focus").wait_for()


async def test_the_quality_authority_releases_in_chinese(site, lots, tmp_path):
    _, ready, _ = lots
    page = f"/lots/{ready.lot}/release"
    async with site.person(locale="zh-CN", color_scheme="dark") as lin:
        await lin.signs_in("lin")
        await lin.goes_to(f"/lots/{ready.lot}")
        await lin.sees("无规则阻止", "只待质量受权人签名")
        await lin.screen("lot-zh-dark")
        await lin.goes_to(page)
        await lin.screen("release-zh-dark")
        await lin.page.click("#release")
        await lin.sees("您将放行此批次", ready.name, within="dialog")
        await lin.screen("release-sign-zh-dark")
        await lin.page.fill("#sign-password", "certainly not this")
        await lin.page.fill("#sign-totp", "000000")
        await lin.page.keyboard.press("Enter")
        await lin.sees("未作任何签名", "请用新的一次性验证码重新输入两项", within="dialog")
        await lin.page.fill("#sign-password", site.lab.password("lin"))
        await lin.page.fill("#sign-totp", await site.lab.totp("lin"))
        await lin.page.keyboard.press("Enter")
        await lin.sees("已放行", "等待封存")
        sealed = await seal_once(
            site.database.url("stemma_seal"), key=make_key(path=tmp_path / "key", name="test"), outside=[]
        )
        assert sealed > 0
        await lin.sees("此次放行已进入封存记录")
        await lin.screen("release-done-zh-dark")
    assert await site.lab.value("SELECT state FROM lab.lots WHERE name = $1", ready.name) == "released"


async def test_a_blocked_release_says_why_first_and_offers_no_signature(site, lots):
    _, _, failing = lots
    async with site.person(size=(1920, 1080)) as lin:
        await lin.signs_in("lin")
        await lin.goes_to(f"/lots/{failing.lot}/release")
        first = lin.page.locator("tr[data-rule]").first
        assert await first.get_attribute("data-outcome") == "fail"
        assert await lin.page.locator("#release").is_disabled()
        await lin.page.get_by_role("button", name="Release check").click()
        await lin.page.locator("#kept").wait_for()
        await lin.screen("release-blocked")
        assert await lin.page.locator("dialog").count() == 0


async def test_a_small_panel_in_a_dark_cleanroom_shows_the_whole_answer(site, lots):
    at_work, ready, _ = lots
    async with site.person(size=(1024, 600), color_scheme="dark", locale="zh-CN") as tess:
        await tess.signs_in("tess")
        await tess.scans(at_work.workstation)
        await tess.scans(ready.vials[0])
        await tess.page.locator("#answer .tile.stop").wait_for()
        await tess.screen("bench-small-dark-zh")
        bottom = await tess.page.locator("#answer .next").evaluate("each => each.getBoundingClientRect().bottom")
        assert bottom <= 600, "answer and next step are seen without scrolling"
        wide = await tess.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 1024


async def test_theme_and_language_are_chosen_and_stay(site):
    async with site.person() as quinn:
        await quinn.signs_in("quinn")
        await quinn.page.click("button[data-theme-switch]")
        await quinn.page.get_by_role("link", name="中文").click()
        await quinn.sees("批次")
        await quinn.goes_to("/lots")
        await quinn.sees("全部")
        assert await quinn.page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        await quinn.screen("lots-zh-dark")


async def test_what_the_policy_forbids_would_be_heard(site):
    async with site.person() as nobody:
        await nobody.goes_to("/sign-in")
        await nobody.page.evaluate(
            "document.head.append(Object.assign(document.createElement('style'), {textContent: 'b{}'}))"
        )
        await nobody.page.wait_for_timeout(200)
        assert any("Content Security Policy" in each for each in nobody.heard)
        nobody.heard.clear()


async def test_an_empty_chairs_screen_locks_itself_but_loses_no_half_written_account(site):
    idle = "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '1 hour' WHERE account_id = $1"
    async with site.person() as tess:
        await tess.page.clock.install()
        await tess.signs_in("tess")
        await tess.goes_to("/bench/already-happened")
        await tess.page.fill("#account", "It was used before")
        await site.lab.sql(idle, site.lab.id_of("tess"))
        site.lab.as_("tess").token = None
        await tess.page.clock.fast_forward("20:00")
        assert await tess.page.input_value("#account") == "It was used before"
        await tess.page.fill("#account", "")
        await tess.page.clock.fast_forward("20:00")
        await tess.comes_to("**/unlock?next=*")
        await tess.sees("Locked", "Tess Tan")
