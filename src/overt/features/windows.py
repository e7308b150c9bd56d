"""Features per session and per window: a table of events in, a table of figures out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from overt.features import clicks, movements, navigation, revision, scrolling, typing
from overt.features.catalogue import CATALOGUE
from overt.features.sums import Cut, Events, Room, Sums, joined
from overt.schema.errors import InvalidInput

PAUSE_THRESHOLD_MS = 2000
"""Usual in writing research since Kaufer, Hayes & Flower 1986."""
FAMILIES = tuple(
    module.FAMILY for module in (typing, revision, movements, clicks, scrolling, navigation)
)
WINDOWS_MAX = 1_000_000
_WHOLE_US = 2**62

FEATURES = pa.schema(
    [
        pa.field("session", pa.int32(), nullable=False),
        pa.field("window", pa.int32(), nullable=False),
        pa.field("start_us", pa.int64(), nullable=False),
    ]
    + [pa.field(feature.name, pa.float64()) for feature in CATALOGUE]
)
"""One row a window: number of the session, number of the window, its start since the first event,
and the columns of the catalogue, null below their fewest samples."""


def session_sums(
    events: pa.Table,
    *,
    window_us: int | None = None,
    pause_threshold_ms: int = PAUSE_THRESHOLD_MS,
    room: Room | None = None,
) -> Sums:
    """Return the sums of one session, one row a window.

    Windows are counted from the first event. Without `window_us` the session is one window. Who
    computes many sessions gives them one `room`, one thread at a time.
    """
    if window_us is not None and window_us < 1:
        raise InvalidInput("must be at least 1 µs", where="window_us")
    if events.num_rows == 0:
        return Sums(tuple((family.columns, family.columns.empty(0)) for family in FAMILIES))
    columns = Events(events, room or Room())
    t_us = columns["t_us"]
    start_us, end_us = int(t_us.min()), int(t_us.max())
    width_us = window_us or _WHOLE_US
    windows = (end_us - start_us) // width_us + 1
    if windows > WINDOWS_MAX:
        raise InvalidInput("is too short for a session this long", where="window_us")
    cut = Cut(start_us, width_us, pause_threshold_ms * 1000)
    parts = []
    for family in FAMILIES:
        matrix = family.columns.empty(windows)
        family.add(columns, cut, matrix)
        parts.append((family.columns, matrix))
    return Sums(tuple(parts))


def figures(total: Sums) -> dict[str, Any]:
    """Return the catalogue's columns for some sums, as Arrow arrays with nulls."""
    made = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for feature in CATALOGUE:
            values = np.asarray(feature.value(total), np.float64)
            too_few = feature.samples(total) < feature.samples_min
            made[feature.name] = pa.array(values, pa.float64(), mask=too_few)
    return made


def features(
    sessions: Iterable[pa.Table],
    *,
    window_us: int | None = None,
    pause_threshold_ms: int = PAUSE_THRESHOLD_MS,
) -> pa.Table:
    """Return one row a session, or one a window of `window_us`: schema `FEATURES`.

    Shifting a session in time changes nothing. Windows in which nothing happened have a row too.

    >>> from overt.datasets import rows
    >>> one = rows.table(4, {
    ...     "kind": [1, 2, 1, 2], "t_us": [0, 90_000, 200_000, 300_000], "slot": [1, 1, 1, 1]})
    >>> made = features([one])
    >>> made["presses"][0].as_py(), made["hold_us_mean"][0].as_py(), made["keys_per_s"][0].as_py()
    (2.0, 95000.0, 5.0)
    """
    room = Room()
    totals = [
        session_sums(events, window_us=window_us, pause_threshold_ms=pause_threshold_ms, room=room)
        for events in sessions
    ]
    if not totals:
        return FEATURES.empty_table()
    lengths = [len(total) for total in totals]
    window = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
    head = {
        "session": pa.array(np.repeat(np.arange(len(totals), dtype=np.int32), lengths)),
        "window": pa.array(window),
        "start_us": pa.array(window.astype(np.int64) * (window_us or 0)),
    }
    return pa.table({**head, **figures(joined(totals))}, schema=FEATURES)
