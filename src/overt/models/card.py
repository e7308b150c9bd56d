"""The card of a model: what it is, what it learned from, how good it is, what it is not for.

A card names nobody and counts people in ranges. It is plain JSON; `markdown` is the same for eyes.
"""

from __future__ import annotations

from typing import Any

from overt.datasets.tokens import TOKENS_ID
from overt.models.config import Config
from overt.models.curve import mean_curve
from overt.models.evaluate import Evaluation
from overt.models.train import Trained
from overt.schema.errors import InvalidInput
from overt.schema.manifest import Manifest, bucket
from overt.schema.purpose import NOT_FOR

CARD_ID = "card/1"

_TITLES = {
    "top1": ("top-1", "{:.1%}"),
    "top3": ("top-3", "{:.1%}"),
    "nll": ("NLL, nats", "{:.3f}"),
    "ece": ("ECE", "{:.3f}"),
    "pause_nll": ("pause NLL, nats of ln ms", "{:.3f}"),
    "pause_crps_ms": ("pause CRPS, ms", "{:.1f}"),
    "pause_mae_ms": ("pause MAE, ms", "{:.1f}"),
    "pause_r2": ("pause R², ln ms", "{:.3f}"),
    "auc": ("AUC", "{:.3f}"),
    "tpr": ("TPR at 1 % FPR", "{:.1%}"),
    "cannot_tell": ("cannot tell", "{:.1%}"),
    "wrong": ("wrong where told", "{:.1%}"),
    "bits_a_character": ("bits a character", "{:.3f}"),
    "slip_put_right": ("slip put right first", "{:.1%}"),
}


def card(
    trained: Trained, evaluation: Evaluation, manifest: Manifest, *, with_curve: bool = False
) -> dict[str, Any]:
    """Return the card as plain JSON. The manifest must be that of the data it was trained on.

    `with_curve` shows how the loss went down in training, mean over shards: only where as many
    people are in it as any other figure needs.
    """
    if manifest.tokens != TOKENS_ID:
        raise InvalidInput("is of other tokens than the model", where="manifest.tokens")
    config = trained.config
    made = frame(
        "sharded GRU event encoder; a prediction is the mean over shards",
        trained,
        {name: getattr(config, name) for name in Config.__dataclass_fields__},
        {
            **evaluation.as_dict(),
            "persons": bucket(evaluation.persons),
            "events": bucket(evaluation.events),
        },
        manifest,
    )
    return {**made, "training": mean_curve(trained.curves.values()) if with_curve else None}


def frame(
    kind: str, fitted: Any, config: dict[str, Any], judged: dict[str, Any], manifest: Manifest
) -> dict[str, Any]:
    """Return what is the same in the card of any sharded model; `kind` says in words which."""
    return {
        "card": CARD_ID,
        "study": manifest.study,
        "purpose": manifest.purpose,
        "synthetic": manifest.synthetic,
        "people": {
            "origins": manifest.origins,
            "splits": manifest.splits,
            "subjects_root": manifest.subjects_root,
        },
        "data": {
            "transform": manifest.transform,
            "tokens": manifest.tokens,
            "sha256": manifest.dataset_sha256,
            "sources": [vars(source) for source in manifest.sources],
        },
        "model": {
            "kind": kind,
            "sha256": fitted.sha256(),
            "shards": {str(shard): value for shard, value in fitted.shard_hashes().items()},
            "config": config,
        },
        "training": None,
        "certified": fitted.certified,
        "uncertified_because": list(fitted.uncertified()),
        "machine": dict(fitted.machine),
        "evaluation": judged,
        "not_for": list(NOT_FOR),
    }


def markdown(card: dict[str, Any]) -> str:
    """Return the card as Markdown text."""
    people, data, model = card["people"], card["data"], card["model"]
    lines = [f"# Model of study {card['study']}, purpose {card['purpose']}", ""]
    if card["synthetic"]:
        lines += ["**Synthetic: some or all of the people in it are made up.**", ""]
    counted = ", ".join(f"{count} {origin}" for origin, count in sorted(people["origins"].items()))
    lines += [
        f"- people: {counted}; Merkle root of their salted commitments `{people['subjects_root']}`",
        f"- data: {data['transform']}, {data['tokens']}, SHA-256 `{data['sha256']}`",
        f"- model: {model['kind']}; SHA-256 `{model['sha256']}`",
    ]
    lines += [
        f"- source: {s['name']}; licence {s['licence']}; lawful basis declared by the importer: "
        f"{s['lawful_basis']}"
        for s in data["sources"]
    ]
    if card["certified"]:
        known = card["machine"]
        parts = [known["processor"], known.get("capability", "no BLAS")]
        parts += [f"{name} {known[name]}" for name in ("torch", "numba") if name in known]
        fixed = ", ".join([*parts, "one thread a shard"])
        lines += [f"- certified: trained again ({fixed}) it equals this bit for bit"]
    else:
        lines += [f"- not certified: {'; '.join(card['uncertified_because'])}"]
    return "\n".join([*lines, "", *_table(card["evaluation"]), "", *_not_for(card)]) + "\n"


def _table(judged: dict[str, Any]) -> list[str]:
    how = {
        "test": "people it has not seen",
        "leave-shard-out": "each person by the shards that have not seen them",
    }.get(judged["protocol"], "nobody: there was no one it has not seen")
    lines = [f"Judged on {how} ({judged['persons']} persons, {judged['events']} events)."]
    if judged["too_few"]:
        lines += ["**Too few persons: these figures say next to nothing.**"]
    there = {figure for row in judged["rows"].values() for figure in row}
    titles = {figure: title for figure, title in _TITLES.items() if figure in there}
    lines += [
        "95 % intervals over persons in brackets; pause figures are given the event that came.",
        "",
        "| | " + " | ".join(title for title, _form in titles.values()) + " |",
        "|---" * (len(titles) + 1) + "|",
    ]
    for name, row in judged["rows"].items():
        cells = [_cell(row[figure], form) for figure, (_title, form) in titles.items()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", *judged["remarks"]] if judged.get("remarks") else []
    return lines


def _cell(figure: dict[str, float | None], form: str) -> str:
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    if value is None:
        return "–"
    if low is None or high is None:
        return form.format(value)
    return f"{form.format(value)} [{form.format(low)}, {form.format(high)}]"


def _not_for(card: dict[str, Any]) -> list[str]:
    return ["Not to be used for:", "", *[f"- {use}" for use in card["not_for"]]]
