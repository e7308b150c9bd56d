"""Two devices, one person: paired by a code, paused and erased together, left from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clock_fixtures import pressed_at, record_a_press
from desktop_fixtures import add_study
from overt.device import leaving, pairing
from overt.device.account import Account
from overt.device.agent import Agent
from overt.device.notice import check_notice
from overt.device.vault import Vault
from overt.schema.errors import InvalidInput, Missing, NotConsented, Refused, Withdrawn
from overt.studio import handover
from studio_fixtures import studio

httpx = pytest.importorskip("httpx")


@dataclass
class Place:
    """A server, and computers beside it."""

    url: str
    folder: Path
    stack: ExitStack

    def computer(self, name: str) -> Account:
        vault = Vault(self.folder / name)
        account = Account(self.url, "desk", vault)
        self.stack.callback(vault.close)
        self.stack.callback(account.close)
        return account

    def post(self, path: str, body: dict[str, str]) -> int:
        return int(httpx.post(self.url + path, json=body).status_code)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("pair")
    add_study(folder / "data")
    with studio(folder) as server, ExitStack() as stack:
        yield Place(server.url.rstrip("/"), folder, stack)


def joined(place: Place, name: str, lang: str = "en") -> tuple[Account, Any]:
    """Return a computer whose person has joined, and the recovery code they wrote down."""
    account = place.computer(name)
    shown = account.notice(lang)
    check_notice(shown.notice, "desk")
    listed = tuple(shown.notice["settings"]["applications"][:1])
    grant = account.join(shown, ("typing-assist",), listed, lang, "rhythm")
    return account, grant.receipt["recovery_code"]


def nothing(_: dict[str, Any], __: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """Switch no application on."""
    return ()


def paired(place: Place, first: Account, name: str) -> Account:
    code = pairing.offer(first, "desk")
    second = place.computer(name)
    pairing.take(second, "desk", code.lower().replace("0", "o"), nothing)
    return second


def test_a_second_device_is_the_same_person_with_its_own_applications_and_no_recovery_code(
    place: Place,
) -> None:
    first, _ = joined(place, "a1", "de")
    asked: list[Any] = []

    def switched(notice: dict[str, Any], purposes: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
        asked.append((notice["language"], purposes))
        return tuple(notice["settings"]["applications"][1:])

    second = place.computer("a2")
    pairing.take(second, "desk", pairing.offer(first, "desk"), switched)
    assert asked == [("de", ("typing-assist",))], "in its language, with its purposes"
    assert first.grant is not None
    assert second.grant is not None
    assert second.receipt_id == first.receipt_id
    assert second.standing() == first.standing() == ("typing-assist",)
    assert [one["id"] for one in first.grant.applications] == ["editor"]
    assert second.grant.applications[0]["id"] == "terminal"
    assert "recovery_code" not in second.grant.receipt
    again = place.computer("a2")
    assert again.grant == second.grant, "it is kept"


def test_a_code_works_once_and_is_replaced_by_the_next(place: Place) -> None:
    first, _ = joined(place, "b1")
    other = place.computer("b2")
    old, new = pairing.offer(first, "desk"), pairing.offer(first, "desk")
    with pytest.raises(Missing, match="no device waits"):
        pairing.take(other, "desk", old, nothing)
    pairing.take(other, "desk", new, nothing)
    with pytest.raises(Missing, match="no device waits"):
        pairing.take(place.computer("b3"), "desk", new, nothing)
    for wrong in ("", "7Z3K", "7Z3K-4QHM-0WX!"):
        with pytest.raises(InvalidInput, match="twelve"):
            pairing.take(other, "desk", wrong, nothing)


def test_what_waits_at_the_server_is_gone_after_ten_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, now_s = handover.Handover(), [0.0]
    monkeypatch.setattr(handover.time, "monotonic", lambda: now_s[0])
    held.leave("r", "0" * 32, "sealed")
    held.leave("s", "1" * 32, "sealed")
    now_s[0] = 599
    assert held.take("0" * 32) == "sealed"
    now_s[0] = 601
    with pytest.raises(Missing, match="no device waits"):
        held.take("1" * 32)
    for place, sealed in (("2" * 31, "x"), ("g" * 32, "x"), ("2" * 32, "x" * 20_000)):
        with pytest.raises(InvalidInput):
            held.leave("r", place, sealed)


def test_what_the_server_holds_opens_only_with_the_code_and_only_for_this_study(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = joined(place, "c1")
    held: list[dict[str, Any]] = []
    ask = first.ask_as_person
    monkeypatch.setattr(first, "ask_as_person", lambda *a: held.append(a[2]) or ask(*a))
    code = pairing.offer(first, "desk")
    assert first.grant is not None
    assert first.grant.device_secret not in str(held)
    assert code.replace("-", "") not in str(held)
    second = place.computer("c2")
    monkeypatch.setattr(second, "ask_anyone", lambda *_: {"sealed": held[0]["sealed"]})
    with pytest.raises(Refused, match="does not open"):
        pairing.take(second, "desk", pairing.new_code(), nothing)
    with pytest.raises(Refused, match="does not open"):
        pairing.take(second, "other", code, nothing)
    assert second.grant is None


def test_nobody_pairs_pauses_or_records_without_having_joined(place: Place) -> None:
    stranger = place.computer("d0")
    with pytest.raises(NotConsented, match="nobody has joined"):
        Agent(Vault(place.folder / "d0"), stranger)
    with pytest.raises(NotConsented, match="nobody has joined"):
        pairing.offer(place.computer("d1"), "desk")
    for path in ("/v1/me/pair", "/v1/me/pause"):
        assert place.post(path, {"place": "0" * 32, "sealed": "x"}) == 401


def test_a_pause_on_one_device_reaches_the_other_once_and_not_itself(place: Place) -> None:
    first, _ = joined(place, "e1")
    second = paired(place, first, "e2")
    for account in (first, second):
        account.standing()
        assert not account.paused_elsewhere()
    first.pause()
    assert second.standing() == first.standing() == ("typing-assist",)
    assert [second.paused_elsewhere(), second.paused_elsewhere()] == [True, False]
    assert not first.paused_elsewhere()


def test_leaving_on_one_device_or_with_the_recovery_code_ends_both(place: Place) -> None:
    first, code = joined(place, "f1")
    second = paired(place, first, "f2")
    for wrong in ("", "AAAA-" + code[5:]):
        with pytest.raises(InvalidInput):
            leaving.by_recovery(place.url, "desk", wrong)
    assert leaving.by_recovery(place.url, "desk", code)
    assert first.standing() == second.standing() == ()
    third, _ = joined(place, "f3")
    fourth = paired(place, third, "f4")
    assert fourth.withdraw(fourth.proofs())
    assert third.standing() == ()


def test_what_was_joined_at_one_server_is_never_shown_to_another(place: Place) -> None:
    joined(place, "g1")
    with pytest.raises(Refused, match="was joined at"):
        Account("http://127.0.0.1:9", "desk", Vault(place.folder / "g1"))


def test_leaving_without_a_connection_empties_this_computer_and_the_server_hears_of_it_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = joined(place, "h1")
    second = paired(place, first, "h2")
    here = place.folder / "h1"
    recording = Vault(here)

    def unreachable(*_: object, **__: object) -> None:
        raise httpx.ConnectError("no network")

    monkeypatch.setattr(httpx.Client, "request", unreachable)
    assert leaving.leave(here, place.url, "desk") is None
    assert recording.is_gone, "a running agent sees it"
    assert {path.name for path in here.iterdir()} == {leaving.LEFT}
    with pytest.raises(Missing, match="cannot be reached"):
        leaving.tell(here, "desk")
    for status, body in ((200, "Log in"), (302, ""), (403, "<p>no</p>"), (410, "[]"), (200, "{}")):
        between = httpx.Response(status, text=body)
        monkeypatch.setattr(httpx.Client, "request", lambda *_, a=between, **__: a)
        with pytest.raises(Missing, match="something else answers"):
            leaving.tell(here, "desk")
        assert second.standing() is None, "a login page is no word of the server"
        with pytest.raises(Missing, match="something else answers"):
            second.notice("en")
    monkeypatch.undo()
    assert second.standing() == ("typing-assist",)
    assert leaving.tell(here, "desk")
    assert second.standing() == ()
    assert not list(here.iterdir())
    assert leaving.tell(here, "desk") is None
    broken_off, _ = joined(place, "h3")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(httpx.Client, "request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        leaving.leave(place.folder / "h3", place.url, "desk")
    monkeypatch.undo()
    assert {path.name for path in (place.folder / "h3").iterdir()} == {leaving.LEFT}
    assert leaving.tell(place.folder / "h3", "desk")
    assert broken_off.standing() == ()
    with pytest.raises(Withdrawn, match="is destroyed"):
        leaving.leave(place.folder / "h2", place.url, "desk")
    assert not list((place.folder / "h2").iterdir())


def test_what_two_computers_recorded_can_be_aligned_though_the_clock_of_one_is_a_day_off(
    place: Place,
) -> None:
    first, _ = joined(place, "i1")
    second = paired(place, first, "i2")
    assert first.standing()  # what a first answer takes longer is no part of the second's
    assert second.standing()
    before_us = time.time_ns() // 1000
    for account, ahead_s in ((first, 73.0), (second, -86_400.0), (first, 0.0)):
        record_a_press(account, ahead_s)
    after_us = time.time_ns() // 1000
    told = first.ask_as_person("GET", "/v1/me/export", {})
    assert len(told["sessions"]) == 3
    pressed = pressed_at(told)
    assert pressed == sorted(pressed), "in the order in which they were pressed"
    for at_us, within_us in pressed:
        assert 0 < within_us < 2_000_000, "half of what the answer took, and a little"
        assert before_us - within_us <= at_us <= after_us + within_us
