"""Labels over HTTP: made by POST, fetched by GET, counted at the end of a lot."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code, Line, Name, Number, Prose
from app.services import label_counts, labels
from app.services.label_counts import ImbalanceView, LotLabels
from app.services.labels import MEDIA_TYPES, Form, LabelsView, LabelView, Language, Many, PastLabel

router = APIRouter(prefix=API, tags=["labels"])
Counted = Annotated[int, Field(ge=0, le=1_000_000)]


class NewLabel(Body):
    """A label to be made. A reason, in words or picked, is asked for from the second on; `printer` queues it there."""

    language: Language = Language.ENGLISH
    reason: Line | None = None
    picked: Name | None = None
    printer: Code | None = None


class NewLotLabels(Body):
    """The first labels of all containers of a kind that a lot has in hand; `printer` queues them there."""

    kind: Many = Many.VIAL
    language: Language = Language.ENGLISH
    printer: Code | None = None


class NewLabelCount(Body):
    """What was counted at the end. How many were printed is not asked: it is known."""

    used: Counted
    destroyed: Counted
    returned: Counted
    remark: Prose | None = None


class NewLabelImbalance(Body):
    """What was done about a count that does not come out."""

    deviation: Line
    search: Prose
    mix_up_risk: Prose
    independent_evidence: Prose


@router.post("/items/{code}/labels", status_code=201)
async def print_label(code: Code, body: NewLabel, house: HouseDep, call: CallDep) -> LabelView:
    """Make the label of an item, read back and compared before anybody can print it."""
    return await labels.print_label(
        house,
        call,
        code=code,
        language=body.language,
        reason=body.reason,
        printer=body.printer,
        picked=body.picked,
    )


@router.get("/items/{code}/labels")
async def list_labels(code: Code, house: HouseDep, actor: ActorDep) -> list[PastLabel]:
    """The labels that were made of an item, newest first."""
    return await labels.labels_of(house, actor, code=code)


@router.get("/items/{code}/label.{form}", response_class=Response)
async def draw_label(code: Code, form: Form, house: HouseDep, actor: ActorDep, dots_per_mm: float = 12.0) -> Response:
    """The label made last: png and zpl in the dots of a print head of 8, 11.8 or 12 dots/mm, pdf in vectors."""
    content = await labels.label_bytes(house, actor, code=code, form=form, dots_per_mm=dots_per_mm)
    return Response(content, media_type=MEDIA_TYPES[form])


@router.post("/lots/{code}/labels", status_code=201)
async def print_lot_labels(code: Code, body: NewLotLabels, house: HouseDep, call: CallDep) -> LabelsView:
    """Make the first label of every container of a kind in this lot, at most a hundred at once."""
    return await labels.print_lot_labels(
        house, call, code=code, kind=body.kind, language=body.language, printer=body.printer
    )


@router.get("/lots/{code}/labels")
async def show_lot_labels(
    code: Code,
    house: HouseDep,
    actor: ActorDep,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> LotLabels:
    """The labels of a lot and their counts."""
    return await label_counts.show_labels(house, actor, code=code, after=after, limit=limit)


@router.post("/lots/{code}/label-counts", status_code=201)
async def count_labels(
    request: Request, code: Code, body: NewLabelCount, house: HouseDep, call: CallDep
) -> JSONResponse:
    """Count the labels of a lot at its end. A count that does not come out is kept as it is."""
    view = await label_counts.count_labels(
        house,
        call,
        code=code,
        used=body.used,
        destroyed=body.destroyed,
        returned=body.returned,
        remark=body.remark,
    )
    return JSONResponse(said(request, view), 201)


@router.post("/lots/{code}/label-imbalance", status_code=201)
async def explain_imbalance(code: Code, body: NewLabelImbalance, house: HouseDep, call: CallDep) -> ImbalanceView:
    """State, under an open deviation, what was done about the last count."""
    return await label_counts.explain_imbalance(
        house,
        call,
        code=code,
        deviation=body.deviation,
        search=body.search,
        mix_up_risk=body.mix_up_risk,
        independent_evidence=body.independent_evidence,
    )
