"""How a story is told: a heading, a line for each thing done, and a red one for each refusal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    import httpx

console = Console(highlight=False, soft_wrap=True)
_BEGAN = time.monotonic()


def heading(text: str) -> None:
    """A new story."""
    console.print(f"\n[bold]{text}[/]")


def step(who: str, did: str) -> None:
    """Somebody did something."""
    console.print(f"[dim]{time.monotonic() - _BEGAN:5.1f} s[/]  [green]✓[/] [bold]{who}[/] {did}")


def waiting(text: str) -> None:
    """Something takes a while, and that is as it should be."""
    console.print(f"[dim]{time.monotonic() - _BEGAN:5.1f} s  … {text}[/]")


def refusal(who: str, tried: str, answer: httpx.Response) -> dict[str, Any]:
    """Somebody was refused, and is told what, why and what to do."""
    problem: dict[str, Any] = answer.json()
    console.print(
        f"[dim]{time.monotonic() - _BEGAN:5.1f} s[/]  [red]✕[/] [bold]{who}[/] {tried} → [red]{answer.status_code} {problem['kind']}[/]"
    )
    console.print(f"           {problem['why']} {problem['remedy']}")
    for finding in problem.get("findings", [])[:4]:
        console.print(f"           [red]{finding['rule']}[/] {finding['problem']} [dim]{finding['remedy']}[/]")
    return problem


def database_refusal(tried: str, said: str) -> None:
    """The database refused a statement."""
    console.print(f"[dim]{time.monotonic() - _BEGAN:5.1f} s[/]  [red]✕[/] [bold]raw SQL[/] {tried} → [red]{said}[/]")
