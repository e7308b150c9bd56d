"""Slips mined from edit streams: what is known of the text, and nothing across what is not."""

from __future__ import annotations

from itertools import islice

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_fixtures import AALTO, needs_aalto, session
from overt.datasets.formats import aalto
from overt.models.text.written import written
from overt.models.typos.mined import Mined, mine
from overt.models.typos.own import Watch
from overt.schema.event import SYMBOL_NAMED_BASE, Edit, KeyClass, Kind


def _keys(typed: str, *, element: int = 1, symbols: bool = True) -> list[dict[str, int]]:
    """Return presses and edits of characters; `<` is backspace, `→` an arrow key."""
    events = []
    for place, key in enumerate(typed):
        named = {"<": KeyClass.BACKSPACE, "→": KeyClass.ARROW}.get(key)
        symbol = SYMBOL_NAMED_BASE + named if named else ord(key)
        key_class = named or (KeyClass.SPACE if key == " " else KeyClass.LETTER)
        about = {"t_us": place * 100_000, "element": element}
        pressed = {"key_class": int(key_class), "key_symbol": symbol if symbols else 0}
        events.append({**about, "kind": int(Kind.KEY_DOWN), **pressed})
        if key != "→":
            edit = Edit.DELETE_CHAR_BACKWARD if key == "<" else Edit.INSERT_TEXT
            events.append({**about, "kind": int(Kind.EDIT), "edit": int(edit), "edit_chars": 1})
    return events


def _pairs(mined: list[Mined]) -> list[tuple[str, str]]:
    return [(one.correction.slip, one.correction.put) for one in mined]


def test_a_correction_is_mined_with_its_context_and_the_times_of_its_keys() -> None:
    (found,) = mine(session(_keys("see teh<<he cat ")))
    assert (found.correction.slip, found.correction.put, found.left) == ("teh", "the", "see ")
    assert found.press_us == (400_000, 500_000, 600_000)


@settings(max_examples=60, deadline=None)
@given(typed=st.text("abeht <", max_size=40))
def test_mining_tells_what_watching_the_text_tells(typed: str) -> None:
    watch, text, told = Watch(), "", []
    for key in typed:
        text = text[:-1] if key == "<" else text + key
        told.append(watch.change(text).correction)
    told.append(watch.leave())
    found = list(mine(session(_keys(typed)))) if typed else []
    assert [one.correction for one in found] == [one for one in told if one]
    assert all(len(one.press_us) >= len(one.correction.slip) for one in found)


@settings(max_examples=40, deadline=None)
@given(
    before=st.text("ab eh<", max_size=10),
    slip=st.sampled_from(["teh", "taht"]),
    broken=st.sampled_from(
        [
            {"kind": int(Kind.CLICK)},
            {"kind": int(Kind.SELECTION), "value": 1},
            {"kind": int(Kind.EDIT), "edit": int(Edit.INSERT_PASTE), "edit_chars": 4},
            {"kind": int(Kind.EDIT), "edit": int(Edit.UNDO), "edit_chars": 4},
            {"kind": int(Kind.EDIT), "edit": int(Edit.INSERT_TEXT), "edit_chars": 1},
        ]
    ),
)
def test_nothing_is_mined_across_what_is_unknown(
    before: str, slip: str, broken: dict[str, int]
) -> None:
    events = [*_keys(f"{before} {slip}"), {**broken, "element": 1}, *_keys("<<he ")]
    assert _pairs(list(mine(session(events)))) == _pairs(list(mine(session(_keys(before + " ")))))


def test_an_arrow_key_ends_what_is_known() -> None:
    assert list(mine(session(_keys("see teh→<<he cat ")))) == []


def test_a_gap_in_the_stream_ends_what_is_known() -> None:
    whole = session(_keys("see teh<<he cat "))
    assert list(mine(pa.concat_tables([whole.slice(0, 13), whole.slice(15)]))) == []


def test_two_fields_are_kept_apart() -> None:
    events = [*_keys("see teh"), *_keys("and taht<<<hat ", element=2), *_keys("<<he ")]
    assert set(_pairs(list(mine(session(events))))) == {("taht", "that"), ("teh", "the")}


def test_without_symbols_nothing_is_mined() -> None:
    assert list(mine(session(_keys("see teh<<he cat ", symbols=False)))) == []


def test_the_first_word_of_a_field_that_held_text_before_is_left_out() -> None:
    table = session(_keys("teh<<he cta<<at "))
    assert _pairs(list(mine(table, starts_empty=False))) == [("cta", "cat")]


@needs_aalto
def test_slips_are_mined_from_published_recordings() -> None:
    people = list(islice(aalto.read(AALTO), 3))
    found = [one for person in people for table in person.sessions for one in mine(table)]
    assert len(found) > 10
    assert all(len(one.press_us) >= len(one.correction.slip) for one in found)


@settings(max_examples=40, deadline=None)
@given(typed=st.text("ab e<\n", max_size=30), broken=st.booleans())
def test_the_text_that_was_written_is_found_with_its_times(typed: str, *, broken: bool) -> None:
    text = ""
    for key in typed:
        text = text[:-1] if key == "<" else text + key
    lost = [{"kind": int(Kind.CLICK), "element": 1}, *_keys("nd so on")] if broken else []
    runs = list(written(session([*_keys(typed), *lost]))) if typed or lost else []
    wanted = [one for one in (text, " so on" if broken else "") if one.strip()]
    assert [run.text for run in runs] == wanted
    assert all(len(run.press_us) == len(run.text) for run in runs)


def test_at_rhythm_no_text_is_found() -> None:
    assert list(written(session(_keys("we go ", symbols=False)))) == []
