"""A person's shell: whether it stands at its own prompt, its terminal, and how it is ended."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest

from desktop_fixtures import until
from overt.commands.running import stop_on_signals
from overt.device.terminal_shell import Shell
from overt.device.terminals import at_a_prompt

_OPENS = 'exec <>"$0" >&0 2>&1; bash --norc --noprofile -i; :'


class Emulator:
    """A process with a terminal, and bash in it."""

    def __init__(self) -> None:
        self.number, self._theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", _OPENS, os.ttyname(self._theirs)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "TERM": "xterm"},
        )
        until(self.is_at_prompt, "a prompt")

    def is_at_prompt(self) -> bool:
        return at_a_prompt(self.process.pid)

    def gives(self, command: str) -> None:
        os.write(self.number, command.encode() + b"\n")

    def close(self) -> None:
        os.close(self.number)
        os.close(self._theirs)
        self.process.wait(20)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    made = Emulator()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("read -sn9 x; stty sane", "123456789"),
        ("read -es x", "1\n"),
        ("read x", "1\n"),
        ("x=$(sed q)", "1\n"),
        ("x=$(stty raw -echo; head -c 1; stty sane)", "1"),
        ("set +m; sed q >/dev/null; set -m", "1\n"),
    ],
)
def test_what_asks_within_the_shells_own_group_is_no_prompt(
    emulator: Emulator, command: str, answer: str
) -> None:
    emulator.gives(f"printf '\\a'; {command}")
    _heard(emulator.number, b"\a")
    end_s = time.monotonic() + 0.1
    while time.monotonic() < end_s:  # it never is, so this waits for nothing
        assert not emulator.is_at_prompt()
        time.sleep(0.005)
    os.write(emulator.number, answer.encode())
    until(emulator.is_at_prompt, "the prompt again")


def _heard(number: int, what: bytes) -> None:
    heard = bytearray()

    def is_there() -> bool:
        if select.select([number], [], [], 0)[0]:
            heard.extend(os.read(number, 1 << 12))
        return what in heard

    until(is_there, "what it writes")


def test_the_shell_begins_with_the_modes_of_the_persons_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHELL", "/bin/true")
    ours, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    modes[6][termios.VERASE] = b"\b"
    shell = Shell(24, 80, modes)
    assert termios.tcgetattr(shell.number) == modes
    shell.close()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_that_would_end_it_ends_it_in_order(number: int) -> None:
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {one: signal.signal(one, signal.SIG_IGN) for one in names}
    stopped: list[bool] = []
    try:
        stop_on_signals(lambda: stopped.append(True))
        os.kill(os.getpid(), number)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert stopped == [True]
