"""A sharded model that is kept: named tensors for each shard, hashed, sealed and grown again.

What a shard becomes is a function of its own people alone, taken in the order of their tags, so a
shard trained again without a person equals one that never met them.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from overt.models.shard import processor
from overt.models.tensors import Array, Tensors, decode, encode, sha256
from overt.schema.errors import Damaged


class Sample(Protocol):
    """What of one person is learned from."""

    @property
    def tag(self) -> bytes: ...  # noqa: D102
    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def shard(self) -> int: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Kept:
    """Shards that have people, and the machine that they were trained on."""

    machine: Mapping[str, str]
    shards: Mapping[int, Tensors]

    rule: ClassVar[str]
    """Id of the rule that makes samples of events."""

    @property
    def certified(self) -> bool:
        """Whether a rebuild on the same processor and libraries gives the same bits."""
        return not self.uncertified()

    def uncertified(self) -> tuple[str, ...]:
        """Return the reasons why it is not certified; none if it is."""
        mixed = any(" | " in value for value in self.machine.values())
        return ("its shards were not all trained on the same machine",) if mixed else ()

    def only(self, shards: Collection[int]) -> Self:
        """Return the model without all other shards."""
        return replace(self, shards={n: v for n, v in self.shards.items() if n in shards})

    def settings(self) -> str:
        """Return what, with the same people, gives the same model: nothing can be set."""
        return "{}"

    def named(self) -> dict[str, Any]:
        """Return what besides the shards names the model."""
        return {"sample": self.rule}

    def shard_hashes(self) -> dict[int, str]:
        """Return the SHA-256 of each shard."""
        return {shard: sha256(self.shards[shard]) for shard in sorted(self.shards)}

    def sha256(self) -> str:
        """Return the SHA-256 that names the whole model."""
        shards = {f"{shard:03d}": value for shard, value in self.shard_hashes().items()}
        named = {**self.named(), "shards": shards}
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return everything as canonical bytes."""
        facts = {"sample": self.rule, "machine": dict(self.machine)}
        head = json.dumps(facts, sort_keys=True).encode()
        tensors = {
            f"{shard:03d}/{name}": array
            for shard, tensors in self.shards.items()
            for name, array in tensors.items()
        }
        return len(head).to_bytes(4, "little") + head + encode(tensors)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the model of `to_bytes`. Raises `Damaged`."""
        size = int.from_bytes(data[:4], "little")
        tensors = decode(data[4 + size :])
        try:
            head = json.loads(data[4 : 4 + size])
            if head["sample"] != cls.rule:
                raise Damaged(f"was made by another rule than {cls.rule}", where="model")
            shards: dict[int, dict[str, Array]] = {}
            for name, array in tensors.items():
                shard, inner = name.split("/", 1)
                shards.setdefault(int(shard), {})[inner] = array
            return cls(head["machine"], shards)
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"is not a model of rule {cls.rule}", where="model") from error

    @classmethod
    def grown(
        cls,
        samples: Iterable[Sample],
        fit: Callable[[list[Any]], Tensors],
        *,
        shards: Collection[int] | None = None,
        before: Self | None = None,
        progress: Callable[[float], None] = lambda _done: None,
    ) -> Self:
        """Return the model of all people of the split `train`, or of some shards of it.

        `fit` makes a shard of its people, by tag. With `shards` only those are fitted; all others
        are taken from `before` as they are.
        """
        members: dict[int, list[Sample]] = {}
        for one in samples:
            if one.split == "train" and one.size:
                members.setdefault(one.shard, []).append(one)
        wanted = sorted(members if shards is None else set(shards) & members.keys())
        now, kept = machine(), {}
        if before and shards is not None:
            kept = {shard: v for shard, v in before.shards.items() if shard not in shards}
            if kept:
                now = _both(now, before.machine)
        made: dict[int, Tensors] = {}
        for number, shard in enumerate(wanted):
            progress(number / len(wanted))
            made[shard] = fit(sorted(members[shard], key=lambda one: one.tag))
        return cls(now, dict(sorted({**kept, **made}.items())))


def _both(now: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value if before.get(name) == value else f"{value} | {before.get(name)}"
        for name, value in now.items()
    }


def machine() -> dict[str, str]:
    """Return what besides the people decides the bits: processor and libraries."""
    import numba

    return {
        "processor": processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
