from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from overt.schema.errors import Missing
from overt.store.append import Outcome
from overt.store.store import Store
from store_fixtures import STUDY, join, new_store

SESSION = "ab" * 16


def test_what_was_stored_is_read_back_byte_for_byte_after_reopening(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        sent = [person.incoming(SESSION, n) for n in range(3)]
        assert store.append_batches(sent) == [Outcome.STORED] * 3
    with Store.open(tmp_path / "d") as store:
        got = [plain for _, plain in store.read(store.batches_of(person.subject))]
        import gzip

        assert got == [gzip.decompress(item.wire) for item in sent]
        assert store.stored_counts(person.subject) == {
            "sessions": 1, "batches": 3, "events": 180, "produced": 1_000_000, "removed": 0,
            "lost": 0, "unclean": 1,
        }  # fmt: skip
        assert store.subjects(STUDY) == [person.subject]
        assert store.receipt(person.receipt) == b'{"receipt": "document"}'


def test_a_batch_is_stored_once_in_one_call_and_in_two(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person, other = join(store), join(store)
        one = person.incoming(SESSION, 0)
        assert store.append_batches([one, one]) == [Outcome.STORED, Outcome.HAVE]
        assert store.append_batches([one]) == [Outcome.HAVE]
        # Another person with the same session id is not kept out by it.
        assert store.append_batches([other.incoming(SESSION, 0)]) == [Outcome.STORED]
        assert len(store.batches_of(person.subject)) == 1


def test_after_withdrawal_nothing_more_is_stored(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store, ("next-action", "typing-assist"))
        store.control.withdraw(person.receipt, ["next-action"])
        only = {"purposes": ("next-action",)}
        both = {"purposes": ("next-action", "typing-assist")}
        more = {"purposes": ("person-or-program", "typing-assist")}  # one was never granted
        outcomes = store.append_batches(
            [
                person.incoming(SESSION, 0, **only),
                person.incoming(SESSION, 1, **both),
                person.incoming(SESSION, 2, **more),
            ]
        )
        assert outcomes == [Outcome.WITHDRAWN, Outcome.STORED, Outcome.WITHDRAWN]
        store.control.withdraw(person.receipt)
        assert store.append_batches([person.incoming(SESSION, 3)]) == [Outcome.WITHDRAWN]


def test_erasing_a_person_leaves_others_alone_and_refuses_them_for_good(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person, other = join(store), join(store)
        for n in range(3):
            store.append_batches([person.incoming(SESSION, n), other.incoming(SESSION, n)])
        for _ in range(2):  # every step may be repeated
            store.bury(person.subject)
            store.destroy_keys(person.subject)
            store.overwrite_rows(person.subject)
        store.delete_control_rows(person.subject)
        store.purge()
        assert store.is_gone(person.receipt)
        assert store.batches_of(person.subject) == []
        assert store.append_batches([person.incoming(SESSION, 9)]) == [Outcome.WITHDRAWN]
        assert len(list(store.read(store.batches_of(other.subject)))) == 3
        with pytest.raises(Missing):
            store.receipt(person.receipt)


def test_deleted_batches_are_gone_and_do_not_come_back(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        sent = [person.incoming(SESSION, n) for n in range(3)]
        store.append_batches(sent)
        places = store.batches_of(person.subject)
        assert store.delete_batches([places[1].row]).events == 60
        assert store.delete_batches([places[1].row]).events == 0
        assert [place.batch for place in store.batches_of(person.subject)] == [0, 2]
        assert len(list(store.read(places))) == 2
        assert store.append_batches([sent[1]]) == [Outcome.HAVE]


def test_artefacts_know_their_members_and_die_whole(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        one, two = join(store), join(store)
        row = store.artefacts.put("model", STUDY, "next-action", "m", b"weights", [one.subject])
        both = store.artefacts.put(
            "features", STUDY, "next-action", "f", b"", [one.subject, two.subject]
        )
        assert store.artefacts.get(row) == b"weights"
        assert [a.row for a in store.artefacts.with_member(one.subject)] == [row, both]
        assert [a.row for a in store.artefacts.with_member(two.subject)] == [both]
        store.artefacts.destroy(row)
        store.artefacts.destroy(row)
        with pytest.raises(Missing):
            store.artefacts.get(row)
    with Store.open(tmp_path / "d") as store:
        assert [a.row for a in store.artefacts.filed(kind="features")] == [both]


def test_a_group_is_begun_without_waiting_or_not_at_all(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        items = [person.incoming(SESSION, n) for n in range(4)]
        assert store.begin_append(items[:1], wait=False) is None, "a key of the day is missing"
        assert store.append_batches(items[:1]) == [Outcome.STORED]
        other = sqlite3.connect(store.layout.control, isolation_level=None)
        other.execute("BEGIN IMMEDIATE").close()
        assert store.begin_append(items[1:2], wait=False) is None, "another holds the lock"
        other.close()
        begun = store.begin_append(items[1:3], wait=False)
        assert begun is not None
        assert store.begin_append(items[3:], wait=False) is None, "one after the other"
        assert len(store.batches_of(person.subject)) == 1
        assert begun.finish() == [Outcome.STORED] * 2
        assert len(store.batches_of(person.subject)) == 3
        given_up = store.begin_append(items[3:], wait=False)
        assert given_up is not None
        given_up.give_up()
        assert len(store.batches_of(person.subject)) == 3
        assert store.append_batches(items) == [Outcome.HAVE] * 3 + [Outcome.STORED]
        assert len(list(store.read(store.batches_of(person.subject)))) == 4
