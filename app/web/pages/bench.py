"""The bench: scan anything, get a big answer and the next step; works with a scanner, gloves and no mouse."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db import deviations
from app.db.scans import KeptScan
from app.db.sessions import SignedIn
from app.db.verifications import Waiting
from app.domain.acts import Act, may, require
from app.domain.errors import NotFound
from app.domain.lots import STATE_NAMES, LotState
from app.domain.scans import KIND_NAMES, Purpose
from app.domain.text import Text
from app.domain.views import respoken
from app.locale import language_of
from app.requests import HouseDep, SignedInDep, token_of
from app.services import bench, scans, sign_in
from app.services.house import House
from app.web.forms import form_call, fresh_key, read_form
from app.web.refusals import PageRoute
from app.web.shell import render
from labels.codes import printable

router = APIRouter(prefix="/bench", route_class=PageRoute)
LAST_SCANS = 8

STEP_NAMES = {
    "isolation": Text("Isolation"),
    "passage": Text("Passage"),
    "fill": Text("Fill"),
    "cryopreservation": Text("Cryopreservation"),
    "thaw": Text("Thaw"),
}
OUTCOME_WORDS = {
    "accepted": Text("accepted"),
    "refused": Text("refused"),
    "unknown": Text("unknown"),
}
TILE_WORDS = {"go": Text("Go"), "wait": Text("Look only"), "stop": Text("Stop")}
TILE_SIGNS = {"go": "circle-check", "wait": "clock", "stop": "stop-sign"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A scan as the bench shows it. `tone` is go, wait or stop."""

    at: datetime
    number: int
    tone: str
    word: Text
    sign: str
    verdict: Text
    headline: Text
    why: Text
    next: Text
    shown: str
    facts: tuple[tuple[Text, str | Text], ...]
    lot: str | None
    item: str | None
    is_refused: bool
    verify: str = ""
    """Where the dialog is in which the person of this badge verifies; nothing where nothing waits."""


@router.get("")
async def read_bench(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The bench."""
    require(who.actor, Act.SCAN)
    past = await scans.last_scans(house, who.actor, account_id=who.actor.account_id, after=None, limit=LAST_SCANS)
    return await render(
        request,
        "bench/page.html",
        who=who,
        **await side_of(request, house, who),
        refusal=None,
        verify=_verify_path(request.query_params.get("verify", "")),
        answers=[_answer(each.scan, each.at, each.verdict, each.raw, each.detail) for each in past],
        already=await _opened(house, who, request.query_params.get("already", "")),
    )


@router.get("/workplace")
async def read_workplace(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The side of the bench: workstation, lot there, what has been done."""
    return await render(request, "bench/_side.html", who=who, refusal=None, **await side_of(request, house, who))


async def side_of(request: Request, house: House, who: SignedIn) -> dict[str, Any]:
    """What the side of the bench shows, as its template takes it."""
    side = await bench.side(house, who)
    names = {each.code: each.named(language_of(request)) for each in side.reasons}
    return {
        "side": side,
        "step_names": STEP_NAMES,
        "state_names": STATE_NAMES,
        "reason_name": lambda code: names.get(code, code),
        "fresh_key": fresh_key,
    }


@router.post("/scan")
async def scan(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """One scan, answered as a tile, a next step and a row of the log. A workstation's label moves the session there."""
    form = await read_form(request)
    call = form_call(request, who, form)
    kept = await scans.scan(
        house,
        token=token_of(request),
        raw=form.secret("raw", most=scans.RAW_LENGTH_MAX + 1),
        key=call.key,
        symbology=None,
        purpose=Purpose.USE if form.secret("intent") == Purpose.USE else Purpose.IDENTIFY,
    )
    answer = _answer(kept.number, kept.at, kept.verdict, kept.raw, kept.detail)
    if _is_workstation(kept):
        # Moving to a workstation twice is moving there once: it needs no key of its own.
        here = await sign_in.work_at(house, replace(call, key=None), who, code=str(kept.detail["code"]))
        answer = replace(
            answer,
            headline=Text("You work at {workstation} now", workstation=here.workstation_name or ""),
            why=Text("What you scan from here on is judged for this workstation."),
            next=Text("Scan what you want to work with."),
        )
    if _is_badge(kept):
        answer = _of_badge(answer, await bench.first_waiting(house, who))
    return await render(request, "bench/_answer.html", who=who, answer=answer)


def _is_badge(kept: KeptScan) -> bool:
    item = kept.detail.get("item")
    return kept.verdict == "accepted" and isinstance(item, dict) and item.get("kind") == "badge"


def _of_badge(answer: Answer, waiting: Waiting | None) -> Answer:
    if waiting is None:
        return replace(
            answer,
            why=Text("Nothing here waits for a second person."),
            next=Text("Scan what you want to work with."),
        )
    return replace(
        answer,
        why=Text("A second person is here to verify."),
        next=Text("Type your PIN, then scan the thing itself."),
        verify=f"/bench/verify/{waiting.what.value}/{waiting.number}",
    )


def _verify_path(asked: str) -> str:
    """The address of the dialog that a page asked for with ?verify=step-12, or nothing."""
    found = re.fullmatch(r"(step|clearance)-([1-9][0-9]{0,17})", asked)
    return f"/bench/verify/{found[1]}/{found[2]}" if found else ""


def _is_workstation(kept: KeptScan) -> bool:
    item = kept.detail.get("item")
    return kept.verdict == "accepted" and isinstance(item, dict) and item.get("kind") == "workstation"


def _answer(number: int, at: datetime, verdict: str, raw: str, detail: Any) -> Answer:
    said = respoken(detail, lambda text: text)
    tone = said.get("colour", "stop")
    item, lot = said.get("item") or {}, said.get("lot") or {}
    is_badge = item.get("kind") == "badge"  # its code is half of what proves a person: it stands on no screen
    return Answer(
        at=at,
        number=number,
        tone=tone,
        word=TILE_WORDS[tone],
        sign=TILE_SIGNS[tone],
        verdict=OUTCOME_WORDS[verdict],
        headline=KIND_NAMES["badge"] if is_badge else said["headline"],
        why=said["why"],
        next=said["next"],
        shown="•••" if is_badge else item.get("code") or printable(raw),
        facts=tuple(_facts(item, lot, said)),
        lot=lot.get("code") if lot.get("kind") in {"preparation", "bank"} else None,
        item=None if is_badge else item.get("code"),
        is_refused=verdict != "accepted",
    )


def _facts(item: dict[str, Any], lot: dict[str, Any], said: dict[str, Any]) -> Iterator[tuple[Text, Text | str]]:
    if item.get("kind"):
        yield Text("What it is"), KIND_NAMES.get(item["kind"], Text("{kind}", kind=item["kind"]))
    if lot.get("name"):
        yield Text("Lot"), lot["name"]
    if lot.get("state"):
        yield Text("State"), STATE_NAMES[LotState(lot["state"])]
    if said.get("donor"):
        yield Text("Donor"), said["donor"]


async def _opened(house: House, who: SignedIn, number: str) -> str:
    """The number of a deviation that is open, or nothing: an address alone proves no record."""
    if not re.fullmatch(r"DV-[0-9]{2}-[0-9]{4,9}", number) or not may(who.actor, Act.READ_LOT):
        return ""
    async with house.door.read(who.actor, Act.READ_LOT) as reading:
        try:
            found = await deviations.find(reading, number=number)
        except NotFound:
            return ""
    return number if found.state == "open" else ""
