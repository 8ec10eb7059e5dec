"""The Merkle tree of RFC 6962 over leaves that only ever grow.

Hashes are SHA-256, 32 bytes. A leaf hashes as ``SHA256(0x00 || data)``, a node as ``SHA256(0x01 || left || right)``.
Leaves are counted from 0; the tree of size n covers leaves 0 to n-1. A node (level, index) is the root of the complete
subtree over leaves ``index << level`` to ``(index + 1) << level``, so level 0 is the leaves themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""


class NodeId(NamedTuple):
    """Where a complete subtree stands: its height above the leaves and its place from the left."""

    level: int
    place: int


class Node(NamedTuple):
    """A complete subtree and its hash."""

    at: NodeId
    hash: bytes


class ProofError(ValueError):
    """A proof does not show what it claims, or was asked for what no tree holds."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root over complete subtrees of falling size, left to right: the smallest join first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes, for small trees and for checking."""
    frontier = Frontier()
    for each in leaves:
        frontier.append(each)
    return frontier.root()


@dataclass
class Frontier:
    """What must be kept to let a tree grow: the complete subtrees along its right edge, largest first."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[Node]:
        """Add one leaf hash; answer every node that became complete by it, from level 1 upwards."""
        made: list[Node] = []
        hash_, level, index = leaf, 0, self.size
        while index & 1:
            hash_, level, index = (node_hash(self.hashes.pop(), hash_), level + 1, index >> 1)
            made.append(Node(NodeId(level, index), hash_))
        self.hashes.append(hash_)
        self.size += 1
        return made

    def root(self) -> bytes:
        """Root of the tree as it stands."""
        return fold(self.hashes)


def frontier_nodes(size: int) -> list[NodeId]:
    """Which nodes make the frontier of a tree of this size, largest first."""
    return cover(0, size)


def cover(start: int, end: int) -> list[NodeId]:
    """Complete subtrees, left to right, that cover leaves start to end-1 of an RFC 6962 subtree beginning at start."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(NodeId(level, start >> level))
        start += 1 << level
    return nodes


def _split(size: int) -> int:
    """Largest power of two smaller than size (RFC 6962 §2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(*, index: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges whose hashes prove that leaf ``index`` stands in the tree of ``size``, leaf upwards."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(*, old_size: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges whose hashes prove that the tree of ``old_size`` is a prefix of the tree of ``size``."""
    if not 0 < old_size <= size:
        raise ProofError(f"a tree of {old_size} cannot be a prefix of a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:  # the old tree's last piece is a subtree that the verifier cannot make from the old root alone
        ranges.append((start, end))
    return ranges[::-1]


def nodes_needed(ranges: Iterable[tuple[int, int]]) -> set[NodeId]:
    """Every stored node from which the hashes of these ranges can be folded."""
    return {node for start, end in ranges for node in cover(start, end)}


def proof_from(ranges: Iterable[tuple[int, int]], nodes: Mapping[NodeId, bytes]) -> list[bytes]:
    """The proof itself, given the stored nodes; ProofError when one is missing."""
    try:
        return [fold([nodes[node] for node in cover(start, end)]) for start, end in ranges]
    except KeyError as missing:
        raise ProofError(f"the tree lacks its node {missing.args[0]}") from None


def all_nodes(leaves: Sequence[bytes]) -> dict[NodeId, bytes]:
    """Every complete node over these leaf hashes, level 0 included."""
    frontier, nodes = Frontier(), {}
    for index, leaf in enumerate(leaves):
        nodes[NodeId(0, index)] = leaf
        nodes.update({node.at: node.hash for node in frontier.append(leaf)})
    return nodes


def root_from_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Root that this inclusion proof leads to (RFC 9162 §2.1.3.2); ProofError when its length cannot be right."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    place, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    return root


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Say nothing when the proof holds, else raise ProofError."""
    if root_from_inclusion(index=index, size=size, leaf=leaf, proof=proof) != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Say nothing when the old tree is shown to be a prefix of the new (RFC 9162 §2.1.4.2), else raise ProofError."""
    if not 0 < old_size <= size:
        raise ProofError(f"a tree of {old_size} cannot be a prefix of a tree of {size}")
    if old_size == size:
        if proof or old_root != root:
            raise ProofError("two trees of one size must be the same")
        return
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("the consistency proof is too short")
    if _climb(old_size=old_size, size=size, hashes=hashes) != (old_root, root):
        raise ProofError("the consistency proof leads to other roots")


def _climb(*, old_size: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof leads to."""
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if place & 1 or place == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, each)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the consistency proof is too short")
    return old, new
