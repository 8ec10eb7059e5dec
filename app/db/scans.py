"""Scans: two statements, each its own transaction on the driver's connection. One resolves, one keeps."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from app.domain.acts import Act, Actor, Role, may
from app.domain.lots import LotState
from app.domain.scans import Purpose, ScanFacts
from app.domain.text import JSON, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg
    from sqlalchemy import Row

    from app.db.door import Reading, Scanning


def _kept_form(value: object) -> JSON:
    if isinstance(value, Text):
        return value.to_json()
    raise TypeError(f"{type(value).__name__} is not kept with a scan")


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_kept_form).encode

Detail: TypeAlias = "Mapping[str, JSON | Text]"
"""What was said at a scan."""

RESOLVE = """
SELECT at, session_id, account_id, username, printed_name, device, roles, session_state, touch_due, workstation_id,
    workstation_code, workstation_name, workstation_donor, item_id, item_code, item_kind, item_name, item_state,
    lot_code, lot_name, lot_kind, lot_state, expires_at, holds, donor, donors, eligibility
FROM lab.resolve_scan($1, $2, $3, make_interval(mins => $4))
"""
LAST = """
SELECT s.number, s.at, a.username, s.raw, s.verdict, s.reason, s.payload
FROM lab.scans s JOIN people.accounts a ON a.id = s.account_id
WHERE (CAST(:account AS bigint) IS NULL OR s.account_id = :account) AND (CAST(:after AS bigint) IS NULL OR s.number < :after)
ORDER BY s.number DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who scans and where, and what stands behind the code. `state` is the session's: live, idle or ended."""

    row: asyncpg.Record
    actor: Actor

    @property
    def state(self) -> str:
        """Whether the session may still be used."""
        return str(self.row["session_state"])

    @property
    def at(self) -> datetime:
        """The database's clock."""
        moment: datetime = self.row["at"]
        return moment

    def facts(self, purpose: Purpose) -> ScanFacts:
        """What the judgement of the scan may know."""
        row = self.row
        return ScanFacts(
            permitted=may(self.actor, Act.SCAN),
            purpose=purpose,
            item_id=row["item_id"],
            item_kind=row["item_kind"] or "",
            item_name=row["item_name"] or "",
            item_state=row["item_state"],
            lot_kind=row["lot_kind"],
            lot_state=LotState(row["lot_state"]) if row["lot_state"] else None,
            expires_at=row["expires_at"],
            holds=tuple(row["holds"] or ()),
            donor=row["donor"],
            donors=row["donors"] or 0,
            awaits_determination=row["eligibility"] == "undetermined",
            is_ineligible=row["eligibility"] == "ineligible",
            workstation=row["workstation_name"],
            workstation_donor=row["workstation_donor"],
        )

    def shown(self) -> dict[str, JSON]:
        """What the screen says beside the verdict: item, lot, donor by pseudonym, workstation."""
        row = self.row
        expires_at: datetime | None = row["expires_at"]
        return {
            "item": {
                "code": row["item_code"],
                "kind": row["item_kind"],
                "name": row["item_name"],
                "state": row["item_state"],
            }
            if row["item_id"] is not None
            else None,
            "lot": {
                "code": row["lot_code"],
                "name": row["lot_name"],
                "kind": row["lot_kind"],
                "state": row["lot_state"],
                "expires_at": expires_at and expires_at.isoformat(),
            }
            if row["lot_name"] is not None
            else None,
            "donor": row["donor"],
            "workstation": {"code": row["workstation_code"], "name": row["workstation_name"]}
            if row["workstation_id"] is not None
            else None,
        }


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A scan as it is kept. `detail` holds the texts as they were said, in their kept form when read back;
    `replayed`: its key was known already.
    """

    number: int
    at: datetime
    replayed: bool
    verdict: str
    reason: str
    raw: str
    detail: Detail


async def resolve(
    scanning: Scanning, *, token: str, code: str | None, scheme: str, idle_minutes: int
) -> Resolved | None:
    """Everything a scan needs to be judged, or None when nobody is signed in. One round trip."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    row = await scanning.row(RESOLVE, digest, code, scheme, idle_minutes)
    if row is None:
        return None
    actor = Actor(
        account_id=row["account_id"],
        username=row["username"],
        printed_name=row["printed_name"],
        roles=frozenset(map(Role, row["roles"])),
        session_id=row["session_id"],
        device=row["device"],
    )
    return Resolved(row, actor)


async def keep(
    scanning: Scanning,
    found: Resolved,
    *,
    raw: str,
    code: str | None,
    verdict: str,
    reason: str,
    key: str | None,
    detail: Detail,
) -> KeptScan:
    """Append the scan as its own hashed leaf; a key kept before answers with the scan kept then. One round trip."""
    row = await scanning.keep_scan(
        found.actor.account_id,
        found.actor.session_id,
        found.row["workstation_id"],
        found.row["workstation_code"],
        raw,
        code,
        found.row["item_id"],
        verdict,
        reason,
        key,
        _ENCODE(detail),
        found.row["touch_due"],
    )
    kept = detail_of(row["payload"]) if row["replayed"] else detail
    return KeptScan(row["number"], row["at"], row["replayed"], row["verdict"], row["reason"], row["raw"], kept)


def detail_of(payload: str) -> dict[str, Any]:
    """What was said at a scan: the last of the fields that its hashed text frames."""
    data, at, field = payload.encode(), 0, b"{}"
    while at < len(data):
        colon = data.index(b":", at)
        length = int(data[at:colon])
        field = data[colon + 1 : colon + 1 + length]
        at = colon + length + 2
    said: dict[str, Any] = json.loads(field)
    return said


async def last(reading: Reading, *, account_id: int | None, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """The newest scans first, of one account or of all, those before number `after`."""
    return await reading.all(LAST, account=account_id, after=after, limit=limit)
