"""The layer whose exciting pictures are looked at first: deep enough for patterns, not yet beyond reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camcore.graph.layers import LayerInfo

SHARE = 1 / 3
"""A pattern that a channel looks for repeats several times across the picture where a cell sees no more of it."""
_KINDS = ("activation", "convolution", "merge", "block")


def legible_layer(layers: Sequence[LayerInfo], input_size: tuple[int, int]) -> LayerInfo | None:
    """The deepest layer whose cells each see at most a third of the input's shorter side; None where there is none.

    ``layers``: of a network, in the order of the computation. A transformer, whose tokens see everything, has no such
    layer.
    """
    most = SHARE * min(input_size)
    fitting = [
        info
        for info in layers
        if info.usable and info.kind in _KINDS and info.receptive_field and max(info.receptive_field) <= most
    ]
    return fitting[-1] if fitting else None
