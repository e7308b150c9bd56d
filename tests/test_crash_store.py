"""What a crash between any two steps leaves is finished when the store is opened next."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.store.append import Outcome
from overt.store.control import Control
from overt.store.keyring import Keyring
from overt.store.segments import Segments
from overt.store.store import Store
from store_fixtures import join, new_store

SESSION = "ab" * 16


class Crash(BaseException):
    """Stands for the end of the process."""


def crashing(*_: Any, **__: Any) -> Any:
    raise Crash


def test_a_batch_that_was_durable_but_not_indexed_is_there_after_reopening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        first, second = person.incoming(SESSION, 0), person.incoming(SESSION, 1)
        store.append_batches([first])
        with monkeypatch.context() as patched:
            patched.setattr(Control, "index", crashing)
            with pytest.raises(Crash):
                store.append_batches([second])
        assert len(store.batches_of(person.subject)) == 1
    with Store.open(tmp_path / "d") as store:
        assert [place.batch for place in store.batches_of(person.subject)] == [0, 1]
        assert len(list(store.read(store.batches_of(person.subject)))) == 2
        assert store.append_batches([first, second]) == [Outcome.HAVE] * 2


def test_a_batch_sent_again_after_a_lost_commit_is_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        item = person.incoming(SESSION, 0)
        with monkeypatch.context() as patched:
            patched.setattr(Control, "index", crashing)
            with pytest.raises(Crash):
                store.append_batches([item])
        assert store.append_batches([item]) == [Outcome.STORED]
    with Store.open(tmp_path / "d") as store:
        assert len(store.batches_of(person.subject)) == 1
        names = store.segments.names()
        rows = [row for name in names for _, _, row in store.segments.rows(name)]
        assert sorted(row is not None for row in rows) == [False, True], "one of two is dead"
        assert len(list(store.read(store.batches_of(person.subject)))) == 1


ERASING = ("bury", "destroy_keys", "overwrite_rows", "delete_control_rows")


@pytest.mark.parametrize("steps", [1, 4], ids=["cut off at once", "whole"])
def test_what_an_erased_person_left_in_a_tail_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        with monkeypatch.context() as patched:
            patched.setattr(Control, "index", crashing)
            with pytest.raises(Crash):
                store.append_batches([person.incoming(SESSION, 0)])
        for step in ERASING[:steps]:
            getattr(store, step)(person.subject)
    with Store.open(tmp_path / "d") as store:
        rows = [r for name in store.segments.names() for _, _, r in store.segments.rows(name)]
        assert rows == [None]


@pytest.mark.parametrize("step", ERASING)
@pytest.mark.parametrize("where", [(Segments, "overwrite"), (Keyring, "_put"), (Control, "write")])
def test_an_erasure_interrupted_anywhere_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, where: tuple[Any, str]
) -> None:
    steps = ERASING
    with new_store(tmp_path / "d") as store:
        person, other = join(store), join(store)
        for n in range(3):
            store.append_batches([person.incoming(SESSION, n), other.incoming(SESSION, n)])
        for name in steps[: steps.index(step)]:
            getattr(store, name)(person.subject)
        with monkeypatch.context() as patched:
            patched.setattr(*where, crashing)
            with contextlib.suppress(Crash):
                getattr(store, step)(person.subject)
    with Store.open(tmp_path / "d") as store:
        for name in steps:
            getattr(store, name)(person.subject)
        store.purge()
        assert store.is_gone(person.receipt)
        assert store.keyring.subject(person.subject) is None
        assert store.keyring.data_keys(person.subject) == []
        rows = [r for name in store.segments.names() for _, _, r in store.segments.rows(name)]
        assert [row is None for row in rows] == [True, False] * 3
        assert len(list(store.read(store.batches_of(other.subject)))) == 3


@given(st.integers(0, 10**9), st.binary(max_size=80))
@settings(max_examples=12, deadline=None)
def test_a_tail_torn_at_any_byte_leaves_every_whole_row(
    tmp_path_factory: pytest.TempPathFactory, cut: int, rubbish: bytes
) -> None:
    """Power loss: the database is behind, the segment ends anywhere, with rubbish behind it."""
    root = tmp_path_factory.mktemp("torn") / "d"
    with new_store(root) as store:
        person = join(store)
        store.append_batches([person.incoming(SESSION, 0)])
        store.purge()
    with Store.open(root) as store:
        shutil.copy(store.layout.control, root / "behind")
        store.append_batches([person.incoming(SESSION, n) for n in (1, 2)])
        store.append_batches([person.incoming(SESSION, 3)])
        places = store.batches_of(person.subject)
        segment = store.layout.segment(places[0].segment)
    (root / "behind").rename(store.layout.control)
    for extra in ("-wal", "-shm"):
        (root / f"control.db{extra}").unlink(missing_ok=True)
    indexed = places[1].offset
    end = indexed + cut % (segment.stat().st_size - indexed + 1)
    segment.write_bytes(segment.read_bytes()[:end] + rubbish)
    with Store.open(root) as store:
        whole = [p.batch for p in places if p.offset + 64 + p.length <= end]
        assert [p.batch for p in store.batches_of(person.subject)] == whole
        ends = [end for _, end, _ in store.segments.rows(places[0].segment)]
        assert segment.stat().st_size == ends[-1], "what is no row was cut off"
        assert len(list(store.read(store.batches_of(person.subject)))) == len(whole)
        again = [person.incoming(SESSION, n) for n in range(5)]
        assert [o is Outcome.HAVE for o in store.append_batches(again)] == [
            n in whole for n in range(5)
        ]
        assert len(list(store.read(store.batches_of(person.subject)))) == 5


def test_a_row_that_was_only_half_written_is_overwritten_and_can_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header got to the disk, its last page did not: zeros stand there."""
    with new_store(tmp_path / "d") as store:
        person = join(store)
        item = person.incoming(SESSION, 0)
        with monkeypatch.context() as patched:
            patched.setattr(Control, "index", crashing)
            with pytest.raises(Crash):
                store.append_batches([item])
        segment = store.layout.segment(store.segments.names()[0])
    raw = segment.read_bytes()
    segment.write_bytes(raw[:-400] + bytes(400))
    with Store.open(tmp_path / "d") as store:
        assert store.batches_of(person.subject) == []
        assert store.append_batches([item]) == [Outcome.STORED]
        assert len(list(store.read(store.batches_of(person.subject)))) == 1
