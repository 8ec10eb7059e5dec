"""The guided walk, walked: at each turn somebody signs in where it says, does what it says, and it sees that it is done."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from app.demo import tour
from app.demo.life import Laboratory
from app.demo.people import Person as OnPaper

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Person, Site
    from tests.world import Lab


@dataclass
class Colleague(OnPaper):
    """Somebody of the demo among the cast: whose next one-time code is not waited for."""

    world: Lab | None = None
    loop: asyncio.AbstractEventLoop | None = None
    asked: ClassVar[int] = 1

    def does(self, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        """The cast's house has its rule pack, and a first version of what donors are asked."""
        if path.startswith("/packs/"):
            return {"proposal": 0}
        if path.endswith("/histories"):
            body = {**body, "version": Colleague.asked}
        answer = super().does(path, body, expect=expect)
        if path == "/questionnaires":
            Colleague.asked = answer["version"]
        return answer

    def signs(self, meaning: str, record: dict[str, str], *, statement: str = "") -> str:
        return "" if meaning == "pack_approved" else super().signs(meaning, record, statement=statement)

    def code(self) -> str:
        assert self.world is not None
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(self.world.totp(self.username), self.loop).result(30)


def laboratory(site: Site, folder: Path) -> Laboratory:
    lab = site.lab
    people = {
        name: Colleague(
            address=site.address,
            username=name,
            printed_name=str(facts["printed_name"]),
            password=str(facts["password"]),
            totp_secret=str(facts["totp_secret"]),
            needs_code=True,
            badge=str(facts["badge"]),
            pin=str(facts["pin"]),
            world=lab,
            loop=asyncio.get_running_loop(),
        )
        for name, facts in lab.cast.items()
        if "badge" in facts
    }
    return Laboratory(people=people, folder=folder)


def prepared(house: Laboratory) -> tuple[tour.Preparation, int]:
    for person in house.people.values():
        person.sign_in()
    return tour.prepare(house)


async def signs(person: Person, name: str, **fields: str) -> None:
    page, lab = person.page, person.site.lab
    await page.locator("dialog:modal").wait_for()
    for field, value in fields.items():
        await page.fill(f"dialog [name={field}]", value)
    await page.fill("dialog input[name=password]", lab.password(name))
    await page.fill("dialog input[name=totp]", await lab.totp(name))
    await page.locator("dialog button[type=submit]").click()


async def test_a_newcomer_finishes_the_lot_in_four_turns(site: Site, tmp_path: Path) -> None:
    house = laboratory(site, tmp_path)
    made, frozen = await asyncio.to_thread(prepared, house)
    turns = tour.turns(house, made, frozen=frozen)
    assert [turn.who for turn in turns] == ["tess", "tess", "quinn", "lin"]

    async def is_done(number: int) -> bool:
        return turns[number].done(*await asyncio.to_thread(tour._looked, house, made))

    for number in range(4):
        assert not await is_done(number), turns[number].role

    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.goes_to(turns[0].path)
        for name, value in (("used", "4"), ("destroyed", "0"), ("returned", "0")):
            await tess.page.fill(f"form[action$=count] [name={name}]", value)
        await tess.screen("tour-1-labels")
        await tess.page.locator("form[action$=count] button[type=submit]").click()
        await tess.page.locator(".balance .verdict .v.go").wait_for()
        assert await is_done(0)
        await tess.goes_to("/bench")
        await tess.page.locator("#scan:focus").wait_for()
        await tess.scans(made.vials[0])
        await tess.sees(made.name)

        await tess.goes_to(turns[1].path)
        await tess.page.locator("#verify-badge:focus").wait_for()
        await tess.scans(house.vera.badge)
        await tess.page.locator("#verify-pin:focus").wait_for()
        await tess.scans(house.vera.pin)
        await tess.page.locator("#verify-scanned:focus").wait_for()
        assert not await is_done(1), "badge and PIN alone verify nothing"
        await tess.scans(made.vials[0])
        await tess.page.locator("#answer .tile.go").wait_for()
        await tess.screen("tour-2-verified")
        assert await is_done(1)

    async with site.person() as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(turns[2].path)
        await quinn.page.locator(".buttons .btn-release").click()
        await quinn.page.check("dialog input[value=accepted]")
        await signs(quinn, "quinn", remarks="Complete.")
        await quinn.page.locator(f".buttons a[href='/lots/{made.code}/moves/submit']").click()
        await quinn.page.locator("main form.entry button[type=submit]").last.click()
        await quinn.comes_to(re.compile(rf"/lots/{made.code}$"))
        assert await is_done(2)

    async with site.person() as lin:
        await lin.signs_in("lin")
        await lin.goes_to(turns[3].path)
        await lin.page.click("#release")
        await signs(lin, "lin")
        await lin.page.locator("#seal").wait_for()
        await lin.screen("tour-4-released")
        assert await is_done(3)
