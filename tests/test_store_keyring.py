from __future__ import annotations

import math
import resource
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from overt.device.vault import Vault
from overt.schema.environment import PASSPHRASE_VARIABLE
from overt.schema.errors import Damaged, InvalidInput, Missing, Refused
from overt.store.entries import SLOT_BYTES
from overt.store.keyring import HEADER_BYTES, Keyring
from overt.store.layout import Layout

PURPOSES = ("next-action", "typing-assist")


def opened(root: Path, *, create: bool = True) -> Keyring:
    root.mkdir(exist_ok=True)
    return Keyring(Layout(root), create=create)


def slots(root: Path) -> list[bytes]:
    raw = Layout(root).keyring.read_bytes()[HEADER_BYTES:]
    return [raw[at : at + SLOT_BYTES] for at in range(0, len(raw), SLOT_BYTES)]


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    ring = opened(tmp_path)
    row = ring.add_subject("s", recovery_hash=b"r" * 32, device_hash=b"d" * 32)
    key = ring.data_key(row, 20_000, PURPOSES, create=True)
    art = ring.artefact_key("ab" * 16, create=True)
    kept = (ring.subject(row), ring.tag(row), key, art, ring.secret("x"), ring.data_keys(row))
    ring.close()
    again = opened(tmp_path, create=False)
    assert kept == (
        again.subject(row),
        again.tag(row),
        again.data_key(row, 20_000, reversed(PURPOSES)),
        again.artefact_key("ab" * 16),
        again.secret("x"),
        again.data_keys(row),
    )
    assert again.by_recovery(b"r" * 32) == again.subject(row)
    assert again.by_recovery(b"q" * 32) is None
    again.close()


def test_without_the_master_key_used_erased_and_free_slots_look_alike(tmp_path: Path) -> None:
    """No slot repeats, none has structure: bytes are spread as random ones are."""
    ring = opened(tmp_path)
    before = slots(tmp_path)
    rows = ring.add_subjects("s", 300)
    for row in rows:
        ring.data_key(row, 1, PURPOSES, create=True)
    used = slots(tmp_path)
    ring.destroy(*rows[:150])
    after = slots(tmp_path)
    ring.close()
    for state in (before, used, after):
        assert len(set(state)) == len(state)
        for column in range(SLOT_BYTES):
            assert max(Counter(slot[column] for slot in state).values()) < 24, column
    changed = [n for n, (a, b) in enumerate(zip(used, after, strict=True)) if a != b]
    assert len(changed) == 150
    free = [n for n, (a, b) in enumerate(zip(before, used, strict=True)) if a == b]
    bits = {"free": free, "erased": changed}
    for places in bits.values():
        ones = sum(byte.bit_count() for n in places for byte in after[n])
        total = 8 * SLOT_BYTES * len(places)
        assert abs(ones - total / 2) < 5 * math.sqrt(total) / 2


def test_entries_go_to_random_places(tmp_path: Path) -> None:
    ring = opened(tmp_path)
    before = slots(tmp_path)
    ring.add_subjects("s", 40)
    changed = [n for n, (a, b) in enumerate(zip(before, slots(tmp_path), strict=True)) if a != b]
    ring.close()
    assert len(changed) == 40
    assert max(changed) - min(changed) > 200


def test_a_destroyed_subject_takes_pseudonym_and_data_keys_with_it(tmp_path: Path) -> None:
    ring, other = opened(tmp_path), opened(tmp_path)
    row, stays = ring.add_subjects("s", 2)
    key = ring.data_key(row, 1, PURPOSES, create=True)
    assert key is not None
    assert other.data_key_by_row(key.row) == key
    traces = ring.traces(row)
    raw = Layout(tmp_path).keyring.read_bytes()
    assert traces["slot"] in raw
    assert traces["slot of data key 0"] in raw
    assert ring.destroy(row, key.row) == 2
    assert ring.destroy(row, key.row) == 0
    for each in (ring, other):
        assert each.subject(row) is None
        assert each.data_key_by_row(key.row) is None
        assert each.data_key(row, 1, PURPOSES, create=True) is None
        assert each.subject(stays) is not None
        with pytest.raises(Refused):
            each.tag(row)
    raw = Layout(tmp_path).keyring.read_bytes()
    assert [name for name, needle in traces.items() if needle in raw] == []
    assert all(traces["pseudonym"] not in payload for payload in other.payloads())
    ring.close()
    other.close()


def test_data_keys_are_unreadable_from_the_moment_their_subject_is_gone(tmp_path: Path) -> None:
    ring = opened(tmp_path)
    row = ring.add_subject("s")
    key = ring.data_key(row, 1, PURPOSES, create=True)
    assert key is not None
    ring.destroy(row)
    assert ring.data_key_by_row(key.row) is None
    ring.close()
    again = opened(tmp_path)
    assert again.data_key_by_row(key.row) is None
    assert again.data_keys() == []
    again.close()


def test_it_grows_and_other_processes_follow(tmp_path: Path) -> None:
    ring, other = opened(tmp_path), opened(tmp_path)
    rows = ring.add_subjects("s", 2500)
    assert len(slots(tmp_path)) == 4096
    assert other.subjects() == sorted(rows)
    one = other.add_subject("s")
    assert ring.subject(one) == other.subject(one)
    ring.close()
    other.close()


def test_two_at_once_never_take_the_same_slot(tmp_path: Path) -> None:
    rings = [opened(tmp_path) for _ in range(3)]
    rows: list[str] = []

    def add(ring: Keyring) -> None:
        for _ in range(25):
            rows.append(ring.add_subject("s"))  # noqa: PERF401 - one at a time is the point

    threads = [threading.Thread(target=add, args=(ring,)) for ring in rings for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ring in rings:
        assert ring.subjects() == sorted(rows)
        ring.close()
    assert len(rows) == 150


def test_the_same_name_gives_the_same_secret_in_every_process(tmp_path: Path) -> None:
    rings = [opened(tmp_path) for _ in range(3)]
    secrets = {ring.secret("tokens") for ring in rings}
    assert len(secrets) == 1
    assert rings[0].secret("other") not in secrets
    for ring in rings:
        ring.close()


def test_a_process_that_holds_keys_leaves_no_core_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for holder in (lambda: opened(tmp_path), lambda: Vault(tmp_path / "vault")):
        limits: list[object] = []
        monkeypatch.setattr(resource, "setrlimit", lambda *asked, to=limits: to.append(asked))
        holder().close()
        assert (resource.RLIMIT_CORE, (0, 0)) in limits


@pytest.mark.parametrize("passphrase", ["", "hunter2"])
def test_nothing_is_sealed_under_a_passphrase_that_protects_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, passphrase)
    with pytest.raises(InvalidInput) as caught:
        opened(tmp_path)
    assert "hunter" not in str(caught.value)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_wrong_master_key_or_passphrase_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse")
    ring = opened(tmp_path / "p")
    secret = ring.secret("x")
    ring.close()
    assert not Layout(tmp_path / "p").master_key.exists()
    ring = opened(tmp_path / "p", create=False)
    assert ring.secret("x") == secret
    ring.close()
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "battery staple")
    with pytest.raises(Refused) as caught:
        opened(tmp_path / "p")
    assert "staple" not in str(caught.value)
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    with pytest.raises(Missing):
        opened(tmp_path / "p")
    opened(tmp_path / "f").close()
    Layout(tmp_path / "f").master_key.write_bytes(bytes(32))
    with pytest.raises(Refused):
        opened(tmp_path / "f")
    Layout(tmp_path / "f").master_key.write_bytes(bytes(31))
    with pytest.raises(Damaged):
        opened(tmp_path / "f")


class KeyringMachine(RuleBasedStateMachine):
    """Two processes on one keyring agree with a dictionary, whatever is done in what order."""

    @initialize(folder=st.just(None))
    def begin(self, folder: None) -> None:

        self.folder = tempfile.TemporaryDirectory()
        self.rings = [opened(Path(self.folder.name)) for _ in range(2)]
        self.subjects: dict[str, set[int]] = {}

    @rule(which=st.integers(0, 1))
    def add(self, which: int) -> None:
        self.subjects[self.rings[which].add_subject("s")] = set()

    @rule(which=st.integers(0, 1), pick=st.integers(0, 99), day=st.integers(0, 3))
    def key(self, which: int, pick: int, day: int) -> None:
        if self.subjects:
            row = sorted(self.subjects)[pick % len(self.subjects)]
            assert self.rings[which].data_key(row, day, PURPOSES, create=True) is not None
            self.subjects[row].add(day)

    @rule(which=st.integers(0, 1), pick=st.integers(0, 99))
    def erase(self, which: int, pick: int) -> None:
        if self.subjects:
            row = sorted(self.subjects)[pick % len(self.subjects)]
            ring = self.rings[which]
            ring.destroy(row, *[key.row for key in ring.data_keys(row)])
            del self.subjects[row]

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.rings[which].close()
        self.rings[which] = opened(Path(self.folder.name))

    @invariant()
    def agree(self) -> None:
        for ring in getattr(self, "rings", []):
            assert ring.subjects() == sorted(self.subjects)
            for row, days in self.subjects.items():
                assert {key.day for key in ring.data_keys(row)} == days

    def teardown(self) -> None:
        for ring in getattr(self, "rings", []):
            ring.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestKeyringMachine = KeyringMachine.TestCase
TestKeyringMachine.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
