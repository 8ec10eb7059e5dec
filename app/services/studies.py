"""Studies: what each is, in versions, and what was recorded about it; judged live before filing and before the start.

Nothing here forbids the record: a paper is kept as it is, and the rules say whether it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import equipment, institutions, items, judging, studies
from app.domain.acts import Act, Actor
from app.domain.countries import COUNTRIES
from app.domain.dossier import digest, parse
from app.domain.errors import BadInput, NotFound
from app.domain.facts import Study
from app.domain.rows import require_once_each
from app.domain.rulebook import Gate, Judgement, Verdict, judge
from app.domain.text import Text
from app.rules import BY_ID, RULES

if TYPE_CHECKING:
    from app.db.door import Call, Change, Reading
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")
GATES = (Gate.G7, Gate.G8)
DUTIES: Mapping[Gate, tuple[str, ...]] = {Gate.G9: ("CB-12",), Gate.G12: ("GM-09",)}
"""What a later gate will ask, told from the first day on."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """Where a study takes place."""

    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Named:
    """A process or a specification by name and version."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a study is. Institution and sponsor by name; `substantial` where the protocol is approved and filed anew."""

    title: str
    regulatory_path: str
    ind_number: str | None
    stage: str
    risk_level: str
    cell_class: str
    cell_source: str
    manipulation: str
    administration: str
    sites: tuple[SiteView, ...]
    institution: str
    sponsor: str
    process: Named
    specification: Named
    protocol_version: str
    substantial: bool
    why: str


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads a study from a day on, with licence and title."""

    name: str
    licence_number: str
    licence_valid_to: date | None
    title_level: str
    title_certificate: str
    title_valid_to: date | None
    from_on: date
    to_on: date | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a committee decided about a version of the protocol."""

    committee: str
    decision: str
    protocol_version: str
    decided_on: date
    valid_to: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class FilingMade:
    """A version of the protocol as it was filed with the authority."""

    filing_number: str
    authority: str
    protocol_version: str
    filed_on: date
    reference: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What sponsor and institution signed."""

    sponsor: str
    protocol_jointly_set: bool
    signed_on: date
    valid_to: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """For how many years a version of the protocol says that each subject is followed."""

    protocol_version: str
    years: Decimal
    reference: str


@dataclass(frozen=True, slots=True)
class StudyKeptView:
    """A version that was kept."""

    number: str
    version: int


@dataclass(frozen=True, slots=True)
class RecordKeptView:
    """Something that was recorded about a study. `record` is its number."""

    number: str
    record: int


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study in the list. `study` is what the next page is asked after."""

    study: int
    number: str
    version: int
    title: str
    regulatory_path: str
    stage: str
    risk_level: str
    protocol_version: str
    institution: str
    sponsor: str
    process: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study as its dossier has it, and how it stands this moment before its gates. Nothing is kept by looking.

    `duties`: what single rules of later gates say by now.
    """

    study: Study
    process: str
    specification: str
    banks: tuple[str, ...]
    digest: str
    at: datetime
    gates: tuple[Judgement, ...]
    duties: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a study may name."""

    institutions: tuple[str, ...]
    processes: tuple[Named, ...]
    specifications: tuple[Named, ...]


async def register_study(house: House, call: Call, *, content: Content) -> StudyKeptView:
    """Register a study under a new number. Raises NotFound for what it names and is not there, BadInput."""
    async with house.door.change(call, Act.REGISTER_STUDY, subject=content.title) as change:
        if not content.substantial:
            raise BadInput(
                field="substantial",
                what=NOT_RECORDED,
                why=Text("The first version of a study changes nothing: its protocol is approved and filed."),
                remedy=Text("Register it as a version of substance."),
            )
        values = await _values(change, content)
        made = await studies.insert(change)
        version = await studies.keep_version(change, study_id=made.id, values=values)
        return change.answers(StudyKeptView(made.number, version))


async def new_version(house: House, call: Call, *, number: str, content: Content) -> StudyKeptView:
    """Record that a study is another now; the earlier version stays. Raises NotFound, BadInput, Conflict.

    A change of substance has a protocol version of its own, which no earlier version had.
    """
    async with house.door.change(call, Act.REGISTER_STUDY, subject=number) as change:
        found = await studies.find(change, number=number)
        if content.substantial and content.protocol_version in await studies.protocols(change, study_id=found.id):
            raise BadInput(
                field="protocol_version",
                what=NOT_RECORDED,
                why=Text("Protocol {protocol} is known already.", protocol=content.protocol_version),
                remedy=Text("A change of substance makes a new version of the protocol: write its number."),
            )
        values = await _values(change, content)
        version = await studies.keep_version(change, study_id=found.id, values=values)
        return change.answers(StudyKeptView(number, version))


async def name_leader(house: House, call: Call, *, number: str, leader: Leader) -> RecordKeptView:
    """Record who leads a study from a day on. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.NAME_STUDY_LEADER, subject=number) as change:
        _require_order(leader.from_on, leader.to_on, field="to_on")
        return await _keep(change, "leader", number, asdict(leader))


async def record_decision(house: House, call: Call, *, number: str, decision: Decision) -> RecordKeptView:
    """Record what a committee decided. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_COMMITTEE_DECISION, subject=number) as change:
        await _require_happened(change, decision.decided_on, field="decided_on")
        _require_order(decision.decided_on, decision.valid_to, field="valid_to")
        await _require_protocol(change, number, decision.protocol_version)
        return await _keep(change, "decision", number, asdict(decision))


async def record_filing(house: House, call: Call, *, number: str, filing: FilingMade) -> RecordKeptView:
    """Record that a protocol was filed. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_FILING, subject=number) as change:
        await _require_happened(change, filing.filed_on, field="filed_on")
        await _require_protocol(change, number, filing.protocol_version)
        return await _keep(change, "filing", number, asdict(filing))


async def record_agreement(house: House, call: Call, *, number: str, agreement: Agreement) -> RecordKeptView:
    """Record what sponsor and institution signed. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_SPONSOR_AGREEMENT, subject=number) as change:
        await _require_happened(change, agreement.signed_on, field="signed_on")
        _require_order(agreement.signed_on, agreement.valid_to, field="valid_to")
        values = asdict(agreement)
        values["sponsor_id"] = await _institution(change, values.pop("sponsor"), field="sponsor")
        return await _keep(change, "agreement", number, values)


async def record_follow_up(house: House, call: Call, *, number: str, plan: FollowUp) -> RecordKeptView:
    """Record for how long the protocol follows its subjects. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_FOLLOW_UP, subject=number) as change:
        await _require_protocol(change, number, plan.protocol_version)
        return await _keep(change, "follow_up", number, asdict(plan))


async def name_bank(house: House, call: Call, *, number: str, lot: str) -> RecordKeptView:
    """Say that the study's preparations come from a bank lot. Raises NotFound, BadInput, Conflict when it is said."""
    async with house.door.change(call, Act.REGISTER_STUDY, subject=number) as change:
        item = await items.find(change, code=lot, kind="lot")
        if (await items.describe(change, item_id=item.id)).item.lot_kind != "bank":
            raise BadInput(
                field="lot",
                what=NOT_RECORDED,
                why=Text("{lot} is no lot of a cell bank.", lot=lot),
                remedy=Text("Scan the label of the bank lot."),
            )
        return await _keep(change, "bank", number, {"lot_id": item.id})


async def list_studies(house: House, actor: Actor, *, after: int | None, limit: int) -> list[StudyRow]:
    """Studies, the last registered first. `after` is the last one's `study`."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        return [
            StudyRow(**{("study" if name == "id" else name): value for name, value in row._asdict().items()})
            for row in await studies.page(reading, after=after, limit=limit)
        ]


async def read_study(house: House, actor: Actor, *, number: str) -> StudyView:
    """A study, judged this moment before its gates. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        found = await studies.find(reading, number=number)
        at = await judging.now(reading)
        written = await judging.dossier_of(reading, kind="study", subject_id=found.id)
    dossier = parse(written)
    if dossier.study is None or dossier.process is None or dossier.specification is None:
        raise RuntimeError("a study's dossier has the study, its process and its specification")
    return StudyView(
        study=dossier.study,
        process=f"{dossier.process.name} {dossier.process.version}",
        specification=f"{dossier.specification.name} {dossier.specification.version}",
        banks=tuple(each.code for each in dossier.banks or ()),
        digest=digest(written),
        at=at,
        gates=tuple(judge(RULES, dossier, gate=gate, at=at) for gate in GATES),
        duties=tuple(
            each
            for gate, rules in DUTIES.items()
            for each in judge([BY_ID[rule] for rule in rules], dossier, gate=gate, at=at).verdicts
        ),
    )


async def read_content(house: House, actor: Actor, *, number: str) -> Content:
    """What the study is now, as its next version begins. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        found = await studies.find(reading, number=number)
        row = await studies.last_version(reading, study_id=found.id)
    return Content(
        title=row.title,
        regulatory_path=row.regulatory_path,
        ind_number=row.ind_number,
        stage=row.stage,
        risk_level=row.risk_level,
        cell_class=row.cell_class,
        cell_source=row.cell_source,
        manipulation=row.manipulation,
        administration=row.administration,
        sites=tuple(SiteView(each["name"], each["country"]) for each in row.sites),
        institution=row.institution,
        sponsor=row.sponsor,
        process=Named(row.process, row.process_version),
        specification=Named(row.specification, row.specification_version),
        protocol_version=row.protocol_version,
        substantial=False,
        why="",
    )


async def read_choices(house: House, actor: Actor) -> Choices:
    """What a study may name."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        rows = await studies.choices(reading)
    return Choices(
        institutions=tuple(row.name for row in rows if row.kind == "institution"),
        processes=tuple(Named(row.name, row.version) for row in rows if row.kind == "process"),
        specifications=tuple(Named(row.name, row.version) for row in rows if row.kind == "specification"),
    )


# -- within ------------------------------------------------------------------------------------------------------------


async def _keep(change: Change, kind: str, number: str, values: Mapping[str, Any]) -> RecordKeptView:
    found = await studies.find(change, number=number)
    key = await studies.keep(change, kind, study_id=found.id, values=values)
    return change.answers(RecordKeptView(number, key))


async def _values(change: Change, content: Content) -> dict[str, Any]:
    require_once_each([((each.name.casefold(), each.country), each.name) for each in content.sites], field="sites")
    strange = next((each.country for each in content.sites if each.country not in COUNTRIES), None)
    if strange is not None:
        raise BadInput(
            field="sites",
            what=NOT_RECORDED,
            why=Text("{country} is no country by the two letters of ISO 3166-1.", country=strange),
            remedy=Text("Write the country's two letters, such as CN."),
        )
    process, specification = content.process, content.specification
    process_id = await studies.process_id(change, name=process.name, version=process.version)
    specification_id = await studies.specification_id(change, name=specification.name, version=specification.version)
    if process_id is None:
        raise _not_there(f"{process.name} {process.version}")
    if specification_id is None:
        raise _not_there(f"{specification.name} {specification.version}")
    kept = asdict(content)
    for each in ("institution", "sponsor", "process", "specification"):
        kept.pop(each)
    return {
        **kept,
        "sites": [{"name": each.name, "country": each.country} for each in content.sites],
        "institution_id": await _institution(change, content.institution, field="institution"),
        "sponsor_id": await _institution(change, content.sponsor, field="sponsor"),
        "process_id": process_id,
        "specification_id": specification_id,
    }


async def _institution(reading: Reading, name: str, *, field: str) -> int:
    found = await institutions.id_of(reading, name=name)
    if found is None:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("No institution called {name} is registered.", name=name),
            remedy=Text("Register the institution first, or choose one of the list."),
        )
    return found


def _not_there(name: str) -> NotFound:
    return NotFound(
        what=NOT_RECORDED,
        why=Text("There is no {name}.", name=name),
        remedy=Text("Choose a process and a specification by name and version as they are defined."),
    )


async def _require_protocol(reading: Reading, number: str, protocol: str) -> None:
    found = await studies.find(reading, number=number)
    known = await studies.protocols(reading, study_id=found.id)
    if protocol not in known:
        raise BadInput(
            field="protocol_version",
            what=NOT_RECORDED,
            why=Text("The study has no protocol {protocol}.", protocol=protocol),
            remedy=Text("Choose one of: {protocols}.", protocols=known),
        )


async def _require_happened(reading: Reading, day: date, *, field: str) -> None:
    if day > await equipment.today(reading):
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=day),
            remedy=Text("Record it when it has been done."),
        )


def _require_order(earlier: date, later: date | None, *, field: str) -> None:
    if later is not None and later < earlier:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("It would end before it begins."),
            remedy=Text("Give an end that is after its beginning."),
        )
