"""What is kept on this computer to be learned from here, for purposes that learn together.

It lies sealed in the same vault as what waits to leave, so that leaving destroys it with the same
key; it is in no batch, and nothing that sends reads these names. Pieces are as old as batches are
when they close, so that taking out the last minutes means the same here as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.device.clock import CLOCK
from overt.device.facts import FACTS
from overt.device.vault import Vault, as_json
from overt.schema.event import Kind

HERE = "here"
"""Stream of the journal that becomes pieces and no batches."""

ROWS_MAX = 100_000
"""Newest events that are kept: a device reads a few thousand of them when it learns."""

DAY_MS = 86_400_000
_DAYS = re.compile("P([0-9]{1,5})D", re.ASCII)
_PREFIX = "together/events/"


@dataclass(frozen=True)
class Piece:
    """Some events of one session, in order."""

    name: str
    closed_ms: int
    session: str
    purposes: tuple[str, ...]
    """All that they were recorded for."""
    events: Any
    """`FACTS[n]`"""


class Kept:
    """The pieces of a vault, oldest first."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def pieces(self) -> list[Piece]:
        """Return all pieces, opened, but for those older than the receipt says."""
        self._vault.change(self._old(CLOCK.now_ms()))
        return [_opened(name, value) for name, value in self._vault.items(_PREFIX)]

    def count(self) -> int:
        """Return how many events are kept; opens nothing."""
        return sum(map(_rows, self._vault.names(_PREFIX)))

    def added(
        self, session: str, purposes: Sequence[str], closed_ms: int, events: Any
    ) -> dict[str, bytes | None]:
        """Return the change that keeps these too, and lets go of the oldest over the limit."""
        names = self._vault.names(_PREFIX)
        number = 1 + (int(names[-1].split("/")[2]) if names else 0)
        about = {"closed_ms": closed_ms, "session": session, "purposes": list(purposes)}
        change: dict[str, bytes | None] = {
            f"{_PREFIX}{number:012d}/{len(events)}": _packed(about, events)
        }
        old = self._old(closed_ms)
        names = [name for name in names if name not in old]
        change |= old
        over = sum(map(_rows, names)) + len(events) - ROWS_MAX
        for name in names:
            if over <= 0:
                break
            change[name] = None
            over -= _rows(name)
        return change

    def _old(self, now_ms: int) -> dict[str, bytes | None]:
        """Return the change that lets go of what is kept for as long as the receipt says."""
        receipt = self._vault.get_json("grant", {}).get("receipt", {})
        days = _DAYS.fullmatch(receipt.get("processing", {}).get("retention_period", ""))
        change: dict[str, bytes | None] = {}
        for name in self._vault.names(_PREFIX) if days else []:
            value = self._vault.get(name)
            if value and days and _opened(name, value).closed_ms >= now_ms - DAY_MS * int(days[1]):
                break
            change[name] = None
        return change

    def remove_since(self, since_ms: int) -> int:
        """Remove what was closed since then. Returns how many events."""
        return self._remove(one for one in self.pieces() if one.closed_ms >= since_ms)

    def remove_of(self, application: int) -> int:
        """Remove each piece during which this application had the keyboard; returns events."""
        mine: list[Piece] = []
        last: dict[str, int | None] = {}
        for one in self.pieces():
            told = one.events[np.isin(one.events["kind"], (Kind.FOCUS, Kind.BLUR))]
            says = np.where(told["kind"] == Kind.FOCUS, told["value"], 0).tolist()
            if application in (last.get(one.session), *says):
                mine.append(one)
            last[one.session] = says[-1] if says else last.get(one.session)
        return self._remove(mine)

    def narrow(self, purposes: Sequence[str]) -> None:
        """After a withdrawal: keep only what all its purposes are left of."""
        self._remove(one for one in self.pieces() if not set(one.purposes) <= set(purposes))

    def moved(self, ahead_ms: int) -> dict[str, bytes | None]:
        """Return the change that lets pieces keep their age when the wall clock was set."""
        return {
            one.name: _packed(
                {
                    "closed_ms": one.closed_ms + ahead_ms,
                    "session": one.session,
                    "purposes": list(one.purposes),
                },
                one.events,
            )
            for one in self.pieces()
        }

    def _remove(self, pieces: Any) -> int:
        names = [one.name for one in pieces]
        if names:
            self._vault.change(dict.fromkeys(names))
        return sum(map(_rows, names))


def _rows(name: str) -> int:
    return int(name.rpartition("/")[2])


def _packed(about: dict[str, Any], events: Any) -> bytes:
    told = as_json(about)
    return b"".join((len(told).to_bytes(4, "little"), told, events.tobytes()))


def _opened(name: str, value: bytes) -> Piece:
    at = 4 + int.from_bytes(value[:4], "little")
    about = json.loads(value[4:at])
    return Piece(
        name,
        about["closed_ms"],
        about["session"],
        tuple(about["purposes"]),
        np.frombuffer(value, FACTS, offset=at),
    )
