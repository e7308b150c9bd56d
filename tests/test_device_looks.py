"""What is kept of a window: its parts without a word of it, and squares that cannot be text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.consent.notice import notice_bytes
from overt.consent.receipt import _information
from overt.device.drawn import drawings
from overt.device.elements import (
    ELEMENTS_MAX,
    Box,
    Elements,
    Numbers,
    Suppressed,
    boxes,
    stepped,
)
from overt.device.facts import FACTS
from overt.device.looks import Look, Looks, Target
from overt.device.notice import check_notice
from overt.device.outbox import Outbox
from overt.device.picture import (
    FLAT,
    MASKED,
    RECTANGLES_MAX,
    Rectangle,
    picture,
    rgb,
    shown,
    squares,
)
from overt.device.screen import Moment
from overt.device.session import Recording, Session
from overt.device.vault import Vault
from overt.device.waiting import opened
from overt.schema.errors import InvalidInput, Refused
from overt.schema.event import KeyClass, Kind, Role, State
from overt.schema.purpose import SCREEN
from overt.schema.study import load_study, study_sha256, template

WINDOW = Box(24, 80, 160, 120)
FRAME, FILLER, LABEL, BUTTON, TEXT, PASSWORD, DIALOG, PANEL = 23, 20, 29, 43, 61, 40, 16, 39
SHOWING, ACTIVE, FOCUSED, MODAL = 1 << 25, 1 << 1, 1 << 12, 1 << 16

Node = dict[str, Any]


def node(role: int, box: Box = WINDOW, *below: Node, states: int = SHOWING) -> Node:
    return {"role": role, "box": box, "below": below, "states": states}


class Told(Elements):
    """Answers as a program would, from a table instead of the bus."""

    def __init__(self, *tops: Node, pid: int = 7) -> None:
        self._nodes: dict[str, Node] = {}
        self._process = pid
        application = node(75, WINDOW, *tops)
        self._name("/root", node(0, WINDOW, application))

    def _name(self, path: str, one: Node) -> None:
        self._nodes[path] = one
        for k, below in enumerate(one["below"]):
            self._name(f"{path}/{k}", below)

    def _ask(self, place: tuple[str, str], interface: str, member: str, *body: Any) -> Any:
        path = "/root" if place[1].endswith("accessible/root") else place[1]
        one = self._nodes[path]
        if member == "GetChildren":
            return [(":1.7", f"{path}/{k}") for k in range(len(one["below"]))]
        answers = {"GetRole": one["role"], "GetExtents": one["box"]}
        answers["GetState"] = [one["states"] & 0xFFFFFFFF, one["states"] >> 32]
        if member not in answers:
            raise AssertionError(f"{member} is never asked")
        return answers[member]

    def _pid(self, name: str) -> int:
        return self._process


def frame(*below: Node, states: int = SHOWING | ACTIVE, box: Box = WINDOW) -> Node:
    return node(FRAME, box, *below, states=states)


def test_the_tree_has_role_place_and_state_of_what_shows_and_asks_for_no_name() -> None:
    hidden = node(LABEL, states=0)
    entry = node(79, Box(30, 90, 50, 20), states=SHOWING | FOCUSED | 1 << 24)
    tree = Told(frame(node(FILLER, WINDOW, entry, hidden))).tree(7, {WINDOW})
    assert [(one.role, one.parent, one.bare) for one in tree] == [
        (Role.PAGE, -1, False),
        (Role.OTHER, 0, True),
        (Role.TEXT_FIELD, 1, False),
    ]
    assert tree[2].state == State.FOCUSED | State.ENABLED
    assert stepped(tree[2].box) == Box(24, 88, 56, 24)


@pytest.mark.parametrize(
    "tops",
    [
        pytest.param([frame(node(FILLER, WINDOW, node(PASSWORD)))], id="a password field"),
        pytest.param([frame(), node(DIALOG)], id="a dialog beside it"),
        pytest.param([frame(states=SHOWING | ACTIVE | MODAL)], id="a modal window"),
        pytest.param([node(DIALOG, states=SHOWING | ACTIVE)], id="a dialog"),
        pytest.param([frame(states=SHOWING)], id="not active"),
        pytest.param([frame(), frame()], id="two that are"),
        pytest.param([node(69, states=SHOWING | ACTIVE)], id="not a frame"),
        pytest.param([frame(box=Box(24, 80, 160, 121))], id="elsewhere"),
        pytest.param([frame(*[node(LABEL)] * ELEMENTS_MAX)], id="too many"),
    ],
)
def test_what_cannot_be_told_or_asks_for_something_is_no_tree(tops: list[Node]) -> None:
    with pytest.raises(Suppressed):
        Told(*tops).tree(7, {WINDOW})


def test_another_program_has_no_tree() -> None:
    with pytest.raises(Suppressed):
        Told(frame(), pid=8).tree(7, {WINDOW})


def test_what_lies_in_something_that_may_be_text_is_never_bare() -> None:
    inner = node(PANEL, Box(40, 100, 80, 40))
    tree = Told(frame(node(FILLER, WINDOW, node(BUTTON, Box(40, 100, 80, 40), inner)))).tree(
        7, {WINDOW}
    )
    assert [one.bare for one in tree] == [False, True, False, False]


def test_what_lies_in_something_that_is_at_no_place_is_in_the_tree_and_never_bare() -> None:
    inner = node(PANEL, Box(40, 100, 80, 40))
    tab = node(37, Box(-1, -1, -1, -1), inner)
    tree = Told(frame(node(FILLER, WINDOW, tab))).tree(7, {WINDOW})
    assert [(one.parent, one.bare) for one in tree] == [(-1, False), (0, True), (1, False)]


PLACES = st.builds(
    Box, st.integers(0, 180), st.integers(60, 200), st.integers(1, 90), st.integers(1, 90)
)


@settings(deadline=None, max_examples=25)
@given(st.lists(PLACES, max_size=4), st.lists(PLACES, max_size=4), st.randoms())
def test_a_picture_says_nothing_of_pixels_outside_of_what_shows_no_text(
    bare: list[Box], rest: list[Box], random: Any
) -> None:
    """Whatever stands where text may be, the picture is the same."""
    ground = np.random.default_rng(random.randrange(2**32)).integers(0, 8, (15, 20, 3)) * 32
    one = np.kron(ground, np.ones((8, 8, 1))).astype(np.uint8)
    other = one.copy()
    open_ = shown(one.shape[:2], WINDOW, bare, rest)
    for box in rest:
        inside = shown(one.shape[:2], WINDOW, [box], [])
        assert not (open_ & inside).any()
    other[~open_] = 255 - other[~open_]
    drawn = np.ones(open_.shape, bool)
    assert picture(one, drawn, WINDOW, bare, rest) == picture(other, drawn, WINDOW, bare, rest)
    drawn[:40] = False
    other[:40] = 255 - other[:40]
    assert picture(one, drawn, WINDOW, bare, rest) == picture(other, drawn, WINDOW, bare, rest)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 7), st.integers(0, 14), st.integers(0, 255))
def test_strokes_thinner_than_a_square_never_show_even_where_no_text_should_be(
    wide: int, at: int, grey: int
) -> None:
    plain = np.full((120, 160, 3), 128, np.uint8)
    struck = plain.copy()
    struck[:, at : at + wide] = grey
    everywhere = np.ones((120, 160), bool)
    grid = squares(struck, everywhere, 8)
    touched = np.unique(np.arange(at, at + wide) // 8)
    if abs(grey - 128) > FLAT:
        assert not grid[:, touched].any()
    assert (np.delete(grid, touched, 1) == squares(plain, everywhere, 8)[0, 0]).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_painting_the_rectangles_gives_the_squares_again(seed: int, colours: int) -> None:
    ground = np.random.default_rng(seed).integers(0, colours, (15, 20, 1)) * np.array([64, 96, 32])
    pixels = np.kron(ground, np.ones((8, 8, 1))).astype(np.uint8)
    bare = [Box(24, 80, 100, 100)]
    found = picture(pixels, np.ones((120, 160), bool), WINDOW, bare, [])
    if found is None:
        return
    assert len(found) <= RECTANGLES_MAX
    assert found[0] == (0, 0, 160, 120, MASKED)
    side = min(min(one.width, one.height) for one in found)
    canvas = np.zeros((120, 160), np.int16)
    for one in found:
        canvas[one.y : one.y + one.height, one.x : one.x + one.width] = one.colour
    grid = squares(pixels, shown((120, 160), WINDOW, bare, []), 8)
    if side == 8:
        assert (canvas[::8, ::8] == grid).all()


def test_a_picture_is_a_batch_of_its_own_and_is_drawn_as_it_would_leave(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    about: dict[str, Any] = {"study": "desk", "receipt": "1" * 32, "level": "rhythm"}
    more: dict[str, Any] = {"transform": "rhythm/0", "time_origin_ms": 60_000, "outbox_delay_s": 1}
    session = Session(Recording(session="a" * 32, purposes=SCREEN, **about, **more), vault)
    rows = np.zeros(7, FACTS)
    rows["kind"] = (Kind.ELEMENT,) * 3 + (Kind.PICTURE,) * 4
    rows["t_us"] = 1_000_000
    rows["element"] = (1, 2, 3, 1, 1, 1, 1)
    rows["edit_chars"] = (0, 1, 2, 0, 0, 0, 0)
    rows["role"] = (Role.PAGE, 0, 0, Role.PAGE, 0, Role.PAGE, 0)
    rows["value"][3:] = (MASKED, 0x7FFF, MASKED, 1)
    rows["x_8th_css_px"] = np.array([24, 32, 40, 24, 32, 24, 24]) * 8
    rows["y_8th_css_px"] = np.array([80, 88, 96, 80, 88, 80, 80]) * 8
    rows["scroll_x_css_px"] = (160, 8, 8, 160, 16, 160, 8)
    rows["scroll_y_css_px"] = (120, 8, 8, 120, 8, 120, 8)
    session.add(rows)
    session.close(0)
    outbox = Outbox(vault)
    waiting = opened(outbox.entries())
    outbox.narrow("1" * 32, SCREEN[:1])  # pictures were withdrawn, the parts were not
    left = opened(outbox.entries())
    assert [one.header["purposes"] for one in left] == [SCREEN[:1]]
    assert [drawn.is_picture for one in left for drawn in drawings(one.rows)] == [False]
    assert outbox.counts()["removed"] == 4
    vault.close()
    drawn = [drawings(one.rows) for one in waiting]
    assert [[d.is_picture for d in one] for one in drawn] == [[False], [True], [True]]
    assert [one.header["purposes"] for one in waiting] == [SCREEN[:1], SCREEN[1:], SCREEN[1:]]
    first = drawn[1][0]
    assert (first.width, first.height) == (160, 120)
    assert first.boxes == [(0, 0, 160, 120, ""), (8, 8, 16, 8, rgb(0x7FFF))]
    assert [box[:2] for box in drawn[0][0].boxes] == [(0, 0), (8, 8), (16, 16)]


WINDOW_ID, PID, APPLICATION = 77, 7, 1


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    made = Looks(":nowhere", frozenset({APPLICATION}), pictures=True)
    yield made
    made._stop.set()


def moment(**other: Any) -> Moment:
    said = {"focus": WINDOW_ID, "focus_pid": PID, "application": APPLICATION, "prompt": False}
    places = {"rectangles": np.array([WINDOW_EDGES], np.int32), "numbers": np.array([APPLICATION])}
    return Moment(**{**said, **places, **other})


WINDOW_EDGES = (24, 80, 184, 200)
TREE = Told(frame(node(FILLER, WINDOW, node(BUTTON, Box(40, 100, 20, 20))))).tree(7, {WINDOW})


def press(t_ms: int = 900, x: int = 50, kind: Kind = Kind.POINTER_DOWN, **columns: int) -> Any:
    row = np.zeros(1, FACTS)
    row["kind"], row["t_us"] = kind, t_ms * 1000
    row["x_8th_css_px"], row["y_8th_css_px"] = 8 * x, 8 * 100
    for name, value in columns.items():
        row[name] = value
    return row


def told(looks: Looks, rows: Any, now: Moment | None = None, **how: Any) -> Any:
    """Return what goes before rows, where a look of time 500 ms is held."""
    capture: Any = SimpleNamespace(moment=moment(), changed=False, t_us=lambda ms: ms * 1000)
    looks.before(capture, rows[:0], is_open=True)
    age_s = how.pop("age_s", 1.0)
    place = (Rectangle(0, 0, 160, 120, MASKED), Rectangle(8, 8, 16, 8, 5))
    target = Target(WINDOW_ID, PID, APPLICATION)
    looks._held = Look(target, 500, time.monotonic() - age_s, TREE, WINDOW, place)
    capture.moment, capture.changed = now or moment(), how.pop("changed", False)
    return looks.before(capture, rows, is_open=how.pop("is_open", True))


def test_a_look_goes_before_the_action_it_was_held_for_and_only_once(looks: Looks) -> None:
    for act in (
        press(),
        press(kind=Kind.COMMAND),
        press(kind=Kind.KEY_DOWN, key_class=KeyClass.ENTER),
    ):
        looks.begin(Numbers())
        made = told(looks, act)
        assert made["kind"].tolist() == [Kind.ELEMENT] * 3 + [Kind.PICTURE] * 2
        assert set(made["t_us"].tolist()) == {500_000}
        assert made["element"].tolist() == [1, 2, 3, 1, 1]
        assert made["edit_chars"].tolist() == [0, 1, 2, 0, 0]
        assert looks._held is None
    assert not len(told(looks, press())), "the same again says nothing new"


@pytest.mark.parametrize(
    ("rows", "how"),
    [
        pytest.param(press(), {"is_open": False}, id="recording is closed"),
        pytest.param(press(), {"now": moment(application=2)}, id="another application"),
        pytest.param(press(), {"now": moment(prompt=True)}, id="a password prompt can be seen"),
        pytest.param(press(), {"now": moment(focus=78)}, id="another window"),
        pytest.param(press(), {"changed": True}, id="a window came, went or moved"),
        pytest.param(press(), {"age_s": 60.0}, id="too long ago"),
        pytest.param(press(400), {}, id="it shows what came of the action"),
        pytest.param(press(x=300), {}, id="a press elsewhere"),
        pytest.param(press(kind=Kind.POINTER_MOVE), {}, id="no action"),
        pytest.param(press(kind=Kind.KEY_DOWN, key_class=KeyClass.LETTER), {}, id="a letter"),
    ],
)
def test_otherwise_nothing_of_a_look_is_recorded(
    looks: Looks, rows: Any, how: dict[str, Any]
) -> None:
    assert not len(told(looks, rows, **how))


def study(purposes: str = "", screen: str = "", terminal: str = "") -> bytes:
    listed = f"""
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad"]
{screen}
{terminal}
"""
    source = template("desk", "Writing").replace("\n[notice.en]", listed + "\n[notice.en]")
    source += '\n[notice.de]\nabout = "Worum es geht."\n'
    return source.replace('"typing-assist"]', f'"typing-assist"{purposes}]').encode()


LOOKS = ', "screen-elements", "screen-pictures"'


def test_windows_are_looked_at_only_where_purpose_application_and_words_say_so() -> None:
    for wrong in (study(LOOKS), study(screen="screen = true"), study(LOOKS, "screen = 1")):
        with pytest.raises(InvalidInput):
            load_study(wrong)
    with pytest.raises(InvalidInput, match="terminal"):
        load_study(study(LOOKS, "screen = true", "terminal = true"))
    for language, words in (("en", "coarse pictures"), ("de", "grobe Bilder")):
        asks = json.loads(notice_bytes(load_study(study(LOOKS, "screen = true")), language))
        check_notice(asks, "desk")
        said = " ".join(text for section in asks["sections"] for text in section["text"])
        assert words in said
        asks_not = json.loads(notice_bytes(load_study(study()), language))
        assert words not in str(asks_not)
        for notice, value in ((asks, False), (asks_not, True)):
            notice["settings"]["applications"][0]["screen"] = value
            with pytest.raises(Refused, match="windows"):
                check_notice(notice, "desk")


def test_the_receipt_names_what_is_kept_of_windows_and_marks_pictures_as_sensitive() -> None:
    asked = load_study(study(LOOKS, "screen = true"))
    told = {one["pii_type"]: one for one in _information(asked, SCREEN)}
    assert [told[name]["pii_attribute_id"] for name in told] == [["element"], ["picture"]]
    assert [told[name]["sensitive_pii_category"] for name in told] == [False, True]
    assert "pictures" not in {one["pii_type"] for one in _information(asked, ("next-action",))}


def test_a_study_that_looks_at_nothing_keeps_the_hash_its_receipts_state() -> None:
    plain = load_study(study())
    said = study_sha256(plain)
    assert said == study_sha256(load_study(study(screen="screen = false")))
    assert said != study_sha256(load_study(study(LOOKS, "screen = true")))


def test_the_boxes_that_may_be_text_have_room_around_them_and_the_others_none() -> None:
    tree = Told(frame(node(FILLER, Box(25, 81, 150, 100), node(LABEL, Box(33, 97, 10, 10))))).tree(
        7, {WINDOW}
    )
    assert list(boxes(tree, bare=True)) == [Box(25, 81, 150, 100)]
    assert list(boxes(tree, bare=False)) == [Box(32, 96, 16, 16)]
