"""Others that listen to input on a desktop: what we measure the agent beside.

    python benchmarks/listeners.py plain|counting

`plain` is pynput's listener with functions that do nothing: the floor of a program that uses it.
`counting` does the work of ActivityWatch's aw-watcher-input, which listens with pynput too:
presses, clicks, the pointer's way and the wheel are summed, and the sums taken away once a second.
It leaves out what the watcher then does with them, a heartbeat to its server, so the real one costs
more. (aw-watcher-input itself is in no package registry.)

Each ends when standard input does, and prints how many events it was called for.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

POLL_S = 1.0


class Plain:
    """Counts calls, which a bare listener would not even do."""

    def __init__(self) -> None:
        self.calls = {"keys": 0, "moves": 0, "buttons": 0}

    def key(self, _: Any) -> None:
        self.calls["keys"] += 1

    def release(self, _: Any) -> None:
        self.calls["keys"] += 1

    def move(self, *_: Any) -> None:
        self.calls["moves"] += 1

    def click(self, *_: Any) -> None:
        self.calls["buttons"] += 1

    def scroll(self, *_: Any) -> None:
        self.calls["buttons"] += 1


class Counting(Plain):
    """Sums that are taken away once a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[int, int] | None = None
        self._news = threading.Event()
        self._sums = dict.fromkeys(("presses", "clicks", "x", "y", "scroll"), 0)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            threading.Event().wait(POLL_S)
            self._news.clear()
            self._sums = dict.fromkeys(self._sums, 0)

    def key(self, key: Any) -> None:
        super().key(key)
        self._sums["presses"] += 1
        self._news.set()

    def move(self, x: int, y: int, *more: Any) -> None:
        super().move(x, y, *more)
        last_x, last_y = self._last or (x, y)
        self._sums["x"] += abs(x - last_x)
        self._sums["y"] += abs(y - last_y)
        self._last = (x, y)
        self._news.set()

    def click(self, *_: Any) -> None:
        super().click()
        self._sums["clicks"] += 1
        self._news.set()

    def scroll(self, x: int, y: int, dx: int, dy: int, *_: Any) -> None:
        super().scroll(x, y, dx, dy)
        self._sums["scroll"] += abs(dx) + abs(dy)
        self._news.set()


def main() -> None:
    """Listen until standard input ends."""
    from pynput import keyboard, mouse

    heard = {"plain": Plain, "counting": Counting}[sys.argv[1]]()
    listeners: list[Any] = [
        keyboard.Listener(on_press=heard.key, on_release=heard.release),
        mouse.Listener(on_move=heard.move, on_click=heard.click, on_scroll=heard.scroll),
    ]
    for listener in listeners:
        listener.start()
        listener.wait()
    print("listening", flush=True)
    sys.stdin.read()
    print(json.dumps(heard.calls), flush=True)


if __name__ == "__main__":
    main()
