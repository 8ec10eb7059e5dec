"""Everything that a person may do has a name here, and who may do it: permissions are this table and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import NotPermitted
from app.domain.text import Text


class Role(StrEnum):
    """What somebody is in the laboratory. `QUALITY_AUTHORITY` is held by a live appointment, never by a grant."""

    TECHNICIAN = "technician"
    VERIFIER = "verifier"
    QC_ANALYST = "qc_analyst"
    QC_REVIEWER = "qc_reviewer"
    QA_MANAGER = "qa_manager"
    QUALITY_AUTHORITY = "quality_authority"
    PHYSICIAN = "physician"
    HEAD_OF_PRODUCTION = "head_of_production"
    ADMINISTRATOR = "administrator"
    DEVICE = "device"


class Act(StrEnum):
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    READ_LOT = "read_lot"
    READ_ITEM = "read_item"
    READ_DONOR = "read_donor"
    READ_MATERIAL = "read_material"
    READ_STUDY = "read_study"
    READ_TRACE = "read_trace"
    READ_DASHBOARD = "read_dashboard"
    READ_RULES = "read_rules"
    READ_ACCOUNTS = "read_accounts"
    READ_AUDIT = "read_audit"
    VERIFY_AUDIT = "verify_audit"
    EXPORT_AUDIT = "export_audit"
    REVEAL_IDENTITY = "reveal_identity"

    SCAN = "scan"
    DECODE_PICTURE = "decode_picture"
    PRINT_LABEL = "print_label"
    PRINT_PAPER = "print_paper"
    VERIFY_LABEL = "verify_label"
    OPEN_CEREMONY = "open_ceremony"
    MANAGE_OWN_FACTORS = "manage_own_factors"

    REGISTER_DONOR = "register_donor"
    RECORD_CONSENT = "record_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    MATCH_IDENTITY = "match_identity"
    RECORD_MARKER = "record_marker"
    DETERMINE_ELIGIBILITY = "determine_eligibility"
    RECEIVE_DONATION = "receive_donation"
    STORE_DONATION = "store_donation"
    RECORD_HISTORY = "record_history"
    RECORD_BIRTH_TEST = "record_birth_test"
    DEFINE_QUESTIONNAIRE = "define_questionnaire"
    PROPOSE_TISSUE = "propose_tissue"
    DECIDE_TISSUE = "decide_tissue"
    RECORD_PERMIT = "record_permit"
    WITHDRAW_PERMIT = "withdraw_permit"

    DEFINE_MATERIAL = "define_material"
    RECEIVE_MATERIAL = "receive_material"
    REVIEW_COA = "review_coa"
    APPROVE_MATERIAL = "approve_material"
    REJECT_MATERIAL = "reject_material"
    RECALL_MATERIAL = "recall_material"
    OPEN_MATERIAL = "open_material"
    STATE_MATERIAL = "state_material"
    STATE_VECTOR = "state_vector"
    RECORD_VIRUS_TEST = "record_virus_test"
    REPORT_VIRUS_TEST = "report_virus_test"
    RECORD_OFF_TARGET = "record_off_target"
    DEFINE_RECIPE = "define_recipe"
    PREPARE_REAGENT = "prepare_reagent"
    REGISTER_SUPPLIER = "register_supplier"
    RECORD_SUPPLIER_AUDIT = "record_supplier_audit"
    DECIDE_SUPPLIER = "decide_supplier"
    CHOOSE_SUPPLIER = "choose_supplier"

    REGISTER_INSTITUTION = "register_institution"
    STATE_INSTITUTION = "state_institution"
    REGISTER_STUDY = "register_study"
    NAME_STUDY_LEADER = "name_study_leader"
    RECORD_COMMITTEE_DECISION = "record_committee_decision"
    RECORD_FILING = "record_filing"
    RECORD_SPONSOR_AGREEMENT = "record_sponsor_agreement"
    REGISTER_PARTNER = "register_partner"
    ASSESS_PARTNER = "assess_partner"
    DECIDE_PARTNER = "decide_partner"
    RECORD_QUALITY_AGREEMENT = "record_quality_agreement"
    REGISTER_LABORATORY = "register_laboratory"
    STATE_LABORATORY = "state_laboratory"
    RECORD_REINSPECTION = "record_reinspection"
    QUALIFY_SHIPPER = "qualify_shipper"
    RECORD_TRANSPORT = "record_transport"
    NAME_MAKER = "name_maker"
    RECORD_PARTNER_PAPER = "record_partner_paper"
    RECORD_PARTNER_STEP = "record_partner_step"
    REQUEST_EXCEPTIONAL_SUPPLY = "request_exceptional_supply"
    DECIDE_EXCEPTIONAL_SUPPLY = "decide_exceptional_supply"

    DEFINE_EQUIPMENT = "define_equipment"
    QUALIFY_EQUIPMENT = "qualify_equipment"
    PROPOSE_DOCUMENT = "propose_document"
    APPROVE_DOCUMENT = "approve_document"
    CLASSIFY_AREA = "classify_area"
    MONITOR_SESSION = "monitor_session"
    READ_MONITORING = "read_monitoring"
    PROPOSE_AUTHORISATION = "propose_authorisation"
    AUTHORISE_PROCESS = "authorise_process"
    PROPOSE_RESPONSIBILITY = "propose_responsibility"
    ACCEPT_RESPONSIBILITY = "accept_responsibility"
    END_RESPONSIBILITY = "end_responsibility"
    DEFINE_PROCESS = "define_process"
    DEFINE_SPECIFICATION = "define_specification"
    CHANGE_SETTING = "change_setting"
    APPROVE_SETTING = "approve_setting"
    PROPOSE_PACK = "propose_pack"
    CHOOSE_PACK = "choose_pack"
    RECORD_AUTHORITY_REPLY = "record_authority_reply"

    PLAN_LOT = "plan_lot"
    CLEAR_LINE = "clear_line"
    VERIFY_CLEARANCE = "verify_clearance"
    ISOLATE = "isolate"
    PASSAGE = "passage"
    FILL = "fill"
    CRYOPRESERVE = "cryopreserve"
    THAW = "thaw"
    WITHDRAW_VIAL = "withdraw_vial"
    STORE_VIALS = "store_vials"
    CLASSIFY_STORAGE = "classify_storage"
    RECORD_EXCURSION = "record_excursion"
    PROPOSE_BANK_POLICY = "propose_bank_policy"
    DECIDE_BANK_POLICY = "decide_bank_policy"
    PROPOSE_TWO_STEP_PLAN = "propose_two_step_plan"
    DECIDE_TWO_STEP_PLAN = "decide_two_step_plan"
    BEGIN_TEST = "begin_test"
    ACKNOWLEDGE_PENDING = "acknowledge_pending"
    RECORD_FOLLOW_UP = "record_follow_up"
    RECORD_PRODUCTION_END = "record_production_end"
    PROPOSE_COMPARABILITY = "propose_comparability"
    ACCEPT_COMPARABILITY = "accept_comparability"
    VERIFY_STEP = "verify_step"
    RECORD_VERIFICATION = "record_verification"
    TAKE_RETAIN = "take_retain"
    TAKE_SAMPLE = "take_sample"
    RECORD_ALREADY_HAPPENED = "record_already_happened"

    RECORD_RESULT = "record_result"
    REVIEW_RESULT = "review_result"
    INVALIDATE_RESULT = "invalidate_result"

    OPEN_DEVIATION = "open_deviation"
    ASSESS_DEVIATION = "assess_deviation"
    CLOSE_DEVIATION = "close_deviation"
    PLACE_HOLD = "place_hold"
    LIFT_HOLD = "lift_hold"
    LIFT_LOOK_BACK_HOLD = "lift_look_back_hold"
    REVIEW_BATCH = "review_batch"
    SUBMIT_LOT = "submit_lot"
    SEND_LOT_BACK = "send_lot_back"
    PROPOSE_WAIVER = "propose_waiver"
    APPROVE_WAIVER = "approve_waiver"
    PROPOSE_LEGACY = "propose_legacy"
    ACCEPT_LEGACY = "accept_legacy"
    WITHDRAW_LEGACY = "withdraw_legacy"
    PROPOSE_ASSESSMENT = "propose_assessment"
    APPROVE_ASSESSMENT = "approve_assessment"
    COUNT_LABELS = "count_labels"
    EXPLAIN_LABEL_COUNT = "explain_label_count"
    DEFINE_PRINTER = "define_printer"
    ATTEND_PRINTER = "attend_printer"
    RUN_PRINTER = "run_printer"
    SET_TIMER = "set_timer"
    NOTE_REASON = "note_reason"
    QUALIFY_PERSON = "qualify_person"
    STATE_DISEASE_STATUS = "state_disease_status"
    ISSUE_BADGE = "issue_badge"
    REVOKE_BADGE = "revoke_badge"

    CHECK_RELEASE = "check_release"
    RELEASE_LOT = "release_lot"
    CONDITIONALLY_RELEASE_LOT = "conditionally_release_lot"
    REJECT_LOT = "reject_lot"
    RECALL_LOT = "recall_lot"
    FAIL_LOT_AFTER_RELEASE = "fail_lot_after_release"
    DESTROY_LOT = "destroy_lot"

    OPEN_ACCOUNT = "open_account"
    GRANT_ROLE = "grant_role"
    REVOKE_ROLE = "revoke_role"
    RESET_FACTORS = "reset_factors"
    UNLOCK_ACCOUNT = "unlock_account"
    DEACTIVATE_ACCOUNT = "deactivate_account"
    APPOINT_QUALITY_AUTHORITY = "appoint_quality_authority"
    SUPPORT_APPOINTMENT = "support_appointment"
    REVOKE_APPOINTMENT = "revoke_appointment"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the account, the roles held at this moment, and the device it comes from."""

    account_id: int
    username: str
    printed_name: str
    roles: frozenset[Role]
    session_id: int | None
    device: str


_ALL = frozenset(Role)
_PEOPLE = _ALL - {Role.DEVICE}
_LAB = _PEOPLE - {Role.ADMINISTRATOR}
_BENCH = frozenset({Role.TECHNICIAN})
_SECOND = frozenset({Role.VERIFIER})
_ANALYST = frozenset({Role.QC_ANALYST})
_REVIEWER = frozenset({Role.QC_REVIEWER})
_QA = frozenset({Role.QA_MANAGER})
_AUTHORITY = frozenset({Role.QUALITY_AUTHORITY})
_QUALITY = _QA | _AUTHORITY
_PHYSICIAN = frozenset({Role.PHYSICIAN})
_PRODUCTION = frozenset({Role.HEAD_OF_PRODUCTION})
_SUPPORTERS = _QA | _PHYSICIAN | _PRODUCTION
_ADMIN = frozenset({Role.ADMINISTRATOR})

MAY: Mapping[Act, frozenset[Role]] = MappingProxyType(
    {
        Act.SIGN_IN: _ALL,
        Act.SIGN_OUT: _ALL,
        Act.READ_LOT: _LAB,
        Act.READ_ITEM: _LAB,
        Act.READ_DONOR: _LAB,
        Act.READ_MATERIAL: _LAB,
        Act.READ_STUDY: _LAB,
        Act.READ_TRACE: _LAB,
        Act.READ_DASHBOARD: _LAB | {Role.DEVICE},
        Act.READ_RULES: _PEOPLE,
        Act.READ_ACCOUNTS: _ADMIN | _QUALITY,
        Act.READ_AUDIT: _QUALITY,
        Act.VERIFY_AUDIT: _QUALITY | _ADMIN,
        Act.EXPORT_AUDIT: _QUALITY,
        Act.REVEAL_IDENTITY: _PHYSICIAN | _QA,
        Act.SCAN: _LAB | {Role.DEVICE},
        Act.DECODE_PICTURE: _LAB | {Role.DEVICE},
        Act.PRINT_LABEL: _BENCH | _ANALYST,
        Act.PRINT_PAPER: _LAB,
        Act.VERIFY_LABEL: _BENCH | _SECOND | _ANALYST,
        Act.OPEN_CEREMONY: _LAB,
        Act.MANAGE_OWN_FACTORS: _PEOPLE,
        Act.REGISTER_DONOR: _BENCH | _PHYSICIAN,
        Act.RECORD_CONSENT: _BENCH | _PHYSICIAN,
        Act.WITHDRAW_CONSENT: _BENCH | _PHYSICIAN | _QA,
        Act.MATCH_IDENTITY: _BENCH | _SECOND | _PHYSICIAN,
        Act.RECORD_MARKER: _ANALYST | _PHYSICIAN,
        Act.DETERMINE_ELIGIBILITY: _QA | _PHYSICIAN,
        Act.RECEIVE_DONATION: _BENCH,
        Act.STORE_DONATION: _BENCH,
        Act.RECORD_HISTORY: _BENCH | _PHYSICIAN,
        Act.RECORD_BIRTH_TEST: _ANALYST | _PHYSICIAN,
        Act.DEFINE_QUESTIONNAIRE: _QA,
        Act.PROPOSE_TISSUE: _QA,
        Act.DECIDE_TISSUE: _AUTHORITY,
        Act.RECORD_PERMIT: _QA,
        Act.WITHDRAW_PERMIT: _QA,
        Act.DEFINE_MATERIAL: _QA,
        Act.RECEIVE_MATERIAL: _BENCH,
        Act.REVIEW_COA: _REVIEWER | _QA,
        Act.APPROVE_MATERIAL: _QA,
        Act.REJECT_MATERIAL: _QA,
        Act.RECALL_MATERIAL: _QUALITY,
        Act.OPEN_MATERIAL: _BENCH,
        Act.STATE_MATERIAL: _QA,
        Act.STATE_VECTOR: _QA,
        Act.RECORD_VIRUS_TEST: _ANALYST | _QA,
        Act.REPORT_VIRUS_TEST: _ANALYST | _QA,
        Act.RECORD_OFF_TARGET: _QA | _PRODUCTION,
        Act.DEFINE_RECIPE: _QA,
        Act.PREPARE_REAGENT: _BENCH,
        Act.REGISTER_SUPPLIER: _QA,
        Act.RECORD_SUPPLIER_AUDIT: _QA | _REVIEWER | _PRODUCTION,
        Act.DECIDE_SUPPLIER: _QA,
        Act.CHOOSE_SUPPLIER: _QA,
        Act.REGISTER_INSTITUTION: _QA | _PHYSICIAN,
        Act.STATE_INSTITUTION: _QA,
        Act.REGISTER_STUDY: _QA | _PHYSICIAN,
        Act.NAME_STUDY_LEADER: _QA,
        Act.RECORD_COMMITTEE_DECISION: _QA,
        Act.RECORD_FILING: _QA,
        Act.RECORD_SPONSOR_AGREEMENT: _QA,
        Act.REGISTER_PARTNER: _QA,
        Act.ASSESS_PARTNER: _QA | _PRODUCTION,
        Act.DECIDE_PARTNER: _AUTHORITY,
        Act.RECORD_QUALITY_AGREEMENT: _QA,
        Act.REGISTER_LABORATORY: _QA,
        Act.STATE_LABORATORY: _QA,
        Act.RECORD_REINSPECTION: _QA | _REVIEWER,
        Act.QUALIFY_SHIPPER: _QA,
        Act.RECORD_TRANSPORT: _BENCH | _QA,
        Act.NAME_MAKER: _QA,
        Act.RECORD_PARTNER_PAPER: _QA,
        Act.RECORD_PARTNER_STEP: _QA,
        Act.REQUEST_EXCEPTIONAL_SUPPLY: _PHYSICIAN,
        Act.DECIDE_EXCEPTIONAL_SUPPLY: _AUTHORITY,
        Act.DEFINE_EQUIPMENT: _QA | _PRODUCTION,
        Act.QUALIFY_EQUIPMENT: _QA | _PRODUCTION,
        Act.PROPOSE_DOCUMENT: _QA | _PRODUCTION | _REVIEWER,
        Act.APPROVE_DOCUMENT: _QUALITY,
        Act.CLASSIFY_AREA: _QA,
        Act.MONITOR_SESSION: _BENCH | _ANALYST,
        Act.READ_MONITORING: _ANALYST,
        Act.PROPOSE_AUTHORISATION: _QA | _PRODUCTION,
        Act.AUTHORISE_PROCESS: _AUTHORITY,
        Act.PROPOSE_RESPONSIBILITY: _QA,
        Act.ACCEPT_RESPONSIBILITY: _LAB,
        Act.END_RESPONSIBILITY: _QA,
        Act.DEFINE_PROCESS: _QA | _PRODUCTION,
        Act.DEFINE_SPECIFICATION: _QA,
        Act.CHANGE_SETTING: _QA,
        Act.APPROVE_SETTING: _AUTHORITY,
        Act.PROPOSE_PACK: _QA,
        Act.CHOOSE_PACK: _AUTHORITY,
        Act.RECORD_AUTHORITY_REPLY: _QA,
        Act.PLAN_LOT: _BENCH | _PRODUCTION,
        Act.CLEAR_LINE: _BENCH,
        Act.VERIFY_CLEARANCE: _SECOND,
        Act.ISOLATE: _BENCH,
        Act.PASSAGE: _BENCH,
        Act.FILL: _BENCH,
        Act.CRYOPRESERVE: _BENCH,
        Act.THAW: _BENCH,
        Act.WITHDRAW_VIAL: _BENCH,
        Act.STORE_VIALS: _BENCH,
        Act.CLASSIFY_STORAGE: _QA | _PRODUCTION,
        Act.RECORD_EXCURSION: _BENCH | _QA | _PRODUCTION,
        Act.PROPOSE_BANK_POLICY: _QA,
        Act.DECIDE_BANK_POLICY: _AUTHORITY,
        Act.PROPOSE_TWO_STEP_PLAN: _QA,
        Act.DECIDE_TWO_STEP_PLAN: _AUTHORITY,
        Act.BEGIN_TEST: _ANALYST,
        Act.ACKNOWLEDGE_PENDING: _PHYSICIAN,
        Act.RECORD_FOLLOW_UP: _QA,
        Act.RECORD_PRODUCTION_END: _QA | _REVIEWER,
        Act.PROPOSE_COMPARABILITY: _QA,
        Act.ACCEPT_COMPARABILITY: _AUTHORITY,
        Act.VERIFY_STEP: _SECOND,
        Act.RECORD_VERIFICATION: _BENCH | _SECOND,
        Act.TAKE_RETAIN: _BENCH,
        Act.TAKE_SAMPLE: _BENCH | _ANALYST,
        Act.RECORD_ALREADY_HAPPENED: _LAB,
        Act.RECORD_RESULT: _ANALYST,
        Act.REVIEW_RESULT: _REVIEWER,
        Act.INVALIDATE_RESULT: _QA,
        Act.OPEN_DEVIATION: _LAB,
        Act.ASSESS_DEVIATION: _QA,
        Act.CLOSE_DEVIATION: _QA,
        Act.PLACE_HOLD: _LAB,
        Act.LIFT_HOLD: _QA,
        Act.LIFT_LOOK_BACK_HOLD: _AUTHORITY,
        Act.REVIEW_BATCH: _QA,
        Act.SUBMIT_LOT: _QA,
        Act.SEND_LOT_BACK: _QUALITY,
        Act.PROPOSE_WAIVER: _QA | _PHYSICIAN | _PRODUCTION | _REVIEWER,
        Act.APPROVE_WAIVER: _AUTHORITY,
        Act.PROPOSE_LEGACY: _QA,
        Act.ACCEPT_LEGACY: _AUTHORITY,
        Act.WITHDRAW_LEGACY: _QA | _AUTHORITY,
        Act.PROPOSE_ASSESSMENT: _QA | _PHYSICIAN | _PRODUCTION | _REVIEWER,
        Act.APPROVE_ASSESSMENT: _AUTHORITY,
        Act.COUNT_LABELS: _BENCH,
        Act.EXPLAIN_LABEL_COUNT: _QA,
        Act.DEFINE_PRINTER: _QA | _PRODUCTION,
        Act.ATTEND_PRINTER: _BENCH | _ANALYST | _QA | _PRODUCTION,
        Act.RUN_PRINTER: frozenset({Role.DEVICE}),
        Act.SET_TIMER: _BENCH | _SECOND,
        Act.NOTE_REASON: _LAB,
        Act.QUALIFY_PERSON: _QA,
        Act.STATE_DISEASE_STATUS: _QA,
        Act.ISSUE_BADGE: _ADMIN,
        Act.REVOKE_BADGE: _ADMIN | _QA,
        Act.CHECK_RELEASE: _QUALITY,
        Act.RELEASE_LOT: _AUTHORITY,
        Act.CONDITIONALLY_RELEASE_LOT: _AUTHORITY,
        Act.REJECT_LOT: _QUALITY,
        Act.RECALL_LOT: _QUALITY,
        Act.FAIL_LOT_AFTER_RELEASE: _QUALITY,
        Act.DESTROY_LOT: _QA,
        Act.OPEN_ACCOUNT: _ADMIN,
        Act.GRANT_ROLE: _ADMIN,
        Act.REVOKE_ROLE: _ADMIN,
        Act.RESET_FACTORS: _ADMIN,
        Act.UNLOCK_ACCOUNT: _ADMIN,
        Act.DEACTIVATE_ACCOUNT: _ADMIN,
        Act.APPOINT_QUALITY_AUTHORITY: _SUPPORTERS,
        Act.SUPPORT_APPOINTMENT: _SUPPORTERS,
        Act.REVOKE_APPOINTMENT: _SUPPORTERS,
    }
)


class Meaning(StrEnum):
    """What a signature says."""

    RESULT_REVIEWED = "result_reviewed"
    RESULTS_REVIEWED = "results_reviewed"
    ELIGIBILITY_DETERMINED = "eligibility_determined"
    MATERIAL_APPROVED = "material_approved"
    MATERIAL_REJECTED = "material_rejected"
    BATCH_REVIEWED = "batch_reviewed"
    DEVIATION_CLOSED = "deviation_closed"
    HOLD_LIFTED = "hold_lifted"
    LOOK_BACK_HOLD_LIFTED = "look_back_hold_lifted"
    WAIVER_APPROVED = "waiver_approved"
    LEGACY_ACCEPTED = "legacy_accepted"
    ASSESSMENT_APPROVED = "assessment_approved"
    DOCUMENT_APPROVED = "document_approved"
    PROCESS_AUTHORISED = "process_authorised"
    BANK_POLICY_DECIDED = "bank_policy_decided"
    TWO_STEP_PLAN_DECIDED = "two_step_plan_decided"
    COMPARABILITY_ACCEPTED = "comparability_accepted"
    RESPONSIBILITY_ACCEPTED = "responsibility_accepted"
    SUPPLIER_DECIDED = "supplier_decided"
    PARTNER_DECIDED = "partner_decided"
    EXCEPTIONAL_SUPPLY_DECIDED = "exceptional_supply_decided"
    SETTING_APPROVED = "setting_approved"
    PACK_APPROVED = "pack_approved"
    TISSUE_DECIDED = "tissue_decided"
    APPOINTMENT_SUPPORTED = "appointment_supported"
    APPOINTMENT_REVOKED = "appointment_revoked"
    RELEASED = "released"
    CONDITIONALLY_RELEASED = "conditionally_released"
    REJECTED = "rejected"


class RecordKind(StrEnum):
    """The kind of record that a signature is set to."""

    RESULT = "result"
    RESULTS = "results"
    DONATION = "donation"
    MATERIAL_LOT = "material_lot"
    LOT = "lot"
    BATCH = "batch"
    DEVIATION = "deviation"
    HOLD = "hold"
    WAIVER = "waiver"
    LEGACY = "legacy"
    ASSESSMENT = "assessment"
    DOCUMENT = "document"
    AUTHORISATION = "authorisation"
    BANK_POLICY = "bank_policy"
    TWO_STEP_PLAN = "two_step_plan"
    COMPARABILITY = "comparability"
    RESPONSIBILITY = "responsibility"
    SUPPLIER_AUDIT = "supplier_audit"
    PARTNER_ASSESSMENT = "partner_assessment"
    EXCEPTIONAL_REQUEST = "exceptional_request"
    SETTING = "setting"
    PACK = "pack"
    TISSUE_TYPE = "tissue_type"
    PROPOSAL = "proposal"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who may sign with a meaning, and on what kind of record."""

    roles: frozenset[Role]
    record: RecordKind


MEANINGS: Mapping[Meaning, Signing] = MappingProxyType(
    {
        Meaning.RESULT_REVIEWED: Signing(_REVIEWER, RecordKind.RESULT),
        Meaning.RESULTS_REVIEWED: Signing(_REVIEWER, RecordKind.RESULTS),
        Meaning.ELIGIBILITY_DETERMINED: Signing(_QA | _PHYSICIAN, RecordKind.DONATION),
        Meaning.MATERIAL_APPROVED: Signing(_QA, RecordKind.MATERIAL_LOT),
        Meaning.MATERIAL_REJECTED: Signing(_QA, RecordKind.MATERIAL_LOT),
        Meaning.BATCH_REVIEWED: Signing(_QA, RecordKind.BATCH),
        Meaning.DEVIATION_CLOSED: Signing(_QA, RecordKind.DEVIATION),
        Meaning.HOLD_LIFTED: Signing(_QA, RecordKind.HOLD),
        Meaning.LOOK_BACK_HOLD_LIFTED: Signing(_AUTHORITY, RecordKind.HOLD),
        Meaning.WAIVER_APPROVED: Signing(_AUTHORITY, RecordKind.WAIVER),
        Meaning.LEGACY_ACCEPTED: Signing(_AUTHORITY, RecordKind.LEGACY),
        Meaning.ASSESSMENT_APPROVED: Signing(_AUTHORITY, RecordKind.ASSESSMENT),
        Meaning.DOCUMENT_APPROVED: Signing(_QUALITY, RecordKind.DOCUMENT),
        Meaning.PROCESS_AUTHORISED: Signing(_AUTHORITY, RecordKind.AUTHORISATION),
        Meaning.BANK_POLICY_DECIDED: Signing(_AUTHORITY, RecordKind.BANK_POLICY),
        Meaning.TWO_STEP_PLAN_DECIDED: Signing(_AUTHORITY, RecordKind.TWO_STEP_PLAN),
        Meaning.COMPARABILITY_ACCEPTED: Signing(_AUTHORITY, RecordKind.COMPARABILITY),
        Meaning.RESPONSIBILITY_ACCEPTED: Signing(_LAB, RecordKind.RESPONSIBILITY),
        Meaning.SUPPLIER_DECIDED: Signing(_QA, RecordKind.SUPPLIER_AUDIT),
        Meaning.PARTNER_DECIDED: Signing(_AUTHORITY, RecordKind.PARTNER_ASSESSMENT),
        Meaning.EXCEPTIONAL_SUPPLY_DECIDED: Signing(_AUTHORITY, RecordKind.EXCEPTIONAL_REQUEST),
        Meaning.SETTING_APPROVED: Signing(_AUTHORITY, RecordKind.SETTING),
        Meaning.PACK_APPROVED: Signing(_AUTHORITY, RecordKind.PACK),
        Meaning.TISSUE_DECIDED: Signing(_AUTHORITY, RecordKind.TISSUE_TYPE),
        Meaning.APPOINTMENT_SUPPORTED: Signing(_SUPPORTERS, RecordKind.PROPOSAL),
        Meaning.APPOINTMENT_REVOKED: Signing(_SUPPORTERS, RecordKind.APPOINTMENT),
        Meaning.RELEASED: Signing(_AUTHORITY, RecordKind.LOT),
        Meaning.CONDITIONALLY_RELEASED: Signing(_AUTHORITY, RecordKind.LOT),
        Meaning.REJECTED: Signing(_QUALITY, RecordKind.LOT),
    }
)

ROLE_NAMES: Mapping[Role, Text] = MappingProxyType(
    {
        Role.TECHNICIAN: Text("technician"),
        Role.VERIFIER: Text("verifier"),
        Role.QC_ANALYST: Text("QC analyst"),
        Role.QC_REVIEWER: Text("QC reviewer"),
        Role.QA_MANAGER: Text("QA manager"),
        Role.QUALITY_AUTHORITY: Text("quality authority"),
        Role.PHYSICIAN: Text("physician"),
        Role.HEAD_OF_PRODUCTION: Text("head of production"),
        Role.ADMINISTRATOR: Text("administrator"),
        Role.DEVICE: Text("device"),
    }
)

ACT_NAMES: Mapping[Act, Text] = MappingProxyType(
    {
        Act.SIGN_IN: Text("sign in"),
        Act.SIGN_OUT: Text("sign out"),
        Act.READ_LOT: Text("read lots"),
        Act.READ_ITEM: Text("read items"),
        Act.READ_DONOR: Text("read donor records"),
        Act.READ_MATERIAL: Text("read material lots"),
        Act.READ_STUDY: Text("read studies and institutions"),
        Act.READ_TRACE: Text("trace an item"),
        Act.READ_DASHBOARD: Text("read the dashboard"),
        Act.READ_RULES: Text("read the rule book"),
        Act.READ_ACCOUNTS: Text("read accounts"),
        Act.READ_AUDIT: Text("read the audit trail"),
        Act.VERIFY_AUDIT: Text("verify the audit trail"),
        Act.EXPORT_AUDIT: Text("export the audit trail"),
        Act.REVEAL_IDENTITY: Text("reveal a person's identity"),
        Act.SCAN: Text("scan"),
        Act.DECODE_PICTURE: Text("read codes from a picture"),
        Act.PRINT_LABEL: Text("print a label"),
        Act.PRINT_PAPER: Text("make a paper"),
        Act.VERIFY_LABEL: Text("verify a printed label"),
        Act.OPEN_CEREMONY: Text("sign"),
        Act.MANAGE_OWN_FACTORS: Text("manage one's own password and second factor"),
        Act.REGISTER_DONOR: Text("register a donor"),
        Act.RECORD_CONSENT: Text("record a consent"),
        Act.WITHDRAW_CONSENT: Text("record the withdrawal of a consent"),
        Act.MATCH_IDENTITY: Text("match donor and recipient by identifiers"),
        Act.RECORD_MARKER: Text("record an infection marker"),
        Act.DETERMINE_ELIGIBILITY: Text("determine a donor's eligibility"),
        Act.RECEIVE_DONATION: Text("receive a donation"),
        Act.STORE_DONATION: Text("record where a donation is kept"),
        Act.RECORD_HISTORY: Text("record a donor's history and examination"),
        Act.RECORD_BIRTH_TEST: Text("record a test of birth tissue"),
        Act.DEFINE_QUESTIONNAIRE: Text("define a questionnaire version"),
        Act.PROPOSE_TISSUE: Text("propose what a tissue is"),
        Act.DECIDE_TISSUE: Text("decide what a tissue is"),
        Act.RECORD_PERMIT: Text("record a permit for human genetic resources"),
        Act.WITHDRAW_PERMIT: Text("record the withdrawal of a permit"),
        Act.DEFINE_MATERIAL: Text("define a material"),
        Act.RECEIVE_MATERIAL: Text("receive a material lot"),
        Act.REVIEW_COA: Text("review a certificate of analysis"),
        Act.APPROVE_MATERIAL: Text("approve a material lot for use"),
        Act.REJECT_MATERIAL: Text("reject a material lot"),
        Act.RECALL_MATERIAL: Text("recall a material lot"),
        Act.OPEN_MATERIAL: Text("open a container of a material"),
        Act.STATE_MATERIAL: Text("state what a material is made from"),
        Act.STATE_VECTOR: Text("state what a vector is and what it came of"),
        Act.RECORD_VIRUS_TEST: Text("record a test for replication-competent virus"),
        Act.REPORT_VIRUS_TEST: Text("record the outcome of a test for replication-competent virus"),
        Act.RECORD_OFF_TARGET: Text("record a report of off-target edits"),
        Act.DEFINE_RECIPE: Text("define the recipe of a reagent"),
        Act.PREPARE_REAGENT: Text("prepare a reagent by its recipe"),
        Act.REGISTER_SUPPLIER: Text("register a supplier"),
        Act.RECORD_SUPPLIER_AUDIT: Text("record the audit of a supplier"),
        Act.DECIDE_SUPPLIER: Text("decide by an audit whether a supplier is qualified"),
        Act.CHOOSE_SUPPLIER: Text("say which supplier a material lot is from"),
        Act.REGISTER_INSTITUTION: Text("register an institution"),
        Act.STATE_INSTITUTION: Text("state what an institution holds"),
        Act.REGISTER_STUDY: Text("register a study or a version of it"),
        Act.NAME_STUDY_LEADER: Text("record who leads a study"),
        Act.RECORD_COMMITTEE_DECISION: Text("record what a committee decided about a study"),
        Act.RECORD_FILING: Text("record the filing of a study"),
        Act.RECORD_SPONSOR_AGREEMENT: Text("record an agreement with a sponsor"),
        Act.REGISTER_PARTNER: Text("register a partner"),
        Act.ASSESS_PARTNER: Text("record the assessment of a partner"),
        Act.DECIDE_PARTNER: Text("decide by an assessment about a partner"),
        Act.RECORD_QUALITY_AGREEMENT: Text("record a quality agreement"),
        Act.REGISTER_LABORATORY: Text("register a laboratory outside"),
        Act.STATE_LABORATORY: Text("record what accredits a laboratory, or that it stands apart"),
        Act.RECORD_REINSPECTION: Text("record what a laboratory outside tested again"),
        Act.QUALIFY_SHIPPER: Text("record how a shipper was qualified"),
        Act.RECORD_TRANSPORT: Text("record a transport"),
        Act.NAME_MAKER: Text("say which partner makes a lot"),
        Act.RECORD_PARTNER_PAPER: Text("record a partner's paper about a lot"),
        Act.RECORD_PARTNER_STEP: Text("enter a step out of a partner's batch record"),
        Act.REQUEST_EXCEPTIONAL_SUPPLY: Text("ask for a lot that is out of specification"),
        Act.DECIDE_EXCEPTIONAL_SUPPLY: Text("decide about a lot that is out of specification"),
        Act.DEFINE_EQUIPMENT: Text("define equipment"),
        Act.QUALIFY_EQUIPMENT: Text("record that equipment was qualified, calibrated or maintained"),
        Act.PROPOSE_DOCUMENT: Text("propose a version of a controlled document"),
        Act.APPROVE_DOCUMENT: Text("approve a controlled document"),
        Act.CLASSIFY_AREA: Text("record the classification of a room or a workstation"),
        Act.MONITOR_SESSION: Text("record what is monitored in a session"),
        Act.READ_MONITORING: Text("record a reading of environmental monitoring"),
        Act.PROPOSE_AUTHORISATION: Text("propose that the facility may run a process version"),
        Act.AUTHORISE_PROCESS: Text("authorise the facility for a process version"),
        Act.PROPOSE_RESPONSIBILITY: Text("propose who answers for a level"),
        Act.ACCEPT_RESPONSIBILITY: Text("accept a responsibility"),
        Act.END_RESPONSIBILITY: Text("record the end of a responsibility"),
        Act.DEFINE_PROCESS: Text("define a process version"),
        Act.DEFINE_SPECIFICATION: Text("define a specification version"),
        Act.CHANGE_SETTING: Text("change a setting"),
        Act.APPROVE_SETTING: Text("approve the change of a setting"),
        Act.PROPOSE_PACK: Text("propose a rule pack"),
        Act.CHOOSE_PACK: Text("choose the rule pack"),
        Act.RECORD_AUTHORITY_REPLY: Text("file an authority's written reply"),
        Act.PLAN_LOT: Text("plan a lot"),
        Act.CLEAR_LINE: Text("clear a line"),
        Act.VERIFY_CLEARANCE: Text("verify a line clearance"),
        Act.ISOLATE: Text("isolate cells"),
        Act.PASSAGE: Text("passage cells"),
        Act.FILL: Text("fill vials"),
        Act.CRYOPRESERVE: Text("cryopreserve"),
        Act.THAW: Text("thaw a vial of a bank"),
        Act.WITHDRAW_VIAL: Text("withdraw a vial from a bank"),
        Act.STORE_VIALS: Text("put vials of a bank away"),
        Act.CLASSIFY_STORAGE: Text("state how a place keeps what is in it"),
        Act.RECORD_EXCURSION: Text("record that a place was too warm"),
        Act.PROPOSE_BANK_POLICY: Text("propose whether a process works from a bank"),
        Act.DECIDE_BANK_POLICY: Text("decide whether a process works from a bank"),
        Act.PROPOSE_TWO_STEP_PLAN: Text("propose a release in two steps for a process"),
        Act.DECIDE_TWO_STEP_PLAN: Text("decide whether a process is released in two steps"),
        Act.BEGIN_TEST: Text("record that a slow test is under way"),
        Act.ACKNOWLEDGE_PENDING: Text("acknowledge which results are pending"),
        Act.RECORD_FOLLOW_UP: Text("record for how long a study follows its subjects"),
        Act.RECORD_PRODUCTION_END: Text("record how cells at the end of production were tested"),
        Act.PROPOSE_COMPARABILITY: Text("propose that what was tested again is comparable"),
        Act.ACCEPT_COMPARABILITY: Text("accept that what was tested again is comparable"),
        Act.VERIFY_STEP: Text("verify a process step"),
        Act.RECORD_VERIFICATION: Text("have a second person verify here"),
        Act.TAKE_RETAIN: Text("take a retain sample"),
        Act.TAKE_SAMPLE: Text("take a QC sample"),
        Act.RECORD_ALREADY_HAPPENED: Text("record what has already happened"),
        Act.RECORD_RESULT: Text("record a test result"),
        Act.REVIEW_RESULT: Text("review a test result"),
        Act.INVALIDATE_RESULT: Text("invalidate a test result"),
        Act.OPEN_DEVIATION: Text("open a deviation"),
        Act.ASSESS_DEVIATION: Text("assess a deviation"),
        Act.CLOSE_DEVIATION: Text("close a deviation"),
        Act.PLACE_HOLD: Text("place a hold"),
        Act.LIFT_HOLD: Text("lift a hold"),
        Act.LIFT_LOOK_BACK_HOLD: Text("lift a hold of a look-back on a released lot, or for virus that was found"),
        Act.REVIEW_BATCH: Text("review a batch record"),
        Act.SUBMIT_LOT: Text("submit a lot for release"),
        Act.SEND_LOT_BACK: Text("send a lot back to quarantine"),
        Act.PROPOSE_WAIVER: Text("propose a waiver"),
        Act.APPROVE_WAIVER: Text("approve a waiver"),
        Act.PROPOSE_LEGACY: Text("propose papers from before the guideline"),
        Act.ACCEPT_LEGACY: Text("accept papers from before the guideline"),
        Act.WITHDRAW_LEGACY: Text("withdraw papers from before the guideline"),
        Act.PROPOSE_ASSESSMENT: Text("propose an assessment"),
        Act.APPROVE_ASSESSMENT: Text("approve an assessment"),
        Act.COUNT_LABELS: Text("count labels"),
        Act.EXPLAIN_LABEL_COUNT: Text("explain a count of labels that does not come out"),
        Act.DEFINE_PRINTER: Text("define a label printer"),
        Act.ATTEND_PRINTER: Text("look after the print queue"),
        Act.RUN_PRINTER: Text("send labels to a printer"),
        Act.SET_TIMER: Text("set a timer"),
        Act.NOTE_REASON: Text("add the words to a reason"),
        Act.QUALIFY_PERSON: Text("record a person's qualification"),
        Act.STATE_DISEASE_STATUS: Text("state a country's animal disease status"),
        Act.ISSUE_BADGE: Text("issue a badge"),
        Act.REVOKE_BADGE: Text("revoke a badge"),
        Act.CHECK_RELEASE: Text("check a lot for release"),
        Act.RELEASE_LOT: Text("release a lot"),
        Act.CONDITIONALLY_RELEASE_LOT: Text("conditionally release a lot"),
        Act.REJECT_LOT: Text("reject a lot"),
        Act.RECALL_LOT: Text("recall a lot"),
        Act.FAIL_LOT_AFTER_RELEASE: Text("declare a lot failed after release"),
        Act.DESTROY_LOT: Text("record the destruction of a lot"),
        Act.OPEN_ACCOUNT: Text("open an account"),
        Act.GRANT_ROLE: Text("grant a role"),
        Act.REVOKE_ROLE: Text("revoke a role"),
        Act.RESET_FACTORS: Text("reset an account's factors"),
        Act.UNLOCK_ACCOUNT: Text("unlock an account"),
        Act.DEACTIVATE_ACCOUNT: Text("deactivate an account"),
        Act.APPOINT_QUALITY_AUTHORITY: Text("appoint the quality authority"),
        Act.SUPPORT_APPOINTMENT: Text("support an appointment"),
        Act.REVOKE_APPOINTMENT: Text("revoke an appointment"),
    }
)


def may(actor: Actor, act: Act) -> bool:
    """Whether a role held now permits the act. Leaving is always permitted, also after the last role was taken away."""
    return act is Act.SIGN_OUT or not actor.roles.isdisjoint(MAY[act])


def require(actor: Actor, act: Act) -> None:
    """Raises NotPermitted unless a role held now permits the act."""
    if may(actor, act):
        return
    holders = tuple(ROLE_NAMES[role] for role in Role if role in MAY[act])
    raise NotPermitted(
        what=Text("You may not {act}.", act=ACT_NAMES[act]),
        why=Text("This belongs to: {roles}.", roles=holders),
        remedy=Text("Ask somebody who holds such a role. If it has already been done, record it as already happened.")
        if act in _DONE_BY_HAND
        else Text("Ask somebody who holds such a role."),
        detail={"act": act.value, "roles": [role.value for role in Role if role in MAY[act]]},
    )


_DONE_BY_HAND = frozenset(
    {
        Act.RECEIVE_DONATION,
        Act.STORE_DONATION,
        Act.RECEIVE_MATERIAL,
        Act.OPEN_MATERIAL,
        Act.CLEAR_LINE,
        Act.ISOLATE,
        Act.PASSAGE,
        Act.FILL,
        Act.CRYOPRESERVE,
        Act.THAW,
        Act.WITHDRAW_VIAL,
        Act.STORE_VIALS,
        Act.TAKE_RETAIN,
        Act.TAKE_SAMPLE,
        Act.DESTROY_LOT,
    }
)
"""Acts of the hands: forbidding them does not undo them, so the refusal names the second door."""
