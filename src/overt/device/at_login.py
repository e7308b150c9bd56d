"""Recording that begins by itself when the person logs in: only where they chose so.

The choice is an entry among the programs that the desktop starts (XDG autostart), and a mark in the
vault. The entry alone begins nothing, so whoever can drop a file there can switch nothing on that
the person did not; the mark alone begins nothing either.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from overt.device.vault import Vault
from overt.schema.errors import Missing, NotConsented, Refused

CHOSEN = "at-login"
"""Name in the vault of the mark."""

_PREFIX = "overt-at-login-"


def is_there() -> bool:
    """Return whether this desktop starts programs as XDG says."""
    return sys.platform == "linux"


def require() -> None:
    """Raise `Missing` where recording cannot begin at login."""
    if not is_there():
        raise Missing(
            "recording begins at login on Linux desktops only",
            where="--at-login",
            do="Start it yourself: overt record.",
        )


def autostart() -> Path:
    """Return the folder with what the person's desktop starts at login."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "autostart"


def entry(place: Path) -> Path:
    """Return the entry for what is kept at a study's place on this computer."""
    folder = hashlib.sha256(os.fsencode(place.absolute().parent)).hexdigest()[:8]
    return autostart() / f"{_PREFIX}{place.name}-{folder}.desktop"


def is_on(vault: Vault, place: Path) -> bool:
    """Return whether the person chose so, and nobody took the entry away.

    Who took it away, as one does in the settings of a desktop, has taken the choice back: whatever
    puts one there later does not bring it back.
    """
    chosen, stands = vault.get(CHOSEN) is not None, entry(place).is_file()
    if chosen and not stands:
        vault.change({CHOSEN: None})
    return chosen and stands


def switch(vault: Vault, place: Path, address: str, *, on: bool, chip: bool = False) -> None:
    """Switch it on or off. Call it only from the person's own act."""
    require()
    if not on:
        vault.change({CHOSEN: None})
        remove(place)
        return
    if vault.get("grant") is None:
        raise NotConsented("nobody has joined on this computer", where="grant", do="Join it first.")
    how = [sys.executable, "-P", "-m", "overt", "record", "--study", address, "--from-login"]
    how += ["--device-dir", str(place.absolute().parent), *["--chip"] * chip]
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        "Name=Overt",
        "Comment=Records for a study again, as you chose; shown by its sign all the time",
        f"Exec={' '.join(map(quoted, how))}",
        "Icon=media-record",
        "Terminal=false",
        "X-GNOME-Autostart-enabled=true",
    ]
    file = entry(place)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with fresh.open("x", encoding="utf-8") as made:  # and through no link that lay there
            made.write("\n".join(lines) + "\n")
        fresh.replace(file)
    except OSError as error:
        raise Missing(
            "cannot be written; nothing begins at login",
            where=str(file),
            do="Look at who owns the folder.",
        ) from error
    vault.change({CHOSEN: b"1"})


def remove(place: Path) -> None:
    """Take the entry away, if there is one."""
    with contextlib.suppress(OSError):
        entry(place).unlink()


@dataclass(frozen=True)
class Login:
    """The switch of one study on this computer, for a page that shows it."""

    vault: Vault
    place: Path
    address: str
    chip: bool = False

    @property
    def is_on(self) -> bool:
        """Whether recording begins at login."""
        return is_on(self.vault, self.place)

    def switch(self, *, on: bool) -> None:
        """Switch it, by the person's own act."""
        switch(self.vault, self.place, self.address, on=on, chip=self.chip)


def check(place: Path) -> None:
    """Raise, with the entry taken away, where nothing may begin at login at a study's place."""
    if not (place / "key").exists():
        remove(place)
        raise NotConsented(
            "nobody takes part in this study on this computer any more; nothing is recorded",
            where=place.name,
        )
    vault = Vault(place)
    try:
        chosen = is_on(vault, place)
    finally:
        vault.close()
    if not chosen:
        remove(place)
        raise Refused(
            "nobody chose on this computer that recording begins at login; nothing is recorded",
            where=place.name,
            do="Start it yourself: overt record.",
        )


def entries() -> Sequence[str]:
    """Return the studies whose recording begins at login, by their ids."""
    found = sorted(autostart().glob(f"{_PREFIX}*.desktop")) if is_there() else []
    return [one.stem.removeprefix(_PREFIX).rpartition("-")[0] for one in found]


def quoted(argument: str) -> str:
    r"""Return an argument as the Exec line of a desktop entry holds it.

    A backslash is written four times: the line is unescaped once as a text, once as a command.

    >>> quoted("plain"), quoted("a b"), quoted('50% "$x"')
    ('plain', '"a b"', '"50%% \\\\"\\\\$x\\\\""')
    """
    if re.fullmatch(r"[A-Za-z0-9@_+=:,./-]+", argument):
        return argument
    inside = re.sub(r'(["`$\\])', r"\\\1", argument).replace("\\", "\\\\").replace("%", "%%")
    return f'"{inside}"'
