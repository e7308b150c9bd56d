"""What a device has for learning together: what the agent kept, its grant, and what it answered.

All of it lies sealed in the agent's own vault, one for each study: so pausing, taking out the last
minutes, and leaving reach it without anybody having to think of it. What a step needs of the events
is worked out anew each time and kept nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.consent.receipt import check
from overt.device.kept import Kept
from overt.device.vault import Vault, as_json
from overt.federated.plan import Plan
from overt.models.private.spent import Mechanism, composed
from overt.schema.errors import Missing, NotConsented, Refused
from overt.schema.event import EVENTS
from overt.schema.study import EPSILON

_LEDGER = "together/ledger"
DELTA_MAX = 1e-5
"""δ at which ε is held against what the notice states; less where a plan's is less."""


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

    @property
    def events(self) -> int:
        """Events that are kept to learn from."""
        return Kept(self._vault).count()

    def consents(self, study: str, purpose: str) -> None:
        """Raise unless the person's receipt covers it now and is whole, and it is not paused."""
        self.covers(study, [purpose])
        if self._vault.get("paused") is not None:
            raise Refused("is paused by its person", where="device")

    def covers(self, study: str, purposes: Iterable[str]) -> None:
        """Raise `NotConsented` unless the receipt covers one of them, now, and `Damaged` if forged.

        What the person has taken back on this device or elsewhere is no longer in its grant.
        """
        grant = self._vault.get_json("grant")
        if grant is None:
            raise NotConsented("there is no receipt on this device", where="device")
        receipt = check(grant["receipt"], grant["receipt"]["log"]["key"])
        covered = set(receipt.purposes) & set(grant["purposes"])
        if grant["receipt"]["overt"]["study"] != study or not covered & set(purposes):
            raise NotConsented("the receipt does not cover this", where="device")

    def count(self, run: str, plan: Plan, step: int) -> None:
        """Note that a step of a run is answered now, before it is. Raises `Refused`.

        One plan a run, each step once, in order, and no more than there are; and no run begins
        whose whole course, with all that was answered before it in any run, would cost more than
        the notice states; where another run went on since, the same is asked again. So what ε
        counts is all that is ever answered, whatever a server asks.
        """
        while True:
            known = self._vault.get(_LEDGER)
            ledger = json.loads(known or b"{}")
            ledger[run] = self._answered(ledger, run, plan, step)
            # Another process of this device may answer another run at the same moment.
            if self._vault.change_if({_LEDGER: known}, {_LEDGER: as_json(ledger)}):
                return

    def _answered(
        self, ledger: dict[str, dict[str, Any]], run: str, plan: Plan, step: int
    ) -> dict[str, Any]:
        """Return the entry of a run once a step of it is answered."""
        others = [one for name, one in ledger.items() if name != run]
        elsewhere = sum(one["last"] for one in others)
        entry = ledger.get(run)
        if entry is None:
            entry = {"plan": plan.sha256(), "last": 0, "delta": plan.delta}
            entry |= asdict(plan.mechanism)
        if entry.get("elsewhere") != elsewhere:
            self._afford(plan, others)
        if entry["plan"] != plan.sha256():
            raise Refused("the plan is not the one this began with", where="plan")
        if not entry["last"] < step <= plan.steps:
            raise Refused("this step was answered, or there is none such", where="step")
        # Steps that were left out were answered by nobody here, and are counted all the same.
        return {**entry, "elsewhere": elsewhere, "last": step, "steps": step}

    def spent(self) -> tuple[float, float]:
        """Return ε of all that this device has answered, and the δ it is at; (0, 0) for nothing."""
        before = self._vault.get_json(_LEDGER, {}).values()
        delta = min((one["delta"] for one in before), default=0.0)
        return composed(_mechanisms(before), delta) if before else 0.0, delta

    def _afford(self, plan: Plan, before: Collection[dict[str, Any]]) -> None:
        stated = (self._vault.get_json("grant") or {}).get("epsilon_max") or 0.0
        limit = min(float(stated), EPSILON[1])
        # A larger δ makes any course look cheap; how many people there are, a server only says.
        delta = min([DELTA_MAX, plan.delta, *(one["delta"] for one in before)])
        whole = composed((*_mechanisms(before), plan.mechanism), delta)
        if whole > limit:
            raise Refused(
                f"costs more than ε {limit:g}, with all that was learned here before", where="plan"
            )

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()


def _mechanisms(ledger: Collection[dict[str, Any]]) -> tuple[Mechanism, ...]:
    return tuple(
        Mechanism(one["sampling_rate"], one["noise_multiplier"], one["steps"]) for one in ledger
    )


def _table(events: Any) -> pa.Table:
    return pa.table({name: events[name] for name in EVENTS.names}, schema=EVENTS)
