"""The sign that recording is on, for Wayland: a small surface above all windows.

`python -m overt.device.layer_chip` speaks with the agent as `overt.device.chip` does. It lies on
the overlay layer (`wlr-layer-shell`), which no window can cover, and says `beat` only after the
compositor has told that it drew it anew. Where nothing is drawn any more, recording stops.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

import numpy as np

from overt.device.chip import BEAT_MS, say
from overt.device.wire import Reader, Wire, socket_path
from overt.schema.errors import Missing, OvertError

LAYER_SHELL = "zwlr_layer_shell_v1"
_OVERLAY, _TOP_RIGHT, _XRGB = 3, 1 | 8, 1
_CLICK, _PRESSED = 3, 1
COLOURS = {"recording": 0xB3261E, "paused": 0x3C4043}
WORDS = {
    "en": {"recording": "OVERT RECORDS", "paused": "OVERT PAUSED"},
    "de": {"recording": "OVERT ZEICHNET AUF", "paused": "OVERT PAUSIERT"},
    "coach": {"recording": "OVERT COACH COUNTS", "paused": "OVERT COACH PAUSED"},
}
SCALE, MARGIN = 2, 8
_HIGH, _WIDE, _STEP = 7, 5, 6
GLYPHS = {
    "A": "0E 11 11 1F 11 11 11",
    "C": "0E 11 10 10 10 11 0E",
    "D": "1E 11 11 11 11 11 1E",
    "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10",
    "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E",
    "N": "11 19 15 13 11 11 11",
    "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10",
    "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E",
    "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E",
    "V": "11 11 11 11 11 0A 04",
    "Z": "1F 01 02 04 08 10 1F",
    " ": "00 00 00 00 00 00 00",
    "●": "00 0E 1F 1F 1F 0E 00",
    "❚": "00 1B 1B 1B 1B 1B 00",
}
"""Letters of the words above, seven rows of five bits: a surface has no fonts of its own."""


def drawn(state: str, words: dict[str, str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    """Return uint32[height, width], 0xRRGGBB: the chip in a state (`recording`, `paused …`)."""
    phase = "recording" if state.partition(" ")[0] == "recording" else "paused"
    text = ("● " if phase == "recording" else "❚ ") + words[phase]
    bits = np.zeros((_HIGH, _STEP * len(text)), bool)
    for k, letter in enumerate(text):
        rows = [int(row, 16) for row in GLYPHS[letter].split()]
        for y, row in enumerate(rows):
            for x in range(_WIDE):
                bits[y, _STEP * k + x] = row >> (_WIDE - 1 - x) & 1
    large = np.pad(bits.repeat(SCALE, 0).repeat(SCALE, 1), MARGIN)
    return np.where(large, 0xFFFFFF, COLOURS[phase]).astype(np.uint32)


class Chip:
    """The surface, and what it hears of compositor and agent."""

    def __init__(self, path: Path, words: dict[str, str]) -> None:
        self._words, self._state = words, "paused"
        self._wire = wire = Wire(path)
        self._compositor = wire.bind("wl_compositor", 4)
        self._memory = wire.bind("wl_shm", 1)
        shell = wire.bind(LAYER_SHELL, 1)
        self._pointer_of(wire.bind("wl_seat", 1, self._seat))
        self._surface = wire.new()
        wire.send(self._compositor, 0, self._surface)
        self._layer = wire.new(self._configured)
        wire.send(shell, 0, self._layer, self._surface, 0, _OVERLAY, "overt")
        high, wide = drawn("recording", words).shape
        wire.send(self._layer, 0, max(wide, drawn("paused", words).shape[1]), high)
        wire.send(self._layer, 1, _TOP_RIGHT)
        wire.send(self._layer, 3, 16, 16, 0, 0)
        wire.send(self._surface, 6)
        self._was_drawn = self._is_shown = False

    def _pointer_of(self, seat: int) -> None:
        self._seat_id = seat

    def _seat(self, event: int, reader: Reader) -> None:
        if event == 0 and reader.number() & 1:
            pointer = self._wire.new(self._pointed)
            self._wire.send(self._seat_id, 0, pointer)

    def _pointed(self, event: int, reader: Reader) -> None:
        if event == _CLICK:
            _, _, _, state = (reader.number() for _ in range(4))
            if state == _PRESSED:
                say("toggle")

    def _configured(self, event: int, reader: Reader) -> None:
        if event:
            raise SystemExit(0)  # the compositor closed it; the agent hears no more beats
        self._wire.send(self._layer, 6, reader.number())
        self._is_shown = True
        self.show(self._state)

    def show(self, state: str) -> None:
        """Draw a state anew, and ask to be told when it is on the screen."""
        self._state = state
        if not self._is_shown:
            return
        picture = drawn(state, self._words)
        high, wide = picture.shape
        memory = os.memfd_create("overt-chip")
        os.write(memory, picture.tobytes())
        pool, buffer, frame = self._wire.new(), self._wire.new(), self._wire.new(self._framed)
        self._wire.send(self._memory, 0, pool, picture.nbytes, handle=memory)
        os.close(memory)
        self._wire.send(pool, 0, buffer, 0, wide, high, 4 * wide, _XRGB)
        self._wire.send(pool, 1)
        self._wire.send(self._surface, 1, buffer, 0, 0)
        self._wire.send(self._surface, 2, 0, 0, wide, high)
        self._wire.send(self._surface, 3, frame)
        self._wire.send(self._surface, 6)

    def _framed(self, _: int, __: Reader) -> None:
        self._was_drawn = True

    def run(self) -> None:
        """Show and beat until standard input ends."""
        said, at_s = b"", time.monotonic()
        while True:
            select.select([self._wire.number, sys.stdin.fileno()], [], [], BEAT_MS / 1000)
            self._wire.read()
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], 0)
            if ready:
                if not (part := os.read(sys.stdin.fileno(), 4096)):
                    return
                *lines, said = (said + part).split(b"\n")
                if lines:
                    self.show(lines[-1].decode().strip())
            if time.monotonic() - at_s >= BEAT_MS / 1000 and self._was_drawn:
                at_s, self._was_drawn = time.monotonic(), False
                say("beat")
                self.show(self._state)


def main() -> None:
    """Show the chip until standard input ends."""
    words = WORDS.get(sys.argv[1] if len(sys.argv) > 1 else "en", WORDS["en"])
    path = socket_path()
    if path is None:
        raise Missing("there is no Wayland session", where="WAYLAND_DISPLAY")
    Chip(path, words).run()


if __name__ == "__main__":
    try:
        main()
    except OvertError:
        sys.exit(1)
