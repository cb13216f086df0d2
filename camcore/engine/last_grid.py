"""The last grid of a network before its scores, which is the layer to look at, and what ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from camcore.engine.reach import Reach

NOT_LOCATED = "its geometry is not known: rows, columns and their places are taken to be as they are in the input"
_POOLINGS = ("MaxPool", "AvgPool")
_SAME_NUMBERS = ("Cast", "Identity", "StopGradient")
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


def _has_cells(reach: Reach | None) -> bool:
    return reach is not None and reach.spatial and (reach.grid[0] or 2) * (reach.grid[1] or 2) > 1


@dataclass(frozen=True, eq=False)
class LastGrid:
    """The deepest tensor with a grid before the scores, and the type of the operation that collapses it.

    ``unseen``: a tensor after it that has sides of its own, of which no geometry was found; None where there is none.
    """

    tensor: Any
    collapse: str
    unseen: Any

    def reason(self, grid: tuple[int, int] | None, located: bool) -> str:
        """Why it is the recommended layer."""
        h, w = grid or (1, 1)
        if self.unseen is not None:
            shape = " × ".join("?" if side is None else str(side) for side in self.unseen.shape[1:])
            return (
                f"last {h}×{w} map whose cells are known to follow the picture; what comes after it (shape {shape}) "
                "mixes the places or leads them where they could not be traced"
            )
        text = (
            f"last {h}×{w} map before {_COLLAPSES.get(self.collapse, 'the network gives up its grid')}, "
            "after its activation, normalisation and sums"
        )
        return text if located else f"{text}; {NOT_LOCATED}"


def last_grid(ends: Sequence[Any], reach: Mapping[str, Reach], listed: set[str]) -> LastGrid | None:
    """Where the network gives up its grid, on the way back from ``ends``; None where it has none.

    ``listed``: the names of the tensors that layers put out; a cast between a layer and the collapse is passed.
    """
    found: dict[str, tuple[Any, str]] = {}
    unseen = None
    seen = {end.name for end in ends}
    stack = [(end, "") for end in ends]
    while stack:
        tensor, consumer = stack.pop()
        own = reach.get(tensor.name)
        if own is not None and tensor.shape.rank == 4 and _has_cells(own) and not own.nominal:
            found[tensor.name] = (tensor, consumer)
            continue
        if own is not None and (own.lost or own.nominal) and (tensor.shape.rank or 0) > 2:
            unseen = unseen if unseen is not None else tensor
        for source in tensor.op.inputs:
            if source.name in reach and source.name not in seen:
                seen.add(source.name)
                stack.append((source, tensor.op.type))
    deepest = [found[op_output] for op_output in _in_order(ends[0].graph, found)]
    if not deepest or deepest[-1][0].op.type == "Placeholder":
        return None
    # Where several maps meet in the scores the coarsest is the deepest; the last made of these.
    tensor, collapse = min(reversed(deepest), key=lambda item: _size(reach[item[0].name]))
    while tensor.op.inputs and tensor.op.inputs[0].op.type != "Placeholder":
        passed = tensor.op.type in _SAME_NUMBERS and tensor.name not in listed
        if not passed and tensor.op.type not in _POOLINGS:
            break
        tensor = tensor.op.inputs[0]
    return LastGrid(tensor, collapse, unseen)


def _size(reach: Reach) -> int:
    return (reach.grid[0] or 10**6) * (reach.grid[1] or 10**6)


def _in_order(graph: Any, names: Iterable[str]) -> list[str]:
    wanted = {name.rsplit(":", 1)[0]: name for name in names}
    return [wanted[op.name] for op in graph.get_operations() if op.name in wanted]
