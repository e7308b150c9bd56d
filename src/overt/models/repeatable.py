"""Settings of LightGBM with which the same rows give the same trees, whatever else runs beside."""

from __future__ import annotations

from typing import Any

REPEATABLE: dict[str, Any] = {
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
