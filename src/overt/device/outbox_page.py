"""The person's page while the agent runs: what waits to leave, what it costs, pause, take out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from markupsafe import Markup

from overt.device import qr
from overt.device.at_login import Login
from overt.device.clock import CLOCK
from overt.device.costs import Costs
from overt.device.drawn import drawings
from overt.device.outbox import Outbox
from overt.device.page import Page, rendered
from overt.device.pairing import LASTS_S, scanned
from overt.device.waiting import NONE, UNKNOWN, Waiting, opened, timeline
from overt.device.wording import Words, in_own_words
from overt.schema.errors import OvertError

PAUSES_MIN = (10, 30, 60)
PAUSE_MIN_MAX = 24 * 60
REMOVALS_MIN = (1, 10, 60)
ALL_MIN = 10**7
LINES_MAX = 200
WIDE, HIGH = 600, 36
ENDED = "/ended"
ENDS_AFTER_S = 3.0
"""So long a browser has to fetch the page that says that it ended."""


class Agent(Protocol):
    """What the page asks of the agent."""

    outbox: Outbox
    offline: bool
    """The server is out of reach."""

    @property
    def hold_days(self) -> int:
        """For how many days what is due waits for the server."""

    def phase(self) -> tuple[str, float | None]:
        """Return phase with reason, and how many minutes a pause lasts still."""

    def pause(self, minutes: float | None = None) -> None:
        """Pause for so long; None: without limit."""

    def resume(self) -> None:
        """Go on, by the person's own act."""

    def settle(self) -> None:
        """Close what is open, so that the outbox has everything until now."""

    def costs(self) -> Costs:
        """Return what it cost today."""

    def pair(self) -> str:
        """Return a code for another computer of the person."""


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

    def __init__(
        self,
        agent: Agent,
        titles: Mapping[int, str],
        study: str,
        *,
        server: str = "",
        language: str = "en",
        login: Login | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        """`login`: what begins at login; `end`: ends the recording."""
        self._agent, self._study, self._server = agent, study, server
        self._words = words = Words(language)
        elsewhere = {NONE: words("elsewhere.none"), UNKNOWN: words("elsewhere.unknown")}
        self._titles = {**elsewhere, **titles}
        self._said = ""
        self._code, self._code_until_s = "", 0.0
        self._login, self._end, self._ends = login, end, False
        self._page = Page(self.shown, self.done, after=self._after)
        self.url = self._page.url

    def close(self) -> None:
        """Stop serving."""
        self._page.close()

    def shown(self, path: str, nonce: str, _languages: str) -> str | None:
        """Return a page as HTML, in the language the person joined in."""
        if path == "/":
            return self._overview(nonce)
        if path == ENDED and self._ends:
            address = f"{self._server}/study/{self._study}"
            return rendered("ended.html", nonce=nonce, w=self._words, address=address)
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
            "/pair": self._pair,
            "/at-login": self._at_login,
        }
        if path == "/end" and self._end is not None:
            self._ends = True
            threading.Timer(ENDS_AFTER_S, self._end).start()
            return ENDED
        said = forms[path](form) if path in forms else None
        if said is None:
            return None
        self._said = said
        return {"/pair": "/#pair", "/at-login": "/#login"}.get(path, "/")

    def _after(self, method: str) -> None:
        """End once the browser has the page that says so."""
        if self._ends and method == "GET" and self._end is not None:
            self._end()

    def _at_login(self, form: Mapping[str, str]) -> str | None:
        if self._login is None or form.get("on") not in ("yes", "no"):
            return None
        try:
            with in_own_words():
                self._login.switch(on=form["on"] == "yes")
        except OvertError as error:
            return str(error)
        return ""

    def _pause(self, form: Mapping[str, str]) -> str | None:
        minutes = form.get("own") or form.get("minutes", "")
        if minutes and (not minutes.isdecimal() or not 1 <= int(minutes) <= PAUSE_MIN_MAX):
            return None
        self._agent.pause(int(minutes) if minutes else None)
        if minutes:
            return self._words("said.paused", minutes=minutes)
        return self._words("said.paused_on")

    def _resume(self, _: Mapping[str, str]) -> str:
        self._agent.resume()
        return self._words("said.resumed")

    def _remove_last(self, form: Mapping[str, str]) -> str | None:
        if not form.get("minutes", "").isdecimal():
            return None
        minutes = min(int(form["minutes"]), ALL_MIN)
        self._agent.settle()
        kept = self._agent.outbox.kept.count()
        removed = self._agent.outbox.remove_since(CLOCK.now_ms() - 60_000 * minutes)
        return self._removed(removed, kept)

    def _remove_application(self, form: Mapping[str, str]) -> str:
        self._agent.settle()
        wanted = form.get("application", "")
        kept = self._agent.outbox.kept.count()
        if wanted.isdecimal():
            self._agent.outbox.kept.remove_of(int(wanted))
        mine = [one for one in self._waiting() if wanted in map(str, one.applications)]
        return self._removed(self._agent.outbox.remove([one.entry.name for one in mine]), kept)

    def _remove(self, form: Mapping[str, str]) -> str:
        return self._removed(self._agent.outbox.remove([f"outbox/{form.get('batch', '')}"]))

    def _removed(self, events: int, kept: int = 0) -> str:
        """Say how many will not leave, and how many of `kept` are no longer learned from here."""
        said = self._words("said.removed", count=self._words.number(events))
        less = kept - self._agent.outbox.kept.count() if kept else 0
        if less:
            said += " " + self._words("said.forgotten", count=self._words.number(less))
        return said

    def _pair(self, _: Mapping[str, str]) -> str:
        try:
            self._code = self._agent.pair()
        except OvertError:
            return self._words("said.unpaired")
        self._code_until_s = time.monotonic() + LASTS_S
        return ""

    def _square(self) -> Markup | None:
        """Return the code as a square to scan, while there is one."""
        if not self._shown_code() or not qr.is_there():
            return None
        text = scanned(self._server, self._study, self._code)
        return qr.in_page(text, self._words("pair.image"))

    def _shown_code(self) -> str:
        return self._code if time.monotonic() < self._code_until_s else ""

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
            w=self._words,
            phase=self._words(f"phases.{phase.split()[-1]}"),
            code=self._shown_code(),
            square=self._square(),
            can_pair=bool(self._server),
            login=self._login,
            can_end=self._end is not None,
            left_min=left_min,
            pauses=PAUSES_MIN,
            pause_max=PAUSE_MIN_MAX,
            offline=self._agent.offline,
            days=self._agent.hold_days,
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
        w, number = self._words, self._words.number
        figures = [
            (number(sum(one.entry.rows for one in waiting)), w("figures.wait")),
            (f"{number(size / 1e6, 2)} MB", w("figures.size")),
            (number(costs.events), w("figures.made")),
            (f"{number(costs.sealed_bytes / 1e6, 2)} MB", w("figures.made_size")),
            (f"{number(costs.cpu_s)} s", w("figures.cpu", lasted=self._lasted(costs.hours))),
            (f"{number(100 * costs.share_of_a_core, 1)} %", w("figures.share")),
            (f"{number(costs.memory_mb)} MB", w("figures.memory")),
        ]
        if kept := self._agent.outbox.kept.count():
            figures.insert(1, (number(kept), w("figures.kept")))
        if costs.battery_wh is not None:
            figures.append((f"{number(costs.battery_wh, 2)} Wh", w("figures.battery")))
        return figures

    def _lasted(self, hours: float) -> str:
        if hours >= 1:
            return self._words("figures.hours", n=self._words.number(hours, 1))
        return self._words("figures.minutes", n=self._words.number(60 * hours))

    def _counted(self, counts: Mapping[str, int]) -> str:
        return " · ".join(self._words.counted(group, count) for group, count in counts.items())

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
                    self._words(
                        "line.events",
                        at=_clock(60_000 * bar.minute)[:5],
                        count=self._words.number(bar.events),
                    ),
                )
                for bar in bars
            ]
            total: dict[str, int] = {}
            for one in waiting:
                for name, count in one.counts(one.application == number).items():
                    total[name] = total.get(name, 0) + count
            said = self._counted(total)
            found.append(Row(number, self._title(number), drawn, sum(total.values()), said))
        return found

    def _title(self, number: int) -> str:
        return self._titles.get(number, self._words("elsewhere.other", number=number))

    def _line(self, one: Waiting) -> dict[str, Any]:
        due_min = (one.entry.due_ms - CLOCK.now_ms()) / 60_000
        w = self._words
        leaves = w("line.later", minutes=f"{due_min:.0f}") if due_min >= 1 else w("line.soon")
        return {
            "id": one.id,
            "first": _clock(int(one.at_ms[0])),
            "last": _clock(int(one.at_ms[-1])),
            "what": self._counted(one.counts()),
            "applications": ", ".join(map(self._title, one.applications)),
            "purposes": [w.purpose(purpose) for purpose in one.header["purposes"]],
            "bytes": w.number(len(one.entry.plain)),
            "leaves": w("line.sent") if one.entry.sent else leaves,
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
            w=self._words,
            line=self._line(one),
            drawings=drawings(one.rows),
            header=header,
            columns=one.filled,
            rows=one.fields(),
            empty=", ".join(one.empty),
        )


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _clock(at_ms: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))


def _span(waiting: Sequence[Waiting]) -> tuple[str, str]:
    if not waiting:
        return "", ""
    first = min(int(one.at_ms[0]) for one in waiting)
    return _clock(first)[:5], _clock(max(int(one.at_ms[-1]) for one in waiting))[:5]
