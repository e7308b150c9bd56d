"""What one person's own corrections teach: `spec/typos.md`, the same in the page and here.

`Watch` sees the text of one field after each edit and tells what was corrected and which words were
left standing. `Own` remembers that and suggests: exact repeats of a slip first, then a known word
that one of the person's habits (two letters swapped, a neighbouring key, …) turns into what was
typed. Whole numbers and a fixed order everywhere, so that both implementations agree exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from overt.models.typos.letters import neighbours

WORDS_MAX = 5_000
CORRECTIONS_MAX = 500
LETTERS_MIN = 3
"""Shorter words are corrected only as they were before: a habit fits too many of them."""

SPECIFIC_WEIGHT = 3
KIND_MIN = 2
"""Times a kind of slip is seen before it counts for letters it was not seen with."""

KNOWN_LETTERS_MIN = 4
PUT_MAX = 8_000
"""Of the words known to others, the most common first, so many are ever put in a slip's place."""

KINDS = ("swap", "near", "half", "double")
"""Kinds that say something about other letters: swapped, neighbouring key, once for twice, twice
for once."""


def is_word_letter(letter: str) -> bool:
    """Return whether a character can stand inside a word: letters, digits, apostrophes."""
    return letter.isalnum() or letter in "'’"


def plain(token: str) -> str:
    """Return a token as it is remembered: lower case, with a straight apostrophe, none outside.

    >>> plain("’Don’t’")
    "don't"
    """
    return token.replace("’", "'").strip("'").lower()


@dataclass(frozen=True)
class Edit:
    """The one edit between a word and a slip of it: its kind, and the letters it was made with."""

    kind: str
    key: str


def edit_between(put: str, slip: str) -> Edit | None:
    """Return the single edit that makes `slip` of `put`, or None if there is no single one.

    >>> edit_between("the", "teh"), edit_between("letter", "leter").kind
    (Edit(kind='swap', key='swap:he'), 'half')
    """
    start = 0
    while start < min(len(put), len(slip)) and put[start] == slip[start]:
        start += 1
    end = 0
    while end < min(len(put), len(slip)) - start and put[-1 - end] == slip[-1 - end]:
        end += 1
    gone, came = put[start : len(put) - end], slip[start : len(slip) - end]
    if len(gone) == len(came) == 2 and gone == came[::-1]:
        return Edit("swap", f"swap:{gone}")
    if len(gone) == len(came) == 1:
        return Edit("near" if neighbours(gone, came) else "change", f"change:{gone}{came}")
    before = put[start - 1] if start else ""
    if len(gone) == 1 and not came:
        return Edit("half" if before == gone else "out", f"out:{before}{gone}")
    if len(came) == 1 and not gone:
        return Edit("double" if before == came else "in", f"in:{before}{came}")
    return None


def distance(one: str, other: str) -> int:
    """Return the edit distance with adjacent letters swapped (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i in range(1, len(one) + 1):
        row = [i]
        for j in range(1, len(other) + 1):
            cost = min(
                rows[i - 1][j] + 1,
                row[j - 1] + 1,
                rows[i - 1][j - 1] + (one[i - 1] != other[j - 1]),
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


@dataclass(frozen=True)
class Correction:
    """A slip and what the person put in its place, as `plain` words."""

    slip: str
    put: str
    whole: bool
    """The slip stood for all of the word; else for its beginning."""
    matched: str
    """What of `put` the slip stood for."""
    start: int
    """Where the word begins in the field."""


@dataclass(frozen=True)
class Seen:
    """What one change of the text told."""

    correction: Correction | None = None
    word: str = ""
    """A word that was finished now: what ended it was typed behind it."""


def _edits_max(letters: int) -> int:
    return 1 if letters <= 4 else 2


def judge(slip: str, put: str, start: int) -> Correction | None:
    """Return the correction that replacing `slip` by `put` was, or None if it was something else.

    Either the whole words are near, or the slip is near a proper beginning of `put`.
    """
    slip, put = plain(slip), plain(put)
    if not slip or not put or slip == put:
        return None
    whole = distance(slip, put)
    best, matched = whole, put
    for letters in range(max(1, len(slip) - 1), min(len(put) - 1, len(slip) + 1) + 1):
        part = put[:letters]
        apart = distance(slip, part)
        if apart < best:
            best, matched = apart, part
    if best == 0 or best > _edits_max(len(matched)) or len(slip) < 2:
        return None
    return Correction(slip, put, matched == put, matched, start)


class Watch:
    """The text of one field, change by change."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.open: tuple[int, str] | None = None
        """Where a word that is being repaired begins, and how it stood before."""

    def change(self, text: str) -> Seen:
        """Take in the text after one edit."""
        old, self.text = self.text, text
        start = 0
        while start < min(len(old), len(text)) and old[start] == text[start]:
            start += 1
        end = 0
        while end < min(len(old), len(text)) - start and old[-1 - end] == text[-1 - end]:
            end += 1
        removed, added = old[start : len(old) - end], text[start : len(text) - end]
        correction = None
        if self.open and not _within(old, self.open[0], start, len(old) - end):
            correction = self._closed(old)
        if any(map(is_word_letter, removed)):
            first, last = _token_at(old, start, start + len(removed))
            if not all(map(is_word_letter, removed.strip())) or not removed.strip():
                self.open = None
            elif not self.open or self.open[0] != first:
                self.open = (first, old[first:last])
        word = ""
        if added and not is_word_letter(added[-1]):
            place = start + len(added.rstrip()) if added.strip() else start
            first, last = _token_at(text, place, place)
            word = plain(text[first:last]) if last == place else ""
            if self.open and self.open[0] == first:
                correction = self._closed(text)
        return Seen(correction, word)

    def leave(self) -> Correction | None:
        """Take in that the field was left."""
        return self._closed(self.text)

    def _closed(self, text: str) -> Correction | None:
        if not self.open:
            return None
        (start, slip), self.open = self.open, None
        first, last = _token_at(text, start, start)
        return judge(slip, text[first:last], start) if first == start else None


def _within(text: str, word: int, start: int, end: int) -> bool:
    """Return whether text[start:end] lies in or at the end of the word that begins at `word`."""
    first, last = _token_at(text, word, word)
    return first == word <= start and end <= last


def _token_at(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the word around text[start:end] begins and ends."""
    first, last = min(start, len(text)), min(end, len(text))
    while first and is_word_letter(text[first - 1]):
        first -= 1
    while last < len(text) and is_word_letter(text[last]):
        last += 1
    return first, last


@dataclass(frozen=True)
class Hint:
    """What was probably meant, and why it is thought so."""

    put: str
    why: str
    """`again`: corrected so before; `known`: a word that others know, one edit away; else the kind
    of the habit."""


class Own:
    """What one person taught. In memory only; `forget` empties it."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        self.given = frozenset(map(plain, given))
        """Words the page itself shows, such as the sentence to copy."""
        self.others: dict[str, None] = {}
        self.forget()

    def forget(self) -> None:
        """Forget everything that was learned."""
        self.kept: Counter[str] = Counter()
        self.put: dict[str, Counter[str]] = {}
        self.habits: Counter[str] = Counter()
        self.refused: set[tuple[str, str]] = set()
        self.corrections = 0

    def knows(self, words: Iterable[str]) -> None:
        """Take in what others know, the most common first: no slips, and what some stand for."""
        self.others = dict.fromkeys(map(plain, words))

    def word(self, word: str) -> None:
        """Learn a word that was left standing."""
        if word and (word in self.kept or len(self.kept) < WORDS_MAX):
            self.kept[word] += 1

    def correct(self, correction: Correction) -> None:
        """Learn a correction."""
        if self.corrections >= CORRECTIONS_MAX:
            return
        self.corrections += 1
        if correction.whole:
            self._count(self.put.setdefault(correction.slip, Counter()), correction.put, 1)
            self._count(self.kept, correction.slip, -1)
        edit = edit_between(correction.matched, correction.slip)
        if edit:
            self.habits[edit.key] += 1
            self.habits[edit.kind] += 1

    def accept(self, slip: str, put: str) -> None:
        """Learn that a hint was taken."""
        slip, put = plain(slip), plain(put)
        self.correct(Correction(slip, put, whole=True, matched=put, start=0))
        self.word(put)

    def refuse(self, slip: str, put: str) -> None:
        """Learn that a hint was taken back: it is not given again."""
        slip, put = plain(slip), plain(put)
        self.refused.add((slip, put))
        self._count(self.put.setdefault(slip, Counter()), put, -1)
        self._count(self.kept, put, -1)
        self.word(slip)

    def hint(self, token: str) -> Hint | None:
        """Return what was probably meant by a token that was just left, or None to leave it alone.

        The token itself has been given to `word` before.
        """
        typed = plain(token)
        before = self.put.get(typed)
        if before:
            ranked = sorted(before.items(), key=lambda one: (-one[1], one[0]))
            for put, count in ranked:
                if (typed, put) not in self.refused and self.kept[typed] <= count:
                    return Hint(put, "again")
        if len(typed) < LETTERS_MIN or typed in self.given or self.kept[typed] > 1:
            return None
        best: tuple[int, int, str] | None = None
        why = ""
        for word in sorted(self._known()):
            if word == typed or abs(len(word) - len(typed)) > 1 or (typed, word) in self.refused:
                continue
            edit = edit_between(word, typed)
            if edit is None:
                continue
            specific = self.habits[edit.key]
            kind = self.habits[edit.kind] if edit.kind in KINDS else 0
            if not specific and kind < KIND_MIN:
                continue
            rank = (-SPECIFIC_WEIGHT * specific - kind, -self.kept[word], word)
            if best is None or rank < best:
                best, why = rank, edit.kind
        return Hint(best[2], why) if best else self._of(typed)

    def _of(self, typed: str) -> Hint | None:
        """Return the most common word of others, one edit away from one that they do not know."""
        if len(typed) < KNOWN_LETTERS_MIN or typed in self.others:
            return None
        for put in islice(self.others, PUT_MAX):
            if len(put) < KNOWN_LETTERS_MIN or abs(len(put) - len(typed)) > 1:
                continue
            if edit_between(put, typed) and (typed, put) not in self.refused:
                return Hint(put, "known")
        return None

    def _known(self) -> set[str]:
        puts = {put for counter in self.put.values() for put in counter}
        return {word for word in {*self.kept, *puts, *self.given} if len(word) >= LETTERS_MIN}

    @staticmethod
    def _count(counter: Counter[str], word: str, change: int) -> None:
        counter[word] += change
        if counter[word] <= 0:
            del counter[word]


def in_case_of(token: str, put: str) -> str:
    """Return `put` in the case of `token`: all capitals, a capital first, or as it is.

    >>> in_case_of("Teh", "the"), in_case_of("TEH", "the"), in_case_of("teh", "the")
    ('The', 'THE', 'the')
    """
    if len(token) > 1 and token.upper() == token and token.lower() != token:
        return put.upper()
    if token[:1].upper() == token[:1] and token[:1].lower() != token[:1]:
        return put[:1].upper() + put[1:]
    return put
