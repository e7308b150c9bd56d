"""What the agent costs this computer: processor, memory and disk, as the kernel counts them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POWER = Path("/sys/class/power_supply")
BATTERY_EVERY_S = 30.0


@dataclass(frozen=True)
class Costs:
    """What the agent cost, its sign included; what starting costs is not in it."""

    hours: float
    """How long it ran."""
    cpu_s: float
    memory_mb: float
    """Now."""
    battery_wh: float | None = None
    """Of what the battery gave meanwhile, the part of our processor time in all of it: at most what
    we cost, for it feeds the screen too. None where there is no battery that tells, or it gave
    nothing."""
    events: int = 0
    """Events that were put into batches."""
    sealed_bytes: int = 0
    """Size of these batches, before compression."""

    @property
    def share_of_a_core(self) -> float:
        """Mean share of one core."""
        return self.cpu_s / max(3600 * self.hours, 1e-9)


class Meter:
    """Measures this process, and that of the sign, from now on."""

    def __init__(self, sign: Callable[[], int], power: Path = POWER) -> None:
        """`sign`: tells which process the sign is; another may take its place."""
        self._sign = sign
        self._power = power
        self._looked_s = -math.inf
        self._began_s = time.monotonic()
        self._cpu_s = 0.0
        self._battery_wh: float | None = None
        self._last: tuple[float, float, float] | None = None
        """At the last look, while the battery gave: what it held, our time, everybody's."""
        self._before = {pid: _process(pid)[0] for pid in self._pids()}

    def _pids(self) -> tuple[int, int]:
        return os.getpid(), self._sign()

    def _spent_s(self) -> float:
        """Return processor seconds since the beginning; those of a former sign stay in it."""
        now = {pid: _process(pid)[0] for pid in self._pids()}
        self._cpu_s += sum(max(0.0, now[pid] - self._before.get(pid, 0.0)) for pid in now)
        self._before = now
        return self._cpu_s

    def look(self) -> None:
        """Look at the battery, now and then; called as often as one likes."""
        if time.monotonic() - self._looked_s < BATTERY_EVERY_S:
            return
        self._looked_s = time.monotonic()
        held_wh = held(self._power)
        now = None if held_wh is None else (held_wh, self._spent_s(), _busy_s())
        if now is not None and self._last is not None:
            given_wh, own_s, all_s = (b - a for a, b in zip(self._last, now, strict=True))
            share = min(1.0, max(0.0, own_s) / all_s) if all_s > 0 else 0.0
            self._battery_wh = (self._battery_wh or 0.0) + max(0.0, -given_wh) * share
        self._last = now

    def costs(self) -> Costs:
        """Return what it has cost since the beginning."""
        hours = (time.monotonic() - self._began_s) / 3600
        memory_mb = sum(_process(pid)[1] for pid in self._pids())
        return Costs(hours, self._spent_s(), memory_mb, self._battery_wh)


def held(power: Path = POWER) -> float | None:
    """Return what the batteries hold, Wh, while one of them gives; None otherwise."""
    found, gives = 0.0, False
    for supply in sorted(power.glob("*")):
        if _text(supply / "type") != "Battery" or _text(supply / "scope") == "Device":
            continue  # mains; or the battery of a mouse
        energy = _number(supply / "energy_now")
        charge, volts = _number(supply / "charge_now"), _number(supply / "voltage_now")
        if energy is None and (charge is None or volts is None):
            return None
        found += energy / 1e6 if energy is not None else (charge or 0.0) * (volts or 0.0) / 1e12
        gives = gives or _text(supply / "status") == "Discharging"
    return found if gives else None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> float | None:
    text = _text(path)
    return float(text) if text.isdigit() else None


def _busy_s() -> float:
    """Return the time that all processors together were not idle, seconds."""
    words = _text(Path("/proc/stat")).split()[1:8]
    if len(words) < 7:
        return 0.0
    user, nice, system, _idle, _waiting, irq, soft = map(int, words)
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _process(pid: int) -> tuple[float, float]:
    """Return processor seconds and resident megabytes of a process; nothing if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return (time.process_time() if pid == os.getpid() else 0.0), 0.0
    cpu_s = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
