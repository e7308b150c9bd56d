"""All words near to what was typed: one walk over a trie, in the costs of the error channel.

The trie lies in arrays in the order of a depth-first walk, so that a branch that cannot hold
anything near enough is left by one jump.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from overt.features.kernel import kernel
from overt.models.tensors import Array
from overt.models.typos.channel import Edits
from overt.models.typos.letters import codes

LETTERS_MAX = 40
"""Longest word that is looked at; longer ones are left as they are."""


CHANNEL_NATS_MAX = 24.0
"""Words that cost more are not what was meant: about five edits."""

GAP_NATS = 9.0
"""Words that cost so much more than the best are left out: 1 in 8,000."""


class Trie(NamedTuple):
    """The words of a vocabulary; `letter`, `depth`, `after`, `word` and `best` are per node."""

    letter: Array
    depth: Array
    after: Array
    """The node to go on with when the branch is left."""
    word: Array
    """The number of the word that ends here, or -1."""
    best: Array
    """Lowest prior cost of any word in the branch."""
    below: Array
    """Which letters occur in the branch below the node: bit c for code c."""
    prior: Array
    """Prior cost of each word."""


def trie(words: tuple[str, ...], prior: Array) -> Trie:
    """Build the trie of sorted `words`, where word i costs `prior[i]` whatever was typed."""
    letter: list[int] = []
    depth: list[int] = []
    word: list[int] = []
    best: list[float] = []
    after: list[int] = []
    below: list[int] = []
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
            best.append(np.inf)
            after.append(-1)
            below.append(0)
        word[path[-1]] = number
        cost = float(prior[number])
        mask = 0
        for node in reversed(path):
            best[node] = min(best[node], cost)
            below[node] |= mask
            mask |= 1 << letter[node]
        before = text
    for node in path:
        after[node] = len(letter)
    return Trie(
        np.array(letter, np.uint8),
        np.array(depth, np.int16),
        np.array(after, np.int32),
        np.array(word, np.int32),
        np.array(best),
        np.array(below, np.int64),
        np.ascontiguousarray(prior, np.float64),
    )


@kernel
def nearest(
    trie: Trie,
    typed: Array,
    change: Array,
    leave_out: Array,
    put_in: Array,
    wrong: Array,
    swap: float,
    limit: float,
    worst: float,
    gap: float,
    found: Array,
    costs: Array,
) -> int:
    """Fill `found` and `costs` with the words of lowest cost, best first; return how many.

    Args:
        trie: the words.
        typed: codes of what was typed.
        change: float64[2, CODES, CODES], cost of the word's letter → the typed one; 0 at the start.
        leave_out: float64[CODES, CODES], cost of not typing a letter after the letter before it.
        put_in: float64[typed], cost of each typed letter if the word does not have it.
        wrong: float64[typed], least cost of each typed letter if the word goes on without it.
        swap: cost of two letters in the wrong order.
        limit: highest cost that is of interest, without the prior.
        worst: highest cost that is of interest, with the prior.
        gap: how much more than the best a word may cost.
        found: int32[most], filled with numbers of words.
        costs: float64[most], filled with channel cost + prior.
    """
    length = typed.size
    most = found.size
    rows = np.empty((42, length + 1))
    lows = np.empty(42)
    path = np.zeros(42, np.uint8)
    count = 0
    rows[0, 0] = 0.0
    for j in range(length):
        rows[0, j + 1] = rows[0, j] + put_in[j]
    lows[0] = 0.0
    node = 0
    while node < trie.letter.size:
        d = trie.depth[node]
        a = trie.letter[node]
        path[d] = a
        at = 0 if d == 1 else 1
        gone = leave_out[path[d - 1], a]
        rows[d, 0] = rows[d - 1, 0] + gone
        for j in range(1, length + 1):
            t = typed[j - 1]
            cost = rows[d - 1, j - 1] + change[at, a, t]
            other = rows[d - 1, j] + gone
            if other < cost:
                cost = other
            other = rows[d, j - 1] + put_in[j - 1]
            if other < cost:
                cost = other
            if d > 1 and j > 1 and a == typed[j - 2] and path[d - 1] == t and a != t:
                other = rows[d - 2, j - 2] + swap
                if other < cost:
                    cost = other
            rows[d, j] = cost
        mask = trie.below[node]
        low = rows[d, length]
        rest = 0.0
        for j in range(length - 1, -1, -1):
            if not (mask >> typed[j]) & 1:
                rest += wrong[j]
            if rows[d, j] + rest < low:
                low = rows[d, j] + rest
        lows[d] = low
        least = min(low, lows[d - 1] + swap)
        if least > limit or least + trie.best[node] >= worst:
            node = trie.after[node]
            continue
        number = trie.word[node]
        if number >= 0 and rows[d, length] <= limit:
            cost = rows[d, length] + trie.prior[number]
            if cost < worst:
                place = count if count < most else most - 1
                while place > 0 and costs[place - 1] > cost:
                    costs[place] = costs[place - 1]
                    found[place] = found[place - 1]
                    place -= 1
                costs[place] = cost
                found[place] = number
                if count < most:
                    count += 1
                if place == 0:
                    worst = min(worst, cost + gap)
                if count == most:
                    worst = min(worst, costs[most - 1])
        node += 1
    return count


def walk(trie: Trie, edits: Edits, typed: Array, most: int) -> tuple[Array, Array]:
    """Return the numbers and the costs of the `most` nearest words, best first."""
    found, costs = np.empty(most, np.int32), np.empty(most)
    put_in = edits.put_in_costs(typed)
    wrong = np.minimum(put_in, edits.least_change[typed])
    count = nearest(
        trie,
        typed,
        edits.change,
        edits.leave_out,
        put_in,
        wrong,
        edits.swap,
        CHANNEL_NATS_MAX,
        np.inf,
        GAP_NATS,
        found,
        costs,
    )
    while count and costs[count - 1] > costs[0] + GAP_NATS:
        count -= 1
    return found[:count], costs[:count]
