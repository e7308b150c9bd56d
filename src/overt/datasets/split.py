"""Which part and which shard a person belongs to: from the tag alone, so nobody moves anyone else.

Split and shard are functions of one person's tag. Adding or erasing a person changes neither the
part nor the shard of any other, which is what makes retraining without them exact.
"""

from __future__ import annotations

import hashlib

SPLITS = ("train", "validation", "test")
SPLIT_PERCENT = {"train": 70, "validation": 10, "test": 20}
SHARDS_MAX = 256


def _uniform(use: str, tag: bytes, below: int) -> int:
    """Return a number in 0 … below - 1, from SHA-256 of the use and the tag."""
    digest = hashlib.sha256(b"overt/" + use.encode() + b"/1\0" + tag).digest()
    return int.from_bytes(digest[:8], "big") * below >> 64


def split_of(tag: bytes) -> str:
    """Return `train` (70 %), `validation` (10 %) or `test` (20 %) for a person's tag.

    >>> split_of(bytes(32))
    'train'
    """
    place = _uniform("split", tag, 100)
    if place < SPLIT_PERCENT["train"]:
        return "train"
    return "test" if place < SPLIT_PERCENT["train"] + SPLIT_PERCENT["test"] else "validation"


def shard_of(tag: bytes, shards: int) -> int:
    """Return the shard, 0 … `shards` - 1, whose model alone learns from this person.

    Raises `ValueError` unless 1 <= `shards` <= 256.

    >>> shard_of(bytes(32), 1)
    0
    """
    if not 1 <= shards <= SHARDS_MAX:
        raise ValueError(f"shards must be 1 to {SHARDS_MAX}")
    return _uniform("shard", tag, shards)


def seed_of(tag: bytes) -> int:
    """Return a 63-bit seed for what is random about one person, such as the order of windows."""
    return _uniform("seed", tag, 1 << 63)
