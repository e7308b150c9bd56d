"""Events a second of the shared encoder's loader and training, by body and by precision.

    python benchmarks/encoder.py [--rounds 5] [--json]

Events are made up (a moving pointer and keys, fixed seed). The device is the one that
`overt.models.neural.device` chooses. The loader must never be what is waited for.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch

from overt.models.descent import Adam
from overt.models.neural import device
from overt.models.pretrained.fitted import BATCH, ROW, Rows, on
from overt.models.pretrained.frames import of_motion
from overt.models.pretrained.network import BODIES, shared
from overt.models.pretrained.sources import POINTER, Person

EVENTS = BATCH * ROW


def rows() -> Rows:
    """Return made-up events of two sources."""
    rng = np.random.Generator(np.random.PCG64(0))
    people = []
    for number in range(20):
        t = np.cumsum(rng.integers(7, 18, 4_000).astype(np.float64))
        x, y = (np.cumsum(rng.integers(-9, 10, t.size)).astype(np.float64) for _ in "xy")
        people.append(Person("ab"[number % 2], str(number), POINTER, (of_motion(t, x, y),)))
    return Rows(people, "plain", "ab")


def per_s(step: Callable[[], None], rounds: int) -> float:
    """Return events a second of the fastest round, after one to warm up."""
    times_s = []
    for _ in range(rounds + 1):
        started_s = time.perf_counter()
        step()
        if device.chosen() == "cuda":
            torch.cuda.synchronize()
        times_s.append(time.perf_counter() - started_s)
    return EVENTS / min(times_s[1:])


def measured(rounds: int) -> dict[str, float]:
    """Return events a second by what was done."""
    events, rng = rows(), np.random.Generator(np.random.PCG64(1))
    where = device.chosen()
    made = {"loader": per_s(lambda: (events.drawn(rng, BATCH), None)[1], rounds)}
    batch = on(events.drawn(rng, BATCH), where)
    for body in BODIES:
        for half in (False, True):
            model = shared(body, 2, 0).to(where)
            adam = Adam(model.parameters(), 1e-3)

            def step(model=model, adam=adam, half=half) -> None:  # type: ignore[no-untyped-def]
                with torch.autocast(where, torch.bfloat16, enabled=half):
                    loss = model.loss(batch)
                loss.backward()
                adam.step(1e-3)

            made[f"{body}, {'bf16' if half else 'fp32'}"] = per_s(step, rounds)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.rounds)
    if given.json:
        print(json.dumps({"machine": device.machine(), "events_per_s": found}))
        return
    print(device.machine())
    for name, value in found.items():
        print(f"{name:18} {value:12,.0f} events a second")


if __name__ == "__main__":
    main()
