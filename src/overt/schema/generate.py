"""What other languages need of the schema, written from the Python definitions.

`python -m overt.schema.generate` writes `spec/event.json` (columns, closed sets, purposes, limits),
`sdk/src/generated.ts` (the same as TypeScript, and the Arrow record-batch message as a template to
be patched), `src/overt/schema/generated.py` (that template again) and `docs/reference/fields.md`
(each field for people). `--check` writes nothing and
fails if one of the files is not current.

The template: in a message of schema `WIRE` without nulls only the number of rows, the length and
the place of each buffer and the length of the body depend on the rows. Its metadata is therefore
taken once from pyarrow, with these numbers set to 0, and a writer fills them in
(`overt.schema.message`).
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

import pyarrow as pa

from overt.schema import fields, limits, reference
from overt.schema.event import (
    EVENT_SETS,
    EVENTS,
    MARKS,
    SCHEMA_ID,
    SYMBOL_NAMED_BASE,
    VALUE_MAX,
    WIRE,
    Command,
    Kind,
    Modifier,
    State,
)
from overt.schema.purpose import PURPOSES

ROOT = Path(__file__).parents[3]
SPEC_PATH = ROOT / "spec" / "event.json"
TYPESCRIPT_PATH = ROOT / "sdk" / "src" / "generated.ts"
PYTHON_PATH = ROOT / "src" / "overt" / "schema" / "generated.py"
FIELDS_PATH = ROOT / "docs" / "reference" / "fields.md"

_SETS: dict[str, type[IntEnum] | type[IntFlag]] = {
    **{cls.__name__: cls for cls in EVENT_SETS.values()},
    "Modifier": Modifier,
    "Command": Command,
    "State": State,
}


@dataclass(frozen=True)
class Template:
    """Metadata of the message, and the byte offsets of the 64-bit integers to fill in."""

    metadata: bytes
    """From the continuation mark to where the body begins, a multiple of 8 bytes."""
    body_length_at: int
    rows_at: int
    nodes_at: int
    """The first node, 16 bytes each: rows, nulls (0)."""
    buffers_at: int
    """The first buffer, 16 bytes each: offset, length; validity and values by turns."""


def template() -> Template:
    """Return the template, read out of a message that pyarrow wrote."""
    rows = pa.record_batch([pa.array([0], field.type) for field in WIRE], schema=WIRE)
    message = rows.serialize().to_pybytes()
    (length,) = struct.unpack_from("<i", message, 4)
    raw = bytearray(message[: 8 + length])

    def at(table: int, index: int) -> int:
        vtable = table - int(struct.unpack_from("<i", raw, table)[0])
        return table + int(struct.unpack_from("<H", raw, vtable + 4 + 2 * index)[0])

    def follow(place: int) -> int:
        return place + int(struct.unpack_from("<I", raw, place)[0])

    root = follow(8)
    batch = follow(at(root, 2))
    found = Template(
        metadata=b"",
        body_length_at=at(root, 3),
        rows_at=at(batch, 0),
        nodes_at=follow(at(batch, 1)) + 4,
        buffers_at=follow(at(batch, 2)) + 4,
    )
    columns = len(WIRE)
    for start, count in (
        (found.body_length_at, 1),
        (found.rows_at, 1),
        (found.nodes_at, 2 * columns),
        (found.buffers_at, 4 * columns),
    ):
        raw[start : start + 8 * count] = bytes(8 * count)
    return Template(**{**found.__dict__, "metadata": bytes(raw)})


def _limits() -> dict[str, int]:
    return {name: value for name, value in vars(limits).items() if name.isupper()}


def _members(cls: type[IntEnum] | type[IntFlag]) -> dict[str, int]:
    return {member.name or "": int(member) for member in cls}


def _kinds(kinds: frozenset[Kind]) -> list[int]:
    return sorted(int(kind) for kind in kinds)


def specification() -> dict[str, Any]:
    """Return the content of `spec/event.json`."""
    made = template()
    return {
        "schema": SCHEMA_ID,
        "wire": [
            {"name": f.name, "type": str(f.type), "meaning": fields.COLUMN_MEANING[f.name]}
            for f in WIRE
        ],
        "fields": fields.table(),
        "header": [
            {"name": name, "says": says, "unit": unit, "precision": precision}
            for name, (says, unit, precision) in reference.HEADER.items()
        ],
        "events": [{"name": f.name, "type": str(f.type)} for f in EVENTS],
        "sets": {name: _members(cls) for name, cls in _SETS.items()},
        "columns_of_closed_sets": {name: cls.__name__ for name, cls in EVENT_SETS.items()},
        "largest_value": {str(int(kind)): most for kind, most in VALUE_MAX.items()},
        "marks": _kinds(MARKS),
        "symbol_named_base": SYMBOL_NAMED_BASE,
        "purposes": {
            name: {"title": p.title, "kinds": _kinds(p.kinds)} for name, p in PURPOSES.items()
        },
        "limits": _limits(),
        "message": {
            "metadata": base64.b64encode(made.metadata).decode(),
            "body_length_at": made.body_length_at,
            "rows_at": made.rows_at,
            "nodes_at": made.nodes_at,
            "buffers_at": made.buffers_at,
        },
    }


def _constant(name: str, value: object, type_: str = "") -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if isinstance(value, dict | list) and len(one := json.dumps(value, ensure_ascii=False)) < 80:
        text = one
    fixed = " as const" if isinstance(value, dict | list) and not type_ else ""
    return f"export const {name}{type_} = {text}{fixed};\n"


def typescript() -> str:
    """Return the content of `sdk/src/generated.ts`."""
    spec = specification()
    message = spec["message"]
    parts = [
        "// Written by `python -m overt.schema.generate`. Do not edit.\n",
        _constant("SCHEMA_ID", SCHEMA_ID),
        *[_constant(name, members) for name, members in spec["sets"].items()],
        _constant("SYMBOL_NAMED_BASE", SYMBOL_NAMED_BASE),
        "/** Kinds that each purpose needs. */\n"
        + _constant(
            "PURPOSES",
            {name: purpose["kinds"] for name, purpose in spec["purposes"].items()},
            ": Readonly<Record<string, readonly number[]>>",
        ),
        "/** The same, and the marks of a recording, which serve all: a bit each. */\n"
        + _constant(
            "NEEDED",
            {
                name: sum(1 << kind for kind in {*purpose["kinds"], *spec["marks"]})
                for name, purpose in spec["purposes"].items()
            },
            ": Readonly<Record<string, number>>",
        ),
        "/** Columns of the wire schema in order, and their width in bytes. */\n"
        "export const WIRE = [\n"
        + "".join(f'  ["{f.name}", {f.type.bit_width // 8}],\n' for f in WIRE)
        + "] as const;\n",
        *[
            _constant(name, value)
            for name, value in spec["limits"].items()
            if name in ("BATCH_ROWS_MAX", "DT_US_MIN", "DT_US_MAX", "POSITION_8TH_MAX")
        ],
        "/** Metadata of the Arrow message, base64, and where its 64-bit integers are. */\n"
        + _constant("MESSAGE", message["metadata"]),
        _constant("MESSAGE_AT", {k: v for k, v in message.items() if k != "metadata"}),
    ]
    return "\n".join(parts)


def python() -> str:
    """Return the content of `generated.py`: the template, for who writes batches without Arrow."""
    made = template()
    text = base64.b64encode(made.metadata).decode()
    lines = [f'    "{text[k : k + 88]}"\n' for k in range(0, len(text), 88)]
    places = {name: place for name, place in vars(made).items() if name != "metadata"}
    return (
        '"""Written by `python -m overt.schema.generate`. Do not edit."""\n\n'
        "from base64 import b64decode\n\n"
        f"METADATA = b64decode(\n{''.join(lines)})\n"
        + "".join(f"{name.upper()} = {place}\n" for name, place in places.items())
    )


def outputs() -> dict[Path, str]:
    """Return what belongs into each generated file."""
    return {
        SPEC_PATH: json.dumps(specification(), indent=1, ensure_ascii=False) + "\n",
        TYPESCRIPT_PATH: typescript(),
        PYTHON_PATH: python(),
        FIELDS_PATH: reference.page(specification()),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` say which is not current; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    check = parser.parse_args(arguments).check
    status = 0
    for path, text in outputs().items():
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        if check:
            print(  # noqa: T201
                f"{path.relative_to(ROOT)} is not current. Run `python -m overt.schema.generate`."
            )
            status = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
