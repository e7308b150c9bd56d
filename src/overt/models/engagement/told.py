"""Who can tell from early scrolling whether somebody reads on, or which version they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.models.engagement.readings import NAMES, Reading, numbers
from overt.models.intent.looks import held_out
from overt.models.programs.rates import auc
from overt.models.repeatable import REPEATABLE
from overt.models.scores import RESAMPLES, Score
from overt.models.tensors import Array

COMMONER, FAR, LOGISTIC, BOOSTED = (
    "commoner answer",
    "how far by then (logistic regression)",
    "scrolling by then (logistic regression)",
    "LightGBM",
)
SECONDS = (5, 15, 30)
LEVEL_S = 120
"""The version is told from so much of a reading."""

ANSWERS_MIN = 20
"""Of the rarer answer."""
PARTS, TEXT_PARTS = 5, 3
_FAR = NAMES.index("how_far")
TREES: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.05,
    "min_data_in_leaf": 15,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    **REPEATABLE,
}
ROUNDS = 80


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of n readings."""

    name: str
    x: Array
    """float64[n, len(NAMES)]"""
    aim: Array
    """bool[n], what is to be told."""
    person: Array
    """int64[n]"""
    text: Array
    """str[n]"""


def questions(readings: Sequence[Reading]) -> Iterator[Question]:
    """Yield what is asked, each of those readings of which it is open."""
    for seconds in SECONDS:
        for name, when in (("reads on", "reads_on_ms"), ("comes to the end", "end_ms")):
            still = [one for one in readings if getattr(one, when) > seconds * 1000]
            aim = [np.isfinite(getattr(one, when)) for one in still]
            yield _question(f"{name}, asked at {seconds} s", still, aim, seconds)
    going = [one for one in readings if np.isfinite(one.reads_on_ms)]
    yield _question("which version", going, [one.advanced for one in going], LEVEL_S)


def _question(
    name: str, readings: Sequence[Reading], aim: Sequence[Any], seconds: float
) -> Question:
    return Question(
        name,
        np.array([numbers(one, seconds * 1000) for one in readings]).reshape(-1, len(NAMES)),
        np.array(aim, bool),
        np.array([one.person for one in readings], np.int64),
        np.array([one.text for one in readings], np.str_),
    )


def told(question: Question) -> dict[str, Array]:
    """Return float64[n] by method: how probable it is, to those who saw neither person nor text."""
    aim = question.aim
    person = held_out([str(one) for one in question.person.tolist()], PARTS)
    text = held_out(question.text.tolist(), TEXT_PARTS)
    made: dict[str, Array] = {}
    for one in range(PARTS):
        for other in range(TEXT_PARTS):
            test = (person == one) & (text == other)
            learn = (person != one) & (text != other)
            if not test.any() or len(set(aim[learn].tolist())) < 2:
                continue
            found = _fitted(question.x[learn], aim[learn], question.x[test])
            for name, p in found.items():
                made.setdefault(name, np.full(aim.size, np.nan))[test] = p
    return made


def _fitted(x: Array, aim: Array, asked: Array) -> dict[str, Array]:
    import lightgbm
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    made = {COMMONER: np.full(len(asked), (aim.sum() + 1) / (aim.size + 2))}
    for name, columns in ((FAR, [_FAR]), (LOGISTIC, [*range(x.shape[1])])):
        line: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        line.fit(x[:, columns], aim)
        made[name] = np.asarray(line.predict_proba(asked[:, columns])[:, 1])
    grown = lightgbm.train(TREES, lightgbm.Dataset(x, aim), ROUNDS)
    made[BOOSTED] = np.asarray(grown.predict(asked, num_threads=1))
    return made


def figures(question: Question) -> list[Score]:
    """Return AUC and log loss of every method, with intervals over people."""
    rows = []
    made = told(question)
    known = np.isfinite(np.sum(list(made.values()), axis=0)) if made else np.zeros(0, bool)
    aim = question.aim[known]
    person = np.unique(question.person[known], return_inverse=True)[1]
    people = int(person.max(initial=-1)) + 1
    rng = np.random.Generator(np.random.PCG64(0))
    drawn = rng.multinomial(people, np.full(people, 1 / max(people, 1)), RESAMPLES)[:, person]
    drawn = np.concatenate([np.ones((1, aim.size)), drawn])
    for name, every in made.items():
        p = every[known]
        loss = -np.log(np.clip(np.where(aim, p, 1 - p), 1e-6, 1))
        values = {f"log loss, {question.name}": (drawn @ loss / drawn.sum(1)).tolist()}
        if name != COMMONER:  # it puts nobody before anybody
            values[f"AUC, {question.name}"] = [auc(p, aim, weight) for weight in drawn]
        for metric, of in values.items():
            low, high = np.nanpercentile(of[1:], [2.5, 97.5]).tolist()
            rows.append(Score(name, metric, of[0], low, high))
    return rows
