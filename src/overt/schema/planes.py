"""Batches folded as they were before: columns in planes of bytes. Read, not written.

```
"OVB2" | length, u32 LE | values of the header, a JSON array | per column: one byte, then planes
```

A value of a column is an unsigned number that is small where the value is near 0 (0, -1, 1, -2 …
become 0, 1, 2, 3 …). Plane 0 holds the lowest byte of each row, plane 1 the next; planes in which
every byte is 0 are left out at the end. The byte before them says how many there are (low three
bits); 8 is added if `dt_us` counts steps of the header's clock instead of microseconds.
"""

from __future__ import annotations

import numpy as np

from overt.schema.event import WIRE

MAGIC = b"OVB2"
_WIDTHS = [field.type.bit_width // 8 for field in WIRE]
_TIME = WIRE.get_field_index("dt_us")


def unfold(folded: bytes, at: int, rows: int, step_us: int) -> tuple[int, bytes]:
    """Return where the columns that begin at `at` end, and the body they make.

    The first is -1 minus the number of a column that cannot have been folded.
    """
    made = []
    for column, width in enumerate(_WIDTHS):
        if at >= len(folded):
            return -1 - column, b""
        planes, steps = folded[at] & 7, folded[at] >> 3
        at += 1
        if planes > width or steps > (column == _TIME) or at + planes * rows > len(folded):
            return -1 - column, b""
        numbers = np.zeros(rows, np.int64)
        for plane in range(planes):
            numbers |= np.frombuffer(folded, np.uint8, rows, at).astype(np.int64) << (8 * plane)
            at += rows
        values = (numbers >> 1) ^ -(numbers & 1)
        most = 2 ** (8 * width - 1)
        if steps and values.any():
            if step_us >= 2**31:
                return -1 - column, b""
            values *= step_us
        if values.min() < -most or values.max() >= most:
            return -1 - column, b""
        made.append(values.astype(f"<i{width}").tobytes())
        made.append(bytes(-rows * width % 8))
    return at, b"".join(made)
