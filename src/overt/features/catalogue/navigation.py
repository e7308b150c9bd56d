"""Navigation: from which kind of element to which."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.catalogue.feature import (
    D_NONE,
    R_NONE,
    Feature,
    column,
    counted,
    moments,
    share,
)
from overt.features.navigation import GROUPS
from overt.features.sums import Sums

_MARKOV = "Cadez et al. 2000 (navigation as a Markov chain)"
_CARD = "Card, Moran & Newell 1980 (keystroke-level model)"


def _surprise(total: Sums) -> Any:
    """Mean information of the next group given this one, in bits."""
    counts = np.stack(
        [np.stack([total[f"{a}_to_{b}"] for b in GROUPS], axis=-1) for a in GROUPS], axis=-2
    )
    row = counts.sum(axis=-1, keepdims=True)
    given = np.where(counts > 0, counts / np.maximum(row, 1), 1.0)
    return -(counts * np.log2(given)).sum(axis=(-1, -2)) / np.maximum(total["transitions"], 1)


FEATURES: tuple[Feature, ...] = (
    counted("acts", "key downs (not repeats), clicks and focuses on known elements", D_NONE, _CARD),
    counted("transitions", "acts on another element than the act before", D_NONE, _MARKOV),
    share("role_change_share", "transitions to another role / transitions",
          column("role_changes"), column("transitions"), source=_MARKOV),
    *(
        share(f"{a}_to_{b}_share", f"transitions from a {a} to a {b} / transitions",
              column(f"{a}_to_{b}"), column("transitions"), source=_MARKOV)
        for a in GROUPS
        for b in GROUPS
    ),
    Feature("transition_bits", "bit",
            "entropy of the next group given this one: -Σ p(a, b) log₂ p(b given a)", 2,
            D_NONE, R_NONE, _MARKOV, column("transitions"), _surprise),
    *moments("visit_us", "µs", "first act on the next element minus first act on this one", _CARD),
    *moments("first_action_us", "µs",
             "first press of a key or button minus the begin of the session, the task or what "
             "follows a break", _CARD),
)  # fmt: skip
"""In the order of the columns."""
