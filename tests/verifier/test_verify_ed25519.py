"""The verifier's own Ed25519: the standard's vectors, the cryptography library's opinion, and what must be refused."""

import json
import random
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.verifier import verify

VECTORS = json.loads((Path(__file__).parent / "rfc8032.json").read_text())
"""RFC 8032 §7.1, all five."""

Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = [y | sign << 255 for y in (0, 1, verify.P - 1, Y_OF_ORDER_8, verify.P - Y_OF_ORDER_8) for sign in (0, 1)]
SECOND_FORMS = [y | sign << 255 for y in (verify.P, verify.P + 1, verify.P + 3, 2**255 - 1) for sign in (0, 1)]


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    return verify.signature_holds(public=public, message=message, signature=signature)


def library_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_every_vector_of_the_standard_holds(vector: dict[str, str]) -> None:
    public, message, signature = (bytes.fromhex(vector[name]) for name in ("public", "message", "signature"))
    assert holds(public, message, signature)
    assert not holds(public, message + b"\0", signature)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_no_bit_of_a_signature_may_change(vector: dict[str, str]) -> None:
    public, message, signature = (bytes.fromhex(vector[name]) for name in ("public", "message", "signature"))
    for bit in range(0, 512, 3):
        changed = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little")
        assert not holds(public, message, changed), bit


def test_it_agrees_with_the_cryptography_library() -> None:
    chance = random.Random(8032)
    for _ in range(60):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), chance.randbytes(chance.randrange(200))
        signature = key.sign(message)
        assert holds(public, message, signature)
        for _ in range(4):
            parts = [bytearray(public), bytearray(message or b"x"), bytearray(signature)]
            part = chance.choice(parts)
            part[chance.randrange(len(part))] ^= 1 << chance.randrange(8)
            bent = [bytes(each) for each in parts]
            assert holds(*bent) == library_holds(*bent)


def test_a_scalar_beyond_the_order_is_refused() -> None:
    """The same signature with the group's order added verifies as an equation; it is a second form all the same."""
    for vector in VECTORS:
        public, message, signature = (bytes.fromhex(vector[name]) for name in ("public", "message", "signature"))
        scalar = int.from_bytes(signature[32:], "little")
        for times in (1, 2, 7):
            second = signature[:32] + (scalar + times * verify.ORDER).to_bytes(32, "little")
            assert not holds(public, message, second)


@pytest.mark.parametrize("number", SMALL_ORDER)
def test_a_key_of_small_order_is_refused(number: int) -> None:
    """With such a key, R = S = 0 would sign one message in eight, or all."""
    point = number.to_bytes(32, "little")
    with pytest.raises(verify.BrokenError):
        verify.key_multiples(point)
    for commitment in SMALL_ORDER:
        assert not holds(point, b"anything", commitment.to_bytes(32, "little") + bytes(32))


@pytest.mark.parametrize("number", SECOND_FORMS)
def test_a_point_in_a_second_form_is_refused(number: int) -> None:
    with pytest.raises(verify.BrokenError):
        verify.decode_point(number.to_bytes(32, "little"))


def test_a_point_off_the_curve_is_refused() -> None:
    refused = 0
    for y in range(2, 60):
        try:
            point = verify.decode_point(y.to_bytes(32, "little"))
        except verify.BrokenError:
            refused += 1
        else:
            assert verify.encode_point(point) == y.to_bytes(32, "little")
    assert 15 < refused < 45


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65])
def test_wrong_lengths_are_refused(length: int) -> None:
    public, message, signature = (bytes.fromhex(VECTORS[0][name]) for name in ("public", "message", "signature"))
    assert not holds((public * 3)[:length], message, signature)
    assert not holds(public, message, (signature * 2)[:length])
