"""Things that tests need before they begin: made over HTTP where it can be done there, else arranged in the database."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from labels.check_characters import mod_37_2
from labels.codes import CodeKind, new_code
from tests.life import PANEL, ago, authorise, ceremony, history
from tests.world import ok

if TYPE_CHECKING:
    from tests.world import Lab

_serial = itertools.count(1)


def now() -> datetime:
    return datetime.now(UTC)


def identity(name: str = "Zhang San") -> dict[str, str]:
    """Somebody whom nobody registered yet."""
    return {"name": name, "hospital_number": f"MRN-{uuid.uuid4().hex[:12]}", "birth_date": "1979-04-02"}


def din() -> str:
    """A fresh donation number as people type it: thirteen characters and the boxed check character."""
    number = f"A999926{uuid.uuid4().int % 1_000_000:06d}"
    return number + mod_37_2(number)


def markers(
    outcome: str = "negative", *, panel: dict[str, tuple[str, ...]] | None = None, **differing: str
) -> list[dict[str, Any]]:
    """A whole panel with this outcome; `differing` names markers with underscores for what is no letter."""
    sampled_at, reported_at = ago(days=3), ago(days=2)
    return [
        {
            "analyte": analyte,
            "marker": marker,
            "method": "CLIA",
            "kit_lot": "K-17",
            "laboratory": "Central laboratory",
            "sampled_at": sampled_at,
            "reported_at": reported_at,
            "outcome": differing.get("".join(c if c.isalnum() else "_" for c in marker), outcome),
        }
        for analyte, names in (panel or PANEL).items()
        for marker in names
    ]


async def donor(lab: Lab, relation: str = "autologous", **more: Any) -> dict[str, Any]:
    """A registered donor; autologous ones receive their own cells."""
    body = {"relation": relation, "identity": identity(), **more}
    if relation == "autologous":
        body.setdefault("recipient", "self")
    return ok(await lab.as_("tess").post("/donors", body))


async def donation(lab: Lab, donor_code: str, **more: Any) -> dict[str, Any]:
    """A donation in quarantine."""
    body = {
        "donor": donor_code,
        "tissue": "bone marrow",
        "collected_at": ago(hours=5),
        "received_at": ago(hours=3),
        "volume_ml": 42.5,
        **more,
    }
    return ok(await lab.as_("tess").post("/donations", body))


async def consent(lab: Lab, donor_code: str) -> None:
    """A consent, signed in time, to everything that a donation is ever asked for."""
    scopes = ["donation", "processing", "storage", "allogeneic use"]
    body = {"form_version": "ICF-2", "scopes": scopes, "signed_at": ago(days=5)}
    ok(await lab.as_("tess").post(f"/donors/{donor_code}/consents", body))


async def ready_donor(lab: Lab) -> str:
    """The code of a patient who consented, whose history excludes nothing and whose whole panel is negative."""
    code = str((await donor(lab))["code"])
    await consent(lab, code)
    ok(await lab.as_("ana").post(f"/donors/{code}/markers", {"markers": markers()}))
    ok(await lab.as_("tess").post(f"/donors/{code}/histories", history()))
    return code


async def eligible_donation(lab: Lab) -> dict[str, Any]:
    """An autologous donation, determined eligible."""
    received = await donation(lab, await ready_donor(lab))
    ceremony = await lab.sign("quinn", "eligibility_determined", "donation", received["code"], "eligible")
    body = {"decision": "eligible", "reason": "autologous, panel reviewed", "ceremony": ceremony}
    return ok(await lab.as_("quinn").post(f"/donations/{received['code']}/determination", body))


async def material(lab: Lab, **more: Any) -> dict[str, Any]:
    """A defined material without anything that a rule minds."""
    body = {
        "name": f"Basal medium {uuid.uuid4().hex[:8]}",
        "description": "alpha-MEM, 基础培养基",
        "grade": "pharmacopoeial_excipient",
        "animal_derived": False,
        "human_derived": False,
        "composition": [{"name": "L-glutamine", "cas": "56-85-9"}, {"name": "sodium chloride", "cas": "7647-14-5"}],
        "composition_complete": True,
        "animal_serum": False,
        **more,
    }
    return ok(await lab.as_("quinn").post("/materials", body))


async def assessed(lab: Lab, rule: str, name: str, *controls: str) -> None:
    """An approved assessment about a material, with a measure for each of these controls."""
    body = {
        "rule": rule,
        "scope": {"kind": "material", "name": name},
        "title": f"{name} in this house",
        "hazard": "what does not belong in a patient stays in the product",
        "mitigations": [{"measure": f"by {each}", "control": each} for each in controls],
        "conclusion": "acceptable",
        "valid_to": (now() + timedelta(days=365)).isoformat(),
    }
    proposed = ok(await lab.as_("quinn").post("/assessments", body))["assessment"]
    signed = await ceremony(lab, "lin", "assessment_approved", "assessment", proposed)
    ok(await lab.as_("lin").post(f"/assessments/{proposed}/approve", {"ceremony": signed}))


async def material_lot(lab: Lab, name: str | None = None, **more: Any) -> dict[str, Any]:
    """A material lot in quarantine, certified and in date."""
    body = {
        "material": name or (await material(lab))["name"],
        "supplier": "Good Supplies",
        "supplier_lot": f"GS-{next(_serial)}",
        "expires_on": str(date.today() + timedelta(days=200)),
        "received_at": ago(hours=2),
        "certificate_reference": "CoA-1",
        "certificate_reviewed_at": ago(hours=1),
        "storage_ok": True,
        "containers": 2,
        **more,
    }
    return ok(await lab.as_("tess").post("/material-lots", body))


async def approved_material_lot(lab: Lab, **more: Any) -> dict[str, Any]:
    """A material lot approved for use."""
    lot = await material_lot(lab, **more)
    ceremony = await lab.sign("quinn", "material_approved", "material_lot", lot["code"])
    return ok(await lab.as_("quinn").post(f"/material-lots/{lot['code']}/approve", {"ceremony": ceremony}))


async def item(lab: Lab, kind: str, letter: CodeKind) -> tuple[int, str]:
    """A bare item with a code, arranged."""
    code = new_code(letter)
    rows = await lab.arrange(
        "WITH made AS (INSERT INTO lab.items (kind) VALUES ($1) RETURNING id)"
        " INSERT INTO lab.item_codes (code, item_id, scheme) SELECT $2, id, 'own' FROM made RETURNING item_id",
        kind,
        code,
    )
    return rows[0][0], code


async def process(lab: Lab) -> int:
    """The key of a process version."""
    name = f"MSC {uuid.uuid4().hex[:8]}"
    body = {
        "name": name,
        "version": 1,
        "product": "BM-MSC",
        "product_zh": "骨髓间充质干细胞",
        "cell_source": "bone marrow",
        "passage_convention": "primary_is_p0",
        "max_passage": 5,
        "max_pdl": "20",
        "shelf_life_days": 365,
        "gene_modified": False,
        "long_term_expansion": False,
        "clone_selected": False,
        "short_cycle": True,
        "low_manipulation": False,
    }
    ok(await lab.as_("quinn").post("/processes", body))
    await authorise(lab, name, 1)
    return await lab.value("SELECT id FROM lab.process_versions WHERE name = $1", name)


async def preparation(lab: Lab, donation_code: str, *, state: str = "in_process") -> dict[str, Any]:
    """A preparation of this donation with one vial, arranged: its steps are another feature's."""
    lot, lot_code = await item(lab, "lot", CodeKind.LOT)
    name = f"PREP-T-{uuid.uuid4().hex[:8]}"
    process_id = await process(lab)
    came_from = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", donation_code)
    acts = {"planned": (), "in_process": ("begin",), "quarantine": ("begin", "finish")}[state]
    async with lab._pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT audit.open($1, 'tess', '', 'arrange', '', 'arranged by a test', '', NULL, NULL, NULL)",
            lab.id_of("tess"),
        )
        await connection.execute(
            "SELECT lab.begin_lot($1, $2, 'preparation', 'plan', d.donor_id, d.id, d.donor_id, $3, NULL)"
            " FROM lab.donations d WHERE d.id = $4",
            lot,
            name,
            process_id,
            came_from,
        )
        for act in acts:
            await connection.execute("SELECT lab.move_lot($1, $2, true)", lot, act)
    flask, flask_code = await cells(lab, lot, "flask", parent=came_from)
    vial, vial_code = await cells(lab, lot, "vial", parent=flask)
    return {
        "lot": lot,
        "lot_code": lot_code,
        "name": name,
        "flask": flask,
        "flask_code": flask_code,
        "vial": vial,
        "vial_code": vial_code,
        "donation": came_from,
    }


async def cells(lab: Lab, lot: int | None, kind: str, *, parent: int) -> tuple[int, str]:
    """A flask, vial or bag, descended from an item, arranged."""
    letter = CodeKind[kind.upper()]
    made, code = await item(lab, "container", letter)
    await lab.arrange(
        "INSERT INTO lab.containers (id, lot_id, kind, passage, volume_ml, viable_cells, recorded_by)"
        " VALUES ($1, $2, $3, 2, 1, 5230000, $4)",
        made,
        lot,
        kind,
        lab.id_of("tess"),
    )
    await lab.arrange("INSERT INTO lab.lineage (parent_id, child_id) VALUES ($1, $2)", parent, made)
    return made, code


async def hold(lab: Lab, item_id: int, reason: str = "suspected mix-up") -> None:
    """An open hold, arranged."""
    await lab.arrange(
        "INSERT INTO lab.holds (item_id, reason, recorded_by) VALUES ($1, $2, $3)", item_id, reason, lab.id_of("quinn")
    )


async def virus_tested(lab: Lab, lot: str, **more: Any) -> int:
    """A culture for replication-competent virus of enough of the product was sent off. Its number."""
    body = {
        "sample": "final_product",
        "assay": "coculture",
        "method": "RCL-1/2",
        "laboratory": "Virus Laboratory Ltd",
        "cells_tested": "1e8",
        "sampled_at": ago(hours=1),
        **more,
    }
    return int(ok(await lab.as_("ana").post(f"/lots/{lot}/virus-tests", body))["tests"][-1]["test"])


async def virus_reported(lab: Lab, lot: str, outcome: str, **more: Any) -> int:
    """Such a culture, and what the laboratory reported of it."""
    number = await virus_tested(lab, lot, **more)
    said = {"outcome": outcome, "reported_at": ago(minutes=1), "reference": f"VL-{number}"}
    ok(await lab.as_("ana").post(f"/virus-tests/{number}/outcomes", said))
    return number
