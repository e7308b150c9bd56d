"""Python processes that are ready at once: forks of one that has loaded what they need.

To load Overt takes a core seconds, and hundreds of tests start it. One process for the whole run
loads it and forks for whoever connects; the fork has its own standard streams, environment, folder,
arguments and exit status, as a process that was started anew. It shares nothing with the test.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import random
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

PLACE = "OVERT_TESTS_READY"
"""Environment variable that names the socket, for the processes that pytest-xdist starts."""

LOADED = (
    "torch",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "overt.audit.linkage",
    "overt.audit.report",
    "overt.cli",
    "overt.commands.attacking",
    "overt.commands.erasing",
    "overt.commands.importing",
    "overt.commands.measuring",
    "overt.commands.person",
    "overt.commands.studies",
    "overt.commands.verifying",
    "overt.datasets.importers",
    "overt.datasets.synthetic",
    "overt.features.windows",
    "overt.gateway.export",
    "overt.gateway.train",
    "overt.models.evaluate",
    "overt.models.process",
    "overt.studio.app",
)


class Forked:
    """A process that was forked: the part of `subprocess.Popen` that tests use."""

    stdout: IO[str] | None = None
    """What it prints, where that comes through a pipe."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        stdin: int | IO[Any],
        stdout: int | IO[Any],
        stderr: int | IO[Any],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run what `python` would run: a script, a module after `-m`, or the text after `-c`."""
        files = [one if isinstance(one, int) else one.fileno() for one in (stdin, stdout, stderr)]
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(place())
        asked = [list(map(str, arguments)), dict(environment or os.environ), str(Path.cwd())]
        socket.send_fds(self._connection, [b"f"], files)
        self._connection.sendall(json.dumps(asked).encode())
        self._connection.shutdown(socket.SHUT_WR)
        self._answers = self._connection.makefile()
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, as `subprocess` gives it."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("python", timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def started(*arguments: str | Path, stderr: int | IO[Any] = 2) -> Iterator[Forked]:
    """Give it while it runs, its standard output in a pipe; in the end it is killed."""
    ours, theirs = os.pipe()
    with os.fdopen(ours) as printed, Path(os.devnull).open() as nothing:
        try:
            process = Forked(arguments, nothing, theirs, stderr)
        finally:
            os.close(theirs)
        process.stdout = printed
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def run(
    *arguments: str | Path, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, and return what it printed."""
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as said,
    ):
        given.write(stdin)
        given.seek(0)
        status = Forked(arguments, given, printed, said, environment).wait()
        printed.seek(0)
        said.seek(0)
        return subprocess.CompletedProcess(list(arguments), status, printed.read(), said.read())


def place() -> str:
    """Return the address of what forks; start it where there is none. It ends with this process."""
    if PLACE not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="overt-ready-")
        address = str(Path(folder.name) / "socket")
        process = subprocess.Popen(
            [sys.executable, __file__, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

        def end() -> None:
            del os.environ[PLACE]
            process.communicate()
            folder.cleanup()

        atexit.register(end)
        os.environ[PLACE] = address
        assert process.stdout is not None
        assert process.stdout.readline(), "what forks did not come up"
    return os.environ[PLACE]


def _load() -> None:
    for name in LOADED:
        import_module(name)
    from overt.datasets import synthetic
    from overt.features.windows import features
    from overt.schema import rows

    rows.warm()
    features([one for person in synthetic.people(1, 1, minutes=0.1) for one in person.sessions])
    gc.collect()
    gc.freeze()


def _become(files: Sequence[int], arguments: list[str], environment: Any, folder: str) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 1 << 16)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    status: Any = 0
    try:
        if arguments[0] == "-c":
            sys.argv = arguments[1:]
            exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
        elif arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            sys.path.insert(0, str(Path(arguments[0]).parent))
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        status = 1
    if not isinstance(status, int):
        sys.stderr.write(f"{status}\n")
        status = 1
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def _fork(connection: socket.socket) -> int:
    """Fork what a connection asks for, tell its process id, and return a descriptor of it."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as question:
        asked = json.loads(question.read())
    process = os.fork()
    if process == 0:
        _become(files, *asked)
    for file in files:
        os.close(file)
    connection.sendall(f"{process}\n".encode())
    return os.pidfd_open(process)


def _serve(address: str) -> None:
    # The other thread is that of pyarrow's allocator, which is made for forks.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("up\n")
        sys.stdout.flush()
        loaded, running = False, dict[int, socket.socket]()
        while True:
            ready, _, _ = select.select([listening, sys.stdin, *running], [], [])
            for ended in running.keys() & set(ready):
                with running.pop(ended) as connection, contextlib.suppress(OSError):
                    told = os.waitid(os.P_PIDFD, ended, os.WEXITED)
                    connection.sendall(f"{_status(told)}\n".encode())
                os.close(ended)
            if sys.stdin in ready:
                return
            if listening in ready:
                if not loaded:
                    _load()
                    loaded = True
                connection, _ = listening.accept()
                running[_fork(connection)] = connection


def _status(told: Any) -> int:
    return int(told.si_status if told.si_code == os.CLD_EXITED else -told.si_status)


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    _serve(sys.argv[1])
