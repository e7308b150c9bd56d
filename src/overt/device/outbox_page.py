"""The person's page while the agent runs: what waits to leave, what it costs, pause, take out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from overt.device.clock import CLOCK
from overt.device.costs import Costs
from overt.device.drawn import drawings
from overt.device.outbox import Outbox
from overt.device.page import Page, rendered
from overt.device.waiting import NONE, UNKNOWN, Waiting, opened, timeline
from overt.schema.purpose import PURPOSES

PAUSES_MIN = (10, 30, 60)
REMOVALS_MIN = (1, 10, 60)
ALL_MIN = 10**7
LINES_MAX = 200
WIDE, HIGH = 600, 36
ELSEWHERE = {NONE: "keyboard elsewhere", UNKNOWN: "begun before what waits here"}
PHASES = {
    "recording": "Recording",
    "paused person": "Paused by you",
    "paused locked": "Paused: the screen was locked, or the computer slept",
    "paused indicator": "Paused: the sign that shows the recording cannot be seen",
}


class Agent(Protocol):
    """What the page asks of the agent."""

    outbox: Outbox

    def phase(self) -> tuple[str, float | None]:
        """Return phase with reason, and how many minutes a pause lasts still."""

    def pause(self, minutes: float | None = None) -> None:
        """Pause for so long; None: without limit."""

    def resume(self) -> None:
        """Go on, by the person's own act."""

    def settle(self) -> None:
        """Close what is open, so that the outbox has everything until now."""

    def costs(self) -> Costs:
        """Return what it costs."""


@dataclass(frozen=True)
class Row:
    """An application's line of the timeline, ready to be drawn."""

    number: int
    title: str
    bars: Sequence[tuple[float, float, float, str]]
    """x, height, width, and what is said of each."""
    events: int
    counts: str


class OutboxPage:
    """Shows and does. Every change is a form; there is no other way to change anything."""

    def __init__(self, agent: Agent, titles: Mapping[int, str], study: str) -> None:
        self._agent, self._study = agent, study
        self._titles = {**ELSEWHERE, **titles}
        self._said = ""
        self._page = Page(self.shown, self.done)
        self.url = self._page.url

    def close(self) -> None:
        """Stop serving."""
        self._page.close()

    def shown(self, path: str, nonce: str) -> str | None:
        """Return a page as HTML."""
        if path == "/":
            return self._overview(nonce)
        if path.startswith("/batch/"):
            return self._batch(path.removeprefix("/batch/"), nonce)
        return None

    def done(self, path: str, form: Mapping[str, str]) -> str | None:
        """Do what a form asks, and return where to go on."""
        forms: dict[str, Callable[[Mapping[str, str]], str | None]] = {
            "/pause": self._pause,
            "/resume": self._resume,
            "/remove-last": self._remove_last,
            "/remove-application": self._remove_application,
            "/remove": self._remove,
        }
        said = forms[path](form) if path in forms else None
        if said is None:
            return None
        self._said = said
        return "/"

    def _pause(self, form: Mapping[str, str]) -> str | None:
        minutes = form.get("minutes", "")
        if minutes and minutes not in map(str, PAUSES_MIN):
            return None
        self._agent.pause(int(minutes) if minutes else None)
        return f"Paused for {minutes} minutes." if minutes else "Paused until you go on."

    def _resume(self, _: Mapping[str, str]) -> str:
        self._agent.resume()
        return "Recording goes on as soon as nothing stands against it."

    def _remove_last(self, form: Mapping[str, str]) -> str | None:
        if not form.get("minutes", "").isdigit():
            return None
        minutes = min(int(form["minutes"]), ALL_MIN)
        self._agent.settle()
        removed = self._agent.outbox.remove_since(CLOCK.now_ms() - 60_000 * minutes)
        return _removed(removed)

    def _remove_application(self, form: Mapping[str, str]) -> str:
        self._agent.settle()
        wanted = form.get("application", "")
        mine = [one for one in self._waiting() if wanted in map(str, one.applications)]
        return _removed(self._agent.outbox.remove([one.entry.name for one in mine]))

    def _remove(self, form: Mapping[str, str]) -> str:
        return _removed(self._agent.outbox.remove([f"outbox/{form.get('batch', '')}"]))

    def _waiting(self) -> list[Waiting]:
        return opened(self._agent.outbox.entries())

    def _overview(self, nonce: str) -> str:
        waiting = self._waiting()
        phase, left_min = self._agent.phase()
        said, self._said = self._said, ""
        return rendered(
            "outbox.html",
            nonce=nonce,
            study=self._study,
            said=said,
            recording=phase == "recording",
            phase=PHASES.get(phase, phase),
            left_min=left_min,
            pauses=PAUSES_MIN,
            removals=REMOVALS_MIN,
            all_min=ALL_MIN,
            figures=self._figures(waiting),
            counts=self._agent.outbox.counts(),
            rows=self._rows(waiting),
            span=_span(waiting),
            lines=[self._line(one) for one in waiting[::-1][:LINES_MAX]],
            older=max(0, len(waiting) - LINES_MAX),
            now=time.strftime("%H:%M:%S"),
        )

    def _figures(self, waiting: Sequence[Waiting]) -> list[tuple[str, str]]:
        costs, size = self._agent.costs(), sum(len(one.entry.plain) for one in waiting)
        return [
            (f"{sum(one.entry.rows for one in waiting):,}", "events wait here"),
            (f"{size / 1e6:.2f} MB", "that they take on this computer, sealed"),
            (f"{100 * costs.share_of_a_core:.1f} %", "of one processor core, on average"),
            (f"{costs.cpu_s:.0f} s", f"of processor time in {_lasted(costs.hours)}"),
            (f"{costs.memory_mb:.0f} MB", "of memory now"),
        ]

    def _rows(self, waiting: Sequence[Waiting]) -> list[Row]:
        lines = timeline(waiting)
        minutes = [bar.minute for bars in lines.values() for bar in bars]
        if not minutes:
            return []
        first, most = min(minutes), max(bar.events for bars in lines.values() for bar in bars)
        step = WIDE / (max(minutes) - first + 1)
        found = []
        for number, bars in lines.items():
            drawn = [
                (
                    (bar.minute - first) * step,
                    max(3.0, HIGH * (bar.events / most) ** 0.5),
                    max(1.0, step - 1),
                    f"{_clock(60_000 * bar.minute)[:5]}: {bar.events:,} events",
                )
                for bar in bars
            ]
            total: dict[str, int] = {}
            for one in waiting:
                for name, count in one.counts(one.application == number).items():
                    total[name] = total.get(name, 0) + count
            found.append(Row(number, self._title(number), drawn, sum(total.values()), _said(total)))
        return found

    def _title(self, number: int) -> str:
        return self._titles.get(number, f"application {number}")

    def _line(self, one: Waiting) -> dict[str, Any]:
        due_min = (one.entry.due_ms - CLOCK.now_ms()) / 60_000
        leaves = f"leaves in {due_min:.0f} min" if due_min >= 1 else "leaves within a minute"
        return {
            "id": one.id,
            "first": _clock(int(one.at_ms[0])),
            "last": _clock(int(one.at_ms[-1])),
            "what": _said(one.counts()),
            "applications": ", ".join(map(self._title, one.applications)),
            "purposes": [_purpose(purpose) for purpose in one.header["purposes"]],
            "bytes": len(one.entry.plain),
            "leaves": "handed to the network" if one.entry.sent else leaves,
            "sent": one.entry.sent,
            "pictures": [drawn for drawn in drawings(one.rows) if drawn.is_picture],
        }

    def _batch(self, wanted: str, nonce: str) -> str | None:
        one = next((one for one in self._waiting() if one.id == wanted), None)
        if one is None:
            return None
        header = [(name, _plain(value)) for name, value in one.header.items()]
        return rendered(
            "batch.html",
            nonce=nonce,
            line=self._line(one),
            drawings=drawings(one.rows),
            header=header,
            columns=one.filled,
            rows=one.fields(),
            empty=", ".join(one.empty),
        )


def _removed(events: int) -> str:
    return f"{events:,} events removed. They never left this computer."


def _said(counts: Mapping[str, int]) -> str:
    return " · ".join(
        f"{count:,} {name.rstrip('s') if count == 1 else name}" for name, count in counts.items()
    )


def _purpose(name: str) -> str:
    return PURPOSES[name].title if name in PURPOSES else name


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _clock(at_ms: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))


def _lasted(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _span(waiting: Sequence[Waiting]) -> tuple[str, str]:
    if not waiting:
        return "", ""
    first = min(int(one.at_ms[0]) for one in waiting)
    return _clock(first)[:5], _clock(max(int(one.at_ms[-1]) for one in waiting))[:5]
