"""A sealed row opened, and its place in the index."""

from __future__ import annotations

from overt.schema import batch as batches
from overt.schema.batch import BatchHeader
from overt.store.batches import BatchPlace
from overt.store.keyring import DataKey
from overt.store.seal import unseal
from overt.store.segments import SealedRow, bound


def open_row(row: SealedRow, key: DataKey) -> bytes:
    """Return the batch in a sealed row, uncompressed. Raises `Damaged`."""
    associated = bound(row.row, row.data_key, row.receipt, key.purposes)
    return batches.inflate(unseal(key.key, row.sealed, associated, where=f"row {row.row}"))


def place_of(
    row: SealedRow, segment: str, offset: int, session: str, header: BatchHeader, key: DataKey
) -> BatchPlace:
    """Return the index entry of a row of `segment` at `offset`."""
    return BatchPlace(
        row=row.row,
        subject=key.subject,
        receipt=row.receipt,
        data_key=row.data_key,
        segment=segment,
        offset=offset,
        length=len(row.sealed),
        session=session,
        batch=header.batch,
        purposes=key.purposes,
        day=key.day,
        first_seq=header.first_seq,
        events=header.rows,
        produced=header.produced,
        removed=header.removed,
        lost=header.lost,
        end=header.end,
    )
