"""What a traced network consists of, for those who cut functions out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from camcore.graph.compiled import Cutter, Function
from camcore.graph.layers import LayerTable
from camcore.graph.reach import Reach
from camcore.graph.scores import Scores

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """``cutter`` cuts the trace; ``scores`` are its ends; ``table`` its layers; ``reach`` what each tensor sees."""

    cutter: Cutter
    scores: Scores
    reach: Mapping[str, Reach]
    table: LayerTable
    channels_first: bool

    @property
    def source(self) -> Any:
        """The network's input, a tensor (n, …)."""
        return self.cutter.trace.input

    @property
    def logits(self) -> Any:
        """The scores that methods differentiate, a tensor (n, classes)."""
        return self.scores.logits

    def tensor(self, path: str) -> Any:
        """The output of a layer."""
        return self.table.tensors[path]

    def forward(self) -> Function:
        """x → [logits]."""
        return self.cutter.part(("forward",), lambda: ([self.source], [self.logits]))

    def answering(self) -> Function:
        """x → [logits, the output's own probabilities], where these are not the activation of the logits."""
        return self.cutter.part(("answering",), lambda: ([self.source], [self.logits, self.scores.probabilities]))

    def order(self, tensor: Any) -> tuple[int, ...]:
        """Where a tensor keeps its images, rows, columns and channels: (0, 1, 2, 3) for (n, h, w, channels).

        Parts of a network may differ from its input. What has no grid is left in its own order.
        """
        seen = self.reach.get(tensor.name)
        return (
            seen.order
            if seen is not None and seen.spatial and tensor.shape.rank == 4
            else tuple(range(tensor.shape.rank or 0))
        )

    def channels_last(self, array: Array, tensor: Any = None) -> Array:
        """A batch of a tensor's values (None: the input's) as (n, h, w, channels), whatever its own layout."""
        order = self.order(self.source if tensor is None else tensor)
        return array if order == tuple(range(len(order))) else array.transpose(order)

    def upright(self, array: Array, tensor: Any) -> Array:
        """As ``channels_last``, and where the tensor sees the picture mirrored turned back, to lie on the picture."""
        seen = self.reach.get(tensor.name)
        found = self.channels_last(array, tensor)
        if seen is None or not seen.spatial or seen.axes is None or found.ndim != 4:
            return found
        rows, columns = (slice(None, None, -1 if axis.stride < 0 else 1) for axis in seen.axes)
        return found[:, rows, columns]

    def own_layout(self, array: Array, tensor: Any = None) -> Array:
        """A batch (n, h, w, channels) in the layout of a tensor (None: the input)."""
        order = self.order(self.source if tensor is None else tensor)
        return array if order == tuple(range(len(order))) else array.transpose(own_order(order))


def own_order(order: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that lead from (n, h, w, channels) to a tensor of that ``order``."""
    return tuple(order.index(axis) for axis in range(len(order)))
