"""Ceremonies over HTTP: read what is to be signed, then prove who signs it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, SecretStr, StringConstraints

from app.api.plumbing import API, ActorDep, HouseDep, SecretCallDep, source_of
from app.api.saying import said
from app.api.schemas import Body, Code
from app.domain.acts import Meaning, RecordKind
from app.domain.errors import BadInput
from app.domain.text import Text
from app.services import ceremonies
from app.services.ceremonies import RecordView

router = APIRouter(prefix=f"{API}/ceremonies", tags=["ceremonies"])

Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]


class RecordRef(Body):
    """Items by `code`; deviations, results, holds, waivers, proposals and appointments by `ref`."""

    kind: RecordKind
    code: Code | None = None
    ref: Reference | None = None


class Signing(Body):
    """One signature: what it says, on what, as it was shown, and both factors."""

    meaning: Meaning
    record: RecordRef
    statement: Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)] = ""
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    password: Annotated[SecretStr, Field(min_length=1, max_length=512)]
    totp: Annotated[str, StringConstraints(min_length=1, max_length=16)]


@router.get("/record")
async def read_record(
    house: HouseDep,
    actor: ActorDep,
    kind: RecordKind,
    code: Annotated[Code | None, Query()] = None,
    ref: Annotated[Reference | None, Query()] = None,
) -> RecordView:
    """The record as it stands now, and the digest to sign."""
    return await ceremonies.record_to_sign(house, actor, kind=kind, ref=_named(code, ref))


@router.post("", status_code=201)
async def open_ceremony(body: Signing, request: Request, house: HouseDep, call: SecretCallDep) -> JSONResponse:
    """Prove who signs. The ceremony lives two minutes, for this record as it was shown, and is used once."""
    view = await ceremonies.open_ceremony(
        house,
        call,
        meaning=body.meaning,
        kind=body.record.kind,
        ref=_named(body.record.code, body.record.ref),
        statement=body.statement,
        digest=body.digest,
        password=body.password.get_secret_value(),
        totp=body.totp,
        source=source_of(request),
    )
    return JSONResponse(said(request, view), 201)


def _named(code: str | None, ref: str | None) -> str:
    if (code is None) == (ref is None):
        raise BadInput(
            field="record",
            what=Text("Nothing was signed."),
            why=Text("A record is named by its code or by its reference."),
            remedy=Text("Name it by one of them."),
        )
    return code or ref or ""
