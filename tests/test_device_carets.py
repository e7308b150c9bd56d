"""Where the caret went: by a person's own act, as numbers, of one field and no other."""

from __future__ import annotations

import pytest

from overt.device.carets import CAUSE_MAX_US, Carets, Causes, Moved
from overt.device.questions import messages

jeepney = pytest.importorskip("jeepney", reason="the desktop extra is not installed")
FIELD, OTHER = (":1.7", "/org/a11y/atspi/accessible/42"), (":1.7", "/org/a11y/atspi/accessible/43")


def test_typing_moves_the_caret_and_says_nothing_an_arrow_says_how_far() -> None:
    causes = Causes()
    causes.hear(0, Moved(0, 10, is_first=True))
    for t_us, moves, *places in ((10, False, 11), (20, True, 10), (30, True, 4, 0), (40, False, 1)):
        causes.did(t_us, moves=moves)
        for k, place in enumerate(places):
            causes.hear(t_us + 1 + k, Moved(0, place, is_first=False))
    assert causes.moved(21) == [], "what happened at the limit or after it waits"
    assert causes.moved(1000) == [(21, 10, -1), (32, 0, -10)]
    assert causes.moved(1000) == []


def test_a_move_that_nobody_caused_or_that_is_a_fields_first_says_nothing() -> None:
    causes = Causes()
    causes.did(0, moves=True)
    causes.hear(1, Moved(0, 3, is_first=True))
    causes.hear(CAUSE_MAX_US + 2, Moved(0, 9, is_first=False))
    assert causes.moved(10 * CAUSE_MAX_US) == []


def _told(place: tuple[str, str], member: str, position: int) -> bytes:
    emitter = jeepney.DBusAddress(place[1], interface="org.a11y.atspi.Event.Object")
    body = ("", position, 0, ("i", 0), {})
    said = jeepney.new_signal(emitter, member, "siiva{sv}", body)
    return bytes(said.serialise(serial=9))


def test_only_the_watched_fields_caret_is_heard_whatever_else_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, rest = messages(
        _told(FIELD, "TextCaretMoved", 5)
        + _told(OTHER, "TextCaretMoved", 6)
        + _told(FIELD, "TextChanged", 7)
        + _told(FIELD, "TextCaretMoved", 8)[:-1]
    )
    monkeypatch.setattr(Carets, "_follow", lambda _: None)
    carets = Carets()
    for watched, heard in ((None, []), (FIELD, [5]), (OTHER, [6])):
        carets._watched = watched
        for message in found:
            carets._take(message, 1)
        assert [one.position for one in carets.moves()] == heard
    assert len(rest) == len(_told(FIELD, "TextCaretMoved", 8)) - 1
