"""Two minutes of hard work on a desktop: all that may be recorded comes out of the store."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_fixtures import Desktop, Hand, add_study, desktop, join, recording, until
from overt.device.facts import FACTS
from overt.schema import batch
from overt.schema.event import Command, KeyClass, Kind
from overt.store.store import Store
from studio_fixtures import studio

pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")
pytestmark = pytest.mark.soak

KEYS_IN_EDITOR, KEYS_IN_TERMINAL, KEYS_IN_BROWSER = 4000, 1000, 500
MOVES, MOVES_HZ = 20_000, 1000
CLICKS, NOTCHES, DRAGS, DRAG_MOVES, SHORTCUTS, RACES = 100, 200, 30, 40, 25, 40
A, Z, C, DOT, SPACE, BACKSPACE, RETURN, CONTROL, TAB = 38, 52, 54, 60, 65, 22, 36, 37, 23
CANARY = 16
"""The key 7: pressed only where nobody switched recording on."""

SIGNAL_Y = 560
UP, DOWN = 4, 5
CLASS_OF = {
    **dict.fromkeys((A, Z, C), KeyClass.LETTER),
    DOT: KeyClass.PUNCTUATION,
    SPACE: KeyClass.SPACE,
    BACKSPACE: KeyClass.BACKSPACE,
    RETURN: KeyClass.ENTER,
    CONTROL: KeyClass.CONTROL,
}
KIND_OF = {2: Kind.KEY_DOWN, 3: Kind.KEY_UP, 6: Kind.POINTER_MOVE}
KIND_OF_BUTTON = {4: Kind.POINTER_DOWN, 5: Kind.POINTER_UP}
DERIVED = (
    *(Kind.CLICK, Kind.COMMAND, Kind.FOCUS, Kind.BLUR),
    *(Kind.HOVER, Kind.SELECTION, Kind.VIEW),
)
"""What the agent tells beside what a hand did."""


@dataclass
class Part:
    """Some of the work, all of it in windows that are switched on."""

    begin_ns: int
    log: list[tuple[int, int, int]] = field(default_factory=list)
    end_ns: int = 0

    def injected(self) -> list[tuple[int, Kind, KeyClass]]:
        """Return what was done, as it must be stored: a wheel's release is nothing."""
        found = []
        for at_ns, code, detail in self.log:
            if code in KIND_OF:
                found.append((at_ns, KIND_OF[code], CLASS_OF.get(detail, KeyClass.NONE)))
            elif detail not in (UP, DOWN):
                found.append((at_ns, KIND_OF_BUTTON[code], KeyClass.NONE))
            elif code == 4:
                found.append((at_ns, Kind.WHEEL, KeyClass.NONE))
        return found


@dataclass
class Work:
    """A desktop at work, and what was done of which all must be stored."""

    screen: Desktop
    hand: Hand
    device: Path
    parts: list[Part] = field(default_factory=list)
    signals: int = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        self.hand.log.clear()
        part = Part(time.monotonic_ns())
        yield
        self.decided()
        part.log, part.end_ns = self.hand.log[:], time.monotonic_ns()
        self.parts.append(part)

    def decided(self) -> None:
        """Wait until all that was injected is decided: a last move has come out, in order."""
        self.signals += 1
        x = 40 + self.signals
        self.hand.move(x, SIGNAL_Y)

        def came_out() -> bool:
            rows = self.newest()
            place = (rows["x_8th_css_px"] == x * 8) & (rows["y_8th_css_px"] == SIGNAL_Y * 8)
            return bool(place.any())

        until(came_out, "the last move is journalled")

    def newest(self) -> Any:
        """Return `FACTS[n]` of the journal and of the batches closed last."""
        from overt.device.session import unpacked
        from overt.device.vault import Vault

        vault = Vault(self.device / "desk")
        try:
            rows = [made for _, part in vault.items("part/") for made in unpacked(part).values()]
            for name in vault.names("outbox/")[-4:]:
                value = vault.get(name) or b""
                rows.append(facts(value[4 + int.from_bytes(value[:4], "little") :]))
        finally:
            vault.close()
        return np.concatenate([np.zeros(0, FACTS), *rows])

    def ready(self, window: str) -> None:
        """Give a window the keyboard and wait until keys in it are recorded."""
        self.screen.focus(window)
        self.decided()
        since = self.keys()

        pressed_s = 0.0

        def heard() -> bool:
            nonlocal pressed_s
            if time.monotonic() - pressed_s > 1:  # keys come before questions in its queue
                pressed_s = time.monotonic()
                self.hand.key(BACKSPACE)
            return self.keys() != since

        until(heard, "a key in this window is recorded")
        self.decided()

    def keys(self) -> int:
        rows = self.newest()
        return int(rows["t_us"][rows["kind"] == Kind.KEY_DOWN].max(initial=0))


def facts(plain: bytes) -> Any:
    table = batch.to_events(*batch.decode(plain))
    rows = np.zeros(table.num_rows, FACTS)
    for name in FACTS.names or ():
        rows[name] = table.column(name).to_numpy()
    return rows


@dataclass
class Outcome:
    """What was done, what the store has of it, and what the agent said it made."""

    parts: list[Part]
    rows: Any
    at_ns: Any
    """Of each row, on the monotonic clock of the one who injected."""
    counts: dict[str, int]

    def of(self, part: Part) -> Any:
        """Return which rows are of a part's time, without what is derived from others."""
        derived = np.isin(self.rows["kind"], DERIVED)
        # A part begins and ends tens of milliseconds from its first and last event.
        during = (self.at_ns > part.begin_ns - 2e6) & (self.at_ns < part.end_ns)
        return during & ~derived


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("soak")
    with ExitStack() as stack:
        screen = stack.enter_context(desktop(folder / "home"))
        add_study(folder / "data", outbox_delay_s=600)
        server = stack.enter_context(studio(folder))
        editor, terminal = screen.editor_and_terminal()
        screen.start("xev")
        browser = screen.browser(folder)
        other = screen.window("Event Tester", 300, 640, 300, 100, by="--name")
        address = f"{server.url.rstrip('/')}/study/desk"
        agent = stack.enter_context(recording(screen, address, folder / "device"))
        join(agent)
        hand = Hand(screen.display)
        stack.callback(hand.close)
        work = Work(screen, hand, folder / "device")
        wall_less_monotonic_ns = time.time_ns() - time.monotonic_ns()
        _all_of_it(work, editor, terminal, browser, other)
        agent.process.send_signal(signal.SIGINT)
        agent.until("overt: ended")
        counts = _sent(address, folder / "device")
        rows, wall_ns = _of_the_store(server.data_dir)
        return Outcome(work.parts, rows, wall_ns - wall_less_monotonic_ns, counts)


def _all_of_it(work: Work, editor: str, terminal: str, browser: str, other: str) -> None:
    hand = work.hand
    # The long text comes last: a program that is seconds behind answers nobody, and what cannot be
    # told is suppressed, as it should be.
    work.ready(editor)
    with work.counted():
        for k in range(3 * SHORTCUTS):
            hand.shortcut(CONTROL, (A, C, Z)[k % 3])
    with work.counted():
        for k in range(CLICKS):
            hand.move(60 + 4 * k, 200 + k % 90)
            hand.button(1)
        for k in range(NOTCHES):
            hand.button((UP, DOWN)[k // 20 % 2], every_s=0.005)
        for k in range(DRAGS):
            hand.drag([(80 + k + 6 * n, 160 + 5 * k + n) for n in range(DRAG_MOVES)], 250)
    with work.counted():
        hand.moves([(60 + 7 * k % 400, 150 + 3 * k % 300) for k in range(MOVES)], MOVES_HZ)
    work.ready(editor)
    with work.counted():
        for k in range(KEYS_IN_EDITOR):
            hand.key((A, Z, DOT, SPACE, BACKSPACE, RETURN)[(k * 7 + k // 5) % 6])
    work.ready(terminal)
    with work.counted():
        for k in range(KEYS_IN_TERMINAL):
            hand.key((A, Z, SPACE, BACKSPACE)[k % 4])
    _in_a_page(work, browser)
    chance = random.Random(11)
    for _ in range(RACES):
        _race(work, chance, editor, other)
    work.ready(editor)


def _in_a_page(work: Work, browser: str) -> None:
    """Type into a page's text field and its text area, and the canary into its password field."""
    for field_before in (None, TAB):
        if field_before:
            work.hand.key(TAB)
            for _ in range(20):
                work.hand.key(CANARY, every_s=0.01)
            work.hand.key(TAB)
        work.ready(browser)
        with work.counted():
            for k in range(KEYS_IN_BROWSER // 2):
                work.hand.key((A, Z, SPACE)[k % 3])


def _race(work: Work, chance: random.Random, editor: str, other: str) -> None:
    """Type the canary as soon as a window that nobody switched on has the keyboard."""
    work.screen.do("windowactivate", other)
    until(lambda: work.screen.do("getwindowfocus") == other, "the other window has the keyboard")
    work.hand.move(350 + chance.randint(0, 200), 660 + chance.randint(0, 60))
    for _ in range(chance.randint(1, 6)):
        work.hand.key(CANARY, every_s=chance.uniform(0, 0.004))
    work.screen.do("windowactivate", editor)
    work.hand.key(A, every_s=0.001)


def _sent(address: str, device: Path) -> dict[str, int]:
    command = ["device", "send", "--study", address, "--device-dir", str(device), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "overt", *command], capture_output=True, text=True, check=True
    )
    counts: dict[str, int] = json.loads(done.stdout)["counts"]
    return counts


def _of_the_store(data_dir: Path) -> tuple[Any, Any]:
    """Return `FACTS[n]` in the order of `seq`, and the time of each on the wall clock, ns."""
    with Store.open(data_dir) as store:
        (person,) = store.subjects("desk")
        plain = [body for _, body in store.read(store.batches_of(person))]
    (origin_ms,) = {batch.read_header(body)[0].time_origin_ms for body in plain}
    rows = np.concatenate([facts(body) for body in plain])
    rows = rows[np.argsort(rows["seq"], kind="stable")]
    return rows, origin_ms * 1_000_000 + rows["t_us"] * 1000


def test_every_event_of_allowed_windows_is_in_the_store_once_and_in_order(outcome: Outcome) -> None:
    assert outcome.rows["seq"].tolist() == list(range(len(outcome.rows)))
    assert (np.diff(outcome.rows["t_us"]) >= 0).all()
    for part in outcome.parts:
        rows = outcome.rows[outcome.of(part)]
        done = [(kind, key_class) for _, kind, key_class in part.injected()]
        assert len(rows) == len(done)
        assert list(zip(rows["kind"].tolist(), rows["key_class"].tolist(), strict=True)) == done


def test_what_was_produced_is_what_is_stored(outcome: Outcome) -> None:
    named = {name: outcome.counts[name] for name in ("produced", "acknowledged")}
    assert named == dict.fromkeys(named, len(outcome.rows))
    ended = ("waiting", "lost", "removed", "quarantined")
    assert {outcome.counts[name] for name in ended} == {0}


def test_its_time_is_right_to_a_millisecond_at_the_median(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    error_ms, done = [], Counter[str]()
    for part in outcome.parts:
        injected = part.injected()
        at_ns = np.array([one[0] for one in injected])
        error_ms.append((outcome.at_ns[outcome.of(part)] - at_ns) / 1e6)
        done.update(kind.name for _, kind, _ in injected)
    off_ms = np.abs(np.concatenate(error_ms))
    said = ", ".join(f"{count:,} {kind.lower()}" for kind, count in done.items())
    median, most = np.median(off_ms), np.percentile(off_ms, 99)
    with capsys.disabled():
        sys.stdout.write(f"\n{said}: all stored; off by {median:.2f} ms at the median, ")
        sys.stdout.write(f"{most:.2f} ms at the 99th percentile\n")
    assert median < 1


def test_clicks_and_shortcuts_are_counted_as_what_they_are(outcome: Outcome) -> None:
    rows = outcome.rows
    assert int((rows["kind"] == Kind.CLICK).sum()) == CLICKS
    asked = Counter(rows["value"][rows["kind"] == Kind.COMMAND].tolist())
    assert asked == dict.fromkeys((Command.SELECT_ALL, Command.COPY, Command.UNDO), SHORTCUTS)


def test_nothing_of_a_forbidden_window_is_in_the_store(outcome: Outcome) -> None:
    assert not (outcome.rows["key_class"] == KeyClass.DIGIT).any()
    assert int(outcome.rows["y_8th_css_px"].max()) <= 580 * 8
