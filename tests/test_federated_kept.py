"""What a device keeps to be learned from here: no more than was agreed, and gone when asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federated_fixtures import (
    FIXTURES,
    PLAN,
    PURPOSE,
    granted,
    held,
    joined,
    new_store,
    record,
    recorded,
)
from overt.commands import together as commands
from overt.device import kept
from overt.device.account import Account
from overt.device.clock import CLOCK
from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.pairing import HANDED
from overt.device.session import Recording, Session, recover
from overt.device.vault import Vault
from overt.federated.answer import answer
from overt.federated.own import Own
from overt.federated.plan import start
from overt.schema.errors import NotConsented, Refused
from overt.schema.event import Kind
from overt.schema.purpose import learned_here
from overt.store.store import Store
from studio_fixtures import studio

events, own, store = FIXTURES


def test_the_agent_keeps_what_the_purpose_needs_and_nothing_of_it_waits_to_leave(
    own: Own, events: list[Any], tmp_path: Path
) -> None:
    (kept,) = own.sessions()
    kinds = {int(kind) for kind in Kind if learned_here(kind, [PURPOSE])}
    wanted = [k for k, kind in enumerate(events[0].column("kind").to_pylist()) if kind in kinds]
    assert kept.drop(["seq"]).equals(
        events[0].take(wanted).drop(["seq"]).cast(kept.drop(["seq"]).schema)
    )
    vault = Vault(held(tmp_path / "device"))
    outbox = Outbox(vault)
    assert outbox.entries() == []
    assert outbox.counts()["produced"] == 0
    assert outbox.kept.count() == kept.num_rows > 100
    vault.close()
    raw = b"".join(path.read_bytes() for path in held(tmp_path / "device").glob("vault.sqlite*"))
    assert kept.column("t_us").to_numpy()[20:24].tobytes() not in raw


def test_beside_another_purpose_each_has_its_own_and_batches_count_only_what_leaves(
    tmp_path: Path, store: Store
) -> None:
    there = joined(store, (PURPOSE, "typing-assist"))
    vault = granted(tmp_path / "both", there.receipt, (PURPOSE, "typing-assist"))
    (session,) = recorded(0, 0.1)
    record(vault, session)
    outbox = Outbox(vault)
    assert outbox.counts()["produced"] == outbox.counts()["waiting"] == outbox.kept.count()
    assert all(b"together" not in entry.plain for entry in outbox.entries())
    outbox.narrow(there.receipt["receipt_id"], ("typing-assist",))
    assert outbox.kept.count() == 0
    assert outbox.counts()["waiting"] > 0
    vault.close()


def test_taking_out_the_last_minutes_or_an_application_takes_out_what_is_learned_from(
    tmp_path: Path, store: Store
) -> None:
    there = joined(store)
    vault = granted(tmp_path / "device", there.receipt)
    outbox, mine = Outbox(vault), recorded(0, 0.1)[0]
    for number in range(3):
        record(vault, mine, number)
    first = outbox.kept.pieces()[0]
    vault.change(outbox.kept.moved(-3_600_000))
    record(vault, mine, 3)
    assert outbox.kept.count() == 4 * len(first.events)
    outbox.remove_since(CLOCK.now_ms() - 600_000)
    assert [one.session for one in outbox.kept.pieces()] == [f"{n:032x}" for n in range(3)]
    typed = np.zeros(3, FACTS)
    typed["kind"], typed["value"] = (Kind.FOCUS, Kind.KEY_DOWN, Kind.BLUR), (2, 0, 0)
    vault.change(outbox.kept.added("a" * 32, [PURPOSE], 0, typed))
    assert outbox.kept.remove_of(1) == 0
    assert outbox.kept.remove_of(2) == 3
    outbox.remove_since(0)
    assert outbox.kept.count() == 0
    vault.close()


def test_no_more_is_kept_than_a_limit_and_the_oldest_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "ROWS_MAX", 25)
    vault = Vault(tmp_path)
    here = kept.Kept(vault)
    for number in range(5):
        vault.change(here.added(str(number), [PURPOSE], number, np.zeros(10, FACTS)))
    assert [one.session for one in here.pieces()] == ["3", "4"]
    vault.close()


def test_nothing_is_kept_for_longer_than_the_receipt_says(tmp_path: Path, store: Store) -> None:
    there = joined(store)
    vault = granted(tmp_path / "device", there.receipt)
    here, now_ms = kept.Kept(vault), CLOCK.now_ms()
    days = int(there.receipt["processing"]["retention_period"][1:-1])
    for age_days in (days + 2, days + 1, days - 1):
        at_ms = now_ms - age_days * kept.DAY_MS
        vault.change(here.added(str(days - age_days), [PURPOSE], at_ms, np.zeros(10, FACTS)))
    assert here.count() == 30
    assert [one.session for one in here.pieces()] == ["1"]
    assert here.count() == 10
    late_ms = now_ms + 2 * kept.DAY_MS
    vault.change(here.added("now", [PURPOSE], late_ms, np.zeros(10, FACTS)))
    assert [name.split("/")[2] for name in vault.names("together/events/")] == ["000000000004"]
    vault.close()


def test_what_an_agent_that_was_killed_had_journalled_is_kept_too(
    tmp_path: Path, store: Store
) -> None:
    there = joined(store)
    vault = granted(tmp_path / "device", there.receipt)
    rows = np.zeros(30, FACTS)
    rows["kind"] = Kind.KEY_DOWN
    about: dict[str, Any] = {"study": "s", "receipt": "1" * 32, "level": "rhythm"}
    about |= {"transform": "rhythm/0", "time_origin_ms": 1, "outbox_delay_s": 600}
    killed = Session(Recording(session="b" * 32, purposes=(PURPOSE,), **about), vault)
    killed.add(rows)
    killed.journal()
    assert Outbox(vault).kept.count() == 0
    recover(vault)
    assert Outbox(vault).kept.count() == 30
    assert vault.names("part/") == vault.names("session/") == []
    vault.close()


def test_a_device_that_cannot_ask_goes_by_what_it_knows_and_none_that_left_stays(
    own: Own, tmp_path: Path, store: Store
) -> None:
    nowhere = "http://127.0.0.1"  # nothing listens there
    assert commands.stays(held(tmp_path / "device"), nowhere, PLAN.study)
    assert not commands.stays(tmp_path / "none", nowhere, PLAN.study)
    assert not (tmp_path / "none").exists()
    there = joined(store, (PURPOSE, "typing-assist"))
    granted(tmp_path / "other", there.receipt, ("typing-assist",)).close()
    assert not commands.stays(tmp_path / "other", nowhere, PLAN.study)


def test_while_its_person_pauses_a_device_answers_nothing(own: Own, tmp_path: Path) -> None:
    vault = Vault(held(tmp_path / "device"))
    vault.change({"paused": b"1"})
    with pytest.raises(Refused, match="paused by its person"):
        answer(PLAN, own, "1", 1, start("pause"))
    vault.change({"paused": None})
    answer(PLAN, own, "1", 1, start("pause"))
    vault.close()


def test_a_second_computer_of_the_same_person_takes_no_part(tmp_path: Path, store: Store) -> None:
    there = joined(store, (PURPOSE, "typing-assist"))
    handed = granted(tmp_path / "first", there.receipt, (PURPOSE, "typing-assist"))
    grant = {name: handed.get_json("grant")[name] for name in HANDED}
    handed.close()
    second = Vault(tmp_path / "second")
    account = Account("http://127.0.0.1", PLAN.study, second)
    assert account.pair(grant, ()).purposes == ("typing-assist",)
    account.close()
    second.close()


def test_who_has_left_answers_nothing_and_keeps_nothing(own: Own, tmp_path: Path) -> None:
    Vault(held(tmp_path / "device")).destroy()
    with pytest.raises(NotConsented):
        Own(held(tmp_path / "device"))
    assert list(held(tmp_path / "device").iterdir()) == []


@pytest.mark.soak
def test_who_leaves_elsewhere_takes_part_no_more_though_no_agent_runs_here(tmp_path: Path) -> None:
    with new_store(tmp_path / "data"):
        pass
    with studio(tmp_path) as running:
        base, there = running.url.rstrip("/"), held(tmp_path / "device")
        vault = Vault(there)
        account = Account(base, PLAN.study, vault)
        shown = account.notice("en")
        grant = account.join(shown, (PURPOSE, "typing-assist"), (), "en", "rhythm")
        vault.close()
        assert grant.epsilon_max == "10"
        assert commands.stays(there, base, PLAN.study)
        proof = {"receipt_id": grant.receipt_id, "device_secret": grant.device_secret}
        account.ask_anyone("POST", "/v1/withdraw", {**proof, "purposes": [PURPOSE]})
        assert not commands.stays(there, base, PLAN.study)
        narrowed = Vault(there)
        assert narrowed.get_json("grant")["purposes"] == ["typing-assist"]
        narrowed.close()
        account.ask_anyone("POST", "/v1/withdraw", proof)
        account.close()
        assert not commands.stays(there, base, PLAN.study)
        assert list(there.iterdir()) == []
