"""The first people of a house: written by its owner, audited, once."""

import asyncpg
import pytest

from app.db.bootstrap import BootstrapError, FirstAppointment, Newcomer, bootstrap, read_people
from app.db.secrets import key_bytes, open_totp, password_matches
from app.domain.acts import Role
from app.domain.errors import BadInput

FILE = """
[[people]]
username = "first"
printed_name = "Fiona First"
roles = ["administrator"]

[[people]]
username = "second"
printed_name = "Dr Sun Second"
roles = []
language = "zh_CN"
password = "four quiet herons wade"

[people.appointment]
title_level = "senior"
title_certificate = "CERT-7"
certificate_valid_until = 2031-12-31

[[people.appointment.experience]]
employer = "Elsewhere"
position = "QA manager"
domain = "stem_cell_quality_management"
from_on = 2018-01-01
to_on = 2023-12-31
evidence = "letter 4"
"""


@pytest.fixture
def key(database):
    return key_bytes(database.cast["totp_key"])


@pytest.fixture
async def owner(database):
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


async def test_the_people_of_a_file_can_sign_in_and_it_is_on_record(database, owner, key, tmp_path):
    (tmp_path / "people.toml").write_text(FILE)
    first, second = read_people(tmp_path / "people.toml")
    assert second.appointment.experience[0].evidence == "letter 4"
    (made,) = await bootstrap(database.admin_url, people=[first], totp_key=key)
    row = await owner.fetchrow(
        "SELECT c.*, people.roles_of(c.account_id) AS roles FROM people.credentials c WHERE account_id = $1",
        made.account_id,
    )
    assert row["roles"] == ["administrator"]
    assert password_matches(row["password_hash"], made.password)
    assert open_totp(key, row["totp_secret"], account_id=made.account_id) == made.totp_secret
    assert made.totp_uri.startswith("otpauth://")
    entry = await owner.fetchrow("SELECT * FROM audit.entries WHERE act = 'bootstrap' ORDER BY number DESC LIMIT 1")
    kept = await owner.fetch("SELECT payload FROM audit.rows WHERE entry_number = $1", entry["number"])
    assert len(kept) >= 3
    assert not any(made.password in each["payload"] or made.totp_secret in each["payload"] for each in kept)
    assert made.password not in repr(made)


@pytest.mark.parametrize(
    ("newcomer", "why"),
    [
        (Newcomer("tess", "Another Tess", (Role.TECHNICIAN,)), "already"),
        (Newcomer("crown", "Crown", (Role.QUALITY_AUTHORITY,)), "appointed"),
        (Newcomer("crown", "Crown", (), appointment=FirstAppointment("senior", "C", None, ())), "two people"),
        (
            Newcomer("crown", "Crown", (Role.ADMINISTRATOR,), appointment=FirstAppointment("senior", "C", None, ())),
            "administrator",
        ),
    ],
)
async def test_what_may_not_be_is_refused_whole(database, owner, key, newcomer, why):
    before = await owner.fetchval("SELECT count(*) FROM people.accounts")
    innocent = Newcomer("innocent", "Ina Innocent", (Role.TECHNICIAN,))
    with pytest.raises(BootstrapError, match=why):
        await bootstrap(database.admin_url, people=[innocent, newcomer], totp_key=key)
    assert await owner.fetchval("SELECT count(*) FROM people.accounts") == before


async def test_a_weak_password_and_two_incompatible_roles_are_refused(database, owner, key):
    before = await owner.fetchval("SELECT count(*) FROM people.accounts")
    with pytest.raises(BadInput):
        await bootstrap(database.admin_url, people=[Newcomer("weak", "W", (), password="password1")], totp_key=key)
    both = Newcomer("both", "B", (Role.ADMINISTRATOR, Role.QA_MANAGER))
    with pytest.raises(asyncpg.PostgresError, match="no other role"):
        await bootstrap(database.admin_url, people=[both], totp_key=key)
    assert await owner.fetchval("SELECT count(*) FROM people.accounts") == before


@pytest.mark.parametrize("role", ["stemma_app", "stemma_report", "stemma_seal"])
async def test_no_other_service_role_opens_accounts(database, key, role):
    with pytest.raises(asyncpg.PostgresError):
        await bootstrap(database.url(role), people=[Newcomer("sly", "S", (Role.QA_MANAGER,))], totp_key=key)


@pytest.mark.parametrize("role", ["stemma_app", "stemma_auth", "stemma_report", "stemma_seal"])
async def test_no_service_role_writes_an_appointment(database, owner, role):
    before = await owner.fetchval("SELECT count(*) FROM people.appointments")
    connection = await asyncpg.connect(database.url(role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO people.appointments (account_id, title_level, title_certificate, from_at)"
                " VALUES (1, 'senior', 'C', clock_timestamp())"
            )
    finally:
        await connection.close()
    assert await owner.fetchval("SELECT count(*) FROM people.appointments") == before


@pytest.mark.parametrize(
    "text",
    [
        "people = 3",
        "[[people]]\nusername = 'x'",
        "[[people]]\nusername = 'xy'\nprinted_name = 'X'\nroles = ['king']",
        "[[people]]\nusername = 'xy'\nprinted_name = 'X'\nroles = []\nsalary = 3",
        "not toml",
    ],
)
def test_a_file_that_says_it_wrongly_is_refused_with_its_name(tmp_path, text):
    (tmp_path / "people.toml").write_text(text)
    with pytest.raises(BootstrapError, match=r"people\.toml"):
        read_people(tmp_path / "people.toml")
