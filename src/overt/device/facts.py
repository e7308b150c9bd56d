"""One event on the device, as a row: what capture makes, and session, journal and page handle."""

from __future__ import annotations

import numpy as np

from overt.schema.event import EVENTS_BITS

FACTS = np.dtype([(name, f"<i{bits // 8}") for name, bits in EVENTS_BITS.items()])
"""One row an event: the columns of `EVENTS`. In `seq`, capture puts the number of the event among
all that it heard, to order by; the session gives the one that counts what is kept."""

NOTHING = np.empty(0, FACTS)
EIGHTHS = 8
