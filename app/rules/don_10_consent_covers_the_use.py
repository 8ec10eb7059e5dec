"""DON-10: the donor consented to this use before the collection, on record before processing, and has not withdrawn it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.counterexamples import all_of, allogeneic, every, gene_modified, inside, setting, within
from app.domain.donors import SCOPE_NAMES, is_proved_autologous
from app.domain.dossier import Dossier
from app.domain.facts import Bank, Consent, Donor, LegacyAbout, SubjectKind
from app.domain.lots import LotKind, LotState
from app.domain.processing import breached, processing_began_at, too_late
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
    undocumented,
)
from app.domain.sources import GUIDELINE, ORDER_818
from app.domain.text import Text

_WITHDRAWN = datetime(2026, 11, 2, 9, tzinfo=UTC)
_LATE = datetime(2026, 10, 4, 9, tzinfo=UTC)
_LATER = datetime(2026, 10, 9, 9, tzinfo=UTC)
_BANKED = (Bank("L0000000009", "BANK-26-0001", LotState.RELEASED),)


@rule(
    "DON-10",
    Text("The donor's consent covers this use, was signed before the collection and stands"),
    cites=(
        Citation(
            ORDER_818,
            "informed consent",
            Text("Material is taken only with written informed consent, on a form that the ethics committee approved."),
            Standing.UNVERIFIED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("The consent says what the material may be used for: banking, gene modification, others."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G2, Gate.G3, Gate.G6, Gate.G10),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break("no consent is on record", every("donors", consents=()), outcome=Outcome.INDETERMINATE),
        Break(
            "no consent before processing",
            every("donors", consents=()),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("withdrawn before the release", inside("donors", "consents", withdrawn_at=_WITHDRAWN)),
        Break(
            "withdrawn before processing",
            inside("donors", "consents", withdrawn_at=_WITHDRAWN),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break("signed an hour after the collection", inside("donors", "consents", signed_at=_LATE)),
        Break(
            "signed after the collection, before processing",
            inside("donors", "consents", signed_at=_LATE),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break(
            "recorded after the isolation, of a paper from before the collection",
            inside("donors", "consents", recorded_at=_LATER),
        ),
        Break(
            "for others on record only after the isolation",
            all_of(allogeneic, inside("donors", "consents", recorded_at=_LATER)),
        ),
        Break("it covers the donation alone", inside("donors", "consents", scopes=("donation",))),
        Break(
            "gene modified cells without a word of it",
            all_of(gene_modified, inside("donors", "consents", scopes=("donation", "processing"))),
        ),
        Break("banked without a word of it", within("banks", lambda _: _BANKED), also=("CB-08",)),
        Break(
            "for somebody else without a word of it",
            all_of(allogeneic, inside("donors", "consents", scopes=("donation", "processing", "storage"))),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break("what a use needs is not set", setting("don10.scopes", ["processing"]), outcome=Outcome.INDETERMINATE),
        Break(
            "the donation that it should precede is another donor's",
            every("donations", donor="P-DONOR-2"),
            outcome=Outcome.INDETERMINATE,
            also=("DON-06",),
        ),
    ),
)
def consent_covers_the_use(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each donor's consents that stand and were signed in time, by what this use needs of them together.

    Signed before the collection, and on record before processing: nobody processes on a paper that nobody has seen. A withdrawal counts whenever it was recorded. It blocks what is not used yet; what was given stays given.
    """
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    for donor in dossier.donors or ():
        yield from _judge(dossier, asked, donor)


def _judge(dossier: Dossier, asked: Asked, donor: Donor) -> Iterator[Statement]:
    needed = tuple(dict.fromkeys(_needed(dossier, donor)))
    collected = min(
        (each.collected_at for each in dossier.donations or () if each.donor == donor.pseudonym), default=None
    )
    if collected is None:
        yield lacks(
            donor.pseudonym,
            Text("It is not known when this donor's material was collected."),
            Text("Trace the cells back to the donation that they came from."),
        )
        return
    standing = tuple(each for each in donor.consents if each.withdrawn_at is None)
    began = processing_began_at(dossier) or asked.at
    signed = tuple(each for each in standing if each.signed_at <= collected)
    in_time = tuple(each for each in signed if each.recorded_at <= began)
    uncovered = tuple(scope for scope in needed if not _covers(in_time, scope))
    if not uncovered:
        yield from (_shown(donor, each) for each in in_time if any(scope in each.scopes for scope in needed))
    elif not donor.consents:
        yield undocumented(
            donor.pseudonym,
            Text("No consent of the donor is on record."),
            Text("Record the consent that was signed; without one nothing is processed."),
        )
    elif all(_covers(signed, scope) for scope in uncovered):
        yield too_late(
            dossier,
            "DON-10",
            subject=donor.pseudonym,
            problem=Text(
                "The consent to {uses} was recorded at {recorded}, after processing began at {began}.",
                uses=_words(uncovered),
                recorded=min(each.recorded_at for each in signed if any(scope in each.scopes for scope in uncovered)),
                began=began,
            ),
        )
    elif all(_covers(standing, scope) for scope in uncovered):
        yield breached(
            dossier,
            "DON-10",
            subject=donor.pseudonym,
            problem=Text(
                "The consent to {uses} was signed after the collection at {collected}.",
                uses=_words(uncovered),
                collected=collected,
            ),
        )
    elif all(_covers(donor.consents, scope) for scope in uncovered):
        yield fails(
            donor.pseudonym,
            Text("The donor has withdrawn the consent to {uses}.", uses=_words(uncovered)),
            Text("Set apart what is not used yet; quality and the donor's physician decide what becomes of it."),
        )
    else:
        yield fails(
            donor.pseudonym,
            Text("No consent covers {uses}.", uses=_words(uncovered)),
            Text("Use the material only for what the donor consented to before it was collected."),
        )


def _needed(dossier: Dossier, donor: Donor) -> Iterator[str]:
    asked = settings.word_lists(dossier, "don10.scopes")
    process, lot = dossier.process, dossier.lot
    yield from asked["always"]
    if not is_proved_autologous(donor):
        yield from asked.get("allogeneic", ())
    if dossier.banks or (lot is not None and lot.kind is LotKind.BANK):
        yield from asked.get("bank", ())
    if process is not None and process.gene_modified:
        yield from asked.get("gene_modified", ())


def _covers(consents: tuple[Consent, ...], scope: str) -> bool:
    return any(scope in each.scopes for each in consents)


def _words(scopes: tuple[str, ...]) -> tuple[Text | str, ...]:
    return tuple(SCOPE_NAMES.get(scope, scope) for scope in scopes)


def _shown(donor: Donor, consent: Consent) -> Statement:
    return shows(
        donor.pseudonym,
        Text(
            "{form}, signed {signed}: {uses}",
            form=consent.form_version,
            signed=consent.signed_at,
            uses=_words(consent.scopes),
        ),
    )
