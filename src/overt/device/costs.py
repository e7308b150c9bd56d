"""What the agent costs this computer: processor, memory and disk, as the kernel counts them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Costs:
    """Since recording began, the chip included; what starting costs is not in it."""

    hours: float
    cpu_s: float
    memory_mb: float

    @property
    def share_of_a_core(self) -> float:
        """Mean share of one core."""
        return self.cpu_s / max(3600 * self.hours, 1e-9)


class Meter:
    """Measures this process, and the chip's, from now on."""

    def __init__(self, chip: int) -> None:
        self._pids = (os.getpid(), chip)
        self._began_s = time.monotonic()
        self._before_s = sum(_process(pid)[0] for pid in self._pids)

    def costs(self) -> Costs:
        """Return what it has cost so far."""
        parts = [_process(pid) for pid in self._pids]
        hours = (time.monotonic() - self._began_s) / 3600
        cpu_s = sum(cpu for cpu, _ in parts) - self._before_s
        return Costs(hours, max(0.0, cpu_s), sum(memory for _, memory in parts))


def _process(pid: int) -> tuple[float, float]:
    """Return processor seconds and resident megabytes of a process; nothing if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0, 0.0
    cpu_s = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
