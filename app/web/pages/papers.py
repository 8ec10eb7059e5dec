"""Papers on pages: made by a button in either language, listed with who made them, shown by the browser."""

from enum import StrEnum

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.domain.acts import Act, may
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import papers
from app.services.papers import Kind, Language
from app.web.forms import form_call, read_form
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)

KIND_NAMES = {
    Kind.CERTIFICATE: Text("Certificate of release"),
    Kind.BATCH_SUMMARY: Text("Batch summary"),
    Kind.ELIGIBILITY: Text("Donor eligibility sheet"),
}
LANGUAGE_NAMES = {Language.ENGLISH: Text("English"), Language.CHINESE: Text("Chinese")}


class About(StrEnum):
    """What papers are made of: a lot of cells, or a donation."""

    LOTS = "lots"
    DONATIONS = "donations"


KINDS = {About.LOTS: (Kind.CERTIFICATE, Kind.BATCH_SUMMARY), About.DONATIONS: (Kind.ELIGIBILITY,)}


@router.get("/{about}/{code}/papers")
async def list_papers(request: Request, house: HouseDep, who: SignedInDep, about: About, code: CodeDep) -> Response:
    """The papers that were made of it, newest first."""
    found = await papers.list_papers(house, who.actor, code=code)
    return await render(
        request,
        "papers/list.html",
        who=who,
        about=about.value,
        code=code,
        papers=found,
        kinds=KINDS[about],
        may_make=may(who.actor, Act.PRINT_PAPER),
        kind_names=KIND_NAMES,
        language_names=LANGUAGE_NAMES,
    )


@router.post("/{about}/{code}/papers")
async def make_paper(request: Request, house: HouseDep, who: SignedInDep, about: About, code: CodeDep) -> Response:
    """Make a paper, then show it."""
    form = await read_form(request)
    made = await papers.make_paper(
        house,
        form_call(request, who, form),
        kind=form.choice("kind", among=Kind),
        code=code,
        language=form.choice("language", among=Language),
    )
    return RedirectResponse(made.pdf, status_code=303)
