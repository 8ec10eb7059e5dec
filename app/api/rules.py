"""The rule book over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from app.api.papers import as_pdf
from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Moment
from app.services import papers, rules
from app.services.papers import Language

router = APIRouter(prefix=f"{API}/rules", tags=["rules"])

BUDGET_S = 1.0
"""So long at most a request asks about what is open; what is left is said."""
RuleId = Annotated[str, Path(pattern=r"^[A-Z]{2,6}(-[0-9]{2}[A-Z]?)?$", max_length=12)]
OlderThan = Annotated[Moment | None, Query(description="ask anew where the answer is older than this")]


@router.get("")
async def read_rules(request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """Every rule: title, citations with their standing, gates, who may waive, counterexamples, settings."""
    return JSONResponse(said(request, await rules.read_rules(house, actor)))


@router.get("/book.pdf", response_class=Response)
async def read_book(house: HouseDep, actor: ActorDep, language: Language = Language.ENGLISH) -> Response:
    """The whole book as a paper, with its version, digest and date on every page."""
    return as_pdf(await papers.rule_book(house, actor, language=language))


@router.get("/{rule_id}")
async def read_rule(rule_id: RuleId, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """One rule, its settings as they hold now, and how what is open stands before it."""
    return JSONResponse(said(request, await rules.read_rule(house, actor, rule_id=rule_id, budget_s=BUDGET_S)))


@router.get("/{rule_id}/open")
async def read_open(
    rule_id: RuleId, request: Request, house: HouseDep, actor: ActorDep, older_than: OlderThan = None
) -> JSONResponse:
    """How what is open stands before the rule, each answer with its age. `left`: so many are still older."""
    wanted: datetime | None = older_than
    found = await rules.read_state(house, actor, rule_id=rule_id, older_than=wanted, budget_s=BUDGET_S)
    return JSONResponse(said(request, found))
