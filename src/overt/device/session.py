"""One recording from its start mark to its end mark: numbers events, journals them, closes batches.

Events go to the stream of the purposes that need them, as in the browser (`sdk/src/session.ts`).
What purposes need that learn on the device goes besides to a stream of its own, which is journalled
like the others and becomes no batch (`overt.device.kept`).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from overt.device import daybook
from overt.device.clock import CLOCK
from overt.device.facts import FACTS
from overt.device.kept import HERE, Kept
from overt.device.stream import joined
from overt.device.vault import Vault, as_json
from overt.schema import batch, limits
from overt.schema.alignment import TOLD
from overt.schema.coarse import COARSE, STEP_US, TYPED, left_out, timed
from overt.schema.columns import from_columns
from overt.schema.event import EVENTS_BITS, SCHEMA_ID, KeyClass, Kind, Pointer, Role
from overt.schema.header import BatchHeader
from overt.schema.purpose import TOGETHER, learned_here, purposes_for

SOURCE, TERMINAL_SOURCE = "desktop/0.1.0", "terminal/0.1.0"
"""What a header says it was recorded by. In a terminal keys have no releases, and times are those
at which characters arrived."""

ROWS_MAX = 500
_PLACED = np.zeros(max(Kind) + 1, bool)
_PLACED[[Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK]] = True
_WINDOWS = np.zeros(max(Kind) + 1, bool)
_WINDOWS[[Kind.ELEMENT, Kind.PICTURE, Kind.VIEW]] = True
"""Whether a kind happens at a place: of the pointer, or of a window or display."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What all batches of a session say of it."""

    session: str
    study: str
    receipt: str
    purposes: tuple[str, ...]
    level: str
    transform: str
    time_origin_ms: int
    outbox_delay_s: int
    source: str = SOURCE


class Session:
    """Numbers what capture hands on; keeps nothing that the vault does not have too."""

    def __init__(self, recording: Recording, vault: Vault) -> None:
        self.recording = recording
        self._vault = vault
        self._seq = 0
        self._last: dict[str, tuple[int, int]] = {}
        self._added: list[Any] = []
        self._pending: dict[str, list[Any]] = {}
        self._part = self._lost = 0
        self._opened_s: float | None = None
        needed = {int(kind): "+".join(purposes_for(kind, recording.purposes)) for kind in Kind}
        self._streams = sorted({stream for stream in needed.values() if stream})
        self._stream_of = np.full(max(needed) + 1, -1)
        """Kind → place in `_streams`; -1 where no consented purpose needs it."""
        for kind, stream in needed.items():
            if stream:
                self._stream_of[kind] = self._streams.index(stream)
        here = {int(kind) for kind in Kind if learned_here(kind, recording.purposes)}
        self._here = np.array([kind in here for kind in range(len(self._stream_of))])
        """Kind → whether it is kept to be learned from on this device."""
        self._seq_here = 0
        vault.change({f"session/{recording.session}": as_json(asdict(recording))})

    @property
    def produced(self) -> int:
        """Events created so far."""
        self._number()
        return self._seq

    def add(self, events: Any) -> None:
        """Take `FACTS[n]` in order. They are numbered when someone asks, or journals them."""
        if len(events):
            self._added.append(events)

    def _number(self) -> None:
        """Number what a consented purpose needs, and lay it to the stream of its purposes."""
        if not self._added:
            return
        events, self._added = joined(self._added, FACTS), []
        if self.recording.transform == COARSE:
            events = _coarse(events)
        self._keep(events[self._here[events["kind"]]])
        stream_of = self._stream_of[events["kind"]]
        events, stream_of = events[stream_of >= 0], stream_of[stream_of >= 0]
        events["seq"] = self._seq + np.arange(len(events))
        self._seq += len(events)
        for number in dict.fromkeys(stream_of.tolist()):
            mine = events[stream_of == number]
            self._place(self._streams[number], mine)
            self._pending.setdefault(self._streams[number], []).append(mine)

    def _keep(self, events: Any) -> None:
        """Lay what is learned from here to its stream, with numbers of its own."""
        if len(events):
            events["seq"] = self._seq_here + np.arange(len(events))
            self._seq_here += len(events)
            self._pending.setdefault(HERE, []).append(events)

    def _place(self, stream: str, events: Any) -> None:
        """Give what happens at no place the place of the row before: a difference of nothing."""
        x, y = self._last.get(stream, (0, 0))
        placed = _PLACED[events["kind"]] & (events["pointer"] != Pointer.NONE)
        placed |= _WINDOWS[events["kind"]]
        at = np.maximum.accumulate(np.where(placed, np.arange(len(events)), -1))
        for name, first in (("x_8th_css_px", x), ("y_8th_css_px", y)):
            events[name] = np.where(at >= 0, events[name][at], first)
        self._last[stream] = (int(events["x_8th_css_px"][-1]), int(events["y_8th_css_px"][-1]))

    def mark(self, kind: Kind, t_us: int, value: int = 0, told: tuple[int, int] = (0, 0)) -> None:
        """Add a mark that describes the recording; `told`: how the clocks stand (`alignment`)."""
        row = np.zeros(1, FACTS)
        row["kind"], row["t_us"], row["value"] = kind, t_us, value
        for name, number in zip(TOLD, told, strict=True):
            row[name] = number
        self.add(row)

    def lose(self, events: int) -> None:
        """Count events that never reached us; from then on the session says it is not whole."""
        if events:
            self._number()
            self._seq += events
            self._lost += events

    def _count_lost(self) -> None:
        name, lost = f"counts/{self.recording.session}", self._lost
        with self._vault.alone:
            counts = self._vault.get_json(name, {})
            for field in ("lost", "produced"):
                counts[field] = int(counts.get(field, 0)) + lost
            self._vault.change({name: as_json({**counts, "numbered": self._seq})})
        self._lost = 0

    def journal(self) -> None:
        """Seal what is new on the disk."""
        self._number()
        if self._lost:
            self._count_lost()
        pending, self._pending = self._pending, {}
        if not pending:
            return
        self._part += 1
        streams = {stream: joined(parts, FACTS) for stream, parts in pending.items()}
        name = f"part/{self.recording.session}/{self._part:09d}"
        self._vault.change({name: _packed(streams)})
        if self._opened_s is None:
            self._opened_s = time.monotonic()

    def close(self, age_s: float, *, end: bool = False) -> int:
        """Close batches when what is open is so old, or at the end. Returns how many."""
        self.journal()
        old = self._opened_s is not None and time.monotonic() - self._opened_s >= age_s
        if not (end or old):
            return 0
        self._opened_s = None
        return close(self._vault, self.recording, self._seq, end=end)


def close(vault: Vault, recording: Recording, produced: int, *, end: bool) -> int:
    """Make batches of what the journal holds of a session, in one change. Returns how many."""
    with vault.alone:
        return _close(vault, recording, produced, end=end)


def _close(vault: Vault, recording: Recording, produced: int, *, end: bool) -> int:
    session = recording.session
    streams: dict[str, list[Any]] = {}
    change: dict[str, bytes | None] = {}
    for name, value in vault.items(f"part/{session}/"):
        change[name] = None
        for stream, events in unpacked(value).items():
            streams.setdefault(stream, []).append(events)
    if end:
        change[f"session/{session}"] = None
    now_ms = CLOCK.now_ms()
    if HERE in streams:
        purposes = [one for one in recording.purposes if one in TOGETHER]
        change |= Kept(vault).added(session, purposes, now_ms, joined(streams.pop(HERE), FACTS))
    counts = vault.get_json(f"counts/{session}", {})
    number = int(counts.get("batches", 0))
    runs = [
        (stream, run)
        for stream, parts in sorted(streams.items(), key=lambda item: item[1][-1]["seq"][-1])
        for run in _cut(joined(parts, FACTS))
    ]
    encoded: list[bytes] = []
    for k, (stream, events) in enumerate(runs):
        anchors, rows = from_columns(_by_name(events))
        header = BatchHeader(
            schema=SCHEMA_ID,
            source=recording.source,
            study=recording.study,
            receipt=recording.receipt,
            session=session,
            batch=number + k,
            purposes=tuple(stream.split("+")),
            level=recording.level,
            transform=recording.transform,
            time_origin_ms=recording.time_origin_ms,
            clock_resolution_us=1000,
            produced=produced,
            removed=int(counts.get("removed", 0)),
            lost=int(counts.get("lost", 0)),
            end=end and k == len(runs) - 1,
            **anchors,
        )
        about = {"due_ms": now_ms + recording.outbox_delay_s * 1000, "closed_ms": now_ms}
        entry = as_json({**about, "rows": header.rows, "sent": False})
        encoded.append(batch.headed(header) + rows)
        change[f"outbox/{session}/{number + k:09d}"] = (
            len(entry).to_bytes(4, "little") + entry + encoded[-1]
        )
    closed = sum(len(events) for _, events in runs)
    if runs:
        counts = {
            **counts,
            "batches": number + len(runs),
            "produced": int(counts.get("produced", 0)) + closed,
        }
        change[f"counts/{session}"] = as_json(counts)
        change |= daybook.made(vault, closed, sum(map(len, encoded)))
    if change:
        vault.change(change)
    return len(runs)


def prepare() -> None:
    """Load what making batches needs, so that the first one does not hold up a recording."""
    from_columns(_by_name(np.zeros(1, FACTS)))


def recover(vault: Vault) -> int:
    """Close what an agent left that was killed; such a session has no end mark. Returns batches."""
    made = 0
    for name in vault.names("session/"):
        stated = vault.get_json(name)
        recording = Recording(**{**stated, "purposes": tuple(stated["purposes"])})
        last = [
            -1 if stream == HERE else int(events["seq"][-1])
            for _, value in vault.items(f"part/{recording.session}/")
            for stream, events in unpacked(value).items()
        ]
        if last:
            numbered = vault.get_json(f"counts/{recording.session}", {}).get("numbered", 0)
            made += close(vault, recording, max(max(last) + 1, numbered), end=False)
        vault.change({name: None})
    return made


def _cut(events: Any) -> list[Any]:
    """Cut a stream where a row's difference would not fit its column, and at `ROWS_MAX`.

    Each picture is a batch of its own: it is looked at, and taken out, by itself.
    """
    far = (events["kind"] == Kind.PICTURE) & (events["role"] == Role.PAGE)
    far[:1] = False
    far[1:] |= np.abs(np.diff(events["t_us"])) > limits.DT_US_MAX
    far[1:] |= np.diff(events["t_us"]) < limits.DT_US_MIN
    far[1:] |= np.diff(events["seq"]) > 32_767
    for name in ("x_8th_css_px", "y_8th_css_px"):
        far[1:] |= np.abs(np.diff(events[name].astype(np.int64))) > limits.POSITION_8TH_MAX
    runs = np.split(events, np.flatnonzero(far))
    return [run[k : k + ROWS_MAX] for run in runs for k in range(0, len(run), ROWS_MAX)]


def _by_name(events: Any) -> dict[str, Any]:
    return {name: events[name] for name in EVENTS_BITS}


def _coarse(events: Any) -> Any:
    """Return what `rhythm/1` keeps: the rule of `overt.schema.coarse`, on rows."""
    events = events[~left_out(events["kind"], events["key_class"], events["modifiers"])].copy()
    at = timed(events["kind"], events["pointer"])
    events["t_us"] = np.where(at, events["t_us"] // STEP_US * STEP_US, events["t_us"])
    events["key_class"][np.isin(events["key_class"], [int(c) for c in TYPED])] = KeyClass.LETTER
    events["slot"] = events["modifiers"] = 0
    return events


def _packed(streams: dict[str, Any]) -> bytes:
    """Return stream → `FACTS[n]` as one part of the journal: lengths as JSON, then the rows."""
    about = as_json({stream: len(events) for stream, events in streams.items()})
    rows = b"".join(events.tobytes() for events in streams.values())
    return len(about).to_bytes(4, "little") + about + rows


def unpacked(value: bytes) -> dict[str, Any]:
    """Return stream → `FACTS[n]` of one sealed part of the journal, opened."""
    at = 4 + int.from_bytes(value[:4], "little")
    streams: dict[str, Any] = {}
    for stream, count in json.loads(value[4:at]).items():
        streams[stream] = np.frombuffer(value, FACTS, count, at)
        at += streams[stream].nbytes
    return streams
