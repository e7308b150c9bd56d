"""Erasures of one person that overlap: each ends, none holds up another, and nothing stays."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from gateway_fixtures import join, new_store, sessions, upload
from overt.gateway import enrol, erase, retention
from overt.gateway.erasure import DONE, Job, load, unfinished
from overt.log.verify import verify
from overt.schema.errors import InvalidInput, NotConsented, OvertError, Withdrawn
from overt.store.store import Store

RECORDED = sessions(count=1)


@pytest.fixture
def there(tmp_path: Path) -> tuple[Store, enrol.Person]:
    store = new_store(tmp_path / "data")
    _, person = join(store)
    upload(store, person, RECORDED, minutes_ago=5)
    return store, person


def _begin_smaller(store: Store, person: enrol.Person, smaller: str) -> str:
    if smaller == "a purpose":
        return erase.begin(store, person, ["typing-assist"])
    return str(retention.delete_last(store, person, 60)["job"])


@pytest.mark.parametrize("smaller", ["a purpose", "the last minutes"])
@pytest.mark.parametrize("first", ["smaller", "everything"])
def test_leaving_while_a_smaller_erasure_is_under_way_ends_both(
    there: tuple[Store, enrol.Person], smaller: str, first: str
) -> None:
    store, person = there
    jobs = [_begin_smaller(store, person, smaller), erase.begin(store, person)]
    for job in jobs if first == "smaller" else reversed(jobs):
        erase.finish(store, job)
    assert not unfinished(store)
    for job in jobs:
        status = erase.status(store, job)
        assert status["certificate"]["bytes_found"] == 0
        assert verify(status["bundle"]).ok


def test_no_note_of_the_person_is_left_when_the_whole_erasure_is_certified(
    there: tuple[Store, enrol.Person],
) -> None:
    store, person = there
    smaller = _begin_smaller(store, person, "the last minutes")
    assert load(store, smaller).facts["deltas"]
    erase.finish(store, erase.begin(store, person))
    for _, step, facts in store.erasures():
        assert step == DONE
        assert "deltas" not in facts
        assert person.subject not in json.dumps(facts)


@pytest.mark.parametrize("step", ["stop", "log", "rows"])
def test_a_smaller_erasure_killed_early_and_overtaken_can_still_be_finished(
    there: tuple[Store, enrol.Person], step: str
) -> None:
    store, person = there
    job = load(store, erase.begin(store, person, ["typing-assist"]))
    facts = {name: job.facts[name] for name in job.facts if name not in ("needles", "deltas")}
    if step == "rows":
        facts |= {"needles": {}, "deltas": []}
    Job(store, job.id, step, facts).file(step)
    whole = erase.begin(store, person)
    assert set(erase.resume_erasures(store)) == {job.id, whole}
    assert not unfinished(store)


def test_who_left_after_a_backup_is_erased_again_when_it_is_put_in_place(
    there: tuple[Store, enrol.Person], tmp_path: Path
) -> None:
    store, person = there
    _, stays = join(store)
    made = store.backup(tmp_path / "backups")
    erase.finish(store, erase.begin(store, person))
    restored = made.place.rename(tmp_path / "restored")
    shutil.copy(store.layout.master_key, restored)
    with Store.open(restored) as back:
        assert back.keyring.subject(person.subject) is not None
        assert len(erase.again(back, store.layout.root)) == 1
        assert back.keyring.subject(person.subject) is None
        assert back.keyring.subject(stays.subject) is not None
        with pytest.raises(Withdrawn):
            enrol.by_device(back, person.receipt, "whatever")
        assert erase.again(back, store.layout.root) == []
        with pytest.raises(InvalidInput, match="the data directory itself"):
            erase.again(back, restored)


def test_of_many_who_erase_at_once_one_does(there: tuple[Store, enrol.Person]) -> None:
    store, person = there
    together, begun, said = threading.Barrier(4), [], []

    def leave() -> None:
        together.wait()
        try:
            begun.append(erase.begin(store, person, ["typing-assist"]))
        except OvertError as error:
            said.append(error)

    threads = [threading.Thread(target=leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1
    assert all(isinstance(error, NotConsented | Withdrawn) for error in said)
    assert [job for job, _, _ in store.erasures()] == begun


def test_an_erasure_that_cannot_be_finished_keeps_no_other_waiting(
    there: tuple[Store, enrol.Person],
) -> None:
    store, person = there
    job = load(store, erase.begin(store, person, ["typing-assist"]))
    stuck = {**job.facts, "purposes": ["typing-assist"], "since": 10**6, "begun_s": 0}
    store.put_erasure("00" * 16, "log", stuck)
    with pytest.raises(NotConsented):
        erase.resume_erasures(store)
    assert unfinished(store) == ["00" * 16]
    assert load(store, job.id).step == DONE
