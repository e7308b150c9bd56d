"""Who can tell a person from a program: logistic regression, random forest, boosted trees.

The boosted trees also say how sure they are: their scores are calibrated on people and on kinds of
program that the trees behind these scores had not seen, and between two bounds, set on the same
scores, the answer is "cannot tell".
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from overt.models.programs.windows import PERSON, Windows
from overt.models.repeatable import REPEATABLE
from overt.models.tensors import Array
from overt.schema.errors import TooFew

WRONGED = 0.01
"""Share of people's windows that may be called a program's. To be taken for a program is the worse
error for a person, so it is bounded more tightly than the other."""

MISSED = 0.05
"""Share of programs' windows that may be called a person's."""

FOLDS = 3
"""Parts of people and kinds that are left out in turn to calibrate."""


class Classifier(Protocol):
    """Learns from windows and gives others a score that grows with "program"."""

    def fit(self, windows: Windows) -> Classifier:
        """Learn; return itself."""
        ...

    def score(self, x: Array) -> Array:
        """Return float64[windows]: log odds, or something in the same order."""
        ...


def weights_of(windows: Windows) -> Array:
    """Return weights that make every source, every kind and both classes count alike."""
    group = np.where(
        windows.program,
        np.char.add("kind ", windows.kind.astype(str)),
        np.char.add("source ", windows.source.astype(str)),
    )
    _names, number, count = np.unique(group, return_inverse=True, return_counts=True)
    weights = 1.0 / count[number]
    for program in (False, True):
        side = windows.program == program
        weights[side] *= len(group) / 2 / max(weights[side].sum(), 1e-12)
    return weights


def check(windows: Windows) -> None:
    """Raise `TooFew` where there is only one class to learn from."""
    if windows.program.all() or not windows.program.any():
        raise TooFew(
            "needs windows of people and of programs to learn from",
            where="training data",
            do="Give recordings of at least two people with some minutes of input each.",
        )


@dataclass
class Logistic:
    """Logistic regression on standardised numbers; a missing one is the median, and said to be."""

    model: Any = None

    def fit(self, windows: Windows) -> Logistic:
        """Learn; return itself."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        check(windows)
        self.model = _filled(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        self.model.fit(
            windows.x, windows.program, logisticregression__sample_weight=weights_of(windows)
        )
        return self

    def score(self, x: Array) -> Array:
        """Return log odds."""
        return np.asarray(self.model.decision_function(x), np.float64)


@dataclass
class Forest:
    """A random forest of 100 trees."""

    model: Any = None

    def fit(self, windows: Windows) -> Forest:
        """Learn; return itself."""
        from sklearn.ensemble import RandomForestClassifier

        check(windows)
        forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0, n_jobs=1)
        self.model = _filled(forest)
        self.model.fit(
            windows.x, windows.program, randomforestclassifier__sample_weight=weights_of(windows)
        )
        return self

    def score(self, x: Array) -> Array:
        """Return the share of trees, in order of log odds."""
        return np.asarray(self.model.predict_proba(x)[:, 1], np.float64)


def _filled(*steps: Any) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(fill, *steps)


@dataclass
class Trees:
    """LightGBM, one thread, the same every time.

    Where there is people's movement that was altered, each alteration has trees of its own, which
    learn from it and from everything that was not altered; the log odds are of any of them: ln of
    the sum. What is too smooth and what is not pull one set of trees both ways.

    Beside the programs that it knows there may be others, of which some columns say how much more
    likely they are than people: the log odds are of any of them.
    """

    rounds: int = 300
    others: int = 0
    """How many of the last columns are such log likelihood ratios; NaN says nothing."""
    models: list[Any] = field(default_factory=list)

    def fit(self, windows: Windows) -> Trees:
        """Learn; return itself."""
        import lightgbm

        check(windows)
        altered = windows.altered
        self.models = []
        for name in sorted(set(windows.kind[altered].tolist())) or [""]:
            own = windows.where(~altered | (windows.kind == name))
            data = lightgbm.Dataset(own.x, own.program, weight=weights_of(own))
            self.models.append(lightgbm.train(_TREES, data, self.rounds))
        return self

    def score(self, x: Array) -> Array:
        """Return log odds."""
        each = [np.asarray(one.predict(x, raw_score=True), np.float64) for one in self.models]
        odds: Array = np.logaddexp.reduce(each)
        for column in x.T[x.shape[1] - self.others :]:
            odds = np.logaddexp(odds, np.where(np.isnan(column), -np.inf, column))
        return odds


_TREES: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 3,
    "learning_rate": 0.08,
    "min_data_in_leaf": 20,
    "lambda_l2": 5.0,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    **REPEATABLE,
    "seed": 1,
}
"""Trees of two splits, which add up: what one number says of a program must not depend on many
others being as they are with the programs that are known, for one nobody has seen differs in those.
With twelve leaves a replay has to move unlike a person before its noise counts (AUC at 5 s .946,
with two to four leaves .958 to .961; the other kinds no worse, each left out)."""

PERSON_SAID, PROGRAM_SAID, CANNOT_TELL = 0, 1, -1


@dataclass
class Judge:
    """Boosted trees that are calibrated and know when to say that they cannot tell."""

    trees: Trees
    slope: float = 1.0
    offset: float = 0.0
    person_below: float = -math.inf
    """Log odds up to which the answer is "person"."""
    program_above: float = math.inf
    """Log odds from which the answer is "program"."""

    def fit(self, windows: Windows) -> Judge:
        """Learn; return itself."""
        score, program, weight = out_of_fold(windows, self.trees)
        self.slope, self.offset = platt(score, program, weight)
        odds = self.slope * score + self.offset
        self.program_above = bound(odds[~program], 1 - WRONGED)
        self.person_below = -bound(-odds[program], 1 - MISSED)
        self.trees.fit(windows)
        return self

    def score(self, x: Array) -> Array:
        """Return calibrated log odds."""
        return self.slope * self.trees.score(x) + self.offset

    def said(self, odds: Array) -> Array:
        """Return the answers: 0 person, 1 program, -1 cannot tell.

        Each window is held against both: as unlikely as one in twenty of programs, or one in a
        hundred of people. What is neither, or could be both, cannot be told (a conformal set with
        other than one member).
        """
        program, person = odds >= self.program_above, odds <= self.person_below
        return np.where(program & ~person, 1, np.where(person & ~program, 0, CANNOT_TELL))


def out_of_fold(windows: Windows, like: Trees) -> tuple[Array, Array, Array]:
    """Return scores of people and kinds of program by trees that have seen neither; and weights."""
    people = np.array([zlib.crc32(name.encode()) % FOLDS for name in windows.person.tolist()])
    # What was altered is of no kind: it is left out with the person.
    kinds = sorted(set(windows.base[windows.program & ~windows.altered].tolist()))
    order = {kind: number % FOLDS for number, kind in enumerate(kinds)}
    group = np.array(
        [
            order.get(kind, who)
            for kind, who in zip(windows.base.tolist(), people.tolist(), strict=True)
        ]
    )
    score = np.full(len(group), np.nan)
    for fold in range(FOLDS):
        # A program in the place of a person who is left out is left out too.
        kept = (group != fold) & (people != fold)
        for kind in (one for one in kinds if order[one] == fold):
            kept &= ~windows.akin(kind)
        if not kept.any() or windows.program[kept].all() or not windows.program[kept].any():
            continue
        scored = (group == fold) & (~windows.program | (people == fold)) & windows.asked
        trees = Trees(like.rounds, like.others).fit(windows.where(kept))
        score[scored] = trees.score(windows.x[scored])
    there = np.isfinite(score)
    return score[there], windows.program[there], weights_of(windows.where(there))


def platt(score: Array, program: Array, weight: Array) -> tuple[float, float]:
    """Return slope and offset of the log odds of "program" over scores (Platt 1999)."""
    if program.all() or not program.any():
        return 1.0, 0.0
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e4).fit(score[:, None], program, sample_weight=weight)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def bound(odds: Array, share: float) -> float:
    """Return the conformal bound: the share of `odds`, and of one more like them, that is below.

    Infinite where there are too few to say.

    >>> bound(np.arange(99.0), 0.99)
    98.0
    >>> bound(np.arange(98.0), 0.99)
    inf
    """
    rank = math.ceil((odds.size + 1) * share)
    return math.inf if rank > odds.size else float(np.sort(odds)[rank - 1])


CLASSIFIERS: dict[str, type[Logistic] | type[Forest]] = {
    "logistic regression": Logistic,
    "random forest": Forest,
}
BOOSTED = "LightGBM"

__all__ = ["BOOSTED", "CLASSIFIERS", "PERSON", "Forest", "Judge", "Logistic", "Trees"]
