"""Named tensors as canonical bytes: one content, one byte string, one hash. No pickle.

```
"OVM1" | header length, u32 LE | header, JSON, space-padded to 8 | tensors, one after the other
```

The header lists `[name, type, shape]` sorted by name; types are `<f4`, `<i4`, `<i8`, `<i2` and
`|u1`, values are little-endian in C order, and each tensor is zero-padded to 8 bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from overt.schema.errors import Damaged, InvalidInput

Array = npt.NDArray[Any]
Tensors = Mapping[str, Array]

MAGIC = b"OVM1"
_TYPES = frozenset({"<f4", "<i4", "<i8", "<i2", "|u1"})
_HEADER_BYTES_MAX = 1 << 24


def encode(tensors: Tensors) -> bytes:
    """Return the canonical bytes of `tensors`; equal contents give equal bytes.

    Raises `InvalidInput` naming a tensor of another type than the five of the format.
    """
    entries, parts = [], []
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        kind = array.dtype.newbyteorder("<").str
        if kind not in _TYPES:
            raise InvalidInput(f"type {kind} has no canonical form", where=name)
        entries.append([name, kind, list(array.shape)])
        data = array.astype(kind, copy=False).tobytes()
        parts += [data, b"\0" * (-len(data) % 8)]
    head = json.dumps(entries, separators=(",", ":")).encode()
    head += b" " * (-(len(head) + 8) % 8)
    return b"".join([MAGIC, len(head).to_bytes(4, "little"), head, *parts])


def decode(data: bytes) -> dict[str, Array]:
    """Return the tensors of `encode`, as arrays of their own. Raises `Damaged` if cut or altered.

    >>> decode(encode({"w": np.ones(2, "<f4")}))["w"].tolist()
    [1.0, 1.0]
    """
    length = int.from_bytes(data[4:8], "little")
    if data[:4] != MAGIC or length > min(_HEADER_BYTES_MAX, len(data) - 8):
        raise Damaged("does not begin as named tensors do", where="tensors")
    try:
        entries = json.loads(data[8 : 8 + length])
        tensors, offset = {}, 8 + length
        for name, kind, shape in entries:
            if kind not in _TYPES or any(type(n) is not int or n < 0 for n in shape):
                raise Damaged("has an unknown type or shape", where=f"tensors.{name}")
            count = math.prod(shape)
            tensors[str(name)] = np.frombuffer(data, kind, count, offset).reshape(shape).copy()
            offset += -(-count * np.dtype(kind).itemsize // 8) * 8
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged("are cut short or altered", where="tensors") from error
    if offset != len(data) or encode(tensors) != data:
        raise Damaged("are not in canonical form", where="tensors")
    return tensors


def sha256(tensors: Tensors) -> str:
    """Return the SHA-256 of the canonical bytes, 64 hexadecimal digits."""
    return hashlib.sha256(encode(tensors)).hexdigest()
