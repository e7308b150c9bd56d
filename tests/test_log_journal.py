"""What the log acknowledged is there: after kill -9, torn writes, and other processes' appends."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_fixtures import ORIGIN, SEED, note, open_log
from overt.log.checkpoint import open_checkpoint
from overt.log.entry import KINDS, Entry, read_entry
from overt.log.journal import Log
from overt.log.merkle import root
from overt.log.signer import Signer
from overt.schema.canonical import canonical
from overt.schema.errors import Damaged

HASH = "ab" * 32

# Appends for ever; a line on stdout is an acknowledgement: "<n> <commitment>".
APPEND_FOR_EVER = """
import sys, hashlib, itertools
sys.path.insert(0, sys.argv[1])
from log_fixtures import open_log
from pathlib import Path
log = open_log(Path(sys.argv[2]))
for turn in itertools.count():
    made = [hashlib.sha256(f"{sys.argv[3]} {turn} {k}".encode()).hexdigest() for k in range(3)]
    if turn % 3 == 2:
        numbers = log.append_all([("read", "s", c) for c in made])
    else:
        made = made[:1]
        numbers = [log.append("read", "s", made[0])]
    if turn % 7 == 6:
        log.checkpoint()
    sys.stdout.write("".join(f"{n} {c}\\n" for n, c in zip(numbers, made)))
    sys.stdout.flush()
"""


def start(directory: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPEND_FOR_EVER, str(Path(__file__).parent), str(directory), name],
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(process: subprocess.Popen[str], acknowledged: int) -> dict[int, str]:
    """Read so many acknowledgements, kill -9 at whatever it is doing, return all it had sent."""
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(n): commitment for n, commitment in whole}


def test_after_kill_9_at_any_point_the_log_opens_and_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    promised: dict[int, str] = {}
    before: list[bytes] = []
    for acknowledged in (1, 2, 5, 8, 13, 21, 34, 4):
        told = kill_after(start(tmp_path, str(acknowledged)), acknowledged)
        assert len(told) >= acknowledged
        assert not told.keys() & promised.keys()
        promised |= told

        log = open_log(tmp_path)
        assert log.leaves()[: len(before)] == before
        before = log.leaves()
        kept = {entry.n: entry.commitment for entry in log.entries()}
        assert promised.items() <= kept.items()
        assert list(kept) == list(range(len(kept)))
        log.append("read", "s", HASH)
        before = log.leaves()


def test_processes_and_threads_take_turns_and_every_entry_gets_its_own_number(
    tmp_path: Path,
) -> None:
    others = [start(tmp_path, name) for name in ("a", "b")]
    log = open_log(tmp_path)
    mine: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: mine.extend(log.append("audit", "s", HASH) for _ in range(20))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    told = [kill_after(other, 30) for other in others]
    for thread in threads:
        thread.join()

    assert len(set(mine)) == len(mine) == 60
    assert not told[0].keys() & told[1].keys()
    assert not (told[0].keys() | told[1].keys()) & set(mine)
    size = log.refresh()
    assert [entry.n for entry in log.entries()] == list(range(size))
    again = open_log(tmp_path)
    assert again.entries() == log.entries()
    assert all(again.entries()[n].commitment == c for t in told for n, c in t.items())


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(cut=st.integers(1, 120), garbage=st.sampled_from([b"", b"\x00", b"\x00" * 50, b'{"n":']))
def test_a_torn_last_line_is_cut_off_and_the_log_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    directory = tmp_path_factory.mktemp("log")
    log = open_log(directory)
    for _ in range(3):
        log.append("read", "s", HASH)
    path = directory / "entries.jsonl"
    whole = path.read_bytes()
    line = whole.splitlines(keepends=True)[-1]
    path.write_bytes(whole[: len(whole) - min(cut, len(line) - 1)] + garbage)

    again = open_log(directory)
    assert again.leaves() == log.leaves()[:2]
    assert again.append("audit", "s", HASH) == 2
    assert open_log(directory).size == 3


def test_a_tail_torn_by_another_process_is_cut_off_before_the_next_append(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append("read", "s", HASH)
    with (tmp_path / "entries.jsonl").open("ab") as file:
        file.write(b'{"commitment":"abab')
    assert log.append("read", "s", HASH) == 1
    assert open_log(tmp_path).size == 2


@pytest.mark.parametrize("zeroed", [0, 1, 2])
def test_entries_written_at_once_and_torn_by_a_power_cut_are_cut_off(
    tmp_path: Path, zeroed: int
) -> None:
    log = open_log(tmp_path)
    log.append("read", "s", HASH)
    offset = (tmp_path / "entries.jsonl").stat().st_size
    log.append_all([("read", "s", HASH)] * 3)
    assert not (tmp_path / "intent").exists()
    path = tmp_path / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1 + zeroed] = b"\x00" * len(lines[1 + zeroed])
    path.write_bytes(b"".join(lines))
    (tmp_path / "intent").write_bytes(str(offset).encode())

    assert open_log(tmp_path).size == 1 + zeroed
    assert not (tmp_path / "intent").exists()


def edit(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b"read", b"audit"), *lines[1:]]


@pytest.mark.parametrize(
    "change",
    [
        edit,
        lambda lines: lines[1:],
        lambda lines: lines[:1] + lines[2:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0], *lines],
        lambda lines: [*lines[:-1], lines[-1].replace(b"abab", b"cdcd")],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], b"\n", *lines[1:]],
        lambda lines: [lines[0].replace(b":", b": "), *lines[1:]],
        lambda lines: [*lines[:-1], b"not json at all\n"],
        lambda lines: [lines[0][:40] + b"\x00" * (len(lines[0]) - 41) + b"\n", *lines[1:]],
    ],
)
def test_a_log_that_was_changed_behind_its_back_does_not_open(
    tmp_path: Path, change: object
) -> None:
    log = open_log(tmp_path)
    for _ in range(4):
        log.append("read", "s", HASH)
    log.checkpoint()
    path = tmp_path / "entries.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(Damaged):
        open_log(tmp_path)
    assert path.read_bytes() == before


def test_an_open_log_notices_that_its_file_shrank(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append("read", "s", HASH)
    (tmp_path / "entries.jsonl").write_bytes(b"")
    with pytest.raises(Damaged, match="shrunk"):
        log.append("read", "s", HASH)


def test_a_log_opened_with_another_key_is_refused(tmp_path: Path) -> None:
    open_log(tmp_path).checkpoint()
    with pytest.raises(Damaged):
        open_log(tmp_path, seed=bytes(32))


def test_what_is_not_a_log_entry_is_never_written(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for kind, study, commitment in (
        ("gossip", "s", HASH),
        ("read", "Not An Id", HASH),
        ("read", "s", "short"),
        ("read", "s", HASH.upper()),
    ):
        with pytest.raises(Damaged):
            log.append_all([("read", "s", HASH), (kind, study, commitment)])
    assert (tmp_path / "entries.jsonl").read_bytes() == b""
    assert log.append_all([]) == []


def test_the_checkpoint_signs_the_tree_over_the_bytes_on_disk(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    note(log)
    note(log, "training")
    signed = open_checkpoint(log.checkpoint(), Signer(ORIGIN, SEED).key)
    assert (signed.size, signed.root) == (2, root(log.leaves()))
    lines = (tmp_path / "entries.jsonl").read_bytes().splitlines()
    assert [set(json.loads(line)) for line in lines] == [
        {"n", "kind", "study", "day", "commitment"}
    ] * 2


def test_the_log_directory_is_private_to_its_owner(tmp_path: Path) -> None:
    open_log(tmp_path / "log")
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0
    assert (tmp_path / "log" / "entries.jsonl").stat().st_mode & 0o077 == 0


def test_entries_carry_the_day_they_were_written_on(tmp_path: Path) -> None:
    days = iter(["2026-11-22", "2026-11-23"])
    log = Log.open(tmp_path, Signer(ORIGIN, SEED), today=lambda: next(days))
    log.append("read", "s", HASH)
    log.append("read", "s", HASH)
    assert [entry.day for entry in log.entries()] == ["2026-11-22", "2026-11-23"]


@settings(deadline=None)
@given(
    st.integers(0, 2**53),
    st.sampled_from(KINDS),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    st.dates(),
    st.binary(min_size=32, max_size=32),
)
def test_a_leaf_is_the_canonical_json_of_its_entry(
    n: int, kind: str, study: str, day: dt.date, digest: bytes
) -> None:
    entry = Entry(n, kind, study, day.isoformat(), digest.hex())
    assert entry.to_bytes() == canonical(entry.as_dict())
    assert read_entry(json.loads(entry.to_bytes()), n) == entry


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", True),
        ("n", 1.0),
        ("n", "1"),
        ("kind", "gossip"),
        ("kind", ["read"]),
        ("study", "A"),
        ("study", None),
        ("day", "2026-02-30"),
        ("day", "22.11.2026"),
        ("day", 20261122),
        ("commitment", "AB" * 32),
        ("commitment", 7),
        ("person", "x"),
    ],
)
def test_an_entry_with_a_value_that_is_not_of_its_form_is_damaged(
    field: str, value: object
) -> None:
    good = {"n": 1, "kind": "read", "study": "s", "day": "2026-11-22", "commitment": HASH}
    assert read_entry(good, 1).n == 1
    with pytest.raises(Damaged):
        read_entry({**good, field: value}, 1)
