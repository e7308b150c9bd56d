"""A receipt says what was consented to, bound to the exact notice and to the log."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from log_fixtures import NOW_S, join, note, open_log, study
from overt.consent.notice import notice_bytes, notice_sha256
from overt.consent.receipt import check, issue, withdraw
from overt.consent.recovery import read_code
from overt.log.bundle import bundle
from overt.log.opening import opens, read_opening
from overt.log.verify import verify
from overt.schema import receipt as form
from overt.schema.errors import Damaged, InvalidInput, NotConsented
from overt.schema.receipt import read_receipt


def test_a_receipt_has_every_mandatory_field_of_the_consent_record_standard(tmp_path: Path) -> None:
    receipt = join(open_log(tmp_path)).stored
    assert set(form.MANDATORY) <= set(receipt)
    assert set(form.MANDATORY_PROCESSING) <= set(receipt["processing"])
    assert all(set(form.MANDATORY_PARTY) <= set(party) for party in receipt["parties"])
    assert all(set(form.MANDATORY_EVENT) <= set(event) for event in receipt["events"])
    assert {"pii_type"} <= set(receipt["processing"]["pii_information"][0])
    assert isinstance(receipt["@context"], str), "the context is a reference, never inlined"


def test_a_receipt_is_bound_to_the_exact_notice_the_study_and_the_log(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    note(log)
    receipt = join(log).stored
    exact = hashlib.sha256(notice_bytes(study(), "en")).hexdigest()
    known = check(receipt, log.key)
    assert known.notice_sha256 == exact == receipt["log"]["entries"][0]["detail"]["notice_sha256"]
    opening = read_opening(receipt["log"]["entries"][0])
    assert opens(opening.salt, opening.detail, log.entries()[1].commitment)
    assert receipt["log"]["checkpoint"].split("\n")[1] == "2"
    assert known.purposes == ("next-action", "typing-assist")
    assert (known.study, known.level, known.withdrawn) == ("five-minutes", "rhythm", False)


def test_only_the_persons_copy_carries_the_recovery_code_and_both_verify(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    issued = join(log)
    code = issued.recovery_code
    assert code not in json.dumps(issued.stored)
    assert "recovery_code" not in issued.stored
    assert code not in repr(issued)
    assert issued.copy == {**issued.stored, "recovery_code": code}
    assert len(read_code(code)) == 16
    assert check(issued.copy, log.key) == check(issued.stored, log.key)
    assert code not in "".join(path.read_text() for path in tmp_path.iterdir())


def test_the_log_says_neither_who_joined_nor_for_what(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    receipt = join(log).stored
    on_disk = "".join(path.read_text() for path in tmp_path.iterdir())
    for private in (receipt["receipt_id"], "next-action", receipt["log"]["entries"][0]["salt"]):
        assert private not in on_disk


def test_two_people_who_chose_alike_share_no_identifier_salt_or_commitment(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    one, two = join(log).stored, join(log).stored
    assert one["receipt_id"] != two["receipt_id"]
    assert one["pii_principal_id"] != two["pii_principal_id"]
    assert len({entry.commitment for entry in log.entries()}) == 2


def test_joining_needs_a_purpose_of_the_study_and_the_notice_of_now(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    sha = notice_sha256(study(), "en")
    with pytest.raises(InvalidInput, match="no purpose"):
        issue(study(), [], sha, "en", log, NOW_S)
    with pytest.raises(InvalidInput, match="purposes"):
        issue(study(), ["advertising"], sha, "en", log, NOW_S)
    with pytest.raises(InvalidInput, match="notice_sha256"):
        issue(study(), ["next-action"], sha, "de", log, NOW_S)
    with pytest.raises(InvalidInput, match="notice_sha256"):
        issue(study(), ["next-action"], "0" * 64, "en", log, NOW_S)
    with pytest.raises(InvalidInput, match="lang"):
        issue(study(), ["next-action"], sha, "fr", log, NOW_S)
    assert log.size == 0


def test_withdrawing_purpose_by_purpose_is_logged_and_signed_each_time(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    first = join(log).copy
    second = withdraw(first, ["next-action"], log, NOW_S + 60)
    third = withdraw(second, None, log, NOW_S + 120)

    assert check(second, log.key).purposes == ("typing-assist",)
    assert not check(second, log.key).withdrawn
    assert check(third, log.key).purposes == ()
    assert check(third, log.key).withdrawn
    assert [entry.kind for entry in log.entries()] == ["consent", "withdrawal", "withdrawal"]
    assert [event["event_time"][-10:] for event in third["events"]] == [
        "T00:00:00Z",
        "T00:01:00Z",
        "T00:02:00Z",
    ]
    assert "recovery_code" not in second
    openings = [read_opening(entry) for entry in third["log"]["entries"]]
    for receipt in (first, second, third):
        assert verify(bundle(log, openings, receipt=receipt), receipt).ok
    for purposes in (["next-action"], [], ["advertising"]):
        with pytest.raises(NotConsented):
            withdraw(second, purposes, log, NOW_S)
    with pytest.raises(NotConsented):
        withdraw(third, None, log, NOW_S)
    assert log.size == 3


def test_a_receipt_of_another_log_or_a_changed_one_does_not_withdraw(tmp_path: Path) -> None:
    log = open_log(tmp_path / "one")
    other = open_log(tmp_path / "two", seed=bytes(32))
    receipt = join(log).stored
    with pytest.raises(Damaged):
        withdraw(receipt, None, other, NOW_S)
    receipt["overt"]["level"] = "keys"
    with pytest.raises(Damaged):
        withdraw(receipt, None, log, NOW_S)
    assert other.size == 0


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("schema_version",), "x", "schema_version"),
        (("receipt_id",), "A" * 32, "receipt_id"),
        (("overt", "version"), "receipt/9", "overt.version"),
        (("overt", "study_version"), True, "overt.study_version"),
        (("processing", "purposes"), [{"purpose": "ads", "lawful_basis": ""}], "purposes[0]"),
        (("processing", "purposes"), "all", "processing.purposes"),
        (("processing", "privacy_notice"), {}, "privacy_notice.sha256"),
        (("parties",), [], "parties"),
        (("events",), [{}], "events[0].event_time"),
        (("log", "entries"), ["x"], "log.entries"),
        (("log",), None, "log"),
    ],
)
def test_a_malformed_receipt_is_refused_with_the_field(
    tmp_path: Path, path: tuple[str, ...], value: Any, where: str
) -> None:
    receipt = join(open_log(tmp_path)).stored
    place = receipt
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InvalidInput) as caught:
        read_receipt(receipt)
    assert where in str(caught.value)
