"""One shard: its people in, its weights out, by a computation that repeats bit for bit.

`python -m overt.models.shard` is the process that does it. It reads jobs from standard input and
answers on standard output, both in frames of a length (u64 LE) and that many bytes, so nothing of
a person is on disk or in an argument. Its environment (`ENVIRONMENT`) fixes instruction set,
mathematics library and threads before torch is loaded; the parent passes it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from overt.models.config import Config, config_from
from overt.models.stream import Stream, numbers, pack, targets, unpack
from overt.models.tensors import Array, decode, encode

ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""What a certified training runs under, and its card names."""

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all."""


def machine() -> dict[str, str]:
    """Return what besides data and configuration decides the bits: processor, libraries."""
    import torch

    return {
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
        **{name: os.environ.get(name, "") for name in sorted(ENVIRONMENT)},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def steps_of(config: Config, chunks: int) -> tuple[int, int]:
    """Return steps in one pass and passes, from the count of training sequences alone."""
    per_epoch = math.ceil(chunks / config.batch)
    wanted = max(config.epochs, math.ceil(config.steps_min / max(per_epoch, 1)))
    return per_epoch, min(wanted, max(config.epochs, config.epochs_max))


def _chunks(streams: list[Stream], length: int) -> list[tuple[Array, Array, Array, Array]]:
    cut = []
    for stream in streams:
        aim = targets(stream)
        columns = (stream.token.astype(np.int64), numbers(stream), aim.token, aim.log_pause)
        for start in range(0, len(stream), length):
            part = slice(start, start + length)
            if (aim.token[part] >= 0).any():
                cut.append(tuple(column[part] for column in columns))
    return cut  # type: ignore[return-value]


def _padded(parts: list[Array], fill: float) -> Array:
    longest = max(len(part) for part in parts)
    out = np.full((len(parts), longest, *parts[0].shape[1:]), fill, parts[0].dtype)
    for row, part in enumerate(parts):
        out[row, : len(part)] = part
    return out


def fit(
    streams: list[Stream],
    config: Config,
    vocabulary: int,
    shard: int,
    progress: Progress = lambda _done, _steps: None,
) -> dict[str, Array]:
    """Return the weights fitted to `streams`, the shard's people in the order of their tags.

    A pure function of its arguments under a fixed environment. Streams without anything to
    predict give no weights: an empty dict.
    """
    import torch

    from overt.models.encoder import Encoder

    chunks = _chunks(streams, config.chunk)
    if not chunks:
        return {}
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)  # noqa: FBT003
    encoder = Encoder(config, vocabulary)
    encoder.initialise(config.seed * 1_000_003 + shard)
    encoder.to(config.device).train()
    per_epoch, epochs = steps_of(config, len(chunks))
    steps = per_epoch * epochs
    optimiser = torch.optim.AdamW(
        encoder.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    warm = min(30, steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, 0.02 + 0.49 * (1 + math.cos(math.pi * step / steps))),
    )
    order = np.random.Generator(np.random.PCG64([config.seed, shard]))
    done = 0
    for _epoch in range(epochs):
        shuffled = order.permutation(len(chunks))
        for start in range(0, len(chunks), config.batch):
            picked = [chunks[i] for i in shuffled[start : start + config.batch].tolist()]
            token, number, following, pause = (
                torch.tensor(_padded([chunk[i] for chunk in picked], fill)).to(config.device)
                for i, fill in enumerate((0, 0.0, -1, np.nan))
            )
            optimiser.zero_grad()
            states, _last = encoder.states(token, number)
            token_nll, pause_nll = encoder.loss(states, following, pause.float())
            loss = (token_nll + pause_nll) / (following >= 0).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            progress(done, steps)
    return encoder.tensors()


def write_frame(pipe: BinaryIO, data: bytes) -> None:
    """Write one frame and flush it."""
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def read_frames(pipe: BinaryIO) -> Iterator[bytes]:
    """Yield frames until the pipe ends; a frame cut short ends it too."""
    while len(head := pipe.read(8)) == 8:
        size = int.from_bytes(head, "little")
        data = pipe.read(size)
        if len(data) != size:
            return
        yield data


def job(streams: list[Stream], config: Config, vocabulary: int, shard: int) -> bytes:
    """Return the frame that asks a process to fit one shard."""
    head = json.dumps([config.to_json(), vocabulary, shard]).encode()
    return len(head).to_bytes(4, "little") + head + encode(pack(streams))


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer each job with progress frames (`P` + JSON) and then its weights (`W` + tensors)."""
    write_frame(answers, b"M" + json.dumps(machine()).encode())
    for frame in read_frames(jobs):
        size = int.from_bytes(frame[:4], "little")
        config, vocabulary, shard = json.loads(frame[4 : 4 + size])
        streams = unpack(decode(frame[4 + size :]))

        def report(done: int, steps: int, shard: int = shard) -> None:
            if done % 10 == 0 or done == steps:
                write_frame(answers, b"P" + json.dumps([shard, done, steps]).encode())

        weights = fit(streams, config_from(json.loads(config)), vocabulary, shard, report)
        write_frame(answers, b"W" + encode(weights))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
