"""Which application a window belongs to: by the program that made it, never by its title."""

from __future__ import annotations

from collections.abc import Sequence
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
    }
)
"""Programs that ask for a password or hold a locked screen. While one of their windows can be seen,
no key exists for the agent, whichever window has the keyboard."""


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


def program_of(pid: int) -> Path | None:
    """Return the program file of a process, links resolved; None where it cannot be told."""
    try:
        return Path(f"/proc/{pid}/exe").readlink() if pid > 0 else None
    except OSError:
        return None


def is_prompt(pid: int) -> bool:
    """Return whether a process is one that asks for passwords, or cannot be told from one."""
    program = program_of(pid)
    name = "" if program is None else program.name
    return name in PROMPTS or name.startswith("pinentry")


class Applications:
    """The allow-list. What is not on it, or cannot be told, is 0: nothing of it exists."""

    def __init__(self, allowed: Sequence[Application]) -> None:
        self.allowed = tuple(allowed)
        self._by_number = {application.number: application for application in allowed}

    def of(self, pid: int) -> int:
        """Return the number of the application that a process belongs to, or 0."""
        program = program_of(pid)
        if program is None or program.name.endswith(" (deleted)"):
            return 0
        for application in self.allowed:
            if program.name in application.executables or str(program) in application.executables:
                return application.number
        return 0

    def is_terminal(self, number: int) -> bool:
        """Return whether the application of this number runs programs inside of it."""
        return self._by_number[number].terminal
