"""Who may read the keyboard under Wayland, and what a person can do about it.

Nothing here asks for a password, changes a group or starts anything as root. The person reads what
a permission means, gives it with their own hands, and can take it back the same way.
"""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from overt.device import evdev
from overt.schema.errors import Missing

RULE = Path("/etc/udev/rules.d/70-overt.rules")
GROUP = "input"
MEANING = (
    "Whichever program of yours runs then may read every key of this computer, passwords too, "
    "until you take it back. Overt looks at a key's class only while an application that you "
    "switched on has a field that takes plain text; the permission itself knows no such limit."
)


@dataclass(frozen=True)
class Access:
    """What may be read of the keyboards and pointers there are."""

    readable: int
    refused: int
    is_root: bool

    @property
    def is_enough(self) -> bool:
        """Whether recording could begin: something may be read, and not because one is root."""
        return self.readable > 0 and not self.refused and not self.is_root


def access() -> Access:
    """Return what may be read now; every device node is tried, and closed again."""
    readable = refused = 0
    for node in evdev.nodes():
        try:
            device = evdev.opened(node)
        except PermissionError:
            refused += 1
            continue
        except OSError:
            continue
        if device is not None:
            readable += 1
            device.close()
    return Access(readable, refused, os.geteuid() == 0)


def require(found: Access | None = None) -> None:
    """Raise `Missing` where the keyboard may not be read, or only because one is root."""
    found = found or access()
    if found.is_root:
        raise Missing(
            "runs as root, which may read everything and says nothing of what you allowed",
            where="overt record",
            do="Start it as yourself; `overt device doctor` says what that takes.",
        )
    if not found.is_enough:
        raise Missing(
            "this is a Wayland session, where keys can be read only from the kernel, and you may "
            "not read them; nothing is recorded",
            where=str(evdev.NODES),
            do="`overt device doctor` says what it takes and what that means; or log in to X11.",
        )


def steps(found: Access) -> list[str]:
    """Return what the person may do, what it means, and how to take it back; lines to print."""
    if found.is_root:
        return ["You are root here. Do not record as root: start Overt as yourself."]
    name = pwd.getpwuid(os.getuid()).pw_name
    if found.is_enough:
        lines = [
            f"You may read {found.readable} keyboards and pointers. {MEANING}",
            "To take it back:",
        ]
        return lines + [f"  {line}" for line in _back(name)]
    if not found.refused and not evdev.nodes():
        return [f"No keyboard is in {evdev.NODES}: nothing could be recorded here."]
    return [
        "You may not read the keyboard, as it should be. To record in a Wayland session, one of:",
        "  for as long as you sit at this computer (whoever is logged in at it gets it):",
        f'    echo \'KERNEL=="event*", SUBSYSTEM=="input", TAG+="uaccess"\' | sudo tee {RULE}',
        "    sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=input",
        "  for you, from your next login on:",
        f"    sudo usermod -aG {GROUP} {name}",
        f"What it means: {MEANING}",
        "To take it back:",
        *(f"  {line}" for line in _back(name, every=True)),
        "Without it: log in to an X11 session, or use the browser.",
    ]


def _back(name: str, *, every: bool = False) -> list[str]:
    """Return the commands that take the permission back, of the ways it was given."""
    lines = []
    if every or RULE.exists():
        lines.append(
            f"sudo rm {RULE} && sudo udevadm control --reload && "
            "sudo udevadm trigger --subsystem-match=input"
        )
    if every or _is_in_group(name):
        lines.append(f"sudo gpasswd -d {name} {GROUP}    (and log out once)")
    return lines or [f"getfacl {evdev.NODES}/event*    (somebody gave it in another way)"]


def _is_in_group(name: str) -> bool:
    try:
        return name in grp.getgrnam(GROUP).gr_mem
    except KeyError:
        return False
