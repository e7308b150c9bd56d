"""How much the times of keys tell of a text, in bits: as a cue for help, and as an attack.

As a cue: whoever sees the text so far is told when the next key went down, and how long it stayed;
the prediction of the next letter is multiplied by how well each letter explains that.

As an attack on `rhythm/0`: no character is seen. That keys were letters, and so how long each word
is, is seen; every word of that length in the vocabulary is a candidate, and is multiplied by how
well its letters explain the times. The attacker knows how others type; or this person too, from
half of their texts with the characters; or has the seconds of `rhythm/1` only; or knows the words
before.

Times are trusted by an exponent that is chosen on people who are not scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.scores import Score
from overt.models.tensors import Array
from overt.models.text import timing
from overt.models.text.alphabet import LOWER, UPPER
from overt.models.text.candidates import Candidates
from overt.models.text.judged import Draws
from overt.models.text.mixture import Predictor, places
from overt.models.text.timing import SPACE, Hands, Timed
from overt.models.text.typed import Written

WORDS_MAX = 5
"""Words of a person in one group of sentences that are attacked, evenly over their texts."""

TRUSTS = (0.0, 0.25, 0.5, 0.75, 1.0)
TRUST_TEXTS = 100
"""Texts that the trust is chosen on."""

NEAREST = 10
ATTACKS = (
    "length of the word alone",
    "and times at rhythm/1",
    "and times, others' hands known",
    "and times, this person's too",
    "length and the word before",
    "length, the word before, times",
)
NOTHING = "that a word was typed"
_NONE, _COARSE, _OTHERS, _OWN, _BEFORE, _BEFORE_TIMES = range(len(ATTACKS))
_TIMED = {_COARSE: 1, _OTHERS: 0, _OWN: 2, _BEFORE_TIMES: 0}


@dataclass(frozen=True)
class Attacked:
    """One word: ln of each candidate's prior without and with the word before, and of its times."""

    text: int
    right: int
    any: float
    """ln of the word's share among words of every length."""
    prior: Array = field(repr=False)
    prior_before: Array = field(repr=False)
    times: tuple[Array, ...] = field(repr=False)
    """Others' hands, `rhythm/1`, own hands."""

    def after(self, attack: int, trust: Array) -> Array:
        """Return ln of each candidate's share after an attack."""
        log = self.prior_before if attack >= _BEFORE else self.prior
        if attack in _TIMED:
            log = log + trust[attack] * self.times[_TIMED[attack]]
        top = log.max()
        return np.asarray(log - top - np.log(np.exp(log - top).sum()))


def attacked(
    model: Predictor,
    known: Candidates,
    hands: Hands,
    texts: Sequence[Written],
    at: Sequence[int],
    priors: dict[int, Array],
    lengths: dict[int, float],
) -> Iterator[Attacked | None]:
    """Yield some words of one person's texts; `at` are the numbers of these texts.

    None for a word that no vocabulary has.
    """
    every = timing.timed(texts)
    own = [timing.hands([one for n, one in enumerate(every) if n % 2 != s], hands) for s in (0, 1)]
    places_of = [(n, start, end) for n, one in enumerate(every) for start, end in timing.words(one)]
    step = max(1, -(-len(places_of) // WORDS_MAX))
    for number, start, end in places_of[::step]:
        word = texts[number].text[start:end].lower()
        length, right = end - start, known.place.get(word)
        if right is None:
            yield None
            continue
        before = list(places(texts[number].text))[start].before
        if length not in priors:
            priors[length] = known.prior(model, length, None)
        one, letters = every[number], known.letters[length]
        mine = own[number % 2]
        times = (
            _word(letters, one, start, end, hands.pairs, hands.keys),
            _word(letters, one, start, end, hands.coarse, None),
            _word(letters, one, start, end, mine.pairs, mine.keys),
        )
        after = known.prior(model, length, before)
        alone = float(priors[length][right]) + lengths[length]
        yield Attacked(at[number], right, alone, priors[length], after, times)


def _word(
    letters: Array,
    one: Timed,
    start: int,
    end: int,
    pairs: Callable[[Timed], Array],
    keys: Callable[[Timed], Array] | None,
) -> Array:
    """Return ln of how well each word explains the times between start and end."""
    first, last = max(0, start - 1), min(len(one.key), end + 1)
    part = Timed(*(getattr(one, n)[first:last] for n in ("key", "into", "held", "seconds")))
    of_pairs, of_keys = pairs(part), keys(part) if keys else None
    log = np.zeros(len(letters))
    for at in range(first, last):
        here, row = at - start, at - first
        if start <= at < end and of_keys is not None:
            log += of_keys[row][letters[:, here]]
        if start < at < end:
            log += of_pairs[row][letters[:, here - 1], letters[:, here]]
        elif at == start > 0 and one.key[at - 1] == SPACE:
            log += of_pairs[row][SPACE, letters[:, 0]]
        elif at == end and one.key[at] == SPACE:
            log += of_pairs[row][letters[:, -1], SPACE]
    return log


@dataclass(frozen=True)
class Letters:
    """Letters whose times are known: which text, the share each had, and what the times say."""

    text: Array = field(repr=False)
    came: Array = field(repr=False)
    prior: Array = field(repr=False)
    """float64[letters, 26], ln of shares among letters."""
    times: Array = field(repr=False)

    def bits(self, trust: float) -> Array:
        """Return float64[letters], the bits that each takes with times trusted so much."""
        log = self.prior + trust * self.times
        log -= log.max(axis=1, keepdims=True)
        log -= np.log(np.exp(log).sum(axis=1, keepdims=True))
        return np.asarray(-log[np.arange(len(log)), self.came] / np.log(2))


def letters_of(
    share: dict[str, Array], hands: Hands, texts: Sequence[Written], at: Sequence[int]
) -> Letters:
    """Return the letters of one person's texts; `share` is the prediction for each text."""
    parts: list[tuple[Array, ...]] = []
    for number, (one, written) in enumerate(zip(timing.timed(texts), texts, strict=True)):
        last = np.append(-1, one.key[:-1])
        good = (one.key >= 0) & (one.key < SPACE) & (last >= 0) & np.isfinite(one.into)
        row = np.flatnonzero(good)
        of = share[written.text][row]
        of = of[:, LOWER] + of[:, UPPER] + 1e-12
        times = hands.pairs(one)[row, last[row], :SPACE] + hands.keys(one)[row, :SPACE]
        prior = np.log(of / of.sum(axis=1, keepdims=True))
        parts.append((np.full(len(row), at[number]), one.key[row], prior, times))
    return Letters(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass
class Told:
    """What was found, text by text, over all groups of sentences."""

    letters: list[tuple[Array, Array, Array]] = field(default_factory=list)
    """Text of each letter, its bits without times and with."""
    words: list[tuple[int, Array, Array]] = field(default_factory=list)
    """Text of each word, bits by attack and without any, place of the right word by attack."""
    unknown: int = 0
    """Words that were left out because no vocabulary has them."""


def _by_person(texts: Sequence[Written]) -> Iterable[tuple[list[Written], list[int]]]:
    people: dict[str, list[int]] = {}
    for at, one in enumerate(texts):
        if np.isfinite(one.press_ms).any():
            people.setdefault(one.person, []).append(at)
    for numbers in people.values():
        yield [texts[at] for at in numbers], numbers


def tell(
    model: Predictor,
    aside: Predictor,
    others: Sequence[Written],
    held: Sequence[Written],
    mine: Sequence[Written],
    first: int,
    found: Told,
) -> None:
    """Add what the times of `mine` tell.

    Args:
        model: of texts by others, sentences of other groups.
        aside: the same without the sentences of `held`.
        others: whose hands are learned from.
        held: texts of theirs, on which times are weighed.
        mine: texts that are scored.
        first: number of the first of these among all that are scored.
        found: is added to.
    """
    hands = timing.hands([one for texts, _ in _by_person(others) for one in timing.timed(texts)])
    held = held[:: max(1, len(held) // TRUST_TEXTS)]
    trust_letters, trust = _trusts(aside, hands, held)
    share = _shares(model, mine)
    known = Candidates.of(model)
    priors: dict[int, Array] = {}
    lengths = known.lengths(model)
    for texts, numbers in _by_person(mine):
        at = [first + number for number in numbers]
        seen = letters_of(share, hands, texts, at)
        found.letters.append((seen.text, seen.bits(0.0), seen.bits(trust_letters)))
        for word in attacked(model, known, hands, texts, at, priors, lengths):
            if word is None:
                found.unknown += 1
                continue
            log = np.stack([word.after(attack, trust) for attack in range(len(ATTACKS))])
            right = log[:, word.right]
            place = (log > right[:, None]).sum(axis=1)
            bits = -np.append(right, word.any) / np.log(2)
            found.words.append((word.text, bits, place))


def _trusts(model: Predictor, hands: Hands, held: Sequence[Written]) -> tuple[float, Array]:
    """Return how much times are to be trusted, for letters and for each attack."""
    share, known = _shares(model, held), Candidates.of(model)
    of_letters = np.zeros(len(TRUSTS))
    of_words = np.zeros((len(TRUSTS), len(ATTACKS)))
    priors: dict[int, Array] = {}
    lengths = known.lengths(model)
    for texts, numbers in _by_person(held):
        seen = letters_of(share, hands, texts, numbers)
        of_letters += [seen.bits(trust).sum() for trust in TRUSTS]
        for word in attacked(model, known, hands, texts, numbers, priors, lengths):
            if word is None:
                continue
            for row, trust in enumerate(TRUSTS):
                every = np.full(len(ATTACKS), trust)
                of_words[row] -= [
                    word.after(attack, every)[word.right] for attack in range(len(ATTACKS))
                ]
    trusts = np.array(TRUSTS)
    trust = trusts[of_words.argmin(axis=0)]
    trust[_OWN] = trust[_OTHERS]
    return float(trusts[of_letters.argmin()]), trust


def _shares(model: Predictor, texts: Sequence[Written]) -> dict[str, Array]:
    different = sorted({one.text for one in texts})
    share = model.characters(different)
    ends = np.cumsum([len(text) + 1 for text in different])
    return dict(zip(different, np.split(share, ends[:-1]), strict=True))


def rows(found: Told, draws: Draws, texts: int) -> list[Score]:
    """Return the figures, over people and sentences."""
    if not found.letters or not found.words:
        return []
    out: list[Score] = []
    text, without, with_times = (np.concatenate(part) for part in zip(*found.letters, strict=True))
    many = np.bincount(text, minlength=texts).astype(np.float64)
    bits = [np.bincount(text, of, texts) for of in (without, with_times)]
    metric = "bits a letter, text so far known"
    out.append(draws.ratio("times not known", metric, bits[0], many))
    out.append(draws.ratio("times known", metric, bits[1], many))
    out.append(draws.gain("saved by times", metric, bits[0], bits[1], many))
    where = np.array([number for number, *_ in found.words])
    many = np.bincount(where, minlength=texts).astype(np.float64)
    bits_of = np.stack([of for _, of, _ in found.words], axis=1)
    place = np.stack([of for *_, of in found.words], axis=1)
    sums = [np.bincount(where, of, texts) for of in bits_of]
    metric = "attack: bits a word"
    out.append(draws.ratio(NOTHING, metric, sums[-1], many))
    out += [draws.ratio(ATTACKS[at], metric, sums[at], many) for at in range(len(ATTACKS))]
    for attack, base in (
        (_COARSE, _NONE),
        (_OTHERS, _NONE),
        (_OWN, _NONE),
        (_BEFORE_TIMES, _BEFORE),
    ):
        name = f"saved: {ATTACKS[attack]}"
        out.append(draws.gain(name, metric, sums[base], sums[attack], many))
    for least, metric in (
        (1, "attack: word guessed"),
        (NEAREST, f"attack: word in {NEAREST} guesses"),
    ):
        hits = [np.bincount(where, of < least, texts) for of in place]
        out += [draws.ratio(name, metric, of, many) for name, of in zip(ATTACKS, hits, strict=True)]
    return out
