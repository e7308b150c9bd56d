"""A real Wayland session: headless sway, a session bus, programs, and a keyboard made of requests.

The keyboard exists twice, as everywhere: for the compositor, which hands its keys to programs (the
virtual-keyboard protocol), and as a device node for the agent, here a pipe with evdev's records.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop_fixtures import ended, own_bus, until
from overt.device.evdev import EV_KEY, EV_SYN, PRESSED, RELEASED
from overt.device.layer_chip import LAYER_SHELL
from overt.device.wire import Reader, Wire

NEEDED = ("sway", "swaymsg", "setpriv", "dbus-daemon", "mousepad", "sakura", "zenity")
NOBODY = 65534
LEFT_CONTROL, _CONTROL_BIT = 29, 4
CONFIG = """
default_border none
xwayland disable
focus_on_window_activation none
output HEADLESS-1 resolution 1280x800
"""


def record(at_ns: int, type_: int, code: int, value: int) -> bytes:
    """Return one `struct input_event` of 64-bit Linux."""
    return struct.pack("<qqHHi", at_ns // 10**9, at_ns % 10**9 // 1000, type_, code, value)


def keymap_text() -> str:
    """Return the usual keymap, as the system's libxkbcommon writes it."""
    xkb = ctypes.CDLL("libxkbcommon.so.0")
    for name in ("xkb_context_new", "xkb_keymap_new_from_names"):
        getattr(xkb, name).restype = ctypes.c_void_p
    xkb.xkb_keymap_new_from_names.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    xkb.xkb_keymap_get_as_string.restype = ctypes.c_char_p
    xkb.xkb_keymap_get_as_string.argtypes = [ctypes.c_void_p, ctypes.c_int]
    keymap = xkb.xkb_keymap_new_from_names(xkb.xkb_context_new(0), None, 0)
    return bytes(xkb.xkb_keymap_get_as_string(keymap, 1)).decode()


class Keyboard:
    """Presses keys for the compositor and for whoever reads the node."""

    def __init__(self, path: Path) -> None:
        self._wire = Wire(path)
        seat = self._wire.bind("wl_seat", 1)
        manager = self._wire.bind("zwp_virtual_keyboard_manager_v1", 1)
        self._keyboard = self._wire.new()
        self._wire.send(manager, 0, seat, self._keyboard)
        text = keymap_text().encode() + b"\0"
        memory = os.memfd_create("keymap")
        os.write(memory, text)
        self._wire.send(self._keyboard, 0, 1, len(text), handle=memory)
        os.close(memory)
        self._wire.round_trip()
        self.node, self._write = os.pipe2(os.O_NONBLOCK)
        self.log: list[tuple[int, int, int]] = []
        """Nanoseconds of the monotonic clock, 1 for a press and 0 for a release, the key."""

    def _do(self, code: int, value: int) -> None:
        at_ns = time.monotonic_ns()
        self.log.append((at_ns, value, code))
        self.write(record(at_ns, EV_KEY, code, value) + record(at_ns, EV_SYN, 0, 0))
        self._wire.send(self._keyboard, 1, at_ns // 10**6 & 0xFFFFFFFF, code, value)
        self._wire.round_trip()

    def write(self, records: bytes) -> None:
        """Put records into the device node alone."""
        os.write(self._write, records)

    def key(self, code: int, *, every_s: float = 0.01) -> None:
        self._do(code, PRESSED)
        time.sleep(every_s)
        self._do(code, RELEASED)
        time.sleep(every_s)

    def control(self, code: int) -> None:
        """Press a key with Control, so that programs take it so too: nobody works that out here."""
        self._do(LEFT_CONTROL, PRESSED)
        self._wire.send(self._keyboard, 2, _CONTROL_BIT, 0, 0, 0)
        self.key(code)
        self._do(LEFT_CONTROL, RELEASED)
        self._wire.send(self._keyboard, 2, 0, 0, 0, 0)

    def close(self) -> None:
        self._wire.close()
        os.close(self._write)


class Launcher:
    """A surface in the topmost layer that takes the keyboard, as program launchers and lock do."""

    def __init__(self, path: Path) -> None:
        self.keys = 0
        self._entered = False
        self._wire = wire = Wire(path)
        compositor, memory = wire.bind("wl_compositor", 4), wire.bind("wl_shm", 1)
        shell, seat = wire.bind(LAYER_SHELL, 1), wire.bind("wl_seat", 1)
        wire.send(seat, 1, wire.new(self._heard))
        self._surface, self._layer = wire.new(), wire.new(self._configured)
        wire.send(compositor, 0, self._surface)
        wire.send(shell, 0, self._layer, self._surface, 0, 3, "launcher")
        wire.send(self._layer, 0, 64, 64)
        wire.send(self._layer, 4, 1)
        wire.send(self._surface, 6)
        file = os.memfd_create("launcher")
        os.ftruncate(file, 64 * 64 * 4)
        pool, self._buffer = wire.new(), wire.new()
        wire.send(memory, 0, pool, 64 * 64 * 4, handle=file)
        wire.send(pool, 0, self._buffer, 0, 64, 64, 64 * 4, 1)
        os.close(file)
        wire.round_trip()

    def _configured(self, event: int, reader: Reader) -> None:
        if event == 0:
            self._wire.send(self._layer, 6, reader.number())
            self._wire.send(self._surface, 1, self._buffer, 0, 0)
            self._wire.send(self._surface, 6)

    def _heard(self, event: int, _: Reader) -> None:
        self._entered = self._entered or event == 1
        self.keys += event == 3

    def has_keyboard(self) -> bool:
        self._wire.round_trip()
        return self._entered

    def close(self) -> None:
        self._wire.round_trip()
        self._wire.close()


@dataclass
class Session:
    """A session; what is started in it ends with it."""

    path: Path
    ipc: Path
    environment: dict[str, str]
    compositor: subprocess.Popen[bytes] = field(repr=False)
    stack: ExitStack = field(repr=False)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        process = subprocess.Popen(command, env=self.environment, **quiet)
        self.stack.callback(ended, process)
        return process

    def sway(self, words: str) -> None:
        """Let sway do something; raises where it cannot."""
        command = [*_as_nobody(), "swaymsg", "-s", str(self.ipc), words]
        subprocess.run(command, check=True, capture_output=True)


def _as_nobody() -> list[str]:
    """Return what comes before a command that refuses to run as root."""
    who = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *who] if os.geteuid() == 0 else []


@contextmanager
def session(folder: Path) -> Iterator[Session]:
    """Run a Wayland session of 1280 by 800 for the length of the block."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on PATH; `make soak` installs them as root")
    with ExitStack() as stack:
        place = Path(stack.enter_context(_short_folder()))
        (place / "config").write_text(CONFIG)
        told = {"XDG_RUNTIME_DIR": str(place), "HOME": str(place)}
        headless = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman"}
        process = subprocess.Popen(
            [*_as_nobody(), "sway", "-c", str(place / "config")],
            env={"PATH": os.environ["PATH"], "WLR_LIBINPUT_NO_DEVICES": "1", **told, **headless},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(ended, process)
        until(lambda: list(place.glob("sway-ipc*")) and list(place.glob("wayland-?")), "sway")
        (path,), (ipc,) = place.glob("wayland-?"), place.glob("sway-ipc*")
        keep = {
            name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ
        }
        folder.mkdir(parents=True, exist_ok=True)
        home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)}
        environment = {**keep, **home, "WAYLAND_DISPLAY": str(path), "GDK_BACKEND": "wayland"}
        environment["GSETTINGS_BACKEND"] = "memory"
        own_bus(environment, stack)
        yield Session(path, ipc, environment, process, stack)


@contextmanager
def _short_folder() -> Iterator[str]:
    """Yield a folder whose sockets have names short enough, and that sway may write."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="way") as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield name
