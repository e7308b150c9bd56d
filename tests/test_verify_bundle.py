"""The verifier finds every change of a bundle, alone or against a receipt, and says where."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_fixtures import SEED, join, note, open_log
from overt.commands.verifying import read_object, verify_bundle
from overt.log.bundle import bundle, certificate_detail
from overt.log.opening import Opening, commit, read_opening
from overt.log.signer import Signer
from overt.log.verify import verify
from overt.schema.errors import InvalidInput

Json = Any


@cache
def case() -> str:
    """A log with one person's entries among others', a certificate, and that person's receipt."""
    with TemporaryDirectory() as directory:
        log = open_log(Path(directory))
        note(log, "read")
        mine = join(log)
        openings: list[Opening] = [read_opening(o) for o in mine.stored["log"]["entries"]]
        for kind in ("read", "training", "read", "audit"):
            note(log, kind)
        openings.append(note(log, "withdrawal"))
        certificate = log.sign("certificate", {**_whose(mine.copy), "not_reached": []})
        openings.append(note(log, "erasure", **certificate_detail(certificate)))
        note(log, "read")
        made = bundle(log, openings, certificate, mine.stored)
        return json.dumps({"bundle": made, "receipt": mine.copy})


def fresh() -> tuple[Json, Json]:
    both = json.loads(case())
    return both["bundle"], both["receipt"]


def failures(made: Json, receipt: Json = None) -> list[str]:
    report = verify(made, receipt)
    assert report.ok == (not any(not line.ok for line in report.lines))
    return [line.text for line in report.lines if not line.ok]


def test_an_untouched_bundle_verifies_alone_and_against_the_receipt() -> None:
    made, receipt = fresh()
    alone, against = verify(made), verify(made, receipt)
    assert alone.ok, alone.lines
    assert against.ok, against.lines
    assert all(ok and text for ok, text in alone.lines)
    assert (alone.trust, against.trust) == ("bundle", "receipt")
    assert "taken from the bundle itself" in alone.lines[1].text
    assert any("entries are not opened here" in line.text for line in alone.lines)
    assert not any("taken from the bundle itself" in line.text for line in against.lines)


def edited(entries: list[Json], data: st.DataObject) -> list[Json]:
    k = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from(sorted(entries[k])))
    old = entries[k][name]
    choices: dict[str, st.SearchStrategy[Any]] = {
        "n": st.integers(-1, 20) | st.just(float(k)) | st.just(str(k)) | st.just(True),
        "kind": st.sampled_from(["read", "release", "gossip", "consent"]),
        "study": st.sampled_from(["other", "Five", ""]),
        "day": st.sampled_from(["2026-11-21", "2026-13-01", "today"]),
        "commitment": st.sampled_from(["00" * 32, old[:-1] + "x"] if name == "commitment" else [0]),
    }
    new = data.draw(choices[name].filter(lambda v: (v, type(v)) != (old, type(old))))
    return [*entries[:k], {**entries[k], name: new}, *entries[k + 1 :]]


def removed(entries: list[Json], data: st.DataObject) -> list[Json]:
    k = data.draw(st.integers(0, len(entries) - 1))
    return entries[:k] + entries[k + 1 :]


def reordered(entries: list[Json], data: st.DataObject) -> list[Json]:
    return data.draw(st.permutations(entries).filter(lambda p: p != entries))


def doubled(entries: list[Json], data: st.DataObject) -> list[Json]:
    k = data.draw(st.integers(0, len(entries) - 1))
    at = data.draw(st.integers(0, len(entries)))
    return [*entries[:at], entries[k], *entries[at:]]


def truncated(entries: list[Json], data: st.DataObject) -> list[Json]:
    return entries[: data.draw(st.integers(0, len(entries) - 1))]


def renumbered(entries: list[Json], data: st.DataObject) -> list[Json]:
    """Remove or move entries and number the rest as if nothing had happened."""
    change = data.draw(st.sampled_from([removed, doubled, reordered]))
    made = [{**entry, "n": n} for n, entry in enumerate(change(entries, data))]
    return made if made != entries else entries[:-1]


Change = Callable[[list[Json], st.DataObject], list[Json]]
CHANGES: list[Change] = [edited, removed, reordered, doubled, truncated, renumbered]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(CHANGES), st.booleans(), st.data())
def test_no_edited_removed_reordered_doubled_or_cut_entries_verify(
    change: Change, with_receipt: bool, data: st.DataObject
) -> None:
    made, receipt = fresh()
    made["entries"] = change(made["entries"], data)
    assert failures(made, receipt if with_receipt else None)


def rebuilt(made: Json, entries: list[Json], seed: bytes = SEED) -> Json:
    """What the holder of the log's key could make of other entries: all signatures good."""
    from overt.log.entry import read_entry
    from overt.log.merkle import root

    leaves = [read_entry(entry, n).leaf() for n, entry in enumerate(entries)]
    signer = Signer("overt.local/test", seed)
    forged = {
        **made,
        "entries": entries,
        "checkpoint": signer.checkpoint(len(leaves), root(leaves)),
    }
    forged["key"] = str(signer.key)
    forged.pop("consistency", None)
    forged.pop("certificate", None)
    forged["openings"] = []
    return forged


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_second_history_signed_with_the_same_key_fails_against_the_receipt(
    data: st.DataObject,
) -> None:
    made, receipt = fresh()
    entries = made["entries"]
    k = data.draw(st.integers(0, 1))  # entries the receipt's checkpoint of size 2 covers
    forged_entry = {**entries[k], "commitment": data.draw(st.sampled_from(["0", "f"])) * 64}
    forged = rebuilt(made, [*entries[:k], forged_entry, *entries[k + 1 :]])
    assert not failures(forged), "alone, a well-signed second history cannot be told apart"
    assert any("fork" in text for text in failures(forged, receipt))


@pytest.mark.parametrize("size", [0, 1])
def test_a_log_cut_back_below_the_receipt_fails_even_when_signed_anew(size: int) -> None:
    made, receipt = fresh()
    forged = rebuilt(made, made["entries"][:size])
    assert not failures(forged)
    assert any("cut back" in text for text in failures(forged, receipt))


def test_a_log_signed_with_another_key_fails_against_the_receipt() -> None:
    made, receipt = fresh()
    forged = rebuilt(made, made["entries"], seed=SEED[::-1])
    assert not failures(forged)
    assert any("not the key in the receipt" in text for text in failures(forged, receipt))


def test_the_checkpoint_of_another_moment_does_not_fit() -> None:
    made, receipt = fresh()
    made["checkpoint"] = receipt["log"]["checkpoint"]
    assert any("speaks of 2 entries" in text for text in failures(made))


# Anything in bundle or receipt that is signed or committed to: any change of any value fails.
def paths(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [p for name in sorted(value) for p in paths(value[name], (*path, name))]
    if isinstance(value, list):
        return [p for k, item in enumerate(value) for p in paths(item, (*path, k))]
    return [path]


def changed(document: Json, path: tuple[str | int, ...]) -> Json:
    made = copy.deepcopy(document)
    place = made
    for step in path[:-1]:
        place = place[step]
    old = place[path[-1]]
    if isinstance(old, bool):
        place[path[-1]] = not old
    elif isinstance(old, int):
        place[path[-1]] = old + 1
    else:
        place[path[-1]] = ("0" if old[:1] != "0" else "1") + old[1:]
    return made


def test_every_single_changed_value_of_a_bundle_fails() -> None:
    made, receipt = fresh()
    for path in paths(made):
        assert failures(changed(made, path), receipt), path


def test_every_single_changed_value_of_a_receipt_fails_but_the_recovery_code() -> None:
    made, receipt = fresh()
    for path in paths(receipt):
        found = failures(made, changed(receipt, path))
        assert bool(found) == (path != ("recovery_code",)), path


def test_every_part_taken_away_fails_unless_it_is_optional() -> None:
    made, receipt = fresh()
    for name in made:
        rest = {key: value for key, value in made.items() if key != name}
        assert bool(failures(rest, receipt)) == (name not in ("certificate", "consistency")), name
    for name in receipt:
        rest = {key: value for key, value in receipt.items() if key != name}
        assert bool(failures(made, rest)) == (name != "recovery_code"), name
    assert failures({**made, "more": 1})


def test_a_failure_names_the_entry() -> None:
    made, _ = fresh()
    for k in range(len(made["entries"])):
        gone = {**made, "entries": made["entries"][:k] + made["entries"][k + 1 :]}
        assert any(f"entry {k}" in text for text in failures(gone)), k
    salted = copy.deepcopy(made)
    salted["openings"][1]["salt"] = "00" * 32
    n = made["openings"][1]["n"]
    assert any(text.startswith(f"entry {n}:") for text in failures(salted))


def test_a_certificate_that_the_log_does_not_know_fails() -> None:
    made, receipt = fresh()
    other = Signer("overt.local/test", SEED).document("certificate", _whose(receipt))
    assert any(
        "no opened erasure entry" in text for text in failures({**made, "certificate": other})
    )
    without = {**made, "openings": made["openings"][:-1]}
    assert any("no opened erasure entry" in text for text in failures(without))


def test_a_proof_in_another_spelling_does_not_verify() -> None:
    made, receipt = fresh()
    proof = made["consistency"]["proof"]
    made["consistency"]["proof"] = [step.upper() for step in proof]
    assert made["consistency"]["proof"] != proof
    assert failures(made, receipt)


def test_a_certificate_in_the_log_but_not_signed_by_it_fails(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    unsigned = {"reached": ["rows"]}
    for certificate in (unsigned, Signer(log.origin, bytes(32)).document("certificate", unsigned)):
        opening = note(log, "erasure", **certificate_detail(certificate))
        assert any(
            text.startswith("certificate: ")
            for text in failures(bundle(log, [opening], certificate))
        )


def test_an_opening_cannot_be_given_twice_or_for_an_entry_that_is_not_there() -> None:
    made, _ = fresh()
    twice = {**made, "openings": [*made["openings"], made["openings"][0]]}
    assert any("opened twice" in text for text in failures(twice))
    beyond = {**made, "openings": [{**made["openings"][0], "n": 99}]}
    assert any("not in the log" in text for text in failures(beyond))


def test_the_report_tells_nothing_of_details_but_kind_day_study_and_own_purposes() -> None:
    made, receipt = fresh()
    texts = "\n".join(line.text for line in verify(made, receipt).lines)
    for secret in (receipt["receipt_id"], receipt["recovery_code"], made["openings"][0]["salt"]):
        assert secret not in texts
    broken = copy.deepcopy(made)
    broken["openings"][0]["detail"]["receipt"] = "another person"
    assert "another person" not in "\n".join(failures(broken, receipt))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_verifier_reports_and_never_raises_whatever_it_is_given(data: st.DataObject) -> None:
    made, receipt = fresh()
    assert not verify(data.draw(json_values), data.draw(json_values)).ok
    name = data.draw(st.sampled_from(sorted(made)))
    value = data.draw(json_values.filter(lambda v: v != made[name] and v is not None))
    assert failures({**made, name: value}, receipt)
    name = data.draw(st.sampled_from(sorted(set(receipt) - {"recovery_code"})))
    assert failures(made, {**receipt, name: data.draw(json_values)})


def test_the_verifier_loads_nothing_that_writes_or_that_is_heavy() -> None:
    code = "import sys, overt.log.verify; print('\\n'.join(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name for name in output.stdout.split() if name.startswith("overt")}
    assert loaded == {
        "overt",
        "overt.log",
        "overt.log.checkpoint",
        "overt.log.document",
        "overt.log.entry",
        "overt.log.merkle",
        "overt.log.opening",
        "overt.log.verify",
        "overt.schema",
        "overt.schema.canonical",
        "overt.schema.errors",
    }
    assert not {"pyarrow", "numpy", "sqlalchemy", "torch", "socket"} & set(output.stdout.split())
    for name in loaded - {"overt", "overt.log", "overt.schema"}:
        source = Path(sys.modules[name].__file__ or "").read_text(encoding="utf-8")
        assert "PrivateKey" not in source
        assert not re.search(r"\bopen\(|write_|os\.|\.sign\(", source), name


def _whose(receipt: Json) -> Json:
    """What each certificate states of whom and of how much."""
    digest = hashlib.sha256(receipt["receipt_id"].encode()).hexdigest()
    return {"scope": "person", "receipt_sha256": digest}


def _certified(directory: Path, **said: object) -> tuple[Json, Json]:
    """A bundle with a certificate that says `said`, and the receipt of whom it is given to."""
    log = open_log(directory)
    mine = join(log)
    told = {"schema": "overt-certificate/1", **_whose(mine.copy), **said}
    certificate = log.sign("certificate", {k: v for k, v in told.items() if v is not None})
    openings = [read_opening(opening) for opening in mine.stored["log"]["entries"]]
    openings.append(note(log, "erasure", **certificate_detail(certificate)))
    return bundle(log, openings, certificate, mine.stored), mine.copy


def test_the_certificate_of_another_receipt_does_not_verify(tmp_path: Path) -> None:
    assert "another receipt" in failures(*_certified(tmp_path / "a", receipt_sha256="00" * 32))[0]
    assert failures(*_certified(tmp_path / "b", receipt_sha256=None)), "it says nobody's"


def test_the_report_says_of_how_much_a_certificate_speaks(tmp_path: Path) -> None:
    for scope, words in (("person", "everything of a person was"), ("batches", "not everything,")):
        made, receipt = _certified(tmp_path / scope, scope=scope)
        lines = verify(made, receipt).lines
        assert all(line.ok for line in lines)
        assert any(words in line.text for line in lines)
    assert failures(_certified(tmp_path / "other", scope="nothing")[0])


@pytest.mark.parametrize("said", [{"bytes_found": 1}, {"model_equals_never_seen": False}])
def test_a_certificate_that_falls_short_does_not_verify(
    tmp_path: Path, said: dict[str, object]
) -> None:
    made, receipt = _certified(tmp_path, **said)
    assert failures(made)
    assert failures(made, receipt)


def test_an_entry_opened_as_another_kind_does_not_verify(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    read = note(log, "read")
    hidden = Opening(
        log.append("training", "five-minutes", commit_of(read)), read.salt, read.detail
    )
    assert "kind training" in failures(bundle(log, [hidden]))[0]


def commit_of(opening: Opening) -> str:
    return commit(opening.detail, opening.salt)[1]


def test_entries_of_another_receipt_do_not_verify_as_mine(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    mine, other = join(log), join(log)
    openings = [read_opening(opening) for opening in other.stored["log"]["entries"]]
    assert "another receipt" in failures(bundle(log, openings, None, mine.stored), mine.copy)[0]


def test_a_receipt_whose_checkpoint_comes_before_its_entry_does_not_verify(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    early = log.checkpoint()
    mine = join(log).stored
    body = {name: value for name, value in mine.items() if name != "signature"}
    weak = log.sign("receipt", {**body, "log": {**body["log"], "checkpoint": early}})
    assert failures(bundle(log, [], None, mine), mine) == []
    assert "covers 0 entries" in failures(bundle(log), weak)[0]


def test_a_proof_cannot_give_orders_to_the_terminal_that_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = open_log(tmp_path / "log")
    over = note(log, "read", purposes=["\x1b[2K\rok    Everything verifies.\x9b8m"])
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(bundle(log, [over])))
    verify_bundle(path, None, as_json=False)
    shown = capsys.readouterr().out
    assert "Everything verifies." in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_a_file_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text('{"certificate": {"all": "well"},' + json.dumps(fresh()[0])[1:])
    with pytest.raises(InvalidInput, match="once"):
        read_object(path, "bundle")
