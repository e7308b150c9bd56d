"""Devices on one clock: what each knows of the server's, what marks say, what comes of it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.device import clock
from overt.device.clock import ServerClock, SessionClock
from overt.schema.alignment import DRIFT, TOLD, UNKNOWN, aligned
from overt.schema.event import VALUE_MAX, Kind

HOUR_S = 3600.0
ORIGIN_MS = 1_800_000_000_000


def marks(*rows: tuple[Kind, int, int, int]) -> dict[str, Any]:
    """Columns of a session: kind, time (µs), what a mark says of the clocks."""
    names = ("kind", "t_us", *TOLD)
    return {name: np.array([row[k] for row in rows]) for k, name in enumerate(names)}


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_every_event_is_as_near_to_its_true_time_as_is_said(data: st.DataObject) -> None:
    """Against a device whose clock drifts and sleeps, and whose marks are off within their word."""
    true_ahead_us, t_us, rows, truth = 0.0, 0, [], []
    for _ in range(data.draw(st.integers(1, 12))):
        step_us = data.draw(st.integers(1, 4 * 3_600_000_000))
        t_us += step_us
        true_ahead_us += step_us * data.draw(st.floats(-DRIFT, DRIFT))
        kind = data.draw(st.sampled_from([Kind.KEY_DOWN, Kind.PAUSE, Kind.CLOCK]))
        if kind == Kind.CLOCK:
            true_ahead_us += data.draw(st.integers(0, 40_000_000_000))
        within_ms = data.draw(st.integers(0, 5000)) if kind != Kind.KEY_DOWN else 0
        off_ms = data.draw(st.floats(-1, 1)) * max(0, within_ms - 1)
        told_ms = round(true_ahead_us / 1000 + off_ms) if within_ms else 0
        rows.append((kind, t_us, told_ms, within_ms))
        truth.append(ORIGIN_MS * 1000 + t_us + true_ahead_us)
    at_us, within_us = aligned(ORIGIN_MS, marks(*rows))
    known = within_us != UNKNOWN
    assert (np.abs(at_us - truth)[known] <= within_us[known] + 2).all()
    parts = np.searchsorted(
        [r[1] for r in rows if r[0] == Kind.CLOCK], [r[1] for r in rows], "right"
    )
    telling = {part for part, row in zip(parts.tolist(), rows, strict=True) if row[3]}
    assert known.tolist() == [part in telling for part in parts.tolist()]


def test_two_marks_together_say_more_than_each() -> None:
    rows = [(Kind.SESSION_START, 0, 0, 9), (Kind.KEY_DOWN, 10, 0, 0), (Kind.SESSION_END, 20, 12, 9)]
    at_us, within_us = aligned(ORIGIN_MS, marks(*rows))
    assert at_us[1] - ORIGIN_MS * 1000 - 10 == 6000
    assert 3000 <= within_us[1] <= 3001


class Clocks:
    """Clocks of a device: what it has of the true time, and what it thinks of the date."""

    def __init__(self, wall_ahead_s: float) -> None:
        self.true_s, self.asleep_s, self.wall_ahead_s = 5000.0, 0.0, wall_ahead_s

    def seen(self) -> Any:
        """What stands for `time` in the clock's module."""
        return SimpleNamespace(
            CLOCK_BOOTTIME=0,
            clock_gettime_ns=lambda _: round(1e9 * self.true_s),
            monotonic_ns=lambda: round(1e9 * (self.true_s - self.asleep_s)),
            monotonic=lambda: self.true_s - self.asleep_s,
            time_ns=lambda: round(1e9 * (self.true_s + self.wall_ahead_s)),
            time=lambda: self.true_s + self.wall_ahead_s,
        )


@pytest.mark.parametrize("wall_ahead_s", [0.0, 73.0, -86_400.0])
def test_a_device_whose_clock_is_set_wrong_says_the_servers_time_also_after_sleep(
    monkeypatch: pytest.MonkeyPatch, wall_ahead_s: float
) -> None:
    device = Clocks(wall_ahead_s)
    monkeypatch.setattr(clock, "time", device.seen())
    server, began_s = ServerClock(), device.true_s
    server_ahead_us = 7_000_000_123
    assert server.now() is None
    assert SessionClock(server).told() == (0, 0)
    for way_s, back_s in ((0.4, 0.001), (0.003, 0.005), (0.2, 0.2)):
        asked_ns = clock.running_ns()
        device.true_s += way_s
        said_us = round(1e6 * device.true_s) + server_ahead_us
        device.true_s += back_s
        server.heard(asked_ns, said_us, clock.running_ns())
    now_ns, within_ns = server.now() or (0, 0)
    true_ns = round(1e9 * device.true_s) + 1000 * server_ahead_us
    assert abs(now_ns - true_ns) <= within_ns < 5e6, "the best of three answers"
    session = SessionClock(server)
    assert abs(session.time_origin_ms - true_ns / 1e6) <= within_ns / 1e6 + 1
    assert session.told()[0] == 0
    assert session.jumped_s() is None
    device.true_s += 2 * HOUR_S
    device.asleep_s += HOUR_S
    assert session.jumped_s() == HOUR_S
    assert session.jumped_s() is None
    ahead_ms, within_ms = session.told()
    assert abs(ahead_ms - 1000 * HOUR_S) <= within_ms < 1000 * DRIFT * (2 * HOUR_S + began_s)
    device.true_s += 30 * 24 * HOUR_S
    device.asleep_s += 30 * 24 * HOUR_S
    assert session.jumped_s() == VALUE_MAX[Kind.CLOCK], "a month in sleep is no more than fits"
    assert session.told() == (0, 0)


def test_a_clock_that_the_server_does_not_contradict_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer that took long knows less than a clock that is set by others all the time."""
    device = Clocks(0.0)
    monkeypatch.setattr(clock, "time", device.seen())
    server, asked_ns = ServerClock(), clock.running_ns()
    device.true_s += 0.5
    server.heard(asked_ns, round(1e6 * device.true_s) - 200_000, clock.running_ns())
    session = SessionClock(server)
    assert session.time_origin_ms == 1000 * device.true_s
    ahead_ms, within_ms = session.told()
    assert abs(ahead_ms) <= within_ms


def test_a_server_whose_clock_was_set_is_believed_from_then_on() -> None:
    server = ServerClock()
    at_ns = clock.running_ns()
    server.heard(at_ns, 10**15, at_ns + 1000)
    server.heard(at_ns + 2000, 10**15 + 9_000_000, at_ns + 2_000_000)
    now_ns, _ = server.now() or (0, 0)
    assert abs(now_ns / 1000 - 10**15 - 9_000_000) < 60_000_000
    assert now_ns > 1000 * 10**15 + 8_000_000_000, "the later answer, though it took longer"


def test_the_clock_that_runs_in_sleep_is_the_one_asked() -> None:
    assert clock.running_ns() >= time.monotonic_ns() - 10**9
