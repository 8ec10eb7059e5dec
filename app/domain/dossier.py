"""The dossier: every fact that a rule may read about one subject, parsed from its exact canonical bytes."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from app.domain.facts import (
    Appointment,
    Assessment,
    Authorisation,
    AuthorityReply,
    Bank,
    BankPolicy,
    BatchReview,
    Consumption,
    Container,
    Deviation,
    DiseaseStatus,
    Donation,
    Donor,
    Equipment,
    ExceptionalRequest,
    Facility,
    Hold,
    Key,
    Labels,
    LateInformation,
    Legacy,
    Lot,
    Maker,
    Material,
    OffTargetReport,
    OwnBank,
    Partner,
    Permit,
    Plan,
    Process,
    Qualification,
    Result,
    Retain,
    Setting,
    Signer,
    Specification,
    Step,
    Study,
    SubjectKind,
    Supplier,
    Transport,
    TwoSteps,
    VirusTest,
    Waiver,
    WorkSession,
)

SCHEMA = 1
"""The version of the dossier's shape that this code reads."""

T = TypeVar("T")
Reader = Callable[[object, str], Any]


class DossierUnreadable(ValueError):
    """The bytes are not a dossier of the shape known here. `where` is the path to the trouble."""

    def __init__(self, where: str, trouble: str) -> None:
        super().__init__(f"{where}: {trouble}")
        self.where = where
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Dossier:
    """Facts about one subject. A section that is None is no part of it or unknown; an empty one is known empty."""

    schema: int
    kind: SubjectKind
    subject: str
    name: str
    rulebook: str
    jurisdiction: str | None
    settings: Mapping[str, Setting] = field(hash=False)
    lot: Lot | None
    process: Process | None
    donations: tuple[Donation, ...] | None
    donors: tuple[Donor, ...] | None
    materials: tuple[Material, ...] | None
    consumptions: tuple[Consumption, ...] | None
    steps: tuple[Step, ...] | None
    plan: Plan | None
    containers: tuple[Container, ...] | None
    specification: Specification | None
    results: tuple[Result, ...] | None
    retains: tuple[Retain, ...] | None
    recorders: tuple[str, ...] | None
    deviations: tuple[Deviation, ...] | None
    holds: tuple[Hold, ...] | None
    waivers: tuple[Waiver, ...] | None
    batch_review: BatchReview | None
    package_digest: str | None
    appointments: tuple[Appointment, ...] | None
    assessments: tuple[Assessment, ...] | None = None
    labels: Labels | None = None
    qualifications: tuple[Qualification, ...] | None = None
    disease_status: tuple[DiseaseStatus, ...] | None = None
    banks: tuple[Bank, ...] | None = None
    suppliers: tuple[Supplier, ...] | None = None
    permits: tuple[Permit, ...] | None = None
    authority_replies: tuple[AuthorityReply, ...] | None = None
    equipment: tuple[Equipment, ...] | None = None
    study: Study | None = None
    facility: Facility | None = None
    work_sessions: tuple[WorkSession, ...] | None = None
    authorisations: tuple[Authorisation, ...] | None = None
    transports: tuple[Transport, ...] | None = None
    virus_tests: tuple[VirusTest, ...] | None = None
    off_target_reports: tuple[OffTargetReport, ...] | None = None
    bank: OwnBank | None = None
    vial: str | None = None
    bank_policies: tuple[BankPolicy, ...] | None = None
    legacy: tuple[Legacy, ...] | None = None
    two_steps: TwoSteps | None = None
    makers: tuple[Maker, ...] | None = None
    partners: tuple[Partner, ...] | None = None
    late_information: tuple[LateInformation, ...] | None = None
    exceptional_requests: tuple[ExceptionalRequest, ...] | None = None


def digest(dossier: bytes) -> str:
    """SHA-256 of the exact bytes, in hexadecimal."""
    return hashlib.sha256(dossier).hexdigest()


def parse(dossier: bytes) -> Dossier:
    """Read a dossier's bytes. Raises DossierUnreadable for any key, type or word that is not known here."""
    read = _read(Dossier, dossier)
    if read.schema != SCHEMA:
        raise DossierUnreadable("schema", f"shape {read.schema} is not shape {SCHEMA}")
    return read


def parse_onto(shared: Dossier, own: bytes) -> Dossier:
    """A dossier of which a part is known already: the keys of `own` take the place of the shared ones.

    Raises DossierUnreadable as `parse` does.
    """
    loaded = _loaded(own)
    readers = _readers_of(Dossier)
    if not isinstance(loaded, dict) or not loaded.keys() <= readers.keys():
        raise DossierUnreadable("document", "an object of known keys is expected")
    return replace(shared, **{readers[key][0]: readers[key][1](value, key) for key, value in loaded.items()})


def parse_signer(signer: bytes) -> Signer:
    """Read the facts about a signer. Raises DossierUnreadable as `parse` does."""
    return _read(Signer, signer)


def _read(shape: type[T], text: bytes) -> T:
    record: T = _reader(cast("Any", shape))(_loaded(text), "")
    return record


def _loaded(text: bytes) -> object:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once_each)
    except ValueError as error:
        raise DossierUnreadable("document", str(error)) from error


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key stands twice")
    return read


@cache
def _reader(shape: Any) -> Reader:
    """The function that turns loaded JSON into `shape`, made once for each annotation."""
    make = _MAKERS.get(get_origin(shape))
    if make is not None:
        return make(get_args(shape))
    if is_dataclass(shape):
        return _record(shape)
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return _word(shape)
    return _SCALARS[shape]


def _optional(arms: tuple[Any, ...]) -> Reader:
    (some,) = (arm for arm in arms if arm is not NoneType)
    read = _reader(some)
    return lambda value, where: None if value is None else read(value, where)


def _sequence(of: tuple[Any, ...]) -> Reader:
    read = _reader(of[0])

    def sequence(value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise DossierUnreadable(where, "a list is expected")
        return tuple(read(each, f"{where}[{index}]") for index, each in enumerate(value))

    return sequence


def _mapping(of: tuple[Any, ...]) -> Reader:
    read = _reader(of[1])

    def mapping(value: object, where: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise DossierUnreadable(where, "an object is expected")
        return MappingProxyType({name: read(each, f"{where}.{name}") for name, each in value.items()})

    return mapping


def _one_of(words: tuple[Any, ...]) -> Reader:
    def one_of(value: object, where: str) -> Any:
        if value not in words:
            raise DossierUnreadable(where, f"{value!r} is not one of {words}")
        return value

    return one_of


def _word(enumeration: type[StrEnum]) -> Reader:
    def word(value: object, where: str) -> StrEnum:
        try:
            return enumeration(str(value))
        except ValueError as error:
            raise DossierUnreadable(where, str(error)) from error

    return word


@cache
def _readers_of(shape: Any) -> Mapping[str, tuple[str, Reader]]:
    hints = get_type_hints(shape, include_extras=True)
    return {_key_of(each.name, hints[each.name]): (each.name, _reader(hints[each.name])) for each in fields(shape)}


def _record(shape: Any) -> Reader:
    readers = _readers_of(shape)
    may_lack = {each.name for each in fields(shape) if each.default is not MISSING}

    def record(value: object, where: str) -> Any:
        if not isinstance(value, dict):
            raise DossierUnreadable(where, "an object is expected")
        for key in value:
            if key not in readers:
                raise DossierUnreadable(f"{where}.{key}".lstrip("."), "this key is not known")
        missing = readers.keys() - value.keys() - may_lack
        if missing:
            raise DossierUnreadable(where or "document", f"missing: {', '.join(sorted(missing))}")
        present = {key: named for key, named in readers.items() if key in value}
        return shape(**{name: read(value[key], f"{where}.{key}".lstrip(".")) for key, (name, read) in present.items()})

    return record


def _key_of(name: str, hint: object) -> str:
    aliases = [mark.name for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Key)]
    return aliases[0] if aliases else name


def _scalar(kind: type[T], wanted: str) -> Reader:
    def scalar(value: object, where: str) -> T:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DossierUnreadable(where, f"{wanted} is expected, not {value!r}")
        return value

    return scalar


def _number(value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise DossierUnreadable(where, f"a number is expected, not {value!r}")
    return Decimal(value)


def _moment(value: object, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value)) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DossierUnreadable(where, f"a moment with its time zone is expected, not {value!r}")
    return moment.astimezone(UTC)


def _day(value: object, where: str) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise DossierUnreadable(where, f"a date is expected, not {value!r}") from error


def _anything(value: object, _where: str) -> object:
    return value


def _noted(of: tuple[Any, ...]) -> Reader:
    return _reader(of[0])


_MAKERS: Mapping[Any, Callable[[tuple[Any, ...]], Reader]] = {
    Union: _optional,
    UnionType: _optional,
    tuple: _sequence,
    Literal: _one_of,
    Mapping: _mapping,
    Annotated: _noted,
}
_SCALARS: Mapping[Any, Reader] = {
    str: _scalar(str, "text"),
    int: _scalar(int, "a whole number"),
    bool: _scalar(bool, "true or false"),
    Decimal: _number,
    datetime: _moment,
    date: _day,
    Any: _anything,
}
