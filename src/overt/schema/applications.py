"""The desktop applications of a study: what `overt record` may record, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overt.schema.event import Role
from overt.schema.tables import bad, identifier, refuse_unknown, text, texts

APPLICATIONS_MAX = 50
_EXECUTABLE = re.compile(r"(?:/[\w.+-]+)*/?[\w.+-]+")
_INTERPRETERS = frozenset({"bash", "java", "node", "perl", "python", "python3", "ruby", "sh"})
"""Programs whose file says nothing of what they run."""

_SHELLS = frozenset({"bash", "sh"})
"""Those of them that have a prompt of their own, at which alone keys exist in a terminal."""

_BROWSERS = (
    "brave", "chrome", "chromium", "epiphany", "falkon", "firefox", "floorp", "google-chrome",
    "icecat", "konqueror", "librewolf", "microsoft-edge", "midori", "msedge", "mullvad-browser",
    "opera", "palemoon", "qutebrowser", "safari", "seamonkey", "tor-browser", "torbrowser",
    "ungoogled-chromium", "vivaldi", "waterfox", "yandex-browser", "zen-browser",
)  # fmt: skip
"""How names of programs begin that have private windows, which a desktop tells from no other."""

SECRETIVE = {
    "a password manager": (
        "1password", "bitwarden", "enpass", "keepass", "keeper", "kwalletmanager", "lastpass",
        "pass-otp", "protonpass", "qtpass", "seahorse",
    ),
    "a remote desktop": (
        "anydesk", "freerdp", "gnome-connections", "krdc", "mstsc", "nomachine", "nxplayer",
        "parsec", "rdesktop", "remmina", "rustdesk", "sdl-freerdp", "teamviewer", "tigervnc",
        "vinagre", "vncviewer", "wlfreerdp", "x2goclient", "xfreerdp", "xtigervncviewer",
    ),
    "a virtual machine": (
        "gnome-boxes", "qemu-", "remote-viewer", "spicy", "virt-manager", "virt-viewer",
        "virtualbox", "vmplayer", "vmware",
    ),
}  # fmt: skip
"""How names of programs begin that hold the secrets of all others, or whole desktops whose parts
nobody here can tell: a password prompt inside is a picture. A notice has to name them."""


_EMBEDS = (
    "android-studio", "atom", "clion", "code", "cursor", "datagrip", "eclipse", "electron", "emacs",
    "goland", "hyper", "idea", "intellij", "jetbrains", "jupyter", "phpstorm", "positron", "pulsar",
    "pycharm", "rider", "rstudio", "rubymine", "rustrover", "tabby", "theia", "vscod", "warp",
    "webstorm", "windsurf", "zed",
)  # fmt: skip
"""How names of programs begin that draw a terminal themselves: what asks for a password in it is,
to the accessibility service, a text like any other. Those of GTK and KDE say that they are one."""

_FLAGS = ("terminal", "screen", "private_windows")

KEY_FIELDS = {
    "text-field": Role.TEXT_FIELD,
    "text-area": Role.TEXT_AREA,
    "document": Role.EDITABLE,
}
"""Kinds of fields that a study of level `keys` may list of an application, and their roles."""


@dataclass(frozen=True, kw_only=True)
class StudyApplication:
    """A desktop application that a study lists; each person switches on those they want."""

    id: str
    title: str
    executables: tuple[str, ...]
    """Names of its program file, or full paths. Never titles of windows, which anyone can set."""
    terminal: bool = False
    """It runs programs inside of it: keys exist only at the prompt of a shell."""
    screen: bool = False
    """Its windows may be looked at for the purposes that need it, where the person says so."""
    private_windows: bool = False
    """It is a browser, and the notice says that its private windows count as any other."""
    keys: tuple[str, ...] = ()
    """Kinds of its fields in which it is recorded which key it is, at level `keys`, where the
    person says so; nowhere else."""


def is_browser(executable: str) -> bool:
    """Return whether a program file, or a bundle's identifier, is that of a known browser."""
    name = Path(executable).name.lower()
    return name.startswith(_BROWSERS) or name.rpartition(".")[2].startswith(_BROWSERS)


def _embeds(executable: str) -> bool:
    name = Path(executable).name.lower()
    return name.startswith(_EMBEDS) or name.rpartition(".")[2].startswith(_EMBEDS)


def secretive(executable: str) -> str | None:
    """Return what a program is that holds secrets or another desktop, or None."""
    names = {Path(executable).name.lower()}
    names |= {name.rpartition(".")[2] for name in names}
    for what, known in SECRETIVE.items():
        if any(name.startswith(known) for name in names):
            return what
    return None


def _own(executable: str) -> str:
    """Return how a notice calls a program: its file's name, before the first mark in it."""
    return re.split(r"[^a-z0-9]", Path(executable).name.lower())[0]


def applications(tables: Any) -> tuple[StudyApplication, ...]:
    """Return the `[[applications]]` of a study. Raises `InvalidInput` with the key path."""
    if not isinstance(tables, list) or len(tables) > APPLICATIONS_MAX:
        raise bad(f"must be at most {APPLICATIONS_MAX} tables", "applications")
    made: list[StudyApplication] = []
    for k, table in enumerate(tables):
        path = f"applications[{k}]."
        if not isinstance(table, dict):
            raise bad("must be a table", f"applications[{k}]")
        refuse_unknown(table, ("id", "title", "executables", "keys", *_FLAGS), path)
        for name in ("id", "title"):
            if name not in table:
                raise bad("is missing", f"{path}{name}")
        executables = texts(table, "executables", required=True, path=path)
        for n, name in enumerate(executables):
            refused = _INTERPRETERS - (_SHELLS if table.get("terminal") is True else set())
            if not _EXECUTABLE.fullmatch(name) or Path(name).name in refused:
                raise bad(
                    "must be the name or full path of one program's own file",
                    f"{path}executables[{n}]",
                    "Such as mousepad or /usr/bin/mousepad; interpreters run anything.",
                )
        flags = {name: table.get(name, False) for name in _FLAGS}
        for name, value in flags.items():
            if not isinstance(value, bool):
                raise bad("must be true or false", f"{path}{name}")
        browsers = [name for name in executables if is_browser(name)]
        if browsers and not flags["private_windows"]:
            raise bad(
                f"{browsers[0]} has private windows, which a desktop tells from no other",
                f"{path}executables",
                "Say private_windows = true, and the notice says so; or use the extension.",
            )
        unnamed = [
            (name, what)
            for name in executables
            if (what := secretive(name)) and _own(name) not in str(table["title"]).lower()
        ]
        if unnamed:
            raise bad(
                f"{unnamed[0][0]} is {unnamed[0][1]}, which the notice has to call by its name",
                f"{path}title",
                f'Such as "{_own(unnamed[0][0]).capitalize()}, {unnamed[0][1]}".',
            )
        if flags["terminal"] and flags["screen"]:
            raise bad(
                "is never looked at in a terminal: all in it is text",
                f"{path}screen",
                "Take it out.",
            )
        keys = _keys(table, executables, path, is_terminal=flags["terminal"])
        title = text(table, "title", path)
        made.append(
            StudyApplication(
                id=identifier(table, path),
                title=title,
                executables=executables,
                keys=keys,
                **flags,
            )
        )
    if len({one.id for one in made}) != len(made):
        raise bad("names an application twice", "applications")
    return tuple(made)


def _keys(
    table: dict[str, Any], executables: tuple[str, ...], path: str, *, is_terminal: bool
) -> tuple[str, ...]:
    """Return the kinds of fields of an application in which it is recorded which key it is."""
    keys = texts(table, "keys", path=path) if "keys" in table else ()
    for n, name in enumerate(keys):
        if name not in KEY_FIELDS:
            raise bad(
                "is no kind of field in which a key can be told",
                f"{path}keys[{n}]",
                f"Known: {', '.join(KEY_FIELDS)}.",
            )
    if len(set(keys)) != len(keys):
        raise bad("names a kind of field twice", f"{path}keys")
    if keys and is_terminal:
        raise bad(
            "is never told in a terminal: nobody knows what asks there",
            f"{path}keys",
            "Take it out.",
        )
    for name in executables:
        if keys and (is_browser(name) or secretive(name)):
            raise bad(
                f"is never told in {name}: its fields do not say which of them are secret",
                f"{path}keys",
                "Take it out; for pages there is the browser extension.",
            )
        if keys and _embeds(name):
            raise bad(
                f"is never told in {name}: a terminal inside does not say that it is one",
                f"{path}keys",
                "Take it out.",
            )
    return keys
