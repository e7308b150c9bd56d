"""What a person can take with them: everything about them, and a proof to verify offline."""

from __future__ import annotations

from typing import Any

from overt.gateway import history
from overt.gateway.door import Door
from overt.gateway.enrol import Person, receipt_of, state
from overt.gateway.ledger import log_of, openings_of
from overt.log.bundle import bundle
from overt.schema.event import EVENT_SETS
from overt.schema.fields import COLUMN_MEANING
from overt.store.store import Store

EXPORT = "overt-export/1"


def export(store: Store, person: Person) -> dict[str, Any]:
    """Return everything stored about a person as plain JSON.

    Receipt, counts, openings of the log entries about them, and every event: for each session a
    table with one list a column, as `columns` and `meanings` explain. The
    export is itself a read, so it is logged.
    """
    sessions = Door(store, "the person's own device", "participant").own(person, "export-own")
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
            for table in sessions
        ],
    }


def proof(store: Store, person: Person) -> dict[str, Any]:
    """Return the file that `overt verify` checks.

    It holds the log, the openings about this person, and those about nobody in particular in their
    study: who read, what was trained and audited, as the study's page tells it.
    """
    about_all = [told.opening for told in history.told(store, person.study)]
    openings = [*openings_of(store, person.subject), *about_all]
    return bundle(log_of(store), openings, receipt=receipt_of(store, person))
