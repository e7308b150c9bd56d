"""Tables of the control database. Row ids are random; nothing here names a person.

No time is finer than a day. `batch.session` is a keyed hash of subject and session.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1


class Row(TypeDecorator[str]):
    """A random id: 32 hexadecimal digits outside, 16 bytes inside."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:  # noqa: ARG002
        """Return the 16 bytes."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """Return the hexadecimal digits."""
        return None if value is None else bytes(value).hex()


METADATA = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, METADATA, *columns)


def _required(name: str, kind: sa.types.TypeEngine[object] | type) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


study = _table(
    "study",
    sa.Column("id", sa.Text, primary_key=True),
    _required("origin", sa.Text),
    _required("document", sa.LargeBinary),
    _required("created_day", sa.Integer),
)
subject = _table(
    "subject",
    sa.Column("row", Row, primary_key=True),
    sa.Column("study", sa.Text, sa.ForeignKey("study.id"), nullable=False, index=True),
    _required("origin", sa.Text),
    _required("joined_day", sa.Integer),
)
receipt = _table(
    "receipt",
    sa.Column("row", Row, primary_key=True),
    sa.Column("subject", Row, sa.ForeignKey("subject.row"), nullable=False, index=True),
    _required("purposes", sa.Text),
    _required("withdrawn", sa.Text),
    _required("level", sa.Text),
    _required("sealed", sa.LargeBinary),
    _required("issued_day", sa.Integer),
)
segment = _table(
    "segment",
    sa.Column("name", Row, primary_key=True),
    _required("end", sa.Integer),
)
batch = _table(
    "batch",
    sa.Column("row", Row, primary_key=True),
    sa.Column("subject", Row, sa.ForeignKey("subject.row"), nullable=False, index=True),
    _required("receipt", Row),
    sa.Column("data_key", Row, nullable=False, index=True),
    sa.Column("segment", Row),
    _required("offset", sa.Integer),
    _required("length", sa.Integer),
    _required("session", Row),
    _required("batch", sa.Integer),
    _required("purposes", sa.Text),
    _required("day", sa.Integer),
    _required("first_seq", sa.Integer),
    _required("events", sa.Integer),
    _required("produced", sa.Integer),
    _required("removed", sa.Integer),
    _required("lost", sa.Integer),
    _required("end", sa.Boolean),
    sa.UniqueConstraint("session", "batch"),
)
artefact = _table(
    "artefact",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("row", Row, nullable=False, unique=True),
    _required("kind", sa.Text),
    _required("study", sa.Text),
    _required("purpose", sa.Text),
    _required("day", sa.Integer),
)
opening = _table(
    "opening",
    sa.Column("number", sa.Integer, primary_key=True),
    _required("entry", sa.Integer),
    sa.Column("subject", Row, index=True),
    _required("sealed", sa.LargeBinary),
)
erasure = _table(
    "erasure",
    sa.Column("job", Row, primary_key=True),
    _required("step", sa.Text),
    _required("sealed", sa.LargeBinary),
    _required("day", sa.Integer),
)
tombstone = _table(
    "tombstone",
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    _required("day", sa.Integer),
)
counter = _table(
    "counter",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True),
    _required("n", sa.Integer),
)
backup = _table(
    "backup",
    sa.Column("row", Row, primary_key=True),
    _required("place", sa.Text),
    _required("made_day", sa.Integer),
    _required("expires_day", sa.Integer),
    _required("state", sa.Text),
)
