"""The vectors of the page's model are what Python computes; TypeScript reads the same file."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from models_fixtures import TINY, VECTORS, random_model, vectors
from overt.models.config import Config, config_from
from overt.models.page import page
from overt.models.tensors import decode, encode, sha256
from overt.schema.errors import Damaged, InvalidInput


def test_the_vectors_are_those_python_computes() -> None:
    stored, made = json.loads(VECTORS.read_text()), vectors()
    for exact in ("what", "events", "tokens"):
        assert stored[exact] == made[exact]
    assert len(stored["expected"]) == len(made["expected"])
    for before, now in zip(stored["expected"], made["expected"], strict=True):
        assert now["top"] == before["top"]
        for name in ("probability", "top_pause_ms", "pause_ms"):
            assert now[name] == pytest.approx(before[name], rel=1e-5, abs=1e-6)
    for before, now in zip(stored["guesses"], made["guesses"], strict=True):
        assert {n: g[0] for n, g in before.items()} == {n: g[0] for n, g in now.items()}


def test_the_page_gets_every_weight_and_no_count() -> None:
    trained = random_model(TINY)
    made = json.loads(json.dumps(page(trained), allow_nan=False))
    for tensors, packed in zip(trained.shards.values(), made["shards"], strict=True):
        weights = {n: a for n, a in tensors.items() if not n.startswith("tables.")}
        assert packed.keys() == weights.keys()
        for name, array in weights.items():
            sent = np.frombuffer(base64.b64decode(packed[name]["f32"]), "<f4")
            assert np.array_equal(sent.reshape(packed[name]["shape"]), array)


_ARRAYS = st.sampled_from(["<f4", "<i4", "<i8", "<i2", "|u1"]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


@given(st.dictionaries(st.text(max_size=8), _ARRAYS, max_size=4))
def test_equal_tensors_have_equal_bytes_in_whatever_order(tensors: dict) -> None:
    data = encode(tensors)
    assert encode(dict(reversed(tensors.items()))) == data
    back = decode(data)
    assert back.keys() == tensors.keys()
    for name, array in tensors.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


@given(st.binary(max_size=64), st.integers(0, 200))
def test_bytes_that_are_no_tensors_are_damaged_and_nothing_else(junk: bytes, cut: int) -> None:
    whole = encode({"a": np.arange(9, dtype="<f4"), "b": np.ones((2, 2), "<i4")})
    for data in (junk, whole[:cut] if cut < len(whole) else whole + b"x", whole[:8] + junk):
        with pytest.raises(Damaged):
            decode(data)


def test_a_value_a_shape_and_a_name_each_change_the_hash() -> None:
    ones = np.ones((2, 3), "<f4")
    hashes = {
        sha256(tensors)
        for tensors in (
            {"a": ones},
            {"b": ones},
            {"a": ones * 2},
            {"a": ones.reshape(3, 2)},
            {"a": ones.astype("<i4")},
        )
    }
    assert len(hashes) == 5
    with pytest.raises(InvalidInput):
        encode({"a": np.ones(2)})


def test_a_configuration_survives_its_json_and_says_which_field_is_wrong() -> None:
    data = json.loads(Config().to_json())
    assert config_from(data) == Config()
    for field, value in (("hidden", "64"), ("epochs", -1), ("device", "quantum"), ("seed", 1.5)):
        with pytest.raises(InvalidInput) as error:
            config_from({**data, field: value})
        assert error.value.where == f"config.{field}"
    with pytest.raises(InvalidInput):
        config_from({**data, "early_stopping": 1})
