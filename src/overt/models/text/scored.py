"""`overt evaluate next-text`: the next character and the next word of what people typed.

People whose number is divisible by five are scored, the others are learned from. Sentences are kept
apart too: texts fall into `GROUPS` that share no run of words, and each group is judged by what
was learned from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overt.datasets.reading.imported import Skipped
from overt.models.scores import Progress, Score, Scores
from overt.models.tensors import Array
from overt.models.text import counted, kneser_ney, mixture, offered, personal, told, typed, writers
from overt.models.text.alphabet import SIZE, codes
from overt.models.text.judged import Draws
from overt.models.text.mixture import Experts, Predictor
from overt.models.text.told import Told
from overt.models.text.typed import Written
from overt.models.text.vocabulary import english, learned
from overt.models.typos.judged import PEOPLE_MIN
from overt.models.typos.slips import scored_people
from overt.schema.errors import TooFew

if TYPE_CHECKING:
    from overt.models.text.networked import Networks

GROUPS = 5
ORDERS = (3, 5, 7)
WORD_ORDERS = (1, 2, 3)
WRITERS_MIN = 4
"""Text files of one writer each, below which others are read."""

SENTENCES_MIN = 50
"""Sentences to learn from, below which there is nothing to say."""

OURS = "ours"
ALONE = "ours, without general English"
BITS = "bits a character"


def evaluate(path: Path, progress: Progress, *, neural_seeds: int = 0) -> Scores:
    """Score every method on the texts in `path`.

    With `neural_seeds` a character network is scored too, as a mean over so many seeds.
    """
    networks, more = _networks(neural_seeds)
    skipped = Skipped()
    found = typed.read(path, progress, skipped)
    texts = typed.grouped([one for one in found if one.text], GROUPS)
    everyone = {one.person for one in texts}
    people = scored_people(everyone)
    if len(people) < PEOPLE_MIN or people == everyone:
        raise TooFew(
            f"has texts of {len(everyone)} people, too few to learn from some and judge others",
            where=str(path),
            do=f"{PEOPLE_MIN} are judged, and as many at least are learned from.",
        )
    judged: list[Written] = []
    heard = Told()
    bits: dict[str, list[Array]] = {}
    words: dict[str, list[Array]] = {}
    for group in range(GROUPS):
        progress(f"sentences {group + 1} of {GROUPS}", 0.2 + 0.65 * group / GROUPS)
        mine = [one for one in texts if one.group == group and one.person in people]
        others = [one for one in texts if one.group != group and one.person not in people]
        if not mine:
            continue
        if len({one.asked for one in others}) < SENTENCES_MIN:
            raise TooFew(
                f"has fewer than {SENTENCES_MIN} sentences of other people to learn from",
                where=str(path),
                do="More people, or more different sentences, are needed.",
            )
        _judge(mine, others, (group + 1) % GROUPS, len(judged), heard, bits, words, networks)
        judged += mine
    own, read = _personal(path, [one for one in texts if one.person not in people], progress)
    return _scores(judged, bits, words, heard, own, (read, *more, *skipped.told()))


def _networks(seeds: int) -> tuple[Networks | None, tuple[str, ...]]:
    """Return what judges with networks, and what is to be said of them; nothing without seeds."""
    if not seeds:
        return None, ()
    from overt.models.neural import device
    from overt.models.text import networked

    return networked.Networks(range(seeds)), networked.notes(device.machine(), seeds)


def fitted(
    others: Sequence[Written], aside: int, *, general: bool = True
) -> tuple[Predictor, Predictor]:
    """Return our model of some texts, and what its weights were earned by.

    The second has not seen the sentences of the group `aside`; on these the weights are earned.
    Without `general` English it knows these texts alone, as Kneser-Ney does.
    """
    less = experts(typed.once(one for one in others if one.group != aside), general=general)
    held = typed.once(one for one in others if one.group == aside)
    weights = mixture.weigh([mixture.look(less, held)])
    whole = experts(typed.once(others), general=general)
    return Predictor(whole, weights), Predictor(less, weights)


def experts(texts: Sequence[str], *, general: bool = True) -> Experts:
    """Return a speller and a vocabulary of some texts, and general English."""
    local = learned(words for text in texts for words in mixture.sentences(text))
    return Experts((mixture.speller(texts),), (english(), local) if general else (local,))


def _personal(path: Path, others: Sequence[Written], progress: Progress) -> tuple[list[Score], str]:
    """Return what own words add, and whose they were."""
    progress("own words", 0.85)
    found, source = writers.read(path, personal.WORDS_MIN), "the text files in PATH"
    if len(found) < WRITERS_MIN:
        found = writers.of_this_python(personal.WORDS_MIN)
        source = "the documentation of as many modules of this Python, each with words of its own"
    known = experts(typed.once(others))
    rows = personal.scored(known, found, lambda done: progress("own words", 0.85 + 0.15 * done))
    return rows, f"Own words: {len(found)} writers, {source}. Words before a point teach."


def _judge(
    mine: Sequence[Written],
    others: Sequence[Written],
    aside: int,
    first: int,
    heard: Told,
    bits: dict[str, list[Array]],
    words: dict[str, list[Array]],
    networks: Networks | None,
) -> None:
    """Add each method's figures of one group's texts."""
    known = typed.once(others)
    coded = [codes(text) for text in known]
    different = sorted({one.text for one in mine})
    place = {text: at for at, text in enumerate(different)}
    which = np.array([place[one.text] for one in mine])
    ours, less = fitted(others, aside)
    held = [one for one in others if one.group == aside]
    told.tell(ours, less, others, held, mine, first, heard)
    asked = [codes(text) for text in different]
    said = [list(found) for text in known for found in mixture.sentences(text)]

    def add_bits(name: str, share: Array) -> None:
        bits.setdefault(name, []).append(_bits(share, asked)[which])

    add_bits("uniform", np.full((sum(map(len, asked)) - len(asked), SIZE), 1 / (SIZE - 1)))
    for order in (1, *ORDERS):
        name = "how often each comes" if order == 1 else f"Kneser-Ney, {order} characters"
        add_bits(name, kneser_ney.fit(coded, order).everything(asked))
    alone = fitted(others, aside, general=False)[0]
    add_bits(ALONE, alone.characters(different))
    add_bits(OURS, ours.characters(different))

    def add_words(name: str, offer: offered.Offer) -> None:
        table = offered.table([offered.play(text, offer) for text in different])
        words.setdefault(name, []).append(table[which])

    for order in WORD_ORDERS:
        name = "most frequent words" if order == 1 else f"Kneser-Ney, {order} words"
        add_words(name, counted.count_words(said, order).words_after)
    general = Predictor(Experts((), (english(),)), np.ones((2, 1)))
    add_words("general English alone", general.offer)
    add_words(ALONE, alone.offer)
    add_words(OURS, ours.offer)
    if networks is not None:
        from overt.models.text import networked

        rest = typed.once(one for one in others if one.group != aside)
        found = networked.judge(networks, rest, typed.once(held), different, ours, less)
        for name, of in found.bits.items():
            bits.setdefault(name, []).append(of[which])
        for name, table in found.words.items():
            words.setdefault(name, []).append(table[which])


def _compared(found: Iterable[str]) -> list[str]:
    """Return the methods that stand against Kneser-Ney: ours, and what came after it."""
    names = list(found)
    return names[names.index(ALONE) :]


_OF_WORDS: tuple[tuple[str, Callable[[dict[str, Array]], Array], str], ...] = (
    ("next word, top1", lambda table: table["first"], "words"),
    (f"next word, top{offered.OFFERED}", lambda table: table["offered"], "words"),
    (offered.SAVINGS, lambda table: table["characters"] - table["keys"], "characters"),
)
"""Metric, what is counted, out of what."""


def _bits(share: Array, texts: Sequence[Array]) -> Array:
    """Return float64[texts], the bits that all characters of each text take."""
    came = np.concatenate([text[1:] for text in texts])
    bits = -np.log2(np.maximum(share[np.arange(len(came)), came], mixture.FLOOR))
    return np.add.reduceat(bits, np.cumsum([0, *(len(text) - 1 for text in texts[:-1])]))


def _scores(
    judged: Sequence[Written],
    bits: dict[str, list[Array]],
    words: dict[str, list[Array]],
    heard: Told,
    own: Sequence[Score],
    more: tuple[str, ...],
) -> Scores:
    draws = Draws.of(judged)
    characters = np.array([len(one.text) + 1.0 for one in judged])
    rows: list[Score] = []
    all_bits = {name: np.concatenate(parts) for name, parts in bits.items()}
    rows += [draws.ratio(name, BITS, of, characters) for name, of in all_bits.items()]
    best = f"Kneser-Ney, {max(ORDERS)} characters"
    for name in _compared(all_bits):
        saved = f"{name}: saved against {best}"
        rows.append(draws.gain(saved, BITS, all_bits[best], all_bits[name], characters))
    tables = {
        name: dict(zip(offered.COLUMNS, np.concatenate(parts).T, strict=True))
        for name, parts in words.items()
    }
    best = f"Kneser-Ney, {max(WORD_ORDERS)} words"
    for metric, of, among in _OF_WORDS:
        rows += [draws.ratio(n, metric, of(table), table[among]) for n, table in tables.items()]
        for name in _compared(tables):
            gain = f"{name}: gain over {best}"
            one, other = of(tables[name]), of(tables[best])
            rows.append(draws.gain(gain, metric, one, other, tables[best][among]))
    rows += [*own, *told.rows(heard, draws, len(judged))]
    return Scores(
        task="next-text",
        protocol=(
            "Learned from people who are not scored and from sentences that share no run of "
            f"{typed.SHARED_WORDS} words with those that are; {GROUPS} splits of the sentences, "
            "each judged by a model of its own."
        ),
        counts={
            "people scored": len({one.person for one in judged}),
            "texts": len(judged),
            "sentences": len({one.asked for one in judged}),
            "characters": int(characters.sum()),
            "words": int(tables[OURS]["words"].sum()),
            "words attacked": len(heard.words),
            "words not attacked, in no vocabulary": heard.unknown,
        },
        rows=tuple(rows),
        notes=(*NOTES[:2], *more, *NOTES[2:]),
    )


NOTES = (
    f"Texts as submitted, errors and all, each with its end; {SIZE - 1} characters are told apart.",
    (
        "Keystroke savings: a word is taken with one key as soon as it is among those offered, "
        "which types its rest and the space behind it; case is not scored."
    ),
    (
        "Times: of keys that were left standing, where the log gives the text. Known words only, "
        f"up to {told.WORDS_MAX} a person and group. Stronger attacks than these may exist."
    ),
    "Intervals over people and sentences drawn anew together; of own words, over writers.",
)
