"""`overt train`: the model of a purpose, beside every baseline, on people it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from overt.commands.console import progress, say, say_json, table
from overt.commands.place import opened

COLUMNS = (
    ("top1", "top-1", "{:.1%}"),
    ("nll", "NLL", "{:.3f}"),
    ("ece", "ECE", "{:.3f}"),
    ("bits_a_slip", "bits a slip", "{:.2f}"),
    ("pause_nll", "pause NLL", "{:.3f}"),
    ("pause_crps_ms", "pause CRPS ms", "{:.1f}"),
    ("pause_mae_ms", "pause MAE ms", "{:.1f}"),
    ("pause_r2", "pause R²", "{:.3f}"),
    ("auc", "AUC", "{:.3f}"),
    ("tpr", "TPR at 1 % FPR", "{:.1%}"),
    ("cannot_tell", "cannot tell", "{:.1%}"),
    ("wrong", "wrong where told", "{:.1%}"),
    ("bits_a_character", "bits a character", "{:.3f}"),
    ("slip_put_right", "slip put right first", "{:.1%}"),
)
"""Figures shown of a model and its baselines, those that it has; all are in the card."""


def train_model(
    data_dir: Path, study_id: str, purpose: str, epochs: int | None, *, as_json: bool
) -> None:
    """Train and print the card's figures."""
    from overt.gateway import train

    with opened(data_dir) as store, progress("train") as update:
        card = train.train(
            store, study_id, purpose, epochs=epochs, reader="command line", progress=update
        )
    if as_json:
        say_json(card)
    else:
        show_card(card)


def show_card(card: dict[str, Any]) -> None:
    """Print a card's figures with their intervals."""
    judged = card["evaluation"]
    people = ", ".join(f"{count} {origin}" for origin, count in card["people"]["origins"].items())
    say(f"Learned from: {people}.")
    if card["synthetic"]:
        say("SYNTHETIC: some or all of these people are made up; this says nothing about people.")
    there = {key for figures in judged["rows"].values() for key in figures}
    columns = [column for column in COLUMNS if column[0] in there]
    rows = []
    for name, figures in judged["rows"].items():
        rows.append((name, *(_cell(figures[key], form) for key, _, form in columns)))
    how = "people of another split" if judged["protocol"] == "test" else judged["protocol"]
    about = "Person or program" if "auc" in there else "Next event and pause"
    about = "Text and slips" if "bits_a_character" in there else about
    title = f"{about} on unseen people ({judged['persons']}, {how})"
    table(title, ("", *(head for _, head, _ in columns)), rows)
    say("95 % intervals over people in brackets.")
    for remark in judged.get("remarks", ()):
        say(remark)
    if judged["too_few"]:
        say("Too few people to judge: these figures say next to nothing.")
    certified = "certified" if card["certified"] else "not certified"
    say(f"Model {card['model']['sha256']} ({certified}).")


def _cell(figure: dict[str, float | None], form: str) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "–"
    if low is None or high is None:
        return form.format(value)
    return f"{form.format(value)}\n[{form.format(low)}, {form.format(high)}]"
