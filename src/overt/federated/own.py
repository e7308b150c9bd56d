"""What a device has for learning together: what the agent kept, its grant, and what it answered.

All of it lies sealed in the agent's own vault, one for each study: so pausing, taking out the last
minutes, and leaving reach it without anybody having to think of it. What a step needs of the events
is worked out anew each time and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.consent.receipt import check
from overt.device.kept import Kept
from overt.device.vault import Vault, as_json
from overt.schema.errors import Missing, NotConsented, Refused
from overt.schema.event import EVENTS

_LEDGER = "together/ledger"


class Own:
    """One person's device, for one study."""

    def __init__(self, folder: Path) -> None:
        """Open the agent's vault. Raises `NotConsented` where nobody has joined, or has left."""
        if not (folder / "key").exists():
            raise NotConsented("nobody has joined on this device", where="device", do="Join first.")
        self._vault = Vault(folder)

    def sessions(self) -> Sequence[pa.Table]:
        """Return the events, a table a session, in order."""
        parts: dict[str, list[Any]] = {}
        for piece in Kept(self._vault).pieces():
            parts.setdefault(piece.session, []).append(piece.events)
        if not parts:
            raise Missing("there are no events on this device to learn from", where="device")
        return [_table(np.concatenate(events)) for events in parts.values()]

    def consents(self, study: str, purpose: str) -> None:
        """Raise unless the person's receipt covers it now and is whole, and it is not paused.

        What the person has taken back on this device or elsewhere is no longer in its grant.
        """
        grant = self._vault.get_json("grant")
        if grant is None:
            raise NotConsented("there is no receipt on this device", where="device")
        receipt = check(grant["receipt"], grant["receipt"]["log"]["key"])
        covered = set(receipt.purposes) & set(grant["purposes"])
        if grant["receipt"]["overt"]["study"] != study or purpose not in covered:
            raise NotConsented("the receipt does not cover this", where="device")
        if self._vault.get("paused") is not None:
            raise Refused("is paused by its person", where="device")

    def count(self, run: str, plan_sha256: str, step: int, steps: int) -> None:
        """Note that a step of a run is answered now, before it is. Raises `Refused`.

        One plan a run, each step once, in order, and no more than there are: what ε counts is all
        that is ever answered, whatever a server asks.
        """
        with self._vault.alone:
            ledger = self._vault.get_json(_LEDGER, {})
            plan, last = ledger.get(run, (plan_sha256, 0))
            if plan != plan_sha256:
                raise Refused("the plan is not the one this began with", where="plan")
            if not last < step <= steps:
                raise Refused("this step was answered, or there is none such", where="step")
            ledger[run] = (plan, step)
            self._vault.change({_LEDGER: as_json(ledger)})

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()


def _table(events: Any) -> pa.Table:
    return pa.table({name: events[name] for name in EVENTS.names}, schema=EVENTS)
