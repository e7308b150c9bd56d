"""One shard: its people in, its weights out, by a computation that repeats bit for bit.

Bits depend on the processor's instructions, the mathematics library and the number of threads as
well as on the data. `ENVIRONMENT` fixes them; it must be set before torch is loaded, which is why
`overt.models.process` fits shards in processes of their own.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from overt.models.config import Config
from overt.models.stream import Stream, habits, numbers, targets
from overt.models.tensors import Array, decode, encode
from overt.schema.errors import Damaged

ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2,STRICT",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""What a certified training runs under, and its card names."""

WARM_STEPS = 30
RATE_LAST = 0.02
"""Share of the learning rate that the last step still has."""

Progress = Callable[[int, int, float], None]
"""Called with steps done, steps in all, and the loss of the last one (nats an event)."""


def machine() -> dict[str, str]:
    """Return what besides data and configuration decides the bits: processor, libraries."""
    import torch

    return {
        "processor": processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
        **{name: os.environ.get(name, "") for name in sorted(ENVIRONMENT)},
    }


def processor() -> str:
    """Return the name of the processor."""
    facts = Path("/proc/cpuinfo")
    for line in facts.read_text().splitlines() if facts.exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def steps_of(config: Config, chunks: int) -> tuple[int, int]:
    """Return steps in one pass and passes, from the count of training sequences alone."""
    per_epoch = math.ceil(chunks / config.batch)
    wanted = max(config.epochs, math.ceil(config.steps_min / per_epoch))
    return per_epoch, min(wanted, max(config.epochs, config.epochs_max))


def rate(config: Config, done: int, steps: int) -> float:
    """Return the size of the next step: it rises for `WARM_STEPS`, then falls along a cosine."""
    warm = (done + 1) / min(WARM_STEPS, steps)
    falling = RATE_LAST + (1 - RATE_LAST) * (1 + math.cos(math.pi * done / steps)) / 2
    return config.learning_rate * min(warm, falling)


FILLS = (0, 0.0, 0.0, -1, np.nan)
"""What stands in the columns of a chunk beyond its end."""


def _chunks(streams: list[Stream], length: int) -> tuple[list[tuple[Array, ...]], Array]:
    """Return sequences to train on, and int64[n], the one before each of its stream or -1.

    A sequence is token, numbers, habits, token to come and ln ms before it.
    """
    cut: list[tuple[Array, ...]] = []
    before: list[int] = []
    for stream in streams:
        aim = targets(stream)
        given = (stream.token.astype(np.int64), numbers(stream), habits(stream))
        columns = (*given, aim.token, aim.log_pause)
        last = -1
        for start in range(0, len(stream), length):
            part = slice(start, start + length)
            if (aim.token[part] >= 0).any():
                before.append(last)
                last = len(cut)
                cut.append(tuple(column[part] for column in columns))
    return cut, np.array(before, np.int64)


def _padded(parts: list[Array], fill: float) -> Array:
    longest = max(len(part) for part in parts)
    out = np.full((longest, len(parts), *parts[0].shape[1:]), fill, parts[0].dtype)
    for column, part in enumerate(parts):
        out[: len(part), column] = part
    return out


def fit(
    streams: list[Stream],
    config: Config,
    vocabulary: int,
    shard: int,
    progress: Progress = lambda _done, _steps, _loss: None,
    *,
    begun: bytes = b"",
    keep: Callable[[bytes], None] | None = None,
) -> dict[str, Array]:
    """Return the weights fitted to `streams`, the shard's people in the order of their tags.

    `keep` is called after each pass with all that the rest depends on; given back as `begun`, the
    fit goes on from there and ends with the same bits. Raises `Damaged` for what is of another fit.

    A sequence begins in the state in which the one before it was left when it was last learned
    from, as a prediction does, which goes on through a person's whole stream. Begun from nothing,
    short sequences teach little of what comes next.

    A pure function of its arguments under a fixed environment, whatever it is taken up from. At
    least one stream has an event.
    """
    import torch

    from overt.models.descent import Adam
    from overt.models.encoder import Encoder

    chunks, before = _chunks(streams, config.chunk)
    torch.set_num_threads(1)
    # As `use_deterministic_algorithms`, which would load torch's compiler first: seconds each time.
    torch.set_deterministic_debug_mode("error")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    encoder = Encoder(config, vocabulary)
    encoder.initialise(config.seed * 1_000_003 + shard)
    encoder.to(config.device).train()
    per_epoch, epochs = steps_of(config, len(chunks))
    steps = per_epoch * epochs
    adam = Adam(encoder.parameters(), config.weight_decay)
    order = np.random.Generator(np.random.PCG64([config.seed, shard]))
    # The last row is nobody's, and stays zero: `before` is -1 where a stream begins.
    left = torch.zeros(len(chunks) + 1, config.hidden, device=config.device)
    passed = _taken_up(begun, encoder, adam, left, per_epoch) if begun else 0
    done = passed * per_epoch
    for epoch in range(epochs):
        # Drawn for passes that are done as well: an order depends on those before it.
        shuffled = order.permutation(len(chunks))
        if epoch < passed:
            continue
        for start in range(0, len(chunks), config.batch):
            places = shuffled[start : start + config.batch]
            picked = [chunks[i] for i in places]
            token, number, habit, following, pause = (
                torch.tensor(_padded([chunk[i] for chunk in picked], fill)).to(config.device)
                for i, fill in enumerate(FILLS)
            )
            states, last = encoder.states(token, number, left[before[places]])
            left[places] = last.detach()
            token_nll, pause_nll = encoder.loss(states, following, habit, pause.float())
            loss = (token_nll + pause_nll) / (following >= 0).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step(rate(config, done, steps))
            done += 1
            progress(done, steps, float(loss.detach()))
        if keep is not None:
            keep(_bytes(encoder, adam, left, epoch + 1))
    return encoder.tensors()


def _bytes(encoder: Any, adam: Any, left: Any, passed: int) -> bytes:
    """Return canonical bytes of what a fit depends on after some passes."""
    names = [name for name, _ in encoder.named_parameters()]
    parts = zip(("mean", "square"), adam.moments(), strict=True)
    tensors = {
        f"{part}/{name}": one for part, of in parts for name, one in zip(names, of, strict=True)
    }
    tensors |= {f"weight/{name}": one.detach() for name, one in encoder.named_parameters()}
    made: dict[str, Array] = {n: one.cpu().numpy().astype("<f4") for n, one in tensors.items()}
    return encode({**made, "left": left.cpu().numpy(), "passed": np.array([passed], "<i8")})


def _taken_up(begun: bytes, encoder: Any, adam: Any, left: Any, per_epoch: int) -> int:
    """Set everything as `_bytes` had it, and return how many passes are done."""
    import torch

    tensors = decode(begun)
    try:
        passed = int(tensors["passed"][0])
        own = dict(encoder.named_parameters())
        moments: list[list[Any]] = [[], []]
        with torch.no_grad():
            left.copy_(torch.tensor(tensors["left"]))
            for name, weight in own.items():
                weight.copy_(torch.tensor(tensors[f"weight/{name}"]))
                for part, found in zip(("mean", "square"), moments, strict=True):
                    found.append(
                        torch.empty_like(weight).copy_(torch.tensor(tensors[f"{part}/{name}"]))
                    )
    except (KeyError, RuntimeError) as error:
        raise Damaged("is of another training", where="checkpoint") from error
    adam.take_up(moments[0], moments[1], passed * per_epoch)
    return passed
