"""The Merkle tree: the published roots, and every proof of every small tree, honest and bent."""

import pytest

from app.domain import merkle

DATA = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes(range(0x60, 0x70))
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots of the first 1 to 8 of the data above, as Certificate Transparency's own tests have them."""

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(33)]


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word by word."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else merkle.EMPTY_ROOT
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return merkle.node_hash(plain_root(leaves[:half]), plain_root(leaves[half:]))


def test_published_roots() -> None:
    leaves = [merkle.leaf_hash(each) for each in DATA]
    assert [merkle.root_of(leaves[:size]).hex() for size in range(1, 9)] == ROOTS
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_a_frontier_grows_into_the_defined_tree(size: int) -> None:
    nodes = merkle.all_nodes(LEAVES[:size])
    assert merkle.root_of(LEAVES[:size]) == plain_root(LEAVES[:size])
    assert merkle.fold([nodes[node] for node in merkle.frontier_nodes(size)]) == plain_root(LEAVES[:size])
    assert len(nodes) == 2 * size - size.bit_count()


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_inclusion_proofs_hold_and_bent_ones_do_not(size: int) -> None:
    nodes, root = merkle.all_nodes(LEAVES[:size]), plain_root(LEAVES[:size])
    for index in range(size):
        proof = merkle.proof_from(merkle.inclusion_ranges(index=index, size=size), nodes)
        merkle.verify_inclusion(index=index, size=size, leaf=LEAVES[index], proof=proof, root=root)
        bent = [
            (index, size, LEAVES[index], [*proof, root]),
            (index, size, root, proof),
            (index ^ 1, size, LEAVES[index], proof),
        ]
        bent += [(index, size, LEAVES[index], proof[:-1]), (index, size, LEAVES[index], proof[1:])] if proof else []
        bent += [(index, size, LEAVES[index], proof[::-1])] if len(proof) > 1 else []
        for place, of, leaf, path in bent:
            if (place, path) == (index, proof) and leaf == LEAVES[index]:
                continue
            with pytest.raises(merkle.ProofError):
                merkle.verify_inclusion(index=place, size=of, leaf=leaf, proof=path, root=root)


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_consistency_proofs_hold_and_bent_ones_do_not(size: int) -> None:
    nodes, root = merkle.all_nodes(LEAVES[:size]), plain_root(LEAVES[:size])
    for old_size in range(1, size + 1):
        old_root = plain_root(LEAVES[:old_size])
        proof = merkle.proof_from(merkle.consistency_ranges(old_size=old_size, size=size), nodes)
        merkle.verify_consistency(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)
        other = merkle.leaf_hash(b"another history")
        bent = [(old_root, root, [*proof, root]), (other, root, proof), (old_root, other, proof)]
        bent += [(old_root, root, proof[:-1]), (old_root, root, proof[1:])] if proof else []
        for old, new, path in bent:
            with pytest.raises(merkle.ProofError):
                merkle.verify_consistency(old_size=old_size, old_root=old, size=size, root=new, proof=path)


def test_what_no_tree_holds_is_refused() -> None:
    for index, size in ((1, 1), (-1, 3), (0, 0)):
        with pytest.raises(merkle.ProofError):
            merkle.inclusion_ranges(index=index, size=size)
        with pytest.raises(merkle.ProofError):
            merkle.verify_inclusion(index=index, size=size, leaf=LEAVES[0], proof=[], root=LEAVES[0])
    for old_size, size in ((0, 3), (4, 3)):
        with pytest.raises(merkle.ProofError):
            merkle.consistency_ranges(old_size=old_size, size=size)
    with pytest.raises(merkle.ProofError):
        merkle.proof_from([(0, 2)], {})
