"""Sessions for the tests of tokens, features and importers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from overt.datasets import rows
from overt.schema.event import Edit, KeyClass, Kind, Role

DATA = Path(os.environ.get("OVERT_DATA", Path(__file__).parents[2] / "shared" / "data"))
AALTO = DATA / "aalto-desktop-subset" / "aalto-desktop-subset.tar.zst"
needs_aalto = pytest.mark.skipif(not AALTO.exists(), reason=f"no recordings at {AALTO}")


def session(events: list[dict[str, int]]) -> pa.Table:
    """Return a table of events given as dicts; what is not named is 0."""
    names = {name for event in events for name in event}
    columns: dict[str, Any] = {
        name: np.array([event.get(name, 0) for event in events], np.int64) for name in names
    }
    columns["seq"] = np.arange(len(events))
    return rows.table(len(events), columns)


@st.composite
def sessions(draw: st.DrawFn, events_max: int = 40) -> pa.Table:
    """Draw a session with every kind of event, lost releases, repeats and equal times."""
    events = []
    t_us = draw(st.integers(0, 10**12))
    for _ in range(draw(st.integers(1, events_max))):
        t_us += draw(st.sampled_from([0, 1, 1000, 80_000, 300_000, 700_000, 2_000_000, 2_500_000]))
        kind = draw(st.sampled_from([*[Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT] * 3, *Kind]))
        event = {"kind": int(kind), "t_us": t_us}
        if kind in (Kind.KEY_DOWN, Kind.KEY_UP):
            event["slot"] = draw(st.integers(0, 4))
            event["key_class"] = int(draw(st.sampled_from(list(KeyClass)[1:])))
            event["modifiers"] = draw(st.sampled_from([0, 0, 0, 1, 16]))
        elif kind is Kind.EDIT:
            event["edit"] = int(draw(st.sampled_from(list(Edit))))
            event["edit_chars"] = draw(st.integers(0, 5))
            event["value"] = draw(st.integers(0, 3))
        else:
            event["role"] = int(draw(st.sampled_from(list(Role))))
            event["value"] = draw(st.integers(0, 2))
            event["scroll_y_css_px"] = draw(st.sampled_from([-50, 0, 50]))
        events.append(event)
    return session(events)
