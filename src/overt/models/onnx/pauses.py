"""The small model of pauses (`overt.models.private.pauses`) as ONNX: after how long a key comes.

| name | type | shape | |
|---|---|---|---|
| `inputs` | float32 | n, 30 | what is known before each key: `INPUTS` |
| `place` | float32 | n, 15 | of that what decides between the states: `PLACES` |
| `own` | float32 | n | ln ms of the person's own pace so far |
| `weight`, `mean` | float32 | n, 3 | mixture of ln(pause in ms) |
| `sigma` | float32 | 3 | the same for every pause |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from overt.models.onnx.wire import FLOAT, Graph
from overt.models.private import pauses
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

FORMAT_ID = "onnx-pauses/1"

_KEYS = ("space", "backspace", "shift", "punctuation", "digit", "enter")
_CAME = (*(f"the key is {name}" for name in _KEYS), "it is another than these and a letter")
_WHERE = ("after a space", "at the beginning of a sentence", "after a correction")
_SLOW = ("the last pause was e times the own pace, or longer", "the one before it was")
INPUTS = (
    "1",
    f"own pace, less {pauses.PACE_LN_MS}",
    "pauses before this key, beyond the own pace",
    "pauses between the last key and this one, beyond the own pace",
    "mean of the last 8 pauses, beyond the own pace",
    "their deviation",
    *(f"pause {back} back, beyond the own pace" for back in range(1, 6)),
    *(f"hold {back} back, less {pauses.HOLD_LN_MS}" for back in range(1, 4)),
    f"mean hold, less {pauses.HOLD_LN_MS}",
    "rollover at the last key",
    "at the one before it",
    "share of keys with rollover",
    *_CAME,
    *_WHERE,
    *_SLOW,
)
PLACES = ("1", *_CAME, *_WHERE, *_SLOW, INPUTS[5], INPUTS[3])

ABOUT = (
    "The time to the next key, given which it is: a mixture of three log-normals, learned with "
    "the privacy of people. Durations are ln ms; what is not known is 0; inputs are cut off at "
    f"{pauses.FAR:g} to either side. See docs/reference/exports.md of Overt."
)


def onnx(weights: Array, sha256: str, card: Mapping[str, Any], version: str) -> bytes:
    """Return weights, float64[`pauses.SIZE`], as an ONNX file with the card inside.

    `version` is that of Overt. Raises `InvalidInput` for other weights.
    """
    if weights.shape != (pauses.SIZE,):
        raise InvalidInput("are not those of a model of pauses", where="weights")
    slope, gate, offset, log_sigma = pauses.parts(weights)
    graph = Graph("overt pauses")
    graph.takes("inputs", FLOAT, ("n", pauses.INPUTS))
    graph.takes("place", FLOAT, ("n", pauses.PLACES))
    graph.takes("own", FLOAT, ("n",))
    for name, array in (
        ("slope", slope[:, None]),
        ("gate", gate.T),
        ("offset", offset),
        ("log sigma", np.clip(log_sigma, *pauses.LOG_SIGMA)),
    ):
        graph.constant(name, np.ascontiguousarray(array, "<f4"))
    graph.constant("last", np.array([-1], "<i8"))
    graph.node("MatMul", ("place", "gate"), "raw")
    graph.node("Softmax", ("raw",), "weight", axis=-1)
    graph.node("MatMul", ("inputs", "slope"), "beyond")
    graph.node("Unsqueeze", ("own", "last"), "pace")
    graph.node("Add", ("beyond", "pace"), "centre")
    graph.node("Add", ("centre", "offset"), "mean")
    graph.node("Exp", ("log sigma",), "sigma")
    for name in ("weight", "mean"):
        graph.gives(name, FLOAT, ("n", pauses.STATES))
    graph.gives("sigma", FLOAT, (pauses.STATES,))
    facts = {
        "format": FORMAT_ID,
        "sha256": sha256,
        "inputs": json.dumps(INPUTS),
        "place": json.dumps(PLACES),
        "card": json.dumps(card, sort_keys=True, ensure_ascii=False),
    }
    return graph.model(version, ABOUT, facts)
