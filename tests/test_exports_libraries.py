"""Exports opened by the libraries of their own formats (`make soak` installs them)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overt.datasets import exports, synthetic
from overt.datasets.exports import owamcap
from overt.datasets.exports.leaving import leaving
from test_exports import ABOUT

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in all formats, one in each split."""
    made = tmp_path_factory.mktemp("libraries")
    people = list(synthetic.people(3, 8, sessions=2, minutes=0.3))
    for form in exports.FORMATS:
        leavers = [
            leaving(f"person-{at:04d}", split, "synthetic", one.sessions, with_keys=False)
            for at, (split, one) in enumerate(
                zip(("train", "validation", "test"), people, strict=True)
            )
        ]
        exports.write(form, made / form, ABOUT, leavers)
    return made


def test_the_mcap_reader_finds_every_message_and_every_checksum_right(root: Path) -> None:
    reading = pytest.importorskip("mcap.reader")
    for path in (root / "owamcap").rglob("*.mcap"):
        with path.open("rb") as file:
            reader = reading.make_reader(file, validate_crcs=True)
            summary = reader.get_summary()
            assert reader.get_header().profile == "owa"
            counts = {c.topic: 0 for c in summary.channels.values()}
            assert set(counts) == {"keyboard", "mouse", "window"}
            last = 0
            for schema, channel, message in reader.iter_messages():
                counts[channel.topic] += 1
                assert schema.name == owamcap.SCHEMAS[channel.topic][0]
                assert message.log_time >= last
                last = message.log_time
            assert sum(counts.values()) == summary.statistics.message_count
            only = [m for _, _, m in reader.iter_messages(topics=["keyboard"])]
            assert len(only) == counts["keyboard"] > 0
            (facts,) = reader.iter_metadata()
            assert facts.metadata["redacted"] == "titles, typed text, key codes"


def test_open_world_agents_reads_it_as_its_own_messages(root: Path) -> None:
    owa = pytest.importorskip("mcap_owa.highlevel")
    for path in (root / "owamcap").rglob("*.mcap"):
        with owa.OWAMcapReader(path) as reader:
            kinds = {type(m.decoded).__module__.split(".")[0] for m in reader.iter_messages()}
        assert kinds == {"owa"}


def test_the_schemas_are_those_that_open_world_agents_publishes() -> None:
    pytest.importorskip("owa.msgs")
    from owa.msgs.desktop.keyboard import KeyboardEvent
    from owa.msgs.desktop.mouse import MouseEvent
    from owa.msgs.desktop.window import WindowInfo

    for topic, message in (
        ("keyboard", KeyboardEvent),
        ("mouse", MouseEvent),
        ("window", WindowInfo),
    ):
        name, schema = owamcap.SCHEMAS[topic]
        theirs, ours = message.get_schema(), json.loads(schema)
        assert message._type == name
        assert ours["required"] == theirs["required"]
        for field, kind in theirs["properties"].items():
            assert {**ours["properties"][field], "title": ""} == {**kind, "title": ""}


@pytest.mark.filterwarnings("ignore")
def test_datasets_and_croissant_open_the_same_rows(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    croissant = pytest.importorskip("mlcroissant")
    folder = root / "huggingface"
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "validation", "test"}
    described = croissant.Dataset(str(folder / "croissant.json"))
    assert not described.metadata.issues.errors
    assert not described.metadata.issues.warnings
    for split, rows in loaded.items():
        found = list(described.records(f"events-{split}"))
        assert len(found) == len(rows) > 100
        for place in (0, len(rows) // 2, len(rows) - 1):
            one = {name.split("/")[1]: value for name, value in found[place].items()}
            text = {n: v.decode() if isinstance(v, bytes) else v for n, v in one.items()}
            assert text == rows[place]
