"""Where each candidate stands in the course of the episode: what was pressed, appeared, remains.

A named candidate is one whose whole text the instruction has; it is open while its widget is
neither pressed nor ticked. Uses only what lies before the press.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel, part
from overt.models.elements import matching
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

ROW = (
    "times_pressed",
    "widget_pressed",
    "is_last",
    "is_last_widget",
    "same_kind_as_last",
    "same_tag_as_last",
    "dx_last",
    "dy_last",
    "places_after_last",
    "is_new",
    "value_changed",
    "kind_rank",
    "kind_count",
    "kind_places_after_last",
    "named_above",
    "named_below",
    "named_dy",
    "widget_size",
    "widget_place",
    "open",
    "open_place",
    "open_order",
    "open_next_place",
    "open_next_order",
    "open_nearest",
    "amount_off",
    "steps_on_page",
    "is_second_last",
    "repeats_pattern",
)
STEP = (
    "step",
    "candidates",
    "open_count",
    "named_count",
    "keys",
    "sending_keys",
    "scrolls",
    "keys_so_far",
    "new_count",
    "empty_fields",
    "filled_fields",
    "months_off",
    "presses_same_in_row",
    "instruction_words",
    "amount_first",
    "amount_second",
    "page_changed",
)
NAMES = ROW + STEP
AT = {name: place for place, name in enumerate(NAMES)}
FAR = 99.0
"""Stands for "there is none" where a distance would stand."""


def followed(pages: Pages, words: Words, match: Array, kind: Array) -> Array:
    """Return float32[rows, len(NAMES)]; `kind` is int32[rows], alike elements share a number."""
    out = np.zeros((len(pages.text), len(NAMES)), np.float32)
    last = last_rows(pages)
    _rows(
        out,
        pages.first,
        pages.episode,
        pages.target,
        last,
        (pages.ref, pages.group, pages.tag, kind, pages.value),
        pages.box,
        match,
        tuple(np.zeros((5, 1 + max(pages.ref.max(initial=0), pages.group.max(initial=0))), int)),
    )
    _amounts(out, pages.first, pages.utterance[pages.episode], pages.text, pages.value,
             words.start, words.word, words.amount)  # fmt: skip
    steps = _steps(pages, words, match, out, last)
    out[:, len(ROW) :] = np.repeat(steps, pages.candidates, axis=0)
    return out


def last_rows(pages: Pages) -> Array:
    """Return int64[steps, 2]: rows pressed last and before that in the same episode, or -1."""
    last = np.full((pages.steps, 2), -1, np.int64)
    one = two = episode = -1
    for step in range(pages.steps):
        if pages.episode[step] != episode:
            one = two = -1
            episode = pages.episode[step]
        last[step] = one, two
        if pages.target[step] >= 0:
            one, two = pages.target[step], one
    return last


@kernel
def _rows(
    out: Any,
    first: Any,
    episode: Any,
    target: Any,
    last: Any,
    marks: Any,
    box: Any,
    match: Any,
    memory: Any,
) -> Any:
    """Go through the steps; `memory` is five int64 for each element or widget, at first 0."""
    ref, group, tag, kind, value = marks
    pressed, widget, seen, born, held = memory
    began = 0
    for step in range(len(first) - 1):
        low, high = first[step], first[step + 1]
        if step == 0 or episode[step] != episode[step - 1]:
            for mine in range(len(seen)):
                pressed[mine], widget[mine], seen[mine] = 0, 0, -1
            began = step
        one, two = last[step, 0], last[step, 1]
        # A bare -1 would be a type of its own: what takes it would be compiled twice.
        place: Any = np.int64(-1)
        for row in range(low, high):
            if one >= 0 and ref[row] == ref[one]:
                place = row
        for row in range(low, high):
            mine = ref[row]
            out[row, 0] = pressed[mine]
            out[row, 1] = widget[group[row]]
            if one >= 0:
                out[row, 2] = mine == ref[one]
                out[row, 3] = group[row] == group[one]
                out[row, 4] = kind[row] == kind[one]
                out[row, 5] = tag[row] == tag[one]
                out[row, 6] = _middle(box, row, 0) - _middle(box, one, 0)
                out[row, 7] = _middle(box, row, 1) - _middle(box, one, 1)
                out[row, 8] = row - place if place >= 0 else 99
            else:
                out[row, 8] = 99
            fresh = seen[mine] != step - 1 and step > began
            out[row, 9] = fresh
            out[row, 10] = not fresh and step > began and held[mine] != value[row]
            if seen[mine] != step - 1:
                born[mine] = step
            out[row, 26] = min(step - born[mine], 9)
            out[row, 27] = two >= 0 and mine == ref[two]
        for row in range(low, high):
            seen[ref[row]] = step
            held[ref[row]] = value[row]
        _alike(out, low, high, kind, group, place)
        _near_named(out, low, high, box, match)
        _open(out, low, high, group, box, match, one, place)
        if one >= 0 and two >= 0:
            _pattern(out, low, high, box, one, two, kind)
        if target[step] >= 0:
            pressed[ref[target[step]]] += 1
            widget[group[target[step]]] += 1


@part
def _middle(box: Any, row: Any, side: Any) -> Any:
    return box[row, side] + box[row, side + 2] / 2


@part
def _alike(out: Any, low: Any, high: Any, kind: Any, group: Any, place: Any) -> Any:
    """Number the candidates of one kind, and the parts of one widget, in reading order."""
    for row in range(low, high):
        rank, count, part, size, passed = 0, 0, 0, 0, 0
        for other in range(low, high):
            if kind[other] == kind[row]:
                count += 1
                rank += other < row
                if place >= 0:
                    passed += other <= place
            if group[other] == group[row]:
                size += 1
                part += other < row
        out[row, 11], out[row, 12] = rank, count
        out[row, 13] = rank - passed if place >= 0 else 99
        out[row, 17], out[row, 18] = size, part


@part
def _near_named(out: Any, low: Any, high: Any, box: Any, match: Any) -> Any:
    """Say how far the nearest named candidates before and after stand, in places and in px."""
    above = -1
    for row in range(low, high):
        out[row, 14] = row - above if above >= 0 else 99
        if match[row, 0] >= 0 and match[row, 2] >= 2:
            above = row
    below = -1
    for row in range(high - 1, low - 1, -1):
        out[row, 15] = below - row if below >= 0 else 99
        if match[row, 0] >= 0 and match[row, 2] >= 2:
            below = row
    for row in range(low, high):
        nearest = 999.0
        for other in range(low, high):
            if other != row and match[other, 0] >= 0 and match[other, 2] >= 2:
                off = _middle(box, row, 1) - _middle(box, other, 1)
                if abs(off) < abs(nearest):
                    nearest = off
        out[row, 16] = nearest


@part
def _open(
    out: Any, low: Any, high: Any, group: Any, box: Any, match: Any, one: Any, place: Any
) -> Any:
    """Order the open candidates: by place on the page, in the instruction, by way from the last."""
    for row in range(low, high):
        out[row, 19] = (
            match[row, 0] >= 0 and match[row, 2] >= 1 and out[row, 1] == 0 and match[row, 9] != 3
        )
        for column in range(20, 25):
            out[row, column] = 99
    for row in range(low, high):
        if out[row, 19] == 0:
            continue
        before, sooner, nearer = 0, 0, 0
        next_place, next_order = 0, 0
        way = _way(box, row, one)
        for other in range(low, high):
            if out[other, 19] == 0 or group[other] == group[row]:
                continue
            before += other < row
            sooner += match[other, 0] < match[row, 0]
            next_place += place >= 0 and place < other < row
            if one >= 0:
                next_order += match[one, 0] < match[other, 0] < match[row, 0]
                nearer += _way(box, other, one) < way
        out[row, 20], out[row, 21] = before, sooner
        if place >= 0:
            out[row, 22] = next_place if row > place else 50 + before
        if one >= 0:
            out[row, 23] = next_order if match[row, 0] > match[one, 0] else 50 + sooner
            out[row, 24] = nearer


@part
def _way(box: Any, row: Any, one: Any) -> Any:
    if one < 0:
        return 0.0
    dx = _middle(box, row, 0) - _middle(box, one, 0)
    dy = _middle(box, row, 1) - _middle(box, one, 1)
    return dx * dx + dy * dy


@part
def _pattern(out: Any, low: Any, high: Any, box: Any, one: Any, two: Any, kind: Any) -> Any:
    """Mark what lies from the last press as that lay from the one before, and is of its kind."""
    dx = _middle(box, one, 0) - _middle(box, two, 0)
    dy = _middle(box, one, 1) - _middle(box, two, 1)
    for row in range(low, high):
        ax = _middle(box, row, 0) - _middle(box, one, 0)
        ay = _middle(box, row, 1) - _middle(box, one, 1)
        if abs(ax - dx) <= 6 and abs(ay - dy) <= 6 and kind[row] == kind[one]:
            out[row, 28] = 1


@kernel
def _amounts(
    out: Any, first: Any, utterance: Any, text: Any, value: Any, start: Any, word: Any, amount: Any
) -> Any:
    """Say how far a number shown beside a candidate is from the one the instruction wants there.

    The wanted number is the one whose words before it in the instruction stand in the texts before
    the candidate, or else the only one that the instruction has.
    """
    for step in range(len(first) - 1):
        low, high = first[step], first[step + 1]
        u0, u1 = start[utterance[step]], start[utterance[step] + 1]
        only, count = -1, 0
        for at in range(u0, u1):
            if amount[word[at]] >= 0:
                only = amount[word[at]]
                count += 1
        for row in range(low, high):
            out[row, 25] = 99
            if count == 0 or high - low > 200:
                continue
            shown = -1
            for other in range(max(low, row - 1), min(high, row + 2)):
                for text_or_value in (text[other], value[other]):
                    t0 = start[text_or_value]
                    if start[text_or_value + 1] - t0 == 1 and amount[word[t0]] >= 0:
                        shown = amount[word[t0]]
            if shown < 0:
                continue
            wanted = only if count == 1 else -1
            for at in range(u0, u1):
                if amount[word[at]] < 0:
                    continue
                for other in range(max(low, row - 4), row):
                    for word_at in range(start[text[other]], start[text[other] + 1]):
                        if (at > u0 and word[at - 1] == word[word_at]) or (
                            at > u0 + 1 and word[at - 2] == word[word_at]
                        ):
                            wanted = amount[word[at]]
            if wanted >= 0:
                out[row, 25] = max(-20, min(20, wanted - shown))


def _steps(pages: Pages, words: Words, match: Array, out: Array, last: Array) -> Array:
    """Return float32[steps, len(STEP)]: what holds for the page as a whole."""
    steps = np.zeros((pages.steps, len(STEP)), np.float32)
    at = {name: place for place, name in enumerate(STEP)}
    begins = np.searchsorted(pages.episode, pages.episode)
    first = pages.first[:-1]
    state = match[:, matching.AT["value_state"]]

    def summed(flags: Array) -> Array:
        return np.add.reduceat(flags.astype(np.float32), first)

    keys = pages.typed[:, 0]
    before = np.concatenate([[0], np.cumsum(keys)])
    steps[:, at["step"]] = np.minimum(np.arange(pages.steps) - begins, 30)
    steps[:, at["candidates"]] = pages.candidates
    whole = out[:, AT["widget_place"]] == 0
    steps[:, at["open_count"]] = summed((out[:, AT["open"]] > 0) & whole)
    steps[:, at["named_count"]] = summed((match[:, matching.AT["named_at"]] >= 0) & whole)
    steps[:, at["keys"] : at["keys"] + 3] = np.minimum(pages.typed, 50)
    steps[:, at["keys_so_far"]] = np.minimum(before[1:] - before[begins], 99)
    steps[:, at["new_count"]] = summed(out[:, AT["is_new"]] > 0)
    steps[:, at["empty_fields"]] = summed(state == matching.EMPTY)
    steps[:, at["filled_fields"]] = summed(state == matching.FILLED)
    steps[:, at["months_off"]] = months_off(pages, words)
    lengths = np.diff(words.start)[pages.utterance]
    steps[:, at["instruction_words"]] = lengths[pages.episode]
    amounts = _first_amounts(pages, words)[pages.episode]
    steps[:, at["amount_first"]], steps[:, at["amount_second"]] = amounts.T
    same = np.zeros(pages.steps)
    for step in range(1, pages.steps):
        one, two = last[step]
        if one >= 0 and two >= 0 and pages.ref[one] == pages.ref[two]:
            same[step] = same[step - 1] + 1
    steps[:, at["presses_same_in_row"]] = np.minimum(same, 9)
    grew = np.diff(pages.candidates, prepend=0)
    steps[:, at["page_changed"]] = np.where(begins == np.arange(pages.steps), 0, grew)
    return steps


def _first_amounts(pages: Pages, words: Words) -> Array:
    found = np.full((len(pages.utterance), 2), -1.0, np.float32)
    for place, text in enumerate(pages.utterance):
        amounts = words.amount[words.word[words.start[text] : words.start[text + 1]]]
        amounts = amounts[amounts >= 0][:2]
        found[place, : len(amounts)] = np.minimum(amounts, 9999)
    return found


def months_off(pages: Pages, words: Words) -> Array:
    """Return float32[steps]: months from the one shown to the one wanted; `FAR` where unknown."""
    dates = matching.wanted_dates(pages, words)[pages.episode]
    out = np.full(pages.steps, FAR, np.float32)
    _months(out, pages.first, dates, pages.text, words.start, words.word, words.month, words.amount)
    return out


@kernel
def _months(
    out: Any, first: Any, dates: Any, text: Any, start: Any, word: Any, month: Any, amount: Any
) -> Any:
    for step in range(len(first) - 1):
        if dates[step, 1] == 0:
            continue
        shown, year = 0, 0
        for row in range(first[step], first[step + 1]):
            for at in range(start[text[row]], start[text[row] + 1]):
                if shown == 0 and month[word[at]] > 0:
                    shown = month[word[at]]
                if shown > 0 and year == 0 and 1900 <= amount[word[at]] <= 2100:
                    year = amount[word[at]]
        if shown == 0:
            continue
        off = dates[step, 1] - shown
        if year > 0 and dates[step, 0] > 0:
            off += 12 * (dates[step, 0] - year)
        out[step] = max(-24, min(24, off))
