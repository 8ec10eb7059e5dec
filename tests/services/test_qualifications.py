"""Qualifications: recorded by somebody else, before the work; else the step does not begin."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Client, Lab

KEPT = (
    "SELECT count(*) FROM people.qualifications q JOIN people.accounts a ON a.id = q.account_id WHERE a.username = $1"
)
ROLE = "INSERT INTO people.grants (account_id, role) VALUES ($1, 'technician')"


def body(**more: Any) -> dict[str, Any]:
    return {
        "topic": "isolation",
        "valid_from": life.ago(hours=1),
        "valid_to": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
        "evidence": "TR-26-117",
        **more,
    }


async def newcomer(lab: Lab) -> str:
    """A technician whose training nobody has recorded."""
    name = f"tim-{uuid.uuid4().hex[:8]}"
    made = ok(await lab.as_("adam").post("/accounts", {"username": name, "printed_name": "Tim Tang"}))
    account = int(await lab.value("SELECT id FROM people.accounts WHERE username = $1", name))
    await lab.arrange(ROLE, account)
    lab.know(name, account_id=account, password=made["password"], totp_secret=made["totp_secret"])
    return name


async def test_a_qualification_is_recorded_and_read(lab: Lab) -> None:
    name = await newcomer(lab)
    made = ok(await lab.as_("quinn").post(f"/accounts/{name}/qualifications", body()))
    assert (made["username"], made["topic"]) == (name, "isolation")

    for who in ("quinn", "adam", name):
        shown = ok(await lab.as_(who).get(f"/accounts/{name}/qualifications"))
        (one,) = shown["qualifications"]
        assert (one["topic"], one["evidence"], one["recorded_by"], one["holds"]) == (
            "isolation",
            "TR-26-117",
            "quinn",
            True,
        )
    refused(await lab.as_("tess").get(f"/accounts/{name}/qualifications"), 403, "not-permitted")


async def test_nobody_records_their_own_and_only_quality_records(lab: Lab) -> None:
    before = await lab.value(KEPT, "quinn")
    problem = refused(await lab.as_("quinn").post("/accounts/quinn/qualifications", body()), 403, "not-permitted")
    assert problem["rule"] == "QA-07"
    for who in ("tess", "adam", "lin", "hedda"):
        refused(await lab.as_(who).post("/accounts/tom/qualifications", body()), 403, "not-permitted")
    assert await lab.value(KEPT, "quinn") == before


async def test_what_cannot_be_recorded(lab: Lab) -> None:
    name = await newcomer(lab)
    quinn = lab.as_("quinn")
    assert (
        refused(await quinn.post(f"/accounts/{name}/qualifications", body(topic="juggling")), 422)["field"] == "topic"
    )
    backwards = body(valid_to=life.ago(days=2))
    assert refused(await quinn.post(f"/accounts/{name}/qualifications", backwards), 422)["field"] == "valid_to"
    refused(await quinn.post(f"/accounts/{name}/qualifications", body(evidence="  ")), 422)
    refused(await quinn.post("/accounts/nobody-there/qualifications", body()), 404, "not-found")
    ok(await lab.as_("adam").post(f"/accounts/{name}/deactivate"))
    refused(await quinn.post(f"/accounts/{name}/qualifications", body()), 409, "conflict")
    assert await lab.value(KEPT, name) == 0


async def isolate(lived: life.Life, who: Client) -> Any:
    return await who.post(f"/lots/{lived.lot}/isolation", lived.step(viable="1.8e7", dead="1.1e6", flasks=2))


async def test_who_is_not_qualified_does_not_begin_and_training_opens_the_step(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    name = await newcomer(lab)

    problem = refused(await isolate(lived, lab.as_(name)), 409, "blocked")
    assert problem["rule"] == "QA-07"
    assert await lived.state() == "planned"

    await life.qualify(lab, name, "isolation")
    assert refused(await isolate(lived, lab.as_(name)), 409, "blocked")["rule"] == "QA-07"  # gowning is missing
    await life.qualify(lab, name, "gowning")
    ok(await isolate(lived, lab.as_(name)))
    assert await lived.state() == "in_process"


async def test_a_record_of_now_qualifies_no_work_begun_before(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    name = await newcomer(lab)
    began = life.now()
    await life.qualify(lab, name)

    begun = lived.step(viable="1.8e7", dead="1.1e6", flasks=2, started_at=began, ended_at=life.now())
    rules = refused(await lab.as_(name).post(f"/lots/{lived.lot}/isolation", begun), 409, "blocked")["rules"]
    assert "QA-07" in {each["rule"] for each in rules}
