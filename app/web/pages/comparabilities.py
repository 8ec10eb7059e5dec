"""Documents of comparability: proposed from a report of a study, and signed."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import comparabilities, reinspections
from app.services.comparabilities import ComparabilityView, Compared
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/studies", route_class=PageRoute)
ACCEPTED = Meaning.COMPARABILITY_ACCEPTED
SIGNING = "sign-"


@router.get("/{number}/comparability")
async def list_comparabilities(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The study's documents, the last proposed first."""
    return await render(
        request,
        "comparabilities/list.html",
        who=who,
        number=number,
        found=await comparabilities.list_comparabilities(house, who.actor, number=number),
        may_propose=may(who.actor, Act.PROPOSE_COMPARABILITY),
    )


@router.get("/{number}/comparability/new")
async def ask_comparability(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The form for a document."""
    require(who.actor, Act.PROPOSE_COMPARABILITY)
    return await _proposing(request, house, who, number, await blank(request))


@router.post("/{number}/comparability/new")
async def propose_comparability(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_COMPARABILITY)
    entry = await read_entry(request)
    compared = Compared(
        report=entry.whole("report", least=1, most=2**62),
        differences=entry.prose("differences"),
        reasons=entry.prose("reasons"),
        committee_reference=entry.text("committee_reference"),
        committee_decided_on=entry.day("committee_decided_on"),
        file_name=entry.text("file_name"),
        file_sha256=entry.text("file_sha256", most=100).lower().replace(" ", ""),
        valid_to=entry.day("valid_to", ahead=True),
    )
    if len(compared.file_sha256) != DIGEST or set(compared.file_sha256) - set("0123456789abcdef"):
        entry.problem(
            "file_sha256",
            Text("This is no SHA-256."),
            Text("Copy the 64 characters of 0-9 and a-f that the file's own SHA-256 has."),
        )
    try:
        made = await once(
            comparabilities.propose_comparability(house, entry.call(who), number=number, compared=compared)
        )
    except Refusal as refusal:
        return await _proposing(request, house, who, number, entry.again(refusal))
    return see(f"/studies/{number}/comparability/{made['comparability']}")


@router.get("/{number}/comparability/{comparability:int}")
async def show_comparability(
    request: Request, house: HouseDep, who: SignedInDep, number: str, comparability: int
) -> Response:
    """One document, with the dialog of its signature."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, ACCEPTED) else None
    return await _shown(request, house, who, number, comparability, form)


@router.post("/{number}/comparability/{comparability:int}/signature")
async def accept_comparability(
    request: Request, house: HouseDep, who: SignedInDep, number: str, comparability: int
) -> Response:
    """Accept it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(
            house, who, entry, meaning=ACCEPTED, kind=RecordKind.COMPARABILITY, ref=str(comparability)
        )
        call = entry.call(who, part="act")
        await once(comparabilities.accept_comparability(house, call, comparability=comparability, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, comparability, entry.again(refusal, prefix=SIGNING))
    return see(f"/studies/{number}/comparability/{comparability}")


# -- within ------------------------------------------------------------------------------------------------------------

DIGEST = 64


async def _proposing(request: Request, house: House, who: SignedIn, number: str, form: FormView) -> Response:
    matrix = await reinspections.read_matrix(house, who.actor, number=number)
    return await render(
        request,
        "comparabilities/new.html",
        status=form.status,
        who=who,
        form=form,
        number=number,
        reports={
            str(each.id): Text(
                "{number}, {process}, lot {lot}", number=each.report_number, process=each.stated_process, lot=each.lot
            )
            for each in matrix.reports
            if each.replaced_at is None
        },
    )


async def _shown(
    request: Request, house: House, who: SignedIn, number: str, comparability: int, form: FormView | None
) -> Response:
    found = await comparabilities.read_comparability(house, who.actor, comparability=comparability)
    may_accept = may_sign(who, ACCEPTED) and found.accepted_at is None
    here = f"/studies/{found.study}/comparability/{comparability}"
    dialog = None
    if form is not None and may_accept:
        dialog = await to_sign(
            house,
            who,
            meaning=ACCEPTED,
            kind=RecordKind.COMPARABILITY,
            ref=str(comparability),
            action=f"{here}/signature",
            here=here,
            title=Text("You accept that what was tested again is comparable"),
            lines=_lines(found),
            form=form,
            is_open=True,
        )
    return await render(
        request,
        "comparabilities/comparability.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        here=here,
        may_accept=may_accept,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=ACCEPTED,
    )


def _lines(found: ComparabilityView) -> tuple[Text, ...]:
    return (
        Text(
            "{study}: report {number} about {old} stands for {new}, {specification}, until {day}.",
            study=found.study,
            number=found.report_number,
            old=found.report_process,
            new=found.process,
            specification=found.specification,
            day=found.valid_to,
        ),
        Text("{reasons}", reasons=found.reasons),
    )
