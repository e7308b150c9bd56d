"""One person's events as they flow from the door to features, models and audit."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

ORIGINS = ("live", "imported", "synthetic")
"""Where a person's data came from. Live and imported are never in one study."""


@dataclass(frozen=True)
class SubjectEvents:
    """All readable sessions of one person in one study for one purpose.

    `tag` is 32 bytes, a keyed hash of the pseudonym: shard, split, seed and order of training
    come from it alone. `sessions` are tables of schema `overt.schema.event.EVENTS`, in order of
    time; nothing in them names the person. `time_origins_ms`, where they come from a device, are
    the time origins of these sessions, ms since 1970 (`overt.schema.alignment`).
    """

    tag: bytes = field(repr=False)
    origin: str
    sessions: tuple[pa.Table, ...] = field(repr=False)
    time_origins_ms: tuple[int, ...] = field(default=(), repr=False)
