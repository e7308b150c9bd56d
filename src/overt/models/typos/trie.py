"""The words near to what was typed: all within so many edits, in the costs of the error channel.

Two measures, as one is quick and the other right. A walk over a trie of the vocabulary counts edits
in the bits of a few numbers (after Wu & Manber, Fast text searching allowing errors, CACM 1992),
and leaves a branch that holds nothing near enough by one jump. Only of the words it meets is the
cost computed that the channel asks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from overt.features.kernel import kernel
from overt.models.tensors import Array
from overt.models.typos.channel import Edits
from overt.models.typos.letters import CODES, codes

LETTERS_MAX = 40
"""Longest word that is looked at; longer ones are left as they are."""

TYPED_MAX = 60
"""Longest token that is looked at: a state of the walk is a bit of 64."""

EDITS_MIN, EDITS_MAX = 2, 4
"""Words are looked for one edit further than the nearest is, within these; a channel that was
fitted to worse hands than these asks for more than the first."""

GAP_NATS = 9.0
"""Words that cost so much more than the best are left out: 1 in 8,000."""


class Trie(NamedTuple):
    """The words of a vocabulary; all but `prior` are per node, as a depth-first walk meets them."""

    letter: Array
    depth: Array
    after: Array
    """The node to go on with when the branch is left."""
    word: Array
    """The number of the word that ends here, or -1."""
    prior: Array
    """Prior cost of each word."""


def trie(words: tuple[str, ...], prior: Array) -> Trie:
    """Build the trie of sorted `words`, where word i costs `prior[i]` whatever was typed."""
    letter: list[int] = []
    depth: list[int] = []
    word: list[int] = []
    after: list[int] = []
    path: list[int] = []
    before = ""
    for number, text in enumerate(words):
        if not 0 < len(text) <= LETTERS_MAX:
            continue
        common = 0
        for one, other in zip(before, text, strict=False):
            if one != other:
                break
            common += 1
        for node in path[common:]:
            after[node] = len(letter)
        del path[common:]
        for place, code in enumerate(codes(text)[common:].tolist(), common + 1):
            path.append(len(letter))
            letter.append(code)
            depth.append(place)
            word.append(-1)
            after.append(-1)
        word[path[-1]] = number
        before = text
    for node in path:
        after[node] = len(letter)
    return Trie(
        np.array(letter, np.uint8),
        np.array(depth, np.int16),
        np.array(after, np.int32),
        np.array(word, np.int32),
        np.ascontiguousarray(prior, np.float64),
    )


class Costs(NamedTuple):
    """What the channel asks for the letters that were typed."""

    change: Array
    """float64[2, CODES, CODES]: the word's letter → the typed one; first index 0 at the start."""
    leave_out: Array
    """float64[CODES, CODES]: not typing a letter after the letter before it."""
    put_in: Array
    """float64[typed]: each typed letter if the word does not have it."""
    swap: float


@kernel
def _within(trie: Trie, typed: Array, edits: int, costs: Costs, found: Array, total: Array) -> int:
    """Fill `found` and `total` with the words within so many edits, cheapest first; how many.

    Bit j of `state[d, e]` says: the first d letters of the branch became the first j that were
    typed by at most e edits.
    """
    length = typed.size
    most = found.size
    where = np.zeros(CODES, np.int64)
    for j in range(length):
        where[typed[j]] |= 1 << (j + 1)
    state = np.zeros((LETTERS_MAX + 2, edits + 1), np.int64)
    for e in range(edits + 1):
        state[0, e] = (2 << e) - 1
    ends = 1 << length
    rows = np.empty((LETTERS_MAX + 2, length + 1))
    rows[0, 0] = 0.0
    for j in range(length):
        rows[0, j + 1] = rows[0, j] + costs.put_in[j]
    path = np.zeros(LETTERS_MAX + 2, np.uint8)
    done = 0  # rows up to this depth are those of the path
    count = 0
    worst = np.inf
    node = 0
    while node < trie.letter.size:
        d = trie.depth[node]
        a = trie.letter[node]
        path[d] = a
        done = min(done, d - 1)
        here = where[a]
        state[d, 0] = (state[d - 1, 0] << 1) & here
        for e in range(1, edits + 1):
            fewer = state[d - 1, e - 1]
            now = ((state[d - 1, e] << 1) & here) | (fewer << 1) | fewer
            now |= state[d, e - 1] << 1
            if d > 1:
                now |= (state[d - 2, e - 1] << 2) & (here << 1) & where[path[d - 1]]
            state[d, e] = now & (2 * ends - 1)
        if state[d, edits] == 0:
            node = trie.after[node]
            continue
        number = trie.word[node]
        if number >= 0 and state[d, edits] & ends:
            for depth in range(done + 1, d + 1):
                _row(rows, depth, path, typed, costs)
            done = d
            cost = rows[d, length] + trie.prior[number]
            if cost < worst:
                place = count if count < most else most - 1
                while place > 0 and total[place - 1] > cost:
                    total[place] = total[place - 1]
                    found[place] = found[place - 1]
                    place -= 1
                total[place] = cost
                found[place] = number
                count = min(count + 1, most)
                worst = min(worst, total[0] + GAP_NATS)
                if count == most:
                    worst = min(worst, total[most - 1])
        node += 1
    while count and total[count - 1] > total[0] + GAP_NATS:
        count -= 1
    return count


@kernel
def _row(rows: Array, d: int, path: Array, typed: Array, costs: Costs) -> None:
    """Fill row d: what it costs that the first d letters of the path became those typed."""
    a, before = path[d], path[d - 1]
    gone = costs.leave_out[before, a]
    at = 0 if d == 1 else 1
    rows[d, 0] = rows[d - 1, 0] + gone
    for j in range(1, typed.size + 1):
        t = typed[j - 1]
        cost = rows[d - 1, j - 1] + costs.change[at, a, t]
        cost = min(cost, rows[d - 1, j] + gone, rows[d, j - 1] + costs.put_in[j - 1])
        if d > 1 and j > 1 and a == typed[j - 2] and before == t and a != t:
            cost = min(cost, rows[d - 2, j - 2] + costs.swap)
        rows[d, j] = cost


@kernel
def nearest(trie: Trie, typed: Array, costs: Costs, reach: int, found: Array, total: Array) -> int:
    """Fill `found` and `total` with the words of lowest cost, best first; return how many.

    Args:
        trie: the words.
        typed: codes of what was typed.
        costs: of the channel, for what was typed.
        reach: how many edits are looked for at least.
        found: int32[most], filled with numbers of words.
        total: float64[most], filled with channel cost + prior.
    """
    edits = reach - 1
    while edits < EDITS_MAX and not _within(trie, typed, edits, costs, found[:1], total[:1]):
        edits += 1
    return _within(trie, typed, min(edits + 1, EDITS_MAX), costs, found, total)


def walk(
    trie: Trie, edits: Edits, typed: Array, most: int, reach: int = EDITS_MIN
) -> tuple[Array, Array]:
    """Return the numbers and the costs of the `most` nearest words, best first.

    Looked at are words within `reach` edits at least.
    """
    found, total = np.empty(most, np.int32), np.empty(most)
    if typed.size > TYPED_MAX:
        return found[:0], total[:0]
    costs = Costs(edits.change, edits.leave_out, edits.put_in_costs(typed), edits.swap)
    count = nearest(trie, typed, costs, reach, found, total)
    return found[:count], total[:count]
