"""The release page: every rule's answer, what to look at before signing, the sign dialog, and the outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.db.door import Replay
from app.db.sessions import SignedIn
from app.domain.acts import MAY, ROLE_NAMES, Act, Meaning, RecordKind, Role, may
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES, LotState
from app.domain.rulebook import OUTCOME_NAMES, Outcome
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep, source_of
from app.services import ceremonies, release
from app.services.house import House
from app.services.names import printed_names
from app.services.release import JudgementView, VerdictView
from app.web.forms import Form, form_call, fresh_key, read_form
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.refusals import CodeDep, PageRoute, wants_fragment
from app.web.shell import render
from app.web.sources import SECTION_NAMES, SHORT_NAMES, SOURCE_NAMES

router = APIRouter(prefix="/lots/{code}/release", route_class=PageRoute)

ORDER = (
    Outcome.FAIL,
    Outcome.INDETERMINATE,
    Outcome.NEEDS_WAIVER,
    Outcome.WAITS_FOR_SIGNER,
    Outcome.PASS_WITH_WAIVER,
    Outcome.PASS_WITH_LEGACY,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
"""What stands in the way stands first."""

STANDING_NAMES = {
    "reconstructed": Text("wording reconstructed"),
    "unverified": Text("wording to be checked"),
}


@dataclass(frozen=True, slots=True)
class PlainWords:
    """What is released, as the record under the digest says it."""

    name: str
    product: str
    vials: int
    vials_labelled: int
    donors: tuple[str, ...]
    recipient: str | None
    is_autologous: bool
    expires_at: str | None
    specification: str
    process: str


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the box before signing."""

    name: Text
    tone: str
    sign: str
    value: Text


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """A lot before its release gate. `digest` is what a signature would be set to."""

    code: str
    name: str
    state: LotState
    judgement: JudgementView
    verdicts: tuple[VerdictView, ...]
    counts: tuple[tuple[Outcome, int], ...]
    words: PlainWords
    looks: tuple[Look, ...]
    may_check: bool
    may_release: bool
    releasers: tuple[Text, ...]

    @property
    def closing(self) -> int:
        """How many rules keep the gate closed."""
        return sum(verdict.closes for verdict in self.verdicts)

    @property
    def is_at_the_gate(self) -> bool:
        """Whether the lot has come as far as the gate."""
        return self.state in {LotState.AWAITING_RELEASE, LotState.CONDITIONALLY_RELEASED}


@router.get("")
async def read_release(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """How the lot stands now; after its release, the release and its seal."""
    done = await release.release_of(house, who.actor, code=code)
    if done is not None:
        seal = await release.seal_of(house, entry=done.entry, within_s=0)
        page = await _page(house, who, *await release.live_record(house, who.actor, code=code))
        return await render(
            request, "release/done.html", who=who, done=done, seal=seal, page=page, code=code, tries=0, **NAMES
        )
    return await _shown(request, house, who, *await release.live_record(house, who.actor, code=code))


@router.post("/check")
async def check_release(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Judge and keep the judgement; when somebody comes to sign, the dialog opens on exactly what was judged."""
    form = await read_form(request)
    try:
        judgement = await release.check_release(house, form_call(request, who, form), code=code)
        judged = (await ceremonies.record_to_sign(house, who.actor, kind=RecordKind.LOT, ref=judgement.lot)).content
    except Replay:
        judgement, judged = await release.live_record(house, who.actor, code=code)
    return await _shown(request, house, who, judgement, judged, signs=form.optional("then") == "sign")


@router.post("")
async def release_lot(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign: a fresh proof of identity on the digest that was shown, then the gate."""
    form = await read_form(request)
    try:
        ceremony = await _ceremony(request, house, who, form, code=code)
        await _released(request, house, who, form, code=code, ceremony=ceremony)
    except Refusal as refusal:
        return await _refused(request, house, who, form, code=code, refusal=refusal)
    there = f"/lots/{code}/release"
    if wants_fragment(request):
        return Response(status_code=200, headers={"HX-Redirect": there})
    return RedirectResponse(there, status_code=303)


@router.get("/seal")
async def read_seal(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, tries: int = 0) -> Response:
    """Whether the seal stands over the release by now. The page asks ever more slowly, and in the end no more."""
    done = await release.release_of(house, who.actor, code=code)
    if done is None:
        return RedirectResponse(f"/lots/{code}/release", status_code=303)
    seal = await release.seal_of(house, entry=done.entry, within_s=0)
    return await render(request, "release/_seal.html", who=who, seal=seal, code=code, tries=max(0, tries) + 1)


async def _ceremony(request: Request, house: House, who: SignedIn, form: Form, *, code: str) -> UUID:
    try:
        opened = await ceremonies.open_ceremony(
            house,
            form_call(request, who, form, part="ceremony"),
            meaning=Meaning.RELEASED,
            kind=RecordKind.LOT,
            ref=code,
            statement="",
            digest=form.text("digest"),
            password=form.secret("password"),
            totp=form.secret("totp").replace(" ", ""),
            source=source_of(request),
        )
    except Replay as replay:
        return UUID(replay.answer["ceremony"])
    return opened.ceremony


async def _released(request: Request, house: House, who: SignedIn, form: Form, *, code: str, ceremony: UUID) -> None:
    call = form_call(request, who, form, part="release")
    try:
        await release.release_lot(house, call, code=code, digest=form.text("digest"), ceremony=ceremony)
    except Replay:
        return


async def _refused(
    request: Request, house: House, who: SignedIn, form: Form, *, code: str, refusal: Refusal
) -> Response:
    """The dialog again with the refusal in it, under a fresh key: what was refused is not tried again by itself."""
    page = await _page(house, who, *await release.live_record(house, who.actor, code=code))
    is_as_shown = page.judgement.digest == form.secret("digest") and not page.judgement.blocks
    return await render(
        request,
        "release/_sign.html" if wants_fragment(request) else "release/page.html",
        status=refusal.status,
        who=who,
        page=page,
        refusal=refusal,
        key=fresh_key(),
        signs=True,
        is_as_shown=is_as_shown,
        **NAMES,
    )


async def _shown(
    request: Request, house: House, who: SignedIn, judgement: JudgementView, judged: Any, *, signs: bool = False
) -> Response:
    page = await _page(house, who, judgement, judged)
    can_sign = signs and page.may_release and not judgement.blocks and page.is_at_the_gate
    return await render(
        request,
        "release/_judged.html" if wants_fragment(request) else "release/page.html",
        who=who,
        page=page,
        refusal=None,
        key=fresh_key(),
        signs=can_sign,
        is_as_shown=True,
        **NAMES,
    )


async def _page(house: House, who: SignedIn, judgement: JudgementView, judged: Any) -> ReleasePage:
    """The page of a judgement and of the dossier that was judged."""
    outcomes = [verdict.outcome for verdict in judgement.verdicts]
    review = judged["batch_review"]
    people = people_in(text for verdict in judgement.verdicts for text in verdict_texts(verdict))
    names = await printed_names(house, who.actor, usernames=people | ({review["by"]} if review else set()))
    return ReleasePage(
        code=judgement.lot,
        name=judgement.name,
        state=LotState(judgement.state),
        judgement=judgement,
        verdicts=tuple(
            named_verdict(verdict, names)
            for verdict in sorted(judgement.verdicts, key=lambda each: (ORDER.index(each.outcome), each.rule))
        ),
        counts=tuple((each, outcomes.count(each)) for each in ORDER if each in outcomes),
        words=_plain_words(judged),
        looks=tuple(_looks(judged, names)),
        may_check=may(who.actor, Act.CHECK_RELEASE),
        may_release=may(who.actor, Act.RELEASE_LOT),
        releasers=tuple(ROLE_NAMES[role] for role in Role if role in MAY[Act.RELEASE_LOT]),
    )


def _plain_words(dossier: Any) -> PlainWords:
    lot, process, specification = dossier["lot"], dossier["process"] or {}, dossier["specification"] or {}
    vials = [each for each in dossier["containers"] or () if each["kind"] == "vial" and each["state"] == "stored"]
    donors = dossier["donors"] or ()
    return PlainWords(
        name=lot["name"],
        product=lot["product"],
        vials=len(vials),
        vials_labelled=sum(each["labels_verified"] > 0 for each in vials),
        donors=tuple(each["pseudonym"] for each in donors),
        recipient=lot["recipient"],
        is_autologous=bool(donors) and all(each["relation"] == "autologous" for each in donors),
        expires_at=lot["expires_at"],
        specification=f"{specification.get('name', '–')} v{specification.get('version', '–')}",
        process=f"{process.get('name', '–')} v{process.get('version', '–')}",
    )


def _looks(dossier: Any, names: Mapping[str, str]) -> Iterator[Look]:
    review = dossier["batch_review"]
    if review is None:
        yield Look(Text("Batch record reviewed"), "wait", "clock", Text("not yet"))
    elif review["decision"] == "accepted":
        by, on = names.get(review["by"], review["by"]), datetime.fromisoformat(review["at"]).date()
        yield Look(Text("Batch record reviewed"), "go", "check", Text("{by}, {on}", by=by, on=on))
    else:
        yield Look(
            Text("Batch record reviewed"),
            "stop",
            "x",
            Text("returned by {by}", by=names.get(review["by"], review["by"])),
        )
    results = [each for each in dossier["results"] or () if not each["invalidated"]]
    reviewed = sum(each["review"] is not None and each["review"]["decision"] == "accepted" for each in results)
    yield _counted(Text("Results reviewed"), reviewed, len(results))
    yield _none_open(Text("Open holds"), len(dossier["holds"] or ()))
    yield _none_open(Text("Open deviations"), sum(each["state"] == "open" for each in dossier["deviations"] or ()))
    vials = [each for each in dossier["containers"] or () if each["kind"] == "vial" and each["state"] == "stored"]
    yield _counted(Text("Vials with a verified label"), sum(each["labels_verified"] > 0 for each in vials), len(vials))


def _counted(name: Text, done: int, of: int) -> Look:
    is_whole = done == of and of > 0
    return Look(
        name,
        "go" if is_whole else "wait",
        "check" if is_whole else "clock",
        Text("{done} of {of}", done=done, of=of),
    )


def _none_open(name: Text, count: int) -> Look:
    return Look(name, "stop" if count else "go", "x" if count else "check", Text("{count}", count=count))


NAMES: dict[str, Any] = {
    "state_names": STATE_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "standing_names": STANDING_NAMES,
    "source_names": SOURCE_NAMES,
    "short_names": SHORT_NAMES,
    "section_names": SECTION_NAMES,
}
