"""What proves who somebody is: passwords (argon2id) and one-time codes. Only hashes and ciphertext reach the database."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import os
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pyotp
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.errors import Busy
from app.domain.passwords import normalised
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# RFC 9106 §4, second recommended option (64 MiB, 3 passes), on one lane: sign-in must not take the bench's cores.
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
HASHING_THREADS = 2
WAITING_MAX = 16

STEP_S = 30
STEPS_AROUND = 1
KEY_BYTES = 32
_NONCE_BYTES = 12


class Hashing:
    """Hashes in few threads, so that sign-ins cannot starve scans; sheds what would wait too long."""

    def __init__(self, *, threads: int = HASHING_THREADS, waiting_max: int = WAITING_MAX) -> None:
        """No thread starts before the first use."""
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="hashing")
        self._places = threads + waiting_max
        self._taken = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A place in the queue, taken before anything is counted or read. Raises Busy when the queue is full."""
        if self._taken >= self._places:
            raise Busy(
                what=Text("Nothing was checked."),
                why=Text("Too many people are signing in this moment."),
                remedy=Text("Try again in a few seconds."),
                detail={"retry_after_s": 5},
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether this is the password behind the hash. Without a hash it works as long and says no."""
        verified = await self._run(lambda: password_matches(kept or _dummy(), password))
        return verified and kept is not None

    async def hashed(self, password: str) -> str:
        """The hash to keep."""
        return await self._run(lambda: password_hash(password))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


HASHING = Hashing()


def password_hash(password: str) -> str:
    """The argon2id hash in its usual text form; about a tenth of a second and 64 MiB."""
    return HASHER.hash(normalised(password).encode())


def password_matches(kept: str, password: str) -> bool:
    """Whether this is the password behind the hash."""
    try:
        return HASHER.verify(kept, normalised(password).encode())
    except (VerificationError, InvalidHashError):
        return False


_dummies: list[str] = []


def _dummy() -> str:
    if not _dummies:
        _dummies.append(password_hash(secrets.token_urlsafe(16)))
    return _dummies[0]


# -- keys and sealed values --------------------------------------------------------------------------------------------


def key_bytes(text: str) -> bytes:
    """A key from its setting: 32 bytes in URL-safe base64. Raises ValueError."""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a key is 32 bytes in URL-safe base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is 32 bytes in URL-safe base64; this one has {len(key)}")
    return key


def new_key() -> str:
    """A fresh key as its setting wants it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def derived_key(key: bytes, *, purpose: str) -> bytes:
    """A key of its own for one purpose (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"stemma/{purpose}/1".encode()).derive(key)


def keyed_digest(key: bytes, *, purpose: str, data: bytes) -> bytes:
    """HMAC-SHA-256 under a derived key: nobody can guess back what is short without the key."""
    return hmac.digest(derived_key(key, purpose=purpose), data, "sha256")


def sealed(key: bytes, plain: bytes, *, bound_to: str) -> bytes:
    """AES-256-GCM: nonce, then ciphertext and tag. Opens only with the same `bound_to`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def opened(key: bytes, kept: bytes, *, bound_to: str) -> bytes:
    """The value behind `sealed`. Raises ValueError with another key, another binding, or a changed byte."""
    try:
        return AESGCM(key).decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise ValueError("this was sealed with another key, for something else, or was changed") from error


# -- one-time codes (RFC 6238: SHA-1, 6 digits, 30 s) -----------------------------------------------------------------


def new_totp_secret() -> str:
    """160 random bits in base32, as authenticator applications take them."""
    return pyotp.random_base32(32)


def totp_uri(secret: str, *, username: str, issuer: str) -> str:
    """What a QR code for an authenticator application says."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def seal_totp(key: bytes, secret: str, *, account_id: int) -> bytes:
    """The secret as it is kept: for this account and no other."""
    return sealed(key, secret.encode(), bound_to=f"stemma.totp.1:{account_id}")


def open_totp(key: bytes, kept: bytes, *, account_id: int) -> str:
    """The secret of this account. Raises ValueError when it was not sealed for it with this key."""
    return opened(key, kept, bound_to=f"stemma.totp.1:{account_id}").decode()


def matching_step(secret: str, code: str, *, step: int) -> int | None:
    """Which 30-second step the code belongs to: `step` (the database's) or a neighbour; None when to none."""
    totp = pyotp.TOTP(secret)
    typed = "".join(unicodedata.normalize("NFKC", code).split()).encode()
    found = None
    for offset in range(-STEPS_AROUND, STEPS_AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step + offset).encode(), typed):
            found = step + offset
    return found
