"""`overt demo`: the whole loop, unattended, on this machine; every promise it can check, checked.

A real server in a process of its own, a real Chromium with injected keys and pointer, a synthetic
population beside the one live person. Everything lies in a temporary directory and is gone after.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overt.commands import chromium
from overt.commands.console import Progress, progress, say, say_json
from overt.commands.place import BUILT_IN, opened
from overt.schema.errors import Damaged

if TYPE_CHECKING:
    from overt.audit.linkage import Linkage
    from overt.store.scan import Traces
    from overt.store.store import Store

SEED = 11
MINUTES = 1.5
"""Of each of a synthetic person's two sessions."""

PROBE_KEYS = 50


@dataclass
class Outcome:
    """What the demo found. `promises` are sentences and whether each held."""

    figures: dict[str, Any] = field(default_factory=dict)
    promises: list[tuple[str, bool]] = field(default_factory=list)
    linkage: Linkage | None = None

    def hold(self, promise: str, held: bool) -> None:  # noqa: FBT001 - reads as a sentence
        """Note whether a promise held."""
        self.promises.append((promise, bool(held)))

    @property
    def ok(self) -> bool:
        """Whether every promise held."""
        return all(held for _, held in self.promises)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        promises = [{"promise": words, "held": held} for words, held in self.promises]
        return {**self.figures, "promises": promises, "ok": self.ok}


def run_demo(people: int, html: Path | None, *, epochs: int | None, as_json: bool) -> None:
    """Run the loop, print what came of it, and exit with 1 if a promise did not hold."""
    chromium.require()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="overt-demo-") as scratch, progress("demo") as update:
        outcome = _loop(Path(scratch), people, epochs, update)
    outcome.figures["seconds"] = round(time.monotonic() - started, 1)
    if html is not None:
        from overt.commands.demo_report import page

        html.write_text(page(outcome), encoding="utf-8")
    if as_json:
        say_json(outcome.as_dict())
    else:
        _tell(outcome, html)
    if not outcome.ok:
        raise SystemExit(1)


def _loop(scratch: Path, people: int, epochs: int | None, update: Progress) -> Outcome:
    from overt.commands.person import visiting
    from overt.gateway import population

    outcome = Outcome()
    data_dir = scratch / "data"
    canary = f"canary{secrets.token_hex(6)}"
    with opened(data_dir, create=True) as store:
        update("making up people", 0.02)
        population.fill(store, BUILT_IN, people, SEED, minutes=MINUTES)
    with _server(data_dir, epochs, update) as url, visiting(canary) as visit:
        update("joining", 0.08)
        receipt = visit.join(url)
        update("typing and pointing in a headless Chromium", 0.1)
        visit.do_tasks()
        visit.look_at_risk()
        update("sending", 0.25)
        visit.send()
        update("training", 0.3)
        card = visit.learn()
        counts = visit.send()
        with opened(data_dir) as store:
            person, traces = _traces(store, receipt)
            stored = store.stored_counts(person)["events"]
            update("attacking", 0.6)
            outcome.linkage = _attack(store, people)
        _captured(outcome, counts, stored)
        _learned(outcome, card)
        update("erasing", 0.65)
        bundle = visit.leave(lambda what: update(f"erasing: {what}" if what else "erasing", 0.7))
        outcome.figures["risk"] = visit.seen.risk
        _kept_secret(outcome, canary, visit.seen.sent, data_dir)
        update("searching every file", 0.9)
        _erased(outcome, data_dir, receipt, bundle["certificate"], traces)
    update("verifying offline", 0.95)
    _verified(outcome, scratch, receipt, bundle)
    return outcome


@contextmanager
def _server(data_dir: Path, epochs: int | None, update: Progress) -> Iterator[str]:
    update("starting the server", 0.06)
    command = [sys.executable, "-P", "-m", "overt", "up", "--port", "0", "--data-dir"]
    passes = [] if epochs is None else ["--epochs", str(epochs)]
    server = subprocess.Popen([*command, str(data_dir), *passes], stdout=subprocess.PIPE, text=True)
    try:
        url = (server.stdout.readline() if server.stdout else "").strip()
        if not url.startswith("http://"):
            raise Damaged("the server did not start", where="overt up", do="See its message above.")
        yield url
    finally:
        server.terminate()
        server.wait()


def _traces(store: Store, receipt: dict[str, Any]) -> tuple[str, Traces]:
    from overt.gateway import enrol
    from overt.store.scan import traces_of

    person = enrol.by_recovery(store, receipt["recovery_code"])
    return person.subject, traces_of(store, person.subject)


def _attack(store: Store, people: int) -> Linkage:
    """Attack the synthetic people: raw as they were made, rhythm as it is stored, by the door."""
    from dataclasses import replace

    from overt.audit.linkage import linkage
    from overt.datasets import synthetic
    from overt.gateway.door import Door

    made = synthetic.people(people, SEED, minutes=MINUTES)
    raw = linkage((p.sessions for p in made), levels=("raw",), keys=(PROBE_KEYS,))
    door = Door(store, "demo", "auditor")
    stored = (p for p in door.people(BUILT_IN, "next-action", "audit") if p.origin == "synthetic")
    rhythm = linkage((p.sessions for p in stored), levels=("rhythm",), keys=(PROBE_KEYS,))
    return replace(raw, rows=raw.rows + rhythm.rows, curves=raw.curves + rhythm.curves)


def _captured(outcome: Outcome, counts: dict[str, int], stored: int) -> None:
    outcome.figures |= {
        "events_produced": counts["produced"],
        "events_acknowledged": counts["acknowledged"],
        "events_stored": stored,
    }
    whole = counts["produced"] == counts["acknowledged"] == stored > 0 == counts["lost"]
    outcome.hold("what was produced was acknowledged and stored, none lost or doubled", whole)


def _learned(outcome: Outcome, card: dict[str, Any]) -> None:
    rows = card["evaluation"]["rows"]
    names = [name for name in rows if name != "encoder"]
    outcome.figures["model"] = {
        "sha256": card["model"]["sha256"],
        "certified": card["certified"],
        "synthetic": card["synthetic"],
        "protocol": card["evaluation"]["protocol"],
        "persons": card["evaluation"]["persons"],
        "metrics": rows["encoder"],
        "baselines": {name: rows[name] for name in names},
    }
    outcome.hold("what came from synthetic people is labelled so", card["synthetic"])
    if outcome.linkage is not None:
        outcome.figures["linkage"] = {
            level: {
                **outcome.linkage.best(level, PROBE_KEYS).as_dict(),
                "origin": "synthetic",
            }
            for level in ("raw", "rhythm")
        }


def _kept_secret(outcome: Outcome, canary: str, sent: list[bytes], data_dir: Path) -> None:
    needle = canary.encode()
    seen = sum(needle in body for body in sent)
    seen += sum(needle in path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    outcome.hold("the password is in no request and no file", seen == 0)


def _erased(
    outcome: Outcome,
    data_dir: Path,
    receipt: dict[str, Any],
    certificate: dict[str, Any],
    traces: Traces,
) -> None:
    from overt.store.scan import scan

    with opened(data_dir) as store:
        found = scan(data_dir, traces, store)
        gone = store.is_gone(receipt["receipt_id"])
    reached = certificate["reached"]
    outcome.figures |= {
        "erased": {**reached, "certificate": certificate["job"]},
        "bytes_found_after_erasure": len(found) + certificate["bytes_found"],
        "model_equals_never_seen": certificate["model_equals_never_seen"],
        "models": certificate["models"],
    }
    outcome.hold("the person's key is destroyed and their uploads are refused", gone)
    outcome.hold(
        "every file was searched for keys, pseudonym and timings, and none was found",
        not found and not certificate["bytes_found"],
    )
    was_in_it = any(model["was_in_it"] for model in certificate["models"])
    outcome.hold("the person was in a model, and was taken out", was_in_it)
    outcome.hold(
        "the model equals, bit for bit, one that never met the person",
        certificate["model_equals_never_seen"],
    )


def _verified(
    outcome: Outcome, scratch: Path, receipt: dict[str, Any], bundle: dict[str, Any]
) -> None:
    for name, document in (("bundle", bundle), ("receipt", receipt)):
        (scratch / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "overt", "verify", "bundle.json"]
    done = subprocess.run(
        [*command, "--checkpoint", "receipt.json"],
        cwd=scratch,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    outcome.figures["log_verified"] = done.returncode == 0
    outcome.hold("log, receipt and certificate verify offline", done.returncode == 0)
    bundle["entries"][0]["day"] = "1999-12-31"
    (scratch / "forged.json").write_text(json.dumps(bundle), encoding="utf-8")
    command[-1] = "forged.json"
    forged = subprocess.run(command, cwd=scratch, stdout=subprocess.DEVNULL, check=False)
    outcome.hold("an edited entry does not verify", forged.returncode == 1)


def _tell(outcome: Outcome, html: Path | None) -> None:
    figures = outcome.figures
    say(
        f"Events: {figures['events_produced']} produced, {figures['events_acknowledged']} "
        f"acknowledged, {figures['events_stored']} stored."
    )
    model = figures["model"]
    tops = {"model": model["metrics"], **model["baselines"]}
    shown = ", ".join(f"{name} {row['top1']['value']:.1%}" for name, row in tops.items())
    say(f"Next event right, on people not seen (synthetic): {shown}.")
    for level, row in figures["linkage"].items():
        say(
            f"Recognised at the first guess at {level}: {row['rank1']:.1%} "
            f"[{row['rank1_low']:.1%}, {row['rank1_high']:.1%}], guessing {row['chance']:.1%} "
            "(synthetic)."
        )
    for words, held in outcome.promises:
        say(f"{'ok  ' if held else 'FAIL'}  {words}")
    if html is not None:
        say(f"Report: {html}")
