"""The layer to look at in a network whose output is a map, as in segmentation: the features before its classifier.

Such a network never gives up its grid, so the rule for classifiers, the last grid before space collapses, would name
the map of logits itself, which holds the answer and nothing it was drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping

from camcore.graph.reach import Reach
from camcore.graph.scores import Scores
from camcore.graph.walks import reached
from camcore.lazy import tf

_PRODUCTS = ("Conv2D", "MatMul", "Conv2DBackpropInput", "BatchMatMulV2", "Einsum")
# Finer cells made of coarser ones without weights. Keras repeats cells by a reshape, a broadcast and another reshape.
_RESIZING = {
    "ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "Reshape", "ExpandDims", "Tile", "BroadcastTo",
    "Identity", "Cast", "Transpose", "ConcatV2", "Split", "SplitV", "GatherV2", "Mul", "Squeeze",
}  # fmt: skip


def features_before_map(scores: Scores, reach: Mapping[str, Reach]) -> tuple[tf.Tensor, ...]:
    """The input of the last convolution (or dense layer) before the logits of a map, before it was enlarged.

    The walk goes back from the logits of every pixel, through activations, enlarging and sums, to the nearest product
    with weights: the classifier of the pixels. What it takes are the features by which it tells them apart, so every
    cell of a heatmap there has one meaning for the score; where they were only enlarged for it, the cells that were
    computed are the coarser ones before. A transposed convolution of the logits themselves enlarges, too. The deeper
    bottleneck, which Seg-Grad-CAM's paper shows too, can be named. Of several such inputs, as of heads at several
    sizes, all are given. Empty where the output is no map.
    """
    if not scores.of_map:
        return ()
    features: dict[str, tf.Tensor] = {}

    def before(tensor: tf.Tensor) -> list[tf.Tensor]:
        operation = tensor.op
        given = [source for source in operation.inputs if source.name in reach]
        if operation.type in _PRODUCTS and len(given) == 1 and not _enlarges_logits(operation):
            coarsest = _before_enlarging(given[0], reach)
            features[coarsest.name] = coarsest
            return []
        return given

    reached([scores.source], before)
    return tuple(features.values())


def _enlarges_logits(operation: tf.Operation) -> bool:
    """True for a transposed convolution from so many channels to as many: a learned enlarging of a map."""
    if operation.type != "Conv2DBackpropInput":
        return False
    kernel = operation.inputs[1].shape  # (h, w, channels out, channels in)
    return kernel.rank == 4 and kernel[2] == kernel[3]


def _before_enlarging(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> tf.Tensor:
    """The first, coarsest map that ``tensor`` was only enlarged or laid out from; itself where there is none."""
    coarsest, now = tensor, tensor
    while now.op.type in _RESIZING:
        given = {one.name: one for one in now.op.inputs if one.name in reach}
        if len(given) != 1:
            break
        (now,) = given.values()
        if _cells(reach.get(now.name)) <= _cells(reach.get(coarsest.name)):
            coarsest = now
    return coarsest


def _cells(reach: Reach | None) -> float:
    if reach is None or not reach.spatial:
        return float("inf")
    return (reach.grid[0] or float("inf")) * (reach.grid[1] or float("inf"))
