"""Vectors of the page's verdict: `python tests/programs_vectors.py` writes them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets import synthetic
from overt.models.programs import fitted
from overt.models.programs.features import row_of
from overt.models.programs.generators import MAKERS
from overt.models.programs.groups import with_keys
from overt.models.programs.judged import page
from overt.models.programs.sample import SCREEN, Sample, in_training, pointer_of, sample_of
from overt.models.programs.sessions import Errands, performed
from overt.models.programs.trace import Trace, cut
from overt.schema.people import SubjectEvents

VECTORS = Path(__file__).parent.parent / "spec" / "vectors" / "programs.json"
KINDS = ("straight", "Bézier", "wind", "browser jump")
ERRANDS = Errands(
    np.array([300.0, -250, 90, -140]), np.array([30.0, 120, -150, 0]), np.full(4, 200.0)
)


@cache
def people(count: int = 16) -> tuple[Sample, ...]:
    """Return samples of made-up people."""
    return tuple(
        in_training(
            sample_of(
                SubjectEvents(
                    hashlib.sha256(bytes([one.number])).digest(), one.origin, one.sessions
                ),
                2,
            )
        )
        for one in synthetic.people(count, 11, sessions=1, minutes=1.0)
    )


def _traces() -> list[Trace]:
    made = []
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng(number)
        mover = MAKERS[kind](rng, ())
        made.append(performed(mover, ERRANDS, SCREEN, rng, until_ms=4_000))
    (one,) = synthetic.people(1, 12, sessions=1, minutes=1.0)
    own = pointer_of(one.sessions[0])
    return [
        *made,
        *cut(own, 5.0, least=0.5)[:2],
        with_keys(ERRANDS),
        Trace(*[np.zeros(0)] * 3),
        Trace(*[np.ones(1)] * 3),
    ]


def vectors() -> dict[str, Any]:
    """Return model, windows as samples, their numbers and verdicts; NaN is null."""
    model = fitted.train(people())
    traces = _traces()
    rows = np.stack([row_of(trace) for trace in traces])
    verdict = fitted.judge(list(model.shards.values()), rows)
    words = {0: "person", 1: "program", -1: "cannot-tell"}
    return {
        "what": "Windows of made-up people and programs; numbers and verdicts as Python computes.",
        "page": page(model),
        "windows": [
            {
                "samples": np.round(np.stack([trace.t_ms, trace.x_px, trace.y_px], 1), 3).tolist(),
                "numbers": [None if np.isnan(v) else float(v) for v in row],
                "said": words[int(said)],
                "odds": float(odds),
                "as_person": float(as_person),
                "as_program": float(as_program),
            }
            for trace, row, said, odds, as_person, as_program in zip(
                traces,
                rows,
                verdict.said,
                verdict.odds,
                verdict.as_person,
                verdict.as_program,
                strict=True,
            )
        ],
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n", encoding="utf-8")
