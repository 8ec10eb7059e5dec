"""Seeing who a pseudonym is: on record before it is seen, for those who may, and in no dump."""

import json
import uuid

import pytest

from app.db import identity
from app.db.door import Call, Door
from app.db.items import new_item
from app.db.secrets import key_bytes, new_key
from app.domain.acts import Act, Actor, Role
from labels.codes import CodeKind
from tests.world import ok, refused

CANARY = {"name": "李春桃 Canary-7731", "hospital_number": "HN-CANARY-7731", "birth_date": "1971-07-31"}


@pytest.fixture
async def change_as(lab, database):
    """The door itself, for a feature that stores an identity."""
    door = Door(database_url=database.url("stemma_app"), auth_database_url=database.url("stemma_auth"))
    actor = Actor(lab.id_of("phil"), "phil", "Dr Phil Fang", frozenset({Role.PHYSICIAN}), None, "test")
    yield lambda act: door.change(Call(actor), act)
    await door.close()


@pytest.fixture
async def person(lab, change_as, database):
    """Somebody with a pseudonym and an identity: item and key."""
    key = key_bytes(database.cast["identity_key"])
    async with change_as(Act.REGISTER_DONOR) as change:
        item = await new_item(change, kind="person", code_kind=CodeKind.PERSON)
        pseudonym = f"D-T{item.id}"
        await change.run("INSERT INTO lab.persons (id, pseudonym) VALUES (:id, :p)", id=item.id, p=pseudonym)
        await identity.store(change, key=key, person_id=item.id, pseudonym=pseudonym, identity=CANARY)
    return item, pseudonym, key


async def reveals(lab, item):
    return await lab.value("SELECT count(*) FROM identity.reveals WHERE person_id = $1", item.id)


async def test_a_physician_sees_who_it_is_and_the_asking_is_on_record(lab, person):
    item, pseudonym, _ = person
    answer = ok(await lab.as_("phil").post(f"/donors/{item.code}/reveal", {"purpose": "call about a result"}))
    assert answer["identity"] == CANARY
    assert answer["pseudonym"] == pseudonym
    (row,) = await lab.sql("SELECT account_id, purpose FROM identity.reveals WHERE person_id = $1", item.id)
    assert row["account_id"] == lab.id_of("phil")
    assert row["purpose"] == "call about a result"
    assert await lab.value("SELECT count(*) FROM audit.rows WHERE tbl = 'identity.reveals'") >= 1


async def test_each_look_needs_a_request_of_its_own(lab, person):
    item, _, _ = person
    key = str(uuid.uuid4())
    ok(await lab.as_("quinn").post(f"/donors/{item.code}/reveal", {"purpose": "consent form"}, key=key))
    again = ok(await lab.as_("quinn").post(f"/donors/{item.code}/reveal", {"purpose": "consent form"}, key=key))
    assert again["identity"] is None
    assert await reveals(lab, item) == 1


@pytest.mark.parametrize("name", ["tess", "vera", "ana", "rolf", "lin", "hedda", "adam"])
async def test_nobody_else_sees_it_and_the_attempt_is_kept(lab, person, name):
    item, _, _ = person
    before = await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'reveal_identity'")
    answer = await lab.as_(name).post(f"/donors/{item.code}/reveal", {"purpose": "curious"})
    refused(answer, 403, "not-permitted")
    assert "Canary" not in answer.text
    assert await reveals(lab, item) == 0
    assert await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'reveal_identity'") == before + 1


async def test_without_a_purpose_or_a_person_nothing_is_shown(lab, person):
    item, _, _ = person
    refused(await lab.as_("phil").post(f"/donors/{item.code}/reveal", {}), 422)
    refused(await lab.as_("phil").post(f"/donors/{item.code}/reveal", {"purpose": "  "}), 422)
    refused(await lab.as_("phil").post("/donors/unknown/reveal", {"purpose": "x"}), 404)
    assert await reveals(lab, item) == 0


async def test_when_the_asking_cannot_be_kept_nothing_is_read(lab, person):
    item, _, _ = person
    await lab.sql("ALTER TABLE identity.reveals ADD CONSTRAINT broken CHECK (purpose <> 'break it')")
    try:
        answer = await lab.as_("phil").post(f"/donors/{item.code}/reveal", {"purpose": "break it"})
    finally:
        await lab.sql("ALTER TABLE identity.reveals DROP CONSTRAINT broken")
    refused(answer, 422)
    assert "Canary" not in answer.text


async def test_the_database_holds_no_word_of_it(lab, person):
    item, _, _ = person
    ok(await lab.as_("phil").post(f"/donors/{item.code}/reveal", {"purpose": "look for canaries"}))
    tables = await lab.sql(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname IN ('lab', 'people', 'identity', 'audit')"
    )
    assert len(tables) > 20
    words = ["Canary-7731", "春桃", "CANARY-7731", "1971-07-31"]
    for table in tables:
        for word in words + [word.encode().hex() for word in words]:
            found = await lab.value(f"SELECT count(*) FROM {table['name']} t WHERE t::text LIKE '%' || $1 || '%'", word)
            assert found == 0, f"{word} in {table['name']}"


async def test_an_identity_opens_only_with_its_key_and_under_its_pseudonym(lab, change_as, person):
    item, pseudonym, key = person
    async with change_as(Act.REVEAL_IDENTITY) as change:
        assert await identity.read(change, key=key, person_id=item.id, pseudonym=pseudonym) == CANARY
        with pytest.raises(ValueError):
            await identity.read(change, key=key_bytes(new_key()), person_id=item.id, pseudonym=pseudonym)
        with pytest.raises(ValueError):
            await identity.read(change, key=key, person_id=item.id, pseudonym="D-T0")


async def test_somebody_is_found_again_by_an_exact_value_alone(change_as, person):
    item, _, key = person
    async with change_as(Act.REGISTER_DONOR) as change:
        for field, value in (("hospital_number", "hn-canary-7731 "), ("name", "李春桃 Ｃanary-7731")):
            assert item.id in await identity.find(change, key=key, field=field, value=value)
        for field, value in (("hospital_number", "HN-CANARY-773"), ("name", CANARY["hospital_number"])):
            assert await identity.find(change, key=key, field=field, value=value) == []
        assert await identity.find(change, key=key_bytes(new_key()), field="name", value=CANARY["name"]) == []


async def test_two_people_with_the_same_identity_share_no_ciphertext(lab, person, change_as):
    item, _, key = person
    async with change_as(Act.REGISTER_DONOR) as change:
        other = await new_item(change, kind="person", code_kind=CodeKind.PERSON)
        await change.run("INSERT INTO lab.persons (id, pseudonym) VALUES (:id, :p)", id=other.id, p=f"D-T{other.id}")
        await identity.store(change, key=key, person_id=other.id, pseudonym=f"D-T{other.id}", identity=CANARY)
    rows = await lab.sql(
        "SELECT wrapped_key, ciphertext FROM identity.people WHERE person_id = ANY($1)", [item.id, other.id]
    )
    assert len({row["ciphertext"] for row in rows}) == 2
    assert len({row["wrapped_key"] for row in rows}) == 2
    assert json.dumps(CANARY)[:10].encode() not in rows[0]["ciphertext"]
