"""Displays of a Wayland session (`wl_output`). What made them, and which model, is read over."""

from __future__ import annotations

from dataclasses import dataclass

from overt.device.displays import Display, Setting
from overt.device.wire import Handler, Reader, Wire

OUTPUT, _VERSION = "wl_output", 2
_GEOMETRY, _MODE, _SCALE = 0, 1, 3
_CURRENT = 1
_WHOLE = 1 << 32


@dataclass
class _Output:
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    turned: bool = False
    scale: int = 1


class Outputs:
    """Follows the displays that the compositor offers; of the pointer it says nothing."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._all: dict[int, _Output] = {}

    def now(self) -> Setting:
        """Return the displays that are there now."""
        for name in self._wire.outputs - self._all.keys():
            self._all[name] = _Output()
            self._wire.bind_name(name, OUTPUT, _VERSION, self._heard(self._all[name]))
            self._wire.round_trip()
        there = [one for name, one in sorted(self._all.items()) if name in self._wire.outputs]
        return Setting(tuple(_display(one) for one in there if one.width))

    def _heard(self, one: _Output) -> Handler:
        def heard(event: int, reader: Reader) -> None:
            if event == _GEOMETRY:
                one.x, one.y = _signed(reader.number()), _signed(reader.number())
                for _ in range(3):
                    reader.number()
                reader.text()
                reader.text()
                one.turned = bool(reader.number() & 1)
            elif event == _MODE and reader.number() & _CURRENT:
                one.width, one.height = reader.number(), reader.number()
            elif event == _SCALE:
                one.scale = max(1, reader.number())

        return heard


def _display(one: _Output) -> Display:
    sides = one.width // one.scale, one.height // one.scale
    wide, high = sides[::-1] if one.turned else sides
    return Display(one.x, one.y, wide, high, float(one.scale))


def _signed(number: int) -> int:
    return number - _WHOLE if number >= _WHOLE // 2 else number
