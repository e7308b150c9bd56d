"""A terminal within the terminal at work: a real shell, a real terminal, the gate between them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desktop_fixtures import until
from overt.device.terminals import shells_of
from terminal_fixtures import Person, bare

pytest.importorskip("pyte", reason="a terminal to look at what ours shows")
CHILD = Path(__file__).with_name("terminal_child.py")
RECORDS, ELSEWHERE, PAUSED = "● Overt records", "○ Overt records", "❚❚ Overt paused"
HOTKEY, LEFT = b"\x1b\x10", b"\x1b[O"


class AtWork(Person):
    """A person at a shell in it, and what the gate let through."""

    file: Path

    def kept(self) -> list[str]:
        return self.file.read_text().split()

    def meets_silence(self) -> None:
        """Type at a terminal that has stopped answering, until the line says so."""
        self.answers = False
        self.types("a")
        self.says("does not answer")

    def ready(self) -> None:
        """Press a key at the prompt until it is kept: around a change a key is left out."""
        before = len(self.kept())

        def heard() -> bool:
            self.types(".")
            self.rests(0.3)
            return len(self.kept()) > before

        until(heard, "a key at the prompt is kept")
        self.types("\x15")
        self.rests(0.3)

    def prompt(self) -> None:
        """Wait for a prompt on an empty screen."""
        self.types("\x0c")
        until(lambda: self.look()[0].startswith("at-the-prompt>"), "a prompt")


@contextmanager
def at_work(
    folder: Path, size: tuple[int, int] = (12, 60), shell: str = "bash", **more: str
) -> Iterator[AtWork]:
    command = [sys.executable, str(CHILD), str(folder / "kept"), shell]
    person = AtWork(command, bare(folder, **more), size)
    person.file = folder / "kept"
    try:
        person.sees("at-the-prompt>")
        person.says(RECORDS)
        yield person
    finally:
        person.close()


def test_keys_are_kept_at_the_prompt_alone_and_the_sign_stays_until_the_terminal_is_given_back(
    tmp_path: Path,
) -> None:
    with at_work(tmp_path) as person:
        person.ready()
        typed = ["LETTER", "LETTER", "SPACE", "ARROW", "LETTER", "BACKSPACE"]

        def all_kept() -> bool:
            before = len(person.kept())
            person.types("ab \x1b[A\x1bb\x7f")
            person.rests(1)
            kept = person.kept()[before:]
            person.types("\x15")
            person.rests(1)
            return kept == typed

        until(all_kept, "six keys, in order")
        person.prompt()
        person.types("\x15read -s -p 'secret?'; echo do''ne\r")
        person.sees("secret?")
        person.says(ELSEWHERE)
        person.types("7391\r")
        person.sees("done")
        person.prompt()
        person.ready()
        person.types("read -s x; echo ag''ain\n7391\ntrue\n7391")  # in one go, as if pasted
        person.sees("again")
        person.rests(1.5)
        person.types("\x15")
        person.types("reset; printf '\\033c\\033[99;1Hhere\\033[2;3r'\r")
        person.sees("here")
        person.prompt()
        person.says(RECORDS)
        person.types(HOTKEY)
        person.says(PAUSED)
        person.types("7391\x15" + HOTKEY.decode())
        person.ready()
        assert "DIGIT" not in person.kept()
        (shell,) = shells_of(person.process.pid)
        person.process.send_signal(signal.SIGTERM)
        until(lambda: person.rests(0.05) and person.process.poll() is not None, "it ends")
        assert termios.tcgetattr(person.theirs) == person.before
        assert not Path(f"/proc/{shell}").exists()
        modes = ("1049", "1004", "2004")
        assert all(
            person.written.rindex(f"?{m}l".encode()) > person.written.rindex(f"?{m}h".encode())
            for m in modes
        )


@pytest.mark.soak
def test_nothing_is_kept_while_the_terminal_does_not_answer_or_says_that_it_lost_the_keyboard(
    tmp_path: Path,
) -> None:
    with at_work(tmp_path) as person:
        person.ready()
        person.meets_silence()
        person.types("7")
        person.rests(0.5)
        person.types("\x15")
        person.answers = True
        person.types("\x15")
        until(lambda: person.rests(0.1) and RECORDS in person.line(), "it answers again")
        person.ready()
        person.types(LEFT)
        person.says("window")
        person.types("7\x15")
        person.rests(0.5)
        person.types("\x1b[I")
        person.says(RECORDS)
        person.resize(12, 20)
        person.says(PAUSED)
        person.types("7\x15")
        person.rests(0.5)
        person.resize(9, 44)
        person.says(RECORDS)
        person.ready()
        assert "DIGIT" not in person.kept()
        assert person.line().startswith(RECORDS)


@pytest.mark.soak
def test_who_goes_on_after_the_terminal_was_silent_for_seconds_does_so_by_a_key(
    tmp_path: Path,
) -> None:
    with at_work(tmp_path) as person:
        person.ready()
        person.meets_silence()
        person.rests(5.5)
        person.answers = True
        person.types("a")
        person.rests(2)
        assert PAUSED in person.line()
        person.types(HOTKEY)
        person.rests(0.5)
        person.types(HOTKEY)
        person.says(RECORDS)
        person.ready()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("program", "leaves"),
    [
        ("less /etc/services", "q"),
        ("vi /etc/services", ":q!\r"),
        ("top", "q"),
        ("man ls", "q"),
        ("tmux -f /dev/null new", "exit\r"),
        ("python3", "exit()\r"),
        ("sh", "exit\r"),
        ("cat >/dev/null", "\r\x04"),
    ],
)
def test_nothing_of_a_program_is_kept_and_the_sign_stays(
    tmp_path: Path, program: str, leaves: str
) -> None:
    if shutil.which(program.split()[0]) is None:
        pytest.skip(f"no {program.split()[0]} here")
    with at_work(tmp_path, (24, 80)) as person:
        person.ready()
        person.types(f"{program}; echo do''ne\r")
        person.says(ELSEWHERE)
        person.rests(0.7)
        for _ in range(3):
            person.types("7")
            person.rests(0.05)
            assert "Overt records" in person.line()
        person.types("\x1b" if program.startswith("vi") else "\x7f" * 3)
        person.rests(0.3)
        person.types(leaves)
        person.rests(1)
        if program == "top" and not any("done" in line for line in person.look()):
            person.types(leaves)  # it was busy saying that it does not know the other keys
        person.sees("done")
        person.prompt()
        person.says(RECORDS)
        person.ready()
        assert "DIGIT" not in person.kept()


@pytest.mark.soak
def test_a_kill_ends_the_shell_and_leaves_a_terminal_that_reset_mends(tmp_path: Path) -> None:
    with at_work(tmp_path) as person:
        (shell,) = shells_of(person.process.pid)
        os.kill(person.process.pid, signal.SIGKILL)
        person.process.wait()
        until(lambda: not Path(f"/proc/{shell}").exists(), "the shell was hung up")
        assert termios.tcgetattr(person.theirs) != person.before
        mended = Person(["reset"], bare(tmp_path), (12, 60))
        try:
            until(lambda: mended.rests(0.05) and mended.process.poll() is not None, "reset")
            assert b"\x1bc" in mended.written
        finally:
            mended.close()


@pytest.mark.soak
def test_it_ends_when_the_terminal_is_closed(tmp_path: Path) -> None:
    with at_work(tmp_path) as person:
        (shell,) = shells_of(person.process.pid)
        ours, person.number = person.number, os.open("/dev/null", os.O_RDWR)
        os.close(ours)
        assert person.process.wait(20) == 0
        until(lambda: not Path(f"/proc/{shell}").exists(), "the shell was hung up")


@pytest.mark.soak
def test_where_the_shell_is_not_one_that_was_switched_on_nothing_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, str(CHILD), str(tmp_path / "kept"), "zsh"]
    person = AtWork(command, bare(tmp_path), (12, 60))
    person.file = tmp_path / "kept"
    try:
        person.sees("at-the-prompt>")
        person.says(ELSEWHERE)
        person.types("abc")
        person.rests(1)
        assert person.kept() == []
    finally:
        person.close()


@pytest.mark.soak
def test_in_a_terminal_that_never_answers_nothing_begins_and_it_is_as_it_was(
    tmp_path: Path,
) -> None:
    command = [sys.executable, str(CHILD), str(tmp_path / "kept"), "bash"]
    person = AtWork(command, bare(tmp_path), (12, 60))
    person.file, person.answers = tmp_path / "kept", False
    try:
        until(lambda: person.rests(0.1) and person.process.poll() is not None, "it ends")
        assert person.process.returncode == 1
        assert termios.tcgetattr(person.theirs) == person.before
        assert person.kept() == []
    finally:
        person.close()
