from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings

from datasets_fixtures import session, sessions
from overt.datasets import tokens
from overt.datasets.split import SPLITS, shard_of, split_of
from overt.datasets.transform import to_rhythm0
from overt.schema.event import EVENTS, Edit, KeyClass, Kind, Role
from overt.schema.people import SubjectEvents

SPEC = Path(__file__).parents[1] / "spec"


class Incremental:
    """The rule of spec/tokens.md, one event at a time, as the page applies it."""

    def __init__(self) -> None:
        self.made: list[list[tuple[str, int, int, int]]] = []
        self.open = self.paused = False

    def event(self, e: dict[str, int]) -> None:
        kind = Kind(e["kind"])
        if kind is Kind.PAUSE:
            self.paused = True
        elif kind is Kind.RESUME:
            self.paused = self.open = False
        elif not self.paused:
            if not self.open:
                self.made.append([("start", 0, -1, 0)])
                self.open, self.last = True, e["t_us"]
                self.scrolled: int | None = None
                self.released, self.pressed = -1, dict[int, int]()
            found = self.token(kind, e)
            if found:
                name, rollover = found
                self.made[-1].append((name, max(e["t_us"] - self.last, 0), self.released, rollover))
                self.last, self.released = max(self.last, e["t_us"]), -1

    def token(self, kind: Kind, e: dict[str, int]) -> tuple[str, int] | None:
        now, role = e["t_us"], Role(e["role"])
        field = role in (Role.TEXT_FIELD, Role.TEXT_AREA, Role.EDITABLE)
        if kind is Kind.KEY_DOWN and not e["modifiers"] & 16:
            held = [s for s, t in self.pressed.items() if s != e["slot"] and now - t <= 2_000_000]
            if e["slot"]:
                self.pressed[e["slot"]] = now
            return f"key:{KeyClass(e['key_class']).name.lower()}", int(bool(held))
        if kind is Kind.KEY_UP and e["slot"] in self.pressed:
            self.released = max(now - self.pressed.pop(e["slot"]), 0)
        if kind is Kind.EDIT:
            name = {
                Edit.INSERT_PASTE: "paste",
                Edit.INSERT_DROP: "paste",
                Edit.INSERT_REPLACEMENT: "replacement",
                Edit.DELETE_CUT: "cut",
                Edit.UNDO: "undo",
                Edit.REDO: "redo",
            }.get(Edit(e["edit"]))
            return (f"edit:{name}", 0) if name else None
        if kind is Kind.CLICK:
            name = {
                Role.CHECKBOX: "choice",
                Role.RADIO: "choice",
                Role.MENU_ITEM: "option",
            }.get(role, role.name.lower() if role in (1, 2, 8, 9, 16) else "other")
            return f"click:{'field' if field else name}", 0
        if kind in (Kind.WHEEL, Kind.SCROLL):
            begins = self.scrolled is None or now - self.scrolled >= 500_000
            self.scrolled = now
            return (
                ("scroll:up" if e["scroll_y_css_px"] < 0 else "scroll:down", 0) if begins else None
            )
        if kind is Kind.FOCUS:
            return "focus:field" if field else "focus:other", 0
        if kind is Kind.VISIBILITY:
            return "hidden" if e["value"] == 2 else "shown", 0
        return None


def slowly(events: pa.Table) -> list[list[tuple[str, int, int, int]]]:
    page = Incremental()
    for event in events.to_pylist():
        page.event(event)
    return [made for made in page.made if len(made) > 1]


def quickly(events: pa.Table) -> list[list[tuple[str, int, int, int]]]:
    return [
        [
            (tokens.VOCABULARY[t], p, h, r)
            for t, p, h, r in zip(
                *(a.tolist() for a in (s.token, s.pause_us, s.hold_us, s.rollover)), strict=True
            )
        ]
        for s in tokens.tokens_of(events)
    ]


@settings(deadline=None, max_examples=50)
@given(sessions())
def test_training_and_page_arrive_at_the_same_tokens(events: pa.Table) -> None:
    assert quickly(events) == slowly(events)


@settings(deadline=None, max_examples=50)
@given(sessions())
def test_tokens_depend_only_on_events_so_far(events: pa.Table) -> None:
    whole = [token for made in quickly(events) for token in made]
    part = [token for made in quickly(events.slice(0, events.num_rows // 2)) for token in made]
    assert part == whole[: len(part)]


@settings(deadline=None, max_examples=50)
@given(sessions())
def test_tokens_do_not_know_which_key_or_when_in_absolute_time(events: pa.Table) -> None:
    at = EVENTS.get_field_index("t_us")
    later = pa.array(events.column("t_us").to_numpy() + 12_345_678)
    shifted = to_rhythm0(events).set_column(at, EVENTS.field(at), later)
    assert quickly(shifted) == quickly(events)


def test_a_pause_in_recording_ends_a_sequence_and_its_events_are_ignored() -> None:
    down = {"kind": 1, "key_class": 1, "slot": 1}
    events = session(
        [
            {**down, "t_us": 0},
            {"kind": int(Kind.PAUSE), "t_us": 10},
            {**down, "t_us": 20},
            {"kind": int(Kind.RESUME), "t_us": 9_000_000},
            {**down, "t_us": 9_000_100},
        ]
    )
    assert quickly(events) == [[("start", 0, -1, 0), ("key:letter", 0, -1, 0)]] * 2


def test_vectors_of_the_specification_hold() -> None:
    vectors = json.loads((SPEC / "vectors" / "tokens.json").read_text())
    assert vectors["vocabulary"] == list(tokens.VOCABULARY)
    assert len(vectors["cases"]) >= 6
    for case in vectors["cases"]:
        made = [
            {
                "token": s.token.tolist(),
                "pause_us": s.pause_us.tolist(),
                "hold_us": s.hold_us.tolist(),
                "rollover": s.rollover.tolist(),
            }
            for s in tokens.tokens_of(session(case["events"]))
        ]
        assert made == case["sequences"], case["name"]


def test_specification_lists_the_vocabulary() -> None:
    text = (SPEC / "tokens.md").read_text()
    for number, name in enumerate(tokens.VOCABULARY):
        assert f"{number} `{name}`" in text


def tag(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_split_and_shard_of_a_person_do_not_depend_on_anyone_else() -> None:
    empty = EVENTS.empty_table()
    people = [SubjectEvents(tag(n), "synthetic", (empty,)) for n in range(60)]
    everyone = {s.tag: (s.split, s.shard) for s in tokens.all_sequences(people, 4)}
    fewer = {s.tag: (s.split, s.shard) for s in tokens.all_sequences(people[1::2], 4)}
    assert fewer == {t: everyone[t] for t in fewer}


def test_order_of_training_is_that_of_tags_whatever_order_people_come_in() -> None:
    empty = EVENTS.empty_table()
    people = [SubjectEvents(tag(n * 7919 % 100), "live", (empty,)) for n in range(100)]
    assert [s.tag for s in tokens.all_sequences(people, 2)] == sorted(p.tag for p in people)


def test_splits_and_shards_have_their_shares() -> None:
    counts: Any = dict.fromkeys(SPLITS, 0)
    shards = np.zeros(8)
    for number in range(4000):
        counts[split_of(tag(number))] += 1
        shards[shard_of(tag(number), 8)] += 1
    assert abs(counts["train"] / 4000 - 0.7) < 0.03
    assert abs(counts["test"] / 4000 - 0.2) < 0.03
    assert shards.min() > 400


def test_split_of_known_tags_never_changes() -> None:
    assert [split_of(tag(n)) for n in range(6)] == [
        "train",
        "train",
        "train",
        "test",
        "test",
        "train",
    ]
    assert [shard_of(tag(n), 5) for n in range(6)] == [0, 1, 3, 3, 2, 4]
