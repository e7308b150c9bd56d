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

GROUP_BATCHES_MAX = 512
"""Batches in one group commit: bounds its memory and how long the write lock is held."""

RECEIPT_PENDING_MAX = 16
"""Batches of one receipt waiting to be durable; a device sends one after the other."""

PENDING_BYTES_MAX = 64 * 1024 * 1024
"""Bytes waiting to be durable over all devices; beyond it the disk is the limit: 503."""

GRANTS_KEPT_MAX = 65_536
"""Receipts whose grant the collector keeps in memory between batches."""

RETRY_AFTER_S = 2
"""What 429 and 503 tell the device to wait."""

COUNTERS_WRITTEN_EVERY_S = 1.0
"""Refusals are counted in memory; a crash loses at most this much of the counting."""
