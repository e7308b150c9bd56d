"""The agent's loop over a terminal within the terminal, without study and server: what is kept.

Told are a file for the class of each key that the gate lets through, one a line, and the shell.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

from overt.device.applications import Application
from overt.device.capture import Capture
from overt.device.platforms import opened
from overt.schema.event import KeyClass, Kind


def main(file: str, shell: str) -> None:
    stop, paused = threading.Event(), threading.Event()

    def toggle() -> None:
        (paused.clear if paused.is_set() else paused.set)()
        platform.indicator.accept()

    listed = [Application(1, "shell", "The shell", (shell,), terminal=True)]
    platform = opened(None, listed, "en", toggle, study="desk", ended=stop.set)
    platform.source.on_hotkey(toggle)
    assert platform.terminal is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    gates = Capture(
        *(platform.source, platform.sight, platform.verdicts, time.monotonic_ns() // 1_000_000)
    )
    with Path(file).open("w") as told:
        try:
            platform.terminal.begin(["hello"])
            while not stop.is_set():
                platform.indicator.keep()
                is_open = platform.indicator.is_seen(platform.sight) and not paused.is_set()
                rows = gates.look(is_open=is_open)
                at = "" if gates.moment.application else " elsewhere"
                platform.indicator.show(f"recording{at}" if is_open else "paused")
                for one in rows[rows["kind"] == Kind.KEY_DOWN]:
                    print(KeyClass(one["key_class"]).name, file=told, flush=True)
                gates.rest()
        finally:
            platform.source.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
