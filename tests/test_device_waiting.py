"""What the person sees of what waits: the right application, and every field of every event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.session import Recording, Session
from overt.device.vault import Vault
from overt.device.waiting import NONE, UNKNOWN, _applications, opened, timeline
from overt.schema.event import KeyClass, Kind, Modifier

PARTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([Kind.FOCUS, Kind.BLUR, Kind.KEY_DOWN, Kind.POINTER_MOVE]),
        st.integers(1, 3),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(PARTS)
def test_the_application_is_that_of_the_last_focus_before_in_whichever_batch_it_went(
    events: list[tuple[str, Kind, int, int]],
) -> None:
    batches: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    wanted: dict[tuple[str, int], list[int]] = {}
    now = {"a": UNKNOWN, "b": UNKNOWN}
    for seq, (session, kind, value, batch) in enumerate(events):
        if kind in (Kind.FOCUS, Kind.BLUR):
            now[session] = value if kind == Kind.FOCUS else NONE
        batches.setdefault((session, batch), []).append((seq, kind, value))
        wanted.setdefault((session, batch), []).append(now[session])
    parts = [
        (session, dict(zip(("seq", "kind", "value"), np.array(rows).T, strict=True)))
        for (session, _), rows in batches.items()
    ]
    assert [found.tolist() for found in _applications(parts)] == list(wanted.values())


def test_each_event_is_shown_with_every_field_that_is_not_empty(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    about: dict[str, Any] = {"study": "desk", "receipt": "1" * 32, "level": "rhythm"}
    more: dict[str, Any] = {"transform": "rhythm/0", "time_origin_ms": 60_000, "outbox_delay_s": 1}
    session = Session(
        Recording(session="a" * 32, purposes=("typing-assist",), **about, **more), vault
    )
    rows = np.zeros(3, FACTS)
    rows["kind"] = (Kind.FOCUS, Kind.KEY_DOWN, Kind.KEY_DOWN)
    rows["t_us"] = (0, 1_000_000, 61_000_000)
    rows["value"][0], rows["key_class"][1:] = 2, KeyClass.LETTER
    rows["modifiers"][2] = Modifier.SHIFT | Modifier.REPEAT
    session.add(rows)
    session.close(0)
    waiting = opened(Outbox(vault).entries())
    vault.close()
    (one,) = waiting
    assert set(one.filled) == {"seq", "t_us", "kind", "value", "key_class", "modifiers"}
    assert set(one.filled).isdisjoint(one.empty)
    last = dict(zip(one.filled, one.fields()[2], strict=True))
    assert (last["kind"], last["key_class"]) == ("key_down", "letter")
    assert (last["modifiers"], last["t_us"]) == ("shift+repeat", "61000000")
    assert one.counts() == {"keys": 2, "marks": 1}
    ((application, bars),) = timeline(waiting).items()
    assert application == 2
    assert [(bar.minute, bar.events) for bar in bars] == [(1, 2), (2, 1)]
