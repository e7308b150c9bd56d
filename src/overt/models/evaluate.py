"""How good a model is on people it has not seen, beside every baseline.

If the split `test` has enough persons, they are judged by the whole model. Otherwise each person
who was trained on is judged by the shards that have not seen them (`leave-shard-out`), which needs
no other training; with fewer than five persons all figures are flagged as too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from overt.datasets.tokens import VOCABULARY, Sequences
from overt.models import boosted
from overt.models.baselines import baselines
from overt.models.metrics import PERSONS_MIN, Figure, figures
from overt.models.predict import BASELINES, Predicted, predict, predict_baselines
from overt.models.repeatable import one_thread
from overt.models.stream import stream_of
from overt.models.train import Trained
from overt.schema.manifest import bucket

MODEL = "encoder"


GROUP_MIN = 10
"""No figure by group is of fewer people; a division with a smaller part is left out."""


@dataclass(frozen=True)
class Group:
    """A part of the people who are judged."""

    people: int
    figures: dict[str, Figure]


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
    """Figures by name, for `encoder`, `LightGBM` where it could be fitted, and each of
    `predict.BASELINES`."""
    remarks: tuple[str, ...] = ()
    """What a reader should know of the rows, such as why one is not there."""
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    """Figures of the encoder for parts of the people, by what divides them and the part."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; a figure is {value, low, high}, null where there is none."""
        data = {**asdict(self), "remarks": list(self.remarks)}
        parts = [group for groups in data["groups"].values() for group in groups.values()]
        for group in parts:
            group["people"] = bucket(group["people"])
        for row in [*data["rows"].values(), *(group["figures"] for group in parts)]:
            for figure in row.values():
                for key, value in figure.items():
                    figure[key] = None if value != value else round(value, 6)
        return data


def evaluate(
    trained: Trained,
    people: Iterable[Sequences],
    split: str = "test",
    taught: Iterable[Sequences] | None = None,
) -> Evaluation:
    """Return the figures on people the model has not seen: those of `split`, or by shards.

    LightGBM is fitted here, to those of `taught` (default: `people`) who taught the shards that
    judge, and forgotten again. Never raises for want of people: the result says `too_few`.
    """
    ordered = sorted((p for p in people if p.tokens), key=lambda p: p.tag)
    learned = sorted(
        (p for p in (ordered if taught is None else taught) if p.tokens and p.split == "train"),
        key=lambda p: p.tag,
    )
    unseen = [p for p in ordered if p.split == split]
    everyone = tuple(trained.shards)
    if trained.shards and len(unseen) >= PERSONS_MIN:
        return _judge(trained, [(p, everyone) for p in unseen], split, learned)
    by_shard = [(p, everyone) for p in unseen]
    by_shard += [
        (p, tuple(s for s in everyone if s != p.shard)) for p in ordered if p.split == "train"
    ]
    by_shard = [(p, shards) for p, shards in by_shard if shards]
    return _judge(trained, by_shard, "leave-shard-out" if by_shard else "none", learned)


def _judge(
    trained: Trained,
    judged: list[tuple[Sequences, tuple[int, ...]]],
    protocol: str,
    learned: list[Sequences],
) -> Evaluation:
    few = len(judged) < PERSONS_MIN
    with one_thread():
        rows = _predicted(trained, judged)
        trees, remark = ([], "") if few else _boosted(judged, learned)
        if trees:
            rows = {MODEL: rows.pop(MODEL), boosted.NAME: trees, **rows}
        return Evaluation(
            protocol,
            len(judged),
            sum(len(p.token) for p in rows[MODEL]),
            few,
            {name: figures(predicted) for name, predicted in rows.items()},
            (remark,) if remark else (),
            groups_of([person.origin for person in _in_order(judged)], rows[MODEL]),
        )


def groups_of(origins: Sequence[str], predicted: Sequence[Predicted]) -> dict[str, Any]:
    """Return the figures of parts of the people: by pace, in thirds, and by origin.

    A division is left out where a part has fewer than `GROUP_MIN`, or where there is one part only.
    """
    pace = np.array([_pace(one) for one in predicted])
    place = np.searchsorted(np.nanquantile(pace, (1 / 3, 2 / 3)), pace) if pace.size else pace
    divided = {
        "pace": [PACES[int(at)] for at in place],
        "origin": list(origins),
    }
    made: dict[str, dict[str, Group]] = {}
    for division, names in divided.items():
        parts = {
            name: [one for one, of in zip(predicted, names, strict=True) if of == name]
            for name in sorted(set(names), key=[*PACES, *sorted(set(origins))].index)
        }
        if len(parts) > 1 and min(map(len, parts.values())) >= GROUP_MIN:
            made[division] = {name: Group(len(part), figures(part)) for name, part in parts.items()}
    return made


PACES = ("quick", "middling", "slow")
"""Thirds of the people judged, by the median of their pauses."""


def _pace(predicted: Predicted) -> float:
    known = predicted.log_pause[~np.isnan(predicted.log_pause)]
    return float(np.median(known)) if known.size else np.inf


def _in_order(judged: list[tuple[Sequences, tuple[int, ...]]]) -> list[Sequences]:
    """Return people in the order of `_predicted`: by the shards that judge them."""
    order = sorted({shards for _person, shards in judged})
    return [person for shards in order for person, by in judged if by == shards]


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


def _boosted(
    judged: list[tuple[Sequences, tuple[int, ...]]], learned: list[Sequences]
) -> tuple[list[Predicted], str]:
    """Return LightGBM's predictions for the same people, or none and the reason."""
    if not boosted.installed():
        return [], "LightGBM is not installed: its row is left out."
    made: list[Predicted] = []
    for shards in sorted({shards for _person, shards in judged}):
        trees = boosted.fit([stream_of(p.sessions) for p in learned if p.shard in shards])
        if trees is None:
            return [], "LightGBM is left out: too few events to grow trees from."
        made += [trees.predict(stream_of(p.sessions)) for p, by in judged if by == shards]
    return made, ""
