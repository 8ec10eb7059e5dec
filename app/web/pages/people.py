"""People: accounts that administrators keep, what people are trained for, and everybody's own page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ROLE_NAMES, Act, Role, may, require
from app.domain.errors import BadInput, Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep, source_of
from app.services import accounts, badges, qualifications
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.qr import qr_picture
from app.web.refusals import PageRoute
from app.web.shell import keep_language, render

router = APIRouter(prefix="/people", route_class=PageRoute)
PAGE = 50
NAME = 120
STATES: Mapping[str, Text] = {"active": Text("open accounts"), "deactivated": Text("closed accounts")}
LANGUAGE_NAMES: Mapping[str, Text] = {"en": Text("English"), "zh_CN": Text("Chinese")}
GRANTABLE: Mapping[str, Text] = {role.value: ROLE_NAMES[role] for role in Role if role is not Role.QUALITY_AUTHORITY}
"""The authority is appointed, never granted."""
USERNAME = r"[a-z][a-z0-9._-]{1,63}"
UsernameDep = Annotated[str, Path(pattern=f"^{USERNAME}$")]
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
TOTP_SECRET_LENGTH = 32
SIX_DIGITS = 16


class Language(StrEnum):
    """What pages are read in."""

    EN = "en"
    ZH = "zh_CN"


# -- accounts ----------------------------------------------------------------------------------------------------------


@router.get("")
async def list_people(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", state: str = "", after: str = ""
) -> Response:
    """Accounts by name; who only supports an appointment goes on to it."""
    if not may(who.actor, Act.READ_ACCOUNTS) and may(who.actor, Act.APPOINT_QUALITY_AUTHORITY):
        return see("/people/appointments")
    sought = "".join(each for each in q.strip()[:NAME] if each.isprintable())
    chosen = state if state in STATES else None
    found = await accounts.list_people(
        house,
        who.actor,
        after="".join(each for each in after[:NAME] if each.isprintable()),
        limit=PAGE,
        state=chosen,
        sought=sought or None,
    )
    return await render(
        request,
        "people/list.html",
        who=who,
        found=found,
        q=sought,
        state=chosen or "",
        states=STATES,
        role_names=ROLE_NAMES,
        next=found[-1].account.username if len(found) == PAGE else None,
    )


@router.get("/new")
async def new_account(request: Request, who: SignedInDep) -> Response:
    """Who gets an account, and as what."""
    require(who.actor, Act.OPEN_ACCOUNT)
    return await _new_shown(request, who, await blank(request, language="en"))


@router.post("/new")
async def open_account(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Open it; its factors are shown once, here."""
    entry = await read_entry(request)
    username, printed_name = entry.text("username", most=64).lower(), entry.text("printed_name", most=NAME)
    language = entry.choice("language", Language)
    roles = entry.several("roles", among=GRANTABLE) if entry.every("roles") else []
    _check_username(entry, username)
    try:
        made = await once(
            accounts.open_account(
                house,
                entry.call(who),
                username=username,
                printed_name=printed_name,
                roles=tuple(Role(each) for each in roles),
                language=language.value,
            )
        )
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal, at={"role": "roles"}))
    return await _factors_shown(request, who, made)


@router.get("/{username}")
async def show_account(request: Request, house: HouseDep, who: SignedInDep, username: str) -> Response:
    """An account: what it may, what it signs in with. One's own page under the name `me`."""
    if username == "me":
        return await _me_shown(request, house, who)
    return await _account_shown(request, house, who, username)


@router.post("/{username}/roles")
async def grant(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Give a role."""
    entry = await read_entry(request)
    role = entry.one_of("role", GRANTABLE)
    try:
        call = entry.call(who)
        await once(accounts.grant_role(house, call, username=username, role=Role(role)))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, form=entry.again(refusal))
    return see(f"/people/{username}")


@router.post("/{username}/roles/{role}/revocation")
async def revoke(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep, role: Role) -> Response:
    """Take a role away."""
    entry = await read_entry(request)
    try:
        await once(accounts.revoke_role(house, entry.call(who), username=username, role=role))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return see(f"/people/{username}")


@router.post("/{username}/factors")
async def reset(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Give fresh factors, shown once."""
    entry = await read_entry(request)
    try:
        made = await once(accounts.reset_factors(house, entry.call(who), username=username))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return await _factors_shown(request, who, made)


@router.post("/{username}/unlocking")
async def unlock(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Forget wrong attempts."""
    entry = await read_entry(request)
    try:
        await once(accounts.unlock_account(house, entry.call(who), username=username))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return see(f"/people/{username}")


@router.post("/{username}/closing")
async def deactivate(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Close an account."""
    entry = await read_entry(request)
    try:
        await once(accounts.deactivate_account(house, entry.call(who), username=username))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return see(f"/people/{username}")


@router.post("/{username}/badge")
async def issue_badge(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Issue a badge; an earlier one is worth nothing any more."""
    entry = await read_entry(request)
    try:
        await once(badges.issue_badge(house, entry.call(who), username=username))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return see(f"/people/{username}")


@router.post("/{username}/badge/revocation")
async def revoke_badge(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Revoke a badge."""
    entry = await read_entry(request)
    try:
        await once(badges.revoke_badge(house, entry.call(who), username=username))
    except Refusal as refusal:
        return await _account_shown(request, house, who, username, refusal=refusal)
    return see(f"/people/{username}")


# -- training ----------------------------------------------------------------------------------------------------------


@router.get("/{username}/training")
async def show_training(request: Request, house: HouseDep, who: SignedInDep, username: str) -> Response:
    """What somebody is trained for, by topic."""
    return await _training_shown(request, house, who, who.actor.username if username == "me" else username)


@router.post("/{username}/training")
async def qualify(request: Request, house: HouseDep, who: SignedInDep, username: UsernameDep) -> Response:
    """Record a qualification."""
    entry = await read_entry(request)
    topic, evidence = entry.text("topic", most=NAME), entry.text("evidence")
    valid_from, valid_to = entry.moment("valid_from", ahead=True), entry.moment("valid_to", ahead=True)
    try:
        call = entry.call(who)
        await once(
            qualifications.qualify(
                house,
                call,
                username=username,
                topic=topic,
                valid_from=valid_from,
                valid_to=valid_to,
                evidence=evidence,
            )
        )
    except Refusal as refusal:
        return await _training_shown(request, house, who, username, form=entry.again(refusal))
    return see(f"/people/{username}/training")


# -- oneself -----------------------------------------------------------------------------------------------------------


@router.post("/me/password")
async def change_password(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Choose another password."""
    entry = await read_entry(request)
    new, again = entry.secret("new_password"), entry.secret("again")
    if new != again:
        entry.problem("again", Text("It is not the same."), Text("Type the new password twice."))
    try:
        await once(
            accounts.change_password(
                house,
                entry.call(who, holds_secrets=True),
                old_password=entry.secret("password"),
                totp=_code_of(entry, "totp"),
                new_password=new,
                source=source_of(request),
            )
        )
    except Refusal as refusal:
        form = entry.again(
            refusal, at={"password": "new_password"}, prefix="password-", forget=("new_password", "again")
        )
        return await _me_shown(request, house, who, password=form)
    return see("/people/me?done=password")


@router.post("/me/pin")
async def set_pin(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Choose the PIN that goes with one's badge."""
    entry = await read_entry(request)
    pin, again = entry.secret("pin"), entry.secret("again")
    if pin != again:
        entry.problem("again", Text("It is not the same."), Text("Type the new PIN twice."))
    try:
        await once(
            badges.set_pin(
                house,
                entry.call(who, holds_secrets=True),
                password=entry.secret("password"),
                totp=_code_of(entry, "totp"),
                pin=pin,
                source=source_of(request),
            )
        )
    except Refusal as refusal:
        return await _me_shown(request, house, who, pin=entry.again(refusal, prefix="pin-", forget=("again",)))
    return see("/people/me?done=pin")


@router.post("/me/language")
async def choose_language(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Read pages in this language, here at once and elsewhere from the next sign-in on."""
    entry = await read_entry(request)
    language = entry.choice("language", Language)
    try:
        await once(accounts.choose_language(house, entry.call(who), language=language.value))
    except Refusal as refusal:
        return await _me_shown(request, house, who, language=entry.again(refusal, prefix="language-"))
    response = see("/people/me?done=language")
    keep_language(response, language.value, is_secure=house.settings.cookie_secure)
    return response


@router.post("/me/sessions/{session}/end")
async def end_session(request: Request, house: HouseDep, who: SignedInDep, session: NumberDep) -> Response:
    """Sign out elsewhere."""
    entry = await read_entry(request)
    try:
        await once(accounts.end_session(house, entry.call(who), session=session))
    except Refusal as refusal:
        return await _me_shown(request, house, who, refusal=refusal)
    return see("/people/me?done=session")


@router.get("/me/totp")
async def offer_totp(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """A fresh secret for an authenticator; it counts once a code made with it has come back."""
    offer = await accounts.offer_totp(house, who.actor)
    form = await blank(request, new_secret=offer.totp_secret)
    return await _totp_shown(request, who, form, offer.totp_secret, offer.totp_uri)


@router.post("/me/totp")
async def change_totp(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Use another authenticator from now on."""
    entry = await read_entry(request)
    secret = entry.secret("new_secret", most=TOTP_SECRET_LENGTH)
    try:
        await once(
            accounts.change_totp(
                house,
                entry.call(who, holds_secrets=True),
                password=entry.secret("password"),
                totp=_code_of(entry, "totp"),
                new_secret=_wellformed(secret),
                new_code=_code_of(entry, "new_code"),
                source=source_of(request),
            )
        )
    except Refusal as refusal:
        form = entry.again(refusal, forget=("new_code", "new_secret"))
        if not _is_secret(secret):
            secret = (await accounts.offer_totp(house, who.actor)).totp_secret
        return await _totp_shown(request, who, form, secret, accounts.uri_of(who.actor, secret))
    return see("/people/me?done=totp")


# -- within ------------------------------------------------------------------------------------------------------------


def ours(there: str) -> str:
    """An address of our own, or nothing: nobody is led away."""
    plain = there.isascii() and there.isprintable() and "\\" not in there
    return there if plain and there.startswith("/") and not there.startswith("//") else ""


def _code_of(entry: Entry, name: str) -> str:
    return entry.secret(name, most=SIX_DIGITS).replace(" ", "")


def _is_secret(secret: str) -> bool:
    return len(secret) == TOTP_SECRET_LENGTH and frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").issuperset(secret)


def _wellformed(secret: str) -> str:
    if not _is_secret(secret):
        raise BadInput(
            field="new_code",
            what=Text("Nothing was changed."),
            why=Text("The secret is not the one that was offered."),
            remedy=Text("Open the page again and take the secret that it shows."),
        )
    return secret


def _check_username(entry: Entry, username: str) -> None:
    plain = username.isascii() and all(each.isalnum() or each in "._-" for each in username)
    if username and not (plain and username[:1].isalpha() and 2 <= len(username) <= 64):
        entry.problem(
            "username",
            Text("A user name begins with a letter and holds letters, digits, dots, hyphens and underscores."),
            Text("Write it as wang.li."),
        )


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "people/new.html",
        status=form.status,
        who=who,
        form=form,
        roles=GRANTABLE,
        languages_offered=LANGUAGE_NAMES,
    )


async def _factors_shown(request: Request, who: SignedIn, made: dict[str, Any]) -> Response:
    """Password and secret, once; nothing keeps this page."""
    uri = made.get("totp_uri")
    return await render(
        request,
        "people/factors.html",
        who=who,
        made=made,
        picture=qr_picture(uri, label="QR") if uri else None,
        headers={"Cache-Control": "no-store"},
    )


async def _account_shown(
    request: Request,
    house: House,
    who: SignedIn,
    username: str,
    *,
    form: FormView | None = None,
    refusal: Refusal | None = None,
) -> Response:
    person = await accounts.show_person(house, who.actor, username=username)
    shown = refusal or (form.refusal if form else None)
    keeps_accounts = may(who.actor, Act.GRANT_ROLE)
    granting = None
    if keeps_accounts and person.account.active:
        granting = form or await blank(request)
    return await render(
        request,
        "people/account.html",
        status=shown.status if shown else 200,
        who=who,
        person=person,
        account=person.account,
        badge=await badges.badge_of(house, who.actor, username=username),
        role_names=ROLE_NAMES,
        language_names=LANGUAGE_NAMES,
        grantable={role: name for role, name in GRANTABLE.items() if Role(role) not in person.account.roles},
        form=granting,
        key=(await blank(request)).key,
        is_oneself=person.account.username == who.actor.username,
        refusal=shown if shown is not None and (refusal or granting is None) else None,
    )


async def _training_shown(
    request: Request, house: House, who: SignedIn, username: str, *, form: FormView | None = None
) -> Response:
    training = await qualifications.training_of(house, who.actor, username=username)
    may_record = may(who.actor, Act.QUALIFY_PERSON) and username != who.actor.username
    topics = await qualifications.topics(house, who.actor)
    standing = {topic: [each for each in training.qualifications if each.topic == topic] for topic in topics}
    return await render(
        request,
        "people/training.html",
        status=form.status if form else 200,
        who=who,
        training=training,
        topics=topics,
        standing=standing,
        former=[each for each in training.qualifications if each.topic not in topics],
        form=(form or await blank(request, valid_from=datetime.now(UTC))) if may_record else None,
        refusal=form.refusal if form and not may_record else None,
    )


DONE: Mapping[str, Text] = {
    "password": Text("The password is changed. Other sessions were ended."),
    "pin": Text("The PIN is set."),
    "language": Text("The language is kept."),
    "session": Text("The session was ended."),
    "totp": Text("The new authenticator counts from now on. Other sessions were ended."),
}


async def _me_shown(
    request: Request,
    house: House,
    who: SignedIn,
    *,
    password: FormView | None = None,
    pin: FormView | None = None,
    language: FormView | None = None,
    refusal: Refusal | None = None,
) -> Response:
    own = await accounts.show_oneself(house, who.actor)
    tried = next((each.refusal for each in (password, pin, language) if each is not None and each.refusal), refusal)
    return await render(
        request,
        "people/me.html",
        status=tried.status if tried else 200,
        who=who,
        own=own,
        account=own.person.account,
        role_names=ROLE_NAMES,
        language_names=LANGUAGE_NAMES,
        password_form=password or await blank(request, prefix="password-"),
        pin_form=pin or await blank(request, prefix="pin-"),
        language_form=language or await blank(request, prefix="language-", language=own.person.account.language),
        key=(await blank(request)).key,
        refusal=refusal,
        done=None if tried else DONE.get(request.query_params.get("done", "")),
        limit=house.settings.sessions_per_person_max,
        ended=request.query_params.get("ended", "").isdigit(),
        onwards=ours(request.query_params.get("next", "")) or "/",
    )


async def _totp_shown(request: Request, who: SignedIn, form: FormView, secret: str, uri: str) -> Response:
    return await render(
        request,
        "people/totp.html",
        status=form.status,
        who=who,
        form=form,
        secret=secret,
        picture=qr_picture(uri, label="QR"),
        headers={"Cache-Control": "no-store"},
    )
