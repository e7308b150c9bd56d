"""Every limit of the wire and the store in one place, each with its reason."""

from __future__ import annotations

BATCH_ROWS_MAX = 4096
"""Events in one batch. Hundreds are usual; more only makes a lost batch dearer."""

BATCH_HEADER_BYTES_MAX = 4096
"""The JSON header of a batch is about 600 bytes."""

WIRE_BYTES_MAX = 256 * 1024
"""Body of one POST as it arrives. A full batch is under 160 kB uncompressed."""

INFLATED_BYTES_MAX = 512 * 1024
"""What a compressed body may inflate to; guards against compression bombs."""

DT_US_MIN = -60_000_000
"""Coalesced pointer samples carry times before events already dispatched; a minute is generous."""

DT_US_MAX = 2**31 - 1
"""A 32-bit µs delta overflows after 35 minutes: a longer gap starts a new batch."""

POSITION_8TH_MAX = 2**15 - 1
"""Position delta in eighths of a CSS pixel (±4,095 px); a longer jump starts a new batch."""

SESSION_SEQ_MAX = 2**40
"""Sequence numbers stay exact in a JavaScript number."""

TOKEN_TTL_S = 15 * 60
"""Access tokens are short; the device refreshes them with its secret."""
