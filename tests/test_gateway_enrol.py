"""Joining: bound to the exact notice, provable later, and known only by what the person holds."""

import sqlite3
from pathlib import Path

import pytest

from gateway_fixtures import ALL, STUDY, join, new_store, sessions, upload
from overt.consent.notice import notice_sha256
from overt.gateway import enrol, erase, export, retention, risk
from overt.gateway.erasure import unfinished
from overt.gateway.ledger import log_of
from overt.gateway.streams import Origin, batches_of
from overt.gateway.studies import register, study_of
from overt.log.verify import verify
from overt.schema.errors import InvalidInput, NotConsented, OvertError, Refused, Withdrawn
from overt.store.append import Incoming, Outcome, gzipped
from overt.store.control import today
from overt.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path / "data")


def test_another_notice_than_the_studys_is_refused_and_nobody_is_enrolled(store: Store) -> None:
    for wrong in ("0" * 64, notice_sha256(study_of(store, STUDY), "en")[:-1]):
        with pytest.raises(InvalidInput, match="notice"):
            enrol.join(store, STUDY, ALL, wrong)
    assert store.subjects(STUDY) == []
    assert log_of(store).size == 0


@pytest.mark.parametrize("purposes", [(), ("mood",), ("next-action", "advertising")])
def test_no_purpose_or_one_the_study_does_not_have_is_refused(
    store: Store, purposes: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput):
        join(store, purposes)
    assert store.subjects(STUDY) == []


def test_the_receipt_verifies_against_the_log(store: Store) -> None:
    joined, person = join(store)
    assert verify(export.proof(store, person), joined.receipt).ok


def test_a_person_is_known_by_token_device_or_recovery_code_and_by_nothing_else(
    store: Store,
) -> None:
    joined, person = join(store)
    other, _ = join(store)
    receipt, token = joined.receipt, joined.token
    assert enrol.by_device(store, person.receipt, joined.device_secret) == person
    assert enrol.by_recovery(store, receipt["recovery_code"].lower()) == person
    assert enrol.refresh_token(store, person.receipt, joined.device_secret).expires_s > 0
    for attempt in (
        lambda: enrol.by_device(store, person.receipt, other.device_secret),
        lambda: enrol.by_device(store, "0" * 32, joined.device_secret),
        lambda: enrol.by_device(store, "not hex", joined.device_secret),
        lambda: enrol.by_token(store, token[:-9] + ("B" if token[-9] == "A" else "A") + token[-8:]),
        lambda: enrol.by_recovery(store, "0000-0000-0000-0000-0000-0000-0000"),
    ):
        with pytest.raises(OvertError) as refused:
            attempt()
        assert joined.device_secret not in str(refused.value)


def test_no_secret_and_no_pseudonym_is_in_the_control_database(store: Store) -> None:
    joined, person = join(store)
    pseudonym = store.keyring.traces(person.subject)["pseudonym"]
    code = joined.receipt["recovery_code"]
    store.purge()
    with sqlite3.connect(store.layout.control) as database:
        dump = "\n".join(database.iterdump()).encode()
    raw = store.layout.control.read_bytes() + store.layout.keyring.read_bytes() + dump
    for secret in (
        pseudonym,
        pseudonym.hex().encode(),
        code.encode(),
        joined.device_secret.encode(),
    ):
        assert secret not in raw


def test_everything_of_a_person_is_in_their_export(store: Store) -> None:
    joined, person = join(store)
    recorded = sessions(count=2)
    upload(store, person, recorded)
    everything = export.export(store, person)
    assert "recovery_code" not in everything["receipt"]
    assert everything["receipt"]["receipt_id"] == joined.receipt["receipt_id"]
    assert [s["t_us"] for s in everything["sessions"]] == [
        session.column("t_us").to_pylist() for session in recorded
    ]
    assert {entry["detail"]["event"] for entry in everything["log"]} >= {"consent", "read"}


def test_withdrawing_one_purpose_removes_what_only_it_covered_and_nothing_else(
    store: Store,
) -> None:
    joined, person = join(store)
    upload(store, person, sessions(count=1))
    before = {p.row: p for p in store.batches_of(person.subject)}
    only = {row for row, p in before.items() if p.purposes == ("person-or-program",)}
    assert only
    assert len(only) < len(before)
    certificate = erase.finish(store, erase.begin(store, person, ["person-or-program"]))
    assert {p.row for p in store.batches_of(person.subject)} == before.keys() - only
    assert len(list(store.read(store.batches_of(person.subject)))) == len(before) - len(only)
    assert certificate["scope"] == "purposes"
    assert certificate["bytes_found"] == 0
    state = enrol.state(store, person)
    assert state["purposes"] == ["next-action", "typing-assist"]
    assert enrol.by_token(store, joined.token) == person
    with pytest.raises(NotConsented):
        erase.begin(store, person, ["person-or-program"])
    assert not unfinished(store), "what is refused leaves nothing to be finished"
    late = upload(store, person, sessions(5, count=1))
    assert set(late) == {Outcome.STORED, Outcome.WITHDRAWN}


def test_the_receipt_says_what_is_left_after_a_purpose_was_withdrawn(store: Store) -> None:
    joined, person = join(store)
    erase.finish(store, erase.begin(store, person, ["person-or-program"]))
    now = enrol.receipt_of(store, person)
    left = [item["purpose"] for item in now["processing"]["purposes"]]
    assert left == ["next-action", "typing-assist"]
    proof = export.proof(store, person)
    assert verify(proof, now).ok
    assert verify(proof, joined.receipt).ok
    assert enrol.by_recovery(store, joined.receipt["recovery_code"]) == person


def test_withdrawing_all_purposes_one_by_one_is_leaving(store: Store) -> None:
    joined, person = join(store, ("next-action", "typing-assist"))
    upload(store, person, sessions(count=1), ("next-action", "typing-assist"))
    erase.finish(store, erase.begin(store, person, ["next-action"]))
    certificate = erase.finish(store, erase.begin(store, person, ["typing-assist"]))
    assert certificate["scope"] == "person"
    assert store.keyring.subject(person.subject) is None
    with pytest.raises(Withdrawn):
        enrol.by_token(store, joined.token)
    with pytest.raises(Refused):
        enrol.by_recovery(store, joined.receipt["recovery_code"])


def test_deleting_the_last_minutes_takes_whole_batches_and_keeps_the_rest(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(1, count=1), minutes_ago=60)
    old = {p.row for p in store.batches_of(person.subject)}
    upload(store, person, sessions(2, count=1), minutes_ago=5)  # it ended within them
    upload(store, person, sessions(4, count=1), minutes_ago=0.1)
    upload(store, person, sessions(3, count=1), minutes_ago=30 * 365 * 24 * 60)  # a clock set wrong
    done = retention.delete_last(store, person, 5)
    assert {p.row for p in store.batches_of(person.subject)} == old
    assert done["batches"] > 0
    certificate = erase.finish(store, done["job"])
    assert certificate["bytes_found"] == 0
    again = upload(store, person, sessions(1, count=1), minutes_ago=60)
    assert set(again) == {Outcome.STORED}, "a new session is taken as before"


def test_what_was_deleted_does_not_come_back_by_sending_it_again(store: Store) -> None:
    _, person = join(store)
    origin = Origin(
        source="sdk/test",
        study=STUDY,
        receipt=person.receipt,
        purposes=ALL,
        level="rhythm",
        transform="rhythm/0",
        time_origin_ms=0,
        clock_resolution_us=100,
    )
    items = [Incoming(b.header, gzipped(b.plain)) for b in batches_of(sessions(count=1)[0], origin)]
    assert set(store.append_batches(items)) == {Outcome.STORED}
    retention.delete_last(store, person, 60)
    assert store.batches_of(person.subject) == []
    assert set(store.append_batches(items)) == {Outcome.HAVE}


def test_what_is_kept_long_enough_is_erased_and_logged(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))
    days = study_of(store, STUDY).retention_days
    assert retention.expire(store, day=today() + days)["studies"] == {}
    done = retention.expire(store, day=today() + days + 1)
    assert done["studies"][STUDY]["events"] > 0
    assert store.batches_of(person.subject) == []
    assert store.keyring.data_keys(person.subject) == []
    assert [entry.kind for entry in log_of(store).entries()].count("retention") == 1
    assert enrol.state(store, person)["state"] == "given"


def test_a_study_that_keeps_for_longer_keeps_nobody_longer_than_they_were_told(
    store: Store,
) -> None:
    _, told_less = join(store)
    upload(store, told_less, sessions(count=1))
    study = study_of(store, STUDY)
    row = store.control.study(STUDY)
    assert row is not None
    text = row.document.decode()
    longer = text.replace(f"retention_days = {study.retention_days}", "retention_days = 3650")
    assert register(store, longer.encode()).retention_days == 3650
    _, told_more = join(store)
    upload(store, told_more, sessions(count=1))
    retention.expire(store, day=today() + study.retention_days + 1)
    assert store.batches_of(told_less.subject) == []
    assert store.batches_of(told_more.subject)


def test_without_ten_real_others_there_is_no_figure_of_risk(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=2))
    told = risk.own(store, person)
    assert not told["comparable"]
    assert "rank" not in told


def test_among_ten_real_others_the_risk_is_a_rank_for_the_person_alone(store: Store) -> None:
    _, person = join(store)
    upload(store, person, sessions(1, count=2))
    for seed in range(2, 13):
        _, other = join(store)
        upload(store, other, sessions(seed, count=2))
    told = risk.own(store, person)
    assert told["comparable"]
    assert 1 <= told["rank"] <= told["among"]
    assert told["among"] >= 11
    assert "optimistic for the attacker" in told["text"]
