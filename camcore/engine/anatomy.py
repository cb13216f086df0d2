"""What a traced network consists of, for those who cut functions out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from camcore.engine.cutting import Cutter, Function
from camcore.engine.scores import Scores
from camcore.engine.windows import Reach
from camcore.layers import LayerTable

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
        """The scores before any softmax or sigmoid, a tensor (n, classes)."""
        return self.scores.logits

    def tensor(self, path: str) -> Any:
        """The output of a layer."""
        return self.table.tensors[path]

    def forward(self) -> Function:
        """x → [logits]."""
        return self.cutter.part(("forward",), lambda: ([self.source], [self.logits]))

    def channels_last(self, array: Array) -> Array:
        """A batch as (n, h, w, channels), whatever the network's own layout."""
        return array.transpose(0, 2, 3, 1) if self.channels_first else array

    def own_layout(self, array: Array) -> Array:
        """A batch (n, h, w, channels) in the network's own layout."""
        return array.transpose(0, 3, 1, 2) if self.channels_first else array
