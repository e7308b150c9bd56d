"""Sums of revision: characters in and out, revisions, P-bursts and R-bursts, per window."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.features.sums import Columns, Cut, Events, Family
from overt.schema.event import Edit, Kind, Modifier

_TYPED = (Edit.INSERT_TEXT, Edit.INSERT_LINE, Edit.INSERT_COMPOSITION)
_PASTED = (Edit.INSERT_PASTE, Edit.INSERT_DROP)
_DELETED = (
    Edit.DELETE_CHAR_BACKWARD,
    Edit.DELETE_CHAR_FORWARD,
    Edit.DELETE_WORD_BACKWARD,
    Edit.DELETE_WORD_FORWARD,
    Edit.DELETE_LINE,
    Edit.DELETE_CUT,
    Edit.DELETE_OTHER,
)
_WHAT = np.zeros(128, np.int8)
for _edits, _what in ((_TYPED, 1), (_PASTED, 2), (_DELETED, 3)):
    _WHAT[[int(edit) for edit in _edits]] = _what
_DOWN, _EDIT, _REPEAT = int(Kind.KEY_DOWN), int(Kind.EDIT), int(Modifier.REPEAT)
_COMPOSING = int(Edit.INSERT_COMPOSITION)
COLUMNS = Columns(
    counts=(
        "inserted_chars",
        "deleted_chars",
        "pasted_chars",
        "deletions",
        "revisions",
        "p_bursts",
        "p_burst_chars",
        "r_bursts",
        "r_burst_chars",
    )
)
_INSERTED, _DELETED_CHARS, _PASTED_CHARS, _DELETIONS, _REVISIONS = range(5)
_P_BURSTS, _P_CHARS, _R_BURSTS, _R_CHARS = range(5, 9)


@kernel
def _add_edits(
    kind: Any,
    t_us: Any,
    modifiers: Any,
    edit: Any,
    chars: Any,
    replaced: Any,
    what: Any,
    start: int,
    window: int,
    pause: int,
    total: Any,
) -> None:
    burst = 0
    revising = False
    last_down = t_us[0]
    pressed = False
    for i in range(kind.shape[0]):
        if kind[i] == _DOWN and modifiers[i] & _REPEAT == 0:
            if pressed and t_us[i] - last_down >= pause:
                if burst > 0:
                    w = (t_us[i] - start) // window
                    total[w, _P_BURSTS] += 1.0
                    total[w, _P_CHARS] += burst
                    burst = 0
                revising = False
            pressed = True
            last_down = t_us[i]
        elif kind[i] == _EDIT:
            w = (t_us[i] - start) // window
            done = what[edit[i]]
            if done == 1:
                # What is composed takes the place of what was composed before it.
                if edit[i] == _COMPOSING:
                    fresh = int(chars[i]) - int(replaced[i])
                else:
                    fresh = int(chars[i])
                    total[w, _DELETED_CHARS] += replaced[i]
                total[w, _INSERTED] += fresh
                burst += fresh
                revising = False
            elif done == 2:
                total[w, _PASTED_CHARS] += chars[i]
                revising = False
            elif done == 3:
                total[w, _DELETIONS] += 1.0
                total[w, _DELETED_CHARS] += chars[i]
                if not revising:
                    total[w, _REVISIONS] += 1.0
                    revising = True
                if burst > 0:
                    total[w, _R_BURSTS] += 1.0
                    total[w, _R_CHARS] += burst
                    burst = 0


def _add(events: Events, cut: Cut, total: Any) -> None:
    names = ("kind", "t_us", "modifiers", "edit", "edit_chars", "value")
    columns = [events[name] for name in names]
    _add_edits(*[*columns, _WHAT, cut.start_us, cut.width_us, cut.pause_us, total])


FAMILY = Family(COLUMNS, _add)
"""A burst is characters typed in a row; it belongs to the window in which it ends: by a pause (a
P-burst) or a deletion (an R-burst). What the end of the session cuts off is not counted.
Deletions in a row are one revision; typing or a pause ends it."""
