"""Signing from a page: what is signed in plain words, a fresh proof with two factors, and the act, in one sending.

How a page uses it (`app/web/pages/donations.py` is the example; the dialog is `templates/_sign.html`):

    # Only where asks_to_sign(request, Meaning.MATERIAL_APPROVED): the opener is a link that comes back with the dialog.
    dialog = await to_sign(
        house, who, meaning=Meaning.MATERIAL_APPROVED, kind=RecordKind.MATERIAL_LOT, ref=code,
        action=f"/materials/{code}/approval", here=f"/materials/{code}", title=Text("You approve this material lot"),
        lines=(Text("..."),), form=await blank(request, prefix="sign-"),
    )
    # template:  {% import "_sign.html" as sign with context %}
    #   {{ sign.link(here, "material_approved", _("Approve…")) }} ... {% if dialog %}{{ sign.dialog(dialog) }}{% endif %}

    @router.post("/{code}/approval")
    async def approve(request, house, who, code):
        entry = await read_entry(request)
        reason = entry.prose("reason")                     # what the dialog's {% call %} block asks beside
        try:
            ceremony = await signed(house, who, entry, meaning=..., kind=..., ref=code)
            await once(service.approve(house, entry.call(who, part="act"), code=code, ceremony=ceremony))
        except Refusal as refusal:
            return await _shown(..., sign_form=entry.again(refusal, prefix="sign-"))   # the dialog opens with the refusal
        return see(f"/materials/{code}")

The dialog carries the digest that was shown. When the record has changed since, the database refuses the signature, and
the dialog offers to read the record again in place of signing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.domain.acts import MEANINGS
from app.domain.text import Text
from app.requests import source_of
from app.services import ceremonies
from app.web.fields import once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from app.db.sessions import SignedIn
    from app.domain.acts import Meaning, RecordKind
    from app.services.house import House
    from app.web.fields import Entry, FormView

STATEMENT = "statement"
"""The field of the choice that a signature states."""


@dataclass(frozen=True, slots=True)
class SignDialog:
    """A signature about to be given.

    `statements` are the choices that the meaning leaves, each with what the signature then says; empty where it says
    `says` alone. `digest` is of the record as it stands now; `is_as_shown` is false when another one was on the screen.
    """

    id: str
    title: Text
    opener: Text
    submit: Text
    lines: tuple[Text, ...]
    action: str
    here: str
    statements: Mapping[str, Text]
    says: Text | None
    digest: str
    is_as_shown: bool
    is_open: bool
    form: FormView


def may_sign(who: SignedIn, meaning: Meaning) -> bool:
    """Whether this person holds a role that signs with this meaning."""
    return not who.actor.roles.isdisjoint(MEANINGS[meaning].roles)


def asks_to_sign(request: Request, meaning: Meaning) -> bool:
    """Whether the page was asked for with the dialog of this signature open, as `sign.link` does."""
    return request.query_params.get("sign") == dialog_id(meaning)


def dialog_id(meaning: Meaning) -> str:
    """The dialog's id on its page."""
    return f"sign-{meaning.value}"


async def to_sign(
    house: House,
    who: SignedIn,
    *,
    meaning: Meaning,
    kind: RecordKind,
    ref: str,
    action: str,
    here: str,
    title: Text,
    lines: tuple[Text, ...],
    form: FormView,
    opener: Text | None = None,
    submit: Text | None = None,
    statements: tuple[str, ...] | None = None,
    is_open: bool = False,
    digest: str | None = None,
) -> SignDialog:
    """The dialog for one signature on the record as it stands now. Raises NotFound.

    `action` is where it is sent, `here` the page it stands on. `statements` leaves out choices that are not open now.
    `is_open` shows it at once, for a page asked for with `?sign=<id>`; after a refusal it is open in any case.
    `digest` is that of the record where the page has read it already; the ceremony compares it in any case.
    """
    if digest is None:
        digest = (await ceremonies.record_to_sign(house, who.actor, kind=kind, ref=ref)).digest
    choices = {
        statement: says
        for (known, statement), says in ceremonies.WORDS.items()
        if known is meaning and statement is not None and (statements is None or statement in statements)
    }
    shown = form.value("digest")
    return SignDialog(
        id=dialog_id(meaning),
        title=title,
        opener=opener or title,
        submit=submit or Text("Sign"),
        lines=lines,
        action=action,
        here=here,
        statements=choices,
        says=ceremonies.WORDS.get((meaning, None)),
        digest=digest,
        is_as_shown=shown in {"", digest},
        is_open=is_open or form.refusal is not None,
        form=form,
    )


async def signed(
    house: House,
    who: SignedIn,
    entry: Entry,
    *,
    meaning: Meaning,
    kind: RecordKind,
    ref: str,
    statement: str = "",
) -> UUID:
    """Open the ceremony with the digest, the password and the one-time code of the form; the same one when sent twice.

    Raises what opening raises (CeremonyRefused, Stale, Blocked, Locked, Busy, BadInput), and Unreadable for the form's
    own fields, before any factor is looked at.
    """
    answer = await once(
        ceremonies.open_ceremony(
            house,
            entry.call(who, part="ceremony"),
            meaning=meaning,
            kind=kind,
            ref=ref,
            statement=statement,
            digest=entry.secret("digest"),
            password=entry.secret("password"),
            totp=entry.secret("totp").replace(" ", ""),
            source=source_of(entry.request),
        )
    )
    return UUID(answer["ceremony"])
