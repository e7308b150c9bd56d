"""The tasks that the shared encoder's states are tried on, each with LightGBM beside them.

What does not hang on the encoder (who is learned from, what LightGBM says) is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overt.models import boosted
from overt.models.intent import endings, options
from overt.models.intent.looks import Look, asked, learned
from overt.models.intent.movements import Movement
from overt.models.intent.movements import read as read_movements
from overt.models.intent.profiles import some
from overt.models.metrics import Figure, figures, mixture_nll
from overt.models.predict import Predicted
from overt.models.predict import pooled as half_each
from overt.models.pretrained import heads
from overt.models.pretrained.frames import Frames, of_motion, seen
from overt.models.pretrained.network import Shared
from overt.models.pretrained.sources import BLOCK, TYPING, Person, judged
from overt.models.programs.classifiers import Trees, weights_of
from overt.models.programs.rates import rated
from overt.models.programs.rounds import name_of
from overt.models.programs.sources import recordings
from overt.models.programs.trace import Trace
from overt.models.programs.windows import SECONDS, Windows, windows_of
from overt.models.scores import Progress, Score, mean_over, median_over, shares
from overt.models.stream import Stream
from overt.models.tensors import Array
from overt.schema.errors import OvertError

BOOSTED = boosted.NAME
BOTH = "and LightGBM, half each"
WINDOWS_MAX = 3_000
MOVEMENTS_MAX = 900
"""Of one source: spread evenly."""
PEOPLE_MIN = 5

Encode = Callable[[Sequence[tuple[Array, Array]]], list[Array]]
Task = Callable[[str, Shared, Encode, str, int], list[Score]]
"""A variant's name, the encoder, what encodes, the view and the seed → its figures."""


@dataclass(frozen=True)
class Tried:
    """A task: LightGBM's figures, and what gives those of an encoder."""

    rows: list[Score]
    of: Task = field(repr=False)


def all_of(people: Sequence[Person], path: Path, progress: Progress) -> list[Tried]:
    """Return every task that `path` has enough people for."""
    made: list[Tried | None] = []
    progress("LightGBM on pauses", 0.0)
    made.append(_pause(people))
    progress("LightGBM on persons and programs", 0.4)
    made.append(_programs(path, progress))
    progress("LightGBM on where a pointer goes", 0.7)
    made += _intents(path, progress)
    return [one for one in made if one is not None]


def stream_of(stretches: Sequence[Frames]) -> Stream:
    """Return a person's typing as the models of pauses see it."""
    names = ("token", "pause_us", "hold_us", "rollover")
    return Stream(*(np.concatenate([getattr(one, name) for one in stretches]) for name in names))


def _pause(people: Sequence[Person]) -> Tried | None:
    main = next((one.source for one in people if one.kind == TYPING), "")
    mine = [one for one in people if one.source == main]
    sides = [[one for one in mine if judged(one.unit) is side] for side in (False, True)]
    if len(sides[1]) < PEOPLE_MIN:
        return None
    streams = [[stream_of(one.stretches) for one in side] for side in sides]
    trees = boosted.fit(streams[0])
    if trees is None:
        return None
    beside = [trees.predict(stream) for stream in streams[1]]

    def of(name: str, encoder: Shared, encode: Encode, view: str, seed: int) -> list[Score]:
        known, other = (
            [
                heads.Person(stream, np.concatenate(encode(seen(one.stretches, view))))
                for one, stream in zip(side, own, strict=True)
            ]
            for side, own in zip(sides, streams, strict=True)
        )
        told = heads.pauses(encoder, known, other, seed)
        together = [half_each(one, two) for one, two in zip(told, beside, strict=True)]
        rows = [*_pause_rows(name, told, main), *_pause_rows(f"{name} {BOTH}", together, main)]
        for label, made in ((name, told), (f"{name} {BOTH}", together)):
            gain = _nll(beside)[0] - _nll(made)[0]
            rows.append(
                shares(f"{label}: gain over LightGBM", f"pause nll, {main}", gain, _nll(made)[1])
            )
        return rows

    return Tried(_pause_rows(BOOSTED, beside, main), of)


_PAUSE = {
    "pause_nll": "nll",
    "pause_crps_ms": "crps_ms",
    "pause_mae_ms": "mae_ms",
    "pause_r2": "r2",
}


def _pause_rows(name: str, told: Sequence[Predicted], source: str) -> list[Score]:
    found: dict[str, Figure] = figures(told)
    rows = [(f"pause {metric}, {source}", found[key]) for key, metric in _PAUSE.items()]
    rows += [(f"next event {key}, {source}", found[key]) for key in ("top1", "nll")]
    return [Score(name, metric, of.value, of.low, of.high) for metric, of in rows]


def _nll(told: Sequence[Predicted]) -> tuple[Array, Array]:
    """Return float64[people] twice: sum of −ln density of pauses, and how many there are."""
    sums, counts = [], []
    for one in told:
        timed = ~np.isnan(one.log_pause)
        mixture = (one.weight[timed], one.mean[timed], one.sigma[timed])
        sums.append(mixture_nll(*mixture, one.log_pause[timed]).sum())
        counts.append(timed.sum())
    return np.array(sums, np.float64), np.array(counts, np.float64)


def _programs(path: Path, progress: Progress) -> Tried | None:
    try:
        fine = [one for one in recordings(path, progress) if not one.coarse]
    except OvertError:
        return None
    side = {name_of(one): judged(name_of(one)) for one in fine}
    traces: list[Trace] = []
    whole = windows_of(fine, lambda one: int(side[name_of(one)]), progress, traces.append)
    short = np.flatnonzero(whole.seconds == SECONDS[0])
    short = short[some(len(short), WINDOWS_MAX)]
    mask = np.zeros(len(whole.seconds), np.bool_)
    mask[short] = True
    windows = whole.where(mask)
    pieces = [traces[at] for at in np.flatnonzero(mask).tolist()]
    asked_of = np.array([side[person] for person in windows.person.tolist()], np.bool_)
    kinds = sorted(set(windows.kind[windows.program].tolist()))
    people = ~windows.program
    if len(kinds) < 2 or not (people & asked_of).any() or not (people & ~asked_of).any():
        return None
    rounds = [("known programs", "")] + [("programs left out of learning", kind) for kind in kinds]
    motions = [of_motion(one.t_ms, one.x_px, one.y_px) for one in pieces]

    def rated_by(name: str, odds: dict[str, Array]) -> list[Score]:
        rows = []
        for what in dict.fromkeys(title for title, _ in rounds):
            score, at = [], []
            for title, kind in rounds:
                if title == what:
                    _, ask = _round(windows, asked_of, kind)
                    score.append(odds[kind])
                    at.append(ask)
            kept = np.concatenate(at)
            rows += rated(
                name,
                f"{SECONDS[0]:.0f} s, {what}",
                np.concatenate(score),
                windows.program[kept],
                windows.unit[kept],
            )
        return rows

    beside = {}
    for _, kind in rounds:
        learn, ask = _round(windows, asked_of, kind)
        beside[kind] = Trees().fit(windows.where(learn)).score(windows.x[ask])

    def of(name: str, _encoder: Shared, encode: Encode, view: str, _seed: int) -> list[Score]:
        states = encode([seen([one], view)[0] for one in motions])
        x = heads.pooled(states)
        alone, both = {}, {}
        for _, kind in rounds:
            learn, ask = _round(windows, asked_of, kind)
            kept = windows.where(learn)
            odds = heads.logistic(x[learn], windows.program[learn], weights_of(kept))(x[ask])
            alone[kind], both[kind] = odds, (odds + beside[kind]) / 2
        return [*rated_by(name, alone), *rated_by(f"{name} {BOTH}", both)]

    return Tried(rated_by(BOOSTED, beside), of)


def _round(windows: Windows, asked_of: Array, kind: str) -> tuple[Array, Array]:
    """Return where is learned from and where is asked, with a kind of program left out of both."""
    learn = np.flatnonzero(~asked_of & (windows.kind != kind))
    ask = asked_of & (~windows.program | (windows.kind == kind) | (kind == ""))
    return learn, np.flatnonzero(ask)


def _intents(path: Path, progress: Progress) -> list[Tried | None]:
    try:
        everyone = read_movements(path, progress)
    except OvertError:
        return []
    made: list[Tried | None] = []
    for source in dict.fromkeys(one.source for one in everyone):
        mine = [one for one in everyone if one.source == source]
        side = np.array([judged(_unit(one)) for one in mine])
        step = max(1, len(mine) // MOVEMENTS_MAX)
        mine, side = mine[::step], side[::step]
        units = {one.unit for one, of in zip(mine, side.tolist(), strict=True) if of}
        if len(units) < 2 or side.all():
            continue
        make = _which if mine[0].right is not None else _where
        made.append(make(mine, side, source))
    return made


def _unit(one: Movement) -> str:
    """Return who it is, as `pretrained.sources` names people."""
    if one.source == "cursory":
        return f"cursory/{int(one.person) * BLOCK}"
    return f"{one.source}/{one.person.rsplit('/', 1)[-1]}"


def _at(states: Sequence[Array], looks: Sequence[Look]) -> Array:
    """Return float64[looks, WIDTH]: the state after the last sample that was seen."""
    return np.array([states[one.number][one.seen] for one in looks], np.float64)


def _looks(movements: Sequence[Movement], side: Array) -> tuple[list[Look], Array, list[Look]]:
    """Return looks that are judged with when each is, and those that are learned from."""
    found = {name: own for name, own in asked(movements).items() if name.endswith("path")}
    every = [(name, one) for name, own in found.items() for one in own if side[one.number]]
    taught = [one for one in learned(movements) if not side[one.number]]
    return [one for _, one in every], np.array([name for name, _ in every]), taught


def _where(movements: list[Movement], side: Array, source: str) -> Tried:
    owner = np.unique([one.unit for one in movements], return_inverse=True)[1]
    ask_looks, when, taught = _looks(movements, side)
    ask, learn = (endings.looked(movements, looks, owner) for looks in (ask_looks, taught))
    model = endings.fit(movements, owner, np.flatnonzero(~side), learn)
    found = model.predict(movements, ask)
    way = learn.end - learn.here
    across = np.stack([-learn.along[:, 1], learn.along[:, 0]], axis=1)
    left = np.stack([(way * learn.along).sum(1), (way * across).sum(1)], axis=1)
    motions = [of_motion(one.t_ms, one.x_px, one.y_px) for one in movements]

    def rows_of(name: str, end: Array) -> list[Score]:
        off = np.hypot(*(end - ask.end).T)
        return [
            median_over(
                name, f"px from the end, {at}, {source}", off[when == at], ask.owner[when == at]
            )
            for at in dict.fromkeys(when.tolist())
        ]

    def of(name: str, _encoder: Shared, encode: Encode, view: str, seed: int) -> list[Score]:
        if view != "plain":
            return []
        states = encode([seen([one], view)[0] for one in motions])
        x, y = (
            np.column_stack([_at(states, one.looks), one.along, np.log1p(one.way_px), _now(one)])
            for one in (learn, ask)
        )
        told = heads.ends(x, left, y, seed)
        aside = np.stack([-ask.along[:, 1], ask.along[:, 0]], axis=1)
        end = ask.here + ask.along * told[:, :1] + aside * told[:, 1:]
        both = (end + found[endings.BOOSTED]) / 2
        return [*rows_of(name, end), *rows_of(f"{name} {BOTH}", both)]

    line = "straight line, present speed"
    return Tried([*rows_of(line, found[line]), *rows_of(BOOSTED, found[endings.BOOSTED])], of)


def _now(seen_: endings.Looked) -> Array:
    return np.log1p([one.now_ms for one in seen_.looks])


def _which(movements: list[Movement], side: Array, source: str) -> Tried:
    owner = np.unique([one.unit for one in movements], return_inverse=True)[1]
    ask_looks, when, taught = _looks(movements, side)
    place = options.options_of([one for one, of in zip(movements, side, strict=True) if not of])
    ask, learn = (options.glimpses(movements, looks, place) for looks in (ask_looks, taught))
    found = options.predicted(movements, owner, np.flatnonzero(~side), learn, ask)
    motions = [of_motion(one.t_ms, one.x_px, one.y_px) for one in movements]

    def rows_of(name: str, p: Array) -> list[Score]:
        hits = (p > 0.5) == ask.right
        return [
            mean_over(
                name,
                f"option told, {at}, {source}",
                hits[when == at],
                owner[ask.number[when == at]],
            )
            for at in dict.fromkeys(when.tolist())
        ]

    def of(name: str, _encoder: Shared, encode: Encode, view: str, _seed: int) -> list[Score]:
        if view != "plain":
            return []
        states = encode([seen([one], view)[0] for one in motions])
        x = _at(states, taught)
        odds = heads.logistic(x, learn.right)(_at(states, ask_looks))
        p = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        both = (p + found[endings.BOOSTED]) / 2
        return [*rows_of(name, p), *rows_of(f"{name} {BOTH}", both)]

    near = "nearest option"
    return Tried([*rows_of(near, found[near]), *rows_of(BOOSTED, found[endings.BOOSTED])], of)
