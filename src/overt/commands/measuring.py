"""`overt features` and `overt audit`: figures over people, never of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from overt.commands.console import progress, say, say_json, table
from overt.commands.place import opened
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.study import Study

PEOPLE_MIN = 10
"""People see aggregates of at least ten. Ten of one origin: anyone can make up the same synthetic
people again and subtract them, and would be left with the few living ones among them."""


def summarise_features(
    data_dir: Path, study_id: str, purpose: str, out: Path | None, *, as_json: bool
) -> None:
    """Compute features through the door and show their distribution over people."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from overt.features.catalogue import CATALOGUE
    from overt.features.means import means
    from overt.gateway.door import Door

    by_origin: dict[str, list[Any]] = {}
    with opened(data_dir) as store, progress("features") as update:
        door = Door(store, "command line", "researcher")
        selected = door.select(study_id, purpose, "features")
        for number, chosen in enumerate(selected):
            update("computing", number / len(selected))
            events = door.open(chosen, purpose, "features")
            if events is None:
                continue
            figures = means(events.sessions)
            if np.isfinite(figures).any():
                by_origin.setdefault(events.origin, []).append(figures)
    enough = {o: people for o, people in by_origin.items() if len(people) >= PEOPLE_MIN}
    left_out = sorted(by_origin.keys() - enough.keys())
    origins = sorted(enough)
    if not enough:
        raise TooFew(
            f"a summary needs {PEOPLE_MIN} people with events",
            where=f"study {study_id}",
            do="Import or record more; figures of fewer would be figures of persons.",
        )
    groups = [np.array(people, np.float64) for people in enough.values()]
    rows: list[dict[str, Any]] = []
    for place, feature in enumerate(CATALOGUE):
        known = [group[np.isfinite(group[:, place]), place] for group in groups]
        known = [column for column in known if column.size >= PEOPLE_MIN]
        if not known:
            continue
        column = np.concatenate(known)
        low, middle, high = np.percentile(column, [25, 50, 75]).tolist()
        rows.append(
            {
                "feature": feature.name,
                "unit": feature.unit,
                "people": int(column.size),
                "mean": float(column.mean()),
                "quarter": low,
                "median": middle,
                "three_quarters": high,
            }
        )
    if out is not None:
        pq.write_table(pa.Table.from_pylist(rows), out)
    if as_json:
        answer = {"study": study_id, "origins": origins, "left_out": left_out, "features": rows}
        say_json(answer)
        return
    names = ("mean", "quarter", "median", "three_quarters")
    shown = [
        (f"{r['feature']} ({r['unit']})", str(r["people"]), *(f"{r[n]:,.3f}" for n in names))
        for r in rows
    ]
    title = f"Features of {study_id}: each person's mean over sessions ({', '.join(origins)})"
    table(title, ("feature", "people", "mean", "25 %", "median", "75 %"), shown)
    for origin in left_out:
        say(f"Left out, fewer than {PEOPLE_MIN}: {origin} people.")


def _keys(text: str) -> list[int]:
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError as error:
        raise InvalidInput(
            "must be whole numbers with commas between", where="--keys", do="Such as 50,250."
        ) from error


def audit_linkage(
    data_dir: Path, study_id: str, level: str, keys: str, html: Path | None, *, as_json: bool
) -> None:
    """Attack a study by typing profile, show the rates, and log the audit."""
    from overt.gateway.audits import audit
    from overt.gateway.studies import study_of

    lengths = _keys(keys)
    with opened(data_dir) as store, progress("audit") as update:
        study = study_of(store, study_id)
        done = audit(store, study.id, level, lengths, "command line", update)
    found, synthetic = done.found, done.synthetic
    if html is not None:
        from overt.audit.report import html as report

        page = report(found, study=study.title, origin=_origin(study, synthetic=synthetic))
        html.write_text(page, encoding="utf-8")
    if as_json:
        say_json({"study": study.id, "synthetic": synthetic, **found.as_dict()})
        return
    if synthetic:
        say("SYNTHETIC: some or all of these people are made up.")
    shown = [
        (
            f"{row.level}, {row.keys} keys, {row.attack}",
            _rate(row.rank1, row.rank1_low, row.rank1_high),
            f"{row.chance:.2%}",
            _rate(row.eer_global, row.eer_global_low, row.eer_global_high),
            _rate(row.eer_subject_mean, row.eer_subject_mean_low, row.eer_subject_mean_high),
            f"{row.people}",
        )
        for row in found.rows
    ]
    heads = ("attack", "rank-1", "chance", "EER global", "EER per subject", "people")
    table(f"Linkage in {study.id} (95 % intervals over people)", heads, shown)
    for left_out in found.left_out:
        say(f"Left out, too few: {left_out}")
    if html is not None:
        say(f"Report: {html}")


def _origin(study: Study, *, synthetic: bool) -> str:
    """Say in words what the data is."""
    if study.origin == "imported":
        return f"imported from {study.source}; licence: {study.licence}"
    return "live, with synthetic people among them" if synthetic else "live"


def _rate(value: float, low: float, high: float) -> str:
    return f"{value:.1%} [{low:.1%}, {high:.1%}]"
