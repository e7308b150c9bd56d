"""`overt evaluate shared-encoder`: one encoder for several tasks, LightGBM beside it, and a probe.

The encoder is fitted to people of every source; small heads are fitted to its frozen states, to the
people who taught it. Who is judged taught neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from overt.models.neural import device
from overt.models.pretrained import fitted, probe, tasks
from overt.models.pretrained.erased import erasure
from overt.models.pretrained.network import Shared
from overt.models.pretrained.sources import Person, judged, read
from overt.models.pretrained.tasks import BOOSTED, Encode, Tried
from overt.models.scores import Progress, Score, Scores
from overt.models.tensors import Array

ADVERSARY = 1.0


@dataclass(frozen=True)
class Variant:
    """One way to fit the encoder."""

    name: str
    body: str
    view: str = "plain"
    adversary: float = 0.0
    erased: bool = False
    """The source is taken out of the states once they are fitted."""


VARIANTS = (
    Variant("convolutions", "tcn"),
    Variant("convolutions, source taken out", "tcn", erased=True),
    Variant("recurrent", "gru"),
    Variant("attention", "attention"),
    Variant("convolutions, device-blind", "tcn", "blind"),
    Variant("convolutions, adversary", "tcn", adversary=ADVERSARY),
    Variant("convolutions, device-blind and adversary", "tcn", "blind", ADVERSARY),
)
NOT_FITTED = "numbers alone, no encoder"
LOWER_IS_BETTER = ("nll", "crps", "mae", "px")

NOTES = (
    (
        "Encoders learn the next event, its pause and way, and spans of four hidden events, from "
        "all sources at once. Heads are small and learn from frozen states: a mixture of "
        "log-normals a pause, a logistic regression a verdict, one layer an end."
    ),
    (
        "device-blind: pointer movement on one clock of 25 ms, times and ways over each person's "
        "own middle and spread. adversary: the gradient of telling the source, turned around. "
        "source taken out: of fitted states, the directions in which sources' means differ. What "
        "a remedy costs is in its rows of the tasks. Where a pointer goes is not asked of the "
        "device-blind ones: a person's spread is not known while one movement is under way."
    ),
    (
        "source told: a linear probe on states of 64 events of people who taught neither; sources "
        "count alike. That it stays above chance means: the source can be told."
    ),
    "Intervals are over people (or blocks), programs as well; means over seeds, bounds too.",
)


def evaluate(path: Path, progress: Progress, *, neural_seeds: int = 1) -> Scores:
    """Return all figures; takes ten minutes or more a seed on two cores."""
    people = read(path, lambda what, share: progress(what, 0.1 * share))
    learned = [one for one in people if not judged(one.unit)]
    tried = tasks.all_of(people, path, lambda what, share: progress(what, 0.1 + 0.2 * share))
    rows = [row for task in tried for row in task.rows]
    for view in ("plain", "blind"):
        name = NOT_FITTED + (", device-blind" if view == "blind" else "")
        rows += probe.told(name, people, view, probe.inputs)
    of_seeds: list[list[Score]] = []
    for seed in range(max(neural_seeds, 1)):
        of_seeds.append([])
        known: dict[tuple[str, str, float], Shared] = {}
        for number, variant in enumerate(VARIANTS):
            begun = (seed + number / len(VARIANTS)) / max(neural_seeds, 1)

            def tell(share: float, begun: float = begun, name: str = variant.name) -> None:
                span = 1 / len(VARIANTS) / max(neural_seeds, 1)
                progress(f"fitting: {name}", 0.3 + 0.7 * (begun + span * share))

            of_seeds[-1] += of_variant(variant, seed, learned, people, tried, tell, known)
    rows += _means(of_seeds)
    return Scores(
        task="shared-encoder",
        protocol=(
            f"Learned from {len(learned)} people of {len({one.source for one in learned})} "
            f"sources, judged on {len(people) - len(learned)} others, parted by a hash."
        ),
        counts={
            f"{what}, {source}": count
            for source in dict.fromkeys(one.source for one in people)
            for what, count in _counts([one for one in people if one.source == source]).items()
        },
        rows=tuple(rows),
        notes=(*NOTES, _ships(rows), f"The networks were fitted on: {device.machine()}."),
    )


def of_variant(
    variant: Variant,
    seed: int,
    learned: Sequence[Person],
    people: Sequence[Person],
    tried: Sequence[Tried],
    progress: Callable[[float], None],
    known: dict[tuple[str, str, float], Shared],
) -> list[Score]:
    """Return the figures of one encoder, fitted with one seed; `known` keeps it for others."""
    key = variant.body, variant.view, variant.adversary
    if key not in known:
        known[key] = fitted.fitted(
            learned,
            variant.body,
            variant.view,
            seed,
            adversary=variant.adversary,
            progress=lambda share: progress(0.8 * share),
        )
    model = known[key]
    encode: Encode = partial(fitted.encoded, model)
    if variant.erased:
        encode = _without_source(encode, learned, variant.view)
    rows = probe.told(variant.name, people, variant.view, encode)
    for task in tried:
        rows += task.of(variant.name, model, encode, variant.view, seed)
    progress(1.0)
    return rows


def _without_source(encode: Encode, learned: Sequence[Person], view: str) -> Encode:
    """Return what encodes, and takes out the source as people learned from show it.

    Worked out on the same windows as the probe's: read on across stretches, as in fitting. States
    at the beginning of a stretch with nothing before it have other means.
    """
    by_source: dict[str, list[Array]] = {}
    for one in learned:
        by_source.setdefault(one.source, []).extend(encode(probe.windows(one, view)))
    take_out = erasure([np.concatenate(states) for states in by_source.values() if states])
    return lambda stretches: [take_out(states) for states in encode(stretches)]


def _counts(people: Sequence[Person]) -> dict[str, int]:
    return {
        "people learned from": sum(not judged(one.unit) for one in people),
        "people judged": sum(judged(one.unit) for one in people),
        "events": sum(one.events for one in people),
    }


def _means(of_seeds: Sequence[Sequence[Score]]) -> list[Score]:
    """Return each figure as a mean over seeds, its bounds too; and how far seeds lie apart."""
    made = []
    for several in zip(*of_seeds, strict=True):
        first = several[0]
        columns = np.array([(one.value, one.low, one.high) for one in several])
        made.append(Score(first.name, first.metric, *columns.mean(axis=0).tolist()))
    return made


def _ships(rows: Sequence[Score]) -> str:
    """Return in a sentence where an encoder alone beats LightGBM by more than its interval."""
    beside = {row.metric: row.value for row in rows if row.name == BOOSTED}
    names = {variant.name for variant in VARIANTS}
    better = []
    for row in rows:
        if row.name in names and row.metric in beside:
            lower = any(word in row.metric for word in LOWER_IS_BETTER)
            other = beside[row.metric]
            if (row.high < other) if lower else (row.low > other):
                better.append(f"{row.name} ({row.metric})")
    if not better:
        return "No head is better than LightGBM by more than its interval: none ships."
    return f"Better than LightGBM by more than their interval: {'; '.join(better)}."
