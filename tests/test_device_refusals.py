"""What must not begin does not: one clear line, and nothing is kept."""

from __future__ import annotations

import copy
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.consent.notice import notice_bytes
from overt.consent.recovery import new_code
from overt.device import permission
from overt.device.coach import refused
from overt.device.indicator import Indicator
from overt.device.keyboard import Keymap
from overt.device.notice import check_notice, check_receipt
from overt.device.permission import Access
from overt.device.platforms import look
from overt.device.policy import policy
from overt.device.vault import Vault
from overt.device.x11 import look as look_x11
from overt.device.x11 import refuse_wayland
from overt.schema.applications import applications
from overt.schema.errors import InvalidInput, Missing, Refused
from overt.schema.study import load_study, template

LISTED = """
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad"]
"""


@pytest.fixture(scope="module")
def notice() -> dict[str, Any]:
    source = template("desk", "Writing").replace("\n[notice.en]", LISTED + "\n[notice.en]")
    shown: dict[str, Any] = json.loads(notice_bytes(load_study(source.encode()), "en"))
    return shown


def test_a_notice_as_the_server_makes_it_may_be_followed(notice: dict[str, Any]) -> None:
    check_notice(notice, "desk")


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ({"applications": [{"title": "Mail"}]}, "more than its words say"),
        ({"applications": [{"executables": ["python3"]}]}, "followed"),
        ({"applications": [{"number": 2}]}, "number"),
        ({"applications": [{"terminal": "yes"}]}, "followed"),
        ({"applications": [{"executables": ["firefox"]}]}, "followed"),
        ({"applications": []}, "no desktop application"),
        ({"level": "keys", "applications": [{"keys": ["text-area"]}]}, "which key it was"),
        ({"applications": [{"keys": ["text-area"]}]}, "which key it was"),
        ({"outbox_delay_s": -1}, "delay"),
        ({"outbox_delay_s": 1e9}, "delay"),
        ({"hold_days": True}, "days"),
        ({"hold_days": 0}, "days"),
        ({"epsilon_max": "9"}, "cost more privacy than its words say"),
        ({"level": None}, "level that does not exist"),
    ],
)
def test_a_study_that_asks_for_more_than_its_notice_says_is_refused(
    notice: dict[str, Any], asks: dict[str, Any], words: str
) -> None:
    more = copy.deepcopy(notice)
    settings = more["settings"]
    for name, value in asks.items():
        if name == "applications" and value:
            settings["applications"][0].update(value[0])
        else:
            settings[name] = value
    with pytest.raises(Refused, match=words):
        check_notice(more, "desk")


def test_a_notice_of_another_study_an_unknown_purpose_or_nonsense_is_refused(
    notice: dict[str, Any],
) -> None:
    with pytest.raises(Refused, match="another study"):
        check_notice(notice, "other")
    mood = copy.deepcopy(notice)
    mood["choices"]["purposes"].append({"id": "mood", "title": "Mood", "text": ""})
    with pytest.raises(Refused, match="does not exist"):
        check_notice(mood, "desk")
    for hiding in ("\x1b[8m", "\x9b2J", "\r", "\u202e"):
        hidden = copy.deepcopy(notice)
        hidden["sections"][-1]["text"][0] += f"{hiding}we also sell it"
        with pytest.raises(Refused, match="hide what it says"):
            check_notice(hidden, "desk")
    for nonsense in ({}, {"settings": []}, {**notice, "sections": None}):
        with pytest.raises(Refused, match="followed"):
            check_notice(nonsense, "desk")


def test_a_receipt_that_says_other_than_what_was_chosen_is_refused() -> None:
    receipt = {
        "receipt_id": "1" * 32,
        "recovery_code": new_code(),
        "processing": {"purposes": [{"purpose": "typing-assist"}]},
        "overt": {"level": "rhythm"},
    }
    check_receipt(receipt, ["typing-assist"], "rhythm")
    for purposes, detail in ((["next-action"], "rhythm"), (["typing-assist"], "rhythm/1")):
        with pytest.raises(InvalidInput, match="other than what you chose"):
            check_receipt(receipt, purposes, detail)
    for worse in (
        {},
        {**receipt, "recovery_code": "\x1b[2J"},
        {**receipt, "recovery_code": None},
        {**receipt, "receipt_id": "../1"},
    ):
        with pytest.raises(InvalidInput):
            check_receipt(worse, ["typing-assist"], "rhythm")


@pytest.mark.parametrize(
    ("name", "value"), [("WAYLAND_DISPLAY", "wayland-0"), ("XDG_SESSION_TYPE", "wayland")]
)
def test_in_a_wayland_session_no_x_display_is_listened_to(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for one in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(one, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    monkeypatch.setenv(name, value)
    for listen in (look_x11, look):
        with pytest.raises(Missing, match="Wayland session"):
            listen(":0")
    with pytest.raises(Missing, match=r"cannot be reached|is not told"):
        look(None)
    monkeypatch.delenv(name)
    refuse_wayland()


class _Compositor(threading.Thread):
    """Says, as the Wayland protocol has it, what it offers, and that it has said so."""

    def __init__(self, place: Path, offers: list[str]) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(place))
        self._socket.listen()
        self._offers = offers
        self.start()

    def run(self) -> None:
        with self._socket, self._socket.accept()[0] as to:
            while request := to.recv(8):
                one, size_and_code = struct.unpack("<II", request)
                body = to.recv((size_and_code >> 16) - 8) if size_and_code >> 16 > 8 else b""
                new = int.from_bytes(body[-4:], "little")
                if (one, size_and_code & 0xFFFF) == (1, 1):
                    for number, offer in enumerate(self._offers, 1):
                        name = offer.encode() + b"\0"
                        name = struct.pack("<I", len(name)) + name + b"\0" * (-len(name) % 4)
                        said = struct.pack("<I", number) + name + struct.pack("<I", 9)
                        to.sendall(struct.pack("<II", new, 8 + len(said) << 16) + said)
                elif (one, size_and_code & 0xFFFF) == (1, 0):
                    to.sendall(struct.pack("<III", new, 12 << 16, 0))


@pytest.mark.parametrize(
    ("offers", "lacks"),
    [
        (["wl_seat"], "foreign_toplevel"),  # such as GNOME's
        (["wl_seat", "zwlr_foreign_toplevel_manager_v1"], "layer_shell"),
        (["wl_seat", "zwlr_foreign_toplevel_manager_v1", "zwlr_layer_shell_v1"], "no layout"),
    ],
)
def test_a_compositor_that_does_not_tell_enough_is_refused_before_anybody_is_asked(
    monkeypatch: pytest.MonkeyPatch, offers: list[str], lacks: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "wayland-9"
        serving = _Compositor(place, offers)
        monkeypatch.setenv("WAYLAND_DISPLAY", str(place))
        with pytest.raises(Missing, match=lacks):
            look(None)
        serving.join()


def test_without_permission_or_as_root_no_key_is_read_and_doctor_says_how_to_undo_it() -> None:
    for found, words in (
        (Access(0, 2, is_root=False), "may not read them; nothing is recorded"),
        (Access(3, 1, is_root=False), "may not read them"),
        (Access(0, 0, is_root=False), "may not read them"),
        (Access(4, 0, is_root=True), "runs as root"),
    ):
        with pytest.raises(Missing, match=words):
            permission.require(found)
    permission.require(Access(1, 0, is_root=False))
    asked = "\n".join(permission.steps(Access(0, 2, is_root=False)))
    given = "\n".join(permission.steps(Access(2, 0, is_root=False)))
    assert all(words in asked for words in ("sudo rm", "gpasswd -d", "passwords too"))
    assert "To take it back" in given
    assert "passwords too" in given
    assert "as root" in "".join(permission.steps(Access(4, 0, is_root=True)))


def test_without_a_display_or_with_one_that_is_not_there_nothing_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("xcffib")
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Missing, match="there is no display"):
        look(None)
    with pytest.raises(Missing, match="cannot be reached"):
        look(":7654")


def test_the_command_line_says_it_in_one_line_ends_with_status_1_and_keeps_nothing(
    tmp_path: Path,
) -> None:
    pytest.importorskip("xcffib")
    overt = [sys.executable, "-m", "overt", "record", "--study", "http://127.0.0.1:9/study/desk"]
    keep = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    for told, words in (({}, "there is no display"), ({"WAYLAND_DISPLAY": "/nowhere"}, "Wayland")):
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [*overt, "--device-dir", str(tmp_path / "device")],
            env={**keep, **told, "HOME": str(tmp_path)},
            stdin=theirs,
            capture_output=True,
            text=True,
        )
        for end in (ours, theirs):
            os.close(end)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "device").exists()


def test_the_sign_runs_no_module_of_the_folder_that_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "tkinter", "xcffib"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()")
    monkeypatch.chdir(tmp_path)
    sign = Indicator(":7654", "en", lambda: None)
    sign._process.wait(30)
    sign.close()
    assert not (tmp_path / "ran").exists()


def test_a_layout_without_a_letter_is_not_known() -> None:
    assert Keymap(8, [(0, 0), (0x61, 0x41)]).has_letters
    assert Keymap(8, [(0x6C1, 0)]).has_letters  # Cyrillic
    assert not Keymap(8, [(0, 0), (0xFF0D,), (), (0x31, 0x21)]).has_letters


def test_a_folder_that_is_no_folder_of_ours_is_one_clear_line(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(Missing, match="read and written by you"):
        Vault(taken / "desk")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "vault.sqlite").write_bytes(os.urandom(8192))
    with pytest.raises(Missing, match="read and written by you"):
        Vault(tmp_path / "odd")


RULES = st.fixed_dictionaries(
    {},
    optional={
        "stopped": st.booleans(),
        "servers": st.lists(st.sampled_from(["https://a.example", "https://b.example"])),
        "programs": st.lists(st.sampled_from(["mousepad", "/usr/bin/xterm", "kate"])),
        "unknown": st.just(1),
    },
)


@settings(deadline=None, max_examples=50)
@given(RULES)
def test_a_policy_only_narrows_and_what_is_not_understood_narrows_to_nothing(
    rules: dict[str, Any],
) -> None:
    listed = [{"id": "a", "executables": ["mousepad", "kate"]}, {"id": "b", "executables": ["vi"]}]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        place = Path(folder) / "policy.toml"
        place.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in rules.items()))
        patched.setattr("overt.device.policy.place", lambda: place)
        found = policy()
    stopped = rules.get("stopped") or "unknown" in rules
    for server in ("https://a.example", "https://b.example"):
        refused = stopped or server not in rules.get("servers", [server])
        with pytest.raises(Refused) if refused else nullcontext():
            found.check(server)
    if not stopped:
        left = {name for one in found.narrowed(listed) for name in one["executables"]}
        all_of_them = {"mousepad", "kate", "vi"}
        assert left == all_of_them & set(rules.get("programs", all_of_them))


def test_a_policy_that_cannot_be_read_stops_all_and_none_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overt.device.policy.place", lambda: tmp_path / "policy.toml")
    policy().check("https://a.example")
    for text in ("stopped =", "servers = 1", "stopped = 1"):
        (tmp_path / "policy.toml").write_text(text)
        with pytest.raises(Refused, match="stops all recording"):
            policy().check()


@pytest.mark.parametrize(
    "name", ["keepassxc", "/usr/bin/remmina", "qemu-system-x86_64", "xfreerdp3"]
)
def test_a_program_that_holds_secrets_or_another_desktop_is_called_by_its_name(name: str) -> None:
    table = {"id": "one", "title": "Notes", "executables": [name]}
    with pytest.raises(InvalidInput, match="has to call by its name"):
        applications([table])
    assert refused(Path(name).name)
    named = {"keepassxc": "KeePassXC, a password manager", "/usr/bin/remmina": "Remmina"}
    title = named.get(name, f"{name}, another computer")
    (one,) = applications([{**table, "title": title}])
    assert one.title == title
    assert applications([{**table, "executables": ["mousepad"]}])
    assert refused("mousepad") is None


def test_recording_is_for_one_at_a_time_and_looking_for_everybody(tmp_path: Path) -> None:
    first, second = Vault(tmp_path), Vault(tmp_path)
    first.hold()
    with pytest.raises(Refused, match="runs on this computer already"):
        second.hold()
    second.change({"seen": b"1"})
    assert first.get("seen") == b"1"
    first.close()
    second.hold()
    second.destroy()
    assert not list(tmp_path.iterdir())
