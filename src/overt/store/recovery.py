"""What a crash left in segments, and giving space back: both under the database's write lock."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overt.schema import batch as batches
from overt.schema.errors import Damaged, InvalidInput
from overt.store.batches import Entry
from overt.store.database import bare
from overt.store.rows import entry_of, open_row
from overt.store.segments import ALIGN_BYTES, SealedRow

if TYPE_CHECKING:
    from overt.store.store import Store


def recover(store: Store) -> None:
    """Index whole rows that were durable but not yet indexed; cut off torn tails.

    A row that does not open, whose key is gone, or whose number is taken, is overwritten: none
    of these was acknowledged. Segments another process appends to are left to it.
    """
    with store.control.write() as connection:
        ends = store.control.segment_ends(connection)
        for name in store.segments.names():
            descriptor = store.segments.claim(name)
            if descriptor is None:
                continue
            end = _recover_tail(store, bare(connection), name, ends.get(name, ALIGN_BYTES))
            store.segments.adopt(name, descriptor, end)
    store.artefacts.sweep()


def _recover_tail(store: Store, connection: sqlite3.Connection, name: str, start: int) -> int:
    entries: list[Entry] = []
    dead, end = [], start
    for offset, row_end, row in store.segments.rows(name, start):
        end = row_end
        if row is None:
            continue
        entry = _rebuilt(store, connection, name, offset, row, entries)
        if entry is None:
            dead.append((offset, len(row.sealed)))
        else:
            entries.append(entry)
    if dead:
        store.segments.overwrite(name, dead)
    if entries:
        store.control.index(connection, entries, end)
    elif end != start or start == ALIGN_BYTES:
        store.control.set_segment_end(connection, name, end)
    return end


def _rebuilt(
    store: Store,
    connection: sqlite3.Connection,
    name: str,
    offset: int,
    row: SealedRow,
    before: Sequence[Entry],
) -> Entry | None:
    key = store.keyring.data_key_by_row(row.data_key)
    grant = store.control.grants_in(connection, [row.receipt]).get(row.receipt)
    if key is None or grant is None or not set(key.purposes) & set(grant.active):
        return None
    try:
        header, _ = batches.read_header(open_row(row, key))
    except (Damaged, InvalidInput):
        return None
    session = store.session_of(grant.subject, header.session)
    number = (session, header.batch)
    if store.control.held(connection, [number]) or number in {
        (entry.session, entry.batch) for entry in before
    }:
        return None
    return entry_of(row, bytes.fromhex(name), offset, session, header, key)


def compact(store: Store) -> int:
    """Rewrite segments that are mostly dead and that nobody appends to; return bytes freed."""
    store.segments.close()
    return sum(_compact(store, name) for name in store.segments.names())


def _compact(store: Store, name: str) -> int:
    descriptor = store.segments.claim(name)
    if descriptor is None:
        return 0
    try:
        with store.control.write() as connection:
            places = store.control.batches_in(connection, segment_name=name)
            size = store.layout.segment(name).stat().st_size
            live = sum(store.segments.span(place.length) for place in places)
            if 2 * live > size:
                return 0
            end = 0
            if places:
                rows = [store.segments.read(name, p.offset, p.length) for p in places]
                fresh, offsets, end = store.segments.append(rows)
                store.control.move(connection, [p.row for p in places], fresh, offsets, end)
            store.control.drop_segment(connection, name)
        if end:
            store.segments.settle(end)
        store.layout.segment(name).unlink()
    except BaseException:
        store.segments.close()
        raise
    finally:
        os.close(descriptor)
    return size - live
