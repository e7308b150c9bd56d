"""The page of a study: what it records, who read it, what was made of it, as its log tells it.

Anyone may open it. Entries about nobody in particular are shown opened, in words; those about one
person are counted by day, in ranges. Numbers of entries are left out: between two of them lies one
entry for each person a read covered.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

from overt.consent.notice import kinds_in_words, notice_bytes
from overt.gateway import history
from overt.gateway.ledger import log_of
from overt.schema.manifest import bucket
from overt.schema.purpose import REGISTRY
from overt.schema.study import Study
from overt.store.store import Store

LANGUAGE = "en"
ROWS_MAX = 60
"""Rows of one table; the log holds all of them."""

ACTIONS = {
    "count": "to count, and to look at the quality of recordings",
    "features": "to compute figures over people",
    "train": "to train a model",
    "audit": "to attack it, and so to test it",
    "release": "to hand a copy to others: imported or made-up people only",
}
READERS = {
    "training": "a training that somebody taking part asked for",
    "command line": "somebody at the command line",
    "the researcher's page": "a researcher, from the researcher’s page",
    "risk page": "somebody taking part, who compared themselves",
    "rebuilding after an erasure": "the rebuilding of a model after an erasure",
    "proof of an erasure, from scratch": "the proof of an erasure",
}
BY_DAY = (
    ("consent", "joined"),
    ("withdrawal", "withdrew"),
    ("erasure", "certificates of erasure"),
    ("retention", "expiries"),
)
"""Kinds that are counted by day, in the page's words."""


def values(store: Store, study: Study) -> dict[str, Any]:
    """Return what the template of the page needs."""
    told = history.told(store, study.id)
    stored = store.control.stored_in_study(study.id)
    by_day = history.counted_by_day(store, study.id)
    days = [
        (day, [counts.get(kind, "–") for kind, _ in BY_DAY])
        for day, counts in by_day.items()
        if any(kind in counts for kind, _ in BY_DAY)
    ]
    today = dt.datetime.now(dt.UTC).date()
    return {
        "study": study,
        "notice": _notice(study),
        "purposes": [_purpose(purpose) for purpose in study.purposes],
        "events": bucket(stored["events"]),
        "kept_until": (today + dt.timedelta(days=study.retention_days)).isoformat(),
        "reads": _reads(told),
        "refusals": _of_kind(told, "refusal"),
        "trainings": _of_kind(told, "training"),
        "audits": _of_kind(told, "audit"),
        "imports": _of_kind(told, "import"),
        "purpose_titles": {name: purpose.title for name, purpose in REGISTRY.items()},
        "readers": READERS,
        "kinds": [words for _, words in BY_DAY],
        "days": days[:ROWS_MAX],
        "log_key": log_of(store).key,
    }


def _notice(study: Study) -> dict[str, list[str]]:
    """Return what the notice says is recorded, and what happens before it leaves."""
    if study.origin != "live":
        return {}
    language = LANGUAGE if LANGUAGE in study.notice else next(iter(study.notice))
    notice = json.loads(notice_bytes(study, language))
    texts = {section["id"]: section["text"] for section in notice["sections"]}
    return {"about": [notice["about"]], **texts}


def _purpose(name: str) -> dict[str, str]:
    purpose = REGISTRY[name]
    return {
        "title": purpose.title,
        "text": purpose.explanation,
        "needs": ", ".join(kinds_in_words(name, LANGUAGE)),
    }


def _of_kind(told: list[history.Told], kind: str) -> list[dict[str, Any]]:
    """Return the details of a kind, newest first, each with its day; alike ones of a day once."""
    found: dict[str, dict[str, Any]] = {}
    for t in reversed(told):
        if t.entry.kind == kind:
            row = {**t.opening.detail, "day": t.entry.day}
            found.setdefault(json.dumps(row, sort_keys=True), row)
    return list(found.values())[:ROWS_MAX]


def _reads(told: list[history.Told]) -> list[dict[str, Any]]:
    """Return reads of a day by the same reader to the same end as one row, newest first."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for t in reversed(told):
        if t.entry.kind != "read":
            continue
        detail = t.opening.detail
        reader, role, action = (str(detail.get(name, "")) for name in ("reader", "role", "action"))
        row = rows.setdefault(
            (t.entry.day, reader, role, action),
            {
                "day": t.entry.day,
                "reader": READERS.get(reader, reader),
                "role": role,
                "action": ACTIONS.get(action, action),
                "people": detail.get("people") or {},
                "purposes": Counter(),
            },
        )
        row["purposes"][str(detail.get("purpose", ""))] += 1
    return [{**row, "times": _times(row["purposes"])} for row in list(rows.values())[:ROWS_MAX]]


def _times(purposes: Counter[str]) -> str:
    """Return how often, in a range; one read for each of several purposes is once."""
    most = max(purposes.values())
    return "once" if most == 1 else bucket(most)
