"""What must hold after every attack, asked by the superuser: an attack is judged by what it left, not by what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, (
    SELECT string_agg(format('t.%I::text', a.attname), ' || '':'' || ' ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('lab', 'people', 'identity', 'audit')
  AND n.nspname || '.' || c.relname NOT IN ('people.sessions', 'people.login_attempts')
"""
# Rows that may change do so under an audited entry; nothing else ever changes.
MAY_CHANGE = [
    "lab.lots",
    "lab.containers",
    "lab.holds",
    "lab.deviations",
    "lab.waivers",
    "lab.consents",
    "lab.workstation_sessions",
    "people.accounts",
    "people.credentials",
    "people.grants",
    "people.ceremonies",
    "people.appointments",
    "people.badges",
    "lab.timers",
    "lab.bench_reasons",
]
CHANGED = """
SELECT b.tbl || ' ' || b.key || CASE WHEN live.h IS NULL THEN ' is gone' ELSE ' changed' END
FROM pg_temp.before b LEFT JOIN ({live}) AS live USING (tbl, key)
WHERE live.h IS DISTINCT FROM b.h
  AND NOT (live.h IS NOT NULL AND b.tbl = ANY ($1) AND EXISTS (
      SELECT FROM audit.rows r WHERE r.tbl = b.tbl AND r.key = b.key AND r.op = 'U' AND r.seq > $2))
  AND NOT (b.tbl = 'lab.idempotency' AND live.h IS NOT NULL)
"""
FORGED = """
SELECT 'row ' || r.seq || ' hangs on entry ' || r.entry_number FROM audit.rows r JOIN audit.entries e ON e.number = r.entry_number
WHERE r.seq > $1 AND (e.number <= $2 OR e.xid <= $3::text::xid8 OR sha256(convert_to(r.payload, 'UTF8')) <> r.hash)
UNION ALL
SELECT 'entry ' || e.number || ' is forged' FROM audit.entries e
WHERE e.number > $2 AND e.db_role NOT IN ('stemma_admin', $4)
   OR e.number > $2 AND (sha256(convert_to(e.payload, 'UTF8')) <> e.hash OR e.at < $5)
UNION ALL
SELECT 'transaction ' || xid || ' has ' || count(*) || ' entries' FROM audit.entries WHERE number > $2 GROUP BY xid HAVING count(*) > 1
UNION ALL
SELECT 'scan ' || number || ' is forged' FROM lab.scans WHERE number > $2 AND (sha256(convert_to(payload, 'UTF8')) <> hash OR at < $5)
UNION ALL
SELECT 'epoch ' || epoch || ' is new' FROM audit.epochs
"""
UNAUDITED = """
SELECT w.tbl || ' ' || w.key || ' stands without its audit' FROM ({live}) AS w
WHERE w.tbl <> ALL ($1) AND NOT EXISTS (SELECT FROM audit.rows r WHERE r.tbl = w.tbl AND r.key = w.key)
"""
EXEMPT = [
    "lab.scans",
    "lab.idempotency",
    "audit.entries",
    "audit.rows",
    "audit.leaves",
    "audit.nodes",
    "audit.checkpoints",
    "audit.epochs",
]
RELEASED = """
SELECT 'lot ' || h.lot_id || ' is ' || h.to_state || ', and nobody who may has signed that' FROM lab.lot_history h
LEFT JOIN lab.releases r ON r.id = h.release_id AND r.lot_id = h.lot_id
LEFT JOIN lab.signatures s ON s.id = r.signature_id AND s.meaning = 'released' AND s.record_kind = 'lot' AND s.record_id = h.lot_id
LEFT JOIN people.ceremonies c ON c.id = s.ceremony_id AND c.account_id = s.account_id AND c.meaning = 'released'
    AND c.record_id = h.lot_id AND c.burned_at IS NULL AND c.used_at BETWEEN c.issued_at AND c.expires_at AND c.digest = s.digest
LEFT JOIN people.appointments a ON a.account_id = s.account_id AND a.from_at <= s.signed_at
    AND coalesce(a.until_at, 'infinity') > s.signed_at AND coalesce(a.revoked_at, 'infinity') > s.signed_at
WHERE h.to_state IN ('released', 'conditionally_released') AND (a.id IS NULL OR c.id IS NULL)
UNION ALL
SELECT 'lot ' || l.id || ' is ' || l.state || ', where its history does not lead' FROM lab.lots l
WHERE NOT EXISTS (SELECT FROM lab.lot_history h WHERE h.lot_id = l.id AND h.seq = l.version AND h.to_state = l.state)
   OR l.version <> (SELECT max(seq) FROM lab.lot_history h WHERE h.lot_id = l.id)
UNION ALL
SELECT 'lot ' || h.lot_id || ' was ' || h.to_state || ' by nobody''s signature' FROM lab.lot_history h
LEFT JOIN lab.signatures s ON s.id = h.signature_id
WHERE h.to_state IN ('approved', 'rejected') AND s.id IS NULL
UNION ALL
SELECT 'lot ' || l.id || ' is ' || l.state || ' now' FROM lab.lots l
WHERE l.state IN ('released', 'conditionally_released', 'approved', 'rejected') AND l.id <> ALL ($1)
"""
STOOD_ON = """
SELECT 'review ' || v.id || ' stands on no signature of its own' FROM lab.result_reviews v
JOIN lab.results r ON r.id = v.result_id JOIN lab.signatures s ON s.id = v.signature_id
WHERE v.id > $1 AND NOT (s.statement = v.decision AND ((s.meaning = 'result_reviewed' AND s.record_id = r.id)
    OR (s.meaning = 'results_reviewed' AND s.record_id = r.lot_id AND s.digest = audit.sha256_hex((
        SELECT jsonb_agg(dossier.result(w.result_id) ORDER BY w.result_id)::text FROM lab.result_reviews w WHERE w.signature_id = s.id)))))
UNION ALL
SELECT 'batch review ' || b.id || ' says what was not signed' FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id
WHERE b.package_digest <> s.digest OR b.decision <> s.statement OR s.record_id <> b.lot_id OR s.meaning <> 'batch_reviewed'
UNION ALL
SELECT 'determination ' || d.id || ' says what was not signed' FROM lab.determinations d JOIN lab.signatures s ON s.id = d.signature_id
WHERE d.decision <> s.statement OR s.record_id <> d.donation_id OR s.meaning <> 'eligibility_determined'
UNION ALL
SELECT 'signature ' || s.id || ' consumed no ceremony' FROM lab.signatures s LEFT JOIN people.ceremonies c ON c.id = s.ceremony_id
    AND c.account_id = s.account_id AND c.meaning = s.meaning AND c.record_id = s.record_id AND c.digest = s.digest AND c.used_at IS NOT NULL
WHERE c.id IS NULL
UNION ALL
SELECT 'verification ' || v.id || ' was made by nobody who may' FROM lab.verifications v
JOIN people.badges b ON b.id = v.badge_id LEFT JOIN lab.steps s ON s.id = v.step_id
WHERE b.account_id <> v.verified_by OR v.verified_by IN (s.performed_by, s.recorded_by)
   OR NOT 'verifier' = ANY (people.roles_of(v.verified_by))
UNION ALL
SELECT 'assessment ' || a.id || ' was approved by nobody' FROM lab.assessments a LEFT JOIN lab.signatures s ON s.id = a.signature_id
    AND s.meaning = 'assessment_approved' AND s.record_id = a.id AND s.account_id <> a.proposed_by
WHERE a.signature_id IS NOT NULL AND s.id IS NULL
UNION ALL
SELECT 'papers ' || d.id || ' were accepted by nobody' FROM lab.legacy_dossiers d LEFT JOIN lab.signatures s ON s.id = d.signature_id
    AND s.meaning = 'legacy_accepted' AND s.record_id = d.id AND s.account_id <> d.proposed_by
WHERE d.signature_id IS NOT NULL AND s.id IS NULL
UNION ALL
SELECT 'papers ' || d.id || ' stand for what no paper shows' FROM lab.legacy_dossiers d WHERE d.rules && '{MAT-03,MAT-05,TPR-01}'
UNION ALL
SELECT 'setting ' || s.id || ' was changed by nobody who may' FROM lab.settings s
LEFT JOIN lab.setting_proposals p ON p.id = s.proposal_id AND p.name = s.name AND p.value = s.value
LEFT JOIN lab.signatures g ON g.id = s.signature_id AND g.meaning = 'setting_approved' AND g.record_id = p.id
    AND g.account_id <> p.proposed_by AND g.signed_at <= s.valid_from
WHERE s.version > 1 AND g.id IS NULL
UNION ALL
SELECT 'rule pack ' || c.id || ' was chosen by nobody who may' FROM lab.pack_choices c
LEFT JOIN lab.pack_proposals p ON p.id = c.proposal_id AND p.pack = c.pack
LEFT JOIN lab.signatures g ON g.id = c.signature_id AND g.meaning = 'pack_approved' AND g.record_id = p.id
    AND g.account_id <> p.proposed_by WHERE g.id IS NULL
UNION ALL
SELECT 'appointment ' || id || ' was made by nobody' FROM people.appointments WHERE id > $2 AND second_signature_id IS NULL
UNION ALL
SELECT 'account ' || account_id || ' is administrator and more' FROM people.grants WHERE revoked_at IS NULL
GROUP BY account_id HAVING bool_or(role = 'administrator') AND count(*) > 1
"""
BACKDATED = """
SELECT 'result ' || id || ' is backdated' FROM lab.results WHERE recorded_at < $1 AND id <> ALL ($2)
UNION ALL SELECT 'judgement ' || id || ' is backdated' FROM lab.judgements WHERE recorded_at < $1 AND id <> ALL ($3)
UNION ALL SELECT 'qualification ' || id || ' is backdated' FROM people.qualifications WHERE recorded_at < $1 AND id > $4
"""
HOUSE = """
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
    SELECT 'class ' || c.oid::regclass || c.relkind::text || c.relowner::regrole || coalesce(c.relacl::text, '') || coalesce(c.reloptions::text, '') AS line
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_(toast|temp)|^(pg_catalog|information_schema)$'
    UNION ALL SELECT 'column ' || attrelid::regclass || attname || coalesce(attacl::text, '') || atttypid::regtype || attnotnull FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE attnum > 0 AND n.nspname IN ('lab', 'people', 'identity', 'audit')
    UNION ALL SELECT 'function ' || p.oid::regprocedure || proowner::regrole || prosecdef || coalesce(proacl::text, '') || coalesce(proconfig::text, '') || md5(prosrc)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_temp|^(pg_catalog|information_schema)$'
    UNION ALL SELECT 'schema ' || nspname || nspowner::regrole || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
    UNION ALL SELECT 'trigger ' || tgrelid::regclass || tgname || tgenabled::text || tgtype || md5(tgargs) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'constraint ' || conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
    UNION ALL SELECT 'role ' || rolname || rolsuper || rolinherit || rolcreaterole || rolcreatedb || rolcanlogin || rolreplication || rolbypassrls
        || coalesce(md5(rolpassword), '') FROM pg_authid WHERE rolname LIKE 'stemma%'
    UNION ALL SELECT 'member ' || roleid::regrole || member::regrole FROM pg_auth_members WHERE member::regrole::text LIKE 'stemma%'
    UNION ALL SELECT 'rule ' || ev_class::regclass || rulename FROM pg_rewrite WHERE ev_class > 16384
    UNION ALL SELECT 'extension ' || extname FROM pg_extension
    UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
    UNION ALL SELECT 'database ' || datname || coalesce(datacl, acldefault('d', datdba))::text || datdba::regrole FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'policy ' || polname FROM pg_policy
    UNION ALL SELECT 'publication ' || pubname FROM pg_publication
    UNION ALL SELECT 'default ' || defaclrole::regrole || defaclacl::text FROM pg_default_acl WHERE defaclrole::regrole::text !~ '^stemma_(app|auth|seal|report)$'
    UNION ALL SELECT 'owned ' || classid::regclass || objid FROM pg_shdepend
    WHERE deptype = 'o' AND refobjid::regrole::text IN ('stemma_app', 'stemma_auth', 'stemma_seal', 'stemma_report')
      AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid <> 'pg_largeobject'::regclass
      AND classid <> 'pg_largeobject_metadata'::regclass AND classid <> 'pg_default_acl'::regclass
) AS lines
"""


@dataclass
class Watch:
    """The house before an attack, and what of it is broken after."""

    hand: asyncpg.Connection
    role: str = ""
    allowed: set[int] = field(default_factory=set)
    """Lots that rightly are released, approved or rejected."""
    _live: str = ""
    _marks: dict[str, Any] = field(default_factory=dict)

    async def begin(self) -> None:
        """Remember everything as it is now."""
        if not self._live:
            tables = await self.hand.fetch(TABLES)
            self._live = " UNION ALL ".join(
                f"SELECT '{each['name']}' AS tbl, {each['key']} AS key, md5(t::text) AS h FROM {each['name']} t"
                for each in tables
            )
        await self.hand.execute("DROP TABLE IF EXISTS pg_temp.before")
        await self.hand.execute(f"CREATE TEMP TABLE before AS {self._live}")
        row = await self.hand.fetchrow(
            "SELECT (SELECT coalesce(max(seq), 0) FROM audit.rows) AS seq, (SELECT coalesce(max(number), 0) FROM audit.entries) AS number,"
            " (SELECT max(xid)::text FROM audit.entries) AS xid, (SELECT coalesce(max(id), 0) FROM lab.result_reviews) AS review,"
            " (SELECT coalesce(max(id), 0) FROM people.appointments) AS appointment, clock_timestamp() AS at,"
            " (SELECT array_agg(id) FROM lab.results) AS results, (SELECT coalesce(array_agg(id), '{}') FROM lab.judgements) AS judgements,"
            " (SELECT coalesce(max(id), 0) FROM people.qualifications) AS qualification"
        )
        self._marks = dict(row)
        self._marks["house"] = await self.hand.fetchval(HOUSE)

    async def broken(self) -> list[str]:
        """What no longer holds; nothing when the house stands."""
        marks = self._marks
        return [
            *await self._ask(CHANGED.format(live=self._live), MAY_CHANGE, marks["seq"]),
            *await self._ask(FORGED, marks["seq"], marks["number"], marks["xid"], self.role, marks["at"]),
            *await self._ask(UNAUDITED.format(live=self._live), EXEMPT),
            *await self._ask(RELEASED, list(self.allowed)),
            *await self._ask(STOOD_ON, marks["review"], marks["appointment"]),
            *await self._ask(BACKDATED, marks["at"], marks["results"], marks["judgements"], marks["qualification"]),
        ]

    async def rebuilt(self) -> list[str]:
        """Whether anybody's rights, a function, a trigger or an owner is not what it was."""
        if await self.hand.fetchval(HOUSE) == self._marks["house"]:
            return []
        return ["rights, functions, triggers or owners changed"]

    async def _ask(self, query: str, *values: Any) -> list[str]:
        return [row[0] for row in await self.hand.fetch(query, *values)]
