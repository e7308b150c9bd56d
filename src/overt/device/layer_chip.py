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

from overt.device.chip import BEAT_MS
from overt.device.signs import ELSEWHERE, MARKS, look_of, said, say, words_of
from overt.device.wire import Reader, Wire, socket_path
from overt.schema.errors import Missing, OvertError

LAYER_SHELL = "zwlr_layer_shell_v1"
_OVERLAY, _TOP_RIGHT, _XRGB = 3, 1 | 8, 1
_CLICK, _PRESSED = 3, 1
COLOURS = {
    "recording": (0xB3261E, 0xFFFFFF),
    ELSEWHERE: (0xFFFFFF, 0xB3261E),
    "paused": (0x3C4043, 0xFFFFFF),
}
SCALE, MARGIN = 2, 8
_HIGH, _WIDE, _STEP = 7, 5, 6
GLYPHS = {
    "A": "0E 11 11 1F 11 11 11",
    "B": "1E 11 11 1E 11 11 1E",
    "C": "0E 11 10 10 10 11 0E",
    "D": "1E 11 11 11 11 11 1E",
    "E": "1F 10 10 1E 10 10 1F",
    "F": "1F 10 10 1E 10 10 10",
    "G": "0E 11 10 17 11 11 0F",
    "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E",
    "J": "07 02 02 02 02 12 0C",
    "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F",
    "M": "11 1B 15 15 11 11 11",
    "N": "11 19 15 13 11 11 11",
    "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10",
    "Q": "0E 11 11 11 15 12 0D",
    "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E",
    "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E",
    "V": "11 11 11 11 11 0A 04",
    "W": "11 11 11 15 15 1B 11",
    "X": "11 11 0A 04 0A 11 11",
    "Y": "11 11 0A 04 04 04 04",
    "Z": "1F 01 02 04 08 10 1F",
    "Ä": "0A 00 0E 11 1F 11 11",
    "Ö": "0A 00 0E 11 11 11 0E",
    "Ü": "0A 00 11 11 11 11 0E",
    "0": "0E 11 13 15 19 11 0E",
    "1": "04 0C 04 04 04 04 0E",
    "2": "0E 11 01 06 08 10 1F",
    "3": "1F 02 04 02 01 11 0E",
    "4": "02 06 0A 12 1F 02 02",
    "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E",
    "7": "1F 01 02 04 08 08 08",
    "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C",
    " ": "00 00 00 00 00 00 00",
    "-": "00 00 00 1F 00 00 00",
    ":": "00 04 04 00 04 04 00",
    "·": "00 00 00 04 00 00 00",
    "→": "00 04 02 1F 02 04 00",
    "●": "00 0E 1F 1F 1F 0E 00",
    "○": "00 0E 11 11 11 0E 00",
    "❚": "00 1B 1B 1B 1B 1B 00",
}
"""Letters, seven rows of five bits: a surface has no fonts of its own. Others are left blank."""


def drawn(state: str, words: dict[str, str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    """Return uint32[height, width], 0xRRGGBB: the chip in a state (`recording`, `paused …`)."""
    look = look_of(state)
    text = f"{MARKS[look][0]} {said(state, words).upper()}"
    bits = np.zeros((_HIGH, _STEP * len(text)), bool)
    for k, letter in enumerate(text):
        rows = [int(row, 16) for row in GLYPHS.get(letter, GLYPHS[" "]).split()]
        for y, row in enumerate(rows):
            for x in range(_WIDE):
                bits[y, _STEP * k + x] = row >> (_WIDE - 1 - x) & 1
    large = np.pad(bits.repeat(SCALE, 0).repeat(SCALE, 1), MARGIN)
    back, front = COLOURS[look]
    return np.where(large, front, back).astype(np.uint32)


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
        self._size = drawn(self._state, words).shape
        wire.send(self._layer, 0, self._size[1], self._size[0])
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
        if picture.shape != self._size:  # the compositor makes room, then asks for the picture
            self._size = picture.shape
            self._wire.send(self._layer, 0, wide, high)
            self._wire.send(self._surface, 6)
            return
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
    words = words_of(sys.argv[1:])
    path = socket_path()
    if path is None:
        raise Missing("there is no Wayland session", where="WAYLAND_DISPLAY")
    Chip(path, words).run()


if __name__ == "__main__":
    try:
        main()
    except OvertError:
        sys.exit(1)
