"""The card of a model: what it is, what it learned from, how good it is, what it is not for.

A card names nobody and counts people in ranges. It is plain JSON; `markdown` is the same for eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overt.datasets.tokens import TOKENS_ID
from overt.models.config import Config
from overt.models.curve import mean_curve
from overt.models.evaluate import GROUP_MIN, Evaluation
from overt.models.train import Trained
from overt.schema.errors import InvalidInput
from overt.schema.manifest import Manifest, bucket
from overt.schema.purpose import NOT_FOR, PURPOSES

CARD_ID = "card/1"

NO_NOISE = {
    "epsilon": None,
    "delta": None,
    "unit": "person",
    "words": "Trained without differential privacy: nothing bounds what it tells of a person but "
    "what attacks on it have found.",
}
"""What a card says of privacy where no ε was spent."""

RECORDED = "Recorded here, with each person's consent for this purpose; nobody has a licence to it."
MADE_UP = "Made up here; nobody is behind it."

_TITLES = {
    "top1": ("top-1", "{:.1%}"),
    "top3": ("top-3", "{:.1%}"),
    "nll": ("NLL, nats", "{:.3f}"),
    "ece": ("ECE", "{:.3f}"),
    "bits_a_slip": ("bits a slip", "{:.2f}"),
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
        "for": PURPOSES[manifest.purpose].explanation,
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
            "licence": _licence(manifest),
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
        "privacy": dict(NO_NOISE),
        "attacks": [],
        "not_for": list(NOT_FOR),
    }


def _licence(manifest: Manifest) -> list[str]:
    """Return under what each origin's data is held, a sentence an origin."""
    said = {"live": RECORDED, "synthetic": MADE_UP}
    made = [said[origin] for origin in sorted(manifest.origins) if origin in said]
    return [*(f"{source.name}: {source.licence}." for source in manifest.sources), *made]


def by_group(
    divisions: Mapping[str, Sequence[str]], figures: Callable[[list[int]], dict[str, Any]]
) -> dict[str, Any]:
    """Return figures of parts of the people, by what divides them and the part.

    `divisions` name everybody's part, `figures` makes a card's row of the people at some places.
    """
    made: dict[str, Any] = {}
    for division, names in divisions.items():
        parts = {
            name: [place for place, one in enumerate(names) if one == name]
            for name in dict.fromkeys(sorted(names))
        }
        if len(parts) > 1 and min(map(len, parts.values())) >= GROUP_MIN:
            made[division] = {
                name: {"people": bucket(len(places)), "figures": figures(places)}
                for name, places in parts.items()
            }
    return made


def halves_of(amount: Sequence[float]) -> list[str]:
    """Return `less` or `more` for each person, by the median of how much there is of them.

    >>> halves_of([3, 9, 4, 8])
    ['less', 'more', 'less', 'more']
    """
    middle = sorted(amount)[(len(amount) - 1) // 2] if amount else 0
    return ["more" if one > middle else "less" for one in amount]


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
        f"- for: {card['for']}",
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
    sections = (lines, _table(card["evaluation"]), _groups(card), _privacy(card), _not_for(card))
    return "\n\n".join("\n".join(part) for part in sections if part) + "\n"


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


def _groups(card: dict[str, Any]) -> list[str]:
    """Return the model's own figures by group, a table a division of people."""
    lines: list[str] = []
    for division, groups in card["evaluation"].get("groups", {}).items():
        there = next(iter(groups.values()))["figures"]
        titles = {figure: title for figure, title in _TITLES.items() if figure in there}
        lines += ["", f"By {division}:", ""] if lines else [f"By {division}:", ""]
        lines.append("| | people | " + " | ".join(title for title, _form in titles.values()) + " |")
        lines.append("|---" * (len(titles) + 2) + "|")
        for name, group in groups.items():
            cells = [_cell(group["figures"][key], form) for key, (_title, form) in titles.items()]
            lines.append(f"| {name} | {group['people']} | " + " | ".join(cells) + " |")
    return lines


def _privacy(card: dict[str, Any]) -> list[str]:
    """Return what bounds what the model tells of a person: ε with its unit, and attacks run."""
    private = card["privacy"]
    lines = [private["words"]]
    if private["epsilon"] is not None:
        lines[0] = (
            f"ε {private['epsilon']:g}, δ {private['delta']:g}, a {private['unit']}. {lines[0]}"
        )
    if not card["attacks"]:
        return [*lines, "No attack has been run on these weights."]
    for one in card["attacks"]:
        who = f"{one['people']} people, {one['models']} models on halves of them"
        lines += ["", f"Attacked by {one['suite']}: {who}. Members found:", ""]
        rates = list(one["rows"][0]["true_rates"])
        heads = [f"at {float(rate):.1%} false" for rate in rates]
        lines += ["| attacked | attacker has | test | AUC | " + " | ".join(heads) + " |"]
        lines += ["|---" * (4 + len(rates)) + "|"]
        for row in one["rows"]:
            found = [_cell(row["auc"], "{:.3f}")]
            found += [_cell(row["true_rates"][r] or dict(_NONE), "{:.1%}") for r in rates]
            name = {"halves": "models on halves", "itself": "this very model"}[row["of"]]
            names = f"| {name} | {row['access']} | {row['attack']} | "
            lines.append(names + " | ".join(found) + " |")
        lines += ["", *(f"{access}: {words}" for access, words in one["threats"].items())]
        lines += [f"Not measured: {text}." for text in one["left_out"]]
    return lines


_NONE = {"value": None, "low": None, "high": None}


def _not_for(card: dict[str, Any]) -> list[str]:
    return ["Not to be used for:", "", *[f"- {use}" for use in card["not_for"]]]
