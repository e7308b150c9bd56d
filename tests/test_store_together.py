"""Several processes on one data directory, and space given back."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from overt.schema.errors import Damaged, Refused
from overt.store.append import Outcome
from overt.store.control import Control
from overt.store.scan import Traces, scan
from overt.store.store import Store
from store_fixtures import join, new_store

SESSION = "ab" * 16
ERASE = """
import sys
from overt.store.store import Store
with Store.open(sys.argv[1]) as store:
    for subject in sys.argv[2:]:
        store.bury(subject)
        store.destroy_keys(subject)
        store.overwrite_rows(subject)
        store.delete_control_rows(subject)
    store.compact()
"""


def test_no_other_process_takes_the_database_for_its_own_and_deletes_its_log(
    tmp_path: Path,
) -> None:
    root = tmp_path / "d"
    with new_store(root) as store:
        join(store)
        with Store.open(root):
            assert scan(root, Traces({"key": b"not there at all"}), store) == []
        come_and_go = (
            "import sys\nfrom overt.store.store import Store\nStore.open(sys.argv[1]).close()"
        )
        assert subprocess.run([sys.executable, "-c", come_and_go, root], timeout=60).returncode == 0
        assert (root / "control.db-wal").exists()
        person = join(store)
    with Store.open(root) as store:
        assert store.control.grant(person.receipt) is not None


def test_erasing_in_another_process_while_uploads_go_on_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    with new_store(tmp_path / "d") as store:
        gone, stay = [join(store) for _ in range(4)], [join(store) for _ in range(2)]
        outcomes: dict[str, list[Outcome]] = {p.subject: [] for p in gone + stay}
        done = threading.Event()

        def upload() -> None:
            number = 0
            while not done.is_set() or number < 5:
                items = [p.incoming(SESSION, number) for p in gone + stay]
                for p, outcome in zip(gone + stay, store.append_batches(items), strict=True):
                    outcomes[p.subject].append(outcome)
                number += 1

        thread = threading.Thread(target=upload)
        thread.start()
        subjects = [p.subject for p in gone]
        command = [sys.executable, "-c", ERASE, str(tmp_path / "d"), *subjects]
        assert subprocess.run(command, timeout=60).returncode == 0
        done.set()
        thread.join()
        for person in gone:
            seen = outcomes[person.subject]
            first = seen.index(Outcome.WITHDRAWN) if Outcome.WITHDRAWN in seen else len(seen)
            assert set(seen[:first]) <= {Outcome.STORED}
            assert set(seen[first:]) <= {Outcome.WITHDRAWN}
            assert store.batches_of(person.subject) == []
            assert store.append_batches([person.incoming(SESSION, 99_999)]) == [Outcome.WITHDRAWN]
        kept = sum(len(outcomes[p.subject]) for p in stay)
        assert kept == sum(len(list(store.read(store.batches_of(p.subject)))) for p in stay)
        rows = [r for name in store.segments.names() for _, _, r in store.segments.rows(name)]
        assert sum(row is not None for row in rows) == kept


def test_compaction_gives_space_back_and_loses_nothing(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        gone, stay = join(store), join(store)
        for n in range(20):
            store.append_batches([gone.incoming(SESSION, n), gone.incoming("cd" * 16, n)])
        store.append_batches([stay.incoming(SESSION, n) for n in range(3)])
        before = store.batches_of(stay.subject)
        store.bury(gone.subject)
        store.destroy_keys(gone.subject)
        store.overwrite_rows(gone.subject)
        store.delete_control_rows(gone.subject)
        size = sum(p.stat().st_size for p in store.layout.segments.iterdir())
        freed = store.compact()
        assert freed > 0
        assert sum(p.stat().st_size for p in store.layout.segments.iterdir()) < size / 5
        # Places listed before still lead to the rows.
        assert len(list(store.read(before))) == 3
        assert store.append_batches([stay.incoming(SESSION, 7)]) == [Outcome.STORED]
        assert store.compact() == 0
    with Store.open(tmp_path / "d") as store:
        assert [p.batch for p in store.batches_of(stay.subject)] == [0, 1, 2, 7]
        assert len(list(store.read(store.batches_of(stay.subject)))) == 4


def test_a_row_moved_to_another_place_or_key_does_not_open(tmp_path: Path) -> None:
    """The row's ids and purposes are authenticated: swapping rows is noticed."""
    with new_store(tmp_path / "d") as store:
        person = join(store)
        store.append_batches([person.incoming(SESSION, n) for n in range(2)])
        one, two = store.batches_of(person.subject)
        segment = store.layout.segment(one.segment)
        raw = bytearray(segment.read_bytes())
        flipped = one.offset + 64 + one.length // 2
        raw[flipped] ^= 1
        segment.write_bytes(raw)
        with pytest.raises(Damaged):
            list(store.read([one]))
        raw[flipped] ^= 1
        a = slice(one.offset + 64, one.offset + 64 + min(one.length, two.length))
        b = slice(two.offset + 64, two.offset + 64 + min(one.length, two.length))
        raw[a], raw[b] = raw[b], raw[a]
        segment.write_bytes(raw)
        with pytest.raises(Damaged):
            list(store.read([one]))
        assert len(raw) == segment.stat().st_size


def test_a_purge_that_a_reader_keeps_from_finishing_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overt.store.database.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "control.db"
    control = Control(path, create=True)
    control.put_study("s", "live", b"")
    with control.read() as reader:
        reader.exec_driver_sql("SELECT * FROM study").fetchall()
        control.count({"x": 1})
        with pytest.raises(Refused):
            control.purge()
    control.purge()
    assert Path(f"{path}-wal").stat().st_size == 0
    control.close()
