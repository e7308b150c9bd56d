"""What a person can take with them: everything about them, and a proof to verify offline."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from overt.gateway import history
from overt.gateway.door import Door
from overt.gateway.enrol import Person, receipt_of, state
from overt.gateway.ledger import log_of, openings_of
from overt.log.bundle import bundle
from overt.schema.alignment import aligned
from overt.schema.event import EVENT_SETS
from overt.schema.fields import COLUMN_MEANING
from overt.store.store import Store

EXPORT = "overt-export/1"


def export(store: Store, person: Person) -> dict[str, Any]:
    """Return everything stored about a person as plain JSON.

    Receipt, counts, openings of the log entries about them, and every event: for each session a
    table with one list a column, as `columns` and `meanings` explain, and in `clocks` when it was.
    The export is itself a read, so it is logged.
    """
    own = Door(store, "the person's own device", "participant").own(person, "export-own")
    return {
        "schema": EXPORT,
        "receipt": receipt_of(store, person),
        "state": state(store, person),
        "log": [opening.as_dict() for opening in openings_of(store, person.subject)],
        "columns": COLUMN_MEANING,
        "meanings": {
            name: {str(int(member)): str(member.name) for member in members}
            for name, members in EVENT_SETS.items()
        },
        "sessions": [
            {name: table.column(name).to_pylist() for name in table.column_names}
            for table in own.sessions
        ],
        "clocks": [_clock(*one) for one in zip(own.time_origins_ms, own.sessions, strict=True)],
    }


def _clock(time_origin_ms: int, events: pa.Table) -> dict[str, Any]:
    """Say when a session began, on the server's clock, and to within what (-1: not known)."""
    at = aligned(time_origin_ms, events)
    return {
        "time_origin_ms": time_origin_ms,
        "first_us": int(at.t_us[0]),
        "within_us": int(at.within_us[0]),
    }


def proof(store: Store, person: Person) -> dict[str, Any]:
    """Return the file that `overt verify` checks.

    It holds the log, the openings about this person, and those about nobody in particular in their
    study: who read, what was trained and audited, as the study's page tells it.
    """
    about_all = [told.opening for told in history.told(store, person.study)]
    openings = [*openings_of(store, person.subject), *about_all]
    return bundle(log_of(store), openings, receipt=receipt_of(store, person))
