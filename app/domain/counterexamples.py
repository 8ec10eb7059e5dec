"""Edits of a dossier, so that a counterexample is one line. Each leaves its argument as it was."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from app.domain.dossier import Dossier
from app.domain.facts import (
    Assessment,
    Bank,
    BankVial,
    Decision,
    Line,
    LineKind,
    Marker,
    Mitigation,
    OwnBank,
    Relation,
    Result,
    Review,
    Setting,
    Stay,
    Step,
    StepKind,
    StorageClass,
    StoragePlace,
    Withdrawal,
)
from app.domain.lots import LotKind, LotState

Edit: TypeAlias = Callable[[Dossier], Dossier]

_FOR_OTHERS = ("donation", "processing", "storage", "allogeneic use")


def without(*sections: str) -> Edit:
    """Sections become unknown."""
    return lambda dossier: _edited(dossier, dict.fromkeys(sections))


def empty(*sections: str) -> Edit:
    """Sections become known to be empty."""
    return lambda dossier: _edited(dossier, dict.fromkeys(sections, ()))


def every(section: str, **changes: object) -> Edit:
    """Every record of a section is changed in the same way."""
    return lambda dossier: _edited(
        dossier, {section: tuple(_with(each, changes) for each in _records(dossier, section))}
    )


def nth(section: str, index: int, **changes: object) -> Edit:
    """One record of a section is changed."""

    def edit(dossier: Dossier) -> Dossier:
        records = list(_records(dossier, section))
        records[index] = _with(records[index], changes)
        return _edited(dossier, {section: tuple(records)})

    return edit


def where(section: str, field: str, value: object, **changes: object) -> Edit:
    """The records of a section whose field has the value are changed. Raises LookupError where there is none."""

    def edit(dossier: Dossier) -> Dossier:
        records = tuple(_records(dossier, section))
        if not any(getattr(each, field) == value for each in records):
            raise LookupError(f"{section} has no record whose {field} is {value!r}")
        changed = tuple(_with(each, changes) if getattr(each, field) == value else each for each in records)
        return _edited(dossier, {section: changed})

    return edit


def drop(section: str, field: str, value: object) -> Edit:
    """The records of a section whose field has the value are left out. Raises LookupError where there is none."""

    def edit(dossier: Dossier) -> Dossier:
        records = tuple(_records(dossier, section))
        kept = tuple(each for each in records if getattr(each, field) != value)
        if len(kept) == len(records):
            raise LookupError(f"{section} has no record whose {field} is {value!r}")
        return _edited(dossier, {section: kept})

    return edit


def add(section: str, *records: object) -> Edit:
    """Records are added to a section."""
    return lambda dossier: _edited(dossier, {section: (*_records(dossier, section), *records)})


def part(name: str, **changes: object) -> Edit:
    """A part that stands once (lot, process, plan, ...) is changed."""
    return lambda dossier: _edited(dossier, {name: _with(getattr(dossier, name), changes)})


def inside_plan_session(**changes: object) -> Edit:
    """The session open at the planned step's workstation is changed."""
    return lambda dossier: _edited(
        dossier,
        {
            "plan": _with(
                dossier.plan,
                {"workstation_open_session": _with(dossier.plan and dossier.plan.workstation_open_session, changes)},
            )
        },
    )


def within(name: str, edit: Callable[[Any], object]) -> Edit:
    """A section or part becomes what the function makes of it."""
    return lambda dossier: _edited(dossier, {name: edit(getattr(dossier, name))})


def inside(section: str, field: str, *, only: tuple[str, object] | None = None, **changes: object) -> Edit:
    """In every record of a section, the record or records under `field` are changed; `only` those with a value."""

    def changed(inner: Any) -> Any:
        if isinstance(inner, tuple):
            return tuple(changed(each) for each in inner)
        return _with(inner, changes) if only is None or getattr(inner, only[0]) == only[1] else inner

    return lambda dossier: _edited(
        dossier,
        {section: tuple(_with(each, {field: changed(getattr(each, field))}) for each in _records(dossier, section))},
    )


def drop_inside(section: str, field: str, only: tuple[str, object]) -> Edit:
    """In every record of a section, the records under `field` with a value are left out."""
    return lambda dossier: _edited(
        dossier,
        {
            section: tuple(
                _with(each, {field: tuple(one for one in getattr(each, field) if getattr(one, only[0]) != only[1])})
                for each in _records(dossier, section)
            )
        },
    )


def study_part(**changes: object) -> Edit:
    """The study is another in these points."""
    return part("study", **changes)


def study_records(field: str, *, only: tuple[str, object] | None = None, **changes: object) -> Edit:
    """The records of a study under `field` are changed; `only` those with a value."""

    def edit(dossier: Dossier) -> Dossier:
        records = getattr(dossier.study, field)
        changed = tuple(
            _with(each, changes) if only is None or getattr(each, only[0]) == only[1] else each for each in records
        )
        if changed == records:
            raise LookupError(f"nothing of the study's {field} is changed")
        return _edited(dossier, {"study": _with(dossier.study, {field: changed})})

    return edit


def setting(name: str, value: object) -> Edit:
    """A setting has another value."""
    return lambda dossier: replace(dossier, settings={**dossier.settings, name: Setting(99, value)})


def allogeneic(dossier: Dossier) -> Dossier:
    """The same material given by somebody else, banked, for a recipient not yet named: as it should be then.

    A vial of a released master bank, frozen at P0, was withdrawn for the lot and thawed; each passage is one further.
    """
    donors = tuple(
        replace(
            donor,
            relation=Relation.ALLOGENEIC,
            recipient=None,
            identity_matches=(),
            consents=tuple(replace(each, scopes=_FOR_OTHERS) for each in donor.consents),
            markers=(*donor.markers, *_for_leukocytes(donor.markers)),
        )
        for donor in dossier.donors or ()
    )
    return replace(
        dossier,
        donors=donors,
        banks=None if dossier.banks is None else (MASTER_BANK,),
        lot=dossier.lot and replace(dossier.lot, recipient=None),
        steps=None if dossier.steps is None else tuple(_of_a_vial(step) for step in dossier.steps),
        plan=dossier.plan
        and replace(
            dossier.plan, passage=_further(dossier.plan.passage), parent_passage=_further(dossier.plan.parent_passage)
        ),
    )


def _of_a_vial(step: Step) -> Step:
    if step.kind is StepKind.ISOLATION:
        return replace(step, kind=StepKind.THAW, passage=1, cpdl=Decimal(0))
    return replace(step, passage=_further(step.passage))


def _further(passage: int | None) -> int | None:
    return None if passage is None else passage + 1


_THAWED = BankVial(
    code="V0000000901",
    state="consumed",
    passage=0,
    cpdl=Decimal(0),
    stays=(),
    withdrawals=(
        Withdrawal("L0000000001", datetime(2026, 10, 5, 8, tzinfo=UTC), datetime(2026, 10, 5, 8, 1, tzinfo=UTC)),
    ),
    thawed_in=(1,),
)
MASTER_BANK = Bank("L0000000009", "MCB-26-0001", LotState.RELEASED, "master", (_THAWED,))
"""A released master bank, of which one vial was thawed in the first step of the lot."""


def as_master_bank(dossier: Dossier) -> Dossier:
    """The lot is a master bank of the donor's own cells, tested and kept at two sites: as it should be then."""
    donors = tuple(
        replace(donor, consents=tuple(replace(each, scopes=_FOR_STORAGE) for each in donor.consents))
        for donor in dossier.donors or ()
    )
    specification = dossier.specification and replace(
        dossier.specification, lines=(*dossier.specification.lines, *_BANK_LINES)
    )
    return replace(
        dossier,
        donors=donors,
        lot=dossier.lot and replace(dossier.lot, kind=LotKind.BANK),
        specification=specification,
        results=(*(dossier.results or ()), *(_bank_result(line) for line in _BANK_LINES)),
        bank=OwnBank("master", _BANK_VIALS, _BANK_PLACES),
    )


def as_bank(*edits: Edit) -> Edit:
    """The lot is a master bank, and then edited."""
    return all_of(as_master_bank, *edits)


def of_bank(field: str, **changes: object) -> Edit:
    """Every vial or place of the bank that the lot is is changed."""

    def edit(dossier: Dossier) -> Dossier:
        records = tuple(_with(each, changes) for each in getattr(dossier.bank, field))
        return _edited(dossier, {"bank": _with(dossier.bank, {field: records})})

    return edit


def behind(**changes: object) -> Edit:
    """The bank from which an allogeneic lot came is another in these points."""
    return lambda dossier: replace(allogeneic(dossier), banks=(_with(MASTER_BANK, changes),))


def thawed(**changes: object) -> Edit:
    """The vial that was thawed for an allogeneic lot is another in these points."""
    return behind(vials=(_with(_THAWED, changes),))


_FOR_STORAGE = ("donation", "processing", "storage", "autologous use")
_FROZEN = datetime(2026, 10, 26, 11, tzinfo=UTC)
_STATED = datetime(2026, 1, 20, 9, tzinfo=UTC)
_BANK_LINES = tuple(
    Line(number, test, f"SOP-{number}", LineKind.QUALITATIVE, None, None, None, "conforms", test == "STR", True)
    for number, test in enumerate(("STR", "karyotype", "phenotype"), start=8)
)
_BANK_VIALS = tuple(
    BankVial(
        code=f"V000000000{number}",
        state="stored",
        passage=3,
        cpdl=Decimal("9.21"),
        stays=(Stay(place, _FROZEN, _FROZEN),),
        withdrawals=(),
        thawed_in=(),
    )
    for number, place in enumerate(("E0000000002", "E0000000002", "E0000000008"), start=1)
)
_BANK_PLACES = tuple(
    StoragePlace(code, name, (StorageClass(number, "vapour", Decimal(-165), site, "mapping report", _STATED),), ())
    for number, (code, name, site) in enumerate(
        (("E0000000002", "tank 2", "house A"), ("E0000000008", "tank 8", "house B")), start=1
    )
)


def _bank_result(line: Line) -> Result:
    at = datetime(2026, 11, 10, 10, tzinfo=UTC)
    review = Review(Decision.ACCEPTED, "reva", at)
    return Result(
        line.id, line.id, line.test, "T0000000001", None, "conforms", None, "1", None, "quill", at, False, review
    )


def assessed_material(for_rule: str, /, *measures: tuple[str, str], **changes: object) -> Edit:
    """The first material has an approved assessment for the rule, with these measures and what carries each out."""

    def edit(dossier: Dossier) -> Dossier:
        (first, *_) = _records(dossier, "materials")
        assessment = Assessment(
            number="AS-26-0002",
            version=1,
            rule=for_rule,
            title=f"{first.name} in this process",
            scope_kind="material",
            scope=first.name,
            hazard="what does not belong in a patient stays in the product",
            mitigations=tuple(Mitigation(measure, control) for measure, control in measures),
            conclusion="acceptable",
            proposed_by="quinn",
            approved_by="rhea",
            approved_at=datetime(2026, 6, 2, 9, tzinfo=UTC),
            valid_from=datetime(2026, 6, 2, 9, tzinfo=UTC),
            valid_to=datetime(2028, 6, 2, 9, tzinfo=UTC),
            superseded=False,
        )
        return _edited(dossier, {"assessments": (*(dossier.assessments or ()), _with(assessment, changes))})

    return edit


_LEUKOCYTES = (
    ("HTLV", "anti-HTLV-I/II"),
    ("CMV", "CMV IgG"),
    ("CMV", "CMV IgM"),
    ("EBV", "EBV VCA IgG"),
    ("EBV", "EBV VCA IgM"),
)


def _for_leukocytes(markers: tuple[Marker, ...]) -> tuple[Marker, ...]:
    """What leukocyte-rich material for others is tested for besides, of the same sample, negative."""
    return tuple(
        replace(markers[0], id=50 + number, analyte=analyte, marker=marker)
        for number, (analyte, marker) in enumerate(_LEUKOCYTES)
        if markers
    )


def all_of(*edits: Edit) -> Edit:
    """Several edits one after the other."""

    def edit(dossier: Dossier) -> Dossier:
        for each in edits:
            dossier = each(dossier)
        return dossier

    return edit


def _records(dossier: Dossier, section: str) -> Iterable[Any]:
    records = getattr(dossier, section)
    if not records:
        raise LookupError(f"the dossier has no {section} to edit")
    return tuple(records)


def _edited(dossier: Dossier, changes: Mapping[str, Any]) -> Dossier:
    return replace(dossier, **changes)


def _with(record: Any, changes: Mapping[str, Any]) -> Any:
    return replace(record, **changes)
