"""An ONNX file read by its specification and computed with numpy: what our own writer is held to.

Only the messages and operators that `overt.models.onnx` uses. `onnxruntime` is the judge in the
long tests; this one needs no library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


def fields(data: bytes) -> list[tuple[int, Any]]:
    """Return number and value of each field of a message of Protocol Buffers."""
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        assert key & 7 in (0, 2)
        value: Any = varint()
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.append((key >> 3, value))
    return found


def of(data: bytes, number: int) -> list[Any]:
    """Return all values of one field."""
    return [value for n, value in fields(data) if n == number]


@dataclass
class Read:
    """A model as it stands in the file."""

    nodes: list[tuple[str, list[str], list[str], dict[str, Any]]]
    constants: dict[str, Any]
    inputs: list[str]
    outputs: list[str]
    facts: dict[str, str]
    operators: int


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _attribute(raw: bytes) -> tuple[str, Any]:
    (kind,) = of(raw, 20)
    value = [_signed(v) for v in of(raw, 8)] if kind == 7 else _signed(of(raw, 3)[0])
    return of(raw, 1)[0].decode(), value


def _tensor(raw: bytes) -> tuple[str, Any]:
    kind = {1: "<f4", 7: "<i8"}[of(raw, 2)[0]]
    return of(raw, 8)[0].decode(), np.frombuffer(of(raw, 9)[0], kind).reshape(of(raw, 1))


def read(data: bytes) -> Read:
    """Return what a model file holds."""
    (graph,) = of(data, 7)
    nodes = [
        (
            of(raw, 4)[0].decode(),
            [name.decode() for name in of(raw, 1)],
            [name.decode() for name in of(raw, 2)],
            dict(map(_attribute, of(raw, 5))),
        )
        for raw in of(graph, 1)
    ]
    return Read(
        nodes,
        dict(map(_tensor, of(graph, 5))),
        [of(raw, 1)[0].decode() for raw in of(graph, 11)],
        [of(raw, 1)[0].decode() for raw in of(graph, 12)],
        {of(raw, 1)[0].decode(): of(raw, 2)[0].decode() for raw in of(data, 14)},
        of(of(data, 8)[0], 2)[0],
    )


def run(model: Read, given: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs for inputs."""
    values: dict[str, Any] = {"": None, **model.constants, **given}
    assert set(given) == set(model.inputs)
    for kind, inputs, outputs, attributes in model.nodes:
        made = _OPERATORS[kind](*(values[name] for name in inputs), **attributes)
        values |= dict(zip(outputs, made if isinstance(made, tuple) else (made,), strict=True))
    return {name: values[name] for name in model.outputs}


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Any, axis: int) -> Any:
    raised = np.exp(x - x.max(axis, keepdims=True))
    return raised / raised.sum(axis, keepdims=True)


def _gru(
    x: Any, w: Any, r: Any, b: Any, lengths: Any, h: Any, hidden_size: int, linear_before_reset: int
) -> Any:
    assert lengths is None
    assert linear_before_reset == 1
    state, size, states = h[0], hidden_size, []
    for step in x:
        inner = step @ w[0].T + b[0, : 3 * size]
        recall = state @ r[0].T + b[0, 3 * size :]
        update, reset = (_sigmoid((inner + recall)[:, k * size : (k + 1) * size]) for k in (0, 1))
        new = np.tanh(inner[:, 2 * size :] + reset * recall[:, 2 * size :])
        state = (1 - update) * new + update * state
        states.append(state)
    return np.stack(states)[:, None], state[None]


_OPERATORS: dict[str, Any] = {
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes.tolist())),
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(axes.tolist())),
    "Gather": np.take,
    "GatherElements": np.take_along_axis,
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "GRU": _gru,
    "MatMul": np.matmul,
    "Add": np.add,
    "Mul": np.multiply,
    "Div": np.divide,
    "Tanh": np.tanh,
    "Exp": np.exp,
    "Softmax": _softmax,
    "Split": lambda x, axis: tuple(np.split(x, 3, axis)),
    "Clip": np.clip,
    "Mean": lambda *parts: sum(parts) / len(parts),
    "ReduceSum": lambda x, axes, keepdims: x.sum(tuple(axes.tolist()), keepdims=bool(keepdims)),
}
