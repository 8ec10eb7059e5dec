"""Documents of comparability: proposed about a report of a study, signed once, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

PROPOSE = """
INSERT INTO lab.comparabilities (study_id, reinspection_id, process_id, specification_id, bank_ids, differences, reasons,
    committee_reference, committee_decided_on, file_name, file_sha256, valid_to, proposed_by)
SELECT v.study_id, :report, v.process_id, v.specification_id,
    ARRAY(SELECT b.lot_id FROM lab.study_banks b WHERE b.study_id = v.study_id ORDER BY b.lot_id),
    :differences, :reasons, :committee_reference, :committee_decided_on, :file_name, :file_sha256, :valid_to, :by
FROM lab.study_versions v WHERE v.study_id = :study ORDER BY v.version DESC LIMIT 1 RETURNING id
"""
REPORT = """
SELECT r.id, r.report_number, EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = r.id) AS is_replaced
FROM lab.reinspections r WHERE r.id = :report AND r.study_id = :study
"""
SHOWN = """
SELECT c.id AS comparability, t.number AS study, r.id AS report, r.report_number, s.name || ' ' || s.version AS report_process,
    p.name || ' ' || p.version AS process, f.name || ' ' || f.version AS specification,
    ARRAY(SELECT l.name FROM lab.lots l WHERE l.id = ANY (c.bank_ids) ORDER BY l.id) AS banks,
    c.differences, c.reasons, c.committee_reference, c.committee_decided_on, c.file_name, c.file_sha256, c.valid_to,
    c.made_at, a.printed_name AS proposed_by, c.recorded_at AS proposed_at, g.printed_name AS accepted_by, g.signed_at AS accepted_at
FROM lab.comparabilities c JOIN lab.studies t ON t.id = c.study_id JOIN lab.reinspections r ON r.id = c.reinspection_id
JOIN lab.process_versions s ON s.id = r.process_id JOIN lab.process_versions p ON p.id = c.process_id
JOIN lab.specifications f ON f.id = c.specification_id JOIN people.accounts a ON a.id = c.proposed_by
LEFT JOIN lab.signatures g ON g.id = c.signature_id
WHERE (CAST(:id AS bigint) IS NULL OR c.id = :id) AND (CAST(:study AS bigint) IS NULL OR c.study_id = :study)
ORDER BY c.id DESC LIMIT 200
"""
ACCEPT = "SELECT gate.accept_comparability(:id, :ceremony)"


async def report(reading: Reading, *, study_id: int, report: int) -> Row[Any] | None:
    """A report of the study; None where it has none of this number."""
    return await reading.one(REPORT, study=study_id, report=report)


async def propose(change: Change, *, study_id: int, values: Mapping[str, Any]) -> int:
    """A document from the report to what the study is now. Its number."""
    number: int = await change.value(PROPOSE, study=study_id, **values, by=change.actor.account_id)
    return number


async def of_study(reading: Reading, *, study_id: int) -> Sequence[Row[Any]]:
    """The study's documents, the last proposed first."""
    return await reading.all(SHOWN, id=None, study=study_id)


async def one(reading: Reading, *, number: int) -> Row[Any]:
    """One document. Raises NotFound."""
    row = await reading.one(SHOWN, id=number, study=None)
    if row is None:
        raise NotFound(
            what=Text("There is no document of comparability {number}.", number=number),
            why=Text("Nothing was proposed under this number."),
            remedy=Text("Choose one of the study's page."),
        )
    return row


async def accept(change: Change, *, number: int, ceremony: UUID) -> int:
    """Sign it. The signature's number. Raises CeremonyRefused, Stale, Conflict."""
    signature: int = await change.value(ACCEPT, id=number, ceremony=ceremony)
    return signature
