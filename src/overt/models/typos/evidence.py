"""What speaks for each candidate: one row of numbers a word that may have been meant.

`COLUMNS` names them. Costs are minus natural logarithms. Columns that end in `_over` are over the
lowest of the list, so that a list of long words looks like one of short words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from overt.features.kernel import kernel
from overt.models.tensors import Array
from overt.models.typos import letters
from overt.models.typos.channel import Edits, Pieces, fine_cost
from overt.models.typos.trie import EDITS_MIN, Trie, trie, walk
from overt.models.typos.words import Words

CANDIDATES_MAX = 40

PRIOR_SHARE = 0.5
"""Part of a word's frequency that counts in the first search: people also mean rare words."""

COLUMNS = (
    "coarse",
    "coarse_over",
    "fine",
    "fine_over",
    "alone",
    "alone_over",
    "context",
    "context_over",
    "gain",
    "whole_over",
    "edits",
    "swaps",
    "changed_near",
    "changed_vowel",
    "changed_alike",
    "changed_other",
    "left_out_doubled",
    "left_out",
    "put_in_doubled",
    "put_in_near",
    "put_in",
    "first_differs",
    "last_differs",
    "alike_start",
    "alike_end",
    "same_consonants",
    "same_sound",
    "typed_letters",
    "more_letters",
    "typed_is_word",
    "typed_alone",
    "typed_context",
    "is_typed",
    "place",
    "candidates",
    "capital",
    "begins",
)
_FROM_KERNEL = COLUMNS.index("edits")
_KERNEL_COLUMNS = COLUMNS.index("same_sound") - _FROM_KERNEL


@dataclass(frozen=True)
class Lexicon:
    """A vocabulary made ready for the search."""

    words: Words
    trie: Trie
    flat: Array = field(repr=False)
    """uint8, the letters of all words one after the other."""
    start: Array = field(repr=False)
    """int64[words + 1], where each word begins in `flat`."""


def lexicon(words: Words) -> Lexicon:
    """Make the vocabulary ready."""
    coded = [letters.codes(word) for word in words.words]
    start = np.concatenate([[0], np.cumsum([len(code) for code in coded])]).astype(np.int64)
    return Lexicon(
        words, trie(words.words, -PRIOR_SHARE * words.log_p), np.concatenate(coded), start
    )


@dataclass(frozen=True)
class Channel:
    """Both error models, fitted to the same pairs; without `pieces` the coarse one stands alone."""

    edits: Edits
    pieces: Pieces | None = None
    reach: int = EDITS_MIN
    """How many edits to look for at least."""


@dataclass(frozen=True)
class Asked:
    """One token to judge."""

    typed: str
    """Lower case, without outer punctuation."""
    before: str = ""
    """The word before it, lower case; "" at the beginning of a sentence."""
    capital: bool = False
    """It begins with a capital that its place does not explain."""
    in_context: bool = False
    """Whether what stands before it is known at all."""


@dataclass(frozen=True)
class Evidence:
    """The candidates for one token, nearest first, and float32[candidates, COLUMNS]."""

    found: Array
    table: Array = field(repr=False)


@kernel
def _compare(
    flat: Array,
    start: Array,
    found: Array,
    typed: Array,
    near: Array,
    vowels: Array,
    alike: Array,
    out: Array,
) -> None:
    """Fill columns from `edits` on: the cheapest way from each found word to `typed`, by kind."""
    m = typed.size
    for row in range(found.size):
        meant = flat[start[found[row]] : start[found[row] + 1]]
        n = meant.size
        cost = np.zeros((n + 1, m + 1), np.int32)
        for i in range(1, n + 1):
            cost[i, 0] = i
        for j in range(1, m + 1):
            cost[0, j] = j
        for i in range(1, n + 1):
            for j in range(1, m + 1):
                least = cost[i - 1, j - 1] + (0 if meant[i - 1] == typed[j - 1] else 1)
                least = min(least, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
                if (
                    i > 1
                    and j > 1
                    and meant[i - 1] == typed[j - 2]
                    and meant[i - 2] == typed[j - 1]
                ):
                    least = min(least, cost[i - 2, j - 2] + 1)
                cost[i, j] = least
        for column in range(out.shape[1]):
            out[row, column] = 0.0
        out[row, 0] = cost[n, m]
        i, j = n, m
        while i > 0 or j > 0:
            here = cost[i, j]
            if i > 0 and j > 0 and meant[i - 1] == typed[j - 1] and cost[i - 1, j - 1] == here:
                i, j = i - 1, j - 1
            elif (
                i > 1
                and j > 1
                and meant[i - 1] == typed[j - 2]
                and meant[i - 2] == typed[j - 1]
                and cost[i - 2, j - 2] + 1 == here
            ):
                out[row, 1] += 1
                i, j = i - 2, j - 2
            elif i > 0 and j > 0 and cost[i - 1, j - 1] + 1 == here:
                a, t = meant[i - 1], typed[j - 1]
                if near[a, t]:
                    out[row, 2] += 1
                if vowels[a, t]:
                    out[row, 3] += 1
                elif alike[a, t]:
                    out[row, 4] += 1
                if not (near[a, t] or vowels[a, t] or alike[a, t]):
                    out[row, 5] += 1
                i, j = i - 1, j - 1
            elif i > 0 and cost[i - 1, j] + 1 == here:
                a = meant[i - 1]
                doubled = (i > 1 and meant[i - 2] == a) or (i < n and meant[i] == a)
                out[row, 6 if doubled else 7] += 1
                i -= 1
            else:
                t = typed[j - 1]
                before, behind = typed[j - 2] if j > 1 else 0, typed[j] if j < m else 0
                if before == t or behind == t:
                    out[row, 8] += 1
                elif near[before, t] or near[behind, t]:
                    out[row, 9] += 1
                else:
                    out[row, 10] += 1
                j -= 1
        out[row, 11] = 1.0 if n == 0 or m == 0 or meant[0] != typed[0] else 0.0
        out[row, 12] = 1.0 if n == 0 or m == 0 or meant[n - 1] != typed[m - 1] else 0.0
        shared = 0
        while shared < min(n, m) and meant[shared] == typed[shared]:
            shared += 1
        out[row, 13] = shared
        shared = 0
        while shared < min(n, m) and meant[n - 1 - shared] == typed[m - 1 - shared]:
            shared += 1
        out[row, 14] = shared
        out[row, 15] = 1.0
        i, j, last = 0, 0, 0
        while True:
            while i < n and (vowels[1, meant[i]] or meant[i] == 1 or meant[i] == last):
                i += 1
            while j < m and (vowels[1, typed[j]] or typed[j] == 1 or typed[j] == last):
                j += 1
            if i >= n or j >= m:
                if i < n or j < m:
                    out[row, 15] = 0.0
                break
            if meant[i] != typed[j]:
                out[row, 15] = 0.0
                break
            last = meant[i]
            i, j = i + 1, j + 1


@kernel
def _fine_costs(
    flat: Array,
    start: Array,
    found: Array,
    typed: Array,
    keys: Array,
    p: Array,
    keep: Array,
    out: Array,
) -> None:
    """Fill `out` with the fine channel's cost of each found word."""
    m = typed.size
    seen = np.empty(m + 2, np.uint8)
    seen[0], seen[m + 1] = 30, 31
    seen[1 : m + 1] = typed
    for row in range(found.size):
        meant = flat[start[found[row]] : start[found[row] + 1]]
        whole = np.empty(meant.size + 2, np.uint8)
        whole[0], whole[meant.size + 1] = 30, 31
        whole[1 : meant.size + 1] = meant
        out[row] = fine_cost(whole, seen, keys, p, keep)


_sound = lru_cache(200_000)(letters.sound)


def near(lexicon: Lexicon, channel: Channel, typed: str) -> Evidence:
    """Find the candidates for what was typed, wherever it stood; columns of context stay 0."""
    words, coded = lexicon.words, letters.codes(typed)
    found, total = walk(lexicon.trie, channel.edits, coded, CANDIDATES_MAX, channel.reach)
    table = np.zeros((found.size, len(COLUMNS)), np.float32)
    if not found.size:
        return Evidence(found, table)
    alone = -words.log_p[found]
    coarse = total - PRIOR_SHARE * alone
    fine = coarse
    if channel.pieces is not None:
        fine = np.empty(found.size)
        learned = channel.pieces
        _fine_costs(
            lexicon.flat,
            lexicon.start,
            found,
            coded,
            learned.keys,
            learned.p,
            learned.keep,
            fine,
        )
    texts = [words.words[number] for number in found.tolist()]
    sound = _sound(typed)
    by_name = {
        "coarse": coarse,
        "coarse_over": coarse - coarse.min(),
        "fine": fine,
        "fine_over": fine - fine.min(),
        "alone": alone,
        "alone_over": alone - alone.min(),
        "same_sound": np.array([_sound(text) == sound for text in texts]),
        "typed_letters": coded.size,
        "more_letters": lexicon.start[found + 1] - lexicon.start[found] - coded.size,
        "typed_is_word": typed in words,
        "typed_alone": words.alone(typed),
        "is_typed": np.array([text == typed for text in texts]),
        "candidates": found.size,
    }
    for name, column in by_name.items():
        table[:, COLUMNS.index(name)] = column
    compared = table[:, _FROM_KERNEL : _FROM_KERNEL + _KERNEL_COLUMNS]
    beside, vowels, alike = (letters.by_code(kind) for kind in ("neighbours", "vowels", "alike"))
    _compare(lexicon.flat, lexicon.start, found, coded, beside, vowels, alike, compared)
    return Evidence(found, table)


def place(lexicon: Lexicon, evidence: Evidence, asked: Asked) -> Evidence:
    """Return the evidence with the columns of context filled in for where the token stood."""
    words, table = lexicon.words, evidence.table.copy()
    if not evidence.found.size:
        return Evidence(evidence.found, table)
    alone = table[:, COLUMNS.index("alone")]
    context, typed_context = alone, words.alone(asked.typed)
    if asked.in_context:
        texts = [words.words[number] for number in evidence.found.tolist()]
        context = -np.array([words.after(text, asked.before) for text in texts])
        typed_context = words.after(asked.typed, asked.before)
    whole = table[:, COLUMNS.index("fine")] + context
    by_name = {
        "context": context,
        "context_over": context - context.min(),
        "gain": alone - context,
        "whole_over": whole - whole.min(),
        "typed_context": typed_context,
        "place": np.argsort(np.argsort(whole, kind="stable")),
        "capital": asked.capital,
        "begins": asked.in_context and not asked.before,
    }
    for name, column in by_name.items():
        table[:, COLUMNS.index(name)] = column
    return Evidence(evidence.found, table)


def gather(lexicon: Lexicon, channel: Channel, asked: Asked) -> Evidence:
    """Find the candidates for one token and what speaks for each."""
    return place(lexicon, near(lexicon, channel, asked.typed), asked)


def without_context(evidence: Evidence) -> Evidence:
    """Return the evidence as if nothing were known of where the token stood."""
    table = evidence.table.copy()
    if evidence.found.size:
        alone, over = table[:, COLUMNS.index("alone")], table[:, COLUMNS.index("alone_over")]
        whole = table[:, COLUMNS.index("fine")] + alone
        by_name = {
            "context": alone,
            "context_over": over,
            "gain": 0.0,
            "whole_over": whole - whole.min(),
            "typed_context": table[:, COLUMNS.index("typed_alone")],
            "place": np.argsort(np.argsort(whole, kind="stable")),
            "begins": 0.0,
        }
        for name, column in by_name.items():
            table[:, COLUMNS.index(name)] = column
    return Evidence(evidence.found, table)
