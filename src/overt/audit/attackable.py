"""What of published data can be attacked: models that learn from people, by name.

Two are there to show that the attack can be believed: `overfitted`, which it must see through, and
`strangers`, models that never met who is looked for, where it must be at chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from overt.audit.membership import Asked, Membership, attacked, check, halves
from overt.datasets.formats import aalto
from overt.datasets.tokens import Sequences
from overt.models import shadows, typists
from overt.models.config import Config
from overt.models.scores import Progress
from overt.models.stream import stream_of
from overt.models.typos import shadows as typos
from overt.schema.errors import InvalidInput
from overt.schema.people import SubjectEvents

_TAGGED = b"overt audit membership 1\0"
OVERFITTED = {"epochs": 150, "epochs_max": 150, "weight_decay": 0.0}


@dataclass(frozen=True)
class Kind:
    """A kind of model: in words, and whether it has shards."""

    words: str
    sharded: bool


KINDS = {
    "encoder": Kind("the event encoder (next event and pause)", sharded=True),
    "lightgbm": Kind("LightGBM (next event and pause)", sharded=False),
    "corrector": Kind("the typo corrector, taught by people's slips", sharded=False),
    "corrector-in-context": Kind(
        "the typo corrector, taught by people's slips, asked with the words before", sharded=False
    ),
    "text": Kind("next character and word, taught by people's texts", sharded=True),
    "programs": Kind("person or program, taught by how people point", sharded=True),
    "private": Kind("pauses learned with the privacy of people (DP-FedAvg)", sharded=False),
    "overfitted": Kind("an event encoder that was trained far too long", sharded=False),
    "strangers": Kind("event encoders that never met who is looked for", sharded=True),
}


def published(
    name: str,
    path: Path,
    people_max: int,
    models: int,
    shards: int,
    device: str,
    progress: Progress,
    *,
    epsilon: float | None = None,
    epochs: int | None = None,
) -> Membership:
    """Attack a model of `KINDS` trained on published people. Raises `TooFew` with the numbers.

    `epsilon` is of `private` alone; None learns as it does, without noise. `epochs`, passes over
    the data, is of `encoder` alone; None as it ships.
    """
    if name not in KINDS:
        raise InvalidInput(
            "is not known", where=f"--model {name}", do=f"Known: {', '.join(KINDS)}."
        )
    if epochs is not None and name != "encoder":
        raise InvalidInput("is of the encoder alone", where="--epochs", do="Leave it out.")
    config = replace(Config(), device=device, epochs=epochs or Config().epochs)
    count = shards if KINDS[name].sharded else 1
    if name in ("corrector", "corrector-in-context"):
        slips = typos.read(path, people_max)
        correctors = typos.correctors(slips, in_context=name != "corrector")
        return _attacked(name, len(slips), models, 1, correctors, progress)
    if name in ("text", "programs"):
        read = _texts if name == "text" else _pointing
        some, made = read(path, people_max, count, _within(progress, 0.0, 0.1))
        return _attacked(name, some, models, count, made, progress)
    most = people_max * (2 if name == "strangers" else 1)
    only = typists.first(path, most)
    people = typists.all_in(path, _within(progress, 0.0, 0.5), only=only)[:most]
    if name == "strangers":
        return _strangers(people, models, count, config, progress)
    if name == "overfitted":
        config = replace(config, **OVERFITTED)  # type: ignore[arg-type]
    if name == "private":
        return _attacked(name, len(people), models, 1, _private(people, epsilon), progress)
    made = shadows.trees(people) if name == "lightgbm" else shadows.encoders(people, config)
    return _attacked(name, len(people), models, count, made, progress)


def _texts(
    path: Path, people_max: int, shards: int, progress: Progress
) -> tuple[int, shadows.Shadows]:
    """Return how many people wrote, and the shadows of what a study's text model learns of them."""
    from overt.models.text import cards, taught

    samples: list[taught.Sample] = []
    for participant, person in aalto.by_participant(path):
        progress("reading texts", min(len(samples) / people_max, 1.0))
        tag = hashlib.sha256(_TAGGED + participant.encode()).digest()
        made = taught.sample_of(SubjectEvents(tag, "imported", person.sessions), shards)
        if made.size:
            samples.append(made)
        if len(samples) == people_max:
            break
    return len(samples), shadows.sharded(samples, taught.train, cards.nats)


def _pointing(
    path: Path, people_max: int, shards: int, progress: Progress
) -> tuple[int, shadows.Shadows]:
    """Return how many people pointed, and the shadows of a study's model of person or program.

    Only sources that say who is who: of the others nobody's movements can be told apart.
    """
    from overt.models.programs import fitted, judged, sources
    from overt.models.programs.sample import sampled
    from overt.models.programs.trace import joined

    people: dict[bytes, list[Any]] = {}
    for one in sources.recordings(path, progress):
        if one.named:
            told = f"{one.source}\0{one.person}".encode()
            people.setdefault(hashlib.sha256(_TAGGED + told).digest(), []).extend(one.traces)
    samples = []
    for done, (tag, traces) in enumerate(sorted(people.items())[:people_max]):
        progress("windows of people and of programs", done / len(people))
        samples.append(sampled(joined(traces), tag, "imported", shards))
    samples = [one for one in samples if one.size]
    return len(samples), shadows.sharded(samples, fitted.train, judged.nats)


def _private(people: list[Sequences], epsilon: float | None) -> shadows.Shadows:
    from overt.models.private import pauses
    from overt.models.private.rounds import Rounds, within

    known = [pauses.timed(stream_of(person.sessions)) for person in people]
    rounds = Rounds() if epsilon is None else within(epsilon, Rounds())
    return shadows.one_by_one(partial(_taught_privately, known, rounds), len(known))


def _taught_privately(people: list[Any], rounds: Any, member: np.ndarray, seed: int) -> np.ndarray:
    from overt.models.private import pauses
    from overt.models.private.rounds import train

    some = [one for one, taught in zip(people, member, strict=True) if taught]
    course = replace(rounds, seed=seed + 1)
    learned = train(some, pauses.start(), pauses.learn, course, len(people) // 2)
    return np.array([pauses.gradient(learned.weights, one)[0] for one in people])


def _attacked(
    name: str, people: int, models: int, shards: int, made: shadows.Shadows, progress: Progress
) -> Membership:
    check(people, models)
    design = halves(people, models, shards)
    losses, answered = made(design, _within(progress, 0.1, 0.9))
    return _told(name, Asked(design, losses, answered), progress)


def _strangers(
    people: list[Sequences], models: int, shards: int, config: Config, progress: Progress
) -> Membership:
    """Look for one half of people in models of the other, as if they were their own."""
    sought = len(people) // 2
    check(sought, models)
    design = np.full((2 * models, len(people)), -1)
    design[:models, :sought] = halves(sought, models, shards)
    design[models:, sought:] = halves(len(people) - sought, models, shards, seed=1)
    made = shadows.encoders(people, config)
    losses, answered = made(design, _within(progress, 0.1, 0.9))
    own = Asked(design[:models, :sought], losses[:models, :, :sought], answered[:models, :sought])
    others = losses[models:, :, :sought], answered[models:, :sought]
    return _told("strangers", own, progress, others)


def elsewhere(name: str, path: Path, progress: Progress) -> Membership:
    """Attack models that were trained elsewhere, such as federated ones, by their losses.

    The file holds `shard`, `loss` and `answered` as `Asked` has them, and for strangers
    `others_loss` and `others_answered`. Raises `InvalidInput`.
    """
    try:
        with path.open("rb") as file, np.load(file) as held:
            shard = held["shard"].astype(np.int64)
            asked = Asked(shard, held["loss"].astype(float), held["answered"].astype(float))
            others = None
            if "others_loss" in held:
                others = held["others_loss"].astype(float), held["others_answered"].astype(float)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InvalidInput(
            "holds no losses",
            where=str(path),
            do="An .npz with shard [M, P], loss [M, S, P] and answered [M, P] is needed.",
        ) from error
    check_losses(asked, str(path))
    return _told(name, asked, progress, others)


def check_losses(asked: Asked, where: str) -> None:
    """Raise `InvalidInput` where losses are not of pairs of halves, or not all finite."""
    models, people = asked.shard.shape
    fits = asked.loss.ndim == 3 and asked.loss.shape[::2] == asked.answered.shape
    fits = fits and asked.answered.shape == (models, people)
    known = np.isfinite(asked.loss).all() and np.isfinite(asked.answered).all()
    if not fits or not known or asked.shard.max() >= asked.loss.shape[1]:
        raise InvalidInput("has losses that are not there for every model and person", where=where)
    inside = asked.shard >= 0
    if models % 2 or (inside[::2] == inside[1::2]).any():
        raise InvalidInput(
            "has models that are not in pairs",
            where=where,
            do="Models 2k and 2k + 1 learn from complementary halves (membership.halves).",
        )


def _told(
    name: str,
    asked: Asked,
    progress: Progress,
    others: tuple[np.ndarray, np.ndarray] | None = None,
) -> Membership:
    words = KINDS[name].words if name in KINDS else name
    return attacked(
        asked, words, instead=others, progress=lambda done: progress("attacking", 0.9 + 0.1 * done)
    )


def _within(progress: Progress, start: float, end: float) -> Callable[[str, float], None]:
    return lambda what, done: progress(what, start + (end - start) * done)
