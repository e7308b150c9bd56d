"""The agent: one person's recording on this computer, from the grant to its last batch."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from overt.device import displays
from overt.device.account import Account, Grant
from overt.device.applications import Application
from overt.device.capture import Capture
from overt.device.clock import SessionClock
from overt.device.costs import Costs, Meter
from overt.device.daybook import Daybook
from overt.device.displays import Setting
from overt.device.elements import Numbers
from overt.device.letters import Letters
from overt.device.locks import Locks
from overt.device.looks import Looks, wanted
from overt.device.outbox import Outbox
from overt.device.pairing import offer
from overt.device.platforms import opened
from overt.device.policy import policy
from overt.device.session import (
    SOURCE,
    TERMINAL_SOURCE,
    Recording,
    Session,
    prepare,
    recover,
)
from overt.device.signs import ELSEWHERE, GONE, LOCKED, OFFLINE, RESUMED
from overt.device.vault import Vault
from overt.schema.errors import Missing, NotConsented, OvertError
from overt.schema.event import Kind
from overt.schema.purpose import SCREEN, purposes_for

TICK_S = 0.02
JOURNAL_S = 0.25
BEAT_S = 1.0
STANDING_EVERY = 5
"""Beats between two questions whether the person has left elsewhere."""

BATCH_AGE_S = (1.0, 10.0)
CHIP_PATIENCE_S = 20.0
PERSON, INDICATOR, GATE = 1, 2, 3
"""Reasons in the mark of a pause."""

REASONS = {0: "", PERSON: "person", INDICATOR: "indicator", GATE: "locked"}
ELSEWHERE_S = 0.4
"""Menus and changes of window last less, and are not worth a word."""

SETTLE_PATIENCE_S = 3.0


@dataclass(frozen=True)
class State:
    """What the agent does now, for whoever shows it."""

    phase: str
    """`recording`, `paused` or `ended`."""
    reason: str = ""
    """`person`, `indicator`, `gone` (a sign that was lost), `locked`, `withdrawn`."""
    events: int = 0
    elsewhere: bool = False
    """The window with the keyboard is not one that the person switched on."""
    offline: bool = False
    """The server is out of reach; what is recorded waits."""


class Agent:
    """Records until `stop`, in the thread that calls `run`; sending has a thread of its own."""

    def __init__(
        self,
        vault: Vault,
        account: Account,
        display: str | None = None,
        *,
        chip: bool = False,
        resumed: bool = False,
    ) -> None:
        """`chip`: a chip even where the desktop has a tray; `resumed`: it began at login."""
        if account.grant is None:
            raise NotConsented("nobody has joined on this device", where="grant", do="Join first.")
        self._grant: Grant = account.grant
        self._vault, self._account = vault, account
        self.outbox = Outbox(vault)
        rules = policy()
        rules.check(self._grant.base)
        self._applications = rules.narrowed(self._grant.applications)
        listed = [
            Application(
                **{
                    **one,
                    "executables": tuple(one["executables"]),
                    "keys": tuple(one.get("keys", ())),
                }
            )
            for one in self._applications
        ]
        platform = opened(
            *(display, listed, self._grant.lang, self.toggle),
            chip=chip,
            study=self._grant.study,
            ended=self.stop,
        )
        self._terminal = platform.terminal
        self._display, self._screen = platform.source, platform.sight
        self._indicator, self._verdicts = platform.indicator, platform.verdicts
        self._fields, self._under = platform.fields, platform.under
        self._x_display = platform.display
        platform.on_lock(self.interrupt)
        self._looks: Looks | None = None
        self._display.on_hotkey(self.toggle)
        self._stop = threading.Event()
        self._left: tuple[str, ...] | None = None
        """Purposes that are left, once the person has withdrawn some; () for none."""
        self._paused = vault.get("paused") is not None
        self._resumed = resumed
        """The sign says that it began at login, until the person's first act."""
        self._interrupted = False
        """The screen was locked or the computer slept; only the person's own act ends it."""
        self._until_s: float | None = None
        """When a pause of the person's ends, on the monotonic clock; None: not by itself."""
        self._until = ""
        self._tell_pause = False
        """The person's other devices do not know yet of a pause here."""
        self._settling, self._settled = threading.Event(), threading.Event()
        self._daybook = Daybook(vault, Meter(lambda: self._indicator.pid))
        self._locks = Locks(self.interrupt)
        self._clock = SessionClock(account.clock)
        self._phase = ""
        self._elsewhere_since_s: float | None = None
        self._told: State | None = None
        self.offline = False

    def toggle(self) -> None:
        """Pause without limit, or go on: one act of the person."""
        self._resumed = False
        if self._paused or self._interrupted or self._indicator.lost:
            self.resume()
        else:
            self.pause()

    def resume(self) -> None:
        """Go on, by the person's own act. Nothing while the screen is locked."""
        self._resumed = False
        if not self._locks.closed:
            self._paused = self._interrupted = False
            self._indicator.accept()

    def pause(self, minutes: float | None = None) -> None:
        """Pause for so long as the person says; None: without limit."""
        self._until_s, self._until = None, ""
        if minutes is not None:
            self._until_s = time.monotonic() + 60 * minutes
            self._until = time.strftime("→%H:%M", time.localtime(time.time() + 60 * minutes))
        self._paused = self._tell_pause = True

    def phase(self) -> tuple[str, float | None]:
        """Return the phase with its reason, and for how many minutes a pause lasts still."""
        reason = self._why_not()
        until_s = self._until_s if reason == PERSON else None
        left_min = None if until_s is None else (until_s - time.monotonic()) / 60
        return (f"paused {self._called(reason)}" if reason else "recording"), left_min

    def _called(self, reason: int) -> str:
        return GONE if reason == INDICATOR and self._indicator.lost else REASONS[reason]

    @property
    def hold_days(self) -> int:
        """For how many days what is due waits for the server."""
        return self._grant.hold_days

    def settle(self) -> None:
        """Close what is open, so that the outbox has everything until now."""
        self._settled.clear()
        self._settling.set()
        self._settled.wait(SETTLE_PATIENCE_S)

    def costs(self) -> Costs:
        """Return what this process and its sign have cost today."""
        return self._daybook.costs()

    def pair(self) -> str:
        """Return a code for another computer of the person; it must reach the server."""
        return offer(self._account, self._grant.study)

    def interrupt(self) -> None:
        """Pause until the person's own act: whoever comes back may be somebody else."""
        self._interrupted = True

    def stop(self) -> None:
        """End the session; `run` returns."""
        self._stop.set()

    @property
    def has_terminal(self) -> bool:
        """Whether it takes the person's terminal over, where nobody else may write then."""
        return self._terminal is not None

    def run(self, told: Callable[[State], None], greeting: Sequence[str] = ()) -> State:
        """Record until stopped or withdrawn; `told` hears of each change of phase.

        `greeting` stands in a terminal that it takes over, before the person's shell writes.
        """
        sending = threading.Thread(target=self._send, name="sender", daemon=True)
        produced = 0
        try:
            self._make_ready(greeting)
            self._begin_looks()
            sending.start()
            while not self._stop.is_set() and self._left != ():
                if self._left is not None:
                    self._narrow(self._left)
                    self._begin_looks()
                produced += self._record(told)
        finally:
            self._stop.set()
            self._end_looks()
            with contextlib.suppress(OvertError):  # a full disk, or all has been destroyed
                self._daybook.keep(now=True)
            self._indicator.close()
            self._display.close()
            if sending.ident is not None:
                sending.join()
        if self._left == ():
            self._vault.destroy()
            return State("ended", "withdrawn", produced)
        return State("ended", "person", produced)

    def _narrow(self, left: tuple[str, ...]) -> None:
        """Go on with the purposes that are left; what waits is made to fit them."""
        self._grant = self._account.narrow(left)
        self.outbox.narrow(self._grant.receipt_id, left)
        self._left, self._phase = None, ""

    def _begin_looks(self) -> None:
        """Look at windows, where the person chose a purpose that needs it, and which windows."""
        self._end_looks()
        chosen = set(self._grant.purposes) & set(SCREEN)
        windows = wanted(self._applications)
        if chosen and windows and self._x_display:
            pictures = bool(purposes_for(Kind.PICTURE, chosen))
            self._looks = Looks(self._x_display, windows, pictures=pictures)

    def _end_looks(self) -> None:
        if self._looks is not None:
            self._looks.close()
        self._looks = None

    def _record(self, told: Callable[[State], None]) -> int:
        """Record one session; returns how many events it had."""
        self._clock = clock = SessionClock(self._account.clock)
        session = Session(self._recording(clock.time_origin_ms), self._vault)
        numbers = Numbers()
        capture = Capture(
            *(self._display, self._screen, self._verdicts, clock.origin_ms),
            told=Letters.of(self._applications, self._grant.level),
            under=self._under,
            numbers=numbers,
        )
        if self._looks is not None:
            self._looks.begin(numbers)
        session.mark(Kind.SESSION_START, capture.now_us(), told=clock.told())
        try:
            self._loop(session, capture, told)
        except OvertError:
            with contextlib.suppress(OvertError):
                session.journal()
            raise  # without an end mark, so that the session is known to be cut off
        if self._left != ():
            session.add(capture.leave())
            session.mark(Kind.SESSION_END, capture.now_us(), told=clock.told())
            session.close(0, end=True)
        return session.produced

    def _make_ready(self, greeting: Sequence[str]) -> None:
        recover(self._vault)
        prepare()
        self._locks.wait()
        self._await_fields()
        if self._terminal is not None:
            self._terminal.begin(greeting)  # waits until it answers
        else:
            self._await_chip()
        with contextlib.suppress(OvertError):  # out of reach it may be by now
            left = self._account.standing()
            if left is not None and not set(self._grant.purposes) <= set(left):
                self._left = left
        self._daybook = Daybook(self._vault, Meter(lambda: self._indicator.pid))

    def _await_fields(self) -> None:
        """Refuse where no field could be told from a password, unless only terminals count."""
        if self._fields is not None and not self._fields.wait():
            raise Missing(
                "the accessibility service does not answer; without it no field can be told from "
                "a password, so nothing is recorded",
                where="AT-SPI",
                do="Install at-spi2-core, switch accessibility on, and log in again.",
            )

    def _await_chip(self) -> None:
        """Wait until the chip can be seen; without it nothing begins."""
        end_s = time.monotonic() + CHIP_PATIENCE_S
        while time.monotonic() < end_s and not self._stop.is_set():
            self._screen.moment()
            if self._why_not() != INDICATOR:
                return
            self._stop.wait(TICK_S)
        raise Missing(
            "the sign that shows the recording cannot be shown; nothing is recorded",
            where="display",
            do="Look whether another window covers the upper right corner.",
        )

    def _recording(self, time_origin_ms: int) -> Recording:
        grant = self._grant
        return Recording(
            session=secrets.token_hex(16),
            study=grant.study,
            receipt=grant.receipt_id,
            purposes=grant.purposes,
            level=grant.level,
            transform=grant.transform,
            time_origin_ms=time_origin_ms,
            outbox_delay_s=grant.outbox_delay_s,
            source=TERMINAL_SOURCE if self.has_terminal else SOURCE,
        )

    def _loop(self, session: Session, capture: Capture, told: Callable[[State], None]) -> None:
        low, high = BATCH_AGE_S
        age_s = min(high, max(low, self._grant.outbox_delay_s / 6))
        journalled = 0.0
        setting, looked_s = Setting(), 0.0
        while not self._stop.is_set() and self._left is None:
            self._locks.look()
            self._look_at_clocks(session, capture)
            self._indicator.keep()
            reason = self._why_not()
            self._mark(session, capture, reason)
            self._show(session, capture, reason, told)
            rows = capture.look(is_open=not reason)
            if self._looks is not None:
                session.add(self._looks.before(capture, rows, is_open=not reason))
            if len(rows):
                session.add(rows)
            if not reason and time.monotonic() - looked_s >= displays.EVERY_S:
                looked_s, before, setting = time.monotonic(), setting, self._display.setting()
                if setting != before:
                    session.add(displays.rows(setting, capture.now_us()))
            session.lose(capture.lost())
            if self._settling.is_set():
                session.add(capture.leave())
                session.close(0)
                self._settling.clear()
                self._settled.set()
            now_s = time.monotonic()
            if now_s - journalled >= JOURNAL_S:
                journalled = now_s
                self.outbox.clock_was_set()
                self._daybook.keep()
                session.close(age_s)
            capture.rest()

    def _look_at_clocks(self, session: Session, capture: Capture) -> None:
        """Mark where the wall clock went another way than the events' own, set or in sleep."""
        jump_s = self._clock.jumped_s()
        if jump_s is not None:
            session.mark(Kind.CLOCK, capture.now_us(), jump_s, self._clock.told())

    def _why_not(self) -> int:
        if self._paused and self._until_s is not None and time.monotonic() >= self._until_s:
            self._paused = False
        if self._paused:
            return PERSON
        if self._interrupted or self._locks.closed:
            return GATE
        return 0 if self._indicator.is_seen(self._screen) else INDICATOR

    def _mark(self, session: Session, capture: Capture, reason: int) -> None:
        phase = "paused" if reason else "recording"
        if phase == self._phase:
            return
        if reason and self._phase:
            session.add(capture.leave())
            session.mark(Kind.PAUSE, capture.now_us(), reason, self._clock.told())
        elif self._phase:
            session.mark(Kind.RESUME, capture.now_us(), told=self._clock.told())
        self._phase = phase
        kept = self._vault.get("paused") is not None
        if kept != (reason == PERSON):
            self._vault.change({"paused": b"1" if reason == PERSON else None})

    def _show(
        self, session: Session, capture: Capture, reason: int, told: Callable[[State], None]
    ) -> None:
        """Tell the sign and whoever listens what is done now, where it has changed."""
        elsewhere = not reason and self._is_elsewhere(capture)
        words = [self._phase]
        more = {PERSON: self._until, GATE: LOCKED, INDICATOR: GONE * self._indicator.lost}
        words.append(more.get(reason, ""))
        words += [ELSEWHERE] * elsewhere + [OFFLINE] * self.offline + [RESUMED] * self._resumed
        self._indicator.show(" ".join(filter(None, words)))
        state = State(self._phase, self._called(reason), 0, elsewhere, self.offline)
        if state != self._told:
            self._told = state
            told(replace(state, events=session.produced))

    def _is_elsewhere(self, capture: Capture) -> bool:
        """Return whether the keyboard has been in a window that is not switched on for a while."""
        if capture.moment.application:
            self._elsewhere_since_s = None
            return False
        now_s = time.monotonic()
        self._elsewhere_since_s = self._elsewhere_since_s or now_s
        return now_s - self._elsewhere_since_s >= ELSEWHERE_S

    def _send(self) -> None:
        """Send what is due, and ask now and then whether the person has left elsewhere."""
        beat = 0
        while not self._stop.wait(BEAT_S):
            beat += 1
            if self._vault.is_gone:
                self._left = ()
                return
            try:
                if self._tell_pause:
                    self._account.pause()
                    self._tell_pause = False
                withdrawn = not self.outbox.send(self._account, self.hold_days)
                if beat % STANDING_EVERY and not withdrawn:
                    continue
                left = self._account.standing()
                self.offline = left is None
                if self._account.paused_elsewhere() and not self._paused:
                    self._until_s, self._until, self._paused = None, "", True
                if left is not None and not set(self._grant.purposes) <= set(left):
                    self._left = left
                if left == ():
                    return
            except OvertError:
                self.offline = True  # everything waits
