"""Processes that fit shards under a fixed environment, and the connections to them.

Torch takes seconds to load, so one process loads it and forks for each that is to fit:
`python -m overt.models.process FD` gets the connections of its forks over the socket FD, sees
nothing of a person itself, and ends with whoever started it or after `IDLE_S` without work.
A fork takes jobs from its connection and answers there, in frames of a length (u64 LE) and that
many bytes; so nothing of a person is in a file or an argument. The first answer is `M` and what the
machine is; then for each job `P` and progress, and `K` and what is learned so far, any number of
times, and at last `W` and the weights. A fork whose connection is closed ends at once, whatever it
is doing.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import socket
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO

from overt.models.config import Config, config_from
from overt.models.shard import ENVIRONMENT, fit, machine
from overt.models.stream import Stream, pack, unpack
from overt.models.tensors import Array, decode, encode
from overt.schema.environment import keyless
from overt.schema.errors import Missing

PROGRESS_STEPS = 10
"""Steps between two reports of progress."""
IDLE_S = 60
"""What is loaded takes 160 MB; so long it waits for the next training."""


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def _frames(pipe: IO[bytes]) -> Iterator[bytes]:
    """Yield frames until the pipe ends; a frame cut short ends it too."""
    with contextlib.suppress(ConnectionError):
        while len(head := pipe.read(8)) == 8:
            size = int.from_bytes(head, "little")
            data = pipe.read(size)
            if len(data) != size:
                return
            yield data


class _Loaded:
    """The process that has loaded torch, seen from one that started or borrowed it."""

    def __init__(self, borrowed: int | None = None) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if borrowed is not None:
            self._control = socket.socket(fileno=borrowed)
            return
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "overt.models.process", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=keyless(**ENVIRONMENT),
                # Out of reach of the terminal's Ctrl+C: whoever started it hears that, and ends it.
                start_new_session=True,
            )

    def forked(self) -> socket.socket | None:
        """Return the connection to a new fork; None where there is nobody any more."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        return ours

    def shared(self) -> int:
        """Return a new descriptor through which another process can borrow it."""
        return os.dup(self._control.fileno())

    def close(self) -> None:
        """Let it end, and wait until it has; give back what was borrowed."""
        with self._control:
            if self._process is None:
                return
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)  # also where a fork of ours shares it
        self._process.wait()


_lock = Lock()
_loaded: list[_Loaded] = []
"""At most one; forks of this process share it."""


@atexit.register
def _close() -> None:
    while _loaded:
        _loaded.pop().close()


@contextlib.contextmanager
def lent() -> Iterator[tuple[int, ...]]:
    """Give the descriptor, if anything is loaded, that another process of ours can `borrow`."""
    with _lock:
        descriptors = tuple(loaded.shared() for loaded in _loaded)
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def borrow(descriptors: Iterable[int]) -> None:
    """Fork from what has been `lent` to this process, which has trained nothing yet."""
    _loaded.extend(map(_Loaded, descriptors))


def _forked() -> tuple[socket.socket, IO[bytes], bytes]:
    """Return the connection to a new fork, what it answers, and its first answer."""
    with _lock:
        fresh = False
        while not fresh:
            if fresh := not _loaded:
                _loaded.append(_Loaded())
            if connection := _loaded[0].forked():
                answers = connection.makefile("rb")
                if first := next(_frames(answers), None):
                    return connection, answers, first
                answers.close()
                connection.close()
            _close()
    raise _ended()


class Process:
    """A process of ours that fits. Raises `Missing` when it ends before its work is done."""

    def __init__(self) -> None:
        self._connection, self._output, first = _forked()
        self._answers = _frames(self._output)
        self.machine: dict[str, str] = json.loads(first[1:])
        """Processor, libraries and environment."""

    def fit(
        self,
        streams: list[Stream],
        config: Config,
        vocabulary: int,
        shard: int,
        progress: Callable[[int, int, float], None],
        *,
        begun: bytes = b"",
        keep: Callable[[bytes], None] | None = None,
    ) -> dict[str, Array]:
        """Return the weights of one shard, as `shard.fit` does.

        `progress` gets done and steps, and the mean loss since it was last called.
        """
        facts = [config.to_json(), vocabulary, shard, len(begun), keep is not None]
        head = json.dumps(facts).encode()
        job = len(head).to_bytes(4, "little") + head + begun + encode(pack(streams))
        try:
            self._connection.sendall(len(job).to_bytes(8, "little") + job)
        except OSError:
            raise _ended() from None
        while (answer := self._answer())[:1] != b"W":
            if answer[:1] == b"K" and keep is not None:
                keep(answer[1:])
                continue
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
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let it end."""
        self._output.close()
        self._connection.close()


def _ended() -> Missing:
    return Missing(
        "the training process ended before its time",
        where="models",
        do="Its own message stands above; is the extra `models` (torch) installed?",
    )


def _jobs(connection: IO[bytes]) -> Iterator[bytes]:
    """Yield jobs as they come; with the connection's end this process ends."""
    waiting: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        for frame in _frames(connection):
            waiting.put(frame)
        os._exit(0)

    Thread(target=listen, daemon=True).start()
    while True:
        yield waiting.get()


def _serve(connection: socket.socket) -> None:
    answers = connection.makefile("wb")
    _write(answers, b"M" + json.dumps(machine()).encode())

    losses: list[float] = []

    def report(done: int, steps: int, loss: float) -> None:
        losses.append(loss)
        if done % PROGRESS_STEPS == 0 or done == steps:
            mean = round(sum(losses) / len(losses), 5)
            losses.clear()
            _write(answers, b"P" + json.dumps([done, steps, mean]).encode())

    for frame in _jobs(connection.makefile("rb")):
        at = 4 + int.from_bytes(frame[:4], "little")
        config, vocabulary, shard, length, keeps = json.loads(frame[4:at])
        begun, streams = frame[at : at + length], unpack(decode(frame[at + length :]))
        weights = fit(
            streams,
            config_from(json.loads(config)),
            vocabulary,
            shard,
            report,
            begun=begun,
            keep=(lambda data: _write(answers, b"K" + data)) if keeps else None,
        )
        _write(answers, b"W" + encode(weights))


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load_and_fork(control: socket.socket) -> None:
    """Load all that fitting needs, then fork for each connection that comes."""
    from overt.models import descent, encoder  # noqa: F401 - loaded once for all forks

    # The other thread is that of pyarrow's allocator, which is made for forks.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    gc.freeze()
    control.settimeout(IDLE_S)
    while True:
        try:
            message, files, _flags, _from = socket.recv_fds(control, 1, 1)
        except TimeoutError:
            return
        finally:
            _reap()
        if not message:
            return
        with socket.socket(fileno=files[0]) as connection:
            if os.fork() == 0:
                control.close()
                try:
                    _serve(connection)
                except Exception:  # noqa: BLE001 - a fork ends here, whatever happened
                    traceback.print_exc()
                os._exit(1)


if __name__ == "__main__":
    _load_and_fork(socket.socket(fileno=int(sys.argv[1])))
