"""The network of the learned ranker; apart, so that nothing else loads torch.

Reading: each row attends to the words of the instruction. What an earlier press of the episode
attended to is **used**; a word that the network takes for a wish and that is not used is **free**.
So it knows what is done, what remains, and what would come next in the order of the instruction,
also where another word stands on the page than in the instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from overt.models.elements.ranker import Batch

WORD_DIM, ASKED_DIM, ROW_DIM, STATE_DIM, HIDDEN_DIM = 16, 32, 64, 64, 128
DROPPED = 0.1
NEVER = -1e4
"""Score of what is not there."""


class Reading(nn.Module):
    """What of the instruction each row is, and how far that has been dealt with."""

    FIGURES = 9
    ROW = FIGURES + WORD_DIM
    STEP = 2 * WORD_DIM + 3

    def __init__(self, same: list[float]) -> None:
        super().__init__()
        self.query = nn.Linear(WORD_DIM, WORD_DIM)
        self.key = nn.Linear(ASKED_DIM, WORD_DIM)
        self.value = nn.Linear(ASKED_DIM, WORD_DIM)
        self.wish = nn.Linear(ASKED_DIM, 1)
        self.none = nn.Parameter(torch.zeros(1))
        self.same = nn.Parameter(torch.tensor(same))

    def forward(
        self, words: Tensor, asked: Tensor, match: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor]:
        """Return float32[steps, places, ROW] and float32[steps, STEP].

        `words` is float32[steps, places, WORD_DIM]; `asked` is float32[instructions, words, …].
        """
        mask = batch.asked > 0
        key = self.key(asked)[batch.which]
        score = self.query(words) @ key.transpose(1, 2) / WORD_DIM**0.5
        score = score + match @ self.same
        score = score.masked_fill(~mask[batch.which][:, None], NEVER)
        none = self.none.expand(*score.shape[:2], 1)
        share = torch.softmax(torch.cat([none, score], 2), 2)[..., 1:]
        wish = (torch.sigmoid(self.wish(asked)[..., 0]) * mask)[batch.which]
        pressed = share[:, -1] * batch.there[:, -1:]
        sums = torch.cumsum(pressed, 0) - pressed
        used = (sums - sums[batch.begins]).clamp(0, 1)
        nothing = torch.zeros(1, pressed.shape[1])
        last = torch.cat([pressed, nothing])[batch.before]
        free = (wish * (1 - used)).clamp(0, 0.999)
        soonest, next_one = _first(free), _first(free * torch.cumsum(last, 1))
        value = self.value(asked)[batch.which]
        place = torch.arange(pressed.shape[1]).float()[None, :, None] / 8
        ways = torch.stack([wish, used, free, soonest, next_one, last], 2)
        came = (last[:, None] @ place)[:, 0] / (last.sum(1, keepdim=True) + 1e-3)
        row = torch.cat(
            [
                share.sum(2, keepdim=True),
                share @ ways,
                share @ place - came[:, None],
                score.amax(2, keepdim=True).clamp(-8, 8) / 4,
                share @ value,
            ],
            2,
        )
        wanted = (torch.stack([soonest, next_one], 1) @ value).flatten(1)
        totals = torch.stack([free.sum(1), wish.sum(1), used.sum(1)], 1) / 4
        return row, torch.cat([wanted, totals], 1)


def _first(wished: Tensor) -> Tensor:
    """Return the chance that each word is the first that is wished, float32[steps, words]."""
    missed = torch.log1p(-wished)
    return wished * torch.exp(torch.cumsum(missed, 1) - missed)


class Ranker(nn.Module):
    """Scores the places of each step; see `overt.models.elements.ranker`."""

    def __init__(self, figures: int, buckets: int, seed: int) -> None:
        super().__init__()
        self.chance = torch.Generator().manual_seed(seed)
        """What is dropped; of its own, so that two can be trained beside each other and repeat."""
        self.word = nn.EmbeddingBag(buckets, WORD_DIM, mode="mean", padding_idx=0)
        nn.init.normal_(self.word.weight, std=0.3)
        with torch.no_grad():
            self.word.weight[0] = 0
        self.asked = nn.Linear(4 * WORD_DIM + 1, ASKED_DIM)
        self.of_text, self.of_names = Reading([2.0, 3.0, 1.0]), Reading([1.0])
        wide = figures + 3 + 2 * WORD_DIM + 2 * Reading.ROW
        self.figure = nn.Linear(wide, HIDDEN_DIM)
        self.row = nn.Linear(HIDDEN_DIM, ROW_DIM)
        self.start = nn.Parameter(torch.zeros(ROW_DIM))
        self.gru = nn.GRU(2 * ROW_DIM + WORD_DIM + 2 * Reading.STEP, STATE_DIM, batch_first=True)
        self.context = nn.Linear(STATE_DIM + 2 * Reading.STEP, ROW_DIM)
        self.look = nn.Linear(ROW_DIM, 3 * ROW_DIM)
        self.seen = nn.Linear(2 * ROW_DIM, ROW_DIM)
        self.score = nn.Linear(ROW_DIM, 1)
        with torch.no_grad():
            self.score.weight.mul_(0.1)
        self.trust = nn.Parameter(torch.ones(1))

    def forward(self, batch: Batch) -> Tensor:
        """Return log shares among the places but the last, float32[steps, places − 1]."""
        row, wanted, whole = self.rows(batch)
        best, there = row[:, :-1], batch.there[:, :-1]
        state = torch.cat([self.states(batch, row, wanted, whole), wanted], 1)
        mine = best + self.context(state)[:, None]
        query, key, value = self.look(torch.relu(mine)).chunk(3, 2)
        score = query @ key.transpose(1, 2) / ROW_DIM**0.5
        share = torch.softmax(score.masked_fill(~there[:, None], NEVER), 2)
        seen = torch.relu(self.seen(torch.cat([mine, share @ value], 2)))
        score = self.trust * batch.prior + self.score(self.dropped(seen))[..., 0]
        return torch.log_softmax(score.masked_fill(~there, NEVER), 1)

    def dropped(self, rows: Tensor) -> Tensor:
        """While training, leave out `DROPPED` of the cells."""
        if not self.training:
            return rows
        kept = torch.rand(rows.shape, generator=self.chance) >= DROPPED
        return rows * kept / (1 - DROPPED)

    def rows(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return each place's row, what each step still wants, and its instruction as a whole."""
        steps, places = batch.there.shape
        text = self.word(batch.text.flatten(0, 1)).view(steps, places, -1)
        names = self.word(batch.names.flatten(0, 1)).view(steps, places, -1)
        word = functional.embedding(batch.asked, self.word.weight)
        none = torch.zeros(len(word), 1, WORD_DIM)
        before = torch.cat([none, word[:, :-1]], 1)
        earlier = torch.cat([none, before[:, :-1]], 1)
        after = torch.cat([word[:, 1:], none], 1)
        place = torch.arange(word.shape[1]).float()[None, :, None].expand(len(word), -1, 1) / 10
        asked = torch.relu(self.asked(torch.cat([word, before, earlier, after, place], 2)))
        mine, wanted = self.of_text(text, asked, batch.match_text, batch)
        named, wanted_names = self.of_names(names, asked, batch.match_names, batch)
        prior = batch.prior
        of_pressed = torch.zeros(steps, 1)
        prior = torch.cat([prior, of_pressed], 1)
        sure = torch.stack([prior / 4, prior.exp(), (prior > -1).float()], 2)
        figures = torch.cat([batch.figures, sure, text, names, mine, named], 2)
        row = torch.relu(self.row(self.dropped(torch.relu(self.figure(figures)))))
        whole = self.word(batch.asked)[batch.which]
        return row * batch.there[..., None], torch.cat([wanted, wanted_names], 1), whole

    def states(self, batch: Batch, row: Tensor, wanted: Tensor, whole: Tensor) -> Tensor:
        """Return what went before each step, float32[steps, STATE_DIM]."""
        people, wide = batch.shape
        share = batch.prior.exp()[:, None] * batch.there[:, None, :-1]
        page = (share @ row[:, :-1])[:, 0]
        pressed = torch.zeros(people * wide, ROW_DIM)
        pressed[batch.cell] = row[:, -1]
        pressed = pressed.view(people, wide, ROW_DIM)
        came = torch.cat([self.start.expand(people, 1, -1), pressed[:, :-1]], 1)
        now = torch.cat([page, whole, wanted], 1)
        spread = torch.zeros(people * wide, now.shape[1])
        spread[batch.cell] = now
        state, _ = self.gru(torch.cat([came, spread.view(people, wide, -1)], 2))
        found: Tensor = state.reshape(people * wide, STATE_DIM)[batch.cell]
        return found
