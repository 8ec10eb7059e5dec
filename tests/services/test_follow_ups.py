"""How long a study follows its subjects: the duty sets itself, and the protocol's plan is kept as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.follow_up_plans"


async def duty(lab: Lab, number: str) -> tuple[str, str]:
    """What GM-09 says of the study by now, and everything that it says."""
    duties = ok(await lab.as_("tess").get(f"/studies/{number}"))["duties"]
    (found,) = [each for each in duties if each["rule"] == "GM-09"]
    return found["outcome"], str(found)


def plan(**more: Any) -> dict[str, Any]:
    return {"protocol_version": "P-1.0", "years": "5", "reference": "section 9", **more}


async def test_gene_modified_cells_bring_the_duty_and_a_later_version_does_not_take_it_away(lab: Lab) -> None:
    plain = await study.registered(lab)
    assert (await duty(lab, plain))[0] == "not_applicable"
    process = await life.process(lab, gene_modified=True, vector_type="lentivirus", gene_editing=False)
    number = await study.registered(lab, process=process, manipulation="ex_vivo_gene")
    outcome, says = await duty(lab, number)
    assert outcome == "indeterminate"
    assert "5" in says
    path, quinn = f"/studies/{number}/follow-ups", lab.as_("quinn")
    ok(await quinn.post(path, plan(years="3")))
    assert (await duty(lab, number))[0] == "fail"
    ok(await quinn.post(path, plan()))
    assert (await duty(lab, number))[0] == "indeterminate", "nobody was followed yet"
    institution = ok(await quinn.get(f"/studies/{number}"))["study"]["institution"]["name"]
    body = await study.body(lab, institution=institution, protocol_version="P-2.0", why="no genes are changed now")
    ok(await quinn.post(f"/studies/{number}/versions", body))
    assert (await duty(lab, number))[0] == "indeterminate", "what was given stays given"
    shown = ok(await quinn.get(f"/studies/{number}"))["study"]["follow_ups"]
    assert [each["years"] for each in shown] == ["3", "5"]


async def test_a_plan_that_cannot_be_is_refused_and_nothing_is_kept(lab: Lab, database: Database) -> None:
    number = await study.registered(lab)
    before = await lab.value(KEPT)
    path, quinn = f"/studies/{number}/follow-ups", lab.as_("quinn")
    refused(await lab.as_("tess").post(path, plan()), 403, "not-permitted")
    for wrong in ({"years": "0"}, {"years": "-5"}, {"years": "101"}, {"years": "NaN"}):
        refused(await quinn.post(path, plan(**wrong)), 422, "bad-input")
    assert refused(await quinn.post(path, plan(protocol_version="P-9")), 422)["field"] == "protocol_version"
    assert await lab.value(KEPT) == before
    ok(await quinn.post(path, plan()))
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in ("UPDATE lab.follow_up_plans SET years = 50", "DELETE FROM lab.follow_up_plans"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
