"""Donations: received by scan into quarantine, judged by the rules, determined by signature."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, require
from app.domain.donors import BIRTH_TESTS
from app.domain.errors import Refusal
from app.domain.facts import Eligibility
from app.domain.rulebook import OUTCOME_NAMES, Outcome, Verdict
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import donation_care, donations, donors
from app.services.donations import DonationView
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.donors import DONATION_MARKS, NAME, PAGE, RELATION_NAMES
from app.web.pages.items import EQUIPMENT_KINDS
from app.web.refusals import CodeDep, PageRoute
from app.web.saying import grouped
from app.web.shell import render, the_facility
from app.web.signing import STATEMENT, SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(route_class=PageRoute)
SIGNING = "sign-"

TISSUES = (
    Text("bone marrow"),
    Text("adipose tissue"),
    Text("umbilical cord"),
    Text("cord blood"),
    Text("placenta"),
    Text("amnion"),
    Text("peripheral blood"),
    Text("dental pulp"),
    Text("skin"),
)
"""What is often received; any other name may be written. Kept in English."""

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


@router.get("/donations")
async def list_donations(request: Request, house: HouseDep, who: SignedInDep, after: str | None = None) -> Response:
    """Donations, newest first."""
    found = await donations.list_donations(house, who.actor, after=after, limit=PAGE)
    return await render(
        request,
        "donations/list.html",
        who=who,
        found=found,
        next=found[-1].code if len(found) == PAGE else None,
        donation_marks=DONATION_MARKS,
    )


@router.get("/donors/{code}/donations/new")
async def new_donation(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A donation as it arrived."""
    require(who.actor, Act.RECEIVE_DONATION)
    return await _new_shown(request, house, who, code, await blank(request, received_at=datetime.now(UTC)))


@router.post("/donors/{code}/donations/new")
async def receive_donation(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Receive it into quarantine."""
    entry = await read_entry(request)
    given: dict[str, Any] = {
        "tissue": entry.text("tissue", most=NAME),
        "collected_at": entry.moment("collected_at"),
        "received_at": entry.moment("received_at"),
        "din": entry.optional("din"),
        "volume_ml": entry.optional_amount("volume_ml"),
    }
    try:
        made = await once(donations.receive_donation(house, entry.call(who), donor=code, **given))
    except Refusal as refusal:
        return await _new_shown(request, house, who, code, entry.again(refusal))
    return see(f"/donations/{made['code']}")


@router.get("/donations/{code}")
async def show_donation(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A donation, every rule of the gate into processing, and the determination."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, Meaning.ELIGIBILITY_DETERMINED) else None
    return await _shown(request, house, who, code, form)


@router.post("/donations/{code}/determination")
async def determine(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign whether the donor is eligible."""
    entry = await read_entry(request)
    decision, reason = entry.choice(STATEMENT, Eligibility), entry.prose("reason")
    valid_until = entry.optional_moment("valid_until", ahead=True)
    try:
        ceremony = await signed(
            house,
            who,
            entry,
            meaning=Meaning.ELIGIBILITY_DETERMINED,
            kind=RecordKind.DONATION,
            ref=code,
            statement=decision.value,
        )
        await once(
            donations.determine_eligibility(
                house,
                entry.call(who, part="act"),
                code=code,
                decision=decision,
                reason=reason,
                valid_until=valid_until,
                ceremony=ceremony,
            )
        )
    except Refusal as refusal:
        return await _shown(request, house, who, code, entry.again(refusal, prefix=SIGNING))
    return see(f"/donations/{code}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _new_shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    donor = await donors.read_donor(house, who.actor, code=code)
    return await render(
        request, "donations/new.html", status=form.status, who=who, form=form, donor=donor, tissues=TISSUES
    )


async def _shown(request: Request, house: House, who: SignedIn, code: str, form: FormView | None) -> Response:
    donation = await donations.read_donation(house, who.actor, code=code)
    may = may_sign(who, Meaning.ELIGIBILITY_DETERMINED)
    dialog = await _dialog(request, house, who, donation, form) if form is not None and may else None
    verdicts = donation.gate.verdicts if donation.gate else ()
    return await render(
        request,
        "donations/donation.html",
        status=form.status if form else 200,
        who=who,
        donation=donation,
        care=await donation_care.read_care(house, who.actor, code=code),
        kinds=EQUIPMENT_KINDS,
        birth_tests=BIRTH_TESTS,
        verdicts=sorted(verdicts, key=lambda each: (ORDER.index(each.outcome), each.rule)),
        closing=sum(each.closes for each in verdicts),
        may_determine=may,
        refusal=form.refusal if form and not may else None,
        dialog=dialog,
        meaning=Meaning.ELIGIBILITY_DETERMINED,
        relation_names=RELATION_NAMES,
        donation_marks=DONATION_MARKS,
        outcome_names=OUTCOME_NAMES,
    )


async def _dialog(request: Request, house: House, who: SignedIn, donation: DonationView, form: FormView) -> SignDialog:
    against = [each.rule for each in _against(donation)]
    zone = (await the_facility(request)).zone
    lines = [
        Text(
            "Donation {code}: {tissue} of donor {donor}, collected {collected}, received {received}.",
            code=grouped(donation.code),
            tissue=donation.tissue,
            donor=donation.donor,
            collected=f"{donation.collected_at.astimezone(zone):%Y-%m-%d %H:%M}",
            received=f"{donation.received_at.astimezone(zone):%Y-%m-%d %H:%M}",
        )
    ]
    if against:
        lines.append(
            Text("Eligible cannot be signed now; not satisfied: {rules}.", rules=tuple(dict.fromkeys(against)))
        )
    return await to_sign(
        house,
        who,
        meaning=Meaning.ELIGIBILITY_DETERMINED,
        kind=RecordKind.DONATION,
        ref=donation.code,
        action=f"/donations/{donation.code}/determination",
        here=f"/donations/{donation.code}",
        title=Text("You determine the donor's eligibility"),
        submit=Text("Sign the determination"),
        lines=tuple(lines),
        statements=(Eligibility.INELIGIBLE.value,) if against else None,
        form=form,
        is_open=True,
    )


def _against(donation: DonationView) -> Iterator[Verdict]:
    """What keeps *eligible* from being signed: all but the missing determination itself."""
    for verdict in donation.gate.verdicts if donation.gate else ():
        if verdict.rule != "DON-12" and verdict.outcome in {Outcome.FAIL, Outcome.INDETERMINATE}:
            yield verdict
