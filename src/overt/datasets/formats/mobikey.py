"""Importer of MOBIKEY: three passwords typed on the screens of phones and tablets.

Antal, Nemes: The MOBIKEY keystroke dynamics password database, CSOC 2016. One `Keystrokes.csv` a
place of recording, a press a row: UserId, DeviceId, SessionId, Key, DownTime, UpTime (ms since the
device was started), PasswordType, Repetition.

A person is a user, who may have typed on two devices; a session is one typing of a password. As in
`overt.datasets.formats.cmu` a password stays secret although it was published: of its keys only
place, class and timing become events. Pressure, area, place of the finger and tilt are not read:
where a finger went says which key it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from overt.datasets.reading import delimited, keycodes, sessions, typed
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped
from overt.schema.event import KeyClass, Kind, Role

PATTERN = ("*keystrokes*.csv",)
_REQUIRED = ("userid", "sessionid", "key", "downtime", "uptime", "passwordtype", "repetition")
_ON_SCREEN = {
    "shift↑": KeyClass.SHIFT,
    "shift↓": KeyClass.SHIFT,
    "→": KeyClass.ARROW,
    "←": KeyClass.ARROW,
    "del": KeyClass.BACKSPACE,
}
"""Keys of the recorder's own keyboard; `123?` and `abc`, which change it, are of class OTHER."""


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    sheet = delimited.read(found.data, found.name, _REQUIRED, skipped)
    user, users = sheet.groups("userid")
    names = [name for name in ("deviceid",) if name in sheet]
    typing, _ = sheet.groups("userid", *names, "sessionid", "passwordtype", "repetition")
    down_us, up_us = sheet.times("downtime", "ms"), sheet.times("uptime", "ms")
    key, called = sheet.encoded("key")
    sheet.mark(np.array([not name.strip() for name in called] or [False])[key], "key", "is empty")
    key_class = np.array([_class_of(name) for name in called], np.int64)
    for number in range(users):
        mine = np.flatnonzero(sheet.good & (user == number))
        if mine.size:
            part = (typing[mine], down_us[mine], up_us[mine], key[mine], key_class[key[mine]])
            yield _person(*part)


def _class_of(key: str) -> int:
    name = key.strip()
    known = _ON_SCREEN.get(name.lower())
    return int(keycodes.key_called(name).key_class if known is None else known)


def _person(typing: Any, down_us: Any, up_us: Any, key: Any, key_class: Any) -> ImportedPerson:
    released = (up_us >= down_us) & (up_us - down_us <= typed.HOLD_US_MAX)
    lost = int((~released).sum())
    both = np.concatenate([np.arange(typing.size), np.flatnonzero(released)])
    kind = np.repeat([int(Kind.KEY_DOWN), int(Kind.KEY_UP)], [typing.size, both.size - typing.size])
    columns = {
        "kind": kind,
        "key_class": key_class[both],
        "role": np.full(both.size, int(Role.TEXT_FIELD)),
        "element": np.ones(both.size, np.int64),
    }
    time_us = np.where(kind == int(Kind.KEY_DOWN), down_us[both], up_us[both])
    return ImportedPerson(
        sessions=sessions.tables(typing[both], time_us, columns, key=key[both]),
        presses=typing.size,
        releases_dropped=lost,
        left_out={typed.LOST_RELEASE: lost} if lost else {},
    )


read = ByFile(PATTERN, _people_in)
