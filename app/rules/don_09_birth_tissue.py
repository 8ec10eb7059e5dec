"""DON-09: of birth tissue the mother is tested, and the cells are shown to be the infant's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, allogeneic, every, inside, without
from app.domain.donors import decided_at
from app.domain.dossier import Dossier
from app.domain.facts import BirthTest, Donation, Donor, LegacyAbout, SubjectKind
from app.domain.processing import processing_began_at, too_late
from app.domain.rulebook import (
    NEVER,
    RELEASES,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import CN_STEM_CELL_QUALITY, GUIDELINE
from app.domain.text import Text

_MOTHER = "S-MOTHER-1"
_DAY = datetime(2026, 10, 6, 9, tzinfo=UTC)
_GENOTYPE = BirthTest("infant_genotype", "STR", "Genetics laboratory", _DAY, _DAY, 16, None)
_PURE = BirthTest("maternal_contamination", "STR", "Genetics laboratory", _DAY, _DAY, 0, Decimal("0.2"))


def _birth(*, tests: tuple[BirthTest, ...] = (_GENOTYPE, _PURE), **changes: object) -> Edit:
    """The clean dossier once more, of an infant's cord given for others, the mother tested."""
    return all_of(
        allogeneic,
        every("donors", **{"kind": "birth", "tested_person": _MOTHER, **changes}),
        every("donations", birth_tests=tests),
        inside("donations", "tissue_decisions", birth_tissue=True),
    )


def _more_of_the_mother(percent: str) -> tuple[BirthTest, ...]:
    return (_GENOTYPE, replace(_PURE, maternal_percent=Decimal(percent)))


@rule(
    "DON-09",
    Text("Of birth tissue the mother was tested, and the cells are the infant's"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("For cord, placenta and amnion it is the mother whose tests count; the infant is linked with her."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            CN_STEM_CELL_QUALITY,
            "donors",
            Text(
                "The infant's genotype identifies the cells; the mother's cells among them are looked for on their own."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    late_by_nature=("donations.birth_tests",),  # what birth tissue is tested for is known once there are cells to test
    breaks=(
        Break(
            "the infant was tested in the mother's place",
            _birth(tested_person="P-DONOR-1"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break(
            "somebody was tested, but not registered as the infant's mother",
            _birth(kind=None),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break("the cells are said to be the mother's own", _birth(genetic_source=_MOTHER)),
        Break("the infant's genotype was never recorded", _birth(tests=(_PURE,)), outcome=Outcome.INDETERMINATE),
        Break("nobody looked for the mother's cells", _birth(tests=(_GENOTYPE,)), outcome=Outcome.INDETERMINATE),
        Break("too many of the cells are the mother's", _birth(tests=_more_of_the_mother("4.5"))),
        Break(
            "a later test was good and an earlier one was not",
            _birth(tests=(*_more_of_the_mother("4.5"), _PURE)),
        ),
        Break(
            "a genotype without any locus",
            _birth(tests=(replace(_GENOTYPE, loci=0), _PURE)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the tests are reported only after the release is asked for",
            _birth(tests=(replace(_GENOTYPE, reported_at=datetime(2027, 1, 1, tzinfo=UTC)), _PURE)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "whether the tests were made is unknown",
            all_of(_birth(), every("donations", birth_tests=None)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody has decided whether the patient's tissue comes of a birth",
            every("donations", tissue_decisions=()),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "that the tissue does not come of a birth was decided after the isolation",
            inside("donations", "tissue_decisions", approved_at=datetime(2026, 10, 10, 9, tzinfo=UTC)),
        ),
        Break(
            "the donations are unknown",
            without("donations"),
            outcome=Outcome.INDETERMINATE,
            also=("DON-06", "DON-07", "DON-10", "DON-12"),
        ),
    ),
)
def birth_tissue(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge donations whose tissue was decided to come of a birth.

    Genotype and the mother's part are late by nature: they are made of the cells in culture, and asked for at release.
    """
    if not dossier.donations:
        yield lacks(
            dossier.subject,
            Text("No donation is known."),
            Text("Trace the cells back to the donation that they came from."),
        )
    donors: Mapping[str, Donor] = {each.pseudonym: each for each in dossier.donors or ()}
    began = processing_began_at(dossier)
    for donation in dossier.donations or ():
        decision = decided_at(donation, asked.at)
        before = decision if began is None else decided_at(donation, began)
        donor = donors.get(donation.donor)
        if decision is None:
            yield lacks(
                donation.code,
                Text("Nobody has decided whether {tissue} comes of a birth.", tissue=donation.tissue),
                Text(
                    "QA proposes what this tissue is, with the reason; the quality authority decides it by signature."
                ),
            )
        elif not decision.birth_tissue and began is not None and (before is None or before.birth_tissue):
            yield too_late(
                dossier,
                "DON-09",
                subject=donation.code,
                problem=Text(
                    "That {tissue} does not come of a birth was decided at {decided}; processing had begun at {began}.",
                    tissue=decision.name,
                    decided=decision.approved_at,
                    began=began,
                ),
            )
        elif not decision.birth_tissue:
            yield does_not_apply(donation.code, Text("{tissue} does not come of a birth", tissue=decision.name))
        elif donor is None:
            yield lacks(
                donation.code,
                Text("No donor is known."),
                Text("Register the donor before the donation is processed."),
            )
        else:
            yield from _linked(donation, donor)
            if asked.gate in RELEASES:
                yield from _shown_to_be_the_infants(dossier, asked, donation)


def _linked(donation: Donation, donor: Donor) -> Iterator[Statement]:
    if donor.kind != "birth":
        yield fails(
            donation.code,
            Text("{donor} is not registered as an infant with its mother.", donor=donor.pseudonym),
            Text("Register the infant with its mother, who is tested, and record the donation as the infant's."),
        )
    elif donor.tested_person == donor.pseudonym:
        yield fails(
            donation.code,
            Text("The infant itself was named as the person tested."),
            Text("Test the mother, and register the infant with her as the person tested."),
        )
    elif donor.genetic_source != donor.pseudonym:
        yield fails(
            donation.code,
            Text("The cells are registered as those of {source}, not of the infant.", source=donor.genetic_source),
            Text("Register the infant as the genetic source of its own tissue."),
        )
    else:
        yield shows(
            donation.code,
            Text(
                "infant {infant}, tested through its mother {mother}",
                infant=donor.pseudonym,
                mother=donor.tested_person,
            ),
        )


def _shown_to_be_the_infants(dossier: Dossier, asked: Asked, donation: Donation) -> Iterator[Statement]:
    most = settings.number(dossier, "don09.maternal_percent_max")
    made = [each for each in donation.birth_tests or () if each.reported_at <= asked.at]
    genotypes = [each for each in made if each.kind == "infant_genotype" and each.loci > 0]
    looked = [each for each in made if each.kind == "maternal_contamination" and each.maternal_percent is not None]
    if genotypes:
        yield shows(donation.code, Text("the infant's genotype: {count} loci", count=genotypes[-1].loci))
    else:
        yield lacks(
            donation.code,
            Text("The infant's genotype is not recorded."),
            Text("Have the infant's genotype determined and record it by locus."),
        )
    if not looked:
        yield lacks(
            donation.code,
            Text("It is not known how many of the cells are the mother's."),
            Text("Have the cells tested for those of the mother, by a test of its own."),
        )
    for each in looked:
        percent = each.maternal_percent or Decimal(0)
        if percent > most:
            yield fails(
                donation.code,
                Text("{percent} % of the cells are the mother's; at most {most} % may be.", percent=percent, most=most),
                Text("Reject what was made of this donation."),
            )
        else:
            yield shows(
                donation.code,
                Text("{percent} % of the cells are the mother's, at most {most} %", percent=percent, most=most),
            )
