"""A guided walk: one prepared lot is left for a newcomer to finish, as four people in turn, in a quarter of an hour.

Whoever walks works in the browser, where everything happens as in earnest. This only says whose turn it is, what there
is to do, and the one-time code of this moment; it looks at the lot, and goes on when the work is done.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyotp
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text as Styled

from app.demo.life import (
    Laboratory,
    Preparation,
    clear_and_retain,
    culture,
    donate,
    freeze,
    label,
    prepare_house,
    qualify_and_assess,
    run_tests,
)
from app.demo.people import STEP_S, Unexpected
from app.demo.stage import laboratory
from app.demo.telling import console, heading, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.demo.people import Person

LOOKS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's turn: where to go, what to do there, and how one sees that it is done."""

    who: str
    role: str
    path: str
    says: tuple[str, ...]
    done: Callable[[dict[str, Any], list[Any]], bool]


def turns(lab: Laboratory, made: Preparation, *, frozen: int) -> tuple[Turn, ...]:
    """The four turns. `frozen` is the number of the freezing, which nobody has verified yet."""
    vera, vial = lab.vera, made.vials[0]
    return (
        Turn(
            "tess",
            "technician",
            f"/lots/{made.code}/labels",
            (
                f"Four vial labels were printed for {made.name}, and each stands on its vial.",
                "Count them: used 4, destroyed 0, returned 0. Printed must equal what was counted.",
                "Then go to the bench and scan a vial (type its code and press Enter):",
                f"    {vial}",
                f"The freezing waits for a second person. Stay signed in: {vera.printed_name} comes to your bench.",
            ),
            lambda lot, _: _has(lot, "label_count"),
        ),
        Turn(
            "tess",
            f"verifier, {vera.printed_name}, at Tess's bench",
            f"/bench?verify=step-{frozen}",
            (
                f"{vera.printed_name} verifies the freezing with her own badge, her PIN, and a scan of the thing itself:",
                f"    badge  {vera.badge}",
                f"    PIN    {vera.pin}",
                f"    vial   {vial}",
                "Try the badge and PIN alone, or a wrong code, first: an OK alone verifies nothing.",
            ),
            lambda _, waiting: not waiting,
        ),
        Turn(
            "quinn",
            "QA manager",
            f"/lots/{made.code}/batch",
            (
                "Read the batch record: steps, materials, results, labels. What would block stands first.",
                "Accept it by signature (password and a fresh one-time code), then submit the lot for release.",
            ),
            lambda lot, _: lot["state"] in {"awaiting_release", "released"},
        ),
        Turn(
            "lin",
            "quality authority",
            f"/lots/{made.code}/release",
            (
                "Only she may release. Run the release check; each rule shows its evidence and its source.",
                "Sign. Within seconds the seal stands; then print the certificate of release.",
            ),
            lambda lot, _: lot["state"] == "released",
        ),
    )


def _has(lot: dict[str, Any], what: str) -> bool:
    return any(each["what"] == what for each in lot["timeline"])


def prepare(lab: Laboratory) -> tuple[Preparation, int]:
    """A lot with everything done but what the walk is for."""
    heading("A lot is prepared for you")
    prepare_house(lab)
    qualify_and_assess(lab)
    made = culture(lab, donate(lab, name="Chen Jing", number="H-205006", born="1979-06-17"))
    label(lab, made)
    frozen = freeze(lab, made)
    clear_and_retain(lab, made)
    run_tests(lab, made)
    return made, frozen


def walk(lab: Laboratory, made: Preparation, *, frozen: int, address: str) -> None:
    """Turn after turn, until the lot is released."""
    every = turns(lab, made, frozen=frozen)
    began = time.monotonic()
    for number, turn in enumerate(every, start=1):
        person = lab.people[turn.who]
        if not console.is_terminal:  # nobody sees it change there: said once
            console.print(_shown(turn, person, address, number=number, of=len(every)))
        with Live(console=console, refresh_per_second=2, transient=True) as live:
            while not turn.done(*_looked(lab, made)):
                live.update(_shown(turn, person, address, number=number, of=len(every)))
                time.sleep(LOOKS_EVERY_S)
        step(f"{number}/{len(every)}", f"{turn.role}: done")
    minutes = (time.monotonic() - began) / 60
    heading(f"{made.name} is released, by you, in {minutes:.0f} minutes.")
    console.print(f"  The lot and its papers: {address}/lots/{made.code}")
    console.print(f"  What you did, as an inspector reads it: {address}/audit (sign in as quinn)")


def _looked(lab: Laboratory, made: Preparation) -> tuple[dict[str, Any], list[Any]]:
    """The lot, and what of it waits for a second person; seen by somebody who is not in the walk."""
    return lab.quincy.asks(f"/lots/{made.code}"), lab.quincy.asks(f"/lots/{made.code}/unverified")


def _shown(turn: Turn, person: Person, address: str, *, number: int, of: int) -> Panel:
    left_s = STEP_S - int(time.time()) % STEP_S
    code = pyotp.TOTP(person.totp_secret).now()
    signing = Styled.assemble(
        ("sign in as  ", "dim"), (person.username, "bold"), ("   password  ", "dim"), (person.password, "bold"),
        ("   one-time code  ", "dim"), (f"{code[:3]} {code[3:]}", "bold green"), (f"  for {left_s} s more", "dim"),
    )  # fmt: skip
    return Panel(
        Group(
            Styled(f"{address}{turn.path}", style="bold cyan"),
            signing,
            Styled(),
            *(Styled(line) for line in turn.says),
        ),
        title=f"{number} of {of}: {turn.role}",
        title_align="left",
    )


def main() -> int:
    """Prepare the lot, then walk; 0 when it was released."""
    lab = laboratory()
    try:
        for person in lab.people.values():
            person.sign_in()
        made, frozen = prepare(lab)
        walk(lab, made, frozen=frozen, address=os.environ["STEMMA_DEMO_ADDRESS"])
    except (Unexpected, AssertionError) as error:
        console.print(f"[bold red]The walk went wrong:[/] {error}")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
