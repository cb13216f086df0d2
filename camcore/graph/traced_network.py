"""A traced network: its graph with the scores, layers and geometry found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from camcore.graph.attention import Attentions, find_attentions
from camcore.graph.compiled import Function, SubgraphCompiler
from camcore.graph.layers import LayerTable
from camcore.graph.layout import Layout, layout_of
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

    @cached_property
    def attentions(self) -> Attentions:
        """The attentions of a transformer."""
        return find_attentions(self.scores, self.reach)

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

    def layout(self, tensor: tf.Tensor) -> Layout:
        """The axes of a tensor's images, cells and channels. Parts of a network may differ from its input."""
        return layout_of(tensor, self.reach.get(tensor.name))

    def channels_last(self, array: Array, tensor: tf.Tensor = None) -> Array:
        """A batch of a tensor's values (None: the input's) as (n, h, w, channels), whatever its own layout."""
        return self.layout(self.source if tensor is None else tensor).map_of(array)

    def upright(self, array: Array, tensor: tf.Tensor) -> Array:
        """As ``channels_last``, and where the tensor sees the picture mirrored turned back, to lie on the picture."""
        seen = self.reach.get(tensor.name)
        result = self.channels_last(array, tensor)
        if seen is None or not (seen.spatial or seen.tokens) or result.ndim != 4:
            return result
        rows, columns = (slice(None, None, -1 if axis.stride < 0 else 1) for axis in seen.axes)
        return result[:, rows, columns]

    def as_input(self, array: Array) -> Array:
        """A batch (n, h, w, channels) in the layout of the input."""
        return self.layout(self.source).filled(array, array)
