"""Which application a window belongs to: by the program that made it, never by its title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROMPTS = frozenset(
    {
        "gcr-prompter",
        "gdm-password",
        "i3lock",
        "kscreenlocker_greet",
        "ksshaskpass",
        "lightdm",
        "light-locker",
        "lxpolkit",
        "mate-polkit",
        "pinentry",
        "polkit-gnome-authentication-agent-1",
        "polkit-kde-authentication-agent-1",
        "slock",
        "ssh-askpass",
        "swaylock",
        "x11-ssh-askpass",
        "xfce-polkit",
        "xlock",
        "xscreensaver",
        "xscreensaver-auth",
        "xsecurelock",
        "xtrlock",
        # Windows, by program file; macOS, by bundle
        "consent.exe",
        "credentialuibroker.exe",
        "lockapp.exe",
        "logonui.exe",
        "com.apple.loginwindow",
        "com.apple.securityagent",
    }
)
"""Programs that ask for a password or hold a locked screen. While one of their windows can be seen,
no key exists for the agent, whichever window has the keyboard."""

TERMINALS = frozenset(
    {
        "alacritty",
        "gnome-terminal-server",
        "kitty",
        "konsole",
        "lxterminal",
        "mate-terminal",
        "qterminal",
        "rxvt",
        "terminator",
        "urxvt",
        "xfce4-terminal",
        "xterm",
        # Windows, without .exe; macOS, by bundle
        "cmd",
        "conemu64",
        "conhost",
        "mintty",
        "openconsole",
        "powershell",
        "putty",
        "pwsh",
        "wezterm-gui",
        "windowsterminal",
        "wsl",
        "com.apple.terminal",
        "com.github.wez.wezterm",
        "com.googlecode.iterm2",
        "net.kovidgoyal.kitty",
        "org.alacritty",
    }
)
"""Known programs in which others run, and ask for what nobody outside can tell."""


@dataclass(frozen=True)
class Application:
    """An application that a study lists, and the person switched on."""

    number: int
    """Its place in the study's list, from 1: all that is recorded of which application it was."""
    id: str
    title: str
    executables: tuple[str, ...]
    """Names of program files, such as `mousepad`, or full paths."""
    terminal: bool = False
    screen: bool = False
    """The person lets its windows be looked at."""
    private_windows: bool = False
    """It is a browser, whose private windows nobody tells from others; the notice says so."""
    keys: tuple[str, ...] = ()
    """Kinds of its fields (`KEY_FIELDS`) of which the person lets be recorded which key it is."""


def program_of(pid: int) -> Path | None:
    """Return the program file of a process, links resolved; None where it cannot be told."""
    try:
        return Path(f"/proc/{pid}/exe").readlink() if pid > 0 else None
    except OSError:
        return None


def asks_for_passwords(name: str) -> bool:
    """Return whether a program of this name asks for passwords or locks the screen."""
    return name.lower() in PROMPTS or name.startswith("pinentry")


class Applications:
    """The allow-list. What is not on it, or cannot be told, is 0: nothing of it exists."""

    def __init__(
        self,
        allowed: Sequence[Application],
        program: Callable[[int], Path | None] = program_of,
    ) -> None:
        """`program`: by what a process is known: its program file, or its bundle's identifier."""
        self.allowed = tuple(allowed)
        self._program = program
        self._by_number = {application.number: application for application in allowed}

    def of(self, pid: int) -> int:
        """Return the number of the application that a process belongs to, or 0."""
        program = self._program(pid)
        if program is None or program.name.endswith(" (deleted)"):
            return 0
        own = {program.name, str(program)}
        for application in self.allowed:
            listed = set(application.executables)
            if program.suffix.lower() == ".exe":  # Windows takes Notepad.exe for notepad.exe
                own, listed = {one.lower() for one in own}, {one.lower() for one in listed}
            if own & listed:
                return application.number
        return 0

    def asks_for_passwords(self, pid: int) -> bool:
        """Return whether a process is known to ask for passwords, or to lock the screen."""
        program = self._program(pid)
        return program is not None and asks_for_passwords(program.name)

    def called(self, name: str) -> int:
        """Return the number of the application that calls itself so to a compositor, or 0.

        Programs say `mousepad`, `org.xfce.mousepad` or `org.gnome.TextEditor`; the study lists the
        name of the program file, or this name. What it says of itself is never enough alone.
        """
        names = {name, name.rpartition(".")[2], name.rpartition(".")[2].lower()}
        for application in self.allowed:
            files = {executable.rpartition("/")[2] for executable in application.executables}
            if names & files:
                return application.number
        return 0

    def processes(self, number: int) -> list[int]:
        """Return the processes of this computer that belong to an application."""
        pids = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())
        return [pid for pid in pids if self.of(pid) == number]

    def runs_others(self, number: int) -> bool:
        """Return whether it is a terminal, or known to be one whatever the study says."""
        listed = self._by_number[number]
        names = {Path(one).name.lower().removesuffix(".exe") for one in listed.executables}
        return listed.terminal or not names.isdisjoint(TERMINALS)

    def is_terminal(self, number: int) -> bool:
        """Return whether the application of this number runs programs inside of it."""
        return self._by_number[number].terminal
