"""Edits of a dossier, so that a counterexample is one line. Each leaves its argument as it was."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from app.domain.dossier import Dossier
from app.domain.facts import (
    Acknowledgement,
    Assessment,
    AuthorityReply,
    Bank,
    BankVial,
    Consumption,
    Decision,
    Line,
    LineKind,
    Maker,
    Marker,
    Material,
    Mitigation,
    OffTargetReport,
    OwnBank,
    Partner,
    PartnerAssessment,
    PartnerPaper,
    PartnerSection,
    PlannedTest,
    QualityAgreement,
    Relation,
    Result,
    Review,
    Setting,
    Stay,
    Step,
    StepKind,
    StorageClass,
    StoragePlace,
    Transport,
    TwoStepPlan,
    TwoSteps,
    UnderWay,
    Vector,
    VectorPart,
    VectorType,
    VirusOutcome,
    VirusTest,
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


def retested(*, sample: str | None = None, only: tuple[str, object] | None = None, **changes: object) -> Edit:
    """In the study's reports from outside (of one kind of sample), the tests are changed; `only` those with a value."""

    def edit(study: Any) -> Any:
        def changed(one: Any) -> Any:
            return _with(one, changes) if only is None or getattr(one, only[0]) == only[1] else one

        reports = tuple(
            _with(each, {"tests": tuple(changed(one) for one in each.tests)})
            if sample in {None, each.sample_kind}
            else each
            for each in study.reinspections
        )
        if reports == study.reinspections:
            raise LookupError("nothing of what was tested again is changed")
        return _with(study, {"reinspections": reports})

    return within("study", edit)


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
    for number, test in enumerate(("STR", "karyotype", "phenotype"), start=21)
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


def bank_tested(**changes: object) -> Edit:
    """The bank behind an allogeneic lot was tested for viruses, not the lot; the result is another in these points."""
    line = Line(
        31,
        "adventitious virus",
        "SOP-31",
        LineKind.QUALITATIVE,
        None,
        None,
        None,
        "not detected",
        safety=True,
        required=True,
    )
    found = replace(_bank_result(line), value_text="not detected")
    return all_of(
        behind(lines=(line,), results=(_with(found, changes),)), setting("rel03.adventitious_virus_by", "bank")
    )


VECTOR_LOT = "M0000000005"
"""The lot of the vector in `gene_modified`."""
_KNOWN = datetime(2026, 9, 10, 9, tzinfo=UTC)


def virus_test(number: int, sample: str, *, recorded_at: datetime = _KNOWN, **changes: object) -> VirusTest:
    """A co-culture of enough of the sample that found nothing."""
    is_supernatant = sample == "vector_supernatant"
    test = VirusTest(
        id=number,
        sample=sample,  # type: ignore[arg-type]  # the words are those of the fact
        assay="coculture",
        method="RCL-1/2",
        laboratory="Virus Laboratory Ltd",
        cells_tested=None if is_supernatant else Decimal("1e8"),
        cells_in_pool=None if is_supernatant else Decimal("2e9"),
        supernatant_percent=Decimal(5) if is_supernatant else None,
        sampled_at=recorded_at,
        recorded_at=recorded_at,
        outcomes=(VirusOutcome("negative", recorded_at, f"VL-{number}", recorded_at),),
    )
    return replace(test, **changes)  # type: ignore[arg-type]


def as_vector(material: Material, **changes: object) -> Material:
    """The material as a lot of a lentiviral vector of which everything is known."""
    parts = (
        VectorPart("plasmid", "pTransfer", "PL-7", None, "kanamycin"),
        VectorPart("producer_bank", "HEK293T WCB", "WCB-3", None, None),
    )
    vector = replace(
        material,
        name="lentiviral vector LV-7",
        text="lentiviral vector LV-7",
        kind="vector",
        selected_with="kanamycin",
        vectors=(Vector(VectorType.LENTIVIRUS, Decimal("2e8"), "TU/mL", parts, _KNOWN),),
        virus_tests=(virus_test(1, "vector_supernatant"), virus_test(2, "producer_cells")),
    )
    return replace(vector, **changes)  # type: ignore[arg-type]


def vector_lot(**changes: object) -> Edit:
    """The material lot that is judged is a lot of a vector, as it should be but for `changes`."""
    return lambda dossier: _edited(
        dossier, {"materials": tuple(as_vector(each, **changes) for each in _records(dossier, "materials"))}
    )


_GENE_LINES = (
    (91, "vector copy number in transduced cells", Decimal(5), "copies/cell", "1.8"),
    (92, "p24 residue", Decimal(100), "pg/mL", "12"),
)
_LETTER = AuthorityReply(
    id=1,
    authority="National Health Commission",
    reference="2026-77",
    dated=date(2026, 8, 20),
    rule="CB-01A",
    process="BM-MSC 4",
    question="Is a bank of the patient's own cells needed?",
    answer="No; the vector's bank is.",
    ruling="permits",
    file_sha256="ab" * 32,
    recorded_by="quinn",
    recorded_at=datetime(2026, 9, 1, 8, tzinfo=UTC),
)


def gene_modified(dossier: Dossier) -> Dossier:
    """The same cells with genes changed by a lentiviral vector, as it should be then. A study's too."""
    process = dossier.process and replace(
        dossier.process,
        gene_modified=True,
        vector_type=VectorType.LENTIVIRUS,
        gene_editing=False,
        low_manipulation=False,
    )
    donors = tuple(
        replace(
            donor, consents=tuple(replace(each, scopes=(*each.scopes, "gene modification")) for each in donor.consents)
        )
        for donor in dossier.donors or ()
    )
    changes: dict[str, Any] = {
        "process": process,
        "donors": donors or dossier.donors,
        "authority_replies": dossier.authority_replies if dossier.authority_replies is None else (_LETTER,),
    }
    if dossier.study is not None:
        bank = Bank("L0000000009", "BANK-26-0001", LotState.RELEASED)
        changes["assessments"] = (*(dossier.assessments or ()), of_process("GM-04"))
        changes["banks"] = (bank,)
        changes["study"] = replace(
            dossier.study,
            manipulation="ex_vivo_gene",
            reinspections=tuple(
                replace(each, sample_kind="bank", lot=bank.code)
                if each.sample_kind == "starting_harvest"
                else replace(each, banks=(bank.code,))
                for each in dossier.study.reinspections
            ),
        )
    if dossier.materials and dossier.lot is not None:
        changes["materials"] = (*dossier.materials, as_vector(dossier.materials[0], lot=VECTOR_LOT))
        changes["virus_tests"] = (virus_test(11, "transduced_cells", recorded_at=datetime(2026, 11, 9, 9, tzinfo=UTC)),)
    if dossier.plan is not None:
        changes["plan"] = replace(dossier.plan, materials=(*dossier.plan.materials, VECTOR_LOT))
    elif dossier.consumptions and dossier.lot is not None:
        changes["consumptions"] = (*dossier.consumptions, _transduced_with(dossier.consumptions))
    if dossier.specification is not None and dossier.results:
        lines = tuple(_gene_line(*each) for each in _GENE_LINES)
        results = tuple(_gene_result(dossier.results[0], *each) for each in _GENE_LINES)
        changes["specification"] = replace(dossier.specification, lines=(*dossier.specification.lines, *lines))
        changes["results"] = (*dossier.results, *results)
    return replace(dossier, **changes)


def gene_edited(dossier: Dossier) -> Dossier:
    """A study whose process edits genomes with a ribonucleoprotein, its report accepted."""
    changed = gene_modified(dossier)
    process = changed.process and replace(changed.process, vector_type=VectorType.RNP, gene_editing=True)
    report = OffTargetReport(
        id=1,
        reference="OT-26-1",
        prediction="Cas-OFFinder 3, up to 4 mismatches",
        assay="guide_seq",
        assay_method="GS-2/1",
        sites_examined=38,
        sites_above=0,
        threshold_percent=Decimal("0.1"),
        highest_percent=Decimal("0.04"),
        aberrations="none_found",
        aberrations_method="G-banding and ddPCR of translocations",
        reported_on=date(2026, 5, 20),
        file_sha256="cd" * 32,
        recorded_at=datetime(2026, 5, 25, 9, tzinfo=UTC),
    )
    assessments = (*(dossier.assessments or ()), of_process("GM-02"))
    return replace(changed, process=process, off_target_reports=(report,), assessments=assessments)


def of_process(for_rule: str, **changes: object) -> Assessment:
    """An approved assessment of the clean dossier's process version."""
    assessment = Assessment(
        number=f"AS-26-{for_rule}",
        version=1,
        rule=for_rule,
        title="Genes changed in this process",
        scope_kind="process",
        scope="BM-MSC 4",
        hazard="what is changed besides harms the patient",
        mitigations=(Mitigation("split packaging, and every lot is tested", "incoming_test"),),
        conclusion="acceptable",
        proposed_by="quinn",
        approved_by="rhea",
        approved_at=datetime(2026, 6, 2, 9, tzinfo=UTC),
        valid_from=datetime(2026, 6, 2, 9, tzinfo=UTC),
        valid_to=datetime(2028, 6, 2, 9, tzinfo=UTC),
        superseded=False,
    )
    return replace(assessment, **changes)  # type: ignore[arg-type]


def _transduced_with(consumptions: tuple[Consumption, ...]) -> Consumption:
    """The vector goes into the second step that used anything."""
    steps = list(dict.fromkeys(each.step_id for each in consumptions))
    there = next(each for each in consumptions if each.step_id == steps[min(1, len(steps) - 1)])
    return replace(there, material_lot=VECTOR_LOT, container=f"C-{VECTOR_LOT}")


def _gene_line(number: int, test: str, high: Decimal, unit: str, _: str) -> Line:
    return Line(
        id=number,
        test=test,
        method=f"SOP-{number}",
        kind=LineKind.QUANTITATIVE,
        low=None,
        high=high,
        unit=unit,
        expected=None,
        safety=False,
        required=True,
    )


def _gene_result(like: Result, number: int, test: str, _: Decimal, unit: str, value: str) -> Result:
    return replace(
        like,
        id=number,
        line_id=number,
        test=test,
        value_number=Decimal(value),
        value_text=None,
        unit=unit,
        method_version=f"SOP-{number}/1",
    )


PARTNER = "Cell Works Ltd"
"""Who made the lot in `partner_made`."""
CARRIED = Transport(
    id=1,
    partner="Cold Wheels",
    shipper="Box 7",
    low_c=Decimal(2),
    high_c=Decimal(8),
    hours_max=Decimal(24),
    qualified_on=date(2026, 5, 1),
    valid_to=date(2027, 4, 30),
    qualification_recorded_at=datetime(2026, 5, 2, 9, tzinfo=UTC),
    from_place=PARTNER,
    to_place="House of Cells",
    dispatched_at=datetime(2026, 10, 27, 6, tzinfo=UTC),
    arrived_at=datetime(2026, 10, 27, 14, tzinfo=UTC),
    handed_over_by="Liu",
    received_by="Vera",
    min_c=Decimal("3.1"),
    max_c=Decimal("6.5"),
    file_name="logger-7.csv",
    excursion=None,
)
"""A way on which nothing went wrong, after the last step of the clean lot."""
_PARTNERS_PAPERS = tuple(
    PartnerPaper(
        id=number,
        kind=kind,  # type: ignore[arg-type]  # the words are those of the fact
        reference=f"CW-77-{number}",
        conforms=True,
        covers=("equipment", "clean_area", "training", "deviations") if kind == "release" else (),
        signed_by="Dr Hua",
        signed_at=datetime(2026, 10, 26, 18, number, tzinfo=UTC),
        file_name=f"CW-77-{number}.pdf",
        file_sha256="7e" * 32,
        recorded_by="quinn",
        recorded_at=datetime(2026, 10, 28, 9, tzinfo=UTC),
    )
    for number, kind in enumerate(("batch_record", "analysis", "release"), start=1)
)
_MAKING = Partner(
    name=PARTNER,
    kind="preparation",
    assessments=(
        PartnerAssessment(
            id=1,
            assessed_on=date(2026, 4, 15),
            sections=(
                PartnerSection("qualification", 90, accepted=True),
                PartnerSection("facilities", 85, accepted=True),
                PartnerSection("quality_system", 92, accepted=True),
            ),
            findings=(),
            evidence="PA-26-7",
            recorded_by="quinn",
            signed_by="rhea",
            signed_at=datetime(2026, 4, 20, 9, tzinfo=UTC),
        ),
    ),
    agreements=(
        QualityAgreement(
            id=1,
            process="BM-MSC 4",
            duties={
                "preparation": "partner",
                "testing": "partner",
                "release": "house",
                "transport": "both",
                "records": "both",
                "data_access": "both",
            },
            signed_on=date(2026, 4, 22),
            valid_to=None,
            reference="QA-77",
            recorded_at=datetime(2026, 4, 22, 9, tzinfo=UTC),
        ),
    ),
)


def partner_made(dossier: Dossier) -> Dossier:
    """The same lot, made by a partner out of the same donation and carried here: as it should be then.

    Of what the partner's house holds, this house has the papers, and no equipment, session or training of its own.
    """

    def made_there(step: Step) -> Step:
        return replace(
            step,
            partner=PARTNER,
            performed_by=f"Liu ({PARTNER})",
            verified_by=f"Wu ({PARTNER})",
            clearance_performed_by=f"Liu ({PARTNER})",
            clearance_verified_by=f"Wu ({PARTNER})",
        )

    maker = Maker(PARTNER, "CW-77", "MSC-P 2", _PARTNERS_PAPERS, datetime(2026, 10, 1, 9, tzinfo=UTC))
    made = replace(
        dossier,
        makers=None if dossier.makers is None else (maker,),
        partners=(_MAKING,),
        steps=None if dossier.steps is None else tuple(made_there(step) for step in dossier.steps),
        transports=None if dossier.transports is None else (CARRIED,),
        results=None
        if dossier.results is None
        else tuple(replace(each, paper="CW-77-2") if each.test == "dose" else each for each in dossier.results),
    )
    if dossier.plan is not None:  # the step that is about to be made is made here, with what this house has
        return made
    return replace(made, work_sessions=(), equipment=(), authorisations=(), qualifications=())


def made_by_partner(*edits: Edit) -> Edit:
    """A partner made the lot, and then the dossier is edited."""
    return all_of(partner_made, *edits)


def of_papers(*, only: tuple[str, object] | None = None, **changes: object) -> Edit:
    """The papers of the partner that made the lot are others; `only` those with a value."""
    return made_by_partner(inside("makers", "papers", only=only, **changes))


def without_paper(kind: str) -> Edit:
    """The partner that made the lot sent no paper of this kind."""
    return made_by_partner(drop_inside("makers", "papers", ("kind", kind)))


def further_papers(kind: str, *changed: Mapping[str, Any]) -> Edit:
    """The partner that made the lot sent further papers of this kind, in the order in which they were recorded."""

    def sent(maker: Maker) -> Maker:
        like = next(each for each in maker.papers if each.kind == kind)
        more = tuple(
            replace(like, **{"id": like.id + 10 * number, **changes}) for number, changes in enumerate(changed, start=1)
        )
        return replace(maker, papers=(*maker.papers, *more))

    def edit(dossier: Dossier) -> Dossier:
        return replace(dossier, makers=tuple(sent(each) for each in dossier.makers or ()))

    return made_by_partner(edit)


def of_making_partner(field: str, **changes: object) -> Edit:
    """Every assessment or agreement of the partner that made the lot is another in these points."""
    return made_by_partner(inside("partners", field, only=None, **changes))


def released(dossier: Dossier) -> Dossier:
    """The lot was released."""
    return replace(dossier, lot=dossier.lot and replace(dossier.lot, state=LotState.RELEASED))


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


def two_steps(dossier: Dossier) -> Dossier:
    """The lot before its result of sterility, as a signed plan lets it be given out: as it should be then."""
    specification = dossier.specification and replace(
        dossier.specification, lines=(*dossier.specification.lines, _RAPID)
    )
    results = tuple(each for each in dossier.results or () if each.test != "sterility")
    donors = tuple(
        replace(
            donor,
            consents=tuple(replace(each, scopes=(*each.scopes, "use before all results")) for each in donor.consents),
        )
        for donor in dossier.donors or ()
    )
    sterility = next(each for each in dossier.results or () if each.test == "sterility")
    rapid = replace(sterility, id=_RAPID.id, line_id=_RAPID.id, test=_RAPID.test)
    return replace(
        setting("rel06.allowed", "yes")(dossier),
        specification=specification,
        results=(*results, rapid),
        donors=donors,
        two_steps=TwoSteps((_PLAN,), (_BEGUN,), (_KNOWN_TO,)),
    )


def virus_in_two_steps(dossier: Dossier) -> Dossier:
    """Gene modified cells of which the culture for replicating virus is not read yet either, as a signed plan lets it be."""
    changed = two_steps(gene_modified(dossier))
    found = changed.two_steps or TwoSteps((), (), ())
    late = PlannedTest("replicating_virus", "rapid PCR", "VR-13", 45, "the patient is followed up for life")
    at = datetime(2026, 11, 9, 9, tzinfo=UTC)
    return replace(
        changed,
        virus_tests=(
            virus_test(11, "transduced_cells", recorded_at=at, outcomes=()),
            virus_test(12, "transduced_cells", recorded_at=at, assay="rapid_pcr"),
        ),
        two_steps=replace(
            found,
            plans=tuple(replace(each, pending=(*each.pending, late)) for each in found.plans),
            acknowledgements=tuple(
                replace(each, tests=(*each.tests, "replicating_virus")) for each in found.acknowledgements
            ),
        ),
    )


_RAPID = Line(31, "rapid sterility", "RS-1", LineKind.QUALITATIVE, None, None, None, "no growth", True, True)
_PLAN = TwoStepPlan(
    version=1,
    protocol="PR-7",
    protocol_version="3",
    ethics_reference="EC-2026-114",
    ethics_approved_on=date(2026, 5, 20),
    consent_clause="clause 9: the cells are given before the last result",
    pending=(
        PlannedTest("sterility", "rapid sterility", "VR-12", 14, "the physician is told and treats by the antibiogram"),
    ),
    proposed_by="quinn",
    approved_by="rhea",
    approved_at=datetime(2026, 6, 4, 9, tzinfo=UTC),
)
_BEGUN = UnderWay(
    id=1,
    line_id=1,
    sample="T0000000001",
    laboratory="our own",
    started_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
    due_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
    recorded_by="quill",
    recorded_at=datetime(2026, 11, 10, 9, 5, tzinfo=UTC),
)
_KNOWN_TO = Acknowledgement(("sterility",), "phil", datetime(2026, 11, 18, 9, tzinfo=UTC))


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
