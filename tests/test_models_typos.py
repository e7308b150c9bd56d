"""The corrector: candidates, the error channel, and what its evaluations promise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("symspellpy")

from overt.models.typos import (
    channel,
    corrector,
    judged,
    letters,
    lists,
    slipped,
    slips,
    spaces,
    spelling,
    teachers,
    timing,
    trees,
)
from overt.models.typos.evidence import Asked, lexicon
from overt.models.typos.trie import EDITS_MAX, GAP_NATS, trie, walk
from overt.models.typos.words import Words
from overt.schema.errors import InvalidInput, TooFew

VOCABULARY = [
    "a",
    "able",
    "about",
    "an",
    "and",
    "cat",
    "coat",
    "form",
    "from",
    "knight",
    "night",
    "nite",
    "physics",
    "receive",
    "separate",
    "tea",
    "ten",
    "that",
    "the",
    "then",
    "they",
    "this",
    "though",
    "through",
    "two",
    "won",
    "word",
    "work",
    "world",
]


def _words(vocabulary: list[str]) -> Words:
    texts = tuple(sorted(set(vocabulary)))
    share = np.full(len(texts), -np.log(len(texts)))
    return Words(texts, share, {text: at for at, text in enumerate(texts)}, {}, {})


def _channel_cost(edits: channel.Edits, meant: str, typed: str) -> float:
    """The obvious loop: cheapest way from one word to another."""
    a, b = letters.codes(meant).tolist(), letters.codes(typed).tolist()
    put_in = edits.put_in_costs(letters.codes(typed)).tolist()
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            ways = [cost[i, j]]
            if i and j:
                ways.append(cost[i - 1, j - 1] + edits.change[int(i > 1), a[i - 1], b[j - 1]])
            if i:
                ways.append(cost[i - 1, j] + edits.leave_out[a[i - 2] if i > 1 else 0, a[i - 1]])
            if j:
                ways.append(cost[i, j - 1] + put_in[j - 1])
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1] and a[i - 1] != a[i - 2]:
                ways.append(cost[i - 2, j - 2] + edits.swap)
            cost[i, j] = min(ways)
    return float(cost[-1, -1])


def _edits(a: str, b: str) -> int:
    """The obvious loop: letters changed, left out, put in, and swapped with the next."""
    made = np.zeros((len(a) + 1, len(b) + 1), int)
    made[:, 0], made[0] = range(len(a) + 1), range(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            ways = [made[i - 1, j - 1] + (a[i - 1] != b[j - 1]), made[i - 1, j] + 1]
            ways.append(made[i, j - 1] + 1)
            if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
                ways.append(made[i - 2, j - 2] + 1)
            made[i, j] = min(ways)
    return int(made[-1, -1])


@settings(max_examples=60, deadline=None)
@given(
    typed=st.text("abehnortw'", min_size=1, max_size=9),
    vocabulary=st.lists(st.text("abehnortw", min_size=1, max_size=7), min_size=1, max_size=30),
    reach=st.integers(2, 3),
)
def test_the_walk_finds_exactly_the_words_that_the_obvious_loop_finds(
    typed: str, vocabulary: list[str], reach: int
) -> None:
    texts = tuple(sorted(set(vocabulary)))
    prior = np.array([0.3 * len(text) for text in texts])
    edits = channel.edits()
    found, costs = walk(trie(texts, prior), edits, letters.codes(typed), len(texts), reach)
    away = {text: _edits(text, typed) for text in texts}
    within = min(max(min(away.values()) + 1, reach), EDITS_MAX)
    near = {
        text: _channel_cost(edits, text, typed) + prior[at]
        for at, text in enumerate(texts)
        if away[text] <= within
    }
    best = min(near.values(), default=0.0)
    wanted = {text: cost for text, cost in near.items() if cost <= best + GAP_NATS}
    assert {texts[at] for at in found} == wanted.keys()
    assert np.allclose(costs, [wanted[texts[at]] for at in found])
    assert all(one <= other for one, other in pairwise(costs))


def test_a_hand_nobody_watched_is_still_corrected() -> None:
    known = corrector.untrained(_words(VOCABULARY))
    assert not known.learned
    for typed, meant in (
        ("teh", "the"),
        ("recieve", "receive"),
        ("wprd", "word"),
        ("thogh", "though"),
    ):
        assert known.suggest(Asked(typed))[0].text == meant


def test_the_channel_learns_which_pieces_become_which() -> None:
    pairs = [("fysics", "physics"), ("foto", "photo"), ("fone", "phone"), ("graf", "graph")] * 5
    learned = corrector.channel(pairs)
    fitted = corrector.Corrector(
        lexicon(_words(["phase", "ease", "base", "case"])), learned, corrector.Ranker()
    )
    assert fitted.learned
    assert fitted.suggest(Asked("fase"))[0].text == "phase"
    assert corrector.untrained(fitted.lexicon.words).suggest(Asked("fase"))[0].text != "phase"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_an_answer(typed: str) -> None:
    known = corrector.untrained(_words(VOCABULARY))
    made = known.suggest(Asked(typed.lower(), before="the", in_context=True))
    assert all(0 <= one.probability <= 1 for one in made)
    assert len({one.text for one in made}) == len(made)


def test_words_that_sound_the_same_have_one_key() -> None:
    assert letters.sound("nite") == letters.sound("knight")
    assert letters.sound("fisics") == letters.sound("physics")
    assert letters.sound("cat") != letters.sound("mat")
    assert letters.sound("") == ""


def test_a_list_is_read_whatever_its_encoding_and_counts(tmp_path: Path) -> None:
    (tmp_path / "one.dat").write_bytes(
        "$Café\ncafè 3\n\n$a_lot\nalot\n$the\nteh\n".encode("latin-1")
    )
    assert lists.read(tmp_path) == {"one": [("cafè", "café"), ("teh", "the")]}


def test_pairs_with_a_space_are_read_apart_from_the_others(tmp_path: Path) -> None:
    (tmp_path / "one.dat").write_text("$a_lot\nalot\n$together\nto_gether\n$the\nteh\n")
    assert lists.spaced(tmp_path) == [("alot", "a lot"), ("to gether", "together")]
    assert lists.read(tmp_path) == {"one": [("teh", "the")]}


def test_lists_of_a_word_a_line_are_read_and_other_texts_are_not(tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_text("the: teh hte*3\r\n\r\na_lot: alot\r\n")
    (tmp_path / "README.txt").write_text("Note: these are lists.\nMade by hand.\n")
    assert lists.read(tmp_path) == {"set": [("teh", "the"), ("hte", "the")]}
    assert lists.spaced(tmp_path) == [("alot", "a lot")]
    with pytest.raises(InvalidInput, match="before the first right word"):
        lists.read(tmp_path / "README.txt")


def test_spaces_are_put_in_and_taken_out_where_that_makes_words() -> None:
    model = corrector.untrained(_words([*VOCABULARY, "together", "to"]))
    read = spaces.best(model, Asked("fromthe"))
    assert read
    assert read.text == "from the"
    torn = spaces.joined(model, "to", "gether")
    assert torn
    assert torn.text == "together"
    assert spaces.joined(model, "ab", "out", before="the")


def test_who_leaves_out_letters_leaves_out_spaces() -> None:
    known = _words([*VOCABULARY, "together", "because"])
    pairs = [(word[:at] + word[at + 1 :], word) for word in known.words for at in range(len(word))]
    careful = corrector.untrained(known)
    careless = corrector.Corrector(careful.lexicon, corrector.channel(pairs), careful.ranker)
    assert spaces.space_nats(careless) < spaces.space_nats(careful) <= spaces.SPACE_NATS
    assert spaces.space_nats(corrector.untrained(_words(["a", "the"]))) == spaces.SPACE_NATS


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(VOCABULARY), st.sampled_from(VOCABULARY))
def test_right_words_are_neither_taken_apart_nor_joined_unless_one_is_far_likelier(
    one: str, other: str
) -> None:
    known = _words(VOCABULARY)
    assert spaces.apart(known, Asked(one)) is None
    made = spaces.joined(corrector.untrained(known), one, other)
    assert made is None or one + other in known


def test_a_list_without_a_right_word_says_where(tmp_path: Path) -> None:
    (tmp_path / "bad.dat").write_text("teh\n")
    with pytest.raises(InvalidInput, match=r"bad\.dat, line 1"):
        lists.read(tmp_path)


def _slip(**other: object) -> dict[str, object]:
    row = {"participant": 5, "section": 1, "word_index": 2, "typed": "Teh", "intended": "the"}
    row |= {"typed_left": "We saw", "prompt_left": "We saw", "left_by": "left"}
    return {**row, "slip_type": "multiple", **other}


def test_a_table_of_slips_is_read_with_the_right_words_beside_them(tmp_path: Path) -> None:
    rows = [_slip(), _slip(section=2, slip_type="case"), _slip(section=3, typed_left="Wr saw")]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "any.parquet")
    found = slipped.read(tmp_path, 5)
    assert [(one.asked.typed, one.meant, one.asked.before) for one in found.slips] == [
        ("teh", "the", "saw"),
        ("teh", "the", "saw"),
    ]
    begun = _slip(section=4, left_by="backspaced")
    whole = _slip(section=5, left_by="backspaced", intended_chars=3)
    parquet.write_table(pa.Table.from_pylist([*rows[::-1], begun]), tmp_path / "copy.parquet")
    parquet.write_table(pa.Table.from_pylist([whole]), tmp_path / "whole.parquet")
    assert len(slipped.read(tmp_path, 5).slips) == len(found.slips) + 1
    (tmp_path / "whole.parquet").unlink()
    assert len(slipped.read(tmp_path, 5).slips) == len(found.slips)
    assert found.slips[0].asked.capital
    assert sorted(one.meant for one in found.right) == ["saw", "saw", "saw", "we", "we"]
    assert {one.group for one in (*found.slips, *found.right)} == {slipped.group_of("we", 5)}


def test_a_table_that_is_not_of_slips_says_what_is_needed(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "any.parquet")
    (tmp_path / "empty.parquet").write_bytes(b"")
    with pytest.raises(InvalidInput, match="no table of slips"):
        slipped.read(tmp_path, 5)
    lacking = pa.Table.from_pylist([_slip()]).drop_columns(["section"])
    parquet.write_table(lacking, tmp_path / "slips.parquet")
    with pytest.raises(InvalidInput, match="no column section"):
        slipped.read(tmp_path, 5)
    parquet.write_table(pa.Table.from_pylist([_slip()]), tmp_path / "slips.parquet")
    assert len(slipped.read(tmp_path, 5).slips) == 1


def test_a_table_without_a_slip_to_score_is_refused(tmp_path: Path) -> None:
    rows = [_slip(slip_type="case")]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "any.parquet")
    with pytest.raises(TooFew, match="no slip"):
        slips.evaluate(tmp_path, lambda _what, _done: None)


def test_those_who_are_scored_are_never_learned_from() -> None:
    assert slips.scored_people({"5", "6", "10", "11"}) == {"5", "10"}
    assert slips.scored_people({"anna"}) == {"anna"}
    named = {f"person {number}" for number in range(40)}
    assert set() < slips.scored_people(named) < named
    few = slips.scored_people({str(number) for number in range(1, 13)})
    assert len(few) == judged.PEOPLE_MIN
    assert {"5", "10"} < few


def test_slips_of_too_few_people_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    pytest.importorskip("symspellpy")
    rows = [_slip(participant=person, section=n) for person in range(4) for n in range(3)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "any.parquet")
    with pytest.raises(TooFew, match="At least 5"):
        slips.evaluate(tmp_path, lambda _what, _done: None)


def test_whoever_teaches_from_elsewhere_is_nobody_who_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(folder: Path, people: dict[str, str]) -> Path:
        folder.mkdir()
        rows = [
            _slip(participant=name, section=n, typed=f"{begins}teh", intended=f"{begins}the")
            for name, letters in people.items()
            for n, begins in enumerate(letters)
        ]
        parquet.write_table(pa.Table.from_pylist(rows), folder / "slips.parquet")
        return folder

    elsewhere = tmp_path / teachers.FOLDER
    written(elsewhere, {"1": "abcd", "2": "efgh", "3": "ijkl", "4": "mnop"})
    mine = written(tmp_path / "mine", {"1": "qrst", "renamed": "efgz", "new": "ijxy"})
    scored = slipped.read(mine, 5)
    monkeypatch.delenv("OVERT_DATA", raising=False)
    assert teachers.beside(mine, scored, 5, 0)[0].slips == ()
    monkeypatch.setenv("OVERT_DATA", str(tmp_path))
    others, where = teachers.beside(mine, scored, 5, 0)
    assert where == str(elsewhere)
    assert {one.person for one in (*others.slips, *others.right)} == {"4"}
    assert {name for said in others.sentences.values() for name, _ in said} == {"4"}
    assert teachers.beside(elsewhere, slipped.read(elsewhere, 5), 5, 0)[1] == ""
    assert teachers.beside(mine, scored, 5, teachers.TAUGHT)[1] == ""
    monkeypatch.setattr(teachers, "TAUGHT", 1)
    far = written(tmp_path / "far", {"new": "z"})
    some = teachers.beside(far, slipped.read(far, 5), 5, 0)[0]
    assert len({one.person for one in some.slips}) == 1


def _made(person: str, meant: str, best: str, probability: float) -> judged.Judged:
    kind = "" if meant == "right" else "insertion"
    asked = Asked("form" if meant == "from" else "thee")
    attempt = slipped.Attempt(person, 0, asked, meant, kind)
    return judged.Judged(attempt, best, probability)


def test_slips_that_are_words_and_kinds_of_enough_people_have_rows_of_their_own() -> None:
    pytest.importorskip("symspellpy")
    five = [_made(str(n), "from", "from", 0.9) for n in range(5)]
    four = [_made(str(n), "the", "", 0.0) for n in range(4)]
    right = [_made(str(n), "right", "x", 0.1) for n in range(5)]
    rows = {(one.name, one.metric): one.value for one in judged.rows("a", five, right, 0.5)}
    assert rows["a: a word of English", "top1"] == 1
    assert rows["a: insertion", "top1"] == 1
    names = {one.name for one in judged.rows("a", [*five[:4], *four], right, 0.5)}
    assert names == {"a"}


def test_calibration_is_how_far_confidence_is_from_what_was_meant() -> None:
    slips_made = [_made(str(n), "from", "from", 0.75) for n in range(6)]
    right = [_made(str(n), "right", "x", 0.75) for n in range(2)]
    assert judged.calibration("a", slips_made, right).value == pytest.approx(0.0)
    assert judged.calibration("a", slips_made, []).value == pytest.approx(0.25)
    rng = np.random.default_rng(0)
    few = [_made(str(n % 9), "from", "from" if rng.random() < p else "x", p) for n, p in
           enumerate(rng.random(60).tolist())]  # fmt: skip
    found = judged.calibration("a", few, [])
    assert found.low < found.value < found.high


def test_the_threshold_lets_four_right_words_in_a_thousand_be_changed() -> None:
    right = np.linspace(0, 1, 10_000).tolist()
    threshold = judged.threshold(right)
    assert sum(p > threshold for p in right) == 40


def test_a_word_is_either_learned_from_or_scored_whatever_its_misspelling() -> None:
    pairs = [(f"{word}{end}", word) for word in VOCABULARY for end in "xyz"]
    sides = {word: {spelling._unseen(p) for p in pairs if p[1] == word} for word in VOCABULARY}
    assert all(len(side) == 1 for side in sides.values())
    assert {True, False} == set.union(*sides.values())


def test_what_is_scored_is_not_learned_from_neither_as_typed_nor_by_its_word() -> None:
    pairs = [("teh", "the"), ("hte", "the"), ("adn", "and"), ("amd", "and"), ("abel", "able")]
    taught = [pair for pair in pairs if not spelling._unseen(pair)]
    assert spelling.learned(pairs, {}, []) == taught
    other = {"other": [("adn", "an")]}
    assert spelling.learned(pairs, other, []) == [p for p in taught if p[0] != "adn"]
    assert {("adn", "and"), ("amd", "and")} <= set(taught)
    part = [("adn", "and")]
    assert spelling.learned(pairs, {"missp": part}, part) == [p for p in taught if p[1] != "and"]


def test_what_is_gained_is_of_the_same_pairs() -> None:
    pairs = [("teh", "the"), ("hte", "the"), ("recieve", "receive"), ("cta", "cat")]
    ours, theirs = [("the",), ("the",), ("x",), ("cat",)], [("the",), (), ("receive",), ("cat",)]
    assert spelling._gain("", pairs, ours, theirs).value == 0
    assert spelling._gain("", pairs[:2], ours[:2], theirs[:2]).value == 0.5


def test_the_flat_trees_add_up_to_what_lightgbm_says() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    table = rng.integers(0, 9, (400, 3)).astype(np.float32)
    label = (table[:, 0] > table[:, 1]).astype(float)
    plain = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbosity": -1}
    fitted = lightgbm.train(plain, lightgbm.Dataset(table, label), 20)
    flat = trees.of(fitted).raw(table)
    assert np.allclose(flat, fitted.predict(table, raw_score=True))


def test_times_of_a_token_are_those_of_the_letters_that_stood() -> None:
    keys = [(100_000.0 * at, 100_000.0 * at + 50_000, key) for at, key in enumerate("We ")]
    late = 1_000_000.0
    keys += [(late, late + 150_000, "t"), (late + 100_000, late + 120_000, "e")]
    keys += [(late + 200_000, late + 250_000, key) for key in ("BKSP",)]
    keys += [(late + 300_000, late + 350_000, "h"), (late + 400_000, late + 450_000, " ")]
    found = timing._tokens(keys)
    assert set(found) == {(0, "we"), (1, "te"), (1, "th")}
    assert found[1, "th"].rollover.tolist() == [False, False]
    assert found[1, "te"].rollover.tolist() == [False, True]
    assert found[1, "te"].into.round(3).tolist() == [round(float(np.log(8)), 3), 0.0]
    assert found[1, "te"].hold.round(2).tolist() == [1.1, -0.92]
    assert timing._tokens([(0.0, 1.0, "İ")]) == {}


def test_the_letters_at_which_a_candidate_differs_are_those_it_does_not_explain() -> None:
    edits = channel.edits()
    differs = {
        ("word", "wprd"): "0100",
        ("the", "teh"): "011",
        ("word", "woord"): "01000",
        ("word", "wrd"): "010",
        ("word", "wor"): "001",
        ("word", "word"): "0000",
    }
    for (meant, typed), wanted in differs.items():
        at, after = timing._differs(edits, letters.codes(meant), letters.codes(typed))
        assert sum(at) == wanted.count("1")
        assert not after[0]
        if meant != typed and typed != "woord":
            assert "".join(str(int(one)) for one in at) == wanted
