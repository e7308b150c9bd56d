"""Training: one process a core, one thread a shard, progress as it goes.

`train(people)` groups people by shard, orders them by tag, and fits each shard on its own. With
`before` and `shards` only some shards are fitted again: that is how a person leaves.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from overt.datasets.tokens import TOKENS_ID, VOCABULARY, Sequences
from overt.models import baselines
from overt.models.config import ENCODER_ID, Config, config_from
from overt.models.curve import Curve
from overt.models.process import Process
from overt.models.shard import ENVIRONMENT, steps_of
from overt.models.stream import Stream, pack, stream_of
from overt.models.tensors import Array, decode, encode, sha256
from overt.schema.errors import Damaged, InvalidInput

TABLES = ("markov", "pause")


@dataclass(frozen=True, eq=False)
class Halfway:
    """Trainings of shards that were broken off, and what keeps how far this one is.

    Bytes hold weights, made from people as the model is: whoever keeps them seals them.
    """

    begun: Mapping[int, bytes] = field(default_factory=dict)
    """By shard, what `keep` was last given; left aside unless data, settings and machine match."""
    keep: Callable[[int, bytes], None] | None = None
    """Called from the thread of `train` with a shard and its bytes, after each pass over it."""


STEPS_WORTH_A_PROCESS = 100
"""A further process takes a core seconds to start, as long as about so many steps take."""


@dataclass(frozen=True)
class Progress:
    """How far one shard is. `done` of `steps`; all of `shards` are trained in this run."""

    shard: int
    done: int
    steps: int
    shards: int
    loss: float
    """Mean since the report before, in nats an event."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A sharded model: for each shard that has people, its weights and its baselines' tables.

    A prediction is the mean of the shards' probabilities.
    """

    config: Config
    machine: Mapping[str, str]
    """Processor, libraries and environment it was trained with; not part of the hash."""
    shards: Mapping[int, Mapping[str, Array]]
    curves: Mapping[int, Curve] = field(default_factory=dict)
    """How each shard's loss went down in training; not part of the hash."""

    @property
    def certified(self) -> bool:
        """Whether a rebuild on the same processor and libraries gives the same bits."""
        return not self.uncertified()

    def uncertified(self) -> tuple[str, ...]:
        """Return the reasons why it is not certified; none if it is."""
        reasons = [] if self.config.device == "cpu" else ["trained on a GPU"]
        if self.machine.get("capability", "").lower() != ENVIRONMENT["ATEN_CPU_CAPABILITY"]:
            reasons.append("the processor lacks the fixed instruction set AVX2")
        if any(self.machine.get(name) != value for name, value in ENVIRONMENT.items()):
            reasons.append("the environment of training was not the fixed one")
        if any(" | " in value for value in self.machine.values()):
            reasons.append("its shards were not all trained on the same processor and libraries")
        return tuple(reasons)

    def shard_hashes(self) -> dict[int, str]:
        """Return the SHA-256 of each shard's weights and tables."""
        return {shard: sha256(self.shards[shard]) for shard in sorted(self.shards)}

    def only(self, shards: Collection[int]) -> Trained:
        """Return the model without all other shards."""
        kept = {shard: tensors for shard, tensors in self.shards.items() if shard in shards}
        curves = {shard: curve for shard, curve in self.curves.items() if shard in kept}
        return replace(self, shards=kept, curves=curves)

    def settings(self) -> str:
        """Return the configuration as JSON: with it, the same people give the same model."""
        return self.config.to_json()

    def sha256(self) -> str:
        """Return `weights_hash`."""
        return weights_hash(self)

    def tables(self, shard: int) -> dict[str, Array]:
        """Return the dense count tables of one shard."""
        tensors = self.shards[shard]
        return {
            name: baselines.dense(
                {part: tensors[f"tables.{name}.{part}"] for part in ("shape", "at", "count")}
            )
            for name in TABLES
        }

    def to_bytes(self) -> bytes:
        """Return everything as canonical bytes."""
        facts = {
            "config": self.config.to_json(),
            "machine": dict(self.machine),
            "encoder": ENCODER_ID,
            "tokens": TOKENS_ID,
            "curves": {f"{shard:03d}": self.curves[shard] for shard in sorted(self.curves)},
        }
        head = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
        tensors = {
            f"{shard:03d}/{name}": array
            for shard, tensors in self.shards.items()
            for name, array in tensors.items()
        }
        return len(head).to_bytes(4, "little") + head + encode(tensors)


def trained_from(data: bytes) -> Trained:
    """Return the model of `Trained.to_bytes`. Raises `Damaged`."""
    size = int.from_bytes(data[:4], "little")
    tensors = decode(data[4 + size :])
    try:
        head = json.loads(data[4 : 4 + size])
        config, machine = config_from(json.loads(head["config"])), head["machine"]
        if head.get("encoder") != ENCODER_ID:
            raise Damaged(f"is of another kind than {ENCODER_ID}", where="model")
        if head["tokens"] != TOKENS_ID:
            raise Damaged(f"was trained on other tokens than {TOKENS_ID}", where="model")
        shards: dict[int, dict[str, Array]] = {}
        for name, array in tensors.items():
            shard, inner = name.split("/", 1)
            shards.setdefault(int(shard), {})[inner] = array
        curves = {
            int(shard): tuple((int(steps), float(loss)) for steps, loss in curve)
            for shard, curve in head.get("curves", {}).items()
        }
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("is not a trained model", where="model") from error
    return Trained(config, machine, shards, curves)


def weights_hash(trained: Trained) -> str:
    """Return the SHA-256 that names the whole model: configuration, vocabulary and all shards."""
    named = {
        "config": trained.config.to_json(),
        "tokens": TOKENS_ID,
        "vocabulary": VOCABULARY,
        "shards": {f"{shard:03d}": value for shard, value in trained.shard_hashes().items()},
    }
    return hashlib.sha256(
        json.dumps(named, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def dataset_hash(people: Iterable[Sequences]) -> str:
    """Return the SHA-256 of the training people's tokens in the order of their tags."""
    ordered = sorted((p for p in people if p.split == "train"), key=lambda p: p.tag)
    return sha256(pack([stream_of(p.sessions) for p in ordered]))


def train(
    people: Iterable[Sequences],
    config: Config | None = None,
    *,
    shards: Collection[int] | None = None,
    before: Trained | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    halfway: Halfway | None = None,
) -> Trained:
    """Return the model of all people of the split `train`, or of some shards of it.

    With `shards`, only those are fitted; all others are taken from `before` as they are. `workers`
    processes run side by side (default: one a core, fewer where there is little to do). `progress`
    is called from this thread. A shard without people has no model. The result does not depend on
    the order of `people`, on `workers`, on which shards were fitted together, or on whether it was
    broken off and taken up again (`halfway`).
    """
    config = config or (before.config if before else Config())
    if before and before.config != config:
        raise InvalidInput("differs from that of the model to be continued", where="config")
    members: dict[int, list[Sequences]] = {}
    for person in people:
        if person.split == "train" and person.tokens:
            members.setdefault(person.shard, []).append(person)
    wanted = sorted(members if shards is None else set(shards) & members.keys())
    streams = {
        shard: [stream_of(p.sessions) for p in sorted(members[shard], key=lambda p: p.tag)]
        for shard in wanted
    }
    kept: dict[int, Mapping[str, Array]] = {}
    curves: dict[int, Curve] = {}
    if before and shards is not None:
        kept = {shard: v for shard, v in before.shards.items() if shard not in shards}
        curves = {shard: curve for shard, curve in before.curves.items() if shard in kept}
    fitted, machine, seen = _fit(streams, config, workers, progress, halfway or Halfway())
    if before and kept:
        machine = _together(before.machine, machine)
    merged = dict(sorted({**kept, **fitted}.items()))
    return Trained(config, machine, merged, dict(sorted({**curves, **seen}.items())))


def _together(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return one description of two trainings; what differs is named with both values."""
    return {
        name: value if now.get(name, value) == value else f"{value} | {now[name]}"
        for name, value in before.items()
    }


def _fit(
    streams: Mapping[int, list[Stream]],
    config: Config,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
    halfway: Halfway,
) -> tuple[dict[int, dict[str, Array]], dict[str, str], dict[int, Curve]]:
    """Fit every shard, the largest first, in up to `workers` processes side by side.

    Return weights by shard, the machine, and each shard's curve.
    """
    waiting: SimpleQueue[int] = SimpleQueue()
    for shard in sorted(streams, key=lambda s: (-sum(map(len, streams[s])), s)):
        waiting.put(shard)
    reports: SimpleQueue[Progress | tuple[int, bytes] | None] = SimpleQueue()
    processes: list[Process] = []
    machine: dict[str, str] = {}
    fitted: dict[int, dict[str, Array]] = {}
    seen: dict[int, list[tuple[int, float]]] = {shard: [] for shard in streams}

    def work(process: Process) -> None:
        try:
            machine.update(process.machine)
            while (shard := _next(waiting)) is not None:

                def report(done: int, steps: int, loss: float, shard: int = shard) -> None:
                    seen[shard].append((done, loss))
                    reports.put(Progress(shard, done, steps, len(streams), loss))

                about = _about(streams[shard], config, process.machine)
                seen[shard], begun = _matching(halfway.begun.get(shard, b""), about)

                def keep(data: bytes, shard: int = shard, about: str = about) -> None:
                    reports.put((shard, _so_far(about, seen[shard], data)))

                weights = process.fit(
                    streams[shard],
                    config,
                    len(VOCABULARY),
                    shard,
                    report,
                    begun=begun,
                    keep=keep if halfway.keep else None,
                )
                fitted[shard] = {**weights, **fitted_tables(streams[shard])}
        finally:
            reports.put(None)
            process.close()

    count = min(workers or _processes(streams, config), len(streams))
    with ThreadPoolExecutor(max(count, 1)) as pool:
        try:
            processes += [Process() for _ in range(count)]
            running = [pool.submit(work, process) for process in processes]
            while count:
                report = reports.get()
                count -= report is None
                if isinstance(report, tuple) and halfway.keep:
                    halfway.keep(*report)
                elif isinstance(report, Progress) and progress:
                    progress(report)
            for future in running:
                future.result()
        except BaseException:
            while _next(waiting) is not None:
                pass
            for process in processes:
                process.kill()
            raise
    return fitted, machine, {shard: tuple(curve) for shard, curve in seen.items()}


def _about(streams: list[Stream], config: Config, machine: Mapping[str, str]) -> str:
    """Return a hash of all that decides the bits of a shard besides its number."""
    facts = [
        sha256(pack(streams)),
        config.to_json(),
        ENCODER_ID,
        TOKENS_ID,
        sorted(machine.items()),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _so_far(about: str, curve: list[tuple[int, float]], data: bytes) -> bytes:
    head = json.dumps({"about": about, "curve": curve}).encode()
    return len(head).to_bytes(4, "little") + head + data


def _matching(begun: bytes, about: str) -> tuple[list[tuple[int, float]], bytes]:
    """Return the curve and the bytes of a training that was broken off, or nothing of another."""
    size = int.from_bytes(begun[:4], "little")
    try:
        head = json.loads(begun[4 : 4 + size] or b"{}")
        curve = [(int(done), float(loss)) for done, loss in head.get("curve", ())]
    except (ValueError, TypeError, AttributeError):
        return [], b""
    return (curve, begun[4 + size :]) if head.get("about") == about else ([], b"")


def _processes(streams: Mapping[int, list[Stream]], config: Config) -> int:
    """Return how many processes are worth starting."""
    steps = 0
    for members in streams.values():
        chunks = sum(math.ceil(len(stream) / config.chunk) for stream in members)
        per_epoch, epochs = steps_of(config, max(chunks, 1))
        steps += per_epoch * epochs
    return min(len(os.sched_getaffinity(0)), math.ceil(steps / STEPS_WORTH_A_PROCESS))


def _next(waiting: SimpleQueue[int]) -> int | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def fitted_tables(streams: list[Stream]) -> dict[str, Array]:
    """Return the baselines' count tables of one shard, in the form they are kept with it."""
    return {
        f"tables.{name}.{part}": array
        for name, table in baselines.tables(streams, len(VOCABULARY)).items()
        for part, array in baselines.sparse(table).items()
    }
