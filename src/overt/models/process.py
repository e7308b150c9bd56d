"""A process that fits shards under a fixed environment, and the pipe to it.

`python -m overt.models.process` reads jobs from standard input and answers on standard output, in
frames of a length (u64 LE) and that many bytes; so nothing of a person is in a file or an argument.
The first answer is `M` and what the machine is; then for each job `P` and progress, any number of
times, and at last `W` and the weights.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import IO

from overt.models.config import Config, config_from
from overt.models.shard import ENVIRONMENT, fit, machine
from overt.models.stream import Stream, pack, unpack
from overt.models.tensors import Array, decode, encode
from overt.schema.errors import Missing

PROGRESS_STEPS = 10
"""Steps between two reports of progress."""


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def _frames(pipe: IO[bytes]) -> Iterator[bytes]:
    """Yield frames until the pipe ends; a frame cut short ends it too."""
    while len(head := pipe.read(8)) == 8:
        size = int.from_bytes(head, "little")
        data = pipe.read(size)
        if len(data) != size:
            return
        yield data


class Process:
    """A training process of ours. Raises `Missing` when it ends before its work is done."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "overt.models.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise Missing("no pipe to the training process", where="models")
        self._jobs, self._output = self._process.stdin, self._process.stdout
        self._answers = _frames(self._output)

    def machine(self) -> dict[str, str]:
        """Return processor, libraries and environment; to be asked first, and once."""
        facts: dict[str, str] = json.loads(self._answer()[1:])
        return facts

    def fit(
        self,
        streams: list[Stream],
        config: Config,
        vocabulary: int,
        shard: int,
        progress: Callable[[int, int, float], None],
    ) -> dict[str, Array]:
        """Return the weights of one shard, as `shard.fit` does.

        `progress` gets done and steps, and the mean loss since it was last called.
        """
        head = json.dumps([config.to_json(), vocabulary, shard]).encode()
        try:
            _write(self._jobs, len(head).to_bytes(4, "little") + head + encode(pack(streams)))
        except BrokenPipeError:
            raise _ended() from None
        while (answer := self._answer())[:1] == b"P":
            done, steps, loss = json.loads(answer[1:])
            progress(done, steps, loss)
        return decode(answer[1:])

    def _answer(self) -> bytes:
        answer = next(self._answers, None)
        if answer is None:
            raise _ended()
        return answer

    def kill(self) -> None:
        """End it at once; whoever waits for an answer gets `Missing`."""
        self._process.kill()

    def close(self) -> None:
        """Let it end, and wait until it has."""
        with contextlib.suppress(BrokenPipeError):
            self._jobs.close()
        self._process.wait()
        self._output.close()


def _ended() -> Missing:
    return Missing(
        "the training process ended before its time",
        where="models",
        do="Its own message stands above; is the extra `models` (torch) installed?",
    )


def _serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    _write(answers, b"M" + json.dumps(machine()).encode())

    losses: list[float] = []

    def report(done: int, steps: int, loss: float) -> None:
        losses.append(loss)
        if done % PROGRESS_STEPS == 0 or done == steps:
            mean = round(sum(losses) / len(losses), 5)
            losses.clear()
            _write(answers, b"P" + json.dumps([done, steps, mean]).encode())

    for frame in _frames(jobs):
        size = int.from_bytes(frame[:4], "little")
        config, vocabulary, shard = json.loads(frame[4 : 4 + size])
        streams = unpack(decode(frame[4 + size :]))
        weights = fit(streams, config_from(json.loads(config)), vocabulary, shard, report)
        _write(answers, b"W" + encode(weights))


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
