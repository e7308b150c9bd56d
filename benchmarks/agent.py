"""What the desktop agent costs, beside pynput and ActivityWatch's way of listening, at once.

    python benchmarks/agent.py [--seconds 20] [--json]

On a display of its own (Xvfb, a window manager, a text editor, the accessibility service) the agent
records with a server beside it, as a person starts it, while two listeners (`listeners.py`) hear
the same input: nothing, then the pointer moving at 125 Hz and at 1 kHz, then ten keys a second in
the editor, and at the prompt of a shell in a terminal, which has to be looked at all the time.
Processor time is what the kernel says each process ran, in ns, all threads; the agent's includes
its chip. All three get every event; the agent also judges, seals, journals, keeps and sends it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))

import desktop_fixtures as desk  # noqa: E402 - the tests' desktop, so that both mean the same
from overt.device.outbox import Outbox  # noqa: E402
from overt.device.vault import Vault  # noqa: E402
from overt.schema import batch  # noqa: E402
from overt.schema.event import Kind  # noqa: E402
from studio_fixtures import studio  # noqa: E402

RATES_HZ = (125, 1000)
KEYS_PER_S = 10
KEY_A = 38
EVENTS_PER_S_OF_A_DAY = 35
"""Of people at work, recorded for AgentNet: keys, clicks, wheel and moves together."""
TIMES_CHEAPER_MIN = 3
"""Than pynput's listener that does nothing, in processor time at 1 kHz."""


@dataclass(frozen=True)
class Measured:
    """Processes whose time is counted together."""

    name: str
    pids: tuple[int, ...]

    def ran_s(self) -> float:
        """Return the seconds these processes ran so far, from the kernel's own account."""
        return sum(_ran_ns(task) for pid in self.pids for task in _tasks(pid)) / 1e9

    def memory_mb(self) -> float:
        """Return what of them lies in memory now, MB; what they share counts for each."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids]
        return round(sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _ran_ns(task: Path) -> int:
    return int((task / "schedstat").read_text().split()[0])


def _children(pid: int) -> list[int]:
    found = [(task / "children").read_text().split() for task in _tasks(pid)]
    return [int(child) for children in found for child in children]


def phase(programs: list[Measured], work: Any) -> dict[str, Any]:
    """Do some input and return what share of a core each program ran meanwhile."""
    before, began_s = [one.ran_s() for one in programs], time.monotonic()
    events = work()
    lasted_s = time.monotonic() - began_s
    found: dict[str, Any] = {"seconds": round(lasted_s, 2), "events_per_s": events / lasted_s}
    for one, was_s in zip(programs, before, strict=True):
        ran_s = one.ran_s() - was_s
        found[one.name] = {
            "share_of_a_core": round(ran_s / lasted_s, 5),
            "cpu_ms_per_1000_events": round(1e6 * ran_s / events, 3) if events else None,
        }
    return found


def circle(count: int) -> list[tuple[int, int]]:
    """Return places in the editor, each another than the one before."""
    return [(60 + 7 * k % 400, 150 + 3 * k % 300) for k in range(count)]


def typed(hand: desk.Hand, seconds: float) -> int:
    """Type evenly; returns events, two a key."""
    count = int(seconds * KEYS_PER_S)
    for _ in range(count):
        hand.key(KEY_A, every_s=1 / KEYS_PER_S / 2)
    return 2 * count


def measured(seconds: float) -> dict[str, Any]:
    """Return all figures of one run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        screen = stack.enter_context(desk.desktop(folder / "home"))
        desk.add_study(folder / "data", outbox_delay_s=600)
        server = stack.enter_context(studio(folder))
        screen.start("mousepad")
        editor = screen.window("mousepad", 20, 80, 520, 500)
        screen.start("xterm", "-e", "bash", "--norc", "--noprofile")
        terminal = screen.window("xterm", 560, 80, 440, 400)
        address = f"{server.url.rstrip('/')}/study/desk"
        agent = stack.enter_context(desk.recording(screen, address, folder / "device"))
        desk.join(agent)
        hand = desk.Hand(screen.display)
        stack.callback(hand.close)
        screen.focus(editor)
        own = agent.process.pid
        programs = [Measured("overt", (own, *_children(own)))]
        others = {} if find_spec("pynput") is None else _listeners(screen, stack)
        programs += [Measured(name, (process.pid,)) for name, process in others.items()]
        time.sleep(3)  # what starting costs is another matter
        found: dict[str, Any] = {
            "benchmark": "agent",
            "idle": phase(programs, lambda: _rest(seconds)),
        }
        for hz in RATES_HZ:
            count = int(hz * seconds)
            found[f"moves_{hz}_hz"] = phase(programs, lambda c=count, r=hz: _moved(hand, c, r))
        found["keys"] = phase(programs, lambda: typed(hand, seconds))
        screen.focus(terminal)
        time.sleep(1)  # the last keys are settled
        found["keys_in_a_terminal"] = phase(programs, lambda: typed(hand, seconds))
        time.sleep(1)
        found["memory_mb"] = {one.name: one.memory_mb() for one in programs}
        found["heard"] = {name: _end(process) for name, process in others.items()}
        agent.process.send_signal(signal.SIGINT)
        agent.until("overt: ended")
        found["injected"] = dict(Counter(Kind_of[code] for _, code, _ in hand.log))
        found.update(_kept(folder / "device" / "desk"))
    return found


Kind_of = {2: "keys", 3: "keys", 4: "buttons", 5: "buttons", 6: "moves"}


def _rest(seconds: float) -> int:
    time.sleep(seconds)
    return 0


def _moved(hand: desk.Hand, count: int, hz: float) -> int:
    hand.moves(circle(count), hz)
    return count


def _listeners(screen: desk.Desktop, stack: ExitStack) -> dict[str, subprocess.Popen[str]]:
    made = {}
    for name, kind in (("pynput", "plain"), ("as aw-watcher-input", "counting")):
        process = subprocess.Popen(
            [sys.executable, str(HERE / "listeners.py"), kind],
            env=screen.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        stack.callback(process.kill)
        assert process.stdout is not None
        if process.stdout.readline().strip() != "listening":
            print(f"{name} is left out: it does not listen here", file=sys.stderr)
            continue
        made[name] = process
    return made


def _end(process: subprocess.Popen[str]) -> dict[str, int]:
    said, _ = process.communicate("", timeout=10)
    heard: dict[str, int] = json.loads(said)
    return heard


def _kept(folder: Path) -> dict[str, Any]:
    """Return what the agent kept of it, and the bytes that would leave."""
    vault = Vault(folder)
    entries = Outbox(vault).entries()
    vault.close()
    kinds: Counter[int] = Counter()
    for entry in entries:
        kinds.update(batch.to_events(*batch.decode(entry.plain)).column("kind").to_pylist())
    rows = sum(entry.rows for entry in entries)
    sent = sum(len(gzip.compress(entry.plain, 6)) for entry in entries)
    per_event = sent / rows

    def mb_per_hour(events_per_s: float) -> float:
        return round(events_per_s * 3600 * per_event / 1e6, 2)

    return {
        "kept": {
            "keys": kinds[Kind.KEY_DOWN] + kinds[Kind.KEY_UP],
            "moves": kinds[Kind.POINTER_MOVE],
        },
        "bytes_per_event": round(per_event, 2),
        "bytes_per_event_at_rest": round(sum(len(one.plain) for one in entries) / rows, 2),
        "mb_per_hour": {
            "35_events_per_s": mb_per_hour(EVENTS_PER_S_OF_A_DAY),
            **{f"moves_{hz}_hz": mb_per_hour(hz) for hz in RATES_HZ},
        },
    }


def main() -> int:
    """Measure and print; 1 where a listener that does nothing costs less than thrice as much."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = measured(chosen.seconds)
    print(json.dumps(figures, indent=None if chosen.json else 2))
    fast = figures["moves_1000_hz"]
    ours, theirs = (fast.get(name, {}).get("share_of_a_core") for name in ("overt", "pynput"))
    return int(theirs is not None and ours * TIMES_CHEAPER_MIN > theirs)


if __name__ == "__main__":
    sys.exit(main())
