"""The command line, run as people run it: each in a process of its own, on small inputs."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ready
from gateway_fixtures import join, new_store, sessions, upload
from overt.cli import app
from overt.commands.options import among_data_sets
from overt.consent.invitation import read
from overt.gateway import erase, export
from overt.gateway.erasure import unfinished
from overt.schema.errors import OvertError
from overt.store.store import Store

VERBS = (
    ["up"],
    ["study"],
    ["study", "new"],
    ["study", "show"],
    ["import"],
    ["synthetic"],
    ["features"],
    ["train"],
    ["audit"],
    ["audit", "linkage"],
    ["erase"],
    ["retention"],
    ["verify"],
    ["backup"],
    ["access", "researcher"],
    ["doctor"],
    ["predict"],
    ["export"],
    ["model", "export"],
    ["demo"],
)
HEADER = (
    "PARTICIPANT_ID\tTEST_SECTION_ID\tSENTENCE\tUSER_INPUT\tKEYSTROKE_ID\tPRESS_TIME\t"
    "RELEASE_TIME\tLETTER\tKEYCODE\n"
)


def overt(*arguments: str, stdin: str = "", data: Path | None = None) -> Any:
    """Run a command and return the finished process."""
    environment = {**os.environ, "COLUMNS": "120"}
    if data is not None:
        environment["OVERT_DATA_DIR"] = str(data)
    return ready.run("-m", "overt", *arguments, stdin=stdin, environment=environment)


def _one_line(done: Any) -> str:
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve made-up people in the format of the Aalto logs."""
    folder = tmp_path_factory.mktemp("published")
    for person in range(12):
        lines, at = [HEADER], 1_471_938_000_000 + person
        for section in range(6):
            text = "the quick brown fox jumps over"
            for number, letter in enumerate(text):
                at += 120 + (person * 7 + number * 13) % 60
                code = 32 if letter == " " else ord(letter.upper())
                lines.append(
                    f"{person}\t{section}\t{text}\t{text}\t{section * 99 + number}\t{at}\t"
                    f"{at + 80 + person}\t{letter}\t{code}\n"
                )
        (folder / f"{person}_keystrokes.txt").write_text("".join(lines), encoding="latin-1")
    return folder


@pytest.fixture(scope="module")
def imported(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("imported") / "data"
    declared = ("--source", "made up", "--licence", "none", "--lawful-basis", "nobody is in it")
    done = overt("import", "aalto", str(published), "--study", "pub", *declared, data=data)
    assert done.returncode == 0, done.stderr
    assert "12 people, 72 sessions" in done.stdout
    return data


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help(verb: list[str]) -> None:
    done = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert "Usage" in done.stdout
    if verb not in (["study"], ["audit"]):
        assert "Example: overt" in done.stdout


def test_help_does_not_import_what_is_heavy() -> None:
    code = (
        "import sys; sys.argv = ['overt', '--help']\n"
        "from overt.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pyarrow', 'numba', 'sqlalchemy', 'matplotlib', 'starlette', 'numpy'}\n"
        "sys.exit(3 if heavy & sys.modules.keys() else 0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--study", "x", "--purpose", "next-action"], "no Overt data directory"),
        (["features", "--study", "x"], "no Overt data directory"),
        (["verify", "nowhere.json"], "no such bundle"),
        (["import", "punchcards", ".", "--study", "x"], "not a known format"),
        (["import", "aalto", "/nowhere", "--study", "x"], "no such file"),
        (["study", "new", "/nowhere/x.toml"], "/nowhere/x.toml: No such file or directory. Look"),
    ],
)
def test_an_error_is_one_line_that_helps(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = overt(*arguments, data=tmp_path / "none")
    assert done.returncode == 1
    assert says in _one_line(done)
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["curve", "pause", "--html"],
        ["audit", "membership", "--model", "encoder", "--html"],
        ["features", "--study", "x", "--out"],
        ["model", "export", "--study", "x"],
        ["together", "serve", "--plan", "plan.json", "--out"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, "/nowhere/at-all"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "/nowhere/at-all cannot be written" in done.output


def test_wrong_usage_exits_with_two() -> None:
    assert overt("train").returncode == 2
    assert overt("nonsense").returncode == 2
    assert overt("train", "--study", "x", "--purpose", "mood").returncode == 2


def test_a_lawful_basis_nobody_declared_is_said_not_to_be_declared(
    published: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    unreadable = tmp_path / "0_keystrokes.txt"
    unreadable.write_text("nothing of the kind\n")
    declared = ("--lawful-basis", "a mistake")
    assert overt("import", "aalto", str(unreadable), "--study", "pub", *declared, data=data).stderr
    # So it left no study behind that says a mistake for ever.
    done = overt("import", "aalto", str(published), "--study", "pub", "--people", "1", data=data)
    assert done.returncode == 0, done.stderr
    assert "--lawful-basis" in done.stderr
    shown = overt("study", "show", "pub", data=data)
    assert "not declared by whoever imported it" in shown.stdout


def test_json_is_one_object_and_progress_goes_to_standard_error(imported: Path) -> None:
    done = overt("features", "--study", "pub", "--json", data=imported)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["origins"] == ["imported"]
    by_name = {row["feature"]: row for row in told["features"]}
    assert by_name["hold_us_mean"]["people"] == 12
    assert 80_000 <= by_name["hold_us_mean"]["median"] <= 91_000
    assert "features: computing" in done.stderr


def test_the_attack_is_printed_with_intervals_at_both_levels(
    imported: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    for level in ("raw", "rhythm"):
        done = overt(
            *("audit", "linkage", "--study", "pub", "--level", level, "--keys", "40", "--json"),
            *("--html", str(report)),
            data=imported,
        )
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)["rows"]
        assert {row["level"] for row in rows} == {level}
        assert all(r["rank1_low"] <= r["rank1"] <= r["rank1_high"] for r in rows)
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_study_from_a_template_can_be_registered_and_shown(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "lab.toml"
    broken = tmp_path / "broken.toml"
    broken.write_text("id = ", encoding="utf-8")
    refused = overt("study", "new", str(broken), data=data)
    assert refused.returncode == 1
    assert "TOML" in _one_line(refused)
    assert overt("study", "new", str(file), "--title", "Lab").returncode == 0
    assert overt("study", "new", str(file), data=data).returncode == 0
    told = json.loads(overt("study", "show", "lab", "--json", data=data).stdout)
    invite = ["study", "invite", "--data-dir", str(data), "--at"]
    made = CliRunner().invoke(app, [*invite, "https://example.org/", "lab"])
    assert made.exit_code == 0, made.output
    invitation = read(made.stdout.encode(), "it")
    assert invitation.address == "https://example.org/study/lab"
    assert invitation.notices == told["notice_sha256"]
    for wrong in (["http://example.org", "lab"], ["https://example.org", "other"]):
        assert isinstance(CliRunner().invoke(app, [*invite, *wrong]).exception, OvertError)
    assert told["title"] == "Lab"
    assert len(told["notice_sha256"]["en"]) == 64
    listed = json.loads(overt("study", "show", "--json", data=data).stdout)["studies"]
    assert {row["id"]: row["people"] for row in listed} == {"five-minutes": "<10", "lab": "<10"}


def test_synthetic_people_are_labelled(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = overt("synthetic", "--study", "five-minutes", "--people", "2", "--json", data=data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["origin"] == "synthetic"
    assert "needs 10 people" in _last(overt("features", "--study", "five-minutes", data=data))


def _last(done: Any) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return str(done.stderr.strip().splitlines()[-1])


@pytest.mark.parametrize("form", ["receipt", "code"])
def test_a_person_is_erased_from_standard_input(tmp_path: Path, form: str) -> None:
    data = tmp_path / "data"
    with new_store(data) as store:
        joined, person = join(store)
        upload(store, person, sessions(count=1))
    code = joined.receipt["recovery_code"]
    handed = code if form == "code" else json.dumps(joined.receipt)
    done = overt("erase", "--json", stdin=handed, data=data)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["certificate"]["bytes_found"] == 0
    assert code not in done.stdout + done.stderr
    bundle, receipt = tmp_path / "bundle.json", tmp_path / "receipt.json"
    bundle.write_text(json.dumps(told["bundle"]))
    receipt.write_text(json.dumps(joined.receipt))
    assert overt("verify", str(bundle), "--checkpoint", str(receipt)).returncode == 0
    assert "belongs to nobody" in _one_line(overt("erase", stdin=handed, data=data))


def test_an_erasure_never_takes_a_person_from_the_arguments(tmp_path: Path) -> None:
    assert overt("erase", "7Z3K-0000", data=tmp_path).returncode == 2


def test_verify_fails_on_an_edited_a_removed_and_a_reordered_entry(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        joined, person = join(store)
        join(store)
        join(store)
        whole = export.proof(store, person)
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(joined.receipt))
    entries = whole["entries"]
    edited = [{**entries[0], "day": "1999-12-31"}, *entries[1:]]
    cases = {
        "whole": (entries, 0),
        "edited": (edited, 1),
        "removed": (entries[1:], 1),
        "reordered": ([entries[1], entries[0], *entries[2:]], 1),
    }
    for name, (made, status) in cases.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**whole, "entries": made}))
        done = overt("verify", str(path), "--checkpoint", str(receipt), "--json")
        assert done.returncode == status, name
        assert json.loads(done.stdout)["log_verified"] is (status == 0)


def test_a_backup_is_dated_and_named_in_the_next_certificate(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with new_store(data) as store:
        joined, _ = join(store)
    done = overt("backup", str(tmp_path / "elsewhere"), data=data)
    assert done.returncode == 0, done.stderr
    code = joined.receipt["recovery_code"]
    told = json.loads(overt("erase", "--json", stdin=code, data=data).stdout)
    assert told["certificate"]["not_reached"]["backups_until"] in done.stdout


def test_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_store(data).close()
    told = json.loads(overt("doctor", "--json", data=data).stdout)
    assert told["healthy"]
    assert any("<10 events" in check["says"] for check in told["checks"]), "counts are ranges"
    (data / "keyring").chmod(0o644)
    done = overt("doctor", data=data)
    assert done.returncode == 1
    assert "chmod" in done.stdout


def test_the_demo_says_in_one_line_how_to_get_a_chromium(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "overt", "demo"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "apt-get install chromium" in _one_line(done)


def test_up_prints_one_address_answers_there_and_finishes_interrupted_erasures(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with new_store(data) as store:
        _, person = join(store)
        erase.begin(store, person)
        assert unfinished(store)
    command = [sys.executable, "-P", "-m", "overt", "up", "--port", "0", "--data-dir", str(data)]
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server,
        ExitStack() as stack,
    ):
        stack.callback(server.kill)
        assert server.stdout is not None
        assert server.stderr is not None
        url = server.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}healthz", timeout=30) as answer:
            assert answer.status == 200
        said = server.stderr.readline() + server.stderr.readline()
        assert "finished an erasure" in said
        assert f"{url}research" in said
        taken = url.rstrip("/").rpartition(":")[2]
        assert "is taken" in _one_line(overt("up", "--port", taken, data=tmp_path / "other"))
        server.send_signal(signal.SIGTERM)
        rest = server.stdout.read()
    assert rest == ""
    with Store.open(data) as store:
        assert unfinished(store) == []


def test_published_data_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets" / "mice").mkdir(parents=True)
    monkeypatch.setenv("OVERT_DATA", str(tmp_path / "sets"))
    assert among_data_sets(Path("mice")) == tmp_path / "sets" / "mice"
    assert among_data_sets(Path("men")) == Path("men"), "said as it was given where it is nowhere"
    assert among_data_sets(None) is None
    (tmp_path / "mice").mkdir()
    assert among_data_sets(Path("mice")) == Path("mice"), "what is here comes first"
