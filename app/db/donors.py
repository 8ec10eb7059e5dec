"""Donors by pseudonym: the three facts kept apart, identity matches, consents, infection markers. No identity here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.db.items import Item, find, new_item
from app.domain.errors import NotFound
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Change, Reading

PSEUDONYM = "SELECT CAST(:letter AS text) || '-' || lab.counted(nextval('lab.pseudonyms'))"
NEW_PERSON = "INSERT INTO lab.persons (id, pseudonym) VALUES (:id, :pseudonym)"
NEW_DONOR = """
INSERT INTO lab.donors (id, relation, tested_person_id, genetic_source_id, recipient_id, kind, recorded_by)
VALUES (:id, :relation, :tested_person, :genetic_source, :recipient, :kind, :by)
"""
PERSON = (
    "SELECT p.id, p.pseudonym, k.code FROM lab.item_codes k JOIN lab.persons p ON p.id = k.item_id WHERE k.code = :code"
)
PERSON_BY_ID = """
SELECT p.id, p.pseudonym, k.code FROM lab.persons p
JOIN lab.item_codes k ON k.item_id = p.id AND k.scheme = 'own' WHERE p.id = :id
"""
DONOR = """
SELECT d.id, k.code, p.pseudonym, d.relation, d.kind, d.recorded_at, t.pseudonym AS tested_person,
    g.pseudonym AS genetic_source, r.pseudonym AS recipient, d.recipient_id
FROM lab.item_codes k JOIN lab.donors d ON d.id = k.item_id JOIN lab.persons p ON p.id = d.id
JOIN lab.persons t ON t.id = d.tested_person_id JOIN lab.persons g ON g.id = d.genetic_source_id
LEFT JOIN lab.persons r ON r.id = d.recipient_id
WHERE k.code = :code
"""
MATCHES = """
SELECT p.pseudonym AS recipient, m.identifiers, v.username AS verified_by, s.username AS second_by, m.recorded_at AS at
FROM lab.identity_matches m JOIN lab.persons p ON p.id = m.recipient_id
JOIN people.accounts v ON v.id = m.verified_by LEFT JOIN people.accounts s ON s.id = m.second_by
WHERE m.donor_id = :id ORDER BY m.id
"""
CONSENTS = "SELECT form_version, scopes, signed_at, withdrawn_at FROM lab.consents WHERE donor_id = :id ORDER BY id"
MARKERS = """
SELECT id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_at
FROM lab.marker_results WHERE donor_id = :id ORDER BY id
"""
DONATIONS = """
SELECT k.code FROM lab.donations d JOIN lab.item_codes k ON k.item_id = d.id AND k.scheme = 'own'
WHERE d.donor_id = :id ORDER BY d.id
"""
LIST = """
SELECT k.code, p.pseudonym, d.relation, d.recorded_at,
    (SELECT count(*) FROM lab.donations o WHERE o.donor_id = d.id) AS donations
FROM lab.donors d JOIN lab.persons p ON p.id = d.id JOIN lab.item_codes k ON k.item_id = d.id AND k.scheme = 'own'
WHERE (CAST(:after AS text) IS NULL OR d.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
    AND (CAST(:relation AS text) IS NULL OR d.relation = :relation)
    AND (CAST(:sought AS text) IS NULL OR starts_with(p.pseudonym, :sought)
        OR d.id = (SELECT item_id FROM lab.item_codes WHERE code = :sought))
ORDER BY d.id DESC LIMIT :limit
"""
PANEL = """
SELECT value FROM lab.settings WHERE name = 'don01.panel' AND valid_from <= clock_timestamp()
ORDER BY valid_from DESC, version DESC LIMIT 1
"""
FURTHER = """
SELECT DISTINCT ON (name) name, value FROM lab.settings
WHERE name = ANY ('{don01.panel,don02.panel,donors.further_analytes}') AND valid_from <= clock_timestamp()
ORDER BY name, valid_from DESC, version DESC
"""
ALL_WITHOUT_LEUKOCYTES = """
SELECT count(*) > 0 AND bool_and(EXISTS (
    SELECT FROM lab.tissue_types t WHERE t.signature_id IS NOT NULL AND NOT t.leukocyte_rich
      AND lower(btrim(d.tissue)) IN (lower(t.name), lower(t.name_zh))
      AND NOT EXISTS (SELECT FROM lab.tissue_types n WHERE n.signature_id IS NOT NULL AND lower(n.name) = lower(t.name)
                      AND n.version > t.version)))
FROM lab.donations d WHERE d.donor_id = :id
"""
SAMPLINGS = """
SELECT sampled_at, weight_kg, blood_ml, colloid_ml, crystalloid_ml FROM lab.sampling_statements
WHERE donor_id = :id ORDER BY id
"""
STATE_SAMPLING = """
INSERT INTO lab.sampling_statements (donor_id, sampled_at, weight_kg, blood_ml, colloid_ml, crystalloid_ml, recorded_by)
VALUES (:donor, :sampled_at, :weight_kg, :blood_ml, :colloid_ml, :crystalloid_ml, :by)
"""
MATCH = """
INSERT INTO lab.identity_matches (donor_id, recipient_id, identifiers, verified_by, second_by, recorded_by)
VALUES (:donor, :recipient, CAST(:identifiers AS text[]), :by, :second_by, :by)
"""
CONSENT = """
INSERT INTO lab.consents (donor_id, form_version, scopes, signed_at, recorded_by)
VALUES (:donor, :form_version, CAST(:scopes AS text[]), :signed_at, :by)
"""
WITHDRAW = """
UPDATE lab.consents SET withdrawn_at = :at
WHERE donor_id = :donor AND form_version = :form_version AND withdrawn_at IS NULL AND signed_at <= :at RETURNING id
"""
MARKER = """
INSERT INTO lab.marker_results
    (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by)
VALUES (:donor, :analyte, :marker, :method, :kit_lot, :laboratory, :sampled_at, :reported_at, :outcome, :by)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known by pseudonym: a donor, a recipient, or the mother who is tested for her child."""

    id: int
    code: str
    pseudonym: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is recorded of a donor, in rows as they stand."""

    donor: Row[Any]
    matches: Sequence[Row[Any]]
    consents: Sequence[Row[Any]]
    markers: Sequence[Row[Any]]
    donations: Sequence[Row[Any]]
    samplings: Sequence[Row[Any]]


async def new_person(change: Change, *, letter: str) -> Person:
    """A new person: an item of its own, and a pseudonym that begins with the letter."""
    item: Item = await new_item(change, kind="person", code_kind=CodeKind.PERSON)
    pseudonym: str = await change.value(PSEUDONYM, letter=letter)
    await change.run(NEW_PERSON, id=item.id, pseudonym=pseudonym)
    return Person(item.id, item.code, pseudonym)


async def person(reading: Reading, *, code: str) -> Person:
    """The person of this code. Raises NotFound."""
    await find(reading, code=code, kind="person")
    row = await reading.one(PERSON, code=code)
    if row is None:
        raise RuntimeError("an item of kind person always has its row")
    return Person(row.id, row.code, row.pseudonym)


async def person_by_id(reading: Reading, *, person_id: int) -> Person:
    """The person behind a key that the database itself gave."""
    row = await reading.one(PERSON_BY_ID, id=person_id)
    if row is None:
        raise RuntimeError("a person always has a code")
    return Person(row.id, row.code, row.pseudonym)


async def donor(reading: Reading, *, code: str) -> Row[Any]:
    """The donor of this code: pseudonym, relation, the three facts. Raises NotFound, for another person too."""
    row = await reading.one(DONOR, code=code)
    if row is None:
        found = await person(reading, code=code)
        raise NotFound(
            what=Text("{code} is no donor.", code=code),
            why=Text("{pseudonym} is registered as a person, not as a donor.", pseudonym=found.pseudonym),
            remedy=Text("Scan the donor's label."),
        )
    return row


async def record(reading: Reading, *, code: str) -> Record:
    """Everything but the identity. Raises NotFound."""
    found = await donor(reading, code=code)
    return Record(
        donor=found,
        matches=await reading.all(MATCHES, id=found.id),
        consents=await reading.all(CONSENTS, id=found.id),
        markers=await reading.all(MARKERS, id=found.id),
        donations=await reading.all(DONATIONS, id=found.id),
        samplings=await reading.all(SAMPLINGS, id=found.id),
    )


async def page(
    reading: Reading, *, after: str | None, limit: int, relation: str | None = None, sought: str | None = None
) -> Sequence[Row[Any]]:
    """Donors, newest first, after the donor of this code. `sought`: how a pseudonym begins, or a whole code."""
    return await reading.all(LIST, after=after, limit=limit, relation=relation, sought=sought)


async def panel(reading: Reading) -> Mapping[str, tuple[str, ...]]:
    """The panel of infection markers in force, by analyte."""
    found: Mapping[str, Sequence[str]] | None = await reading.value(PANEL)
    return {analyte: tuple(names) for analyte, names in (found or {}).items()}


async def whole_panel(reading: Reading, *, donor_id: int, relation: str) -> Mapping[str, tuple[str, ...]]:
    """The panel that is asked of this donor: of one who gives for others also that for leukocyte-rich tissue.

    That part is left out only where every donation is of a tissue decided not to be rich in leukocytes.
    """
    found = {row.name: row.value for row in await reading.all(FURTHER)}
    panel = {analyte: tuple(names) for analyte, names in (found.get("don01.panel") or {}).items()}
    if relation == "allogeneic" and not await reading.value(ALL_WITHOUT_LEUKOCYTES, id=donor_id):
        panel |= {analyte: tuple(names) for analyte, names in (found.get("don02.panel") or {}).items()}
    return panel


async def known_analytes(reading: Reading) -> tuple[str, ...]:
    """The infections that the settings in force know: of both panels, and those besides."""
    found = {row.name: row.value for row in await reading.all(FURTHER)}
    names = [*found.get("don01.panel", {}), *found.get("don02.panel", {}), *found.get("donors.further_analytes", [])]
    return tuple(dict.fromkeys(names))


async def state_sampling(
    change: Change,
    *,
    donor: int,
    sampled_at: datetime,
    weight_kg: Decimal | None,
    blood_ml: Decimal,
    colloid_ml: Decimal,
    crystalloid_ml: Decimal,
) -> None:
    """What the person was given before this sample."""
    await change.run(
        STATE_SAMPLING,
        donor=donor,
        sampled_at=sampled_at,
        weight_kg=weight_kg,
        blood_ml=blood_ml,
        colloid_ml=colloid_ml,
        crystalloid_ml=crystalloid_ml,
        by=change.actor.account_id,
    )


async def insert_donor(
    change: Change,
    *,
    person_id: int,
    relation: str,
    tested_person: int,
    genetic_source: int,
    recipient: int | None,
    kind: str | None = None,
) -> None:
    """Make a donor of a person."""
    await change.run(
        NEW_DONOR,
        id=person_id,
        relation=relation,
        tested_person=tested_person,
        genetic_source=genetic_source,
        recipient=recipient,
        kind=kind,
        by=change.actor.account_id,
    )


async def insert_match(
    change: Change, *, donor: int, recipient: int, identifiers: Sequence[str], second_by: int
) -> None:
    """Donor and recipient were compared by these identifiers, by two people."""
    await change.run(
        MATCH,
        donor=donor,
        recipient=recipient,
        identifiers=list(identifiers),
        second_by=second_by,
        by=change.actor.account_id,
    )


async def insert_consent(
    change: Change, *, donor: int, form_version: str, scopes: Sequence[str], signed_at: datetime
) -> None:
    """Consent was given."""
    await change.run(
        CONSENT,
        donor=donor,
        form_version=form_version,
        scopes=list(scopes),
        signed_at=signed_at,
        by=change.actor.account_id,
    )


async def withdraw_consent(change: Change, *, donor: int, form_version: str, at: datetime) -> int:
    """Consent was withdrawn. How many live consents of that form it ended."""
    return len(await change.all(WITHDRAW, donor=donor, form_version=form_version, at=at))


async def insert_markers(change: Change, *, donor: int, markers: Sequence[Mapping[str, Any]]) -> None:
    """Results of infection markers, each with its values by column."""
    await change.run_many(MARKER, [{**each, "donor": donor, "by": change.actor.account_id} for each in markers])
