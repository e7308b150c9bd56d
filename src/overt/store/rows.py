"""A batch sealed into a row, a row opened, and the entry of a row in the index."""

from __future__ import annotations

from overt.schema import batch as batches
from overt.schema.batch import BatchHeader
from overt.store.batches import Entry
from overt.store.entries import DataKey
from overt.store.seal import NONCE_BYTES, seal_with, unseal
from overt.store.segments import SealedRow, bound

FRESH_BYTES = 16 + NONCE_BYTES
"""Random bytes that a row needs: its id and its nonce."""


def seal_row(key: DataKey, receipt: str, wire: bytes, fresh: bytes) -> SealedRow:
    """Return a batch as received, sealed. `fresh` are random bytes that nothing else used."""
    row = fresh[:16].hex()
    associated = bound(row, key.row, receipt, key.purposes)
    return SealedRow(row, key.row, receipt, seal_with(key.cipher, fresh[16:], wire, associated))


def open_row(row: SealedRow, key: DataKey) -> bytes:
    """Return the batch in a sealed row, uncompressed. Raises `Damaged`."""
    associated = bound(row.row, row.data_key, row.receipt, key.purposes)
    return batches.inflate(unseal(key.key, row.sealed, associated, where=f"row {row.row}"))


def entry_of(
    row: SealedRow, segment: bytes, offset: int, session: bytes, header: BatchHeader, key: DataKey
) -> Entry:
    """Return the index entry of a row of `segment` (its 16 bytes) at `offset`."""
    return Entry(
        bytes.fromhex(row.row),
        bytes.fromhex(key.subject),
        bytes.fromhex(row.receipt),
        bytes.fromhex(row.data_key),
        segment,
        offset,
        len(row.sealed),
        session,
        header.batch,
        ",".join(key.purposes),
        key.day,
        header.first_seq,
        header.rows,
        header.produced,
        header.removed,
        header.lost,
        header.end,
    )
