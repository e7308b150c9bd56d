"""What leaves this machine for others: data sets and models of people who have no receipt.

Imported people stand on the basis their importer declared, synthetic ones have nobody behind them.
Living people were told that their rows stay here and can be erased everywhere; a copy would be out
of reach, so theirs do not leave, and neither does anything that they taught. Each may take their
own. The release is in the log before the first row is in a file.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from overt.audit.membership import HALVES
from overt.consent.policy import IMPORTED, ReceiptState, decide
from overt.datasets import exports
from overt.datasets.exports.leaving import About, Counted, Leaving, leaving
from overt.datasets.split import split_of
from overt.datasets.transform import transform_of
from overt.gateway import filed, private_kept
from overt.gateway.door import Door, Selected
from overt.gateway.enrol import Person
from overt.gateway.ledger import record
from overt.gateway.model import Model, Progress, newest, work
from overt.gateway.studies import study_of
from overt.schema.errors import InvalidInput, Missing, NotConsented, Refused, TooFew
from overt.schema.manifest import bucket
from overt.schema.study import DETAILS, Study
from overt.store.store import Store

ROLE, ACTION = "trainer", "release"
PEOPLE_MIN = filed.PEOPLE_MIN
VERSION = version("overt")


def data(
    store: Store,
    study_id: str,
    purpose: str | None,
    form: str,
    folder: Path,
    reader: str,
    progress: Progress,
    *,
    with_keys: bool = False,
) -> Counted:
    """Write the releasable people of a study into a new folder, in one of `exports.FORMATS`.

    Raises `TooFew` with the number that is needed, `InvalidInput` and `Refused`.
    """
    study = study_of(store, study_id)
    wanted = _purpose(study, purpose)
    _check_keys(study, with_keys=with_keys)
    exports.check(form, folder)
    with work(store):
        door = Door(store, reader, ROLE)
        selected = door.select(study.id, wanted, ACTION)
        origins = Counter(chosen.origin for chosen in selected)
        if min(origins.values(), default=0) < PEOPLE_MIN:
            raise TooFew(
                f"has {bucket(min(origins.values(), default=0))} people who may leave",
                where=f"study {study.id}",
                do=f"{PEOPLE_MIN} imported or synthetic ones are needed. Living people's rows "
                "stay here; each can export their own (--own).",
            )
        counted = {origin: bucket(count) for origin, count in sorted(origins.items())}
        detail = {"event": "release", "what": form, "purpose": wanted, "people": counted}
        record(store, "release", study.id, {**detail, "reader": reader, "with_keys": with_keys})
        about = _about(study, wanted, counted, _attacks(store, study), with_keys=with_keys)
        leavers = _leavers(door, selected, wanted, progress, with_keys=with_keys)
        return exports.write(form, folder, about, leavers)


ORIGINS = ("imported", "synthetic")
"""Origins of people who may leave."""


def own(
    store: Store, person: Person, form: str, folder: Path, *, with_keys: bool = False
) -> Counted:
    """Write everything that is stored of one person, for themselves."""
    study = study_of(store, person.study)
    _check_keys(study, with_keys=with_keys)
    exports.check(form, folder)
    door = Door(store, "the person's own device", "participant")
    sessions = door.own(person, "export-own").sessions
    if not sessions:
        raise Missing("there is nothing of you here yet", where=f"study {study.id}")
    about = _about(study, "all that you agreed to", {}, (), with_keys=with_keys)
    me = leaving("person-0001", "train", "live", sessions, with_keys=with_keys)
    return exports.write(form, folder, about, [me])


def _leavers(
    door: Door, selected: list[Selected], purpose: str, progress: Progress, *, with_keys: bool
) -> Iterator[Leaving]:
    """Open people one by one, in an order by chance: that of rows says who came when."""
    order = list(selected)
    random.SystemRandom().shuffle(order)
    number = 0
    for place, chosen in enumerate(order):
        progress("writing", place / len(order))
        events = door.open(chosen, purpose, ACTION)
        if events is not None:
            number += 1
            yield leaving(
                f"person-{number:04d}",
                split_of(events.tag),
                events.origin,
                events.sessions,
                with_keys=with_keys,
            )


def _purpose(study: Study, purpose: str | None) -> str:
    if purpose is None:
        return study.purposes[0]
    if purpose not in study.purposes:
        raise InvalidInput(
            "is no purpose of this study",
            where=f"purpose {purpose}",
            do=f"It has: {', '.join(study.purposes)}.",
        )
    return purpose


def _check_keys(study: Study, *, with_keys: bool) -> None:
    if with_keys and study.origin == "live" and study.level != "keys":
        raise InvalidInput(
            f"records at level {study.level}: there are no key codes and no characters in it",
            where=f"study {study.id}",
            do="Leave out --keys.",
        )


def _about(
    study: Study,
    purpose: str,
    origins: dict[str, str],
    attacks: tuple[str, ...],
    *,
    with_keys: bool,
) -> About:
    kept = "raw/0" if study.origin == "imported" else "keys/0"
    seen = " or ".join(map(transform_of, DETAILS[study.level])) if study.origin == "live" else ""
    return About(
        study=study.id,
        title=study.title,
        purpose=purpose,
        transform=kept if with_keys else (seen if study.level != "keys" and seen else "rhythm/0"),
        with_keys=with_keys,
        version=VERSION,
        origins=origins,
        source=study.source,
        licence=study.licence,
        lawful_basis=study.lawful_basis,
        attacks=attacks,
    )


def _attacks(store: Store, study: Study) -> tuple[str, ...]:
    """Return what the linkage audits that stand found, a sentence each."""
    rows = [
        row for one in filed.filed(store, study.id, "audit") for row in one.figures.get("rows", ())
    ]
    return tuple(
        f"Linkage by typing ({row['attack']}) with {row['keys']} keys known at {row['level']}: "
        f"{row['rank1']:.1%} [{row['rank1_low']:.1%}, {row['rank1_high']:.1%}] of probes find "
        f"their person among {row['people']} (guessing {row['chance']:.2%})."
        for row in rows
    )


@dataclass(frozen=True)
class Handed:
    """A model as a file, its card inside: what no living person taught."""

    data: bytes
    sha256: str
    """Of the shards that left."""
    shards: tuple[int, ...]
    """None where it has none: it was trained privately."""


def onnx(store: Store, study_id: str, purpose: str, reader: str) -> Handed:
    """Return the newest model of a study and purpose as ONNX, as far as it may leave; log it.

    Raises `Missing`, `NotConsented` where living people taught all of it, `TooFew`, and `Refused`
    where imported people taught it and no attack shows that they are not found.
    """
    from overt.models.onnx.encoder import onnx as as_onnx
    from overt.models.train import Trained

    study = study_of(store, study_id)
    decide(ROLE, ACTION, purpose, ReceiptState(IMPORTED, frozenset({purpose})))
    with work(store):
        found = newest(store, study.id, purpose)
        if found is None:
            raise Missing(
                "there is no model yet",
                where=f"study {study.id}, purpose {purpose}",
                do=f"overt train --study {study.id} --purpose {purpose}",
            )
        if not isinstance(found.trained, Trained):
            raise InvalidInput(
                "is no event encoder, and only these become ONNX",
                where=f"purpose {purpose}",
                do="What it looks at is computed by Overt's own features; see spec/.",
            )
        shards = _nobodys(store, study, found)
        taught = {s for s, member in found.manifest.items() if member.shard in shards}
        _attacked_first(store, study, purpose, found.card, taught)
        trained = found.trained.only(shards)
        card = {**found.card, "shards_released": shards}
        data = as_onnx(trained, card, VERSION)
        detail = {"event": "release", "what": "onnx", "purpose": purpose, "reader": reader}
        record(store, "release", study.id, {**detail, "weights_sha256": trained.sha256()})
    return Handed(data, trained.sha256(), tuple(shards))


def private_onnx(store: Store, study_id: str, purpose: str, reader: str) -> Handed:
    """Return a study's privately trained model of pauses as ONNX, if it may leave; log it.

    Raises as `onnx` does; `NotConsented` if any living person is in it.
    """
    from overt.models.onnx.pauses import onnx as as_onnx

    study = study_of(store, study_id)
    decide(ROLE, ACTION, purpose, ReceiptState(IMPORTED, frozenset({purpose})))
    with work(store):
        found = private_kept.standing(store, study.id, purpose)
        if found.task.name != "pause":
            raise InvalidInput(
                "is a table of slips, and only what is learned of pauses becomes ONNX",
                where=f"purpose {purpose}",
            )
        free = {s for origin in ORIGINS for s in store.control.subjects(study.id, origin)}
        if not free.issuperset(found.manifest):
            raise NotConsented(
                "living people are in it, and were not told that a copy leaves this machine",
                where="model",
                do="Use it here, with overt predict --study.",
            )
        _attacked_first(store, study, purpose, found.card, set(found.manifest), private=True)
        data = as_onnx(found.weights, found.sha256(), found.card, VERSION)
        detail = {"event": "release", "what": "onnx", "purpose": purpose, "reader": reader}
        record(store, "release", study.id, {**detail, "weights_sha256": found.sha256()})
    return Handed(data, found.sha256(), ())


FALSE_RATE, FOUND_MAX = 0.01, 0.02
"""The bound of a model's release: where one in a hundred is taken for a member wrongly, at most
twice as many of the members are found, at the upper end of the interval."""


def too_open(attacks: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return why a model with these attacks in its card may not be released; nothing: it may.

    The file is handed out, so what counts is what an attacker who has it finds.
    """
    known = [one for one in attacks if one["suite"].startswith("membership/")]
    if not known:
        return ("No membership attack has been run on these weights.",)
    rows = [row for row in known[-1]["rows"] if row["access"] == "weights"]
    rates = [row["true_rates"].get(f"{FALSE_RATE:g}") for row in rows]
    # Of the model itself too few may have taught it, or too few not: halves of them are enough.
    halves = [rate for row, rate in zip(rows, rates, strict=True) if row["of"] == HALVES]
    if not halves or None in halves:
        short = "; ".join(known[-1]["left_out"])
        return (f"How many members are found could not be measured: {short}.",)
    most = max(rate["high"] for rate in rates if rate)
    if most > FOUND_MAX:
        wrongly = f"where {FALSE_RATE:.0%} are taken for members wrongly"
        return (f"Up to {most:.1%} of members are found {wrongly}; the bound is {FOUND_MAX:.0%}.",)
    return ()


def _attacked_first(
    store: Store,
    study: Study,
    purpose: str,
    card: Mapping[str, Any],
    taught: Collection[str],
    *,
    private: bool = False,
) -> None:
    """Raise `Refused` unless attacks on a model that imported people taught stayed in the bound.

    Behind synthetic people there is nobody to find.
    """
    if set(store.control.subjects(study.id, "imported")).isdisjoint(taught):
        return
    reasons = too_open(card.get("attacks", ()))
    if reasons:
        attack = f"overt audit membership --study {study.id} --model {purpose}"
        less = (
            "More people, or a smaller ε, make it tell less of each."
            if private
            else "More people or fewer passes make it tell less of each; of pauses alone, "
            f"overt train-private --study {study.id} --epsilon 1 hardly tells anything."
        )
        raise Refused(
            " ".join(reasons),
            where="release",
            do=f"{attack}{' --private' if private else ''} attacks it. {less}",
        )


def _nobodys(store: Store, study: Study, found: Model) -> list[int]:
    """Return the shards that imported and synthetic people alone taught, ten or more of them."""
    if found.missing:
        raise Missing(
            "is being trained again without somebody who left",
            where="model",
            do="Try again when that is done.",
        )
    free = {s for origin in ORIGINS for s in store.control.subjects(study.id, origin)}
    taught: dict[int, set[str]] = {shard: set() for shard in found.trained.shards}
    for subject, member in found.manifest.items():
        if member.split == "train" and member.shard in taught:
            taught[member.shard].add(subject)
    shards = [shard for shard, people in taught.items() if people and people <= free]
    people = {subject for shard in shards for subject in taught[shard]}
    if not shards:
        raise NotConsented(
            "living people taught every shard, and were not told that a copy leaves this machine",
            where="model",
            do="Use it here, in the page or with overt predict --study.",
        )
    if len(people) < PEOPLE_MIN:
        raise TooFew(
            f"{bucket(len(people))} people taught what may leave",
            where="model",
            do=f"{PEOPLE_MIN} are needed.",
        )
    return sorted(shards)
