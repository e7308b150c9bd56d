"""The terminal within the terminal: whatever is written the sign stays, and keys are a class."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overt.device import terminal_line
from overt.device.keyboard import ALT, CONTROL, SHIFT
from overt.device.terminal_cells import width
from overt.device.terminal_drawing import Drawing
from overt.device.terminal_keys import (
    Hotkey,
    Key,
    Keyboard,
    Mouse,
    Paste,
    Told,
    encoded,
    keymap,
)
from overt.device.terminal_line import Line
from overt.device.terminal_owned import Pending
from overt.device.terminal_screen import Screen
from overt.device.terminal_stream import PASTE, Stream
from overt.device.terminal_within import TerminalWithin
from overt.schema.event import KeyClass

pyte = pytest.importorskip("pyte", reason="a second terminal to hold ours against")

LINES, COLUMNS = 8, 40
SIGN = "(*) Overt records".ljust(COLUMNS)

numbers = st.lists(st.integers(0, 12) | st.integers(0, 3000), max_size=3)
sequences = st.builds(
    lambda head, told, middle, final: f"\x1b[{head}{';'.join(map(str, told))}{middle}{final}",
    st.sampled_from(["", "", "", "?", ">", "=", "<"]),
    numbers,
    st.sampled_from(["", "", "", " ", "!", "$"]),
    st.sampled_from([chr(one) for one in range(0x40, 0x7F)]),
)
modes = st.sampled_from([1, 3, 4, 5, 6, 7, 25, 47, 1000, 1003, 1006, 1047, 1048, 1049, 2004])
written = (
    st.text(max_size=30)
    | sequences
    | st.builds(lambda mode, end: f"\x1b[?{mode}{end}", modes, st.sampled_from("hl"))
    | st.sampled_from(
        [
            "\x1bc",
            "\x1b7",
            "\x1b8",
            "\x1bM",
            "\x1bD",
            "\x1b#8",
            "\x1b(0",
            "\x0e",
            "\x9b5n",
            "\x1bPq\x1b",
        ]
    )
    | st.sampled_from(
        ["\x1b]0;(*) Overt\x07", "\r\n" * 9, "漢" * 25, "e\u0301\u0301\u0301", "\u202e(*)"]
    )
).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=20)


def shown(screen: Screen) -> list[str]:
    return ["".join(text for text, _ in row) for row in screen.rows]


def alike(text: str) -> str:
    return unicodedata.normalize("NFC", text).rstrip()


class Outer:
    """A terminal of other make, fed with what ours writes."""

    def __init__(self, lines: int = LINES + 1) -> None:
        self.screen = pyte.Screen(COLUMNS, lines)
        self._stream = pyte.ByteStream(self.screen)

    def take(self, data: bytes) -> None:
        self._stream.feed(data)


@settings(max_examples=40, deadline=None)
@given(st.lists(written, max_size=12))
@example([b"0" * 11, "漢".encode() * 25, b"00\xc2\x8d", b"0\xf0\x99\x87\x93"])
def test_whatever_a_program_writes_the_sign_is_whole_in_the_last_row_and_all_above_is_the_program(
    parts: list[bytes],
) -> None:
    screen, drawing, outer = Screen(LINES, COLUMNS), Drawing(), Outer()
    answers: list[bytes] = []
    stream = Stream(screen, answers.append)
    sign = [(one, "1;37;41") for one in SIGN]
    outer.take(drawing.begin())
    for part in parts:
        stream.feed(part)
        outer.take(drawing.frame(screen, sign))
        display = outer.screen.display
        assert display[-1] == SIGN
        assert all(one.bg == "red" for one in outer.screen.buffer[LINES].values())
        for row, told in zip(screen.rows, display, strict=False):
            assert len(row) == COLUMNS
            text = "".join(cell for cell, _ in row)
            if all(pyte.screens.wcwidth(one) == width(one) for one in text):
                assert alike(told) == alike(text)
        assert (screen.y, screen.x) == (outer.screen.cursor.y, outer.screen.cursor.x)
    assert all(one.startswith(b"\x1b[") for one in answers)


def course(finals: str, rows: int, *more: str) -> st.SearchStrategy[list[str]]:
    """What programs write that both terminals take alike, in a course of some parts."""
    short = st.builds("\x1b[{}{}".format, st.integers(1, 9), st.sampled_from(finals))
    place = st.builds("\x1b[{};{}H".format, st.integers(1, rows), st.integers(1, 41))
    controls = ["\n", "\r", "\b", "\t", "\x1bM", "\x1bD", "\x1b[K", "\x1b[1K"]
    erased = ["\x1b[2K", "\x1b[J", "\x1b[1J", "\x1b[2J", *more]
    text = st.text("ab ~é", max_size=25)
    return st.lists(text | short | place | st.sampled_from(controls + erased), max_size=15)


@settings(max_examples=25, deadline=None)
@given(
    course("ABCDEFGLMP@Xd", 9, "\x1b7", "\x1b8")
    | course("CDGLMP@X", 5, "\x1b[2;5r\x1b[2H", "\x1b[r\x1b[H")
)
def test_it_shows_what_another_terminal_shows(parts: list[str]) -> None:
    screen, other = Screen(LINES, COLUMNS), Outer(LINES)
    stream = Stream(screen, lambda _: None)
    for part in parts:
        for data in (part.encode(), b"\r\n"):
            if data == part.encode() or screen.wraps:  # then the other is beyond the last column
                stream.feed(data)
                other.take(data)
        assert [alike(one) for one in shown(screen)] == [alike(o) for o in other.screen.display]


def on(text: bytes, lines: int = 4, columns: int = 10) -> tuple[Screen, list[bytes]]:
    """Return a screen after a program wrote, and what the terminal answered it."""
    screen = Screen(lines, columns)
    answers: list[bytes] = []
    stream = Stream(screen, answers.append)
    for one in text:  # cut anywhere
        stream.feed(bytes([one]))
    return screen, answers


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("12345678漢字", ["12345678漢", "字"]),
        ("123456789漢", ["123456789", "漢"]),
        ("漢漢\x1b[1;2Hx", [" x漢"]),
        ("abc\x1b[1;2H\x1b[4h漢", ["a漢bc"]),
        ("one\x1b[?1049hother\x1b[?1049l two", ["one two"]),
        ("one\x1b[?1049h\x1b[Hother", ["other"]),
        ("a\x1b]2;title\x1b\\b\x1bP1$q\x1b\\c\x1b_G\x1b\\d", ["abcd"]),
        ("a\x1b[>4;2mb\x1b[?u\x1b[>1uc\x1b[<u", ["abc"]),
        ("ab\x1b[3b", ["abbbb"]),
        ("1\r\n2\r\n3\r\n4\r\n5", ["2", "3", "4", "5"]),
        ("\x1b(0lqk\x1b(B", ["┌─┐"]),
        ("a\u202eb\u200bc\u00ad", ["abc"]),
    ],
)
def test_what_programs_write_is_shown_as_terminals_do(text: str, rows: list[str]) -> None:
    screen, _ = on(text.encode())
    assert [row.rstrip() for row in shown(screen)][: len(rows)] == rows


def test_colours_are_kept_as_they_were_asked_for_and_questions_are_answered() -> None:
    screen, answers = on(
        b"\x1b[1;38;5;9;48;2;1;2;3mx\x1b[22;39;4:3my\x1b[0mz\x1b[c\x1b[6n\x1b[>c\x1b[5n"
    )
    styles = [style for _, style in screen.rows[0][:3]]
    assert styles == ["1;38;5;9;48;2;1;2;3", "4;48;2;1;2;3", ""]
    assert answers == [b"\x1b[?1;2c", b"\x1b[1;4R", b"\x1b[>0;0;0c", b"\x1b[0n"]


def test_what_went_out_at_the_top_can_be_looked_at_and_another_size_keeps_what_fits() -> None:
    screen, _ = on(b"".join(b"%d\r\n" % k for k in range(8)) + b"$")
    drawing, outer = Drawing(), Outer(5)
    sign = [(one, "7") for one in "sign".ljust(10)]
    outer.take(drawing.frame(screen, sign, back=2))
    assert [row.strip() for row in outer.screen.display] == ["3", "4", "5", "6", "sign"]
    screen.resize(2, 6)
    assert shown(screen) == ["7     ", "$     "]
    screen.resize(4, 12)
    assert [row.rstrip() for row in shown(screen)] == ["7", "$", "", ""]


L, P = KeyClass.LETTER, KeyClass.PUNCTUATION


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a", (L, 0)),
        ("é".encode(), (L, 0)),
        (b"7", (KeyClass.DIGIT, 0)),
        (b"\r", (KeyClass.ENTER, 0)),
        (b"\x7f", (KeyClass.BACKSPACE, 0)),
        (b"\x03", (L, CONTROL)),
        (b"\x1bb", (L, ALT)),
        (b"\x1b.", (P, ALT)),
        (b"\x1b[A", (KeyClass.ARROW, 0)),
        (b"\x1bOD", (KeyClass.ARROW, 0)),
        (b"\x1b[1;5C", (KeyClass.ARROW, CONTROL)),
        (b"\x1b[3~", (KeyClass.DELETE, 0)),
        (b"\x1b[Z", (KeyClass.TAB, SHIFT)),
        (b"\x1b[15~", (KeyClass.FUNCTION, 0)),
        (b"\xff", (KeyClass.OTHER, 0)),
    ],
)
def test_a_key_is_its_class_however_its_bytes_come(data: bytes, told: tuple[KeyClass, int]) -> None:
    for parts in ([data], [data[k : k + 1] for k in range(len(data))]):
        keyboard = Keyboard()
        found = [one for part in parts for one in keyboard.feed(part)]
        found += keyboard.feed(b"", is_all=True)
        assert found == [Key(*told, data)]
        assert keymap().of(int(told[0]), told[1]) == told[0]


def test_what_is_no_key_is_none() -> None:
    keyboard = Keyboard()
    data = b"\x1b[200~7\x1b\x107\x1b[20" + b"1~\x1b\x10\x1b[I\x1b[24;3R\x1b[<64;3;4M\x1b[?1;2c\x1b"
    found = [one for k in range(0, len(data), 9) for one in keyboard.feed(data[k : k + 9])]
    assert b"".join(one.data for one in found if isinstance(one, Paste)) == b"7\x1b\x107"
    rest = [one for one in found if not isinstance(one, Paste)]
    mouse = Mouse(64, 3, 4, is_release=False)
    assert rest == [Hotkey(), Told(focus=True), Told(place=(24, 3)), mouse]
    assert encoded(mouse, is_sgr=False) == b"\x1b[M`#$"
    assert keyboard.waits
    assert list(keyboard.feed(b"", is_all=True)) == [Key(KeyClass.ESCAPE, 0, b"\x1b")]


@pytest.mark.parametrize("before", [b"\xe9", b"\x1b\xe9", b"\x1bO", b"\x1b[", b"\xe6\xbc"])
def test_an_answer_is_none_of_the_keys_before_it(before: bytes) -> None:
    found = list(Keyboard().feed(before + b"\x1b[24;3R"))
    assert found[-1] == Told(place=(24, 3))
    assert b"".join(one.data for one in found if isinstance(one, Key)) == before


def test_a_paste_reaches_the_program_in_one_pair_of_brackets_if_it_wants_any() -> None:
    data = b"\x1b[200~\xe6\xbc\xa2\x1b[201~a"
    within = TerminalWithin(Line("en"), lambda: None)
    within._screen, within._inner = Screen(4, 9), SimpleNamespace(pending=Pending(-1))
    for wants, told in ((True, data), (False, data[6:9] + b"a")):
        within._screen.modes = {PASTE} if wants else set()
        within._inner.pending.data.clear()
        for k in range(len(data)):
            within._take(within._keyboard.feed(data[k : k + 1]))
        assert bytes(within._inner.pending.data) == told
    assert len(within.heap().events) == 2, "of a paste nothing is a key"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(s=1000.0)
    monkeypatch.setattr(terminal_line, "time", SimpleNamespace(monotonic=lambda: made.s))
    return made


def asked(line: Line, size: tuple[int, int] = (24, 80), *, keys: bool = False) -> tuple[int, int]:
    """Let the line be drawn; return where the terminal was asked for its cursor, or nowhere."""
    question = line.question(line.cells(*size), keys=keys).decode()
    return tuple(map(int, question[2:].partition("H")[0].split(";"))) if question else (0, 0)


def test_the_sign_counts_only_while_the_terminal_answers_where_it_is(now: SimpleNamespace) -> None:
    line = Line("en")
    line.show("recording")
    place = asked(line)
    assert place[0] == 24
    assert not line.is_seen()
    assert not line.answered(23, place[1]), "another row: the sign is not there"
    assert line.answered(*place)
    assert line.is_seen()
    assert asked(line)[0], "it says something else now: asked anew"
    assert line.is_seen()
    now.s += 1.1
    assert not line.is_seen()
    assert "does not answer" in line.text(80)
    now.s += 4
    line.keep()
    line.answered(*asked(line, keys=True))
    assert line.is_alive()
    assert not line.is_seen(), "it was gone for seconds: the person goes on"
    line.accept()
    assert line.is_seen()
    now.s += 3600
    assert line.is_seen(), "nobody is asked while no key comes"
    line.answered(*asked(line))
    now.s += 1
    assert asked(line) == (0, 0)
    assert asked(line, keys=True)[0]
    line.has_focus = False
    assert not line.is_seen()


def test_a_terminal_that_takes_nothing_so_that_it_cannot_be_asked_does_not_answer(
    now: SimpleNamespace,
) -> None:
    line = Line("en")
    line.answered(*asked(line))
    line.blocked()
    now.s += 0.9
    line.blocked()
    assert line.is_alive()
    now.s += 0.2
    assert not line.is_alive()
    line.answered(*asked(line, keys=True))
    assert line.is_alive()


def test_where_there_is_one_row_nothing_is_asked_for_the_answer_would_be_a_key() -> None:
    line = Line("en")
    assert asked(line, (1, 40), keys=True) == (0, 0)
    assert not line.is_seen()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("is_utf8", [True, False])
def test_the_line_says_all_that_counts_in_forty_columns_and_not_by_colour_alone(
    language: str, is_utf8: bool
) -> None:
    line = Line(language, title="Writing at a desk, with ten fingers", is_utf8=is_utf8)
    line.answered(*asked(line, (24, 40)))
    said = {}
    for state in ("recording", "paused", "recording elsewhere", "recording elsewhere offline"):
        line.show(state)
        row = line.cells(24, 40)
        said[state] = "".join(text for text, _ in row)
        assert len(row) == 40
        assert line.is_whole
        assert said[state].isascii() or is_utf8
    assert len({text[:3] for text in said.values()}) == 3
    assert "offline" in said["recording elsewhere offline"]
    assert "Alt+P" in said["recording"]
    assert "Writing" in line.text(120)
    line.cells(24, 20)
    assert not line.is_whole
    assert not line.is_seen()
