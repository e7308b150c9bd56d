"""The model for the page: weights and baselines as JSON that `studio/web/model.ts` computes with.

Arrays are base64 of little-endian float32 in C order. `spec/model.md` says what each one means.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from overt.datasets.tokens import TOKENS_ID, VOCABULARY
from overt.models.baselines import Baselines, baselines
from overt.models.config import (
    LOG_PAUSE_CENTRE,
    LOG_PAUSE_SCALE,
    LOG_SIGMA_MAX,
    LOG_SIGMA_MIN,
    MIXTURE,
    PAUSE_MAX_MS,
    PAUSE_MIN_MS,
)
from overt.models.tensors import Array
from overt.models.train import Trained, weights_hash

PAGE_ID = "page-model/2"


def page(trained: Trained) -> dict[str, Any]:
    """Return a model with at least one shard as plain JSON, about 130 kB a shard."""
    size = len(VOCABULARY)
    return {
        "model": PAGE_ID,
        "sha256": weights_hash(trained),
        "tokens": TOKENS_ID,
        "vocabulary": list(VOCABULARY),
        "mixture": MIXTURE,
        "pause_min_ms": PAUSE_MIN_MS,
        "pause_max_ms": PAUSE_MAX_MS,
        "log_pause_centre": LOG_PAUSE_CENTRE,
        "log_pause_scale": LOG_PAUSE_SCALE,
        "log_sigma_bounds": [LOG_SIGMA_MIN, LOG_SIGMA_MAX],
        "shards": [_weights(tensors) for tensors in trained.shards.values()],
        "baselines": _tables(baselines((trained.tables(s) for s in trained.shards), size)),
    }


def _weights(tensors: Mapping[str, Array]) -> dict[str, Any]:
    return {
        name: _packed(array)
        for name, array in sorted(tensors.items())
        if not name.startswith("tables.")
    }


def _packed(array: Array) -> dict[str, Any]:
    data = np.ascontiguousarray(array, "<f4")
    return {"shape": list(data.shape), "f32": base64.b64encode(data.tobytes()).decode()}


def _tables(tables: Baselines) -> dict[str, Any]:
    """Return the tables; of Markov-2 only the contexts in which anything was seen."""
    seen = ~np.isclose(tables.markov, tables.pairs[None], rtol=0, atol=1e-12).all(-1)
    contexts = np.argwhere(seen)
    return {
        "unigram": _packed(tables.unigram),
        "pairs": _packed(tables.pairs),
        "contexts": (contexts[:, 0] * len(VOCABULARY) + contexts[:, 1]).tolist(),
        "triples": _packed(tables.markov[seen]),
        "pause_log_median": _packed(tables.pause_log_median),
        "next_log_median": _packed(tables.next_log_median),
        "all_log_median": tables.all_log_median,
    }
