"""Scrolling: bursts, turns back, rests."""

from __future__ import annotations

from overt.features.catalogue.feature import D_NONE, Feature, column, counted, moments, share
from overt.features.scrolling import SCROLL_GAP_US

_GOODING = "Gooding et al. 2021"
_GAP = f"{SCROLL_GAP_US // 1000} ms"
_D_GAP = f"gaps within d of {_GAP} may fall on either side"

FEATURES: tuple[Feature, ...] = (
    counted("scroll_steps", "scroll events", D_NONE, _GOODING),
    counted("scroll_bursts", f"runs of scroll events, less than {_GAP} from one to the next",
            _D_GAP, _GOODING, of="scroll_burst_us:count"),
    *moments("scroll_burst_css_px", "CSS px", "way of a burst, up and down added", _GOODING,
             clock=_D_GAP),
    *moments("scroll_burst_us", "µs", "last minus first event of a burst", _GOODING),
    *moments("scroll_speed_css_px_per_s", "CSS px/s", "way / time of bursts of two events or more",
             _GOODING, clock="short bursts are off by d / their time"),
    *moments("scroll_dwell_us", "µs", "first event of a burst minus last of the one before",
             _GOODING),
    counted("scroll_reversals", "steps against the direction of the step before", D_NONE, _GOODING),
    counted("scroll_regressions", "reversals from down to up: back to what has been passed",
            D_NONE, _GOODING),
    share("scroll_up_share", "way up / way", column("up_css_px"), column("scroll_css_px"),
          source=_GOODING),
)  # fmt: skip
"""In the order of the columns."""
