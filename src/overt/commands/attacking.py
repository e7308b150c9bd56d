"""The command line of `overt audit`: attacks on the data, and on models, before anyone else's."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from overt.commands.console import progress, say, say_json, table
from overt.commands.options import DATA_DIR, AsJson, DataDir, PlotFile, Published
from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.audit.membership import Membership
    from overt.audit.rates import Interval


class Level(StrEnum):
    """Detail level at which an attack is run."""

    RAW = "raw"
    RHYTHM = "rhythm"
    COARSE = "rhythm/1"


class Device(StrEnum):
    """Where the attacker's models are trained."""

    CPU = "cpu"
    CUDA = "cuda"


def register(audit_app: typer.Typer) -> None:
    """Add the commands."""
    audit_app.command(
        epilog="Example: overt audit linkage --study aalto --level rhythm --keys 50,250"
    )(linkage)
    audit_app.command(
        epilog="Example: overt audit membership --study aalto --model next-action\n\n"
        "Example: overt audit membership --data aalto-desktop-subset --model encoder --html m.html"
    )(membership)


def linkage(
    *,
    study: Annotated[str, typer.Option("--study", help="Id of the study.")],
    level: Annotated[Level, typer.Option(help="raw is for imported data only.")],
    keys: Annotated[str, typer.Option(help="Keys in the probe, comma-separated.")] = "50,250",
    html: PlotFile = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Try to recognise people by how they type; the figures are over people, never matches."""
    from overt.commands.measuring import audit_linkage

    audit_linkage(data_dir, study, level.value, keys, html, as_json=as_json)


def membership(
    *,
    model: Annotated[
        str,
        typer.Option(
            help="With --study, the purpose it serves. With --data: encoder, lightgbm, corrector, "
            "corrector-in-context, text, programs, private, or for comparison overfitted and "
            "strangers."
        ),
    ],
    study: Annotated[str | None, typer.Option(help="Id of the study.")] = None,
    data: Published = None,
    losses: Annotated[
        Path | None,
        typer.Option(help="Or an .npz of losses of models trained elsewhere.", dir_okay=False),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="With --study: the one of overt train-private.")
    ] = False,
    models: Annotated[
        int, typer.Option(min=8, max=1024, help="Models on halves of the people; even.")
    ] = 16,
    people_max: Annotated[
        int, typer.Option("--people", min=20, help="People of --data that are read, at most.")
    ] = 128,
    shards: Annotated[int, typer.Option(min=1, max=64, help="Of what has shards.")] = 4,
    device: Annotated[Device, typer.Option(help="cuda trains many at once.")] = Device.CPU,
    epsilon: Annotated[
        float | None, typer.Option(min=0.01, help="Of private; without it, no noise.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of encoder: passes over its data; else as it ships.")
    ] = None,
    html: PlotFile = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Try to tell who a model was trained on; the figures are over people, never matches.

    Of a study's model the result goes into its card, and decides whether it may be released.
    """
    if [study, data, losses].count(None) != 2:
        raise InvalidInput(
            "needs a study, published data or losses, and one of them",
            where="overt audit membership",
            do="Give --study ID, --data PATH or --losses FILE.",
        )
    if private and study is None:
        raise InvalidInput(
            "is of a study's model", where="--private", do="With --data it is --model private."
        )
    with progress(f"membership of {model}") as update:
        if study is not None:
            from overt.commands.place import opened
            from overt.gateway import membership as gateway
            from overt.gateway import private_audit

            audit = private_audit.audit if private else gateway.audit
            with opened(data_dir) as store:
                done = audit(store, study, model, "command line", update, models=models)
            found, verdict, synthetic = done.found, done.verdict, done.synthetic
        else:
            from overt.audit import attackable

            verdict, synthetic = (), False
            if data is not None:
                found = attackable.published(
                    model,
                    data,
                    people_max,
                    models,
                    shards,
                    device.value,
                    update,
                    epsilon=epsilon,
                    epochs=epochs,
                )
            else:
                found = attackable.elsewhere(model, losses or Path(), update)
    if html is not None:
        from overt.audit.membership_page import page

        html.write_text(page(found, verdict, synthetic=synthetic), encoding="utf-8")
    if as_json:
        say_json(
            {
                "study": study,
                "synthetic": synthetic,
                "not_released_because": list(verdict),
                **found.as_dict(),
            }
        )
        return
    if synthetic:
        say("SYNTHETIC: some or all of these people are made up; this says nothing of people.")
    _show(found)
    if study is not None:
        say("The card says this. " + (" ".join(verdict) or "Within the bound of a release."))
    if html is not None:
        say(f"Report: {html}")


def _show(found: Membership) -> None:
    from overt.audit.membership import Threat

    rates = list(found.rows[0].found.true_rates)
    shown = [
        (
            f"{row.attack}, {row.access}{', itself' if row.of == 'itself' else ''}",
            _interval(row.found.auc, "{:.3f}"),
            *(_interval(row.found.true_rates[rate], "{:.2%}") for rate in rates),
        )
        for row in found.rows
    ]
    heads = ("attack", "AUC", *(f"members found at {rate:.2g} false" for rate in rates))
    title = (
        f"Membership in {found.model}: {found.models} models on halves of {found.people:,} people"
    )
    table(title, heads, shown)
    say("95 % intervals over people. Guessing: AUC .5, and as many members as false alarms.")
    for access in dict.fromkeys(row.access for row in found.rows):
        say(f"{access}: {Threat(access).words()}")
    for left_out in found.left_out:
        say(f"Not measured, {left_out}.")


def _interval(found: Interval | None, form: str) -> str:
    if found is None:
        return "–"
    return f"{form.format(found.value)} [{form.format(found.low)}, {form.format(found.high)}]"
