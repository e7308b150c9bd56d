"""Was this person in it? Membership inference against a model, over persons.

The attacker has a person's own input, trains models as the one attacked was trained, on random
halves of people, and compares how well each foretells that person: those that had met them, those
that had not, and the one attacked. Three tests are made of that:

- `LiRA online`: two normal distributions of the person's loss, with and without them, and the ratio
  of their densities (Carlini et al. 2022)
- `LiRA offline`: the one without them alone; how far below it the loss lies
- `RMIA`: by how much likelier the person is under the model than under the others, and of how many
  other people that can be said less (Zarifzadeh, Liu & Shokri 2024)

Each model is attacked in turn with all others but one as the attacker's. Models come in pairs on
complementary halves, and the other half of the pair is left out as well: so every person is in
exactly half of what the attacker has, and counting tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.audit.likelihood import ATTACKS
from overt.audit.operating import Operating, needed, operating
from overt.audit.rates import Interval
from overt.schema.errors import InvalidInput, TooFew

SUITE = "membership/1"
PEOPLE_MIN = 20
MODELS_MIN = 8
"""Six are left to compare with: three with a person and three without."""
FALSE_RATES = (0.01, 0.001)
_PARTS = ("weights", "answers")


@dataclass(frozen=True)
class Threat:
    """Whom a release is meant to withstand: what is handed out, and what they know."""

    access: str
    """`weights`: the file, each shard by itself. `answers`: what all shards say together."""

    def words(self) -> str:
        """Return it in sentences, for reports and cards."""
        given = (
            "the model's file, each shard by itself"
            if self.access == "weights"
            else "what the model answers, not its file"
        )
        return (
            f"The attacker has {given}; the whole input of the person asked for; the way the model "
            "was trained, with every setting; and enough other people of the same kind to train "
            "such models. Not given: which shard somebody is in, and any random seed."
        )


@dataclass(frozen=True, eq=False)
class Asked:
    """Losses of people under models that were trained on halves of them.

    M models, an even number; models 2k and 2k + 1 had complementary halves. S shards, P people.
    """

    shard: Any
    """int64[M, P], the shard of each model that learned from a person, -1 for none."""
    loss: Any
    """float64[M, S, P], mean loss of a person's events under each shard alone, nats an event."""
    answered: Any
    """float64[M, P], the same of what the shards answer together."""


def halves(people: int, models: int, shards: int, seed: int = 0) -> Any:
    """Return int64[models, people]: which shard of each model learns from a person, or -1.

    Pairs of models have complementary halves; within a model shards are drawn evenly.
    """
    if models % 2:
        raise InvalidInput("must be even: models come in pairs", where="models")
    rng = np.random.Generator(np.random.PCG64([seed, people, models]))
    made = np.full((models, people), -1)
    for pair in range(0, models, 2):
        order = rng.permutation(people)
        for model, half in ((pair, order[: people // 2]), (pair + 1, order[people // 2 :])):
            made[model, half] = rng.permutation(np.arange(half.size) % shards)
    return made


@dataclass(frozen=True, eq=False)
class Itself:
    """A model that is there, and the people of `Asked` under it."""

    loss: Any
    """float64[S, P]"""
    answered: Any
    """float64[P]"""
    member: Any
    """bool[P], whom it learned from."""


HALVES, ITSELF = "halves", "itself"


@dataclass(frozen=True)
class Row:
    """What one test found, at one access."""

    access: str
    attack: str
    found: Operating
    of: str = HALVES
    """Attacked were models on `halves` of the people, each in turn, or the model `itself`."""


@dataclass(frozen=True)
class Membership:
    """All tests of one run. Rates only: nothing says of anyone whether they were recognised."""

    suite: str
    model: str
    """What was attacked, in words."""
    people: int
    models: int
    shards: int
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    """What could not be measured, and how many it takes."""

    def strongest(self, access: str, false_rate: float = FALSE_RATES[0]) -> Row:
        """Return the test that finds most members at a false positive rate, else by AUC."""

        def strength(row: Row) -> tuple[float, float]:
            rate = row.found.true_rates.get(false_rate)
            return (rate.value if rate else -1.0), row.found.auc.value

        return max((r for r in self.rows if (r.access, r.of) == (access, HALVES)), key=strength)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "suite": self.suite,
            "model": self.model,
            "people": self.people,
            "models": self.models,
            "shards": self.shards,
            "threats": {
                access: Threat(access).words() for access in sorted({r.access for r in self.rows})
            },
            "rows": [
                {
                    "access": row.access,
                    "of": row.of,
                    "attack": row.attack,
                    "auc": _plain(row.found.auc),
                    "true_rates": {
                        f"{rate:g}": _plain(found) for rate, found in row.found.true_rates.items()
                    },
                }
                for row in self.rows
            ],
            "left_out": list(self.left_out),
        }


def _plain(found: Interval | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {name: round(value, 5) for name, value in vars(found).items()}


def check(people: int, models: int) -> None:
    """Raise `TooFew`, with the numbers needed, where nothing could be measured."""
    if people < PEOPLE_MIN or models < MODELS_MIN:
        raise TooFew(
            f"membership inference needs {PEOPLE_MIN} people and {MODELS_MIN} models on halves of "
            f"them; there are {people} and {models}",
            do=f"A true positive rate at 1 % false ones needs {needed(0.01).people} people, at "
            f".1 % {needed(0.001).people}.",
        )


def attacked(
    asked: Asked,
    model: str,
    *,
    false_rates: Sequence[float] = FALSE_RATES,
    instead: tuple[Any, Any] | None = None,
    itself: Itself | None = None,
    progress: Callable[[float], None] = lambda _done: None,
) -> Membership:
    """Attack each model in turn, by every test, with the file and with answers alone.

    `instead`, losses and answers like those of `asked`, are of models that learned from nobody
    here: attacked in the place of each, they must come out at chance. `itself` is attacked as well,
    with all of these as the attacker's. Raises `TooFew` with the number needed.
    """
    instead = instead or (asked.loss, asked.answered)
    models, shards, people = asked.loss.shape
    check(people, models)
    asked, instead = _levelled(asked), (_level(instead[0]), _level(instead[1]))
    rows = []
    views = _PARTS if shards > 1 else _PARTS[:1]
    for number, access in enumerate(views):
        scores: dict[str, list[Any]] = {name: [] for name in ATTACKS}
        for target in range(models):
            progress((number + 0.6 * target / models) / len(views))
            made = _scores(asked, target, access, instead)
            for name, score in made.items():
                scores[name].append(score)
        member = (asked.shard >= 0).ravel()
        unit = np.tile(np.arange(people), models)
        for place, (name, each) in enumerate(scores.items()):
            progress((number + 0.6 + 0.4 * place / len(scores)) / len(views))
            found = operating(member, np.concatenate(each), unit, people, false_rates)
            rows.append(Row(access, name, found))
    if itself is not None:
        rows += _itself(asked, itself, views, false_rates)
    left_out = [
        f"true positives at {rate:.2g} false ones: needs {needed(rate).people:,} people and "
        f"{needed(rate).trials:,} trials, there are {people:,} and {people * models // 2:,}"
        for rate in false_rates
        if rows[0].found.true_rates[rate] is None
    ]
    return Membership(SUITE, model, people, models, shards, tuple(rows), tuple(left_out))


def _level(losses: Any) -> Any:
    """Return losses less their median over people, model by model and shard by shard.

    Some models are better than others with everybody; an attacker, who has others to ask about,
    sees that and takes it off.
    """
    return losses - np.median(losses, axis=-1, keepdims=True)


def _levelled(asked: Asked) -> Asked:
    return Asked(asked.shard, _level(asked.loss), _level(asked.answered))


def _itself(
    asked: Asked, itself: Itself, views: Sequence[str], false_rates: Sequence[float]
) -> list[Row]:
    """Return what is found of the model that is there; none if everybody, or nobody, taught it."""
    if itself.member.all() or not itself.member.any():
        return []
    people = len(itself.member)
    everyone = list(range(len(asked.shard)))
    made = []
    for access in views:
        seen = _level(itself.loss if access == "weights" else itself.answered[None])
        for name, test in ATTACKS.items():
            score = test(seen, *_known(asked, everyone, access))
            found = operating(itself.member, score, np.arange(people), people, false_rates)
            made.append(Row(access, name, found, ITSELF))
    return made


def attackers(target: int, models: int) -> list[int]:
    """Return the models that whoever attacks one has: all but it and its pair."""
    return [model for model in range(models) if model // 2 != target // 2]


def _scores(asked: Asked, target: int, access: str, instead: tuple[Any, Any]) -> dict[str, Any]:
    """Return float64[people] by test, of one model with the others as the attacker's."""
    others = attackers(target, len(asked.shard))
    seen = instead[0][target] if access == "weights" else instead[1][target][None]
    known = _known(asked, others, access)
    return {name: test(seen, *known) for name, test in ATTACKS.items()}


def _known(asked: Asked, models: Sequence[int], access: str) -> tuple[Any, Any]:
    """Return what the attacker compares with: losses under some models, and who was in which."""
    inside = asked.shard[models] >= 0
    if access == "answers":
        return asked.answered[models], inside
    shards, people = asked.loss.shape[1:]
    inside = asked.shard[models][:, None] == np.arange(shards)[None, :, None]
    return asked.loss[models].reshape(-1, people), inside.reshape(-1, people)
