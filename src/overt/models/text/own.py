"""What one person's own words say comes next: `spec/text.md`, the same in the page and here.

`standing` tells where in a text a caret is: the words before it, and the letters of the word that
has begun. `Expected` counts finished words after the two before them and says which come next.
Whole numbers and a fixed order everywhere, so that both implementations agree exactly. In memory
only; `forget` empties it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from overt.models.typos.own import is_word_letter, plain

BACK = 2
"""Words before that count."""

WORDS_MAX = 5_000
"""Different words that are learned."""

LEARNED_MAX = 50_000
"""Words that are counted, equal ones too."""

OFFERED = 3

_ENDS = ".!?\n"

_COMMON = """
    the of and to a in is it you that he was for on are with as i his they be at one have this from
    or had by not but what all were we when your can said there use an each which she do how their
    if will up other about out many then them these so some her would make like him into time has
    look two more go see no way could my than first been who its now people over did down only find
    get come made may part after back little good new very just where most know take year live me
    give our any same tell too think also around want here well large must big even because turn ask
    went need land different home us move try kind again off away still should answer found between
    never last let thought city near keep start night light under few left while might seem next
    always those both often until walk white sea began grow took river four carry once book hear
    stop without second later miss idea enough eat face watch far really almost above girl sometimes
    young talk soon list song being leave family it's i'm don't can't that's i'll i've you're didn't
    today tomorrow yesterday morning evening week month day work please thank thanks hello yes sorry
    maybe something nothing everything someone every another such much before through since against
    better best long great right old small high own set put end does got say says going doing coming
    looking make making sure please call called send sent meet meeting friend house world life hand
    school water food tea coffee bread eggs milk breakfast lunch dinner nice happy hope love feel
"""
COMMON = tuple(_COMMON.split())
"""Common words of English, about in the order of how common they are; written down by hand."""


def standing(text: str, at: int) -> tuple[tuple[str, ...], str] | None:
    """Return the words before the caret in its sentence, and what of a word has begun.

    None where the caret stands inside a word.

    >>> standing("See me. Tell the ca", 19)
    (('tell', 'the'), 'ca')
    """
    if at < len(text) and is_word_letter(text[at]):
        return None
    start = _start(text, at)
    prefix = plain(text[start:at])
    before: list[str] = []
    while len(before) < BACK:
        end = start
        while end and not is_word_letter(text[end - 1]) and text[end - 1] not in _ENDS:
            end -= 1
        if not end or text[end - 1] in _ENDS:
            break
        start = _start(text, end)
        word = plain(text[start:end])
        if word:
            before.insert(0, word)
    return tuple(before), prefix


def _start(text: str, at: int) -> int:
    while at and is_word_letter(text[at - 1]):
        at -= 1
    return at


@dataclass
class Expected:
    """What one person's finished words taught, beside what is known from the start."""

    given: Sequence[str] = COMMON
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What others write after a word, the most common first."""
    counts: dict[str, Counter[str]] = field(default_factory=dict, repr=False)
    """By the words before with a space between ("" for whatever stood before): how often which."""
    learned: int = 0
    words_max: int = WORDS_MAX
    learned_max: int = LEARNED_MAX

    def __post_init__(self) -> None:
        """Number the words that are known from the start."""
        self._rank = {w: at for at, w in enumerate(dict.fromkeys(map(plain, self.given)))}

    def forget(self) -> None:
        """Forget everything that was learned."""
        self.counts, self.learned = {}, 0

    def learn(self, before: Sequence[str], word: str) -> None:
        """Count a word that was finished after others."""
        all_words = self.counts.setdefault("", Counter())
        if not word or self.learned >= self.learned_max:
            return
        if word not in all_words and len(all_words) >= self.words_max:
            return
        self.learned += 1
        for context in _contexts(before):
            self.counts.setdefault(context, Counter())[word] += 1

    def unlearn(self, before: Sequence[str], word: str) -> None:
        """Take back one count of a word that turned out to be a slip."""
        for context in _contexts(before):
            found = self.counts.get(context, Counter())
            found[word] -= 1
            if found[word] <= 0:
                del found[word]

    def expect(self, before: Sequence[str], prefix: str, count: int = OFFERED) -> list[str]:
        """Return the words that are expected to begin with a prefix after others, best first.

        Those come first that were seen most often after the two words before, then after one; then
        those that others write after that one, in their order; then those seen most often at all;
        then those known from the start, in their order; then by code points.
        """
        seen = [self.counts.get(context, Counter()) for context in _contexts(before)]
        everywhere, *after = seen
        after.reverse()
        follows = self.after.get(before[-1], ()) if before else ()
        pool: set[str] = set()
        for words in (*after, follows, everywhere, self._rank):
            pool.update(
                word for word in words if word.startswith(prefix) and len(word) > len(prefix)
            )
            if len(pool) >= count:  # what is in none of these comes after all of them
                break
        last = len(self._rank)
        first = {word: at for at, word in enumerate(follows)}

        def place(word: str) -> tuple[int | str, ...]:
            return (
                *(-of[word] for of in after),
                first.get(word, len(follows)),
                -everywhere[word],
                self._rank.get(word, last),
                word,
            )

        return sorted(pool, key=place)[:count]


def _contexts(before: Sequence[str]) -> list[str]:
    """Return what stood before as keys, the shortest first."""
    return ["", *(" ".join(before[-back:]) for back in range(1, min(BACK, len(before)) + 1))]
