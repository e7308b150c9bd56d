"""The seam between platforms and the gate: what a platform must say, and nothing of how.

Everything above it (`capture`, `verdicts`, `session`, `agent`) is the same on every platform. A
platform that cannot tell something says the answer that suppresses: no window, process 0, no
rectangle. What it then may not record follows from the gate's own rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from overt.schema.errors import Missing

if TYPE_CHECKING:
    from overt.device.carets import Moved
    from overt.device.displays import Setting
    from overt.device.fields import Field
    from overt.device.keyboard import Keymap
    from overt.device.screen import Moment
    from overt.device.stream import Heap


NOTCH_CSS_PX, LINE_CSS_PX = 120, 16
"""One notch of a wheel, as browsers count it, and a line, where a system speaks of lines."""


@dataclass(frozen=True)
class Window:
    """A window as it lies on the screen, in pixels; `pid` is the process that made it, or 0.

    One that is not `drawn` takes input and shows nothing, as some lock screens do.
    """

    id: int
    x: int
    y: int
    width: int
    height: int
    pid: int
    drawn: bool = True


class Source(Protocol):
    """Input as it happens. It is only listened to: nothing is grabbed, changed or held up."""

    @property
    def notch_css_px(self) -> int:
        """How far one press of a wheel's buttons (4 to 7) turns it."""

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""

    def heap(self) -> Heap:
        """Return what happened since the last call. Raises `Missing` if the source is gone."""

    def now_ms(self) -> int:
        """Return the time now, ms, on the clock of the events; it wraps at 2³²."""

    def outermost(self, window: int) -> int:
        """Return the program's own window that a window is a part of, or itself."""

    def setting(self) -> Setting:
        """Return the displays, and how the pointer is accelerated, as far as that is known."""

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` for Ctrl+Alt+P, where the platform lets one know of it."""

    def close(self) -> None:
        """Stop listening."""


class Sight(Protocol):
    """What can be seen, and who has the keyboard."""

    @property
    def keymap(self) -> Keymap:
        """What the keys of the layout in use mean."""

    def poll(self) -> bool:
        """Return whether anything changed since the last `moment`; asks nothing."""

    def moment(self) -> tuple[Moment, bool]:
        """Return what is there now, and whether windows changed since the last call."""

    def shows(self, pid: int) -> bool:
        """Return whether the indicator of that process can be seen."""


class Sign(Protocol):
    """The sign that shows the recording; nothing is recorded while it cannot be seen."""

    lost: bool
    """It has gone, or not answered, and the person has not gone on since."""

    @property
    def pid(self) -> int:
        """Its process, for what it costs; 0 where it has none of its own."""

    def is_seen(self, sight: Sight) -> bool:
        """Return whether it can be seen; asked before anything is looked at."""

    def keep(self) -> None:
        """Look after it; called at every look."""

    def accept(self) -> None:
        """Go on after it was lost, by the person's own act; nothing while none is there."""

    def show(self, state: str) -> None:
        """Show a state: `recording` or `paused`, and a word more."""

    def close(self) -> None:
        """Take it away."""


class Shown(Protocol):
    """What `screen.Screen` asks of a platform that tells where windows lie."""

    def keymap(self) -> Keymap:
        """Return what the keys of the layout mean that is in use now."""

    def changed(self) -> tuple[bool, bool]:
        """Return whether windows moved, came or went since the last call, and the keymap."""

    def focused(self) -> int:
        """Return the window that has the keyboard, or 0 where none has."""

    def windows(self) -> list[Window]:
        """Return the windows one can see, from the lowest to the topmost."""

    def outermost(self, window: int) -> int:
        """Return the program's own window that a window is a part of, or itself."""

    def pid(self, window: int) -> int:
        """Return the process that a window belongs to, as the system knows it, or 0."""


def no_display(*, or_terminal: bool = True) -> Missing:
    """Return what is said where no sign could be shown; `or_terminal`: a terminal would do."""
    return Missing(
        "there is no display, and without one nothing is recorded",
        where="DISPLAY",
        do="Start it on a desktop, or in a terminal, with its output there."
        if or_terminal
        else "Start it on a desktop.",
    )


class Verdicts(Protocol):
    """Tells which field has the keyboard."""

    def turn(self, moment: Moment) -> int:
        """Return a number that changes whenever the keyboard may have gone to another field."""

    def hurries(self, moment: Moment) -> bool:
        """Return whether the field may have been another for a while, and only looks would tell."""

    def typed(self, moment: Moment, keys: int, lines: int) -> None:
        """Take in how many keys gave a character since the look before, and how many were Enter."""

    def confirmed(self, moment: Moment, turn: int) -> Field:
        """Return the field of that turn if it has the keyboard still; suppressed otherwise."""

    def carets(self, moment: Moment, turn: int) -> list[Moved]:
        """Return where the caret of that turn's field has been since the last call.

        Where no window has the keyboard, nothing is listened to any more.
        """

    def selected(self, field: Field) -> int:
        """Return how many characters are selected in a field that was just confirmed."""
