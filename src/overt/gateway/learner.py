"""Which model serves which purpose: how it reads a person, learns, is kept, judged and shown.

Everything around it is the same for all: shards by tag, a manifest of batches, rebuilding on
departure, the proof by another process, the certificate, and what a page may have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from overt.schema.manifest import Manifest
from overt.schema.people import SubjectEvents


class Sample(Protocol):
    """What of one person is learned from: a function of their events and tag alone."""

    @property
    def tag(self) -> bytes: ...  # noqa: D102
    @property
    def origin(self) -> str: ...  # noqa: D102
    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def shard(self) -> int: ...  # noqa: D102


class Fitted(Protocol):
    """A sharded model: what each shard's people taught, and whether a rebuild gives the same."""

    @property
    def shards(self) -> Mapping[int, Any]: ...  # noqa: D102
    @property
    def certified(self) -> bool: ...  # noqa: D102
    def only(self, shards: Collection[int]) -> Self: ...  # noqa: D102
    def sha256(self) -> str: ...  # noqa: D102
    def to_bytes(self) -> bytes: ...  # noqa: D102
    def settings(self) -> str: ...  # noqa: D102


Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Learner:
    """One kind of model."""

    name: str
    """In words; artefacts are filed under it."""
    rule: str
    """Id of the rule that makes samples of events."""
    sample: Callable[[SubjectEvents, int], Any]
    """Events and number of shards → sample."""
    size: Callable[[Any], int]
    """How much of a person there is to learn from; 0: nothing."""
    empty: Callable[[str], Any]
    """Settings (JSON) → a model nobody has taught yet."""
    fit: Callable[[list[Any], Any, Collection[int] | None, Report, Any], Any]
    """People, model before, shards to fit (None: all), progress, `overt.models.train.Halfway` or
    None → model. What is fitted in seconds is not kept halfway."""
    loaded: Callable[[bytes], Any]
    data_hash: Callable[[list[Any]], str]
    card: Callable[[Any, Iterable[Any], Manifest, bool], dict[str, Any]]
    """Model, people whose figures may be shown, data, whether its curve may be → card."""
    page: Callable[[Any], dict[str, Any]]
    shadows: Callable[[list[Any], str], Any]
    """People and settings (JSON) → `overt.models.shadows.Shadows`: models on halves, to attack."""
    under: Callable[[Any, list[Any]], Any]
    """Model and people → their losses under each shard, and under all together."""


def learner_of(purpose: str) -> Learner:
    """Return what learns for a purpose of `LEARNS`."""
    return {PROGRAMS: _programs, TEXT: _text}.get(purpose, _encoder)()


PROGRAMS = "person-or-program"
TEXT = "text-assist"
LEARNS = ("next-action", "typing-assist", PROGRAMS, TEXT)
"""Purposes that a model serves."""


def _encoder() -> Learner:
    from overt.datasets.tokens import TOKENS_ID, sequences_of
    from overt.models import shadows, train
    from overt.models.card import card
    from overt.models.config import config_from
    from overt.models.evaluate import evaluate
    from overt.models.page import page

    def fit(people: list[Any], before: Any, shards: Any, progress: Report, halfway: Any) -> Any:
        return train.train(
            people,
            before.config,
            shards=shards,
            before=before,
            progress=shard_progress(progress),
            halfway=halfway,
        )

    return Learner(
        name="event encoder",
        rule=TOKENS_ID,
        sample=sequences_of,
        size=lambda person: person.tokens,
        empty=lambda settings: train.Trained(config_from(json.loads(settings)), {}, {}),
        fit=fit,
        loaded=train.trained_from,
        data_hash=train.dataset_hash,
        card=lambda trained, shown, data, curve: card(
            trained, evaluate(trained, shown), data, with_curve=curve
        ),
        page=page,
        shadows=lambda people, settings: shadows.encoders(
            people, config_from(json.loads(settings))
        ),
        under=shadows.under_encoder,
    )


def _programs() -> Learner:
    from overt.models import shadows
    from overt.models.programs import fitted, judged
    from overt.models.programs.sample import SAMPLE_ID, sample_of, samples_hash

    def fit(people: list[Any], before: Any, shards: Any, progress: Report, _halfway: Any) -> Any:
        return fitted.train(
            people, shards=shards, before=before, progress=lambda done: progress("training", done)
        )

    return Learner(
        name="person or program",
        rule=SAMPLE_ID,
        sample=sample_of,
        size=lambda person: person.size,
        empty=lambda _settings: fitted.Fitted({}, {}),
        fit=fit,
        loaded=fitted.Fitted.from_bytes,
        data_hash=samples_hash,
        card=lambda model, shown, data, _curve: judged.card(model, shown, data),
        page=judged.page,
        shadows=lambda people, _settings: shadows.sharded(people, fitted.train, judged.nats),
        under=lambda model, people: shadows.under(model, people, judged.nats),
    )


def _text() -> Learner:
    from overt.models import shadows
    from overt.models.text import cards, taught

    def fit(people: list[Any], before: Any, shards: Any, progress: Report, _halfway: Any) -> Any:
        return taught.train(
            people, shards=shards, before=before, progress=lambda done: progress("training", done)
        )

    return Learner(
        name="text",
        rule=taught.SAMPLE_ID,
        sample=taught.sample_of,
        size=lambda person: person.size,
        empty=lambda _settings: taught.Taught({}, {}),
        fit=fit,
        loaded=taught.Taught.from_bytes,
        data_hash=taught.samples_hash,
        card=lambda model, shown, data, _curve: cards.card(model, shown, data),
        page=cards.page,
        shadows=lambda people, _settings: shadows.sharded(people, taught.train, cards.nats),
        under=lambda model, people: shadows.under(model, people, cards.nats),
    )


def shard_progress(progress: Report) -> Callable[[Any], None]:
    """Return a progress callback for `overt.models.train.train` that reports the share done."""
    done: dict[int, float] = {}

    def report(state: Any) -> None:
        done[state.shard] = state.done / max(state.steps, 1)
        progress("training", sum(done.values()) / max(state.shards, 1))

    return report
