"""The way of a sample to a laboratory: from hand to hand, and how warm it was."""

from app.domain.assessments import LOT, named, stood
from app.domain.dossier import Dossier
from app.domain.facts import Reinspection
from app.domain.rulebook import Asked, Statement, fails, lacks, shows
from app.domain.text import Text

CUSTODY = "TPR-06"


def custody_of(dossier: Dossier, asked: Asked, report: Reinspection) -> Statement:
    """Whether the sample's way to the laboratory is known and was within its temperatures."""
    number = report.report_number
    low, high, least, most = report.low_c, report.high_c, report.min_c, report.max_c
    if (
        not (report.handed_over_by and report.received_by)
        or low is None
        or high is None
        or least is None
        or most is None
    ):
        return lacks(
            report.lot,
            Text(
                "Report {number}: who handed the sample over and received it, or how warm it was, is not known.",
                number=number,
            ),
            Text("Record it from the courier's and the laboratory's papers; without them send a new sample."),
        )
    if report.excursion or least < low or most > high:
        return _excursion(dossier, asked, report)
    return shows(
        report.lot,
        Text(
            "report {number}: handed over by {by}, received by {to}, {least} to {most} °C within {low} to {high} °C",
            number=number,
            by=report.handed_over_by or "",
            to=report.received_by or "",
            least=least,
            most=most,
            low=low,
            high=high,
        ),
    )


def _excursion(dossier: Dossier, asked: Asked, report: Reinspection) -> Statement:
    assessed = next(
        (each for each in stood(dossier, CUSTODY, asked.at) if each.scope_kind == LOT and each.scope == report.lot),
        None,
    )
    least, most = (Text("not known") if each is None else each for each in (report.min_c, report.max_c))
    if assessed is not None:
        return shows(
            report.lot,
            Text(
                "report {number}: {least} to {most} °C on the way, assessed in {assessment}",
                number=report.report_number,
                least=least,
                most=most,
                assessment=named(assessed),
            ),
        )
    return fails(
        report.lot,
        Text(
            "Report {number}: the sample left its temperatures on the way, {least} to {most} °C.",
            number=report.report_number,
            least=least,
            most=most,
        ),
        Text(
            "Send a new sample; or the quality authority approves an assessment of this lot's sample by its stability."
        ),
    )
