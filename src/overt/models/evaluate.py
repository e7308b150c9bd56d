"""How good a model is on people it has not seen, beside every baseline.

If the split `test` has enough persons, they are judged by the whole model. Otherwise each person
who was trained on is judged by the shards that have not seen them (`leave-shard-out`), which needs
no other training; with fewer than five persons all figures are flagged as too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from overt.datasets.tokens import VOCABULARY, Sequences
from overt.models.baselines import baselines
from overt.models.metrics import PERSONS_MIN, Figure, figures
from overt.models.predict import BASELINES, Predicted, predict, predict_baselines
from overt.models.stream import stream_of
from overt.models.train import Trained

MODEL = "encoder"


@dataclass(frozen=True)
class Evaluation:
    """Figures of the model and its baselines, on the same people and events."""

    protocol: str
    """`test` (people of another split), `leave-shard-out`, or `none`."""
    persons: int
    events: int
    too_few: bool
    """Fewer persons than an interval over persons needs."""
    rows: dict[str, dict[str, Figure]]
    """Figures by name, for `encoder` and each of `predict.BASELINES`."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; a figure is {value, low, high}, null where there is none."""
        data = asdict(self)
        for row in data["rows"].values():
            for figure in row.values():
                for key, value in figure.items():
                    figure[key] = None if value != value else round(value, 6)
        return data


def evaluate(trained: Trained, people: Iterable[Sequences], split: str = "test") -> Evaluation:
    """Return the figures on people the model has not seen: those of `split`, or by shards.

    Never raises for want of people: the result says `too_few`.
    """
    ordered = sorted((p for p in people if p.tokens), key=lambda p: p.tag)
    unseen = [p for p in ordered if p.split == split]
    everyone = tuple(trained.shards)
    if trained.shards and len(unseen) >= PERSONS_MIN:
        return _judge(trained, [(p, everyone) for p in unseen], split)
    by_shard = [(p, everyone) for p in unseen]
    by_shard += [
        (p, tuple(s for s in everyone if s != p.shard)) for p in ordered if p.split == "train"
    ]
    by_shard = [(p, shards) for p, shards in by_shard if shards]
    return _judge(trained, by_shard, "leave-shard-out" if by_shard else "none")


def _judge(
    trained: Trained, judged: list[tuple[Sequences, tuple[int, ...]]], protocol: str
) -> Evaluation:
    with _one_thread():
        rows = _predicted(trained, judged)
        return Evaluation(
            protocol,
            len(judged),
            sum(len(p.token) for p in rows[MODEL]),
            len(judged) < PERSONS_MIN,
            {name: figures(predicted) for name, predicted in rows.items()},
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: threads that wait for each other on a busy machine take minutes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _predicted(
    trained: Trained, judged: list[tuple[Sequences, tuple[int, ...]]]
) -> dict[str, list[Predicted]]:
    rows: dict[str, list[Predicted]] = {name: [] for name in (MODEL, *BASELINES)}
    for shards in sorted({shards for _person, shards in judged}):
        streams = [stream_of(p.sessions) for p, by in judged if by == shards]
        rows[MODEL] += predict([trained.shards[s] for s in shards], trained.config, streams)
        tables = baselines((trained.tables(s) for s in shards), len(VOCABULARY))
        for stream in streams:
            for name, predicted in predict_baselines(tables, stream).items():
                rows[name].append(predicted)
    return rows
