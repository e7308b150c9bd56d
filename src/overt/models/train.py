"""Training: one process a core, one thread a shard, progress as it goes.

`train(people)` groups people by shard, orders them by tag, and fits each shard on its own. With
`before` and `shards` only some shards are fitted again: that is how a person leaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from overt.datasets.tokens import TOKENS_ID, VOCABULARY, Sequences
from overt.models import baselines
from overt.models.config import Config, config_from
from overt.models.shard import ENVIRONMENT, job, read_frames, write_frame
from overt.models.stream import Stream, pack, stream_of
from overt.models.tensors import Array, decode, encode, sha256
from overt.schema.errors import Damaged, Missing

TABLES = ("markov", "pause")


@dataclass(frozen=True)
class Progress:
    """How far one shard is. `done` of `steps`; all of `shards` are trained in this run."""

    shard: int
    done: int
    steps: int
    shards: int


@dataclass(frozen=True, eq=False)
class Trained:
    """A sharded model: for each shard that has people, its weights and its baselines' tables.

    A prediction is the mean of the shards' probabilities.
    """

    config: Config
    machine: Mapping[str, str]
    """Processor, libraries and environment it was trained with; not part of the hash."""
    shards: Mapping[int, Mapping[str, Array]]

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
        return tuple(reasons)

    def shard_hashes(self) -> dict[int, str]:
        """Return the SHA-256 of each shard's weights and tables."""
        return {shard: sha256(self.shards[shard]) for shard in sorted(self.shards)}

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
        head = json.dumps(
            {"config": self.config.to_json(), "machine": dict(self.machine), "tokens": TOKENS_ID},
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
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
        if head["tokens"] != TOKENS_ID:
            raise Damaged(f"was trained on other tokens than {TOKENS_ID}", where="model")
        shards: dict[int, dict[str, Array]] = {}
        for name, array in tensors.items():
            shard, inner = name.split("/", 1)
            shards.setdefault(int(shard), {})[inner] = array
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("is not a trained model", where="model") from error
    return Trained(config, machine, shards)


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
) -> Trained:
    """Return the model of all people of the split `train`, or of some shards of it.

    With `shards`, only those are fitted; all others are taken from `before` as they are. `workers`
    processes run side by side (default: one a core). `progress` is called from this thread.
    A shard without people has no model. The result does not depend on the order of `people`, on
    `workers`, or on which shards were fitted together.
    """
    config = config or (before.config if before else Config())
    members: dict[int, list[Sequences]] = {}
    for person in people:
        if person.split == "train" and person.tokens:
            members.setdefault(person.shard, []).append(person)
    wanted = sorted(members if shards is None else set(shards) & members.keys())
    streams = {
        shard: [stream_of(p.sessions) for p in sorted(members[shard], key=lambda p: p.tag)]
        for shard in wanted
    }
    kept = dict(before.shards) if before else {}
    for shard in kept.keys() if shards is None else shards:
        kept.pop(shard, None)
    fitted, machine = _fit(streams, config, workers, progress)
    if before and not machine:
        machine = dict(before.machine)
    return Trained(config, machine, dict(sorted({**kept, **fitted}.items())))


def _fit(
    streams: Mapping[int, list[Stream]],
    config: Config,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> tuple[dict[int, dict[str, Array]], dict[str, str]]:
    """Fit each shard in one of `workers` processes, the largest first."""
    queue: SimpleQueue[Progress | None] = SimpleQueue()
    waiting: SimpleQueue[int] = SimpleQueue()
    for shard in sorted(streams, key=lambda s: (-sum(map(len, streams[s])), s)):
        waiting.put(shard)
    machine: dict[str, str] = {}
    fitted: dict[int, dict[str, Array]] = {}

    def work() -> None:
        try:
            with _Worker() as worker:
                machine.update(worker.machine)
                while (shard := _next(waiting)) is not None:
                    weights = worker.fit(streams[shard], config, shard, queue, len(streams))
                    fitted[shard] = {**weights, **_tables(streams[shard])}
        finally:
            queue.put(None)

    count = min(workers or len(os.sched_getaffinity(0)), len(streams))
    with ThreadPoolExecutor(max(count, 1)) as pool:
        running = [pool.submit(work) for _ in range(count)]
        ended = 0
        while ended < count:
            report = queue.get()
            if report is None:
                ended += 1
            elif progress:
                progress(report)
        for future in running:
            future.result()
    return fitted, machine


def _next(waiting: SimpleQueue[int]) -> int | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def _tables(streams: list[Stream]) -> dict[str, Array]:
    return {
        f"tables.{name}.{part}": array
        for name, table in baselines.tables(streams, len(VOCABULARY)).items()
        for part, array in baselines.sparse(table).items()
    }


class _Worker:
    """A process that fits shards, spoken to over its standard input and output."""

    def __enter__(self) -> _Worker:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "overt.models.shard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
        )
        assert self.process.stdin
        assert self.process.stdout
        self.jobs, self.answers = self.process.stdin, read_frames(self.process.stdout)
        self.machine: dict[str, str] = json.loads(self._answer()[1:])
        return self

    def __exit__(self, *_error: object) -> None:
        self.jobs.close()
        if self.process.stdout:
            self.process.stdout.close()
        self.process.wait()

    def _answer(self) -> bytes:
        try:
            return next(self.answers)
        except StopIteration:
            raise Missing(
                "the training process ended before its time",
                where="models",
                do="See its message above; is the extra `models` (torch) installed?",
            ) from None

    def fit(
        self,
        streams: list[Stream],
        config: Config,
        shard: int,
        queue: SimpleQueue[Progress | None],
        shards: int,
    ) -> dict[str, Array]:
        write_frame(self.jobs, job(streams, config, len(VOCABULARY), shard))
        while (answer := self._answer())[:1] == b"P":
            number, done, steps = json.loads(answer[1:])
            queue.put(Progress(number, done, steps, shards))
        return decode(answer[1:])
