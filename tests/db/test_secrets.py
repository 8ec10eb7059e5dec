"""Passwords, one-time codes, sealed values: what holds, and what must not."""

import asyncio
import threading

import pyotp
import pytest

from app.db import secrets
from app.domain.errors import BadInput, Busy
from app.domain.passwords import require_good

KEY = bytes(range(32))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def test_a_password_matches_its_own_hash_and_no_other():
    hashing = secrets.Hashing()
    kept = await hashing.hashed("a phrase of four words")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert await hashing.matches(kept, "a phrase of four words")
    assert not await hashing.matches(kept, "a phrase of five words")
    assert not await hashing.matches(None, "a phrase of four words")
    assert not await hashing.matches("not a hash", "a phrase of four words")


def test_however_a_keyboard_composed_it_a_password_is_the_same():
    kept = secrets.password_hash("caf\u00e9 au lait matin")
    assert secrets.password_matches(kept, "cafe\u0301 au lait matin")
    assert secrets.password_matches(secrets.password_hash("\uff11\uff12 naïve Zebras"), "12 naïve Zebras")
    assert not secrets.password_matches(kept, "cafe au lait matin")


async def test_nobody_unknown_is_refused_sooner_than_somebody_known():
    hashing = secrets.Hashing()
    kept = await hashing.hashed("a phrase of four words")
    loop = asyncio.get_running_loop()
    times = {}
    for name, stored in (("known", kept), ("nobody", None)):
        await hashing.matches(stored, "wrong")
        took = []
        for _ in range(3):
            begun = loop.time()
            await hashing.matches(stored, "wrong")
            took.append(loop.time() - begun)
        times[name] = min(took)
    assert 0.4 < times["nobody"] / times["known"] < 2.5, times


async def test_two_work_sixteen_wait_and_the_next_is_turned_away():
    hashing = secrets.Hashing(threads=2, waiting_max=16)
    gate, at_work = threading.Event(), []

    def work():
        at_work.append(1)
        gate.wait(20)
        return True

    async def one():
        with hashing.turn():
            return await hashing._run(work)

    tasks = [asyncio.create_task(one()) for _ in range(18)]
    await asyncio.sleep(0.1)
    assert len(at_work) == 2
    with pytest.raises(Busy), hashing.turn():
        pass
    gate.set()
    assert await asyncio.gather(*tasks) == [True] * 18
    with hashing.turn():
        pass


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_code_of_this_step_or_a_neighbour_is_found_with_its_step(offset):
    code = pyotp.TOTP(SECRET).generate_otp(1000 + offset)
    assert secrets.matching_step(SECRET, code, step=1000) == 1000 + offset
    assert secrets.matching_step(SECRET, f" {code[:3]} {code[3:]}", step=1000) == 1000 + offset


@pytest.mark.parametrize("offset", [-2, 2, 100])
def test_a_code_of_another_time_is_not_found(offset):
    assert secrets.matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(1000 + offset), step=1000) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\x00", "一二三四五六", "٠١٢٣٤٥"])
def test_what_is_no_code_is_not_found(code):
    assert secrets.matching_step(SECRET, code, step=1000) is None


def test_a_secret_opens_for_its_account_with_its_key_unchanged_and_not_otherwise():
    kept = secrets.seal_totp(KEY, SECRET, account_id=7)
    assert SECRET.encode() not in kept
    assert secrets.open_totp(KEY, kept, account_id=7) == SECRET
    with pytest.raises(ValueError):
        secrets.open_totp(KEY, kept, account_id=8)
    with pytest.raises(ValueError):
        secrets.open_totp(bytes(32), kept, account_id=7)
    for place in range(len(kept)):
        changed = bytearray(kept)
        changed[place] ^= 1
        with pytest.raises(ValueError):
            secrets.open_totp(KEY, bytes(changed), account_id=7)
    with pytest.raises(ValueError):
        secrets.open_totp(KEY, b"", account_id=7)
    assert secrets.seal_totp(KEY, SECRET, account_id=7) != kept


def test_a_key_is_thirty_two_bytes():
    assert len(secrets.key_bytes(secrets.new_key())) == 32
    for wrong in ("", "c2hvcnQ=", "not base64 at all!", secrets.new_key() + secrets.new_key()):
        with pytest.raises(ValueError):
            secrets.key_bytes(wrong)


def test_one_purpose_says_nothing_of_another():
    one = secrets.keyed_digest(KEY, purpose="request", data=b"x")
    assert one == secrets.keyed_digest(KEY, purpose="request", data=b"x")
    assert one != secrets.keyed_digest(KEY, purpose="identity-index", data=b"x")
    assert one != secrets.keyed_digest(bytes(32), purpose="request", data=b"x")


GOOD = ["four quiet herons wade", "干细胞的春天来得很早呀朋友们大家好", "xK7-vq_tR4mPz9-wLs"]


@pytest.mark.parametrize("password", GOOD)
def test_a_long_phrase_is_taken(password):
    require_good(password, about=("tess", "Tess Tan"), has_second_factor=False)


@pytest.mark.parametrize(
    "password",
    [
        "short one",
        "x" * 129,
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "abcdefghijklmnopqrstuvwxyz",
        "Password12345678!",
        "stemma stemma 2026",
        "Tess.Tan.2026.2027",
        "woaini1314woaini1314",
        "实验室实验室实验室实验室实验室12345",
        "PASSWORD--qwerty--letmein",
    ],
)
def test_what_anybody_would_guess_is_not_taken(password):
    with pytest.raises(BadInput) as refused:
        require_good(password, about=("tess", "Tess Tan"), has_second_factor=False)
    assert refused.value.field == "password"


def test_with_a_second_factor_eight_characters_do():
    require_good("herons 4", about=("quinn",), has_second_factor=True)
    with pytest.raises(BadInput):
        require_good("heron 4", about=("quinn",), has_second_factor=True)
    with pytest.raises(BadInput):
        require_good("herons 4", about=("quinn",), has_second_factor=False)


def test_a_numeric_password_that_is_no_pattern_is_long_enough_or_not():
    require_good("83017 46529 30718 24", about=(), has_second_factor=False)
