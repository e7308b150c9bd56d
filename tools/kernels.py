"""Compile kernels and sources once, before many test processes would each compile them.

numba keeps what it compiled beside the sources, as Python does; a fresh checkout has none. This
runs what uses the kernels on a little made-up data, and loads all that the tests load. It proves
nothing: whatever fails here, the tests will tell.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def _features() -> None:
    from overt.datasets import synthetic
    from overt.features.windows import features

    sessions = [one for person in synthetic.people(2, 1, minutes=0.3) for one in person.sessions]
    features(sessions)
    features(sessions, window_us=5_000_000)


def _linkage() -> None:
    from overt.audit.linkage import linkage
    from overt.datasets import synthetic

    made = synthetic.people(25, 1, minutes=1.0)
    levels = ("raw", "rhythm", "rhythm/1")
    linkage((person.sessions for person in made), levels=levels, keys=(20,))


def _wire() -> None:
    from overt.schema import rows

    rows.warm()


def _traces() -> None:
    import numpy as np

    from overt.store.traces import Deltas, Needles

    deltas = np.arange(1, 400, dtype=np.int64) * 997
    Deltas([deltas]).find(bytes(4096))
    Deltas([deltas]).find(b"1 2 3 4 5 6 7 8 9 10 11 12 " * 20)
    Needles([("key", bytes(range(16)))]).find(bytes(4096))


def _strokes() -> None:
    import numpy as np

    from overt.models.programs.features import row_of
    from overt.models.programs.trace import trace_of

    t_ms = np.arange(0, 15_000, 16.0)
    x_px = 400 + 300 * np.sin(t_ms / 700) + np.arange(t_ms.size) % 3
    row_of(trace_of(t_ms, x_px, 300 + 200 * np.cos(t_ms / 500)))


def _typos() -> None:
    import numpy as np

    from overt.models.typos import corrector, ranker
    from overt.models.typos.evidence import Asked, lexicon
    from overt.models.typos.words import Words

    texts = ("base", "case", "ease", "phase")
    words = Words(
        texts, np.full(4, -np.log(4)), {text: at for at, text in enumerate(texts)}, {}, {}
    )
    learned = corrector.channel([("fase", "phase"), ("caes", "case")])
    corrector.Corrector(lexicon(words), learned, ranker.Ranker()).suggest(Asked("fase"))


def _sources() -> None:
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
    subprocess.run(collect, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


STEPS: dict[str, Callable[[], None]] = {
    "features": _features,
    "wire": _wire,
    "traces": _traces,
    "linkage": _linkage,
    "strokes": _strokes,
    "typos": _typos,
    "sources": _sources,
}
SHARES = (("features", "linkage", "strokes"), ("typos", "wire", "traces"), ("sources",))
"""What runs side by side: one share a process, of about the same length."""


def _run(names: tuple[str, ...]) -> None:
    for name in names:
        try:
            STEPS[name]()
        except Exception as error:  # noqa: BLE001 - only a head start
            print(f"kernels: {name}: {type(error).__name__}", file=sys.stderr)


def main() -> None:
    """Run each share in a process of its own; say in one line how long it took."""
    started_s = time.monotonic()
    with ProcessPoolExecutor(len(SHARES), get_context("spawn")) as pool:
        list(pool.map(_run, SHARES))
    print(f"Compiled kernels and sources in {time.monotonic() - started_s:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
