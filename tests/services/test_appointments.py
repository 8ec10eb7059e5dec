"""The quality authority: proposed, supported by two others who sign, revoked; never by the person concerned."""

import asyncio
import itertools
from datetime import date, timedelta

import pytest

from app.domain.facts import Experience
from app.domain.people import counted_days
from tests.world import ok, open_lab, refused

_windows = itertools.count()
_names = itertools.count()


@pytest.fixture(scope="module")
async def lab(make_database):
    """A house of its own whose first authority's appointment ends in 2039: others may follow, one at a time."""
    async with open_lab(make_database()) as opened:
        await opened.arrange("UPDATE people.appointments SET until_at = '2039-01-01T00:00:00Z'")
        yield opened


def window():
    """A month of its own, years ahead: exactly one authority acts at a time."""
    n = next(_windows)
    year, month = 2040 + n // 12, n % 12 + 1
    return f"{year}-{month:02d}-01T00:00:00Z", f"{year}-{month:02d}-20T00:00:00Z"


async def appointee(lab, *roles):
    name = f"app{next(_names)}"
    body = {"username": name, "printed_name": f"Ada {name}", "roles": list(roles)}
    made = ok(await lab.as_("adam").post("/accounts", body))
    account_id = await lab.value("SELECT id FROM people.accounts WHERE username = $1", name)
    await lab.arrange("UPDATE people.credentials SET reset_at = NULL WHERE account_id = $1", account_id)
    lab.know(name, account_id=account_id, password=made["password"], totp_secret=made["totp_secret"])
    return name


def body_for(name, **changed):
    from_at, until_at = window()
    return {
        "account": name,
        "title_level": "senior",
        "title_certificate": "CERT-2024-7",
        "certificate_valid_until": "2050-12-31",
        "from_at": from_at,
        "until_at": until_at,
        "experience": [
            {
                "employer": "Elsewhere",
                "position": "QA manager",
                "domain": "stem_cell_quality_management",
                "from_on": "2018-01-01",
                "to_on": "2022-12-31",
                "evidence": "letter 12",
            }
        ],
    } | changed


async def propose(lab, name, by="hedda", **changed):
    return ok(await lab.as_(by).post("/appointments/proposals", body_for(name, **changed)))


async def support(lab, by, proposal):
    ceremony = await lab.sign(by, "appointment_supported", "proposal", proposal)
    return await lab.as_(by).post(f"/appointments/proposals/{proposal}/support", {"ceremony": ceremony})


async def appointments_of(lab, proposal):
    return await lab.sql("SELECT * FROM people.appointments WHERE proposal_id = $1", proposal)


# -- what works --------------------------------------------------------------------------------------------------------


async def test_two_people_appoint_a_third(lab):
    name = await appointee(lab)
    made = await propose(lab, name)
    assert made["experience"][0]["evidence"] == "letter 12"
    first = ok(await support(lab, "quinn", made["id"]))
    assert first["appointment"] is None
    assert await appointments_of(lab, made["id"]) == []
    second = ok(await support(lab, "phil", made["id"]))
    assert [each["by"] for each in second["supports"]] == ["Quinn Qiu", "Dr Phil Fang"]
    (row,) = await appointments_of(lab, made["id"])
    assert row["id"] == second["appointment"]
    assert row["first_signature_id"] != row["second_signature_id"]
    listed = ok(await lab.as_("tess").get("/appointments"))
    assert listed["appointments"][0]["account"] == name
    assert listed["appointments"][0]["live"] is False


async def test_a_live_appointment_makes_the_role_and_revoking_it_unmakes_it_at_once(fresh_database):
    async with open_lab(fresh_database) as lab:
        (present,) = ok(await lab.as_("quinn").get("/appointments"))["appointments"]
        assert present["account"] == "lin"
        assert present["live"] is True
        assert ok(await lab.as_("lin").get("/session"))["roles"] == ["quality_authority"]
        ceremony = await lab.sign("hedda", "appointment_revoked", "appointment", present["id"])
        revoked = ok(await lab.as_("hedda").post(f"/appointments/{present['id']}/revoke", {"ceremony": ceremony}))
        assert revoked["live"] is False
        assert revoked["revoked_by"] == "Hedda He"
        assert ok(await lab.as_("lin").get("/session"))["roles"] == []
        made = await propose(lab, "lin", from_at=None, until_at=None)
        ok(await support(lab, "quinn", made["id"]))
        done = ok(await support(lab, "quincy", made["id"]))
        (row,) = await appointments_of(lab, made["id"])
        signed = await lab.value("SELECT signed_at FROM lab.signatures WHERE id = $1", row["second_signature_id"])
        assert row["from_at"] >= signed, "nobody was the authority before the second person signed"
        assert done["appointment"] == row["id"]
        assert ok(await lab.as_("lin").get("/session"))["roles"] == ["quality_authority"]
        again = await lab.sign("hedda", "appointment_revoked", "appointment", row["id"])
        refused(await lab.as_("hedda").post(f"/appointments/{present['id']}/revoke", {"ceremony": again}), 403)
        assert ok(await lab.as_("lin").get("/session"))["roles"] == ["quality_authority"]


STEM, OTHER = "stem_cell_quality_management", "pharmaceutical_quality_assurance"
POSTS = (
    ("2018-01-01", "2018-12-31", STEM, "letter 1"),  # 365 days, the last one among them
    ("2018-06-01", "2019-01-31", STEM, "letter 2"),  # overlaps: 31 more
    ("2019-02-01", "2019-02-01", STEM, "letter 3"),  # a single day, right after
    ("2020-01-01", "2020-12-31", OTHER, "letter 4"),
    ("2021-01-01", "2021-12-31", STEM, None),
    ("2022-01-01", None, STEM, "letter 5"),  # runs on to the day before the appointment
)


async def test_the_gate_and_the_rule_count_the_same_days_of_experience(lab):
    names = ("from_on", "to_on", "domain", "evidence")
    posts = [{"employer": "Elsewhere", "position": "QA", **dict(zip(names, post, strict=True))} for post in POSTS]
    made = await propose(lab, await appointee(lab), experience=posts)
    for who in ("quinn", "phil"):
        done = ok(await support(lab, who, made["id"]))
    (row,) = await appointments_of(lab, made["id"])
    last = row["from_at"].date() - timedelta(days=1)
    of_the_rule = counted_days(
        [
            Experience("Elsewhere", "QA", domain, date.fromisoformat(begins), ends and date.fromisoformat(ends), paper)
            for begins, ends, domain, paper in POSTS
        ],
        domains=[STEM],
        until=last,
    )
    assert of_the_rule == 365 + 31 + 1 + (last - date(2022, 1, 1)).days + 1
    assert await lab.value("SELECT gate.experience_days($1)::bigint", done["appointment"]) == of_the_rule


# -- refused -----------------------------------------------------------------------------------------------------------


async def test_one_person_does_not_appoint_alone_however_often(lab):
    made = await propose(lab, await appointee(lab))
    ok(await support(lab, "quinn", made["id"]))
    refused(await support(lab, "quinn", made["id"]), 403, "ceremony-refused")
    assert await appointments_of(lab, made["id"]) == []


async def test_nobody_supports_or_proposes_themselves(lab):
    name = await appointee(lab, "qa_manager")
    refused(await lab.as_(name).post("/appointments/proposals", body_for(name)), 403, "not-permitted")
    made = await propose(lab, name)
    refused(await support(lab, name, made["id"]), 403, "ceremony-refused")
    ok(await support(lab, "quinn", made["id"]))
    refused(await support(lab, name, made["id"]), 403, "ceremony-refused")
    assert await appointments_of(lab, made["id"]) == []


@pytest.mark.parametrize("name", ["tess", "vera", "ana", "rolf", "lin", "adam"])
async def test_others_neither_propose_nor_support_nor_revoke(lab, name):
    made = await propose(lab, await appointee(lab))
    refused(await lab.as_(name).post("/appointments/proposals", body_for("tess")), 403, "not-permitted")
    some = {"ceremony": "00000000-0000-4000-8000-000000000000"}
    refused(await lab.as_(name).post(f"/appointments/proposals/{made['id']}/support", some), 403, "not-permitted")
    refused(await lab.as_(name).post("/appointments/1/revoke", some), 403, "not-permitted")
    assert await lab.value("SELECT revoked_at FROM people.appointments ORDER BY id LIMIT 1") is None


async def test_an_administrator_is_not_appointed(lab):
    before = await lab.value("SELECT count(*) FROM people.proposals")
    refused(await lab.as_("quinn").post("/appointments/proposals", body_for("adam")), 409, "conflict")
    refused(await lab.as_("quinn").post("/appointments/proposals", body_for("ghost")), 404, "not-found")
    assert await lab.value("SELECT count(*) FROM people.proposals") == before


async def test_two_authorities_never_act_at_the_same_time(lab):
    times = window()
    one, two = [await propose(lab, await appointee(lab), from_at=times[0], until_at=times[1]) for _ in range(2)]
    ok(await support(lab, "quinn", one["id"]))
    ok(await support(lab, "quinn", two["id"]))
    ok(await support(lab, "phil", one["id"]))
    refused(await support(lab, "phil", two["id"]), 409, "conflict")
    assert await appointments_of(lab, two["id"]) == []


async def test_raced_by_many_second_supporters_one_appointment_is_made(lab):
    times = window()
    made = [await propose(lab, await appointee(lab), from_at=times[0], until_at=times[1]) for _ in range(3)]
    for each in made:
        ok(await support(lab, "quinn", each["id"]))
    signed = [
        (by, each["id"], await lab.sign(by, "appointment_supported", "proposal", each["id"]))
        for each in made
        for by in ("phil", "quincy", "hedda")
    ]
    answers = await asyncio.gather(
        *(
            lab.as_(by).post(f"/appointments/proposals/{proposal}/support", {"ceremony": ceremony})
            for by, proposal, ceremony in signed
        )
    )
    appointed = await lab.value(
        "SELECT count(*) FROM people.appointments WHERE proposal_id = ANY($1)", [each["id"] for each in made]
    )
    assert appointed == 1
    assert {each.status_code for each in answers} <= {200, 403, 409}


async def test_the_ceremony_of_one_proposal_supports_no_other(lab):
    one, two = await propose(lab, await appointee(lab)), await propose(lab, await appointee(lab))
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", one["id"])
    path = f"/appointments/proposals/{two['id']}/support"
    refused(await lab.as_("quinn").post(path, {"ceremony": ceremony}), 403, "ceremony-refused")
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.signatures WHERE record_kind = 'proposal' AND record_id = $1", two["id"]
        )
        == 0
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"from_at": "2020-01-01T00:00:00Z"},
        {"from_at": "2045-01-02T00:00:00Z", "until_at": "2045-01-01T00:00:00Z"},
        {"title_level": "grand"},
        {"from_at": "2045-01-01T00:00:00"},
        {
            "experience": [
                {"employer": "A", "position": "B", "domain": "C", "from_on": "2022-01-02", "to_on": "2021-01-01"}
            ]
        },
        {"experience": None},
        {"force": True},
    ],
)
async def test_times_that_do_not_follow_and_fields_not_asked_for_are_refused(lab, changed):
    before = await lab.value("SELECT count(*) FROM people.proposals")
    refused(await lab.as_("quinn").post("/appointments/proposals", body_for("rolf", **changed)), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM people.proposals") == before


async def test_the_experience_of_a_signed_proposal_stands(lab):
    made = await propose(lab, await appointee(lab))
    ok(await support(lab, "quinn", made["id"]))
    with pytest.raises(Exception, match="signed: its experience is stated"):
        await lab.arrange(
            "INSERT INTO people.experience (proposal_id, employer, position, domain, from_on, evidence)"
            " VALUES ($1, 'Late', 'x', 'stem_cell_quality_management', '2000-01-01', 'late paper')",
            made["id"],
        )
