"""The door: nothing is read without a receipt of that moment, and nothing without an entry."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fixtures import ALL, STUDY, join, new_store, sessions, upload
from overt.consent.policy import ACTIONS, ROLES, TABLE
from overt.gateway import enrol, erase, population, studies
from overt.gateway.door import Door
from overt.gateway.ledger import log_of, openings_of, record
from overt.schema.errors import OvertError, Refused
from overt.schema.event import Kind
from overt.schema.purpose import PURPOSES, purposes_for
from overt.schema.study import template
from overt.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path / "data")


def _kinds(store: Store) -> list[str]:
    return [entry.kind for entry in log_of(store).entries()]


def test_what_was_recorded_for_a_purpose_comes_back_and_nothing_else(store: Store) -> None:
    _, person = join(store)
    recorded = sessions(count=1)
    upload(store, person, recorded)
    for purpose in ALL:
        (read,) = Door(store, "test", "trainer").people(STUDY, purpose, "train")
        assert read.origin == "live"
        wanted = [
            purpose in purposes_for(Kind(kind), ALL)
            for kind in recorded[0].column("kind").to_pylist()
        ]
        assert read.sessions[0].equals(recorded[0].filter(wanted).combine_chunks())


def test_a_purpose_that_was_not_consented_to_yields_nobody(store: Store) -> None:
    _, person = join(store, ("typing-assist",))
    upload(store, person, sessions(count=1), ("typing-assist",))
    door = Door(store, "test", "trainer")
    assert len(list(door.people(STUDY, "typing-assist", "train"))) == 1
    assert list(door.people(STUDY, "next-action", "train")) == []


def test_withdrawing_between_choosing_and_opening_closes_the_door(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))
    door = Door(store, "test", "trainer")
    (selected,) = door.select(STUDY, "next-action", "train")
    store.control.withdraw(person.receipt, ["next-action"])
    assert door.open(selected, "next-action", "train") is None


def test_each_read_is_an_entry_that_the_person_can_open(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))
    list(Door(store, "nightly job", "trainer").people(STUDY, "next-action", "train"))
    assert _kinds(store)[-1] == "read"
    opened = openings_of(store, person.subject)[-1]
    assert opened.n == log_of(store).size - 1
    assert opened.detail["reader"] == "nightly job"
    assert opened.detail["purpose"] == "next-action"


def test_the_read_is_logged_before_anything_is_open(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))
    Door(store, "test", "trainer").select(STUDY, "next-action", "train")
    assert _kinds(store)[-1] == "read"


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([*ROLES, "root", ""]),
    st.sampled_from([*ACTIONS, "dump", ""]),
    st.sampled_from([*PURPOSES, "mood", ""]),
)
def test_what_the_table_does_not_list_is_refused_and_the_refusal_is_logged(
    tmp_path_factory: pytest.TempPathFactory, role: str, action: str, purpose: str
) -> None:
    store = new_store(tmp_path_factory.mktemp("door") / "data")
    try:
        if action in TABLE.get(role, {}).get(purpose, ()):
            assert list(Door(store, "test", role).people(STUDY, purpose, action)) == []
            assert _kinds(store) == ["read"]
        else:
            with pytest.raises(Refused):
                list(Door(store, "test", role).people(STUDY, purpose, action))
            assert _kinds(store) == ["refusal"]
    finally:
        store.close()


def test_an_unknown_study_is_refused_and_logged(store: Store) -> None:
    with pytest.raises(OvertError, match="no such study"):
        list(Door(store, "test", "trainer").people("nowhere", "next-action", "train"))
    assert _kinds(store) == ["refusal"]


def test_any_error_in_a_check_means_no(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))

    def broken(_subject: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(store.control, "receipts_of", broken)
    with pytest.raises(Refused, match="could not be carried out"):
        list(Door(store, "test", "trainer").people(STUDY, "next-action", "train"))
    assert _kinds(store)[-1] == "refusal"


def test_live_and_imported_people_are_never_read_together(store: Store) -> None:
    subject = store.add_subject(STUDY, "imported")
    store.put_receipt("ab" * 16, subject, ALL, "keys", b"{}")
    with pytest.raises(Refused, match="never read together"):
        list(Door(store, "test", "trainer").people(STUDY, "next-action", "train"))


def test_synthetic_people_stay_out_of_imported_studies_and_live_ones_cannot_join_them(
    store: Store,
) -> None:
    studies.register(store, template("published", "Published", "imported").encode())
    with pytest.raises(Refused):
        population.fill(store, "published", 1)
    with pytest.raises(Refused):
        population.import_people(store, STUDY, "aalto", Path("nowhere"))
    with pytest.raises(Refused):
        enrol.join(store, "published", ("next-action",), "0" * 64)


def test_synthetic_people_say_what_they_are(store: Store) -> None:
    population.fill(store, STUDY, 1, minutes=0.3)
    (read,) = Door(store, "test", "trainer").people(STUDY, "next-action", "train")
    assert read.origin == "synthetic"


def test_a_participant_reads_only_their_own_rows(store: Store) -> None:
    _, mine = join(store)
    _, other = join(store)
    upload(store, mine, sessions(1, count=1))
    upload(store, other, sessions(2, count=1))
    (session,) = Door(store, "device", "participant").own(mine, "export-own").sessions
    assert session.equals(sessions(1, count=1)[0].combine_chunks())
    with pytest.raises(Refused):
        Door(store, "device", "researcher").own(mine, "export-own")
    upload(store, mine, sessions(3, count=1), ("typing-assist",))
    store.control.withdraw(mine.receipt, ["typing-assist"])  # an erasure that was cut off here
    (session,) = Door(store, "device", "participant").own(mine, "export-own").sessions
    assert session.equals(sessions(1, count=1)[0].combine_chunks())


def test_after_an_erasure_there_is_nothing_to_read(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))
    erase.begin(store, person)
    assert list(Door(store, "test", "trainer").people(STUDY, "next-action", "train")) == []


def test_somebody_who_leaves_while_a_read_is_logged_does_not_end_it(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        (_, leaving), (_, staying) = join(store), join(store)
        erase.begin(store, leaving)
        made = record(store, "read", STUDY, {"event": "read"}, [leaving.subject, staying.subject])
        assert [o.n for o in openings_of(store, staying.subject)][-1] == made[1].n
        assert log_of(store).size > made[1].n
