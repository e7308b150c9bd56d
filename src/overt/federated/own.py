"""What a device keeps for learning together: events, receipt, and what it has answered; sealed.

The events are those the person's own device recorded. They lie in the device's vault and are read
only here; what a step needs of them is worked out anew each time and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from overt.consent.receipt import check
from overt.device.vault import Vault, as_json
from overt.schema.errors import Missing, NotConsented, Refused
from overt.schema.event import EVENTS

_EVENTS, _RECEIPT, _LEDGER = "together/events/", "together/receipt", "together/ledger"


class Own:
    """One person's device, for one study."""

    def __init__(self, folder: Path) -> None:
        self._vault = Vault(folder)

    def join(self, receipt: dict[str, Any], key: str) -> None:
        """Keep the receipt, and the key of the log it was given under, as known at joining."""
        check(receipt, key)
        self._vault.change({_RECEIPT: as_json({"receipt": receipt, "key": key})})

    def leave(self) -> None:
        """Take part in nothing more, and forget what was kept for it."""
        names = [*self._vault.names(_EVENTS), _RECEIPT]
        self._vault.change(dict.fromkeys(names))

    def keep(self, events: pa.Table) -> None:
        """Add the events of a session."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, events.schema) as writer:
            writer.write_table(events)
        number = len(self._vault.names(_EVENTS))
        self._vault.change({f"{_EVENTS}{number:08d}": sink.getvalue().to_pybytes()})

    def sessions(self) -> Sequence[pa.Table]:
        """Return the events, a table a session."""
        found = []
        for _, data in self._vault.items(_EVENTS):
            with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
                found.append(reader.read_all().select(EVENTS.names))
        if not found:
            raise Missing("there are no events on this device to learn from", where="device")
        return found

    def consents(self, study: str, purpose: str) -> None:
        """Raise `NotConsented` unless the receipt covers it, now, and was not tampered with."""
        kept = self._vault.get_json(_RECEIPT)
        if kept is None:
            raise NotConsented("there is no receipt on this device", where="device")
        receipt = check(kept["receipt"], kept["key"])
        if kept["receipt"]["overt"]["study"] != study or purpose not in receipt.purposes:
            raise NotConsented("the receipt does not cover this", where="device")

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
