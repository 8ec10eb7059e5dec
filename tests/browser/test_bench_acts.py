"""The bench with gloves and a scanner: a second person verifies without a mouse, timers alarm, the lock shows the cells."""

import hashlib

import pytest

from tests import life
from tests.world import ok


@pytest.fixture(scope="module")
def awake(site):
    """The cast signs in anew: other tests let every session fall asleep."""
    for client in site.lab._clients.values():
        client.token = None
    return site


@pytest.fixture(scope="module")
async def unverified(site, awake):
    """A lot whose isolation and line clearance are made; the isolation waits for a second person."""
    lived = await life.preparation(site.lab, upto="cleared")
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    made = ok(await site.lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body))
    lived.flasks = made["containers"]
    return lived, made["step"]


async def verifications(site, step):
    return await site.lab.value("SELECT count(*) FROM lab.verifications WHERE step_id = $1", step)


async def test_a_second_person_verifies_by_wedge_alone_and_the_lock_keeps_the_cells_in_sight(site, unverified):
    lived, step = unverified
    lab = site.lab
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.scans(lived.workstation)
        await tess.sees("A second person verifies", "not verified yet", within="#workplace")
        await tess.screen("bench-unverified")

        # Vera comes: her badge at the scan box opens the dialog, her PIN and the flask follow, no mouse.
        await tess.scans(lab.badge("vera"))
        await tess.page.locator("dialog#verify #verify-pin:focus").wait_for()
        await tess.screen("bench-verify")
        await tess.page.keyboard.type("000000")
        await tess.page.keyboard.press("Enter")
        await tess.page.locator("#verify-scanned:focus").wait_for()
        await tess.page.keyboard.type(lived.flasks[0])
        await tess.page.keyboard.press("Enter")
        await tess.sees("does not match", within="dialog#verify")
        await tess.screen("bench-verify-refused")
        assert await verifications(site, step) == 0
        assert await tess.page.locator("#verify-pin").input_value() == ""
        await tess.page.locator("#verify-pin").focus()
        for digit in lab.pin("vera"):  # on the big keys this time
            await tess.page.locator(f'.keypad [data-digit="{digit}"]').click()
        await tess.page.locator(".keypad [data-enter]").click()
        await tess.page.locator("#verify-scanned:focus").wait_for()
        await tess.page.keyboard.press("Enter")
        await tess.page.locator("#answer .tile.go").get_by_text("Vera Wei verified it").wait_for()
        assert await verifications(site, step) == 1
        await tess.sees("verified by Vera Wei", within="#workplace")
        assert await tess.page.evaluate("document.activeElement.id") == "scan"
        await tess.screen("bench-verified")

        await tess.page.get_by_role("button", name="Enzyme").click()
        await tess.page.locator(".clock .left").get_by_text("4:").wait_for()
        await tess.page.reload()
        await tess.page.locator(".clock .left").get_by_text("4:").wait_for()
        await tess.screen("bench-timer")
        await lab.arrange(
            "UPDATE lab.timers SET due_at = clock_timestamp() + interval '1 second' WHERE ended_at IS NULL"
        )
        await tess.page.reload()
        await tess.page.locator(".clock.alarm .over").get_by_text("Time is up").wait_for()
        await tess.screen("bench-alarm")

        cookies = {each["name"]: each["value"] for each in await tess.page.context.cookies()}
        digest = hashlib.sha256(cookies["stemma_session"].encode()).digest()
        await lab.sql("UPDATE people.sessions SET seen_at = now() - interval '1 hour' WHERE token_sha256 = $1", digest)
        await tess.page.reload()
        await tess.comes_to("**/unlock?next=/bench")
        await tess.sees(lived.name, "Isolation P0", "Time is up", within="#still")
        await tess.screen("bench-locked")
        await tess.page.locator("#badge:focus").wait_for()
        await tess.page.keyboard.type(lab.badge("vera"))
        await tess.page.keyboard.press("Enter")
        await tess.page.keyboard.type(lab.pin("vera"))
        await tess.page.keyboard.press("Enter")
        await tess.sees("This is the badge of Vera Wei")
        await tess.screen("bench-locked-refused")
        await tess.page.locator("#badge:focus").wait_for()
        await tess.page.keyboard.type(lab.badge("tess"))
        await tess.page.keyboard.press("Enter")
        await tess.page.keyboard.type(lab.pin("tess"))
        await tess.page.keyboard.press("Enter")
        await tess.comes_to("**/bench")
        await tess.page.get_by_role("button", name="I heard it").click()
        await tess.page.locator(".clock").wait_for(state="detached")


async def test_something_is_set_aside_for_a_scanned_reason_and_the_words_follow(site, unverified):
    lived, _ = unverified
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.scans(lived.flasks[1])
        await tess.page.get_by_role("button", name="Set it aside, on hold…").click()
        await tess.page.locator("dialog#hold").wait_for()
        await tess.screen("bench-hold")
        await tess.page.get_by_text("dropped or spilled").click()
        await tess.page.get_by_role("button", name="Put it on hold").click()
        await tess.page.locator("#answer .tile.wait").get_by_text("On hold").wait_for()
        await tess.sees("You still owe words", within="#workplace")
        await tess.screen("bench-owes")
        await tess.page.locator(".owed textarea").first.fill("It slipped from the glove onto the work surface.")
        await tess.page.locator(".owed button").first.click()
        await tess.page.locator(".owes").wait_for(state="detached")


async def test_the_same_in_chinese_in_the_dark_on_a_small_screen(site, awake):
    lived = await life.preparation(site.lab, upto="isolated")
    made = ok(await life.pass_on(lived))
    async with site.person(locale="zh-CN", size=(1024, 600), color_scheme="dark") as tess:
        await tess.signs_in("tess")
        await tess.scans(lived.workstation)
        await tess.page.locator("#workplace .waits").wait_for()
        await tess.screen("bench-unverified-zh")
        await tess.scans(site.lab.badge("vera"))
        await tess.page.locator("dialog#verify #verify-pin:focus").wait_for()
        await tess.screen("bench-verify-zh")
        await tess.page.keyboard.type(site.lab.pin("vera"))
        await tess.page.keyboard.press("Enter")
        await tess.page.keyboard.type(made["containers"][0])
        await tess.page.keyboard.press("Enter")
        await tess.page.locator("dialog#verify").wait_for(state="detached")
        assert await site.lab.value("SELECT count(*) FROM lab.verifications WHERE step_id = $1", made["step"]) == 1
        cookies = {each["name"]: each["value"] for each in await tess.page.context.cookies()}
        digest = hashlib.sha256(cookies["stemma_session"].encode()).digest()
        await site.lab.sql(
            "UPDATE people.sessions SET seen_at = now() - interval '1 hour' WHERE token_sha256 = $1", digest
        )
        await tess.page.reload()
        await tess.page.locator("#still").get_by_text(lived.name).wait_for()
        await tess.screen("bench-locked-zh")
