"""What the database refused, said as a Refusal. Its own codes begin with ST (migrations/sql)."""

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from app.domain.errors import (
    BadInput,
    Blocked,
    Busy,
    CeremonyRefused,
    Conflict,
    Held,
    IllegalMove,
    NotFound,
    NotPermitted,
    Refusal,
    Stale,
    Unavailable,
)
from app.domain.text import Text

SAID: dict[str, tuple[type[Refusal], Text, Text]] = {
    "ST002": (NotFound, Text("There is no such record."), Text("Scan or type the code again.")),
    "ST003": (NotPermitted, Text("What is kept is never changed or removed."), Text("Record a correction instead.")),
    "ST010": (IllegalMove, Text("The state of this lot does not lead there."), Text("Look at the lot's timeline.")),
    "ST011": (NotPermitted, Text("Only a signature moves a lot there."), Text("Ask the person who signs it.")),
    "ST012": (
        Held,
        Text("An open hold blocks every move towards use."),
        Text("Resolve what stands behind the hold, then have the QA manager lift it."),
    ),
    "ST013": (Conflict, Text("This was done before."), Text("Look at the record as it stands now.")),
    "ST014": (NotPermitted, Text("This record needs a signature of its own."), Text("Sign it.")),
    "ST020": (
        Stale,
        Text("The record changed since it was shown."),
        Text("Read it again as it stands now, then sign."),
    ),
    "ST021": (Blocked, Text("The check blocks it."), Text("Read what blocks; what fails is investigated.")),
    "ST022": (
        Blocked,
        Text("The gate itself found against it."),
        Text("Read what blocks; what fails is investigated."),
    ),
    "ST030": (CeremonyRefused, Text("This person cannot sign this."), Text("Ask the person whose signature it is.")),
    "ST031": (
        CeremonyRefused,
        Text("Factors that were just reset cannot sign yet."),
        Text("Wait until the time stated, or have somebody else sign who may."),
    ),
    "ST032": (
        CeremonyRefused,
        Text("There is no live proof of identity for this signature."),
        Text("Sign again with password and one-time code."),
    ),
    "ST033": (CeremonyRefused, Text("Nobody signs for their own work."), Text("Ask a second person.")),
    "ST034": (Conflict, Text("Something that must come first is still open."), Text("Close that first.")),
    "ST035": (
        Conflict,
        Text("Exactly one quality authority acts at a time."),
        Text("Revoke the present appointment first, or choose another time."),
    ),
    "ST036": (Conflict, Text("An administrator holds no other role."), Text("Open an account of its own for it.")),
    "55P03": (Busy, Text("Somebody else is working on it this moment."), Text("Try again in a second.")),
    "40P01": (Busy, Text("Somebody else is working on it this moment."), Text("Try again in a second.")),
    "40001": (Busy, Text("Somebody else is working on it this moment."), Text("Try again in a second.")),
    "57014": (Busy, Text("It took too long and was stopped; nothing was done."), Text("Try again in a second.")),
    "23505": (Conflict, Text("There is one already."), Text("Look at the record as it stands now.")),
    "23P01": (
        Conflict,
        Text("Another is there at the same time."),
        Text("End the other first, for a workstation by clearing the line."),
    ),
    "23503": (Conflict, Text("It refers to something that is not there."), Text("Scan or type the code again.")),
}
WHAT = Text("Nothing was done.")


def refusal_of(error: DBAPIError | PostgresError) -> Refusal:
    """The refusal behind a database error. Re-raises what is no refusal: a fault of ours."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(orig, "sqlstate", "") or "")
    message = str(orig).split(">: ", 1)[-1].splitlines()[0]
    if is_away(error):
        return unanswered()
    if code in SAID:
        kind, why, remedy = SAID[code]
        detail = {"sqlstate": code, "database": message}
        if code == "ST022":
            why = Text("The gate itself found: {what}", what=message)
        if code == "ST031":
            why = Text("Factors that were just reset cannot sign yet: {what}", what=message)
        return kind(what=WHAT, why=why, remedy=remedy, detail=dict(detail))
    if code[:2] in {"22", "23"}:
        return BadInput(
            field="body",
            what=WHAT,
            why=Text("A value cannot be kept as it was given: {what}", what=message),
            remedy=Text("Correct the value and send it again."),
            detail={"sqlstate": code},
        )
    raise error


AWAY = ("08", "57P01", "57P02", "57P03")
"""Codes, or their beginnings, by which a server says that it goes, or is not there yet."""


def is_away(error: DBAPIError | PostgresError) -> bool:
    """Whether this means that the database does not answer, rather than that it said no."""
    code = str(getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", "") or "")
    return code.startswith(AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def unavailable() -> Unavailable:
    """The refusal for a database that is away."""
    return Unavailable(
        what=WHAT,
        why=Text("The database does not answer this moment."),
        remedy=Text("Try again in a few seconds; what was scanned or typed is not lost on this screen."),
        detail={"retry_after_s": 2},
    )


def unanswered() -> Unavailable:
    """The refusal for a request that was cut off: a commit may have been made without its answer arriving."""
    return Unavailable(
        what=Text("It is not known whether this was done."),
        why=Text("The database went away before it answered."),
        remedy=Text("Send it again with the same key; it is done once."),
        detail={"retry_after_s": 2},
    )
