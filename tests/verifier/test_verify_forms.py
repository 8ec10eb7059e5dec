"""What the verifier reads has one form each; every second form is refused."""

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import merkle, seals
from app.verifier import verify
from tests.verifier.forge import EARLY, framed, key_from

TEXTS = st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"))), max_size=12)


@given(TEXTS)
def test_framed_fields_come_back(fields: list[str | None]) -> None:
    assert verify.netstrings(framed(fields).encode()) == fields


@pytest.mark.parametrize(
    "data",
    [b"1:a", b"1:a;", b"01:a,", b"+1:a,", b" 1:a,", b"2:a,", b"-", b"-1:,", b":,", b"1_0:aaaaaaaaaa,", b"1:\xff,"],
)
def test_a_second_form_of_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(verify.BrokenError):
        verify.netstrings(data)


def note_of(size: int = 7) -> bytes:
    key = key_from(1)
    made = seals.Checkpoint(origin=key.name, size=size, root=bytes(range(32)), epoch=1, at=EARLY)
    return key.sign(made).encode()


def test_a_checkpoint_is_read_and_its_signature_holds() -> None:
    found = verify.Checkpoint.parse(note_of())
    assert (found.size, found.root, found.epoch, found.time) == (7, bytes(range(32)), 1, "2026-11-22T08:00:00Z")
    assert found.signed_by([verify.Key.parse(key_from(1).vkey)])
    assert not found.signed_by([verify.Key.parse(key_from(2).vkey)])
    assert seals.read_note(note_of().decode()).size == 7


def test_every_byte_of_a_checkpoint_counts() -> None:
    note, key = note_of(), verify.Key.parse(key_from(1).vkey)
    for place in range(len(note)):
        for value in (note[place] ^ 1, note[place] ^ 0x20, 0x0D, 0x20):
            bent = note[:place] + bytes([value]) + note[place + 1 :]
            if bent == note:
                continue
            try:
                assert not verify.Checkpoint.parse(bent).signed_by([key]), (place, value)
            except verify.BrokenError:
                continue


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n+7\n"),
        ("epoch 1", "epoch  1"),
        ("00Z", "00+00:00"),
        ("Z\n", "Z\r\n"),
        ("\u2014", "-"),
    ],
)
def test_a_second_form_of_a_checkpoint_is_refused(old: str, new: str) -> None:
    text = note_of().decode()
    assert old in text
    with pytest.raises(verify.BrokenError):
        verify.Checkpoint.parse(text.replace(old, new, 1).encode())


def test_base64_with_stray_bits_is_refused() -> None:
    assert verify.from_base64("AAA=") == b"\0\0"
    for text in ("AAB=", "AAA", "AA==\n", "A A=", "AAA=="):
        with pytest.raises(verify.BrokenError):
            verify.from_base64(text)


def test_a_key_is_read_and_its_second_forms_are_refused() -> None:
    text = key_from(1).vkey
    assert str(verify.Key.parse(text)) == text
    name, id_, data = text.split("+", 2)
    for bent in (f"{name}x+{id_}+{data}", f"{name}+00000000+{data}", f"{name}+{id_}", f"{name}+{id_}+{data}A", ""):
        with pytest.raises(verify.BrokenError):
            verify.Key.parse(bent)


def test_both_trees_are_one_tree() -> None:
    """The verifier's tree and the sealer's were written apart; they agree on every root and every proof."""
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(40)]
    nodes, tree = merkle.all_nodes(leaves), verify.Tree()
    for size, leaf in enumerate(leaves, start=1):
        tree.append(leaf)
        assert tree.root() == merkle.root_of(leaves[:size])
        for index in range(size):
            path = merkle.proof_from(merkle.inclusion_ranges(index=index, size=size), nodes)
            assert verify.root_of_proof(index=index, size=size, leaf=leaves[index], path=path) == tree.root()


def test_the_verifier_needs_nothing_but_python() -> None:
    """It must still run when the rest of Stemma is gone."""
    tree = ast.parse(Path(verify.__file__).read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
