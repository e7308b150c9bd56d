"""What stands beside a data set: a card for people, and Croissant for programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from overt.datasets.exports.leaving import About
from overt.schema.event import SCHEMA_ID
from overt.schema.fields import COLUMN_MEANING
from overt.schema.purpose import NOT_FOR

_OWN = {
    "person": "number of the person in this export; means nothing elsewhere",
    "origin": "live, imported or synthetic",
    "session": "number of the person's session, from 1",
    "seq": "number of the event in its session; a gap is events of other purposes, or lost",
    "t_us": "time since the session's time origin (µs)",
    "x_8th_css_px": "pointer x (1/8 CSS px)",
    "y_8th_css_px": "pointer y (1/8 CSS px)",
}
_TYPES = {"string": "sc:Text"}

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The terms of Croissant 1.0, as its specification lists them."""


UNATTACKED = (
    "None has been run on these people. The timing of keys recognises people well; treat this as "
    "personal data."
)
OUT_OF_REACH = (
    "A copy is out of reach of its source: who leaves the study is not taken out of it. Ask for a "
    "new export rather than keeping an old one."
)


@dataclass(frozen=True)
class File:
    """One file of data."""

    path: str
    sha256: str
    size: int
    rows: int


def meaning(name: str) -> str:
    """Return what a column says."""
    return _OWN.get(name) or COLUMN_MEANING[name]


def _about(about: About) -> str:
    counted = ", ".join(f"{count} {origin}" for origin, count in sorted(about.origins.items()))
    who = f"People: {counted}." if counted else "One person's own recordings."
    return (
        f"Keyboard and pointer events of study “{about.title}”, purpose {about.purpose}, schema "
        f"{SCHEMA_ID}, detail {about.transform}. {who}"
    )


def _hidden(about: About) -> str:
    if about.with_keys:
        return "Titles of windows are not in it. Key codes and characters are."
    return "Titles of windows, typed text and key codes are not in it."


def readme(about: About, schema: pa.Schema, files: Mapping[str, File]) -> str:
    """Return the data set's card, with the head that `datasets` and the hub read."""
    head = [
        "---",
        f"pretty_name: {json.dumps(about.title, ensure_ascii=False)}",
        "license: other",
        f"license_name: {json.dumps(about.licence or 'not stated', ensure_ascii=False)}",
        "task_categories: [other]",
        "tags: [keystrokes, pointer, human-computer interaction, overt]",
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for split, file in files.items():
        head += [f"  - split: {split}", f"    path: {file.path}"]
    lines = [*head, "---", "", f"# {about.title}", ""]
    if about.synthetic:
        lines += ["**Synthetic: some or all of these people are made up.**", ""]
    lines += [_about(about), _hidden(about), ""]
    if about.source:
        lines += [
            f"- source: {about.source}",
            f"- licence: {about.licence}",
            f"- lawful basis declared by the importer: {about.lawful_basis}",
        ]
    lines += [
        f"- {split}: {file.rows} events, SHA-256 `{file.sha256}`" for split, file in files.items()
    ]
    lines += ["", "Who is in one split is in no other.", "", "## Attacks", ""]
    lines += [f"- {one}" for one in about.attacks] or [UNATTACKED]
    lines += ["", "## Not to be used for", "", *(f"- {use}" for use in NOT_FOR)]
    lines += ["", "## Columns", "", "| column | type | |", "|---|---|---|"]
    lines += [f"| `{field.name}` | {field.type} | {meaning(field.name)} |" for field in schema]
    lines += [
        "",
        "## Taking it back",
        "",
        OUT_OF_REACH,
    ]
    return "\n".join(lines) + "\n"


def croissant(about: About, schema: pa.Schema, files: Mapping[str, File]) -> dict[str, Any]:
    """Return the Croissant description as plain JSON-LD."""
    name = f"overt-{about.study}"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": f"{_about(about)} {_hidden(about)}",
        "license": about.licence or "not stated",
        "url": about.source or f"urn:overt:{about.study}",
        "version": about.version,
        "datePublished": dt.datetime.now(dt.UTC).date().isoformat(),
        "citeAs": about.source or about.title,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": split,
                "name": split,
                "contentUrl": file.path,
                "contentSize": f"{file.size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": file.sha256,
            }
            for split, file in files.items()
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": f"events-{split}",
                "name": f"events-{split}",
                "description": f"One row an event, split {split}.",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"events-{split}/{field.name}",
                        "name": field.name,
                        "description": meaning(field.name),
                        "dataType": _TYPES.get(str(field.type), "sc:Integer"),
                        "source": {
                            "fileObject": {"@id": split},
                            "extract": {"column": field.name},
                        },
                    }
                    for field in schema
                ],
            }
            for split in files
        ],
    }
