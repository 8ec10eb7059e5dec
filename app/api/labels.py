"""Labels over HTTP: made by POST, fetched by GET."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.plumbing import ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line
from app.services import labels
from app.services.labels import MEDIA_TYPES, Form, LabelView, Language

router = APIRouter(prefix="/items", tags=["labels"])


class NewLabel(Body):
    """A label to be made. `reason` is asked for from the second on."""

    language: Language = Language.ENGLISH
    reason: Line | None = None


@router.post("/{code}/labels", status_code=201)
async def print_label(code: Code, body: NewLabel, house: HouseDep, call: CallDep) -> LabelView:
    """Make the label of a vial, read back and compared before anybody can print it."""
    return await labels.print_label(house, call, code=code, language=body.language, reason=body.reason)


@router.get("/{code}/label.{form}", response_class=Response)
async def draw_label(code: Code, form: Form, house: HouseDep, actor: ActorDep, dots_per_mm: float = 12.0) -> Response:
    """The label made last: png and zpl in the dots of a print head of 8, 11.8 or 12 dots/mm, pdf in vectors."""
    content = await labels.label_bytes(house, actor, code=code, form=form, dots_per_mm=dots_per_mm)
    return Response(content, media_type=MEDIA_TYPES[form])
