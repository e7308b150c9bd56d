"""What comes next in text: counted right, kept apart, and worth what it says."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.datasets.reading.imported import Skipped
from overt.models.text import (
    alphabet,
    counted,
    kneser_ney,
    mixture,
    offered,
    personal,
    scored,
    timing,
    told,
    typed,
    writers,
)
from overt.models.text.judged import Draws
from overt.models.text.mixture import Experts, Predictor
from overt.models.text.typed import Written
from overt.models.text.vocabulary import Vocabulary, learned, words_of
from overt.schema.errors import InvalidInput, TooFew

LINES = (
    "we go to the sea",
    "we go to the town",
    "the sea is near the town",
    "they go home",
    "don't go to sea",
)


class Slow:
    """Interpolated Kneser-Ney as the book has it: one symbol at a time, out of dictionaries."""

    def __init__(self, texts: list[list[int]], order: int, symbols: int) -> None:
        self.symbols = symbols
        runs = {
            length: Counter(
                tuple(text[at : at + length])
                for text in texts
                for at in range(len(text) - length + 1)
                if text[at : at + length] != [0]
            )
            for length in range(1, order + 1)
        }
        self.counts: dict[int, dict[tuple[int, ...], int]] = {order: dict(runs[order])}
        for length in range(1, order):
            before: dict[tuple[int, ...], set[int]] = {}
            for run in runs[length + 1]:
                before.setdefault(run[1:], set()).add(run[0])
            self.counts[length] = {
                run: count if run[0] == 0 else len(before[run])
                for run, count in runs[length].items()
            }
        self.off = {
            length: kneser_ney.discounts(np.array(list(counts.values())))
            for length, counts in self.counts.items()
        }

    def share(self, context: tuple[int, ...], symbol: int) -> float:
        """Return the share of a symbol after a context."""
        length = len(context) + 1
        counts = {
            run[-1]: count for run, count in self.counts[length].items() if run[:-1] == context
        }
        lower = self.share(context[1:], symbol) if context else 1 / (self.symbols - 1)
        if not counts:
            return lower
        off = {one: self.off[length][min(count, 3) - 1] for one, count in counts.items()}
        total = sum(counts.values())
        kept = counts[symbol] - off[symbol] if symbol in counts else 0.0
        return kept / total + sum(off.values()) / total * lower


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 4), max_size=12), min_size=1, max_size=6),
    st.lists(st.integers(1, 4), max_size=8),
    st.integers(1, 4),
)
def test_fast_kneser_ney_says_what_the_slow_one_says(
    texts: list[list[int]], asked: list[int], order: int
) -> None:
    texts = [[0, *text] for text in texts if text]
    if not texts:
        return
    fast = kneser_ney.fit([np.array(text) for text in texts], order, 6, 3)
    slow = Slow(texts, order, 6)
    shares = fast.everything([np.array([0, *asked])])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    for at, row in enumerate(shares, 1):
        context = tuple([0, *asked][max(0, at - order + 1) : at])
        np.testing.assert_allclose(row[1:], [slow.share(context, one) for one in range(1, 6)])


def _model(lines: tuple[str, ...] = LINES) -> Predictor:
    local = learned(words for line in lines for words in mixture.sentences(line))
    experts = Experts((mixture.speller(lines, 4),), (local,))
    return Predictor(experts, np.full((2, 2), 0.5))


def test_a_vocabulary_says_of_every_beginning_what_its_words_add_up_to() -> None:
    known = learned(words for line in LINES for words in mixture.sentences(line))
    everyone = np.arange(len(known.words))
    for before in ("", "go", "the", "nobody"):
        shares = dict(zip(known.words, known.shares(before, everyone).tolist(), strict=True))
        assert sum(shares.values()) == pytest.approx(1)
        for prefix in ("", "t", "th", "the", "don", "x"):
            masses = known.masses(before, prefix)
            assert masses[0] == pytest.approx(shares.get(prefix, 0.0))
            for letter, mass in zip(alphabet.LETTERS, masses[1:].tolist(), strict=True):
                begin = prefix + letter
                assert mass == pytest.approx(
                    sum(share for word, share in shares.items() if word.startswith(begin))
                )


@settings(max_examples=10, deadline=None)
@given(st.text(alphabet="abt e'.T1é", max_size=15))
def test_the_experts_together_give_every_character_a_share_and_all_of_them_one(text: str) -> None:
    shares = _model().characters([alphabet.fold(text)])
    assert shares.shape == (len(text) + 1, alphabet.SIZE)
    assert (shares[:, 1:] > 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_a_vocabulary_helps_where_a_word_is_known_and_does_no_harm_where_it_is_not() -> None:
    looked = mixture.look(_model().experts, ["they go to the sea"])
    weights = mixture.weigh([looked])
    assert weights.sum(axis=1) == pytest.approx([1, 1])
    together = mixture.mixed(looked, weights)
    came = together[np.arange(len(looked.came)), looked.came]
    assert np.log(came).sum() > np.log(looked.given[0]).sum()
    unknown = mixture.look(_model().experts, ["zzz"])
    for share in mixture.mixed(unknown, np.full((2, 2), 0.5))[2:]:
        np.testing.assert_allclose(share, unknown.share[0][2], atol=0.05)


def test_words_are_offered_in_the_order_of_their_shares() -> None:
    model = _model()
    assert model.words("go", "")[0] == "to"
    assert model.words("the", "s") == ["sea"]
    assert model.words("", "th")[:2] == ["the", "they"]
    assert model.words("nobody", "q") == []


def test_keys_are_counted_as_the_hand_would_press_them() -> None:
    def offer(said: list[str], prefix: str) -> list[str]:
        return ["to", "sea"] if prefix or said == ["we", "go"] else []

    played = offered.play("We go to sea, now", offer)
    # W e _ g o _ [to ] s [sea] , _ n o w
    assert (played.words, played.first, played.offered) == (5, 1, 1)
    assert (played.keys, played.characters) == (14, 17)
    nothing = offered.play("so it is.", lambda _said, _prefix: [])
    assert (nothing.keys, nothing.characters) == (9, 9)


def test_words_counted_by_kneser_ney_are_offered_after_those_that_were_said() -> None:
    model = counted.count_words([line.split() for line in LINES], 3)
    assert model.words_after(["we", "go"], "")[0] == "to"
    assert model.words_after(["go", "to", "the"], "t")[0] == "town"
    assert model.words_after(["unheard", "of"], "s") == ["sea"]


def _written(person: str, asked: str, text: str = "") -> Written:
    times = np.arange(float(len(text or asked)))
    return Written(person, asked, text or asked, times, times + 1)


def test_texts_in_different_groups_share_no_run_of_words() -> None:
    numbers = [f"this is sentence number {at} of them" for at in range(20)]
    other = [f"{word} goes home early today and sleeps" for word in ("anna", "bert", "cleo")]
    single = ["yes", "no thanks"]
    texts = typed.grouped([_written("1", one) for one in (*numbers, *other, *single)], 3)
    seen: dict[str, int] = {}
    for one in texts:
        words = [word.group().lower() for word in words_of(one.asked)]
        for at in range(len(words) - typed.SHARED_WORDS + 1):
            run = " ".join(words[at : at + typed.SHARED_WORDS])
            assert seen.setdefault(run, one.group) == one.group
    assert {one.group for one in texts} <= {0, 1, 2}
    assert len({one.group for one in texts if one.asked in other}) == 1


def test_a_sentence_that_many_copied_is_learned_from_once_as_most_typed_it() -> None:
    texts = [_written("1", "We go."), _written("2", "We go.", "We  go"), _written("3", "We go.")]
    assert typed.once(texts) == ["We go."]


def test_keys_that_were_taken_back_are_not_in_the_text() -> None:
    presses = [(float(at), at + 1.0, key) for at, key in enumerate(["a", "BKSP", "SHIFT", "b"])]
    assert [key for *_, key in typed.replayed(presses)] == ["b"]
    assert typed.replayed([(1.0, 2.0, "BKSP")]) == []


def test_intervals_are_over_people_and_sentences() -> None:
    texts = [_written(person, asked) for person in "abcdef" for asked in ("one", "two", "three")]
    hits = np.array([float(one.person in "abc") for one in texts])
    row = Draws.of(texts).ratio("some", "share", hits, np.ones(len(texts)))
    assert row.value == pytest.approx(0.5)
    assert row.low < 0.3
    assert row.high > 0.7
    alone = Draws.of(texts[:1]).ratio("one", "share", hits[:1], np.ones(1))
    assert (alone.low, alone.value, alone.high) == (1, 1, 1)


def test_a_place_without_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1_keystrokes.txt").write_text(
        "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\n"
    )
    with pytest.raises(InvalidInput, match="no text"):
        typed.read(tmp_path, lambda _what, _share: None)


def test_keys_whose_time_is_none_have_no_order_and_make_no_text(tmp_path: Path) -> None:
    head = "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\n"
    keys = ["1\t1\t1\t19\ta", "1\t1\t2\t29\tb", "1\t2\t3\t39\ta", "1\t2\tnan\t49\tb"]
    (tmp_path / "1_keystrokes.txt").write_text(head + "\n".join(keys))
    skipped = Skipped()
    found = typed.read(tmp_path, lambda _what, _share: None, skipped)
    assert [one.text for one in found] == ["ab"]
    assert any("PRESS_TIME" in told for told in skipped.told())


def test_one_vocabulary_may_be_empty() -> None:
    empty = Vocabulary({}, {})
    assert empty.masses("", "a").tolist() == [0.0] * (len(alphabet.LETTERS) + 1)
    assert empty.nearest("", "") == []
    assert [a < b for a, b in pairwise(alphabet.LETTERS)] == [True] * 26


def _hand(rng: np.random.Generator, person: str, text: str, *, tells: bool) -> Written:
    """Type a text: how long each key takes hangs on the letter, or on nothing."""
    into = np.array([80 + 12 * (ord(letter) % 27) if tells else 200 for letter in text], float)
    press = 1000 + np.cumsum(into * np.exp(0.1 * rng.standard_normal(len(text))))
    return Written(person, text, text, press, press + 60)


@pytest.mark.parametrize("tells", [True, False])
def test_times_tell_of_words_only_as_far_as_keys_differ(tells: bool) -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    model = _model()
    others = [_hand(rng, f"o{at}", line, tells=tells) for at in range(12) for line in LINES]
    mine = [_hand(rng, f"m{at}", line, tells=tells) for at in range(6) for line in LINES[:3]]
    found = told.Told()
    told.tell(model, model, others, others[:30], mine, 0, found)
    rows = {(row.name, row.metric): row for row in told.rows(found, Draws.of(mine), len(mine))}
    for name, metric in (
        ("saved by times", "bits a letter, text so far known"),
        (f"saved: {told.ATTACKS[2]}", "attack: bits a word"),
    ):
        saved = rows[name, metric]
        assert saved.value > 0.15 if tells else abs(saved.value) < 0.05
    lengths = rows[told.ATTACKS[0], "attack: bits a word"].value
    assert rows[told.NOTHING, "attack: bits a word"].value > lengths


def test_words_are_attacked_only_where_all_keys_are_letters() -> None:
    text = "Go, to it 2 me"
    (one,) = timing.timed([_hand(np.random.Generator(np.random.PCG64(1)), "a", text, tells=True)])
    assert [text[start:end] for start, end in timing.words(one)] == ["to", "it", "me"]
    assert timing.timed([]) == []


def test_own_words_are_known_after_they_were_read() -> None:
    own = personal.with_own(_model().experts, ["the zyx is a zyx"] * 3)
    assert own.count == 4
    model = Predictor(own, np.full((2, 4), 0.25))
    assert model.offer(["a"], "z") == ["zyx"]
    assert _model().offer(["a"], "z") == []
    before, after = (
        of.characters(["a zyx"])[3, alphabet.codes("y")[1]] for of in (_model(), model)
    )
    assert after > 10 * before


def test_what_is_judged_of_a_writer_was_not_read_before() -> None:
    in_order = [f"word{at} is here" for at in range(1000)]
    for many in personal.LEARNED:
        own, then = personal.split(in_order, many)
        assert then[0] == "word666 is here"
        assert own[-1:] == (["word665 is here"] if many else [])
        assert abs(3 * len(own) - many) < 6
    assert writers.sentences("One is here.  So\nis two!\n\nThree\n\n--") == [
        "One is here.",
        "So is two!",
        "Three",
    ]


def _logs(folder: Path, people: int, sentences: int) -> None:
    """Write logs of people who copy sentences of made-up words, and texts of five writers."""
    rng = np.random.Generator(np.random.PCG64(7))
    words = ["".join(rng.choice(list("abcdeinorst"), rng.integers(2, 8))) for _ in range(150)]
    asked = [" ".join(rng.choice(words, 7)) + "." for _ in range(sentences)]
    head = "PARTICIPANT_ID\tTEST_SECTION_ID\tSENTENCE\tUSER_INPUT\tPRESS_TIME\tRELEASE_TIME\tLETTER"
    for person in range(people):
        lines, now = [head], 1000.0
        for section in range(10):
            text = asked[(7 * person + section) % sentences]
            for letter in text:
                now += float(rng.integers(90, 300))
                lines.append(f"{person}\t{section}\t{text}\t{text}\t{now}\t{now + 80}\t{letter}")
        (folder / f"{person}_keystrokes.txt").write_text("\n".join(lines))
    for writer in range(4):
        own = rng.choice(words[:40], 2600)
        lines = [" ".join(own[at : at + 10]) + "." for at in range(0, 2600, 10)]
        (folder / f"writer{writer}.txt").write_text("\n".join(lines))


@pytest.mark.soak
def test_made_up_texts_are_scored_from_end_to_end(tmp_path: Path) -> None:
    pytest.importorskip("symspellpy")
    _logs(tmp_path, 30, 120)
    scores = scored.evaluate(tmp_path, lambda _what, _share: None)
    rows = {(row.name, row.metric): row.value for row in scores.rows}
    assert rows["uniform", scored.BITS] == pytest.approx(np.log2(alphabet.SIZE - 1))
    assert rows[scored.OURS, scored.BITS] < rows["Kneser-Ney, 3 characters", scored.BITS]
    own = [rows[f"ours, after {many:,} own words", scored.BITS] for many in personal.LEARNED]
    assert own[0] > own[1] > own[2]
    assert scores.counts["people scored"] == 6
    few = tmp_path / "few"
    few.mkdir()
    _logs(few, 12, 20)
    with pytest.raises(TooFew, match="fewer than"):
        scored.evaluate(few, lambda _what, _share: None)
    for number in range(9):
        (few / f"{number}_keystrokes.txt").unlink()
    with pytest.raises(TooFew, match="3 people"):
        scored.evaluate(few, lambda _what, _share: None)
