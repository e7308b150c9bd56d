"""How the words of each candidate agree with the words of the instruction.

Nothing here is learned and nothing knows which candidate was pressed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel, part
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

NAMES = (
    "named_at",
    "named_words",
    "named_letters",
    "text_words",
    "text_shared",
    "text_prefix",
    "quoted",
    "number_at",
    "amount",
    "value_state",
    "value_shared",
    "value_named",
    "name_shared",
    "day_wanted",
    "cut_off",
)
"""Columns of `matched`.

`named_at`: first word of the instruction where the whole text stands, −1 if nowhere; `text_prefix`:
how many of its first words stand there in a row; `cut_off`: it stands there but for the end of its
last word (texts are shortened on small pages); `quoted`: it is all of one quotation;
`number_at`: which of the instruction's numbers it is; `value_state`: 0 no value, 1 empty,
2 unticked, 3 ticked, 4 filled; `name_shared`: share of the words in class and id that the
instruction has;
`day_wanted`: it is the day of the date in the instruction.
"""
AT = {name: place for place, name in enumerate(NAMES)}
NO_VALUE, EMPTY, UNTICKED, TICKED, FILLED = range(5)
YEAR_MIN, YEAR_MAX = 1900, 2100


def matched(pages: Pages, words: Words) -> Array:
    """Return float32[rows, len(NAMES)]."""
    out = np.zeros((len(pages.text), len(NAMES)), np.float32)
    lengths = np.array([len(text) for text in pages.texts], np.int64)
    states = np.array([_state(text) for text in pages.texts], np.int64)
    dates = wanted_dates(pages, words)
    _match(
        out,
        pages.first,
        pages.utterance[pages.episode],
        dates[pages.episode],
        pages.text,
        pages.value,
        pages.classes,
        pages.id,
        np.where(pages.has_value, states[pages.value], NO_VALUE),
        lengths,
        (words.start, words.word, words.quote, words.amount),
        (words.letters, words.letter_start),
    )
    return out


def _state(value: str) -> int:
    return {"": EMPTY, "False": UNTICKED, "True": TICKED}.get(value, FILLED)


def wanted_dates(pages: Pages, words: Words) -> Array:
    """Return int64[episodes, 3]: year, month and day an instruction names; 0 where it does not.

    `month/day/year` and `year-month-day`, the two orders that the year's place tells apart, or a
    month's name before a day.
    """
    wanted = np.zeros((len(pages.utterance), 3), np.int64)
    for place, text in enumerate(pages.utterance):
        run = words.word[words.start[text] : words.start[text + 1]]
        wanted[place] = _date(words.amount[run], words.month[run])
    return wanted


def _date(amounts: Array, months: Array) -> tuple[int, int, int]:
    for at in range(len(amounts) - 2):
        one, two, three = amounts[at : at + 3].tolist()
        if YEAR_MIN <= three <= YEAR_MAX and 1 <= one <= 12 and 1 <= two <= 31:
            return three, one, two
        if YEAR_MIN <= one <= YEAR_MAX and 1 <= two <= 12 and 1 <= three <= 31:
            return one, two, three
    for at in np.flatnonzero(months[:-1]).tolist():
        if 1 <= amounts[at + 1] <= 31:
            return 0, int(months[at]), int(amounts[at + 1])
    return 0, 0, 0


@kernel
def _match(
    out: Any,
    first: Any,
    utterance: Any,
    dates: Any,
    text: Any,
    value: Any,
    classes: Any,
    ident: Any,
    state: Any,
    lengths: Any,
    runs: Any,
    spelt: Any,
) -> Any:
    start, word, quote, amount = runs
    for step in range(len(first) - 1):
        u0, u1 = start[utterance[step]], start[utterance[step] + 1]
        for row in range(first[step], first[step + 1]):
            t0, t1 = start[text[row]], start[text[row] + 1]
            at, prefix, cut = _stands(word, u0, u1, t0, t1, spelt)
            count = t1 - t0
            out[row, 0] = at
            out[row, 1] = count if at >= 0 else 0
            out[row, 2] = lengths[text[row]] if at >= 0 else 0
            out[row, 3] = count
            out[row, 4] = _shared(word, u0, u1, t0, t1)
            out[row, 5] = prefix
            out[row, 6] = at >= 0 and _all_of_quote(quote, u0, u1, u0 + at, count)
            out[row, 7] = -1
            out[row, 8] = -1
            if count == 1 and amount[word[t0]] >= 0:
                out[row, 8] = min(amount[word[t0]], 9999)
                out[row, 7] = _number_at(word, amount, u0, u1, word[t0])
                out[row, 13] = dates[step, 2] > 0 and amount[word[t0]] == dates[step, 2]
            out[row, 9] = state[row]
            if state[row] == 4:
                v0, v1 = start[value[row]], start[value[row] + 1]
                out[row, 10] = _shared(word, u0, u1, v0, v1)
                out[row, 11] = _stands(word, u0, u1, v0, v1, spelt)[0] >= 0
            names = _shared(word, u0, u1, start[classes[row]], start[classes[row] + 1])
            out[row, 12] = max(
                names, _shared(word, u0, u1, start[ident[row]], start[ident[row] + 1])
            )
            out[row, 14] = cut


@kernel
def _stands(word: Any, u0: Any, u1: Any, t0: Any, t1: Any, spelt: Any) -> Any:
    """Return where the run stands, its longest first part that does, and if it is cut off."""
    letters, letter_start = spelt
    best, cut = 0, False
    if t1 == t0:
        return -1, 0, False
    for at in range(u0, u1):
        same = 0
        while same < t1 - t0 and at + same < u1 and word[at + same] == word[t0 + same]:
            same += 1
        if same == t1 - t0:
            return at - u0, same, False
        if same == t1 - t0 - 1 and at + same < u1:
            cut |= _begins(letters, letter_start, word[at + same], word[t1 - 1])
        best = max(best, same)
    return -1, best, cut


@part
def _begins(letters: Any, letter_start: Any, whole: Any, part: Any) -> Any:
    length = letter_start[part + 1] - letter_start[part]
    if length < 2 or length > letter_start[whole + 1] - letter_start[whole]:
        return False
    for at in range(length):
        if letters[letter_start[part] + at] != letters[letter_start[whole] + at]:
            return False
    return True


@part
def _shared(word: Any, u0: Any, u1: Any, t0: Any, t1: Any) -> Any:
    if t1 == t0:
        return 0.0
    hits = 0
    for at in range(t0, t1):
        for other in range(u0, u1):
            if word[other] == word[at]:
                hits += 1
                break
    return hits / (t1 - t0)


@part
def _all_of_quote(quote: Any, u0: Any, u1: Any, at: Any, count: Any) -> Any:
    number = quote[at]
    if number == 0 or quote[at + count - 1] != number:
        return False
    before = at > u0 and quote[at - 1] == number
    after = at + count < u1 and quote[at + count] == number
    return not before and not after


@part
def _number_at(word: Any, amount: Any, u0: Any, u1: Any, wanted: Any) -> Any:
    seen = 0
    for at in range(u0, u1):
        if word[at] == wanted:
            return seen
        if amount[word[at]] >= 0:
            seen += 1
    return -1
