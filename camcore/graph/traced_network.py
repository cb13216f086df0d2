"""A traced network: its graph with the scores, layers and geometry found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from camcore.graph.compiled import Function, SubgraphCompiler
from camcore.graph.layers import LayerTable
from camcore.graph.reach import Reach
from camcore.graph.scores import Scores
from camcore.lazy import tf

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class TracedNetwork:
    """``compiler`` of the trace; its ``scores``; the ``table`` of its layers; ``reach``: the field of each tensor."""

    compiler: SubgraphCompiler
    scores: Scores
    reach: Mapping[str, Reach]
    table: LayerTable
    channels_first: bool

    @property
    def source(self) -> tf.Tensor:
        """The network's input, a tensor (n, …)."""
        return self.compiler.trace.input

    @property
    def logits(self) -> tf.Tensor:
        """The scores that methods differentiate, a tensor (n, classes)."""
        return self.scores.logits

    def tensor(self, path: str) -> tf.Tensor:
        """The output of a layer."""
        return self.table.tensors[path]

    def forward(self) -> Function:
        """x → [logits]."""
        return self.compiler.subgraph(("forward",), lambda: ([self.source], [self.logits]))

    def forward_with_probabilities(self) -> Function:
        """x → [logits, the output's own probabilities], where these are not the activation of the logits."""
        return self.compiler.subgraph(
            ("forward with probabilities",), lambda: ([self.source], [self.logits, self.scores.probabilities])
        )

    def order(self, tensor: tf.Tensor) -> tuple[int, ...]:
        """The axes of a tensor's images, rows, columns and channels: (0, 1, 2, 3) for (n, h, w, channels).

        Parts of a network may differ from its input. What has no grid is left in its own order.
        """
        seen = self.reach.get(tensor.name)
        return (
            seen.order
            if seen is not None and seen.spatial and tensor.shape.rank == 4
            else tuple(range(tensor.shape.rank or 0))
        )

    def channels_last(self, array: Array, tensor: tf.Tensor = None) -> Array:
        """A batch of a tensor's values (None: the input's) as (n, h, w, channels), whatever its own layout."""
        order = self.order(self.source if tensor is None else tensor)
        return array if order == tuple(range(len(order))) else array.transpose(order)

    def upright(self, array: Array, tensor: tf.Tensor) -> Array:
        """As ``channels_last``, and where the tensor sees the picture mirrored turned back, to lie on the picture."""
        seen = self.reach.get(tensor.name)
        result = self.channels_last(array, tensor)
        if seen is None or not seen.spatial or result.ndim != 4:
            return result
        rows, columns = (slice(None, None, -1 if axis.stride < 0 else 1) for axis in seen.axes)
        return result[:, rows, columns]

    def own_layout(self, array: Array, tensor: tf.Tensor = None) -> Array:
        """A batch (n, h, w, channels) in the layout of a tensor (None: the input)."""
        order = self.order(self.source if tensor is None else tensor)
        return array if order == tuple(range(len(order))) else array.transpose(own_order(order))


def own_order(order: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that lead from (n, h, w, channels) to a tensor of that ``order``."""
    return tuple(order.index(axis) for axis in range(len(order)))
