"""The model as ONNX: equal to torch over random inputs, with its card, and only what may leave."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import onnx_read
from gateway_fixtures import STUDY, new_store
from models_fixtures import TINY, person, random_model
from overt.cli import app
from overt.datasets import exports, synthetic
from overt.datasets.exports.leaving import leaving
from overt.datasets.tokens import VOCABULARY
from overt.gateway import history, release
from overt.gateway.model import Member, Model, keep
from overt.models.config import Config
from overt.models.onnx.encoder import onnx
from overt.models.predict import predict
from overt.models.stream import habits, numbers, stream_of, targets
from overt.models.train import Trained, weights_hash
from overt.schema.errors import InvalidInput, Missing, NotConsented, OvertError, TooFew
from overt.store.store import Store
from test_exports import ABOUT

Run = Callable[[dict[str, Any]], dict[str, Any]]


def same_as_torch(trained: Trained, run: Run, *numbers_of_people: int) -> None:
    """Compare what a file computes with what torch does, for some people."""
    for number in numbers_of_people:
        stream = stream_of(person(number, length=25).sessions)
        aim = targets(stream)
        there = aim.token >= 0
        given = {
            "token": stream.token.astype(np.int64)[:, None],
            "numbers": numbers(stream)[:, None],
            "following": np.maximum(aim.token, 0)[:, None],
            "habits": habits(stream)[:, None],
            "state": np.zeros((len(trained.shards), 1, trained.config.hidden), np.float32),
        }
        whole = run(given)
        (wanted,) = predict(list(trained.shards.values()), trained.config, [stream])
        for name in ("probability", "weight", "mean", "sigma"):
            found = whole[name][there, 0]
            assert found == pytest.approx(getattr(wanted, name), rel=1e-5, abs=1e-6), name
        half = len(stream) // 2
        cut = ("token", "numbers", "following", "habits")
        first = run({**given, **{name: given[name][:half] for name in cut}})
        rest = {**{name: given[name][half:] for name in cut}, "state": first["state_after"]}
        assert run(rest)["mean"] == pytest.approx(whole["mean"][half:], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shards", [1, 2])
def test_the_file_computes_what_torch_does_for_one_shard_and_several(shards: int) -> None:
    trained = random_model(TINY, shards)
    model = onnx_read.read(onnx(trained, {"card": "card/1"}, "0.1.0"))
    assert model.operators == 17
    same_as_torch(trained, lambda given: onnx_read.run(model, given), 1, 2)
    assert model.facts["sha256"] == weights_hash(trained)
    assert json.loads(model.facts["vocabulary"]) == list(VOCABULARY)
    assert json.loads(model.facts["card"]) == {"card": "card/1"}
    with pytest.raises(InvalidInput):
        onnx(trained.only([]), {}, "0.1.0")


@pytest.mark.soak
@pytest.mark.parametrize("config", [TINY, Config()], ids=["tiny", "as shipped"])
def test_onnxruntime_computes_what_torch_does(config: Config) -> None:
    runtime, library = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    trained = random_model(config, 3)
    data = onnx(trained, {}, "0.1.0")
    library.checker.check_model(library.load_from_string(data), full_check=True)
    session = runtime.InferenceSession(data)
    names = [output.name for output in session.get_outputs()]
    same_as_torch(
        trained,
        lambda given: dict(zip(names, session.run(None, given), strict=True)),
        *range(8),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = new_store(tmp_path_factory.mktemp("onnx") / "data")
    yield made
    made.close()


def _taught(store: Store, *origins: tuple[str, int]) -> None:
    """Keep a model of two shards that so many people of each origin taught, a shard an origin."""
    members = {}
    for shard, (origin, count) in enumerate(origins):
        for subject in store.add_subjects(STUDY, origin, count):
            members[subject] = Member(shard, "train", ("row",))
    keep(store, Model(STUDY, "next-action", random_model(TINY, len(origins)), members, 2, {}))


def test_only_shards_that_no_living_person_taught_leave(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no model yet"):
        release.onnx(store, STUDY, "next-action", "test")
    _taught(store, ("live", 12), ("live", 12))
    with pytest.raises(NotConsented, match="living people"):
        release.onnx(store, STUDY, "next-action", "test")
    _taught(store, ("live", 12), ("synthetic", 9))
    with pytest.raises(TooFew, match="<10"):
        release.onnx(store, STUDY, "next-action", "test")
    _taught(store, ("live", 12), ("synthetic", 10))
    handed = release.onnx(store, STUDY, "next-action", "test")
    assert handed.shards == (1,)
    model = onnx_read.read(handed.data)
    assert model.facts["sha256"] == handed.sha256 == weights_hash(random_model(TINY).only([1]))
    (entry,) = (t for t in history.told(store, STUDY) if t.entry.kind == "release")
    assert entry.opening.detail["weights_sha256"] == handed.sha256
    with pytest.raises(OvertError):
        release.onnx(store, STUDY, "mood", "test")


def test_the_command_says_what_it_wrote_and_overwrites_nothing(
    store: Store, tmp_path: Path
) -> None:
    _taught(store, ("synthetic", 10), ("synthetic", 10))
    out = tmp_path / "model.onnx"
    arguments = ["model", "export", str(out), "--study", STUDY, "--json"]
    root = ["--data-dir", str(store.layout.root)]
    found = CliRunner().invoke(app, [*arguments, *root])
    assert found.exit_code == 0, found.exception
    assert json.loads(found.stdout)["bytes"] == out.stat().st_size
    again = CliRunner().invoke(app, [*arguments, *root])
    assert isinstance(again.exception, InvalidInput)


@pytest.mark.soak
def test_an_export_becomes_a_trained_model_in_under_fifty_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Path(__file__).parents[1] / "examples" / "train_on_export.py"
    assert len(script.read_text("utf-8").splitlines()) < 50
    made = synthetic.people(2, 3, sessions=1, minutes=0.2)
    leavers = [
        leaving(f"person-000{at}", split, "synthetic", one.sessions, with_keys=False)
        for at, (split, one) in enumerate(zip(("train", "test"), made, strict=True))
    ]
    exports.write("huggingface", tmp_path / "out", ABOUT, leavers)
    monkeypatch.setattr("sys.argv", ["train", str(tmp_path / "out"), "--epochs", "1"])
    runpy.run_path(str(script), run_name="__main__")
    assert re.search(r"GRU \d+\.\d%, most frequent \d+\.\d%", capsys.readouterr().out)
