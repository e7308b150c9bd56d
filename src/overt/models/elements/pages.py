"""Pages as people saw them before each press, read from three Parquet files.

```
episodes.parquet   one row an episode: who (assignment), which task, the instruction
elements.parquet   one row a candidate of a step: what could have been pressed
events.parquet     what else happened; optional: without it, nothing is known of typing
```

Strings are kept once, in `texts`; every column of strings holds numbers into it. `texts[0]` is "".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from overt.datasets.reading.files import named
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

FILES = ("episodes.parquet", "elements.parquet", "events.parquet")
_NEEDED = {
    "episodes": ("episode", "assignment", "task", "utterance"),
    "elements": (
        *("episode", "step", "ref", "tag", "text", "left", "top", "width", "height", "is_target"),
    ),
    "events": ("episode", "t_ms", "type"),
}
_HOVERED = "hover"
"""A class with this in its name says where the pointer was: it is dropped."""
ENTER, TAB = 13, 9
"""JavaScript key codes that move or send a form without a pointer."""


@dataclass(frozen=True)
class Pages:
    """Every step of every episode, in the order (assignment, demo, step)."""

    texts: tuple[str, ...]
    assignment: Array
    """int64[episodes]: who; nothing else of the person is known."""
    task: Array
    utterance: Array
    """int32[episodes]: numbers into `texts`."""
    episode: Array
    """int64[steps]: place of the step's episode, ascending."""
    number: Array
    """int64[steps]: place of the step in its episode as recorded, from 0."""
    first: Array
    """int64[steps + 1]: the step's candidates are the rows `first[s] : first[s + 1]`."""
    target: Array
    """int64[steps]: row that was pressed; -1 where it was no candidate."""
    typed: Array
    """int64[steps, 3]: keys pressed, of these Enter or Tab, and scrolls since the step before."""
    follows: Array
    """int64[steps]: kind of the person's next act after the press, a place in `ACTS`."""
    ref: Array
    group: Array
    """int64[rows]: element, and the widget it belongs to; stable within an episode."""
    tag: Array
    classes: Array
    id: Array
    text: Array
    value: Array
    """int32[rows]: numbers into `texts`."""
    has_value: Array
    focused: Array
    """bool[rows]."""
    box: Array
    """float32[rows, 4]: left, top, width, height in CSS px."""

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.episode)

    @property
    def who(self) -> Array:
        """int64[steps]: the assignment each step belongs to."""
        whose: Array = self.assignment[self.episode]
        return whose

    @property
    def candidates(self) -> Array:
        """int64[steps]: how many candidates each step has."""
        count: Array = np.diff(self.first)
        return count

    def instruction_hidden(self) -> Pages:
        """Return the same pages to someone who has not read the instruction."""
        return replace(self, utterance=np.zeros_like(self.utterance))

    def roles_only(self) -> Pages:
        """Return what stays without any text: tags and boxes, as live capture at `rhythm` has."""
        none = np.zeros_like(self.text)
        blank = replace(self, text=none, value=none, classes=none, id=none)
        return replace(
            blank,
            utterance=np.zeros_like(self.utterance),
            task=np.zeros_like(self.task),
            has_value=np.zeros_like(self.has_value),
        )


ACTS = ("press", "type", "scroll", "end")
"""What can follow a press: another, a key, a scroll, or nothing."""


def read(path: Path) -> Pages:
    """Read a folder, one of its files, or a `.tar.zst`; several folders below are read as one.

    Raises what `parts` does.
    """
    return joined(parts(path))


def parts(path: Path) -> list[dict[str, pa.Table]]:
    """Return the tables of each folder, by the names of their files.

    Raises `InvalidInput` naming the file where one is missing, is no Parquet file, lacks a column
    or has a step of an episode that is not listed.
    """
    if path.is_file() and path.suffix == ".parquet":
        path = path.parent
    found_in: dict[str, dict[str, pa.Table]] = {}
    for found in named(path, *FILES):
        folder = PurePosixPath(found.path).parent.as_posix()
        kind = found.name.removesuffix(".parquet")
        found_in.setdefault(folder, {})[kind] = _table(found.data, found.name, kind)
    for folder, tables in found_in.items():
        for kind in ("episodes", "elements"):
            if kind not in tables:
                raise InvalidInput(f"there is no {kind}.parquet", where=f"{path.name}/{folder}")
    return list(found_in.values())


def _table(data: bytes, name: str, kind: str) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("is not a Parquet file", where=name, do="Fetch it again.") from error
    lacking = [column for column in _NEEDED[kind] if column not in table.column_names]
    if lacking:
        raise InvalidInput(f"has no column {', '.join(lacking)}", where=name)
    return table


def joined(several: list[dict[str, pa.Table]]) -> Pages:
    """Return the pages of several parts, each of which numbers its people and episodes anew."""
    texts = _Texts()
    pieces = [_part(tables, texts) for tables in several]
    if len(pieces) > 1:
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = _after(whole, piece)
    else:
        whole = pieces[0]
    return replace(whole, texts=tuple(texts.known))


def _after(one: Pages, other: Pages) -> Pages:
    people = int(one.assignment.max(initial=-1)) + 1
    people += -people % 5  # keeps each assignment's remainder by 5, by which they are split
    moved = replace(
        other,
        assignment=other.assignment + people,
        episode=other.episode + len(one.assignment),
        first=other.first + one.first[-1],
        target=np.where(other.target < 0, -1, other.target + one.first[-1]),
    )
    fields = {
        name: np.concatenate([getattr(one, name), getattr(moved, name)])
        for name in Pages.__dataclass_fields__
        if name not in ("texts", "first")
    }
    return Pages(texts=(), first=np.concatenate([one.first[:-1], moved.first]), **fields)


class _Texts:
    """Strings met so far, each with its number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {"": 0}

    def numbers(self, table: pa.Table, column: str) -> Array:
        """Return int32[rows] for a column of strings; null and a missing column are ""."""
        if column not in table.column_names:
            return np.zeros(table.num_rows, np.int32)
        strings = table[column].combine_chunks().cast(pa.string()).fill_null("")
        coded = strings.dictionary_encode()
        found = [_clean(str(text), column) for text in coded.dictionary.to_pylist()]
        places = np.array(
            [self.known.setdefault(text, len(self.known)) for text in found], np.int32
        )
        picked: Array = places[coded.indices.to_numpy()] if len(places) else np.zeros(0, np.int32)
        return picked


def _clean(text: str, column: str) -> str:
    if column != "classes":
        return text
    return " ".join(name for name in text.split() if _HOVERED not in name)


def _numbers(table: pa.Table, column: str, *, missing: int = 0) -> Array:
    """Return int64[rows]; null, not finite and a missing column are `missing`."""
    if column not in table.column_names:
        return np.full(table.num_rows, missing, np.int64)
    if pa.types.is_signed_integer(table[column].type) and not table[column].null_count:
        numbers: Array = table[column].to_numpy().astype(np.int64)
        return numbers
    try:
        column_of = table[column].combine_chunks().cast(pa.float64())
        floats = column_of.fill_null(float(missing)).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise InvalidInput("is not a column of numbers", where=column) from error
    whole: Array = np.where(np.isfinite(floats), floats, missing).astype(np.int64)
    return whole


def _people(episodes: pa.Table) -> Array:
    """Return int64[episodes], who; names that are no numbers are numbered by the alphabet."""
    try:
        return _numbers(episodes, "assignment")
    except InvalidInput:
        column = episodes["assignment"].cast(pa.string())
        names = [name or "" for name in column.to_pylist()]
        number = {name: at for at, name in enumerate(sorted(set(names)))}
        return np.array([number[name] for name in names], np.int64)


def _flags(table: pa.Table, column: str) -> Array:
    flags: Array = _numbers(table, column) != 0
    return flags


def _part(tables: dict[str, pa.Table], texts: _Texts) -> Pages:
    episodes, elements = tables["episodes"], tables["elements"]
    key = _numbers(episodes, "episode")
    if len(np.unique(key)) != len(key):
        raise InvalidInput("has an episode twice", where="episodes.parquet")
    order = np.lexsort((key, _numbers(episodes, "demo"), _people(episodes)))
    places = _places(_numbers(elements, "episode"), key[order], "elements.parquet")
    number = _numbers(elements, "step")
    rows = np.lexsort((np.arange(len(places)), number, places))
    if (rows[1:] < rows[:-1]).any():
        elements = elements.take(rows)
        places, number = places[rows], number[rows]
    edge = np.flatnonzero(np.diff(places, prepend=-1) | np.diff(number, prepend=-1))
    first = np.append(edge, len(places)).astype(np.int64)
    ref = _numbers(elements, "ref")
    group = _numbers(elements, "group_ref") if "group_ref" in elements.column_names else ref
    sides = [_numbers(elements, side) for side in ("left", "top", "width", "height")]
    episode, step = places[edge], number[edge]
    typed, follows = _between(tables.get("events"), key[order], episode, step)
    return Pages(
        texts=(),
        assignment=_people(episodes)[order],
        task=texts.numbers(episodes, "task")[order],
        utterance=texts.numbers(episodes, "utterance")[order],
        episode=episode,
        number=step,
        first=first,
        target=_pressed(_flags(elements, "is_target"), first),
        typed=typed,
        follows=follows,
        ref=ref,
        group=group,
        **{name: texts.numbers(elements, name) for name in _STRINGS},
        has_value=_valued(elements),
        focused=_flags(elements, "focused"),
        box=np.column_stack(sides).astype(np.float32),
    )


_STRINGS = ("tag", "classes", "id", "text", "value")


def _valued(elements: pa.Table) -> Array:
    if "value" not in elements.column_names:
        return np.zeros(elements.num_rows, bool)
    known: Array = elements["value"].is_valid().to_numpy()
    return known


def _places(episode: Array, key: Array, where: str) -> Array:
    """Return each row's place among the episodes `key`."""
    sorter = np.argsort(key)
    at = np.searchsorted(key, episode, sorter=sorter)
    found = sorter[np.minimum(at, max(len(key) - 1, 0))] if len(key) else at
    if len(episode) and (not len(key) or (key[found] != episode).any()):
        raise InvalidInput("has an episode that episodes.parquet does not list", where=where)
    return found.astype(np.int64)


def _pressed(is_target: Array, first: Array) -> Array:
    """Return the first pressed row of each step, or -1."""
    target = np.full(len(first) - 1, -1, np.int64)
    rows = np.flatnonzero(is_target)[::-1]
    target[np.searchsorted(first, rows, side="right") - 1] = rows
    return target


def _between(
    events: pa.Table | None, key: Array, episode: Array, step: Array
) -> tuple[Array, Array]:
    """Return what was typed and scrolled before each step, and what kind of act follows it."""
    typed = np.zeros((len(episode), 3), np.int64)
    follows = np.full(len(episode), ACTS.index("end"), np.int64)
    if events is None or not len(episode):
        return typed, follows
    place = _places(_numbers(events, "episode"), key, "events.parquet")
    order = np.lexsort((np.arange(len(place)), _numbers(events, "t_ms"), place))
    place = place[order]
    kind = np.array(events["type"].cast(pa.string()).to_pylist(), object)[order]
    down, wheel = kind == "keydown", kind == "scroll"
    code = _numbers(events, "key_code")[order]
    pressed = _numbers(events, "step", missing=-1)[order]
    mouse = (kind == "mousedown") & (pressed >= 0)
    counts = [down, down & np.isin(code, (ENTER, TAB)), wheel]
    sums = np.vstack([np.cumsum(count) for count in counts]).T
    at = _lookup(place[mouse], pressed[mouse], np.flatnonzero(mouse), episode, step)
    begins = np.searchsorted(place, episode)
    before = np.where(np.diff(episode, prepend=-1) != 0, begins - 1, np.roll(at, 1))
    known = (at >= 0) & ((before >= 0) | (begins == 0))
    base = np.where((before >= 0)[:, None], sums[np.maximum(before, 0)], 0)
    typed[known] = np.maximum(sums[np.maximum(at, 0)] - base, 0)[known]
    act = np.select([mouse, down, wheel], [0, 1, 2], -1)
    follows[at >= 0] = _next_act(act, place, at[at >= 0])
    return typed, follows


def _lookup(place: Array, pressed: Array, rows: Array, episode: Array, step: Array) -> Array:
    """Return the event of each (episode, step), or -1."""
    width = int(max(pressed.max(initial=0), step.max(initial=0))) + 1
    have, want = place * width + pressed, episode * width + step
    order = np.argsort(have, kind="stable")
    if not len(order):
        return np.full(len(want), -1, np.int64)
    found = order[np.minimum(np.searchsorted(have, want, sorter=order), len(order) - 1)]
    return np.where(have[found] == want, rows[found], -1)


def _next_act(act: Array, place: Array, at: Array) -> Array:
    """Return the kind of the first act after each event, in the same episode."""
    acting = np.flatnonzero(act >= 0)
    after = np.searchsorted(acting, at, side="right")
    end = ACTS.index("end")
    if not len(acting):
        return np.full(len(at), end, np.int64)
    row = acting[np.minimum(after, len(acting) - 1)]
    same = (after < len(acting)) & (place[row] == place[at])
    return np.where(same, act[row], end)


def kept(pages: Pages, steps: Array) -> Array:
    """Return bool[rows]: the rows of the steps for which `steps` is true."""
    rows: Array = np.repeat(steps, pages.candidates)
    return rows


def tasks(pages: Pages, steps: Iterable[int]) -> list[str]:
    """Return the names of the steps' tasks."""
    return [pages.texts[pages.task[pages.episode[step]]] for step in steps]
