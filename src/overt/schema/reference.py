"""The page that documents each field, for people: written from the specification, never by hand.

`python -m overt.schema.generate` writes it to `docs/reference/fields.md`; `--check` fails if it is
not what `spec/event.json` says.
"""

from __future__ import annotations

from typing import Any

HEADER: dict[str, tuple[str, str, str]] = {
    "schema": ("version of this schema", "name", "exact"),
    "source": ("program that recorded, and its version", "name", "exact"),
    "study": ("the study", "name", "exact"),
    "receipt": ("the receipt the recording rests on", "128 random bits", "exact"),
    "session": ("one visit of one page", "128 random bits", "exact"),
    "batch": ("number of the batch in the session, from 0", "number", "exact"),
    "purposes": ("the stream: the purposes that need these events", "names", "exact"),
    "level": ("detail level of the study", "name", "exact"),
    "transform": ("version of the level that the person chose", "name", "exact"),
    "rows": ("events in this batch", "events", "exact"),
    "first_seq": ("sequence number of the first row", "events", "exact"),
    "time_origin_ms": (
        "time at the session's origin; the server's, if the device's clock is set wrong",
        "ms since 1970",
        "1 ms",
    ),
    "t0_us": (
        "monotonic time of the first row since the time origin",
        "µs",
        "the step of the clock; whole seconds for keys at `rhythm/1`",
    ),
    "clock_resolution_us": ("smallest step the clock was seen to make", "µs", "as measured"),
    "x0_8th_css_px": ("where the pointer was at the first row", "CSS px", "1/8 CSS px"),
    "y0_8th_css_px": ("where the pointer was at the first row", "CSS px", "1/8 CSS px"),
    "produced": ("events created in this session so far", "events", "exact"),
    "removed": ("of these, removed by the person before they left", "events", "exact"),
    "lost": ("of these, lost on the device", "events", "exact"),
    "end": ("the session ended properly, and this is its last batch", "yes or no", "exact"),
}
"""Field of a batch's header → what it says, unit, precision. All serve every purpose: they say
which recording this is, whole or not."""

_HEAD = (
    "# Each field: unit, precision, and the purpose that needs it\n\n"
    "Written from [`spec/event.json`](../../spec/event.json) by `python -m overt.schema.generate`; "
    "do not edit. When each kind of event comes about, and what it could give away, is in "
    "[`spec/event.md`](../../spec/event.md); the bytes are in "
    "[`spec/batch.md`](../../spec/batch.md).\n\n"
    "A field is 0 in every kind of event that is not named in its row. An event exists only if the "
    "person chose a purpose that needs its kind; so what is recorded of them is what stands beside "
    "the purposes they chose, and no more. All fields are whole numbers; text is in none of them.\n"
)

_PURPOSES = """\
## Purposes

| purpose | what for | kinds of event it needs |
|---|---|---|
"""

_EVENT = (
    "## Fields of an event\n\n"
    "As on the wire (`dseq`, `dt_us`, `dx_8th_css_px` and `dy_8th_css_px` are differences to the "
    "row before; read back they are `seq`, `t_us`, `x_8th_css_px` and `y_8th_css_px`). Needed for "
    "“every” purpose is what all of them need, and marks, which describe the recording.\n\n"
    "| field | in | says | unit | precision | at `rhythm/1` | needed for |\n"
    "|---|---|---|---|---|---|---|\n"
)

_HEADER = """\
## Fields of a batch's header

Each batch says once which recording its events belong to. These fields serve every purpose.

| field | says | unit | precision |
|---|---|---|---|
"""

_SETS = """\
## Closed sets

| set | members |
|---|---|
"""


def page(spec: dict[str, Any]) -> str:
    """Return the page, as Markdown, from the content of `spec/event.json`."""
    parts = [_HEAD, "\n", _PURPOSES]
    kinds = {number: _words(name) for name, number in spec["sets"]["Kind"].items()}
    for name, purpose in spec["purposes"].items():
        needs = ", ".join(kinds[number] for number in purpose["kinds"])
        parts.append(f"| {name} | {purpose['title']} | {needs} |\n")
    parts += ["\n", _EVENT]
    every = sorted(spec["purposes"])
    before = ""
    for use in spec["fields"]:
        named = "" if use["name"] == before else f"`{use['name']}`"
        before = use["name"]
        purposes = (
            "every" if use["mark"] or use["purposes"] == every else ", ".join(use["purposes"])
        )
        cells = (named, use["of"], use["says"], use["unit"], use["precision"], use["at_rhythm_1"])
        parts.append(f"| {' | '.join((*cells, purposes))} |\n")
    parts += ["\n", _HEADER]
    for one in spec["header"]:
        told = (f"`{one['name']}`", one["says"], one["unit"], one["precision"])
        parts.append(f"| {' | '.join(told)} |\n")
    parts += ["\n", _SETS]
    for name, members in spec["sets"].items():
        said = ", ".join(f"{_words(member)} {number}" for member, number in members.items())
        parts.append(f"| `{name}` | {said} |\n")
    return "".join(parts)


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
