"""What the character network says of a group of sentences: alone, and as one more of our experts.

Words are offered from the same candidates as ours offers from, ranked by the network, or by the
network's share and those of the vocabularies, each weighed as it earned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from overt.models.tensors import Array
from overt.models.text import mixture, network, offered
from overt.models.text.alphabet import codes
from overt.models.text.mixture import Looked, Predictor, places
from overt.models.text.network import Letters
from overt.models.text.vocabulary import words_of
from overt.models.typos.words import english

ALONE = "character network, without general English"
NEURAL = "character network"
FUSED = "ours and the network"
CANDIDATES = 8
PREFIX_MAX = 4
"""Letters of a word, up to which candidates are looked for anew."""


@dataclass
class Networks:
    """The networks of all groups of sentences, one a seed."""

    seeds: Sequence[int]
    _general: dict[int, Letters] = field(default_factory=dict)

    def general(self, seed: int) -> Letters:
        """Return the network of a seed that knows general English only."""
        if seed not in self._general:
            self._general[seed] = network.general(english(), seed)
        return self._general[seed]


@dataclass(frozen=True)
class Judged:
    """Of the different texts of a group: means over seeds."""

    bits: dict[str, Array]
    """float64[texts] by method."""
    words: dict[str, Array]
    """float64[texts, offered.COLUMNS] by method."""


def judge(
    networks: Networks,
    known: Sequence[str],
    held: Sequence[str],
    different: Sequence[str],
    ours: Predictor,
    less: Predictor,
) -> Judged:
    """Return what networks make of texts.

    Args:
        networks: keeps what the groups share.
        known: texts to learn from that are in no held-out group.
        held: texts to stop early on and to weigh experts on, learned from after that.
        different: texts that are judged.
        ours: our model of `known` and `held`.
        less: our model of `known`.
    """
    bits: dict[str, list[Array]] = {}
    tables: dict[str, list[Array]] = {}
    looked, aside = mixture.look(ours.experts, different), mixture.look(less.experts, held)
    pools = _pools(ours, different)
    for seed in networks.seeds:
        for name, begun in ((ALONE, None), (NEURAL, networks.general(seed))):
            fewer, whole = network.learned(known, held, seed, begun)
            share = network.everything(whole, different)
            bits.setdefault(name, []).append(_bits(share, different))
        weights = mixture.weigh([_with(aside, network.everything(fewer, held))])
        fused = mixture.mixed(_with(looked, share), weights)
        bits.setdefault(FUSED, []).append(_bits(fused, different))
        asked = [(one.text, one.place, one.words) for one in pools]
        log = network.words_after(whole, different, asked)
        for name, of in ((NEURAL, None), (FUSED, weights)):
            scores = [_scores(ours, one, row, of) for one, row in zip(pools, log, strict=True)]
            tables.setdefault(name, []).append(_played(different, pools, scores))
    return Judged(
        {name: np.mean(of, axis=0) for name, of in bits.items()},
        {name: np.mean(of, axis=0) for name, of in tables.items()},
    )


def _with(looked: Looked, share: Array) -> Looked:
    """Return what experts say with one more, behind the first speller."""
    return replace(looked, share=np.concatenate([looked.share[:1], share[None], looked.share[1:]]))


def _bits(share: Array, texts: Sequence[str]) -> Array:
    coded = [codes(text)[1:] for text in texts]
    came = np.concatenate(coded)
    bits = -np.log2(np.maximum(share[np.arange(len(came)), came], mixture.FLOOR))
    return np.add.reduceat(bits, np.cumsum([0, *map(len, coded[:-1])]))


@dataclass(frozen=True)
class Pool:
    """Words that may be offered where a word of a text begins."""

    text: int
    place: int
    said: tuple[str, ...]
    """Words of the sentence so far."""
    words: tuple[str, ...] = field(repr=False)


def _pools(ours: Predictor, texts: Sequence[str]) -> list[Pool]:
    made = []
    remembered: dict[tuple[str, str], list[str]] = {}
    for number, text in enumerate(texts):
        where = list(places(text))
        said: list[str] = []
        for match in words_of(text):
            start, word = match.start(), match.group().lower()
            if where[start].before == "":
                said = []
            before = " ".join(said[-2:])
            found: set[str] = set()
            for letters in range(min(len(word), PREFIX_MAX) + 1):
                key = before, word[:letters]
                if key not in remembered:
                    remembered[key] = ours.words(*key, CANDIDATES)
                found.update(remembered[key])
            made.append(Pool(number, start, tuple(said), tuple(sorted(found))))
            said.append(word)
    return made


def _scores(ours: Predictor, pool: Pool, log: Array, weights: Array | None) -> Array:
    """Return the share of each word of a pool: the network's, or of all experts together."""
    if weights is None:
        return log
    before = " ".join(pool.said[-2:])
    of = weights[int(before != "")]
    total = of[1] * np.exp(log)
    vocabularies = ours.experts.vocabularies
    for weight, known in zip(of[-len(vocabularies) :].tolist(), vocabularies, strict=True):
        at = np.array([known.number.get(word, -1) for word in pool.words], np.int64)
        there = at >= 0
        total[there] += weight * known.shares(before, at[there])
    return np.asarray(total)


def _played(texts: Sequence[str], pools: Sequence[Pool], scores: Sequence[Array]) -> Array:
    by_text: list[dict[tuple[str, ...], list[str]]] = [{} for _ in texts]
    for pool, score in zip(pools, scores, strict=True):
        order = np.argsort(-score, kind="stable")
        by_text[pool.text].setdefault(pool.said, [pool.words[at] for at in order.tolist()])

    def offers(known: dict[tuple[str, ...], list[str]]) -> offered.Offer:
        def offer(said: Sequence[str], prefix: str) -> list[str]:
            ranked = known.get(tuple(said), [])
            return [word for word in ranked if word.startswith(prefix)][: offered.OFFERED]

        return offer

    return offered.table(
        [offered.play(text, offers(known)) for text, known in zip(texts, by_text, strict=True)]
    )


def notes(machine: str, seeds: int) -> tuple[str, ...]:
    """Return what a reader must know of these rows."""
    return (
        (
            f"{NEURAL}: a recurrent layer of {network.WIDTH} over characters, on the same texts as "
            f"Kneser-Ney, and before that on {network.LINES} pairs of words by the counts of "
            "general English; means of "
            f"{seeds} seed{'s' * (seeds != 1)}, fitted on: {machine}. It does not ship."
        ),
        (
            f"The network ranks the {CANDIDATES} best candidates of ours for each prefix up to "
            f"{PREFIX_MAX} letters: what it offers is at best among these."
        ),
    )
