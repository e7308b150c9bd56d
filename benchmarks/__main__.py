"""Run every benchmark of this folder, one after the other: `make bench`.

    python -m benchmarks [--json] [--markdown] [--only NAME …]

Each is a script of its own; run one alone to pass it options, as in
`python benchmarks/collector.py --rounds 5`. With `--json` each prints one line. `--markdown` writes
the table of docs/reference/figures.md, between `<!-- bench -->` and `<!-- /bench -->`, from this
run's output.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIGURES = HERE.parent / "docs" / "reference" / "figures.md"
BENCHMARKS = ("collector", "sdk", "agent", "features", "typos", "encoder")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
TIMEOUT_S = 600

Row = tuple[str, str, str, str]


def main() -> int:
    """Return the first exit status that is not 0, after running them all."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one line of JSON a benchmark")
    options.add_argument("--markdown", action="store_true", help="write the table of the docs")
    options.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS)
    chosen = options.parse_args()
    as_json = chosen.json or chosen.markdown
    status, rows = 0, []
    for name in chosen.only:
        if not as_json:
            print(f"\n== {name}", flush=True)
        done = run(name, as_json=as_json)
        status = done.returncode or status
        if as_json and done.stdout:
            # A script that missed its aim says so by its status; its figures still count.
            line = done.stdout.strip().splitlines()[-1]
            print(line, flush=True)
            rows += ROWS[name](json.loads(line))
    if chosen.markdown:
        FIGURES.write_text(replaced(FIGURES.read_text("utf-8"), table(rows)), encoding="utf-8")
    return status


def run(name: str, *, as_json: bool) -> subprocess.CompletedProcess[str]:
    """Run one script to its end, or until it took too long."""
    command = [sys.executable, str(HERE / f"{name}.py"), *(["--json"] if as_json else [])]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    try:
        return subprocess.run(
            command, check=False, text=True, env=environment, timeout=TIMEOUT_S,
            stdout=subprocess.PIPE if as_json else None,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{name}: took more than {TIMEOUT_S} s and was ended", file=sys.stderr)
        return subprocess.CompletedProcess(command, 1, "", "")


def collector_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's rows of the collector: what, ours, theirs, who they are."""
    rows: list[Row] = []
    peer = "FastAPI + pydantic + SQLite"
    for case, title in (("plain", ""), ("sync_2_ms", ", 2 ms added to each sync")):
        if found[case] is None:
            continue
        ours, theirs = found[case]["overt"], found[case]["fastapi"]
        best = f"{ours['connections']} connections, theirs {theirs['connections']}"
        rows.append(
            (
                f"collector, events/s, durable before the answer{title} ({best})",
                f"**{ours['events_per_s'] / 1e6:.2f} M** ({found[case]['ratio']:.1f} times)",
                f"{theirs['events_per_s'] / 1e6:.3f} M",
                peer,
            )
        )
    ours, theirs = found["plain"]["overt"], found["plain"]["fastapi"]
    rows.append(
        (
            f"processor time for {found['events_per_request']} events",
            f"**{ours['cpu_us_per_batch']:.0f} µs** ({found['plain']['ratio_cpu']:.0f} times less)",
            f"{theirs['cpu_us_per_batch'] / 1000:.1f} ms",
            peer,
        )
    )
    rows.append(
        (
            f"answer, p99, {min(found['connections'])} connections",
            f"{ours['p99_ms']:.0f} ms",
            f"{theirs['p99_ms']:.0f} ms",
            peer,
        )
    )
    return rows


def sdk_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's rows of the SDK beside rrweb."""
    size, wire, work = found["size_gz_bytes"], found["wire"], found["work"]
    start = found["start_on_long_page"]

    def value(form: str, *path: str) -> str:
        here: Any = found
        for name in path:
            here = here.get(name) if here else None
        return "–" if here is None else form.format(here)

    def kept(way: str) -> str:
        if way not in wire:
            return "–"
        return f"{100 * wire[way]['moves_kept'] / wire[way]['moves_sent']:.0f} %"

    core = f" (capture alone {size['overt_core'] / 1000:.1f})" if size["overt_core"] else ""
    peer = "rrweb 2.1.6"
    mixed, moves = "bytes_per_event_mixed", "bytes_per_event_moves"
    none, bare = (f"{work[way]['script_ms']:.0f}" for way in ("nothing", "listener"))
    beside = f"{peer}; nothing {none}, bare listener {bare}"
    rrweb_size = "–" if size["rrweb"] is None else f"{size['rrweb'] / 1000:.1f} kB"
    return [
        (
            "SDK, kB gzipped, while nobody has joined",
            f"{size['overt_first'] / 1000:.1f} kB",
            "–",
            "",
        ),
        (
            "SDK, kB gzipped, all that records",
            f"{size['overt'] / 1000:.1f} kB{core}",
            rrweb_size,
            peer,
        ),
        (
            "bytes an event on the wire, mixed",
            value("{:.1f}", "wire", "overt", mixed),
            value("{:.1f}", "wire", "rrweb", mixed),
            peer,
        ),
        (
            "bytes a pointer move",
            value("{:.1f}", "wire", "overt", moves),
            value("{:.1f}", "wire", "rrweb", moves),
            peer,
        ),
        ("pointer moves kept", kept("overt"), kept("rrweb"), peer),
        (
            f"script time over {found['seconds']:g} s of input",
            f"{work['overt']['script_ms']:.0f} ms",
            value("{:.0f} ms", "work", "rrweb", "script_ms"),
            beside,
        ),
        (
            "start on a page of 20,000 rows, script time",
            f"{start['overt']['script_ms']:.1f} ms",
            value("{:.0f} ms", "start_on_long_page", "rrweb", "script_ms"),
            peer,
        ),
        *replayed_rows(found["replayed"]),
        *secret_rows(found["secrets"]),
        *trouble_rows(found["trouble"]),
    ]


def replayed_rows(found: dict[str, Any]) -> list[Row]:
    """Return the rows of people's own input, replayed; none where there are no recordings."""
    if "overt" not in found:
        return []
    ours, theirs = found["overt"], found.get("rrweb")
    titles = {
        "moves_kept": "pointer moves kept of a person's own, replayed",
        "bytes_per_event_mixed": "bytes an event of a person's own, mixed",
    }

    def cell(one: dict[str, Any] | None, name: str) -> str:
        if one is None or one[name] is None:
            return "–"
        if name == "moves_kept":
            return f"{100 * one[name] / one['moves_sent']:.0f} %"
        return f"{one[name]:.1f}"

    return [
        (title, cell(ours, name), cell(theirs, name), "rrweb") for name, title in titles.items()
    ]


def trouble_rows(found: dict[str, Any]) -> list[Row]:
    """Return the rows of what is lost, and of pauses; nobody stands beside these."""
    scenes = found["scenes"].values()
    lost, made = (sum(one[name] for one in scenes) for name in ("lost", "made"))
    ordinary = found["pauses"]
    ways = "500, 503, 429, refused, dying collector, reloads, a day offline"
    return [
        (f"events lost: {ways}", f"**{lost}** of {made:,}", "–", "nobody beside it"),
        (
            "pauses an hour while a page does something ordinary each second",
            f"{ordinary['per_hour']:.0f}",
            "–",
            "nobody beside it",
        ),
    ]


def secret_rows(found: dict[str, Any]) -> list[Row]:
    """Return one row for each other recorder: places of a page whose secrets were found."""
    rows: list[Row] = []
    ours = len(found["overt"]["places"])
    for name in [way for way in found if way != "overt" and "," not in way]:
        masked = len(found[f"{name}, all masks"]["places"])
        theirs = f"{len(found[name]['places'])}, with all masks {masked}"
        places = f"places whose secrets are found, of {found['overt']['of']}"
        rows.append((places, f"**{ours}**", theirs, name))
    return rows


def agent_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's rows of the desktop agent beside programs that only listen."""
    names = [name for name in ("pynput", "as aw-watcher-input") if name in found["idle"]]
    peer = " and ".join(names) or "nobody beside it"

    def cells(phase: str, name: str, form: str) -> tuple[str, str]:
        """Return our cell and theirs; shares come as per cent."""
        scale = 100 if name == "share_of_a_core" else 1
        ours, *theirs = (form.format(scale * found[phase][who][name]) for who in ("overt", *names))
        return f"**{ours}**", " and ".join(theirs) or "–"

    share = "share_of_a_core"
    rows: list[Row] = []
    for hz in (125, 1000):
        ours, theirs = cells(f"moves_{hz}_hz", share, "{:.1f} %")
        rows.append((f"agent, share of a core, pointer at {hz:,} Hz", ours, theirs, peer))
    ours, theirs = cells("moves_1000_hz", "cpu_ms_per_1000_events", "{:.1f} ms")
    rows.append(("agent, processor time for 1,000 events at 1,000 Hz", ours, theirs, peer))
    ours, theirs = cells("idle", share, "{:.2f} %")
    rows.append(("agent, share of a core while nothing happens", ours, theirs, peer))
    ours, theirs = cells("keys", share, "{:.1f} %")
    rows.append(("agent, share of a core, ten keys a second", ours, theirs, peer))
    ours, theirs = cells("keys_in_a_terminal", share, "{:.1f} %")
    rows.append(("agent, share of a core, ten keys a second in a terminal", ours, theirs, peer))
    hour = found["mb_per_hour"]
    moving = f"moving at 125 Hz all the time {hour['moves_125_hz']:.1f}"
    said = f"{hour['35_events_per_s']:.1f} MB; {moving}"
    rows.append(("agent, an hour of 35 events/s on the wire", said, "–", "nobody beside it"))
    return rows


def feature_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's rows of the features: ours beside each of the others."""
    ours, *others = found["rows"]
    return [
        (
            f"features, events/s on one core ({ours['columns']} columns, theirs {one['columns']})",
            f"**{ours['events_per_s'] / 1e6:.1f} M** ({one['times_slower']:.1f} times)",
            f"{one['events_per_s'] / 1e6:.2f} M",
            one["name"],
        )
        for one in others
    ]


def typo_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's row of the corrector."""
    return [
        (
            "corrections a second, one thread",
            f"{found['overt_per_s']:,}",
            f"{found['symspell_per_s']:,}",
            "symspellpy",
        )
    ]


def encoder_rows(found: dict[str, Any]) -> list[Row]:
    """Return the table's row of the shared encoder's loader, beside the training it feeds."""
    speed = dict(found["events_per_s"])
    loader = speed.pop("loader")
    body = max(speed, key=lambda name: speed[name])
    return [
        (
            "events/s drawn for training the shared encoder",
            f"**{loader / 1e6:.1f} M** ({loader / speed[body]:.0f} times)",
            f"{speed[body] / 1e6:.3f} M",
            f"its own training, fastest: {body}",
        )
    ]


ROWS = {
    "collector": collector_rows,
    "sdk": sdk_rows,
    "agent": agent_rows,
    "features": feature_rows,
    "typos": typo_rows,
    "encoder": encoder_rows,
}


def table(rows: list[Row]) -> str:
    """Return the table with the machine and the day it was made on."""
    lines = ["| | Overt | the other | who that is |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    day = dt.datetime.now(dt.UTC).date()
    python = f"Python {platform.python_version()}, pyarrow {importlib.metadata.version('pyarrow')}"
    machine = f"{os.cpu_count()} cores of {_processor()}, {python}, {day}"
    return "\n".join(["", *lines, "", f"`make bench`, one run on {machine}.", ""])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def replaced(text: str, made: str) -> str:
    """Return a text with what stands between the two markers replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"figures.md has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
