"""ONNX as bytes: the few messages of `onnx.proto` that a graph of matrices needs.

A message of Protocol Buffers is a row of fields, each a number, a kind (0 whole number, 2 bytes)
and a value. Numbers of fields are those of github.com/onnx/onnx, IR version 8, operators version
17. The `onnx` library would be 30 MB for these hundred lines; tests check with it that they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array

IR, OPERATORS = 8, 17
FLOAT, INT64 = 1, 7
_TYPES = {"<f4": FLOAT, "<i8": INT64}
_INT, _INTS = 2, 7

Shape = Sequence[int | str]
"""Sizes; a name stands for one that is not fixed."""


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _number(place: int, value: int) -> bytes:
    return _varint(place << 3) + _varint(value % (1 << 64))


def _bytes(place: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(place << 3 | 2) + _varint(len(raw)) + raw


def _tensor(name: str, array: Array) -> bytes:
    """Return a `TensorProto`."""
    dims = b"".join(_number(1, size) for size in array.shape)
    data = np.ascontiguousarray(array).tobytes()
    return dims + _number(2, _TYPES[array.dtype.str]) + _bytes(8, name) + _bytes(9, data)


def _value(name: str, kind: int, shape: Shape) -> bytes:
    """Return a `ValueInfoProto`: name, type and shape of what goes in or comes out."""
    dims = b"".join(
        _bytes(1, _bytes(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    tensor = _number(1, kind) + _bytes(2, dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _bytes(1, name) + _number(3, value) + _number(20, _INT)
    return _bytes(1, name) + b"".join(_number(8, one) for one in value) + _number(20, _INTS)


@dataclass
class Graph:
    """A graph that grows node by node; names of what nodes make are given as they come."""

    name: str
    _nodes: list[bytes] = field(default_factory=list)
    _constants: list[bytes] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)

    def takes(self, name: str, kind: int, shape: Shape) -> str:
        """Add an input and return its name."""
        self._inputs.append(_value(name, kind, shape))
        return name

    def gives(self, name: str, kind: int, shape: Shape) -> None:
        """Name what a node makes as an output."""
        self._outputs.append(_value(name, kind, shape))

    def constant(self, name: str, array: Array) -> str:
        """Add a constant, float32 or int64, and return its name."""
        self._constants.append(_tensor(name, array))
        return name

    def node(
        self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: int | Sequence[int]
    ) -> str:
        """Add a node and return the name of its first output. An input "" is left out."""
        self._nodes.append(
            b"".join(_bytes(1, one) for one in inputs)
            + b"".join(_bytes(2, one) for one in outputs)
            + _bytes(3, outputs[0] or outputs[-1])
            + _bytes(4, kind)
            + b"".join(_bytes(5, _attribute(n, v)) for n, v in sorted(attributes.items()))
        )
        return outputs[0]

    def model(self, version: str, about: str, facts: Mapping[str, str]) -> bytes:
        """Return the whole file. `facts` stand in its metadata."""
        graph = (
            b"".join(_bytes(1, node) for node in self._nodes)
            + _bytes(2, self.name)
            + b"".join(_bytes(5, one) for one in self._constants)
            + b"".join(_bytes(11, one) for one in self._inputs)
            + b"".join(_bytes(12, one) for one in self._outputs)
        )
        return (
            _number(1, IR)
            + _bytes(2, "overt")
            + _bytes(3, version)
            + _bytes(6, about)
            + _bytes(7, graph)
            + _bytes(8, _bytes(1, "") + _number(2, OPERATORS))
            + b"".join(
                _bytes(14, _bytes(1, name) + _bytes(2, value))
                for name, value in sorted(facts.items())
            )
        )
