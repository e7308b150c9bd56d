"""Displays and pointing devices of an X server: RandR, its resources, and the input devices.

Names and serial numbers of either are not asked for, but for the names of the devices by which the
server injects input itself, which are left out.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

from overt.device import displays
from overt.device.displays import Acceleration, Display, Setting, Speed

_STRING, _RESOURCES, _RESOURCE_WORDS = 31, 23, 1 << 14
_SLAVE_POINTER, _ALL_DEVICES = 3, 0
_SPEED, _PROFILE = "libinput Accel Speed", "libinput Accel Profile Enabled"


class X11Setting:
    """Asks on a connection that `Display` has open."""

    def __init__(self, ask: Any, root: int, devices: Any) -> None:
        import xcffib.randr

        self._ask, self._root, self._devices = ask, root, devices
        self._randr = None
        with suppress(Exception):  # a server without it: one display, as large as the screen
            self._randr = ask(xcffib.randr.key)
            self._randr.QueryVersion(1, 5).reply()
        self._atoms = [
            ask.core.InternAtom(0, len(name), name).reply().atom for name in (_SPEED, _PROFILE)
        ]

    def now(self) -> Setting:
        """Return what there is now."""
        return Setting(self._displays(self._scale()), *self._pointing())

    def _scale(self) -> float:
        asked = self._ask.core.GetProperty(
            0, self._root, _RESOURCES, _STRING, 0, _RESOURCE_WORDS
        ).reply()
        return displays.scale_of(bytes(asked.value.buf()).decode("latin-1"))

    def _displays(self, scale: float) -> tuple[Display, ...]:
        with suppress(Exception):
            if self._randr is not None:
                found = self._randr.GetMonitors(self._root, 1).reply().monitors
                main_first = sorted(found, key=lambda one: not one.primary)
                return tuple(
                    Display(one.x, one.y, one.width, one.height, scale) for one in main_first
                )
        place = self._ask.core.GetGeometry(self._root).reply()
        return (Display(0, 0, place.width, place.height, scale),)

    def _pointing(self) -> tuple[Acceleration, Speed]:
        found = []
        for one in self._devices.XIQueryDevice(_ALL_DEVICES).reply().infos:
            if one.type != _SLAVE_POINTER or b"XTEST" in b"".join(one.name):
                continue
            speed, profile = (self._property(one.deviceid, atom) for atom in self._atoms)
            if len(speed) == 4:
                found.append(displays.of_libinput(struct.unpack("=f", speed)[0], tuple(profile)))
        if found:
            return displays.agreed(found)
        said = self._ask.core.GetPointerControl().reply()
        return displays.of_ratio(said.acceleration_numerator, said.acceleration_denominator)

    def _property(self, device: int, atom: int) -> bytes:
        """Return the bytes of a device's property; none where it has none."""
        with suppress(Exception):
            said = self._devices.XIGetProperty(device, 0, atom, 0, 0, 8).reply()
            if said.format == 32:
                return struct.pack(f"={said.num_items}I", *said.data32)
            if said.format == 8:
                return bytes(said.data8)
        return b""
