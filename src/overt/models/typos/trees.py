"""Boosted trees as flat arrays: the same sums as LightGBM's, without its cost of being asked.

LightGBM takes longer to look at forty rows than to walk its trees over them, which is what a
suggestion while somebody types would wait for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.models.tensors import Array


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees end to end; a negative child −1 − i is leaf i."""

    root: Array
    """int64[trees]: where each begins."""
    feature: Array = field(repr=False)
    threshold: Array = field(repr=False)
    """float64[nodes]: at most this goes left."""
    left: Array = field(repr=False)
    right: Array = field(repr=False)
    leaf: Array = field(repr=False)
    """float64[leaves]: what the leaf adds."""

    def raw(self, table: Array) -> Array:
        """Return float64[rows]: the sum over the trees; `table` is float32[rows, features]."""
        out = np.empty(len(table))
        _sum(table, self.root, self.feature, self.threshold, self.left, self.right, self.leaf, out)
        return out


def of(booster: Any) -> Trees:
    """Return the trees of a LightGBM model of plain numbers, none of them missing."""
    nodes: list[tuple[int, float]] = []
    left: list[int] = []
    right: list[int] = []
    leaves: list[float] = []

    def laid(part: dict[str, Any]) -> int:
        if "split_feature" not in part:
            leaves.append(part["leaf_value"])
            return -len(leaves)
        at = len(nodes)
        nodes.append((part["split_feature"], part["threshold"]))
        left.append(0)
        right.append(0)
        left[at], right[at] = laid(part["left_child"]), laid(part["right_child"])
        return at

    root = [laid(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    feature, threshold = zip(*nodes, strict=True) if nodes else ((), ())
    return Trees(
        np.array(root, np.int64),
        np.array(feature, np.int32),
        np.array(threshold, np.float64),
        np.array(left, np.int32),
        np.array(right, np.int32),
        np.array(leaves, np.float64),
    )


@kernel
def _sum(
    table: Array,
    root: Array,
    feature: Array,
    threshold: Array,
    left: Array,
    right: Array,
    leaf: Array,
    out: Array,
) -> None:
    for row in range(table.shape[0]):
        total = 0.0
        for tree in range(root.size):
            at = root[tree]
            while at >= 0:
                at = left[at] if table[row, feature[at]] <= threshold[at] else right[at]
            total += leaf[-1 - at]
        out[row] = total
