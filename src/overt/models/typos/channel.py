"""The error channel: how likely a hand that means one word types another.

Two models, coarse and fine, both fitted by aligning pairs (typed, meant):

- `Edits`: one letter at a time (changed, left out, put in) and two swapped, with the neighbouring
  letter as context. Cheap enough to walk the whole vocabulary with. Without pairs it is a prior
  from keyboard geometry, vowels and sounds.
- `Pieces`: pieces of up to three letters become pieces of up to three letters (after Brill & Moore,
  An improved error model for noisy channel spelling correction, ACL 2000): `ph` → `f`, `ant` →
  `ent`. Beginning and end of the word are letters too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.features.kernel import kernel
from overt.models.tensors import Array
from overt.models.typos.letters import CODES, END, START, by_code, codes

PIECE_MAX = 3
PRIOR_WEIGHT = 30.0
"""Pairs that the prior of one letter is worth."""

ROUNDS = 3
"""Rounds of aligning and counting; the costs no longer move after them."""

Pair = tuple[str, str]
"""(typed, meant), lower case."""


@dataclass(frozen=True)
class Edits:
    """Costs in nats (minus ln of a probability) of single edits."""

    change: Array = field(repr=False)
    """float64[2, CODES, CODES]: the word's letter → the typed one; first index 0 at the start."""
    leave_out: Array = field(repr=False)
    """float64[CODES, CODES]: letter before, letter left out."""
    put_in: Array = field(repr=False)
    """float64[CODES, CODES]: neighbour among what was typed, letter put in."""
    swap: float

    def put_in_costs(self, typed: Array) -> Array:
        """Return the cost of each typed letter if nobody meant it: even mix of its neighbours."""
        before = np.concatenate([[START], typed[:-1]])
        behind = np.concatenate([typed[1:], [END]])
        mixed = np.logaddexp(-self.put_in[before, typed], -self.put_in[behind, typed])
        return np.asarray(np.log(2.0) - mixed)


def _prior() -> tuple[Array, Array, Array, float]:
    """Return probabilities of a hand nobody has watched yet: (change, leave out, put in, swap)."""
    near, vowels, alike = (by_code(kind) for kind in ("neighbours", "vowels", "alike"))
    change = 0.0002 + 0.004 * near + 0.006 * vowels + 0.004 * alike
    change[:, 0] = change[0] = 0.0
    both = np.stack([change * 0.4, change])
    for at in (0, 1):
        np.fill_diagonal(both[at], 0.0)
        np.fill_diagonal(both[at], 0.97 - both[at].sum(axis=1))
    leave_out = np.full((CODES, CODES), 0.01)
    np.fill_diagonal(leave_out, 0.05)
    put_in = 0.0003 + 0.002 * near
    np.fill_diagonal(put_in, 0.01)
    return both, leave_out, put_in, 0.005


@kernel
def align(
    meant: Array,
    typed: Array,
    change: Array,
    leave_out: Array,
    put_in: Array,
    swap: float,
    steps: Array,
) -> int:
    """Fill `steps` with the cheapest way from `meant` to `typed`, last first; return its length.

    A step is (letters of `meant`, letters of `typed`): (1, 1), (1, 0), (0, 1) or (2, 2).
    """
    n, m = meant.size, typed.size
    cost = np.empty((n + 1, m + 1))
    way = np.zeros((n + 1, m + 1), np.int8)
    cost[0, 0] = 0.0
    for i in range(n + 1):
        for j in range(m + 1):
            if i == 0 and j == 0:
                continue
            low = np.inf
            if i > 0 and j > 0:
                low = cost[i - 1, j - 1] + change[0 if i == 1 else 1, meant[i - 1], typed[j - 1]]
                way[i, j] = 0
            if i > 0:
                before = meant[i - 2] if i > 1 else 0
                other = cost[i - 1, j] + leave_out[before, meant[i - 1]]
                if other < low:
                    low = other
                    way[i, j] = 1
            if j > 0:
                other = cost[i, j - 1] + put_in[j - 1]
                if other < low:
                    low = other
                    way[i, j] = 2
            if i > 1 and j > 1 and meant[i - 1] == typed[j - 2] and meant[i - 2] == typed[j - 1]:
                other = cost[i - 2, j - 2] + swap
                if other < low and meant[i - 1] != meant[i - 2]:
                    low = other
                    way[i, j] = 3
            cost[i, j] = low
    i, j, count = n, m, 0
    while i > 0 or j > 0:
        step = way[i, j]
        a = 2 if step == 3 else (0 if step == 2 else 1)
        b = 2 if step == 3 else (0 if step == 1 else 1)
        steps[count, 0] = a
        steps[count, 1] = b
        i -= a
        j -= b
        count += 1
    return count


def ways(edits: Edits, meant: Array, typed: Array) -> list[tuple[int, int]]:
    """Return the cheapest way from `meant` to `typed`: steps as in `align`, first one first."""
    steps = np.zeros((meant.size + typed.size + 1, 2), np.int8)
    put_in = edits.put_in_costs(typed)
    count = align(meant, typed, edits.change, edits.leave_out, put_in, edits.swap, steps)
    return [(int(a), int(b)) for a, b in steps[:count][::-1]]


def changes(edits: Edits, pair: Pair) -> int:
    """Return how many edits made the first of a pair out of the second."""
    typed, meant = (codes(word) for word in pair)
    made = i = j = 0
    for a, b in ways(edits, meant, typed):
        made += not (a == b == 1 and meant[i] == typed[j])
        i, j = i + a, j + b
    return made


def edits(pairs: Sequence[Pair] = ()) -> Edits:
    """Fit the coarse channel to pairs (typed, meant); without pairs it is the prior."""
    change, leave_out, put_in, swap = _prior()
    priors = change, leave_out, put_in, swap
    coded = [(codes(meant), codes(typed)) for typed, meant in pairs if typed and meant]
    made = _costs(*priors)
    for _ in range(ROUNDS if coded else 0):
        counted = _counted(made, coded)
        made = _costs(*_mixed(priors, counted))
    return made


def of_counts(change: Array, leave_out: Array, put_in: Array, swaps: float) -> Edits:
    """Return the channel of counts that were made elsewhere, with the prior mixed in.

    `change` float64[2, CODES, CODES], `leave_out` and `put_in` float64[CODES, CODES], as in
    `Edits`; what is put in counts one half for each neighbour.
    """
    return _costs(*_mixed(_prior(), (change, leave_out, put_in, swaps)))


def _costs(change: Array, leave_out: Array, put_in: Array, swap: float) -> Edits:
    def nats(p: Array) -> Array:
        return -np.log(np.maximum(p, 1e-7))

    return Edits(nats(change), nats(leave_out), nats(put_in), float(-np.log(swap)))


def _counted(edits: Edits, coded: Sequence[tuple[Array, Array]]) -> tuple[Array, Array, Array, int]:
    change = np.zeros((2, CODES, CODES))
    leave_out, put_in = np.zeros((CODES, CODES)), np.zeros((CODES, CODES))
    swaps = 0
    for meant, typed in coded:
        i = j = 0
        for a, b in ways(edits, meant, typed):
            if a == b == 1:
                change[0 if i == 0 else 1, meant[i], typed[j]] += 1
            elif a == 2:
                swaps += 1
            elif a:
                leave_out[meant[i - 1] if i else 0, meant[i]] += 1
            else:
                put_in[typed[j - 1] if j else START, typed[j]] += 0.5
                put_in[typed[j + 1] if j + 1 < typed.size else END, typed[j]] += 0.5
            i, j = i + a, j + b
    return change, leave_out, put_in, swaps


def _mixed(
    priors: tuple[Array, Array, Array, float], counted: tuple[Array, Array, Array, float]
) -> tuple[Array, Array, Array, float]:
    """Return probabilities: counts over how often a letter was meant, with the prior mixed in."""
    change, leave_out, put_in, swaps = counted
    meant = change.sum(axis=(0, 2)) + leave_out.sum(axis=0)
    new_change = (change + PRIOR_WEIGHT * priors[0]) / (change.sum(axis=2) + PRIOR_WEIGHT)[
        :, :, None
    ]
    by_letter = (leave_out.sum(axis=0) + PRIOR_WEIGHT * priors[1].mean(axis=0)) / (
        meant + PRIOR_WEIGHT
    )
    # How often each pair of letters was meant is not counted: it is taken to be what two letters
    # of these frequencies would give.
    pairs = np.maximum(np.outer(meant, meant) / max(meant.sum(), 1.0), 1.0)
    new_leave = (leave_out + PRIOR_WEIGHT * by_letter) / (pairs + PRIOR_WEIGHT)
    typed = change.sum(axis=(0, 1)) + put_in.sum(axis=0)
    rate = put_in.sum() / max(typed.sum(), 1.0)
    spread = priors[2] / priors[2].sum(axis=1, keepdims=True) * rate
    beside = np.maximum(typed, 1.0)[:, None]
    new_put = (2 * put_in + PRIOR_WEIGHT * spread) / (beside + PRIOR_WEIGHT)
    new_swap = (swaps + PRIOR_WEIGHT * priors[3]) / (meant.sum() + PRIOR_WEIGHT)
    return new_change, np.minimum(new_leave, 0.5), np.minimum(new_put, 0.5), float(new_swap)


@dataclass(frozen=True)
class Pieces:
    """Probabilities of pieces becoming pieces: an open-addressed table of 2^n places."""

    keys: Array = field(repr=False)
    """int64: code of both pieces, or -1 where the place is empty."""
    p: Array = field(repr=False)
    """float64: how probable it is that the first piece becomes the second."""
    keep: Array = field(repr=False)
    """float64[CODES]: share of a letter that was typed as meant."""


def _code(piece: Sequence[int]) -> int:
    made = 0
    for letter in piece:
        made = made * CODES + letter
    return made


def pieces(edits: Edits, pairs: Sequence[Pair]) -> Pieces:
    """Fit the fine channel to pairs (typed, meant), aligned by the coarse one."""
    becomes: Counter[int] = Counter()
    stands: Counter[int] = Counter()
    kept = np.full(CODES, 1.0)
    all_of = np.full(CODES, 1.2)
    for typed, meant in pairs:
        a_codes, b_codes = codes(meant), codes(typed)
        steps = [(1, 1), *ways(edits, a_codes, b_codes), (1, 1)]
        whole = [START, *a_codes.tolist(), END]
        seen = [START, *b_codes.tolist(), END]
        for size in range(PIECE_MAX + 1):
            for at in range(len(whole) - size + 1):
                stands[_code(whole[at : at + size])] += 1
        i = j = 0
        places = []
        for a, b in steps:
            places.append((i, j))
            same = a == b == 1 and whole[i] == seen[j]
            if a:
                for letter in whole[i : i + a]:
                    all_of[letter] += 1
            if same:
                kept[whole[i]] += 1
            i, j = i + a, j + b
        places.append((i, j))
        for at, (a, b) in enumerate(steps):
            i, j = places[at]
            if a == b == 1 and whole[i] == seen[j]:
                continue
            for first in range(max(0, at - 2), at + 1):
                for last in range(at + 1, min(len(steps), at + 3) + 1):
                    (i, j), (i2, j2) = places[first], places[last]
                    if i2 - i <= PIECE_MAX and j2 - j <= PIECE_MAX:
                        becomes[_code(whole[i:i2]) << 15 | _code(seen[j:j2])] += 1
    return _table(becomes, stands, kept / all_of)


def _table(becomes: Counter[int], stands: Counter[int], keep: Array) -> Pieces:
    places = 1
    while places < 2 * len(becomes) + 2:
        places *= 2
    keys, p = np.full(places, -1, np.int64), np.zeros(places)
    for key, count in becomes.items():
        at = (key * 0x9E3779B1) & (places - 1)
        while keys[at] >= 0:
            at = (at + 1) & (places - 1)
        keys[at] = key
        p[at] = count / (stands[key >> 15] + 2.0)
    return Pieces(keys, p, keep)


UNEXPLAINED = float(np.exp(-12.0))
"""Probability of a letter that no piece explains."""

LEAST = 1e-300
"""Less probable than this is all alike."""


@kernel
def fine_cost(meant: Array, typed: Array, keys: Array, p: Array, keep: Array) -> float:
    """Return minus ln of the probability that `meant` is typed as `typed`, over all ways.

    Both with START and END around them. What no piece explains costs 12 nats a letter.
    """
    n, m = meant.size, typed.size
    mask = keys.size - 1
    ways = np.zeros((n + 1, m + 1))
    ways[0, 0] = 1.0
    for i in range(n + 1):
        for j in range(m + 1):
            total = ways[i, j]
            for a in range(min(PIECE_MAX, i) + 1):
                piece = 0
                for k in range(i - a, i):
                    piece = piece * CODES + meant[k]
                became = 0
                for b in range(min(PIECE_MAX, j) + 1):
                    if b:
                        became += typed[j - b] << (5 * (b - 1))
                    before = ways[i - a, j - b]
                    if (a == 0 and b == 0) or before == 0.0:
                        continue
                    if a == 1 and b == 1 and meant[i - 1] == typed[j - 1]:
                        total += before * keep[meant[i - 1]]
                        continue
                    key = (piece << 15) | became
                    at = (key * 0x9E3779B1) & mask
                    while keys[at] >= 0 and keys[at] != key:
                        at = (at + 1) & mask
                    if keys[at] == key:
                        total += before * p[at]
                    elif a < 2 and b < 2:
                        total += before * UNEXPLAINED
            ways[i, j] = total
    return float(-np.log(max(ways[n, m], LEAST)))
