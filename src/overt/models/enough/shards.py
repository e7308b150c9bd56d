"""What exact unlearning costs: one, four and sixteen shards beside one model, and beside shortcuts.

More shards make a departure cheaper, since only the leaver's is trained again, and a model weaker,
since each learns from fewer. Shortcuts are not exact: what the leaver taught stays in the weights,
or nobody can show that it does not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overt.datasets.split import shard_of
from overt.datasets.tokens import VOCABULARY, Sequences
from overt.models.config import Config
from overt.models.metrics import Figure, figures_of, sums
from overt.models.predict import predict
from overt.models.scores import Progress
from overt.models.shadows import need_gpu
from overt.models.spread import spread
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array
from overt.schema.errors import TooFew

COUNTS = (1, 4, 16)
PEOPLE_MIN, UNSEEN_MIN = 32, 5
"""Two people a shard, about, at sixteen; and enough to judge for an interval."""
TUNED_RATE = 0.1
"""Share of the learning rate at which old weights are tuned on those who stay."""
THREADS = 2
SHORTCUTS = ("old weights", "one model on")
"""How the names of shortcuts begin."""
SHOWN = ("top1", "nll", "pause_nll", "pause_crps_ms")
NOTES = (
    (
        "Cost: processor seconds until the model is as if one person had never been in it, mean "
        "over who leaves; below it the lowest and the highest over shards and seeds."
    ),
    (
        "Accuracy: on people nobody learned from, next event and pause given it; intervals, and "
        "those of differences to one model, over people, the same people drawn for both."
    ),
    (
        "Exact: equal, bit for bit, to training without the person. Shortcuts are not: tuning old "
        "weights keeps what the person taught; other threads and a GPU give other bits each time."
    ),
)


@dataclass(frozen=True)
class Way:
    """One way to bring a model in line after a departure."""

    name: str
    exact: bool
    cost_s: Figure
    """Processor seconds after one departure; `low` and `high` are the extremes."""
    wall_s: float
    """Seconds by the clock, for the shard (or model) alone on the cores it used."""
    figures: dict[str, Figure]
    against: dict[str, Figure]
    """Less those of one model, on the same people."""


@dataclass(frozen=True)
class Priced:
    """All ways, on the same people."""

    people: int
    unseen: int
    seeds: int
    machine: str
    ways: tuple[Way, ...]
    notes: tuple[str, ...] = NOTES

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        ways = [
            {
                "name": way.name,
                "exact": way.exact,
                "wall_s": round(way.wall_s, 2),
                "cost_s": _plain(way.cost_s),
                **{name: _plain(way.figures[name]) for name in SHOWN},
                **{f"{name}_difference": _plain(way.against[name]) for name in SHOWN},
            }
            for way in self.ways
        ]
        return {**vars(self), "ways": ways, "notes": list(self.notes)}


def _plain(figure: Figure) -> dict[str, float | None]:
    return {
        name: round(value, 6) if np.isfinite(value) else None
        for name, value in vars(figure).items()
    }


def price(
    learned: Sequence[Sequences],
    unseen: Sequence[Sequences],
    progress: Progress,
    *,
    counts: Sequence[int] = COUNTS,
    seeds: int = 1,
    config: Config | None = None,
    workers: int | None = None,
    gpu: bool = False,
) -> Priced:
    """Return what each way costs and how good its model is. Raises `TooFew` with the numbers."""
    if len(learned) < PEOPLE_MIN or len(unseen) < UNSEEN_MIN:
        raise TooFew(
            f"the price of leaving needs {PEOPLE_MIN} people to learn from and {UNSEEN_MIN} to "
            f"judge; there are {len(learned)} and {len(unseen)}",
            do="Name more people.",
        )
    if gpu:
        need_gpu()
    config = config or Config()
    asked = [stream_of(person.sessions) for person in unseen]
    taught = [stream_of(person.sessions) for person in learned]
    jobs, plan = [], []
    for count in counts:
        shards = [shard_of(person.tag, count) for person in learned]
        for seed in range(1, seeds + 1):
            for shard in sorted(set(shards)):
                own = [one for one, at in zip(taught, shards, strict=True) if at == shard]
                jobs.append((own, replace(config, seed=seed), shard))
                plan.append((count, seed, len(own)))
    # The largest first, so that none is left alone at the end.
    order = sorted(range(len(jobs)), key=lambda i: -plan[i][2])
    done = spread(
        _timed,
        [jobs[i] for i in order],
        workers,
        lambda share: progress("training every shard", 0.7 * share),
    )
    made = dict(zip(order, done, strict=True))
    judged, costs = {}, {}
    for count in counts:
        progress(f"judging {count} shards", 0.7)
        mine = [i for i in made if plan[i][0] == count]
        costs[count] = [(plan[i][2], *made[i][1:]) for i in mine]
        of_seed = [[made[i][0] for i in mine if plan[i][1] == seed] for seed in range(1, seeds + 1)]
        judged[count] = _judged(of_seed, config, asked)
    ways = [
        _way(f"{n} shards" if n > 1 else "one model", costs[n], judged[n], judged[counts[0]])
        for n in counts
    ]
    whole = next(made[i][0] for i in made if plan[i][0] == counts[0])
    for name, begin, device, threads in _shortcuts(whole, gpu=gpu):
        progress(name, 0.85)
        weights, spent = _shortcut(taught, config, begin, device, threads)
        table = _judged([[weights]], config, asked)
        ways.append(_way(name, [spent], table, judged[counts[0]]))
    return Priced(len(learned), len(unseen), seeds, _machine(gpu=gpu), tuple(ways))


def _timed(
    streams: list[Stream], config: Config, shard: int
) -> tuple[dict[str, Array], float, float]:
    """Return a shard's weights, and processor and clock seconds of fitting it."""
    import torch  # noqa: F401 - loading it is no part of the price

    from overt.models.shard import fit

    wall, processor = time.perf_counter(), time.process_time()
    weights = fit(streams, config, len(VOCABULARY), shard)
    return weights, time.process_time() - processor, time.perf_counter() - wall


def _shortcuts(whole: dict[str, Array], *, gpu: bool) -> list[tuple[str, Any, str, int]]:
    made: list[tuple[str, Any, str, int]] = [
        ("old weights, tuned for one pass", whole, "cpu", 1),
        (f"one model on {THREADS} threads", None, "cpu", THREADS),
    ]
    return [*made, ("one model on a GPU", None, "cuda", 1)] if gpu else made


def _shortcut(
    streams: list[Stream], config: Config, begin: Any, device: str, threads: int
) -> tuple[dict[str, Array], tuple[int, float, float]]:
    """Return weights after the first person has left, by a shortcut, and people and seconds."""
    import torch

    from overt.models import many

    config = replace(config, device=device)
    if begin is not None:
        rate = config.learning_rate * TUNED_RATE
        config = replace(config, epochs=1, steps_min=1, epochs_max=1, learning_rate=rate)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        wall, processor = time.perf_counter(), time.process_time()
        chunks = many.Chunks(streams[1:], config.chunk, device)
        old = None if begin is None else many.Many([begin], config)
        everyone = np.arange(len(streams) - 1)
        weights = many.fit(chunks, [everyone], [0], config, begin=old).members()[0]
        spent = (len(streams), time.process_time() - processor, time.perf_counter() - wall)
    finally:
        torch.set_num_threads(before)
    return weights, spent


def _judged(
    models: Sequence[Sequence[dict[str, Array]]], config: Config, asked: list[Stream]
) -> dict[str, Array]:
    """Return the sums of each person asked, over models of several seeds."""
    total: dict[str, Array] = {}
    for members in models:
        for name, column in sums(predict(members, config, asked)).items():
            total[name] = total.get(name, 0) + column
    return total


def _way(
    name: str,
    costs: Sequence[tuple[int, float, float]],
    table: dict[str, Array],
    one: dict[str, Array],
) -> Way:
    people, processor, wall = (np.array(column, np.float64) for column in zip(*costs, strict=True))
    mean = float((people * processor).sum() / people.sum())
    cost = Figure(mean, float(processor.min()), float(processor.max()))
    clock = float((people * wall).sum() / people.sum())
    return Way(
        name,
        not name.startswith(SHORTCUTS),
        cost,
        clock,
        figures_of(table),
        figures_of(table, less=one),
    )


def _machine(*, gpu: bool) -> str:
    from overt.models.shard import machine

    facts = machine()
    made = f"{facts['processor']}, torch {facts['torch']}, {facts['capability']}"
    if gpu:
        import torch

        made += f", {torch.cuda.get_device_name()}"
    return made
