"""`overt record` where there is no display: the person's shell, the sign under it, and the gate."""

from __future__ import annotations

import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from desktop_fixtures import until
from overt.device.terminals import shells_of
from overt.schema import batch
from overt.schema.event import KeyClass, Kind
from overt.store.store import Store
from studio_fixtures import Studio, studio
from terminal_fixtures import Person, add_study, at_a_console, facts, join, keys

pytest.importorskip("pyte", reason="a terminal to look at what ours shows")
pytest.importorskip("jeepney", reason="the desktop extra is not installed")
pytestmark = pytest.mark.soak

SECRET = "73918462507391846250"
"""The only digits that anybody types here."""

ASKS = ("read -s -p 'secret?' x", "stty -echo; echo secret?; sed q >/dev/null; stty echo")
LETTER, SPACE = KeyClass.LETTER, KeyClass.SPACE
TYPED = [LETTER, LETTER, SPACE, KeyClass.PUNCTUATION, SPACE, KeyClass.ARROW, LETTER]
TYPED += [KeyClass.BACKSPACE]
"""What `ls . `, an arrow, Alt+B and Backspace are."""

HOTKEY = b"\x1b\x10"
CODE = re.compile(r"[A-Z0-9]{4,}(-[A-Z0-9]{4,})+")
"""A recovery code."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Studio]:
    add_study(tmp_path / "data")
    with studio(tmp_path) as running:
        yield running


def address(server: Studio) -> str:
    return f"{server.url.rstrip('/')}/study/desk"


def ready(person: Person, folder: Path) -> None:
    """Press a key at the prompt until it is recorded: around a change a key is left out."""
    before = len(keys(folder))

    def heard() -> bool:
        person.types("a")
        person.rests(0.5)
        return len(keys(folder)) > before

    until(heard, "a key at the prompt is recorded")
    person.rests(0.5)


def secretly(person: Person, command: str) -> None:
    """Give a command that asks for something, answer it, and wait for the prompt."""
    person.types(f"{command}\r")
    person.sees("secret?")
    for digit in SECRET:
        person.types(digit)
        person.look()
    person.types("\r")
    person.sees("done")
    person.types("clear\r")
    until(lambda: not any("done" in line for line in person.look()), "an empty screen")


def test_what_is_typed_at_a_prompt_is_in_the_store_once_and_in_order_and_no_password_anywhere(
    server: Studio, tmp_path: Path
) -> None:
    with at_a_console(tmp_path, address(server)) as person:
        join(person)
        person.says("● Overt records")
        ready(person, tmp_path)
        before = len(keys(tmp_path))
        person.types("ls . \x1b[D\x1bb\x7f")
        until(lambda: person.rests(0.5) and len(keys(tmp_path)) == before + len(TYPED), "keys")
        assert keys(tmp_path)[before:] == TYPED
        person.types("\x15")
        for asks in ASKS:
            secretly(person, f"{asks}; echo 'do''ne'")
        person.types(HOTKEY)
        person.says("❚❚ Overt paused")
        person.types(SECRET)
        person.sees(SECRET)
        person.types("\x15")
        person.types(HOTKEY)
        person.says("● Overt records")
        ready(person, tmp_path)
        person.types("\x15exit\r")
        until(lambda: (person.look(), person.process.poll())[1] is not None, "it ends")
        assert person.process.returncode == 0
        assert termios.tcgetattr(person.theirs) == person.before
        assert b"\x1b[?1049l" in person.written.rpartition(b"Overt")[0] + person.written[-200:]
    where = ["--study", address(server), "--device-dir", str(tmp_path / "device")]
    subprocess.run([sys.executable, "-m", "overt", "device", "send", *where], check=True)
    with Store.open(server.data_dir) as store:
        (one,) = store.subjects("desk")
        plain = [body for _, body in store.read(store.batches_of(one))]
    rows = np.concatenate([facts(body) for body in plain])
    assert sorted(rows["seq"]) == list(range(len(rows)))
    assert {batch.read_header(body)[0].source for body in plain} == {"terminal/0.1.0"}
    down = rows[np.argsort(rows["seq"])]
    down = down[down["kind"] == Kind.KEY_DOWN]
    assert (np.diff(down["t_us"]) >= 0).all()
    classes = [KeyClass(one) for one in down["key_class"]]
    assert KeyClass.DIGIT not in classes
    assert classes[before : before + len(TYPED)] == TYPED
    assert not np.isin(rows["kind"], [Kind.KEY_UP, Kind.POINTER_MOVE, Kind.VIEW]).any()
    assert not rows["key_symbol"].any()
    for path in (one for one in tmp_path.rglob("*") if one.is_file()):
        assert SECRET.encode() not in path.read_bytes()


def test_who_leaves_elsewhere_ends_it_and_without_the_server_it_goes_on_and_says_so(
    server: Studio, tmp_path: Path
) -> None:
    with at_a_console(tmp_path, address(server)) as person:
        seen: list[str] = []
        join(person, seen)
        person.says("● Overt records")
        ready(person, tmp_path)
        (shell,) = shells_of(person.process.pid)
        (code,) = {found[0] for line in seen if (found := CODE.search(line))}
        where = [sys.executable, "-m", "overt", "erase", "--data-dir", str(server.data_dir)]
        subprocess.run(where, input=f"{code}\n", text=True, check=True, capture_output=True)
        until(lambda: person.rests(0.05) and person.process.poll() is not None, "it ends")
        person.sees("you have left this study")
        until(lambda: not Path(f"/proc/{shell}").exists(), "the shell was hung up")
        assert not [one for one in (tmp_path / "device").rglob("*") if one.is_file()]
    with at_a_console(tmp_path, address(server)) as person:
        join(person)
        person.says("● Overt records")
        server.process.kill()
        person.says("● Overt records · offline")
        ready(person, tmp_path)
        person.types("\x15exit\r")
        person.sees("wait, sealed, on this computer")
