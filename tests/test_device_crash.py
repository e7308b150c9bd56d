"""`kill -9` at each statement of the queue, a full disk, a clock that is set: nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from overt.device import clock
from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.session import Recording, Session, recover
from overt.device.vault import Vault
from overt.schema import batch
from overt.schema.errors import Missing
from overt.schema.event import Kind

pytest.importorskip("httpx")
CHILD = Path(__file__).with_name("device_child.py")
ABOUT: dict[str, Any] = {
    "study": "desk",
    "receipt": "1" * 32,
    "purposes": ("person-or-program",),
    "level": "rhythm",
    "transform": "rhythm/0",
    "time_origin_ms": 1,
    "outbox_delay_s": 600,
}


def _killed_at_every(folder: Path, every: int, first: int) -> int:
    done = subprocess.run(
        [sys.executable, str(CHILD), str(folder), str(every), str(first)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for one in found:
        counts, stored = one["counts"], one["stored"]
        assert len(stored) == len(set(stored)), "nothing is stored twice"
        assert counts["acknowledged"] == len(stored)
        assert counts["waiting"] == counts["lost"] == counts["quarantined"] == 0
        assert counts["produced"] == len(stored) + counts["removed"]
        assert one["journalled"] <= counts["produced"], "what was journalled is there or removed"
        assert one["ends"] <= 1
    assert [one["killed"] for one in found] == [True] * (len(found) - 1) + [False]
    assert found[-1]["ends"] == 1
    assert found[-1]["counts"]["removed"] > 0
    return len(found)


def test_a_kill_at_any_statement_of_the_queue_loses_nothing_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    assert _killed_at_every(tmp_path, 25, 7) > 4


@pytest.mark.soak
def test_a_kill_at_every_single_statement_of_the_queue(tmp_path: Path) -> None:
    assert _killed_at_every(tmp_path, 1, 0) > 60


def _moves(count: int, from_us: int = 0) -> Any:
    rows = np.zeros(count, FACTS)
    rows["kind"], rows["t_us"] = Kind.POINTER_MOVE, from_us + 1000 * np.arange(count)
    return rows


def test_a_full_disk_stops_with_what_to_do_and_keeps_what_was_there(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    session = Session(Recording(session="a" * 32, **ABOUT), vault)
    session.add(_moves(50))
    session.journal()
    (pages,) = vault._db.execute("PRAGMA page_count").fetchone()
    vault._db.execute(f"PRAGMA max_page_count = {pages}")
    session.add(_moves(5000, 50_000))
    with pytest.raises(Missing, match="recording stops") as stopped:
        session.journal()
    assert stopped.value.do == "Make room on the disk."
    vault._db.execute("PRAGMA max_page_count = 100000")
    assert recover(vault) == 1
    (entry,) = Outbox(vault).entries()
    header, _ = batch.read_header(entry.plain)
    assert (header.rows, header.end) == (50, False)
    vault.close()


def _ended(folder: Path, moves: int) -> tuple[Vault, Outbox]:
    """A vault with what a session of so many moves left, and its outbox."""
    vault = Vault(folder)
    session = Session(Recording(session="a" * 32, **ABOUT), vault)
    session.add(_moves(moves))
    session.close(0, end=True)
    return vault, Outbox(vault)


def _answer(status: int, name: str = "") -> Any:
    """An answer as a collector gives it; without a name, that of something in between."""
    said = {name: {}} if name else None
    return SimpleNamespace(status_code=status, headers={}, json=lambda: said)


class _Refusing:
    """An account whose server can never take what comes."""

    receipt_id = "1" * 32

    def send(self, *_: object, **__: object) -> Any:
        return _answer(422, "error")


def test_what_the_collector_can_never_take_is_counted_and_not_kept(tmp_path: Path) -> None:
    vault, outbox = _ended(tmp_path, 10)
    assert outbox.send(_Refusing(), 7, force=True)  # type: ignore[arg-type]
    assert outbox.counts()["quarantined"] == 10
    assert not [one for one in vault.names("") if not one.startswith(("counts/", "made/"))]
    vault.close()


class _Network:
    """An account whose server can be reached or not; it takes whatever comes."""

    receipt_id = "1" * 32

    def __init__(self) -> None:
        self.there, self.tried, self.taken = False, 0, 0

    def send(self, *_: object, **__: object) -> Any:
        self.tried += 1
        if not self.there:
            raise Missing("cannot be reached", where="server")
        self.taken += 1
        return _answer(200, "stored")


def test_what_stands_in_between_acknowledges_refuses_and_withdraws_nothing(tmp_path: Path) -> None:
    vault, outbox = _ended(tmp_path, 10)
    for status in (200, 400, 409, 410, 413, 422):
        network = SimpleNamespace(receipt_id="1" * 32, send=lambda *_, s=status, **__: _answer(s))
        assert outbox.send(network, 7, force=True), status  # type: ignore[arg-type]
        assert outbox.counts()["waiting"] == 10, status
    assert outbox.remove_since(0) == 0, "what may have arrived is not said never to have left"
    vault.close()


@pytest.mark.parametrize(("days", "arrives"), [(6, True), (8, False)])
def test_without_a_network_for_days_what_waits_arrives_or_is_counted_as_lost_when_too_old(
    tmp_path: Path, days: int, *, arrives: bool
) -> None:
    vault = Vault(tmp_path)
    session = Session(Recording(session="a" * 32, **ABOUT), vault)
    session.add(_moves(10))
    session.close(0, end=True)
    outbox, network = Outbox(vault), _Network()
    passed_ms = 0
    try:
        for _ in range(days):
            passed_ms += 86_400_000
            clock.CLOCK.follow(86_400_000)
            outbox.send(network, 7, force=True)  # type: ignore[arg-type]
        network.there = True
        outbox.send(network, 7, force=True)  # type: ignore[arg-type]
    finally:
        clock.CLOCK.follow(-passed_ms)
    assert network.taken == arrives
    counts = outbox.counts()
    assert (counts["acknowledged"], counts["lost"]) == ((10, 0) if arrives else (0, 10))
    assert counts["waiting"] == 0
    vault.close()


def test_of_what_the_person_takes_out_no_sealed_byte_stays(tmp_path: Path) -> None:
    vault, outbox = _ended(tmp_path, 200)
    (entry,) = outbox.entries()
    query = "SELECT sealed FROM kept WHERE name = ?"
    (sealed,) = vault._db.execute(query, (entry.name,)).fetchone()

    def found() -> list[str]:
        return [path.name for path in tmp_path.iterdir() if sealed[:64] in path.read_bytes()]

    assert found()
    assert outbox.remove([entry.name]) == 200
    assert not found()
    vault.close()


@pytest.mark.parametrize("jump_ms", [-86_400_000, 3_600_000, 40 * 86_400_000])
def test_a_clock_that_is_set_neither_hurries_nor_loses_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_ms: int
) -> None:
    vault, outbox = _ended(tmp_path, 10)
    (before,) = outbox.entries()
    real = clock._wall_ms
    monkeypatch.setattr(clock, "_wall_ms", lambda: real() + jump_ms)
    try:
        assert outbox._due(clock.CLOCK.now_ms()) == [], "the wall clock alone makes nothing due"
        assert abs(outbox.clock_was_set() - jump_ms) < clock.JUMP_MS
        assert outbox._due(clock.CLOCK.now_ms()) == []
        (entry,) = outbox.entries()
        assert abs(entry.due_ms - before.due_ms - jump_ms) < clock.JUMP_MS
        assert outbox.clock_was_set() == 0
        assert outbox._due(entry.due_ms + 1) == [entry]
    finally:
        monkeypatch.undo()
        clock.CLOCK.follow(clock.CLOCK.jumped_ms())
        vault.close()


@pytest.mark.parametrize("killed", [False, True])
def test_what_never_reached_us_is_counted_and_the_session_says_it_is_not_whole(
    tmp_path: Path, *, killed: bool
) -> None:
    vault = Vault(tmp_path)
    session = Session(Recording(session="a" * 32, **ABOUT), vault)
    for at in range(2):
        session.add(_moves(10, 10_000 * at))
        session.lose(3)
    session.journal()
    if killed:
        recover(vault)
    else:
        session.close(0, end=True)
    outbox = Outbox(vault)
    (entry,) = outbox.entries()
    header, rows = batch.decode(entry.plain)
    assert (header.rows, header.produced, header.lost) == (20, 26, 6)
    assert rows.column("dseq").to_pylist() == [0, *[1] * 9, 4, *[1] * 9]
    counts = outbox.counts()
    assert (counts["produced"], counts["lost"], counts["waiting"]) == (26, 6, 20)
    vault.close()
