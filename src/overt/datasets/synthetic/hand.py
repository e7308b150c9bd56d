"""The hand of one synthetic person: how long keys are held, how long it takes to the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789 .,!?'-\n\b⇧⌃⇤⇥"
KEY = {character: number for number, character in enumerate(_KEYS)}
SHIFT, CONTROL, BACKSPACE, ENTER, TAB, ARROW_LEFT = "⇧", "⌃", "\b", "\n", "⇥", "⇤"
_LEFT_HAND = frozenset("qwertasdfgzxcvb12345⇧⌃⇥")
_LOG_SD_POPULATION_PAIR = 0.20
_LOG_SD_OWN_PAIR = 0.22
_LOG_SD_OWN_HOLD = 0.15
_LOG_SD_STROKE = 0.36
_LOG_SD_HOLD = 0.22
_LOG_SD_DAY = 0.06


def _population_pairs() -> Any:
    """Return what is common to everyone: alternating hands are faster, the same finger slower."""
    rng = np.random.default_rng(1985)
    pairs = rng.normal(0, _LOG_SD_POPULATION_PAIR, (len(_KEYS), len(_KEYS)))
    left = np.array([character in _LEFT_HAND for character in _KEYS])
    pairs += np.where(left[:, None] != left[None, :], -0.08, 0.06)
    pairs[:, [KEY[BACKSPACE]]] += 0.35
    pairs[:, [KEY[SHIFT], KEY[CONTROL], KEY[TAB], KEY[ENTER]]] += 0.3
    return pairs


_POPULATION_PAIRS = _population_pairs()


@dataclass(frozen=True)
class Habits:
    """What stays the same in one person. Intervals are natural logs of µs."""

    log_interval: float
    own_pairs: Any
    log_hold: float
    own_holds: Any
    error_rate: float
    """Share of letters that come out wrong and are noticed."""
    late_notice: float
    """Chance that one more letter is typed before a wrong one is noticed."""
    word_pause: float
    """Log factor on the interval at the beginning of a word."""
    think_rate: float
    """Chance of a pause of seconds before a word."""
    pointer_a_us: float
    pointer_b_us: float
    """Fitts' law: a + b * bits."""
    tremor_css_px: float
    reading_us: float
    uses_tab: float
    uses_enter: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        """Draw one person."""
        speed = rng.normal(0, 0.38)
        return cls(
            log_interval=float(np.log(148_000) + speed),
            own_pairs=rng.normal(0, _LOG_SD_OWN_PAIR, _POPULATION_PAIRS.shape),
            log_hold=float(np.log(104_000) + 0.25 * speed + rng.normal(0, 0.17)),
            own_holds=rng.normal(0, _LOG_SD_OWN_HOLD, len(_KEYS)),
            error_rate=float(np.clip(rng.lognormal(np.log(0.045), 0.5), 0.005, 0.2)),
            late_notice=float(rng.uniform(0.1, 0.5)),
            word_pause=float(rng.normal(0.15, 0.1)),
            think_rate=float(rng.uniform(0.01, 0.05)),
            pointer_a_us=float(rng.uniform(180_000, 320_000)),
            pointer_b_us=float(rng.uniform(110_000, 190_000)),
            tremor_css_px=float(rng.uniform(0.2, 0.8)),
            reading_us=float(rng.lognormal(np.log(900_000), 0.3)),
            uses_tab=float(rng.beta(1, 2)),
            uses_enter=float(rng.beta(2, 2)),
        )

    def on_another_day(self, rng: np.random.Generator) -> Self:
        """Return the same person as they are in one session: a little faster or slower."""
        return replace(
            self,
            log_interval=self.log_interval + float(rng.normal(0, _LOG_SD_DAY)),
            log_hold=self.log_hold + float(rng.normal(0, _LOG_SD_DAY)),
        )

    def interval_us(self, before: str, key: str, rng: np.random.Generator) -> float:
        """Return the time from pressing `before` to pressing `key`; `before` may be empty."""
        log = self.log_interval + rng.normal(0, _LOG_SD_STROKE)
        if before:
            pair = KEY[before], KEY[key]
            log += _POPULATION_PAIRS[pair] + self.own_pairs[pair]
        if before == " ":
            log += self.word_pause
            if rng.random() < self.think_rate:
                log += rng.normal(2.2, 0.5)
        elif before in (".", "!", "?", ""):
            log += rng.normal(0.9, 0.4)
        return float(max(np.exp(log), 15_000))

    def hold_us(self, key: str, rng: np.random.Generator) -> float:
        """Return how long `key` is held."""
        log = self.log_hold + self.own_holds[KEY[key]] + rng.normal(0, _LOG_SD_HOLD)
        return float(max(np.exp(log), 20_000))
