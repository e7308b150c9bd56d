"""Which platform this is, what it lets one record, and its parts behind the seam."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from overt.device.applications import Application, Applications, program_of
from overt.device.indicator import LAYER, Indicator, sign
from overt.device.seam import (
    LINE_CSS_PX,
    NOTCH_CSS_PX,
    Sight,
    Sign,
    Source,
    Verdicts,
    no_display,
)
from overt.schema.errors import Missing

if TYPE_CHECKING:
    from overt.device.fields import Fields
    from overt.device.hooks import System
    from overt.device.listeners import Listener, Put
    from overt.device.targets import Under
    from overt.device.terminal_within import TerminalWithin
    from overt.device.wording import Words

X11, WAYLAND, WINDOWS, MAC = "Linux, X11", "Linux, Wayland", "Windows", "macOS"
TERMINAL = "Linux, a terminal"
"""No display, but a terminal: the person's shell in it, with the sign in its last row."""

RECORDS = {
    X11: "x11",
    WAYLAND: "wayland",
    TERMINAL: "terminal",
    WINDOWS: "hooked",
    MAC: "hooked",
}
"""Platform → name of the words for what can be recorded there (`records` in `words/`)."""

NEVER_RUN = (WINDOWS, MAC)
_NEEDS = {
    X11: ("httpx", "jeepney", "xcffib", "tkinter"),
    WAYLAND: ("httpx", "jeepney"),
    TERMINAL: ("httpx", "jeepney"),
    WINDOWS: ("httpx", "pynput", "tkinter"),
    MAC: ("httpx", "pynput", "Quartz", "tkinter"),
}


@dataclass(frozen=True)
class Platform:
    """What the agent needs of the computer it runs on."""

    source: Source
    sight: Sight
    indicator: Sign
    verdicts: Verdicts
    fields: Fields | None = None
    """Where keys are recorded outside of terminals: without them answering, nothing begins."""
    on_lock: Callable[[Callable[[], None]], None] = lambda _: None
    """Calls back when the screen is locked, where D-Bus does not tell."""
    under: Under | None = None
    """Tells what lies under the pointer."""
    display: str = ""
    """The X display whose windows may be looked at (level `screen`); there is no other way."""
    terminal: TerminalWithin | None = None
    """The person's own terminal, which it takes over: nobody else may write there."""


def kind(display: str | None = None) -> str:
    """Return which platform this session is; `display`: one that was named."""
    if sys.platform in ("win32", "darwin"):
        return WINDOWS if sys.platform == "win32" else MAC
    told = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("XDG_SESSION_TYPE")
    if told[0] or told[1] == "wayland":
        return WAYLAND
    has_terminal = all(os.isatty(one) for one in (0, 1))
    return X11 if display or os.environ.get("DISPLAY") or not has_terminal else TERMINAL


def records(w: Words) -> str:
    """Return what can be recorded here, in words."""
    return w(f"records.{RECORDS[kind()]}")


def never_run(w: Words) -> str | None:
    """Return that this platform's part was never run on it, in words; None where it was."""
    return w("records.never_run", kind=kind()) if kind() in NEVER_RUN else None


def require() -> None:
    """Raise `Missing` where the desktop agent cannot run, with what to do."""
    if sys.platform not in ("win32", "darwin") and not sys.platform.startswith("linux"):
        raise Missing(
            "the desktop agent runs on Linux; parts for Windows and macOS were never run",
            where="system",
            do="Use the browser.",
        )
    for name in _NEEDS[kind()]:
        if find_spec(name) is None:
            raise Missing(
                f"the desktop agent needs {name}",
                where="install",
                do="pip install 'overt[desktop]'; tkinter on Debian: apt-get install python3-tk.",
            )


def has_display(display: str | None) -> bool:
    """Return whether there is a display or a terminal in which a sign could be shown."""
    return kind(display) != X11 or bool(display or os.environ.get("DISPLAY"))


def require_display(display: str | None, *, or_terminal: bool = True) -> None:
    """Raise `Missing` where there is none: asked before anything has to be installed."""
    if not has_display(display) or (kind(display) == TERMINAL and not or_terminal):
        raise no_display(or_terminal=or_terminal)


def look(display: str | None) -> None:
    """Raise `Missing` where nothing could be recorded: asked before anybody is asked to join."""
    found = kind(display)
    if found == TERMINAL:
        from overt.device.terminal_shell import look as look_terminal

        look_terminal()
    elif found == X11:
        from overt.device.x11 import look as look_x11

        look_x11(display)
    elif found == WAYLAND:
        _look_wayland(display)
    elif found == MAC:
        from overt.device.darwin import ask_permission

        ask_permission()


def _look_wayland(display: str | None) -> None:
    from overt.device import permission, xkb
    from overt.device.layer_chip import LAYER_SHELL
    from overt.device.wire import Toplevels, Wire, keymap_text

    wire = Wire(_compositor(display))
    try:
        Toplevels(wire)
        wire.bind(LAYER_SHELL, 1)
        xkb.keymap_of(keymap_text(wire))
    finally:
        wire.close()
    permission.require()


def opened(
    display: str | None,
    listed: list[Application],
    lang: str,
    toggled: Callable[[], None],
    *,
    chip: bool = False,
    coach: bool = False,
    study: str = "",
    ended: Callable[[], None] | None = None,
) -> Platform:
    """Return the platform's parts, listening, with the indicator started.

    `chip`: a chip even where the desktop has a tray; `coach`: the sign speaks of the coach.
    `study`: its name, for a sign that has room; `ended`: called where what is recorded in ended.
    """
    if kind(display) == TERMINAL and ended is not None:
        return _terminal(listed, lang, study, ended)
    if kind(display) in (X11, TERMINAL):
        return _x11(display, listed, lang, toggled, chip=chip, coach=coach)
    if kind() == WAYLAND:
        return _wayland(display, listed, lang, toggled, coach=coach)
    return _hooks(listed, lang, toggled, coach=coach)


def programs(display: str | None) -> list[str]:
    """Return by what the programs are known that have a window now, sorted."""
    if kind() == WAYLAND:
        from overt.device.wire import Toplevels, Wire

        wire = Wire(_compositor(display))
        try:
            called = {one.application for one in Toplevels(wire).all.values()}
        finally:
            wire.close()
        return sorted({name.rpartition(".")[2].lower() for name in called} - {""})
    if kind() == X11:
        from overt.device.x11 import Display

        shown = Display(display)
        try:
            found = {program_of(one.pid) for one in shown.windows() if one.width > 1}
        finally:
            shown.close()
    else:
        system, _, _ = _system()
        found = {system.program(one.pid) for one in system.windows()}
    return sorted({path.name for path in found if path is not None})


def _x11(
    display: str | None,
    listed: list[Application],
    lang: str,
    toggled: Callable[[], None],
    *,
    chip: bool,
    coach: bool,
) -> Platform:
    from overt.device.fields import Fields
    from overt.device.screen import Screen
    from overt.device.targets import Targets
    from overt.device.verdicts import FieldsAndTerminals
    from overt.device.x11 import Display

    applications, shown = Applications(listed), Display(display)
    indicator = sign(shown.name, lang, toggled, chip=chip, coach=coach)
    screen, fields = Screen(shown, applications, lambda: indicator.pid), Fields()
    needed = None if all(one.terminal for one in listed) else fields
    verdicts = FieldsAndTerminals(applications, fields)
    return Platform(shown, screen, indicator, verdicts, needed, under=Targets(), display=shown.name)


def _wayland(
    display: str | None,
    listed: list[Application],
    lang: str,
    toggled: Callable[[], None],
    *,
    coach: bool,
) -> Platform:
    from overt.device import permission
    from overt.device.fields import Fields
    from overt.device.verdicts import FieldsAndTerminals
    from overt.device.wayland import Wayland

    path = _compositor(display)
    permission.require()
    applications, fields = Applications(listed), Fields()
    session = Wayland(path, applications, fields)
    indicator = Indicator(str(path), lang, toggled, program=LAYER, coach=coach)
    verdicts = FieldsAndTerminals(applications, fields, is_under_others=True)
    return Platform(session, session, indicator, verdicts, fields)


def _terminal(
    listed: list[Application],
    lang: str,
    study: str,
    ended: Callable[[], None],
) -> Platform:
    from overt.device.terminal_front import Front, NoFields
    from overt.device.terminal_line import Line, is_utf8
    from overt.device.terminal_within import TerminalWithin
    from overt.device.verdicts import FieldsAndTerminals

    line = Line(lang, title=study, is_utf8=is_utf8())
    applications, terminal = Applications(listed), TerminalWithin(line, ended)
    verdicts = FieldsAndTerminals(applications, NoFields(), shown=lambda: terminal.shown)
    return Platform(terminal, Front(terminal, applications), line, verdicts, terminal=terminal)


def _system() -> tuple[System, Callable[[Put], Listener], int]:
    """Return what asks this system, what listens to it, and how far a notch of a wheel goes."""
    from overt.device.listeners import mac_listener, windows_listener

    if kind() == WINDOWS:
        from overt.device.win32 import Windows

        return Windows(), windows_listener, NOTCH_CSS_PX
    from overt.device.darwin import Mac

    return Mac(), mac_listener, LINE_CSS_PX


def _hooks(
    listed: list[Application], lang: str, toggled: Callable[[], None], *, coach: bool
) -> Platform:
    from overt.device.asked_fields import AskedFields
    from overt.device.hooks import Hooks
    from overt.device.screen import Screen

    system, listener, notch_css_px = _system()
    hooks = Hooks(system, listener, notch_css_px=notch_css_px)
    indicator = Indicator("", lang, toggled, coach=coach)
    applications = Applications(listed, system.program)
    screen = Screen(hooks, applications, lambda: indicator.pid)
    verdicts = AskedFields(applications, system.field, system.turns, tells=kind() == WINDOWS)
    return Platform(hooks, screen, indicator, verdicts, on_lock=hooks.on_lock)


def _compositor(display: str | None) -> Path:
    """Return where the compositor listens; an X display beside it is refused."""
    from overt.device.wire import socket_path
    from overt.device.x11 import refuse_wayland

    if display is not None:
        refuse_wayland()
    path = socket_path()
    if path is None:
        raise Missing(
            "this is a Wayland session whose compositor is not told; nothing is recorded",
            where="WAYLAND_DISPLAY",
            do="Start the agent from the desktop itself.",
        )
    return path
