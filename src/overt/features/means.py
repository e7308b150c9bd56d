"""What one person's sessions come to: the mean of each feature, the unit of figures over people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from overt.features.catalogue import CATALOGUE, SECTIONS
from overt.features.windows import features


def means(sessions: Sequence[pa.Table]) -> Any:
    """Return float64[len(CATALOGUE)]: a person's mean over sessions, NaN where there is none.

    A section of the catalogue without an event of its kinds has none: its counts would be zeros of
    what was never recorded.
    """
    made = features(sessions)
    seen = {kind for table in sessions for kind in pc.unique(table.column("kind")).to_pylist()}
    found = np.full(len(CATALOGUE), np.nan)
    place = 0
    for section in SECTIONS:
        for feature in section.features:
            if seen & section.kinds:
                values = made.column(feature.name).to_numpy()
                values = values[np.isfinite(values)]
                found[place] = values.mean() if values.size else np.nan
            place += 1
    return found
