"""`overt import` and `overt synthetic`: people who do not come through the collector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from overt.commands.console import progress, remark, say, say_json
from overt.commands.place import opened
from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.datasets.importers import Importer

RETENTION_DAYS = 3650
"""Published data is kept until it is removed; ten years is the longest a study may state."""

NOT_DECLARED = "not declared by whoever imported it"


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _document(
    study: str, chosen: Importer, *, source: str, licence: str, lawful_basis: str
) -> bytes:
    lines = {
        "id": _toml(study),
        "title": _toml(chosen.title),
        "version": "1",
        "origin": '"imported"',
        "controller": '"Whoever runs this Overt"',
        "contact": '"see source"',
        "purposes": f"[{', '.join(map(_toml, chosen.purposes))}]",
        "level": _toml(chosen.level),
        "retention_days": str(RETENTION_DAYS),
        "readers": '["Whoever runs this Overt"]',
        "source": _toml(source or chosen.publication),
        "licence": _toml(licence or f"{chosen.licence} (as its publisher says)"),
        "lawful_basis": _toml(lawful_basis or NOT_DECLARED),
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items()).encode()


def import_format(
    data_dir: Path,
    format_name: str,
    path: Path,
    study_id: str,
    *,
    mapping: Path | None,
    source: str,
    licence: str,
    lawful_basis: str,
    skip_bad: bool,
    people_max: int | None,
    as_json: bool,
) -> None:
    """Import people into a study, made here if it is not there.

    Source and licence not given are the publisher's own words; a lawful basis not given is not made
    up: the study, and whatever comes of it, says that none was declared.
    """
    from overt.datasets.importers import importer
    from overt.gateway import population, studies

    chosen = importer(format_name, mapping)
    if not path.exists():
        raise InvalidInput("there is no such file or directory", where=str(path))
    with opened(data_dir, create=True) as store:
        if store.control.study(study_id) is None:
            if not lawful_basis:
                remark(
                    f"No --lawful-basis was given: every card of study {study_id} will say "
                    f"“{NOT_DECLARED}”."
                )
            document = _document(
                study_id, chosen, source=source, licence=licence, lawful_basis=lawful_basis
            )
            _read_one(chosen, path, skip_bad=skip_bad)
            studies.register(store, document)
        elif source or licence or lawful_basis:
            raise InvalidInput(
                "is registered; its source, licence and lawful basis stand",
                where=f"study {study_id}",
                do="Leave the three options out, or name another study.",
            )
        with progress(f"import {format_name}") as update:
            done = population.import_people(
                store,
                study_id,
                format_name,
                path,
                mapping=mapping,
                skip_bad=skip_bad,
                people_max=people_max,
                progress=update,
            )
    _tell(study_id, done.as_dict(), as_json=as_json)


def _read_one(chosen: Importer, path: Path, *, skip_bad: bool) -> None:
    """Read the first person only: where even that fails, no study is left that says what it is."""
    from overt.datasets.reading.imported import Skipped

    next(iter(chosen.read(path, skipped=Skipped() if skip_bad else None)), None)


def _tell(study_id: str, done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json({"study": study_id, **done})
        return
    say(
        f"Study {study_id}: {done['people']} people, {done['sessions']} sessions, "
        f"{done['events']} events, sealed."
    )
    if done["already_here"]:
        say(f"{done['already_here']} people were there already.")
    if not done["people"] and not done["already_here"]:
        say("Nobody was in it: the files are there, and hold no rows.")
    for reason, count in sorted(done["left_out"].items()):
        say(f"Left out {count} rows as the format asks: {reason}")
    for kind in ("files", "rows"):
        for reason, count in sorted(done[f"skipped_{kind}"].items()):
            say(f"Left out {count} {kind}: {reason}")


def fill_synthetic(data_dir: Path, study_id: str, people: int, seed: int, *, as_json: bool) -> None:
    """Add synthetic people to a live study."""
    from overt.gateway import population

    with opened(data_dir, create=True) as store, progress("synthetic") as update:
        events = population.fill(store, study_id, people, seed, progress=update)
    if as_json:
        say_json({"study": study_id, "people": people, "events": events, "origin": "synthetic"})
    else:
        say(f"Study {study_id}: {people} synthetic people, {events} events. Labelled synthetic.")
