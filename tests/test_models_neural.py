"""What the networks promise: the reader of slips, fitting that can be broken off, the device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.commands.evaluating import evaluate
from overt.models.neural import device
from overt.models.neural.fitting import Plan, fit
from overt.models.neural.memory import Memory, initialise
from overt.models.text import network, networked
from overt.models.text.alphabet import LOWER, SIZE, UPPER, codes
from overt.models.text.scored import fitted
from overt.models.text.typed import Written
from overt.models.typos import channel, reader, reading
from overt.models.typos.evidence import COLUMNS, Evidence
from overt.models.typos.words import Words
from overt.schema.errors import Damaged, InvalidInput

WORDS = ("an", "and", "form", "from", "the", "then", "they", "two", "word", "world")
EDITS = channel.edits()


def _evidence(seed: int = 0) -> Evidence:
    rng = np.random.Generator(np.random.PCG64(seed))
    found = np.arange(len(WORDS))
    table = rng.random((len(WORDS), len(COLUMNS))).astype(np.float32)
    table[:, COLUMNS.index("place")] = rng.permutation(len(WORDS))
    return Evidence(found, table)


def _tokens(count: int) -> list[tuple[str, str, Evidence, int]]:
    typed = ("frmo", "teh", "wrold", "adn")
    meant = ("from", "the", "world", "and")
    return [
        (typed[n % 4], "they then", _evidence(n), WORDS.index(meant[n % 4])) for n in range(count)
    ]


def _choosing(count: int = 24) -> reading.Choosing:
    seen = reader.read(EDITS, WORDS, _tokens(count))
    return reading.Choosing(seen, np.ones(count, np.float32), np.arange(count) % 4 == 3)


def _line(width: int = 3) -> torch.nn.Module:
    model = torch.nn.Linear(width, 1)
    initialise(model, 5)
    return model


class _Broken(Exception):
    pass


def _fitted(
    model: torch.nn.Module,
    begun: bytes | None = None,
    passes: int = 4,
    kept: list[bytes] | None = None,
) -> float:
    rng = np.random.Generator(np.random.PCG64(3))
    x = torch.tensor(rng.normal(size=(40, 3)), dtype=torch.float32)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])

    def batches(number: int) -> Iterator[torch.Tensor]:
        yield from torch.randperm(40, generator=torch.Generator().manual_seed(number)).split(8)

    def loss(at: torch.Tensor) -> torch.Tensor:
        return ((model(x[at]) - y[at]) ** 2).mean()

    keep = None if kept is None else kept.append
    plan = Plan(passes=passes, steps=5, rate=0.05, warm=1)
    return fit(
        model, batches, loss, lambda: float(loss(torch.arange(40))), plan, begun=begun, keep=keep
    )


def test_a_fit_that_is_taken_up_again_ends_with_the_same_bits() -> None:
    whole, broken = _line(), _line()
    kept: list[bytes] = []
    least = _fitted(whole, kept=kept)
    assert least < 4.0
    other = _line()
    assert _fitted(other, begun=kept[1]) == least
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), other.parameters(), strict=True)
    )
    assert not torch.equal(next(whole.parameters()), next(broken.parameters()))


def test_a_checkpoint_of_another_network_is_refused() -> None:
    kept: list[bytes] = []
    _fitted(_line(), kept=kept, passes=1)
    other = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    with pytest.raises(Damaged):
        _fitted(other, begun=kept[0])
    with pytest.raises(Damaged):
        _fitted(_line(), begun=kept[0][:-9])


def test_fitting_stops_early_and_keeps_the_best_weights() -> None:
    model = _line()
    losses = iter([3.0, 1.0, 2.0, float("nan"), 0.5])
    weights: list[torch.Tensor] = []
    passed: list[int] = []

    def held() -> float:
        weights.append(next(model.parameters()).detach().clone())
        return next(losses)

    def batches(number: int) -> Iterator[int]:
        passed.append(number)
        yield number

    plan = Plan(passes=9, patience=2, steps=1, rate=0.1, warm=1)
    least = fit(model, batches, lambda _n: model(torch.ones(3)).sum(), held, plan)
    assert (least, passed) == (1.0, [0, 1, 2, 3])
    assert torch.equal(next(model.parameters()), weights[1])


def test_the_memory_computes_what_torch_does_on_a_card() -> None:
    memory = Memory(4, 5)
    initialise(memory, 1)
    given = torch.randn(6, 2, 4, generator=torch.Generator().manual_seed(0))
    first = torch.ones(2, 5)
    assert torch.allclose(memory(given, first), memory.gru(given, first[None])[0], atol=1e-6)


def test_the_device_is_chosen_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(device.VARIABLE, "cpu")
    assert device.chosen() == "cpu"
    assert "torch" in device.machine()
    monkeypatch.setenv(device.VARIABLE, "abacus")
    with pytest.raises(InvalidInput):
        device.chosen()


def test_a_reader_is_the_same_for_the_same_seed_and_another_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = np.array([[30, *[1, 2, 3] * 5], [30, *[3, 2, 1] * 5]] * 6, np.uint8)
    monkeypatch.setattr(reading, "CHOICE", Plan(passes=2))
    same = [reading.learned(text, _choosing(), seed) for seed in (0, 0, 1)]
    seen = _choosing().seen
    said = [reading.logits(model, seen) for model in same]
    assert np.array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])
    shares = reading.shares(said[0])
    assert (shares.sum(axis=1) < 1).all()
    assert (shares >= 0).all()


def test_a_reader_learns_to_choose_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHOICE", Plan(passes=20, rate=1e-2, warm=1))
    seen = reader.read(EDITS, WORDS, _tokens(80))
    held = np.arange(80) % 5 == 4
    model = reading.learned(
        np.zeros((0, reading.ROW), np.uint8),
        reading.Choosing(seen, np.ones(80, np.float32), held),
        0,
    )
    best = reading.logits(model, seen).argmax(axis=1)
    there = seen.right < reader.NEAREST
    assert (best == seen.right)[there & held].mean() > 0.8


@settings(max_examples=20, deadline=None)
@given(typed=st.sampled_from(["teh", "form", "two", "zzz"]), so_far=st.text("abc ", max_size=60))
def test_a_word_that_was_told_to_be_right_is_never_changed(typed: str, so_far: str) -> None:
    model = reader.reader(4).eval()
    told = reading.Reranker(model, EDITS, WORDS, right=frozenset({typed}))
    assert told.suggest(typed, so_far, _evidence()) == [(typed, 1.0)]
    free = reading.Reranker(model, EDITS, WORDS).suggest(typed, so_far, _evidence())
    assert {word for word, _ in free} - {typed}
    assert sum(share for _, share in free) <= 1.0


def test_what_is_read_is_each_candidate_beside_what_was_typed() -> None:
    evidence = _evidence()
    seen = reader.read(EDITS, WORDS, [("teh", "and then", evidence, WORDS.index("the"))])
    place = int(seen.right[0])
    pairs = list(zip(seen.meant[0, place].tolist(), seen.typed[0, place].tolist(), strict=True))
    t, h, e = 20, 8, 5
    assert pairs[: int(seen.steps[0, place])] == [(t, t), (h, e), (e, h), (31, 31)]
    assert seen.before[0].tolist()[-10:] == [30, 1, 14, 4, 31, 20, 8, 5, 14, 31]


def _letters(seed: int = 2) -> network.Letters:
    model = network.Letters()
    initialise(model, seed)
    return model.eval()


@settings(max_examples=15, deadline=None)
@given(start=st.text("ab C", min_size=1, max_size=8), end=st.text("ab C.", max_size=6))
def test_a_later_character_never_changes_what_was_said_of_an_earlier_one(
    start: str, end: str
) -> None:
    model = _letters()
    short = network.everything(model, [start])
    long = network.everything(model, [start + end, "b" * 20])[: len(start) + 1]
    assert np.allclose(short, long, atol=1e-6)
    assert np.allclose(short.sum(axis=1), 1, atol=1e-5)
    assert (short[:, 0] == 0).all()


def test_a_word_has_the_share_of_its_letters_and_of_an_end_after_it() -> None:
    model = _letters()
    text, word = "so it is", "is"
    share = network.everything(model, [text])
    letters = [share[6, [LOWER[8], UPPER[8]]].sum(), 0.0, 0.0]
    # The letter is read on in the case it would more likely have had.
    typed = "i" if share[6, LOWER[8]] >= share[6, UPPER[8]] else "I"
    after = network.everything(model, [text[:6] + typed])[7]
    letters[1] = after[[LOWER[18], UPPER[18]]].sum()
    last = "s" if after[LOWER[18]] >= after[UPPER[18]] else "S"
    end = network.everything(model, [text[:6] + typed + last])[8]
    inside = [code for code in range(SIZE) if network.LETTER[code] >= 0]
    letters[2] = 1 - end[inside].sum()
    said = network.words_after(model, [text, "a"], [(1, 0, ["a"]), (0, 6, [word, "x"])])
    assert said[1][0] == pytest.approx(float(np.log(letters).sum()), abs=1e-4)
    assert [len(one) for one in said] == [1, 2]


def test_a_network_learns_texts_and_joins_our_experts(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(passes=3, rate=1e-2, warm=1)
    monkeypatch.setattr(network, "GENERAL", plan)
    monkeypatch.setattr(network, "TEXTS", plan)
    monkeypatch.setattr(network, "LINES", 40)
    monkeypatch.setattr(
        networked,
        "english",
        lambda: Words(("a", "so"), np.log([0.5, 0.5]), {"a": 0, "so": 1}, {("a", "so"): 1.0}, {}),
    )
    texts = ["so it is", "it is so", "so is it", "is it so"]
    none = np.full(8, np.nan)
    others = [
        Written(str(at), text, text, none, none, group=at % 2)
        for at, text in enumerate([*texts, *(f"{text} now" for text in texts)])
    ]
    ours, less = fitted(others, 1, general=False)
    known = [one.text for one in others if one.group == 0]
    held = [one.text for one in others if one.group == 1]
    found = [
        networked.judge(networked.Networks((1,)), known, held, texts[:2], ours, less) for _ in "ab"
    ]
    assert {name: of.shape for name, of in found[0].bits.items()} == {
        networked.ALONE: (2,),
        networked.NEURAL: (2,),
        networked.FUSED: (2,),
    }
    for name, of in found[0].bits.items():
        assert np.array_equal(of, found[1].bits[name])
    assert (found[0].bits[networked.FUSED] < np.log2(SIZE - 1) * 10).all()
    words = found[0].words[networked.FUSED]
    assert (words[:, 0] == 3).all()
    assert (words[:, 3] <= words[:, 4]).all()
    assert len(codes(texts[0])) == 10


def test_networks_are_asked_of_tasks_that_have_some_only(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="slips"):
        evaluate("pause", tmp_path, None, neural_seeds=1)
