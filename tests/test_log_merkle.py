"""The tree agrees with RFC 6962 as its text reads, and with published vectors of other logs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.log import merkle

VECTORS = json.loads((Path(__file__).parents[1] / "spec/vectors/merkle.json").read_text())


# RFC 6962, section 2.1, read off the text: recursion over lists of data, nothing shared.
def mth(data: list[bytes]) -> bytes:
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole=whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], whole=False), mth(data[:k])]


trees = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def leaves_of(data: list[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(item) for item in data]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=70))
def test_the_root_is_that_of_the_rfc(data: list[bytes]) -> None:
    assert merkle.root(leaves_of(data)) == mth(data)


def test_every_proof_of_every_small_tree_is_that_of_the_rfc() -> None:
    for size in range(1, 34):
        data = [bytes([k]) for k in range(size)]
        leaves = leaves_of(data)
        for index in range(size):
            proof = merkle.inclusion_proof(leaves, index)
            assert proof == path(index, data)
            assert merkle.verify_inclusion(leaves[index], index, size, proof, mth(data))
        for old in range(1, size):
            proof = merkle.consistency_proof(leaves, old)
            assert proof == subproof(old, data, whole=True)
            assert merkle.verify_consistency(old, mth(data[:old]), size, mth(data), proof)


def test_published_roots_and_proofs_of_certificate_transparency_hold() -> None:
    leaves = leaves_of([bytes.fromhex(item) for item in VECTORS["leaves"]])
    for size, expected in enumerate(VECTORS["roots"]):
        assert merkle.root(leaves[:size]).hex() == expected
    for case in VECTORS["inclusion"]:
        proof = merkle.inclusion_proof(leaves[: case["size"]], case["index"])
        assert [step.hex() for step in proof] == case["proof"]
    for case in VECTORS["consistency"]:
        proof = merkle.consistency_proof(leaves[: case["size"]], case["old_size"])
        assert [step.hex() for step in proof] == case["proof"]


@settings(max_examples=200, deadline=None)
@given(trees, st.data())
def test_a_changed_inclusion_proof_never_verifies(data: list[bytes], draw: st.DataObject) -> None:
    leaves = leaves_of(data)
    size, root = len(leaves), merkle.root(leaves)
    index = draw.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(leaves, index)
    other = draw.draw(st.integers(-2, size + 2).filter(lambda k: k != index))
    wrong = bytes(32)
    # A neighbour with the same data is at its own index only under its own path.
    if not (0 <= other < size and path(other, data) == proof and data[other] == data[index]):
        assert not merkle.verify_inclusion(leaves[index], other, size, proof, root)
    assert not merkle.verify_inclusion(wrong, index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, wrong)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, wrong], root)
    for k in range(len(proof)):
        assert not merkle.verify_inclusion(
            leaves[index], index, size, [*proof[:k], wrong, *proof[k + 1 :]], root
        )
        assert not merkle.verify_inclusion(
            leaves[index], index, size, [*proof[:k], *proof[k + 1 :]], root
        )


@settings(max_examples=200, deadline=None)
@given(trees, st.data())
def test_a_changed_prefix_or_consistency_proof_never_verifies(
    data: list[bytes], draw: st.DataObject
) -> None:
    leaves = leaves_of(data)
    size, root = len(leaves), merkle.root(leaves)
    old = draw.draw(st.integers(1, size))
    proof = merkle.consistency_proof(leaves, old)
    older, wrong = merkle.root(leaves[:old]), bytes(32)
    assert merkle.verify_consistency(old, older, size, root, proof)
    assert not merkle.verify_consistency(old, wrong, size, root, proof)
    assert not merkle.verify_consistency(old, older, size, wrong, proof)
    assert not merkle.verify_consistency(old, older, size, root, [*proof, wrong])
    assert not merkle.verify_consistency(old, older, old - 1, root, proof)
    if old < size:
        assert not merkle.verify_consistency(old, older, 4 * size + 1, root, proof)
        assert not merkle.verify_consistency(old, older, size, root, proof[:-1])
    for k in range(len(proof)):
        assert not merkle.verify_consistency(
            old, older, size, root, [*proof[:k], wrong, *proof[k + 1 :]]
        )


def test_the_empty_tree_is_a_prefix_of_every_tree_and_of_no_other_root() -> None:
    leaves = leaves_of([b"a", b"b"])
    assert merkle.consistency_proof(leaves, 0) == []
    assert merkle.verify_consistency(0, merkle.EMPTY_ROOT, 2, merkle.root(leaves), [])
    assert not merkle.verify_consistency(0, bytes(32), 2, merkle.root(leaves), [])
    assert not merkle.verify_consistency(0, merkle.EMPTY_ROOT, 2, merkle.root(leaves), [bytes(32)])


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    leaves = leaves_of([b"a", b"b"])
    for index in (-1, 2):
        with pytest.raises(IndexError):
            merkle.inclusion_proof(leaves, index)
    for old in (-1, 3):
        with pytest.raises(IndexError):
            merkle.consistency_proof(leaves, old)
