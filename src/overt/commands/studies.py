"""`overt study`: register and show studies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from overt.commands.console import say, say_json, table
from overt.commands.place import opened
from overt.schema.study import Study, load_study, study_sha256, template


def write_template(file: Path, title: str, origin: str) -> None:
    """Write an example `study.toml` whose id is the name of the file."""
    text = template(file.stem, title or file.stem, origin)
    file.write_text(text, encoding="utf-8")
    say(f"Wrote {file}. Edit it, then register it with: overt study new {file}")


def register(data_dir: Path, file: Path) -> None:
    """Register the study in a file, or its new version."""
    from overt.gateway import studies

    study = load_study(file)
    with opened(data_dir, create=True) as store:
        studies.register(store, file.read_bytes())
    say(f"Registered {study.id}, version {study.version}.")
    if study.origin == "live":
        say(f"With `overt up` its page is at /study/{study.id}.")


def _described(study: Study) -> dict[str, Any]:
    from overt.consent.notice import notice_sha256

    notices = {lang: notice_sha256(study, lang) for lang in study.notice}
    return {**asdict(study), "study_sha256": study_sha256(study), "notice_sha256": notices}


def show(data_dir: Path, study_id: str | None, *, as_json: bool) -> None:
    """Show one study, or list all; counts of people are ranges."""
    from overt.gateway.studies import study_of
    from overt.schema.manifest import bucket

    with opened(data_dir) as store:
        if study_id is None:
            found = [load_study(row.document) for row in store.control.studies()]
            listed = [
                {
                    "id": study.id,
                    "title": study.title,
                    "origin": study.origin,
                    "people": bucket(len(store.subjects(study.id))),
                }
                for study in found
            ]
            if as_json:
                say_json({"studies": listed})
            else:
                names = ("id", "title", "origin", "people")
                table("Studies", names, [tuple(row[name] for name in names) for row in listed])
            return
        described = _described(study_of(store, study_id))
    if as_json:
        say_json(described)
        return
    rows = [(name, _words(value)) for name, value in described.items() if value not in ("", ())]
    table(f"Study {study_id}", ("setting", "value"), rows)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items() if isinstance(text, str))
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
