"""Which candidate was meant: boosted trees over the evidence, one probability a candidate.

A candidate's probability does not depend on how many others there are; those of one token need not
add up to one, and what is missing is that none of them was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.repeatable import REPEATABLE
from overt.models.tensors import Array
from overt.models.typos import trees
from overt.models.typos.evidence import COLUMNS, Evidence

ROUNDS = 150
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.8,
    "lambda_l2": 1.0,
    **REPEATABLE,
}


@dataclass(frozen=True)
class Ranker:
    """A fitted ranking; without trees it ranks by fine channel and context alone."""

    trees: trees.Trees | None = field(default=None, repr=False)

    def probabilities(self, table: Array) -> Array:
        """Return float64[candidates]: how probable it is that each was meant."""
        if table.shape[0] == 0:
            return np.zeros(0)
        if self.trees is None:
            cost = table[:, COLUMNS.index("fine")] + table[:, COLUMNS.index("context")]
            weight = np.exp(-(cost - cost.min()).astype(np.float64))
            return np.asarray(weight / weight.sum())
        return np.asarray(1 / (1 + np.exp(-self.trees.raw(table))))


def fit(
    evidence: Sequence[Evidence],
    meant: Sequence[int],
    weights: Array | None = None,
    more: Sequence[str] = (),
) -> Ranker:
    """Fit the ranking to tokens whose meaning is known.

    Args:
        evidence: of each token.
        meant: number of the word that was meant, -1 if it is not in the vocabulary.
        weights: how much each token counts; default 1.
        more: names of the columns that the tables have after `COLUMNS`.
    """
    import lightgbm

    table = np.concatenate([one.table for one in evidence])
    label = np.concatenate([one.found == word for one, word in zip(evidence, meant, strict=True)])
    weight = np.repeat(
        np.ones(len(evidence)) if weights is None else weights,
        [one.found.size for one in evidence],
    )
    data = lightgbm.Dataset(table, label, weight=weight, feature_name=[*COLUMNS, *more])
    return Ranker(trees.of(lightgbm.train(SETTINGS, data, num_boost_round=ROUNDS)))
