"""The Balabit mouse challenge, computed again: is a recording of this account's owner?

`overt reproduce balabit`. Every account's training recordings are cut into single actions. For each
two accounts a LightGBM learns to tell the actions of one from those of the other. A recording's
log-odds of account u against account w are the mean over its actions; its score as u's is the soft
minimum of them over all w: as much u as it is u rather than whoever comes closest. The metric is
the challenge's: one AUC over all labelled test recordings of all accounts.

**Attackers left out.** An illegal recording is of another of the accounts, and so the attacker's
own recordings are among what was learned from: no real attacker would oblige. Because models are of
two accounts, leaving an attacker v out is exact and costs nothing: no model that has met v is
asked. But nobody says which account an illegal recording is of. Hence two settings:

- *strangers*: recordings labelled legal are surely of their account's owner. Each is tried on every
  other account u with its true owner v left out, against u's own legal recordings scored with v
  left out too. The control scores the very same recordings with v among the models.
- *likeliest attacker left out*: the challenge's own labels; for every recording, legal or not, the
  other account it resembles most is left out of the score.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from overt.audit.actions import FIGURES, NONE, Recording, figures, without
from overt.audit.actions import PRESSED as DOWN
from overt.audit.actions import RELEASED as UP
from overt.audit.actions import WHEEL as TURN
from overt.audit.rates import Interval, auc
from overt.audit.reproduced import Compared, Reproduced
from overt.datasets.formats import balabit
from overt.datasets.reading import delimited, files
from overt.schema.errors import InvalidInput, Missing, TooFew

Progress = Callable[[str, float], None]

PUBLISHED = 0.92
VARIANTS: dict[str, tuple[str, ...]] = {
    "with positions": (),
    "without positions": ("absolute",),
    "without positions or intervals": ("absolute", "sampling"),
    "geometry only": ("absolute", "sampling", "motion"),
}
"""Which groups of `overt.audit.actions` are left out."""
SOFTNESS = 3.0
"""Of the minimum over other accounts, per unit of mean log-odds; from cross-validation over the
training recordings, where 1 and 3 differ by .002."""
ROUNDS = 100
NOTE = (
    "Published on all 816 labelled recordings. Challenge: attackers are among the accounts learned "
    "from. Likeliest attacker left out: same recordings and labels, but the models of the other "
    "account that a recording resembles most are not asked. Strangers: legal recordings tried on "
    "every other account, with their true owner among those learned from (known), and with the "
    "owner left out of training: the honest figure."
)
SIGNS = "Positions on the screen and sampling intervals are partly of the computer, not the hand."
FITTED = (
    f"{len(FIGURES)} figures an action, a LightGBM for each two accounts, {ROUNDS} trees. "
    "Intervals: recordings drawn again within account and label."
)
_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "is_unbalance": True,
    "deterministic": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
_WORKERS = 2
_LABELS = "*labels*.csv"
_LAYOUT = (
    "There must be training_files/<account>/session_*, test_files/<account>/session_* and "
    "public_labels.csv (filename, is_illegal), in a directory or a .tar.zst."
)
_STATES = {balabit.STATES["pressed"]: DOWN, balabit.STATES["released"]: UP}
_WHEELS = (balabit.STATES["down"], balabit.STATES["up"])


@dataclass(frozen=True, eq=False)
class Challenge:
    """What was found: figures of actions of each account, and the labelled test recordings."""

    accounts: list[str]
    training: list[Any] = field(repr=False)
    """For each account float64[actions, 60]."""
    account: Any = field(repr=False)
    """int64[sessions], the account a test recording is said to be of."""
    illegal: Any = field(repr=False)
    """bool[sessions]"""
    sessions: list[Any] = field(repr=False)
    """For each test recording float64[actions, 60]."""
    left_out: int = 0
    """Labelled recordings whose file or whose account's training recordings are missing."""


def read(path: Path, progress: Progress) -> Challenge:
    """Return the challenge in `path`. Raises `InvalidInput` or `TooFew` for what is missing."""
    training: dict[str, list[Any]] = {}
    tests: dict[tuple[str, str], Any] = {}
    labels: dict[str, bool] = {}
    for found in files.named(path, balabit.PATTERN, _LABELS):
        progress("reading recordings", 0.3 * found.bytes_done / max(found.bytes_total, 1))
        if found.name.endswith(".csv") and "label" in found.name:
            labels |= _labels(found.data, found.name)
            continue
        account = PurePosixPath(balabit.account_of(found.path)).name
        made = figures(readings(balabit.read_recording(found.data, found.path)))
        if balabit.is_training(found.path):
            training.setdefault(account, []).append(made)
        else:
            tests[account, _stem(found.name)] = made
    _check(path, training, tests, labels)
    accounts = sorted(a for a, made in training.items() if sum(map(len, made)))
    kept = [k for k in sorted(tests) if k[1] in labels and k[0] in accounts]
    if len(accounts) < 2 or not kept:
        raise TooFew(
            f"has {len(accounts)} accounts to learn from and {len(kept)} labelled recordings",
            where=str(path),
            do=_LAYOUT,
        )
    return Challenge(
        accounts,
        [np.concatenate(training[a]) for a in accounts],
        np.array([accounts.index(a) for a, _name in kept]),
        np.array([labels[name] for _a, name in kept]),
        [tests[k] for k in kept],
        len(labels) - len(kept),
    )


def _check(path: Path, training: Any, tests: Any, labels: Any) -> None:
    for what, there in (
        ("training recordings: a score needs models, and these are learned from them", training),
        ("test recordings", tests),
        ("file of labels", labels),
    ):
        if not there:
            raise InvalidInput(f"holds no {what}", where=str(path), do=_LAYOUT)


def _stem(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).stem


def _labels(data: bytes, file: str) -> dict[str, bool]:
    sheet = delimited.read(data, file, ("filename", "is_illegal"), None)
    names = sheet.columns["filename"].to_pylist()
    values = sheet.codes("is_illegal", {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1})
    return {_stem(name): bool(value) for name, value in zip(names, values.tolist(), strict=True)}


def readings(found: balabit.Recording) -> Recording:
    """Return a recording's readings without those that say nothing new, times never falling."""
    time_s = np.maximum.accumulate(found.time_us) / 1e6
    what = np.full(time_s.size, NONE)
    for state, of in _STATES.items():
        what[found.state == state] = of
    what[np.isin(found.state, _WHEELS)] = TURN
    rows = np.column_stack([time_s, what, found.x_px, found.y_px])
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows, axis=0) != 0).any(1)
    return Recording(time_s[new], what[new], found.x_px[new], found.y_px[new])


def odds(challenge: Challenge, columns: list[int], progress: Callable[[float], None]) -> Any:
    """Return float64[sessions, u, w]: mean log-odds that a recording is u's rather than w's."""
    import lightgbm

    count = len(challenge.accounts)
    tests = np.concatenate([s[:, columns] for s in challenge.sessions])
    lengths = np.array([len(s) for s in challenge.sessions])
    of = np.repeat(np.arange(len(lengths)), lengths)
    training = [made[:, columns] for made in challenge.training]
    made = np.zeros((len(lengths), count, count))
    pairs = list(combinations(range(count), 2))

    def fit(pair: tuple[int, int]) -> Any:
        u, w = pair
        rows = np.concatenate([training[u], training[w]])
        is_u = np.arange(len(rows)) < len(training[u])
        data = lightgbm.Dataset(rows, is_u.astype(np.float64))
        raw = lightgbm.train(_SETTINGS, data, ROUNDS).predict(tests, raw_score=True, num_threads=1)
        return np.bincount(of, raw, len(lengths)) / np.maximum(lengths, 1)

    with ThreadPoolExecutor(_WORKERS) as pool:
        for number, ((u, w), mean) in enumerate(zip(pairs, pool.map(fit, pairs), strict=True)):
            made[:, u, w], made[:, w, u] = mean, -mean
            progress((number + 1) / len(pairs))
    return made


def scores(against: Any, owner: Any, out: Any | None = None) -> Any:
    """Return each recording's score as that of account `owner`, by those not left out.

    Args:
        against: float64[sessions, u, w].
        owner: int64[sessions], which account each is tried on.
        out: int64[sessions], the account whose models are not asked.
    """
    rows = np.arange(len(against))
    mine = against[rows, owner].copy()
    asked = np.ones_like(mine, bool)
    asked[rows, owner] = False
    if out is not None:
        asked[rows, out] = False
    powers = np.where(asked, -SOFTNESS * mine, -np.inf)
    top = powers.max(1)
    total = np.exp(powers - top[:, None]).sum(1) / asked.sum(1)
    return -(top + np.log(total)) / SOFTNESS


def likeliest(against: Any, owner: Any) -> Any:
    """Return int64[sessions], the account a recording resembles most, `owner` apart."""
    worst = against.copy()
    people = worst.shape[1]
    rows = np.arange(len(worst))
    worst[:, np.arange(people), np.arange(people)] = np.inf
    worst[rows, :, owner] = np.inf
    closest = worst.min(2)
    closest[rows, owner] = -np.inf
    return closest.argmax(1)


def strangers(against: Any, owner: Any) -> tuple[Any, Any, Any, Any]:
    """Return scores of recordings of known owners on accounts, with v in and with v left out.

    Returns:
        is_owner bool[n], session int64[n], score with all models, score without those of v. For
        every account u and other account v: u's own recordings, and v's tried on u.
    """
    count = against.shape[1]
    session, on, out = [], [], []
    for u in range(count):
        for v in range(count):
            if u != v:
                mine = np.flatnonzero((owner == u) | (owner == v))
                session.append(mine)
                on.append(np.full(mine.size, u))
                out.append(np.full(mine.size, v))
    at, tried, without_v = np.concatenate(session), np.concatenate(on), np.concatenate(out)
    mine, asked = owner[at] == tried, against[at]
    return mine, at, scores(asked, tried), scores(asked, tried, without_v)


def reproduce(path: Path, progress: Progress) -> Reproduced:
    """Return the AUC of each variant beside the published one."""
    if find_spec("lightgbm") is None:
        raise Missing("LightGBM is not installed", do="pip install 'overt[models]'")
    challenge = read(path, progress)
    rows: list[Compared] = []
    for number, (name, groups) in enumerate(VARIANTS.items()):

        def report(done: float, number: int = number, name: str = name) -> None:
            progress(f"learning {name}", 0.3 + 0.7 * (number + done) / len(VARIANTS))

        against = odds(challenge, without(*groups), report)
        rows += _rows(name, challenge, against, PUBLISHED if number == 0 else None)
    actions = sum(map(len, challenge.training)) + sum(map(len, challenge.sessions))
    return Reproduced(
        "balabit",
        "Is it the owner's mouse?",
        "AUC, one over all test recordings",
        "Antal and Egyed-Zsigmond, IET Biometrics 2019 (arXiv 1810.04668)",
        "Learned from the training recordings, one score a labelled test recording, one AUC over "
        "all of them.",
        {
            "accounts": len(challenge.accounts),
            "test recordings": len(challenge.sessions),
            "illegal": int(challenge.illegal.sum()),
            "actions": actions,
        },
        tuple(rows),
        _notes(challenge),
    )


def _rows(name: str, challenge: Challenge, against: Any, published: float | None) -> list[Compared]:
    owner, illegal = challenge.account, challenge.illegal
    strata = owner * 2 + illegal
    every = np.arange(len(owner))
    known = auc(~illegal, scores(against, owner), every, strata)
    made = [_compared(f"{name}: challenge", known, published)]
    if len(challenge.accounts) < 3:
        return made
    left = auc(~illegal, scores(against, owner, likeliest(against, owner)), every, strata)
    legal = np.flatnonzero(~illegal)
    is_owner, session, within, apart = strangers(against[legal], owner[legal])
    control = auc(is_owner, within, session, owner[legal])
    alone = auc(is_owner, apart, session, owner[legal])
    return [
        *made,
        _compared(f"{name}: likeliest attacker left out", left),
        _compared(f"{name}: strangers, known", control),
        _compared(f"{name}: strangers, left out of training", alone),
    ]


def _compared(name: str, found: Interval, published: float | None = None) -> Compared:
    return Compared(name, published, found.value, found.low, found.high)


def _notes(challenge: Challenge) -> tuple[str, ...]:
    empty = sum(len(session) == 0 for session in challenge.sessions)
    said = [NOTE, SIGNS, FITTED]
    if challenge.left_out:
        said.append(f"{challenge.left_out} labels have no recording or no training recordings.")
    if empty:
        said.append(f"{empty} recordings hold no whole action and score 0.")
    return tuple(said)
