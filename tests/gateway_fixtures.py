"""A small study with synthetic people and one live person, for the tests of the gateway."""

import time
from pathlib import Path

import pyarrow as pa

from overt.consent.notice import notice_sha256
from overt.datasets import synthetic
from overt.datasets.transform import to_rhythm0
from overt.gateway import enrol, population, studies
from overt.gateway.streams import Origin, batches_of
from overt.models.config import Config
from overt.schema.purpose import PURPOSES, SCREEN
from overt.schema.study import template
from overt.store.append import Incoming, Outcome, gzipped
from overt.store.store import Store

STUDY = "small"
ALL = tuple(sorted(p.id for p in PURPOSES.values() if not p.needs_keys and p.id not in SCREEN))
TINY = Config(
    hidden=8, embed=4, pause_hidden=4, chunk=64, batch=8, epochs=1, steps_min=2, epochs_max=1
)
HOUR_MS = 3_600_000


def new_store(root: Path, people: int = 0) -> Store:
    """Return an open store with one live study of all purposes."""
    store = Store.open(root, create=True)
    text = template(STUDY, "Small").replace(
        '["next-action", "typing-assist"]', str(list(ALL)).replace("'", '"')
    )
    studies.register(store, text.encode())
    if people:
        population.fill(store, STUDY, people, seed=3, minutes=0.5)
    return store


def join(store: Store, purposes: tuple[str, ...] = ALL) -> tuple[enrol.Joined, enrol.Person]:
    """Enrol somebody and return what their device has, and who they are."""
    notice = notice_sha256(studies.study_of(store, STUDY), "en")
    joined = enrol.join(store, STUDY, purposes, notice)
    return joined, enrol.by_token(store, joined.token)


def sessions(seed: int = 99, count: int = 2) -> list[pa.Table]:
    """Return sessions as a device at `rhythm` would record them."""
    person = next(synthetic.people(1, seed, sessions=count, minutes=0.5))
    return [to_rhythm0(session) for session in person.sessions]


def upload(
    store: Store,
    person: enrol.Person,
    recorded: list[pa.Table],
    purposes: tuple[str, ...] = ALL,
    minutes_ago: float = 60,
) -> list[Outcome]:
    """Store sessions as the collector does; each began `minutes_ago`, the later ones after it."""
    made = []
    for number, session in enumerate(recorded):
        began = int(time.time() * 1000 - minutes_ago * 60_000) + number * 120_000
        origin = Origin(
            source="sdk/test",
            study=STUDY,
            receipt=person.receipt,
            purposes=purposes,
            level="rhythm",
            transform="rhythm/0",
            time_origin_ms=began,
            clock_resolution_us=100,
        )
        made += [Incoming(b.header, gzipped(b.plain)) for b in batches_of(session, origin)]
    return store.append_batches(made)
