"""What is typed and not shown is found to be hidden, and what is shown, however, is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.device.terminal_keys import Key, Keyboard
from overt.device.terminal_screen import Screen
from overt.device.terminal_shown import PENDING_MAX, SHOWN_S, Shown
from overt.device.terminal_stream import Stream

LINES, COLUMNS = 4, 12
SECRET = "73918462"


class Typist:
    """A screen, a hand, and a clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.screen = Screen(LINES, COLUMNS)
        self.shown = Shown(self.screen, lambda: self.now_s)
        self._stream = Stream(self.screen, lambda _: None, self.shown.look)

    def types(self, text: str) -> None:
        for one in text:
            self.shown.typed(one)

    def writes(self, text: str) -> None:
        self._stream.feed(text.encode())

    def was_hidden(self) -> bool:
        self.now_s += SHOWN_S
        self.shown.hid()
        return self.shown.is_hidden


@settings(max_examples=60, deadline=None)
@given(st.text("ab 1é漢", min_size=1, max_size=30), st.data())
def test_what_is_echoed_is_shown_wherever_it_wraps_and_however_late_and_cut(
    text: str, data: st.DataObject
) -> None:
    typist = Typist()
    typist.writes("a1 b> ")
    at = 0
    while at < len(text):
        size = data.draw(st.integers(1, 3))
        part, at = text[at : at + size], at + size
        typist.types(part)
        cut = data.draw(st.integers(0, len(part)))
        typist.writes(part[:cut])
        typist.writes(part[cut:])
    assert not typist.shown.waits
    assert not typist.was_hidden()


def test_what_is_wide_and_has_no_room_in_its_row_is_found_in_the_next() -> None:
    typist = Typist()
    typist.writes("a1 b> 111")
    typist.types("11漢")
    typist.writes("11漢")
    assert not typist.shown.waits


@pytest.mark.parametrize(
    "echo",
    [
        "7",
        "7\x1b[90m391\x1b[3D\x1b[m",  # with what fish and zsh suggest after it
        "\r\x1b[K$ 7",  # the row anew
        "\x1b[@7rest\x1b[4D",  # in the middle of a line
        "7)\x1b[D",  # with what closes it
    ],
)
def test_the_ways_of_shells_to_show_a_character_are_known(echo: str) -> None:
    typist = Typist()
    typist.writes("$ ")
    typist.types("7")
    typist.writes(echo)
    assert not typist.was_hidden()


@pytest.mark.parametrize(
    "answer", ["", "\x07", "*", "●", "\x1b[1C", "\r\n", "\r\n$ ", "\x1b[2J\x1b[Hread> "]
)
def test_what_is_not_shown_or_masked_is_hidden_until_something_is_shown(answer: str) -> None:
    typist = Typist()
    typist.writes("secret 7> ")
    before = typist.shown.hid()
    for one in SECRET:
        typist.types(one)
        typist.writes(answer)
        typist.now_s += SHOWN_S / 20
    assert typist.shown.waits
    assert typist.was_hidden()
    assert typist.shown.hid() - before == len(SECRET)
    typist.writes("\r\n$ ")
    assert typist.shown.is_hidden
    typist.types("a")
    typist.writes("a")
    assert not typist.shown.is_hidden


def test_more_than_can_wait_counts_as_hidden_at_once() -> None:
    typist = Typist()
    typist.types("a" * (PENDING_MAX + 1))
    typist.shown.hid()
    assert typist.shown.waits
    typist.now_s += SHOWN_S
    assert typist.shown.hid() == PENDING_MAX + 1
    assert not typist.shown.waits


@pytest.mark.parametrize(
    ("data", "character"),
    [
        (b"a", "a"),
        (b"\xc3\xa9", "é"),
        (b" ", " "),
        (b"\x1ba", ""),
        (b"\x01", ""),
        (b"\r", ""),
        (b"\x7f", ""),
        (b"\x1b[A", ""),
    ],
)
def test_a_key_that_writes_a_character_says_which(data: bytes, character: str) -> None:
    (key,) = Keyboard().feed(data)
    assert isinstance(key, Key)
    assert key.character == character


HIDDEN = {"bash": "stty -echo", "fish": "read -s x"}
"""What makes a shell read without showing it, in the way of its own prompt."""


@pytest.mark.soak
@pytest.mark.parametrize("shell", HIDDEN)
def test_nothing_of_what_a_shell_hides_at_its_own_prompt_is_kept(
    tmp_path: Path, shell: str
) -> None:
    from test_device_terminal_within import at_work

    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    with at_work(tmp_path, shell=shell, SHELL=str(shutil.which(shell))) as person:
        person.ready()
        person.types(f"{HIDDEN[shell]}\r")
        person.rests(1.5)
        before = len(person.kept())
        for one in SECRET:
            person.types(one)
            person.rests(0.15)
        person.rests(1.5)
        person.types("\x7f\r")
        person.rests(1.5)
        if shell == "bash":
            for one in "stty echo\r":
                person.types(one)
                person.rests(0.05)
        person.rests(1.5)
        assert person.kept()[before:] == []
        person.ready()
        assert "DIGIT" not in person.kept()
