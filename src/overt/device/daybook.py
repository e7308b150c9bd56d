"""What the agent cost today, over all its runs: kept sealed beside the rest, for one day."""

from __future__ import annotations

import time
from dataclasses import asdict

from overt.device.clock import CLOCK
from overt.device.costs import Costs, Meter
from overt.device.vault import Vault, as_json

KEEP_S = 60.0
COST, MADE = "cost/", "made/"
"""Names: processor, hours and battery of a day; events and bytes that were made in it."""


def today() -> str:
    """Return the person's own day."""
    return time.strftime("%Y-%m-%d", time.localtime(CLOCK.now_ms() / 1000))


def made(vault: Vault, events: int, sealed_bytes: int) -> dict[str, bytes | None]:
    """Return the change that adds to what was made today; it goes with the batches themselves."""
    name = MADE + today()
    before = vault.get_json(name, {})
    added = {"events": events, "sealed_bytes": sealed_bytes}
    return {name: as_json({one: int(before.get(one, 0)) + n for one, n in added.items()})}


class Daybook:
    """Adds a meter's costs to those of earlier runs of the day."""

    def __init__(self, vault: Vault, meter: Meter) -> None:
        self._vault, self._meter = vault, meter
        self._day, self._kept_s = today(), time.monotonic()
        self._kept = Costs(0.0, 0.0, 0.0)
        """What the meter said of this run when it was last kept."""

    def keep(self, *, now: bool = False) -> None:
        """Keep what was counted, once a minute; called as often as one likes."""
        self._meter.look()
        if not now and time.monotonic() - self._kept_s < KEEP_S:
            return
        self._kept_s = time.monotonic()
        run = self._meter.costs()
        spent = asdict(self._summed(run))
        for name in ("memory_mb", "events", "sealed_bytes"):
            del spent[name]
        change: dict[str, bytes | None] = {COST + self._day: as_json(spent)}
        if (day := today()) != self._day:
            old = [one for prefix in (COST, MADE) for one in self._vault.names(prefix)]
            change = {name: None for name in old if not name.endswith(day)}
            self._day = day
        self._vault.change(change)
        self._kept = run

    def costs(self) -> Costs:
        """Return what it cost today."""
        return self._summed(self._meter.costs())

    def _summed(self, run: Costs) -> Costs:
        before = self._vault.get_json(COST + self._day, {})
        given = [one for one in (before.get("battery_wh"), run.battery_wh) if one is not None]
        return Costs(
            hours=before.get("hours", 0.0) + run.hours - self._kept.hours,
            cpu_s=before.get("cpu_s", 0.0) + run.cpu_s - self._kept.cpu_s,
            memory_mb=run.memory_mb,
            battery_wh=sum(given) - (self._kept.battery_wh or 0.0) if given else None,
            **self._vault.get_json(MADE + today(), {}),
        )
