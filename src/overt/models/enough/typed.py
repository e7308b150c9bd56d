"""A person's acts at each detail level, beside targets that are the same at every level.

An act is a token of `overt.datasets.tokens` but for presses of modifier keys, which `rhythm/1` does
not have. What is to be told is the same for all levels: the act that comes, with digits and
punctuation as letters, and the time before it as `rhythm/0` has it. What levels differ in is what
may be looked at: at `keys` which keys came before, at `rhythm/0` their classes and the time between
them, at `rhythm/1` classes and whole seconds. The views are made by the transforms that live data
goes through, so nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from overt.datasets.tokens import START, VOCABULARY, TokenArrays, tokens_of
from overt.datasets.transform import to_rhythm0, to_rhythm1
from overt.features.typing import to_the_second
from overt.models.config import PAUSE_MAX_MS, PAUSE_MIN_MS
from overt.models.tensors import Array
from overt.schema.coarse import HELD, TYPED
from overt.schema.event import KeyClass, Kind, Modifier

KEYS, RHYTHM, SECONDS = "keys", "rhythm/0", "rhythm/1"
LEVELS = (SECONDS, RHYTHM, KEYS)
"""From the least detail to the most."""

BACK = 4
"""Acts before the one that comes that are looked at."""

IDLE_US = 5_000_000
"""A longer pause counts as this much time of input."""

_MODIFIERS = np.isin(VOCABULARY, [f"key:{key.name.lower()}" for key in HELD])
_FOLDED = np.arange(len(VOCABULARY))
for _key in TYPED:
    _FOLDED[VOCABULARY.index(f"key:{_key.name.lower()}")] = VOCABULARY.index("key:letter")
_SPACE = [VOCABULARY.index(f"key:{name}") for name in ("space", "enter")]
_WORD_MAX = 15
_PACES = np.log([1.0, 2.0, 8.0])


@dataclass(frozen=True, eq=False)
class Acts:
    """The n acts of one person that have another before them, in order. `-1`: there is none."""

    minute: Array
    """float64[n], minutes of input up to it."""
    came: Array
    """int64[n], what came, digits and punctuation as letters."""
    log_ms: Array
    """float64[n], ln ms of the time before it; NaN where it is not one between two acts."""
    own_log_ms: Array
    """float64[n], mean of the person's own before it; NaN before the first."""
    classes: Array
    """int64[n, BACK], acts before it, the last first."""
    folded: Array
    """int64[n, BACK], the same with digits and punctuation as letters."""
    symbols: Array
    """int64[n, BACK], keys before it; 0 where they are not known."""
    symbol: Array
    """int64[n], its own key."""
    in_word: Array
    """int64[n], acts since the last space or line, up to a bound."""
    pace: Array
    """int64[n], the last time between two acts against the person's own mean before it: shorter, up
    to twice, up to eight times, longer; at `rhythm/0`."""
    seconds: Array
    """int64[n], the same in whole seconds, up to 4; at `rhythm/1`."""
    timed: Array
    """bool[n], whether there are times between acts: not where a person chose `rhythm/1`."""
    held: Array
    """int64[n], whether the key before was let go before the last act, and in how many 40 ms."""

    def where(self, mask: Array) -> Acts:
        """Return some of the acts."""
        return Acts(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})

    @property
    def has_times(self) -> bool:
        """Whether there are times between acts."""
        return bool(self.timed.all())

    @property
    def has_keys(self) -> bool:
        """Whether it is known which keys they were."""
        return bool(self.symbols.any())


def acts_of(sessions: Sequence[pa.Table]) -> Acts | None:
    """Return a person's acts, or None if there are none."""
    parts = []
    for events in sessions:
        timed = not _without_times(events)
        coarse = tokens_of(to_rhythm1(events))
        fine = tokens_of(to_rhythm0(events)) if timed else coarse
        parts += _stretches(events, fine, coarse, timed=timed)
    if not parts:
        return None
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    passed = np.minimum(columns.pop("passed_us"), IDLE_US)
    log_ms = columns["log_ms"]
    known = np.isfinite(log_ms)
    total = np.cumsum(np.where(known, log_ms, 0.0)) - np.where(known, log_ms, 0.0)
    count = np.cumsum(known) - known
    own = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    slower = columns.pop("last_log_ms") - own
    pace = np.where(np.isnan(slower), -1, np.searchsorted(_PACES, np.nan_to_num(slower)))
    kept = columns["classes"][:, 0] >= 0
    made = Acts(minute=np.cumsum(passed) / 60e6, own_log_ms=own, pace=pace, **columns).where(kept)
    return made if made.came.size else None


def _without_times(events: pa.Table) -> bool:
    kind = events.column("kind").to_numpy()
    down = events.column("t_us").to_numpy()[kind == int(Kind.KEY_DOWN)]
    released = (kind == int(Kind.KEY_UP)).any()
    return not released and to_the_second(down, np.full(down.size, _UNKNOWN))


_UNKNOWN = np.iinfo(np.int64).min


def _stretches(
    events: pa.Table,
    fine: Sequence[TokenArrays],
    coarse: Sequence[TokenArrays],
    *,
    timed: bool,
) -> list[dict[str, Array]]:
    """Return the columns of each stretch that both levels have alike; others are left out."""
    symbols = _symbols(events)
    made, used = [], 0
    by_acts: dict[bytes, list[TokenArrays]] = {}
    for one in coarse:
        by_acts.setdefault(one.token.tobytes(), []).append(one)
    for one in fine:
        is_key = np.char.startswith(_NAMES[one.token], "key:")
        keys = int(is_key.sum())
        symbol = np.zeros(len(one), np.int64)
        if used + keys <= symbols.size:
            symbol[is_key] = symbols[used : used + keys]
        used += keys
        act = ~_MODIFIERS[one.token]
        token = one.token[act].astype(np.int64)
        same = by_acts.get(_FOLDED[token].astype(one.token.dtype).tobytes())
        if not same or token.size < 2:
            continue
        columns = _columns(one, act, token, symbol[act], same.pop(0))
        if not timed:
            columns["log_ms"] = np.full(token.size, np.nan)
            columns["last_log_ms"] = columns["log_ms"]
        made.append({**columns, "timed": np.full(token.size, timed)})
    return made


_NAMES = np.array(VOCABULARY)


def _symbols(events: pa.Table) -> Array:
    """Return the keys of the presses that become tokens, in order."""
    kind, key_class, modifiers, symbol = (
        events.column(name).to_numpy() for name in ("kind", "key_class", "modifiers", "key_symbol")
    )
    mark = np.where(kind == int(Kind.PAUSE), 2, np.where(kind == int(Kind.RESUME), 1, 0))
    last = np.maximum.accumulate(np.where(mark > 0, np.arange(kind.size), 0))
    pressed = (kind == int(Kind.KEY_DOWN)) & (modifiers & int(Modifier.REPEAT) == 0)
    named = (key_class > 0) & np.isin(key_class, [int(k) for k in KeyClass if k])
    symbol = symbol.astype(np.int64)
    capital = (symbol >= ord("A")) & (symbol <= ord("Z"))
    kept = pressed & named & (mark[last] != 2)
    return np.asarray(np.where(capital, symbol + 32, symbol)[kept])


def _columns(
    one: TokenArrays, act: Array, token: Array, symbol: Array, coarse: TokenArrays
) -> dict[str, Array]:
    at_us = np.cumsum(one.pause_us)[act]
    pause_us = np.diff(at_us, prepend=at_us[0])
    hold = np.where(one.hold_us[act] < 0, -1, np.minimum(one.hold_us[act] // 40_000, 6))
    log_ms = np.log(np.clip(pause_us / 1000, PAUSE_MIN_MS, PAUSE_MAX_MS))
    log_ms[: min(2, log_ms.size)] = np.nan  # the time from the beginning is not one between acts
    seconds = np.minimum(coarse.pause_us // 1_000_000, 4)
    return {
        "passed_us": pause_us,
        "came": _FOLDED[token],
        "log_ms": log_ms,
        "classes": _before(token),
        "folded": _before(_FOLDED[token]),
        "symbols": _before(symbol, 0),
        "symbol": symbol,
        "in_word": _since(np.isin(token, [*_SPACE, START])),
        "last_log_ms": np.append(np.nan, log_ms[:-1]),
        "seconds": np.append(-1, seconds[:-1]).astype(np.int64),
        "held": np.append(-1, hold[:-1] * 2 + one.rollover[act][:-1]).astype(np.int64),
    }


def _before(values: Array, none: int = -1) -> Array:
    """Return int64[n, BACK], the values before each; the token `start` counts as none."""
    made = np.full((values.size, BACK), none, np.int64)
    for back in range(BACK):
        made[back + 1 :, back] = values[: max(values.size - back - 1, 0)]
    return made


def _since(there: Array) -> Array:
    """Return int64[n], places since `there` held before each, up to `_WORD_MAX`."""
    last = np.maximum.accumulate(np.where(there, np.arange(there.size), 0))
    passed = np.arange(there.size) - np.append(0, last[:-1]) - 1
    return np.asarray(passed.clip(0, _WORD_MAX))
