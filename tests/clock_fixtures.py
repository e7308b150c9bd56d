"""One key recorded on a computer of a person, and when it was, by what they can take along."""

from __future__ import annotations

import secrets
import time
from typing import Any

import numpy as np
import pytest

from overt.device import clock
from overt.device.account import Account
from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.session import Recording, Session
from overt.schema.alignment import aligned
from overt.schema.event import Kind


def record_a_press(account: Account, wall_ahead_s: float = 0.0) -> None:
    """Record one key now, on a computer whose wall clock is set wrong by so much, and send it."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(clock.time, "time_ns", lambda: round(1e9 * (time.time() + wall_ahead_s)))
    try:
        account.standing()
        now = clock.SessionClock(account.clock)
    finally:
        monkey.undo()
    assert account.grant is not None
    recording = Recording(
        session=secrets.token_hex(16),
        study=account.grant.study,
        receipt=account.receipt_id,
        purposes=account.grant.purposes,
        level="rhythm",
        transform="rhythm/0",
        time_origin_ms=now.time_origin_ms,
        outbox_delay_s=0,
    )
    session = Session(recording, account._vault)
    session.mark(Kind.SESSION_START, 0, told=now.told())
    pressed = np.zeros(1, FACTS)
    since_ms = time.monotonic_ns() // 1_000_000 - now.origin_ms & 0xFFFFFFFF
    pressed["kind"], pressed["t_us"] = Kind.KEY_DOWN, 1000 * since_ms
    session.add(pressed)
    session.mark(Kind.SESSION_END, 1000 * since_ms, told=now.told())
    session.close(0, end=True)
    Outbox(account._vault).send(account, 1, force=True)


def pressed_at(export: dict[str, Any]) -> list[tuple[int, int]]:
    """Return when the first key of each session went down: µs on the server's clock, within."""
    pressed = []
    for said, session in zip(export["clocks"], export["sessions"], strict=True):
        at_us, within_us = aligned(said["time_origin_ms"], session)
        here = session["kind"].index(Kind.KEY_DOWN)
        pressed.append((int(at_us[here]), int(within_us[here])))
    return pressed
