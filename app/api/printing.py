"""Printers and their queue over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Name, Number
from app.services import printing
from app.services.printing import JobState, JobView, Media, PrinterView, SettledView

router = APIRouter(prefix=API, tags=["printing"])


class NewPrinter(Body):
    """A label printer: where it answers (host:port), the dots of its head, and the labels that it holds."""

    name: Name
    room: Name
    address: Line
    dots_per_mm: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    media: Media


@router.post("/printers", status_code=201)
async def define_printer(body: NewPrinter, house: HouseDep, call: CallDep) -> PrinterView:
    """Define a label printer."""
    return await printing.define_printer(
        house,
        call,
        name=body.name,
        room=body.room,
        address=body.address,
        dots_per_mm=body.dots_per_mm,
        media=body.media,
    )


@router.get("/printers")
async def list_printers(house: HouseDep, actor: ActorDep) -> list[PrinterView]:
    """Every printer and how its queue stands."""
    return await printing.list_printers(house, actor)


@router.get("/print-jobs")
async def list_jobs(
    house: HouseDep,
    actor: ActorDep,
    printer: Code | None = None,
    state: JobState | None = None,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[JobView]:
    """Print jobs, newest first."""
    return await printing.list_jobs(house, actor, printer=printer, state=state, after=after, limit=limit)


@router.post("/print-jobs/{number}/retry")
async def try_again(number: Number, house: HouseDep, call: CallDep) -> SettledView:
    """Put a job that failed back into the queue."""
    return await printing.try_again(house, call, number=number)


@router.post("/print-jobs/{number}/cancel")
async def cancel(number: Number, house: HouseDep, call: CallDep) -> SettledView:
    """Give up a job that has not printed."""
    return await printing.cancel(house, call, number=number)


@router.post("/print-jobs/{number}/printed")
async def say_printed(number: Number, house: HouseDep, call: CallDep) -> SettledView:
    """Somebody looked: the label came out."""
    return await printing.say_printed(house, call, number=number)


@router.post("/print-jobs/{number}/not-printed")
async def say_not_printed(number: Number, house: HouseDep, call: CallDep) -> SettledView:
    """Somebody looked: the label did not come out."""
    return await printing.say_not_printed(house, call, number=number)
