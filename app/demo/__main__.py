"""Three stories, told over HTTP: released; refused for a failing result; released by nobody else, by any path."""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg

from app.demo.life import (
    Laboratory,
    Preparation,
    count_labels,
    culture,
    donate,
    label_and_freeze,
    prepare_house,
    qualify_and_assess,
    review,
    run_tests,
)
from app.demo.people import Unexpected
from app.demo.stage import laboratory
from app.demo.telling import console, database_refusal, heading, refusal, step

_FORGED_HISTORY = """
INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, recorded_by)
SELECT id, version + 1, kind, state, 'release', 'released', 1 FROM lab.lots WHERE name = $1
"""
_FORGED_RELEASE = """
INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)
SELECT id, 1, 1, 1, 'x' FROM lab.lots WHERE name = $1
"""
_MINTED_CEREMONY = """
INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors)
SELECT 1, 'released', 'lot', id, version, 'x', '{a,b}' FROM lab.lots WHERE name = $1
"""
_GATE = "SELECT gate.release(id, gen_random_uuid(), 1) FROM lab.lots WHERE name = $1"
ATTACKS = {
    "sets the state": "UPDATE lab.lots SET state = 'released' WHERE name = $1",
    "writes a history of its own": _FORGED_HISTORY,
    "writes a release": _FORGED_RELEASE,
    "calls the gate with a made-up ceremony": _GATE,
    "mints a ceremony": _MINTED_CEREMONY,
    "becomes the gate": "SET ROLE stemma_gate",
    "switches a trigger off": "ALTER TABLE lab.lots DISABLE TRIGGER ALL",
    "deletes the audit": "DELETE FROM audit.rows",
}


def main() -> int:
    """Tell the stories; 0 when they went as they must."""
    lab = laboratory()
    try:
        for person in lab.people.values():
            person.sign_in()
        heading("The house is made ready")
        prepare_house(lab)
        qualify_and_assess(lab)
        first = released_and_guarded(lab)
        second = refused_for_sterility(lab)
        _conclude(lab, first, second)
    except (Unexpected, AssertionError) as error:
        console.print(f"[bold red]The story went wrong:[/] {error}")
        return 1
    return 0


def _life(
    lab: Laboratory, *, name: str, number: str, born: str, but: dict[str, dict[str, str]] | None = None
) -> Preparation:
    made = culture(lab, donate(lab, name=name, number=number, born=born))
    label_and_freeze(lab, made)
    run_tests(lab, made, but=but)
    count_labels(lab, made)
    review(lab, made)
    return made


def released_and_guarded(lab: Laboratory) -> Preparation:
    """The first and the third story share a lot: everybody else tries before the authority releases it."""
    heading("Story 1: a cryopreserved autologous marrow preparation, from donor to the release gate")
    made = _life(lab, name="Zhang Wei", number="H-204117", born="1971-04-02")
    heading("Story 2: nobody else releases it, by any path")
    digest = lab.lin.asks(f"/lots/{made.code}/release-check")["digest"]
    for who, said in (("tess", "Tess (technician)"), ("adam", "Adam (administrator)")):
        body = {"digest": digest, "ceremony": "00000000-0000-4000-8000-000000000000"}
        answer = lab.people[who].tries(f"/lots/{made.code}/release", body)
        refusal(said, f"tries to release {made.name}", answer)
        _must(answer.status_code == 403, answer.text)
    asyncio.run(_raw_sql(made.name))
    _stale_page(lab, made)
    _must(_state(lab, made) == "awaiting_release", "the lot moved")
    heading("Story 1, its end: the quality authority releases")
    checked = lab.lin.does(f"/lots/{made.code}/release-check")
    _must(not checked["blocks"], str([v for v in checked["verdicts"] if v["closes"]]))
    step("Dr Lin Qing (quality authority)", f"ran the release check: {len(checked['verdicts'])} rules, none blocks")
    answer = lab.lin.tries_to_sign("released", {"kind": "lot", "code": made.code}, digest=checked["digest"])
    _must(answer.status_code == 201, answer.text)
    done = lab.lin.does(
        f"/lots/{made.code}/release", {"digest": checked["digest"], "ceremony": answer.json()["ceremony"]}
    )
    step(
        "Dr Lin Qing",
        f"[bold]released {made.name}[/] with password and one-time code; seal: {done['seal']}, leaf {done['proof']['leaf']} of {done['proof']['size']}",
    )
    _must(_state(lab, made) == "released", "the lot was not released")
    return made


def _stale_page(lab: Laboratory, made: Preparation) -> None:
    checked = lab.lin.does(f"/lots/{made.code}/release-check")
    signed = lab.lin.tries_to_sign("released", {"kind": "lot", "code": made.code}, digest=checked["digest"])
    _must(signed.status_code == 201, signed.text)
    lab.quinn.does(f"/lots/{made.code}/send-back", {"reason": "one more look at the freezing curve"})
    lab.quinn.does(f"/lots/{made.code}/submit")
    step("Quinn", "meanwhile took the lot back for one more look at the freezing curve, and submitted it again")
    answer = lab.lin.tries(
        f"/lots/{made.code}/release", {"digest": checked["digest"], "ceremony": signed.json()["ceremony"]}
    )
    refusal("Dr Lin Qing", "signs a page that is stale by now", answer)
    _must(answer.status_code == 409, answer.text)


async def _raw_sql(lot: str) -> None:
    connection = await asyncpg.connect(os.environ["STEMMA_DATABASE_URL"].replace("+asyncpg", ""))
    for tried, statement in ATTACKS.items():
        try:
            await connection.execute(statement, *([lot] if "$1" in statement else []))
        except asyncpg.PostgresError as error:
            database_refusal(f"as the application {tried}", f"{error.sqlstate} {error.message}")
            continue
        raise Unexpected(f"raw SQL worked: {statement}")
    await connection.close()


def refused_for_sterility(lab: Laboratory) -> Preparation:
    """The same life with growth in the sterility test: nothing releases it."""
    heading("Story 3: the same with a failing sterility result")
    made = _life(lab, name="Li Na", number="H-204933", born="1984-11-23", but={"sterility": {"value": "growth"}})
    checked = lab.lin.does(f"/lots/{made.code}/release-check")
    _must(checked["blocks"], "the release check let it pass")
    answer = lab.lin.tries_to_sign("released", {"kind": "lot", "code": made.code}, digest=checked["digest"])
    refusal("Dr Lin Qing", f"comes to sign {made.name}", answer)
    _must(not answer.is_success, "the ceremony was opened")
    answer = lab.lin.tries(
        f"/lots/{made.code}/release", {"digest": checked["digest"], "ceremony": "00000000-0000-4000-8000-000000000000"}
    )
    refusal("Dr Lin Qing", "tries to release it all the same", answer)
    _must(answer.status_code == 409, answer.text)
    _must(_state(lab, made) == "awaiting_release", "the lot moved")
    return made


def _conclude(lab: Laboratory, first: Preparation, second: Preparation) -> None:
    heading("Where they stand")
    for made in (first, second):
        console.print(f"  {made.name}: [bold]{_state(lab, made)}[/]")
    console.print(f"  labels: {lab.folder / 'labels'}")


def _state(lab: Laboratory, made: Preparation) -> str:
    return str(lab.lin.asks(f"/lots/{made.code}")["state"])


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Unexpected(otherwise)


if __name__ == "__main__":
    sys.exit(main())
