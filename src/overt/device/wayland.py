"""A Wayland session: keys from the kernel, windows from the compositor, fields from AT-SPI.

Wayland shows a program nothing of others, and XWayland only its own part, which would be half a
recording that looks whole. So keys come from evdev, which takes a permission that the person gives
(`overt.device.permission`), and exist only while three agree: the compositor on which window is
active and what it calls itself, the accessibility service on the process that has the field, and
the study's list on both. A lock screen or launcher above a window takes its keys and is in no list;
so in a terminal too the service must say that it has them, beside what is seen of its shell. Where
the pointer is nobody tells: nothing of it is recorded, and why nothing less would do either is in
`docs/decisions/0004-no-pointer-under-wayland.md`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from overt.device import evdev, wire, xkb
from overt.device.applications import Applications, asks_for_passwords
from overt.device.displays import Setting
from overt.device.fields import Fields
from overt.device.keyboard import Hotkey
from overt.device.outputs import Outputs
from overt.device.screen import Moment
from overt.device.seam import NOTCH_CSS_PX
from overt.device.stream import Heap
from overt.device.wire import Toplevels, Wire

ACTIVE_TERMINAL = Path("/sys/class/tty/tty0/active")
"""Which of the computer's terminals is in front: a graphical session, another person's, a console.
The kernel hands out keys of all of them."""


class Wayland:
    """Input and windows of a session (`seam.Source` and `seam.Sight`). Close it after use."""

    def __init__(
        self,
        path: Path,
        applications: Applications,
        fields: Fields,
        devices: Iterable[evdev.Device] | None = None,
    ) -> None:
        """`devices`: read these and no others."""
        self._applications, self._fields = applications, fields
        self._wire = Wire(path)
        self._toplevels = Toplevels(self._wire)
        self._outputs = Outputs(self._wire)
        self._keymap_text = wire.keymap_text(self._wire)
        self.keymap = xkb.keymap_of(self._keymap_text)
        self._devices = evdev.Devices(self.keymap, devices)
        self._hotkey = Hotkey()
        self._terminal = _active_terminal()
        self._seen = -1
        self._looked = -1
        self._owner: tuple[int, list[int]] = (0, [])
        """The window whose processes were looked for, and they."""

    notch_css_px = NOTCH_CSS_PX

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""
        evdev.wait([self._wire.number, *self._devices.numbers()], seconds)

    def heap(self) -> Heap:
        """Return what happened since the last call."""
        heap = self._devices.heap()
        self._wire.round_trip()
        changed = self._toplevels.changes != self._looked
        self._looked = self._toplevels.changes
        if not self._is_in_front:
            return Heap(heap.events[:0], focus=True)
        self._hotkey.hear(heap.events, self.keymap)
        return replace(heap, focus=heap.focus or changed)

    @property
    def _is_in_front(self) -> bool:
        return _active_terminal() == self._terminal

    def now_ms(self) -> int:
        """Return the time now, ms of the monotonic clock, as the kernel gives its records."""
        return (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF

    def outermost(self, window: int) -> int:
        """Return a window itself: the compositor lists only whole ones."""
        return window

    def setting(self) -> Setting:
        """Return the displays; of pointers nobody tells."""
        return self._outputs.now()

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` for Ctrl+Alt+P, which the program in front gets as well."""
        self._hotkey.pressed = pressed

    def poll(self) -> bool:
        """Return whether windows changed since the last `moment`."""
        self._wire.read()
        return self._toplevels.changes != self._seen

    def moment(self) -> tuple[Moment, bool]:
        """Return which window is active now, and whether windows changed since the last call."""
        self._wire.round_trip()
        changed, self._seen = self.poll(), self._toplevels.changes
        active = self._toplevels.active if self._is_in_front else 0
        number = self._number(active)
        names = [one.application for one in self._toplevels.all.values()]
        moment = Moment(
            focus=active,
            focus_pid=self._pid(active, number),
            application=number,
            prompt=any(asks_for_passwords(name.rpartition(".")[2]) for name in names),
        )
        return moment, changed

    def _number(self, active: int) -> int:
        if not active:
            return 0
        return self._applications.called(self._toplevels.all[active].application)

    def _pid(self, active: int, number: int) -> int:
        """Return the application's process that has the field; else one of its, each in turn.

        Each is asked for the field that it may have had before anybody listened.
        """
        field = self._fields.now.pid
        if not number:
            return 0
        if field and self._applications.of(field) == number:
            return field
        if self._owner[0] != active:
            self._owner = (active, self._applications.processes(number))
        mine = self._owner[1]
        return mine[int(time.monotonic()) % len(mine)] if mine else 0

    def shows(self, pid: int) -> bool:
        """Return true: the chip itself says whether the compositor draws it, or it is not alive."""
        return pid > 0

    def close(self) -> None:
        """Stop listening."""
        self._devices.close()
        self._wire.close()


def _active_terminal() -> str:
    try:
        return ACTIVE_TERMINAL.read_text()
    except OSError:
        return ""  # a computer without any
