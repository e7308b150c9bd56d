"""Card and page of a study's model of person or program."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from overt.models.card import by_group, frame, halves_of
from overt.models.metrics import PERSONS_MIN
from overt.models.programs.features import ALONG_AN_AXIS, NAMES
from overt.models.programs.fitted import (
    MISSED,
    WRONGED,
    Z_MAX,
    Fitted,
    configuration,
    judge,
)
from overt.models.programs.rates import rated
from overt.models.programs.sample import KINDS, SAMPLE_ID, SECONDS, Sample
from overt.models.scores import Score, shares
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput
from overt.schema.manifest import Manifest, bucket

PAGE_ID = "page-programs/2"
KIND = "sharded logistic regression on motion; log odds are the mean over shards"
BASELINES = {"evenness of speed alone": "speed_variation_median", "jumps alone": "jumped"}
"""Single numbers that one might think are enough; the first falls where a program is even."""


def card(fitted: Fitted, people: Iterable[Sample], manifest: Manifest) -> dict[str, Any]:
    """Return the card as plain JSON; figures are of each person by shards that have not seen them.

    Programs in the place of a person are judged by the same shards. The kinds are those it has
    learned from: kinds nobody has seen are what `overt evaluate person-or-program` is about.
    """
    if manifest.tokens != SAMPLE_ID:
        raise InvalidInput("is of another rule than the model", where="manifest.tokens")
    asked = [
        (one, shards)
        for one in people
        if one.size and (shards := [n for n in fitted.shards if n != one.shard])
    ]
    figures: dict[str, Any] = {
        "protocol": "leave-shard-out" if asked else "none",
        "persons": bucket(len(asked)),
        "events": bucket(sum(one.kind.size for one, _shards in asked)),
        "too_few": len(asked) < PERSONS_MIN,
        "rows": _rows(fitted, asked) if asked else {},
        "groups": by_group(
            {
                "origin": [one.origin for one, _shards in asked],
                "input": halves_of([one.size for one, _shards in asked]),
            },
            lambda places: _rows(fitted, [asked[at] for at in places])["model"],
        ),
    }
    config = {
        **configuration(),
        "along_an_axis": ALONG_AN_AXIS,
        "programs": list(KINDS),
        "seconds": list(SECONDS),
    }
    return frame(KIND, fitted, config, figures, manifest)


def _rows(fitted: Fitted, asked: list[tuple[Sample, list[int]]]) -> dict[str, Any]:
    rows = np.concatenate([one.rows for one, _shards in asked])
    program = np.concatenate([one.kind > 0 for one, _shards in asked])
    unit = np.repeat(np.arange(len(asked)), [one.kind.size for one, _shards in asked])
    verdicts = [judge([fitted.shards[n] for n in shards], one.rows) for one, shards in asked]
    odds = np.concatenate([verdict.odds for verdict in verdicts])
    said = np.concatenate([verdict.said for verdict in verdicts])
    told, wrong = said >= 0, (said == 1) != program
    figures = {
        "model": {
            **_both(odds, program, unit),
            "cannot_tell": _figure(_share(~told, np.ones_like(told), unit)),
            "wrong": _figure(_share(told & wrong, told, unit)),
        }
    }
    for name, column in BASELINES.items():
        values = np.nan_to_num(rows[:, NAMES.index(column)], nan=0.0)
        sign = 1.0 if column == "jumped" else -1.0
        figures[name] = {
            **_both(sign * values, program, unit),
            "cannot_tell": _figure(None),
            "wrong": _figure(None),
        }
    return figures


def _both(score: Array, program: Array, unit: Array) -> dict[str, Any]:
    found = rated("", "", score, program, unit)
    return {"auc": _figure(found[0]), "tpr": _figure(found[1])}


def _share(hits: Array, among: Array, unit: Array) -> Score:
    counted = [np.bincount(unit, one.astype(float)) for one in (hits, among)]
    return shares("", "", counted[0], counted[1], resamples=400)


def _figure(score: Score | None) -> dict[str, float | None]:
    values = (None,) * 3 if score is None else (score.value, score.low, score.high)
    return {
        name: None if value is None or value != value else round(value, 6)
        for name, value in zip(("value", "low", "high"), values, strict=True)
    }


def nats(fitted: Fitted, people: Sequence[Sample]) -> Array:
    """Return float64[people], mean loss of each one's windows and of programs in their place."""
    made = []
    for one in people:
        odds = judge(list(fitted.shards.values()), one.rows).odds
        made.append(np.logaddexp(0.0, np.where(one.kind > 0, -odds, odds)).mean())
    return np.array(made)


def page(fitted: Fitted) -> dict[str, Any]:
    """Return a model with at least one shard as plain JSON for `studio/web/programs.ts`."""
    return {
        "model": PAGE_ID,
        "sha256": fitted.sha256(),
        "names": list(NAMES),
        "z_max": Z_MAX,
        "wronged": WRONGED,
        "missed": MISSED,
        "along_an_axis": ALONG_AN_AXIS,
        "shards": [
            {name: _packed(array) for name, array in sorted(tensors.items())}
            for tensors in fitted.shards.values()
        ],
    }


def _packed(array: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(array, "<f4")
    return {"shape": list(data.shape), "f32": base64.b64encode(data.tobytes()).decode()}
