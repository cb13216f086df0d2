"""The last grid of a network before its scores, which is the layer to look at, and what ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from camcore.graph.first_maps import becomes_tokens, first_maps, has_cells
from camcore.graph.picking import PICKING
from camcore.graph.reach import Reach, constant
from camcore.graph.walks import ancestors
from camcore.lazy import tf

NOT_LOCATED = "its geometry is not known: rows, columns and their places are taken to be as they are in the input"
_POOLINGS = ("MaxPool", "AvgPool")
_SAME_NUMBERS = ("Cast", "Identity", "StopGradient")
_POWERS = ("Pow", "Square", "Sqrt", "Exp", "Log", "Log1p")
_WITH_CONSTANTS = ("Maximum", "Minimum", "ClipByValue", "Mul", "RealDiv", "AddV2", "Sub")
_PRODUCTS = ("Mul", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")
_PICTURE_CHANNELS = 4
# Operations that features are made by: products with weights, and functions that may hold some.
_WEIGHTED = {
    "Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3D", "MatMul", "BatchMatMulV2", "BatchMatMulV3",
    "Einsum", "PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If", "StatelessIf",
}  # fmt: skip
_COLLAPSES = {
    "Mean": "global average pooling",
    "Max": "global max pooling",
    "Sum": "the sum over all places",
    "Reshape": "flattening",
    "Conv2D": "the convolution that ends the grid",
    "AvgPool": "average pooling over the whole grid",
    "MaxPool": "max pooling over the whole grid",
    "Map": "the classifier of the output's pixels",
}


@dataclass(frozen=True, eq=False)
class LastGrid:
    """The deepest tensor with a grid before the scores, and the type of the operation that collapses it.

    ``unseen``: a tensor after it that has sides of its own, of which no geometry was found; None where there is none.
    ``attended``: it is what an attention takes, behind which the scores use only what that gathered.
    """

    tensor: tf.Tensor
    collapse: str
    unseen: tf.Tensor
    attended: bool = False

    def reason(self, grid: tuple[int, int] | None, located: bool) -> str:
        """The reason for which it is the recommended layer."""
        h, w = grid or (1, 1)
        if self.unseen is not None:
            shape = " × ".join("?" if side is None else str(side) for side in self.unseen.shape[1:])
            return (
                f"last {h}×{w} map whose cells are known to follow the picture; what comes after it (shape {shape}) "
                "mixes the places or leads them where they could not be traced"
            )
        if self.attended:
            return (
                f"{h}×{w} patch tokens, the input of the last attention that reads them; behind it the scores use only "
                "what it gathered, such as the class token, and the patches' gradient is zero"
            )
        text = (
            f"last {h}×{w} map before {_COLLAPSES.get(self.collapse, 'the network gives up its grid')}, "
            "after its activation, normalisation and sums"
        )
        return text if located else f"{text}; {NOT_LOCATED}"


def last_grid(ends: Sequence[tf.Tensor], reach: Mapping[str, Reach], listed: set[str]) -> LastGrid | None:
    """The last grid of the network, on the way back from ``ends``; None where it has none.

    ``listed``: the names of the tensors that layers put out; a cast between a layer and the collapse is passed.
    """
    found = first_maps(ends, reach)
    deepest = [found.maps[name] for name in _in_order(ends[0].graph, found.maps)]
    if not deepest or deepest[-1].tensor.op.type == "Placeholder":
        return None
    weights = _weights([one.tensor for one in deepest], reach, found.seen)
    kept = [one for one in deepest if one.tensor.name not in weights]
    # Where several maps meet in the scores the coarsest is the deepest; the last made of these.
    last = min(reversed(kept), key=lambda one: _size(reach[one.tensor.name]))
    tensor = _inside_mean(last.tensor, reach, listed)
    while tensor.op.inputs and tensor.op.inputs[0].op.type != "Placeholder":
        passed = tensor.op.type in (*_SAME_NUMBERS, "Transpose") and tensor.name not in listed
        passed = passed or becomes_tokens(tensor) or _drops_tokens(tensor, reach)
        if not passed and tensor.op.type not in _POOLINGS:
            break
        if not has_cells(reach.get(tensor.op.inputs[0].name)):
            break
        tensor = tensor.op.inputs[0]
    return LastGrid(tensor, last.consumer, found.unseen, last.attended) if _has_features(tensor, reach) else None


def _drops_tokens(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> bool:
    """True for the patch tokens that were sliced from all tokens."""
    source = tensor.op.inputs[0]
    return tensor.op.type in PICKING and source.name in reach and reach[source.name].tokens


def _has_features(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> bool:
    """True for a map that holds features of the picture: made with weights, or in more channels than a picture has.

    A rescaled or pooled picture holds none.
    """
    own = reach[tensor.name]
    if (tensor.shape[own.order[3] if own.spatial else -1] or 0) > _PICTURE_CHANNELS:
        return True
    operations = (one.op for name, one in ancestors([tensor]).items() if name in reach)
    weighted = (operation for operation in operations if operation.type in _WEIGHTED)
    return any(source.name not in reach and constant(source) is None for one in weighted for source in one.inputs)


def _weights(maps: Sequence[tf.Tensor], reach: Mapping[str, Reach], seen: set[str]) -> set[str]:
    """The names of the maps that only weigh another map of the same grid, which they were made from.

    So does the attention in attention pooling and the assignment in NetVLAD: what is pooled is the other map. They
    meet in a product before anything else. ``maps``: in the order of the graph; ``seen``: the tensors behind them.
    """
    if len(maps) < 2:
        return set()
    made = {tensor.name: ancestors([tensor]) for tensor in maps}
    carried = {tensor.name: frozenset([tensor.name]) for tensor in maps}
    met: set[tuple[str, str]] = set()
    weights: set[str] = set()
    for operation in maps[0].graph.get_operations():
        if not any(output.name in seen and output.name not in made for output in operation.outputs):
            continue
        given = [carried[source.name] for source in operation.inputs if source.name in carried]
        for one, other in permutations(given, 2):
            for source, weight in set(product(one - other, other - one)) - met:
                met.add((source, weight))
                same = reach[source].grid == reach[weight].grid
                if operation.type in _PRODUCTS and same and source in made[weight]:
                    weights.add(weight)
        for output in operation.outputs if given else ():
            carried[output.name] = frozenset().union(*given)
    return weights


def _inside_mean(tensor: tf.Tensor, reach: Mapping[str, Reach], listed: set[str]) -> tf.Tensor:
    """The map of which a generalised mean (GeM, log-sum-exp, noisy-or) is taken, without the mean's own function."""
    inner, raised = tensor, False
    while inner.name not in listed and inner.op.type in (*_POWERS, *_WITH_CONSTANTS, *_SAME_NUMBERS):
        given = [source for source in inner.op.inputs if source.name in reach]
        if inner.op.type == "Sub":  # log-sum-exp subtracts the largest value first
            given = [source for source in given if has_cells(reach[source.name])]
        if len(given) != 1:  # a gate, or the sum of two maps
            return tensor
        raised = raised or inner.op.type in _POWERS
        inner = given[0]
    return inner if raised and inner.name in listed else tensor


def _size(reach: Reach) -> int:
    return (reach.grid[0] or 10**6) * (reach.grid[1] or 10**6)


def _in_order(graph: tf.Graph, names: Iterable[str]) -> list[str]:
    wanted = {name.rsplit(":", 1)[0]: name for name in names}
    return [wanted[op.name] for op in graph.get_operations() if op.name in wanted]
