"""Papers over HTTP: made and recorded by POST, fetched by GET with the same bytes each time."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code
from app.services import papers
from app.services.papers import Kind, Language, PaperBytes, PaperView

router = APIRouter(prefix=API, tags=["papers"])

NumberQuery = Annotated[str | None, Query(max_length=80, pattern=r"^[A-Z]{2}-[^\s]+$")]


class NewPaper(Body):
    """A paper to be made, in one language; its headings stand in the other too."""

    language: Language = Language.ENGLISH


@router.post("/lots/{code}/certificate.pdf", status_code=201)
async def make_certificate(code: Code, body: NewPaper, house: HouseDep, call: CallDep) -> PaperView:
    """Make the certificate of a released lot. 409 where it is not released, or its seal is still pending."""
    return await papers.make_paper(house, call, kind=Kind.CERTIFICATE, code=code, language=body.language)


@router.get("/lots/{code}/certificate.pdf", response_class=Response)
async def read_certificate(
    code: Code, house: HouseDep, actor: ActorDep, number: NumberQuery = None, language: Language | None = None
) -> Response:
    """The certificate made last, or the one of this number, as long as the lot is released."""
    found = await papers.paper_bytes(house, actor, kind=Kind.CERTIFICATE, code=code, number=number, language=language)
    return as_pdf(found)


@router.post("/lots/{code}/batch-summary.pdf", status_code=201)
async def make_batch_summary(code: Code, body: NewPaper, house: HouseDep, call: CallDep) -> PaperView:
    """Make the summary of a lot of cells as its record stands now."""
    return await papers.make_paper(house, call, kind=Kind.BATCH_SUMMARY, code=code, language=body.language)


@router.get("/lots/{code}/batch-summary.pdf", response_class=Response)
async def read_batch_summary(
    code: Code, house: HouseDep, actor: ActorDep, number: NumberQuery = None, language: Language | None = None
) -> Response:
    """The batch summary made last, or the one of this number."""
    found = await papers.paper_bytes(house, actor, kind=Kind.BATCH_SUMMARY, code=code, number=number, language=language)
    return as_pdf(found)


@router.post("/donations/{code}/eligibility.pdf", status_code=201)
async def make_eligibility(code: Code, body: NewPaper, house: HouseDep, call: CallDep) -> PaperView:
    """Make the eligibility sheet of a donation. It names nobody."""
    return await papers.make_paper(house, call, kind=Kind.ELIGIBILITY, code=code, language=body.language)


@router.get("/donations/{code}/eligibility.pdf", response_class=Response)
async def read_eligibility(
    code: Code, house: HouseDep, actor: ActorDep, number: NumberQuery = None, language: Language | None = None
) -> Response:
    """The eligibility sheet made last, or the one of this number."""
    found = await papers.paper_bytes(house, actor, kind=Kind.ELIGIBILITY, code=code, number=number, language=language)
    return as_pdf(found)


def as_pdf(paper: PaperBytes) -> Response:
    """The bytes, under the paper's own name, never kept by what lies between."""
    headers = {"Content-Disposition": f'inline; filename="{paper.number}.pdf"', "Cache-Control": "private, no-store"}
    return Response(paper.pdf, media_type="application/pdf", headers=headers)
