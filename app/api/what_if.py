"""What if, over HTTP: judged and told, never kept."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code, Line, Moment, Name, Number
from app.domain.facts import MarkerOutcome
from app.domain.what_if import Supposed
from app.services import what_if

router = APIRouter(prefix=f"{API}/lots", tags=["lots"])


class SupposedResult(Body):
    """A value of a line: a number for what is measured, words for what is seen."""

    line: Number
    number: Annotated[Decimal, Field(gt=Decimal("-1e18"), lt=Decimal("1e18"), max_digits=24)] | None = None
    text: Line | None = None


class SupposedMarker(Body):
    """An outcome of a marker, of every donor of the lot."""

    analyte: Name
    marker: Name
    outcome: MarkerOutcome


class Question(Body):
    """What is supposed to be otherwise; nothing of it is recorded."""

    results: Annotated[tuple[SupposedResult, ...], Field(max_length=200)] = ()
    markers: Annotated[tuple[SupposedMarker, ...], Field(max_length=100)] = ()
    waivers: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    pack: Name | None = None
    at: Moment | None = None


@router.post("/{code}/what-if")
async def suppose(code: Code, body: Question, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """How the release gate would answer, beside how it answers now. It decides nothing and no key is needed."""
    supposed = Supposed(
        results={each.line: each.text or "" if each.number is None else each.number for each in body.results},
        markers={(each.analyte, each.marker): each.outcome for each in body.markers},
        waivers=tuple(dict.fromkeys(body.waivers)),
        pack=body.pack,
        at=body.at,
    )
    found = await what_if.suppose(house, actor, code=code, supposed=supposed)
    return JSONResponse(said(request, found), headers={"Cache-Control": "no-store"})
