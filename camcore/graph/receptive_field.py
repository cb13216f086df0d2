"""The part of the input that each cell of each feature map can see, walked through the traced graph.

The walk goes from the input forward and applies a rule to every operation: ``windows.py`` has those that slide over a
grid, ``rearranging.py`` and ``slicing.py`` those that move axes and cells, ``combining.py`` those that combine maps.
Behind an operation that has no rule a tensor is *lost*; where something later takes it for a grid, or a layer puts it
out, its geometry is found by trial (``probing.py``), or taken to be that of the input and said to be unknown.

A tensor that was averaged over all positions sees the whole picture. Where it later multiplies a feature map
(squeeze and excitation) the map keeps its local field, and ``whole_picture`` says that a gate sees more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import permutations

import numpy as np

from camcore._compat import inner_graph
from camcore.graph.combining import COMBINING_RULES, REDUCTIONS
from camcore.graph.placed import place_rule
from camcore.graph.probing import Prober
from camcore.graph.reach import LOST, Axis, Reach, Rule, constant, unknown
from camcore.graph.rearranging import REARRANGING_RULES
from camcore.graph.slicing import SLICING_RULES
from camcore.graph.trace import ConcreteFunction
from camcore.graph.windows import GRID_OPERATIONS, WINDOW_RULES, grid_axes, map_input
from camcore.lazy import tf

_FOR_THE_REST = 1.0  # seconds in which layers' outputs are tried out that nothing takes for a grid


def reaches(
    function: ConcreteFunction, source: tf.Tensor, channels_first: bool = False, named: Collection[tf.Tensor] = ()
) -> dict[str, Reach]:
    """The reach of every tensor of a traced function that depends on ``source``, by tensor name.

    ``function``: the wrapped function, with ``.graph`` and ``.prune``. ``source``: the symbolic input (n, H, W, C),
    or (n, C, H, W) with ``channels_first``. ``named``: the tensors that layers put out: where nothing else is known
    of one of rank 4, its axes are taken to be in the input's own order (``nominal``).
    """
    dims = (2, 3) if channels_first else (1, 2)
    known = {source.name: Reach((Axis(), Axis()), (source.shape[dims[0]], source.shape[dims[1]]), dims)}
    prober = Prober(function, source, known)
    for operation in function.graph.get_operations():  # in the order of creation, so inputs come first
        if operation.type in ("Shape", "ShapeN", "Size", "Rank", "Placeholder", "Const"):
            continue  # a shape is not a picture
        inputs = [known.get(tensor.name) for tensor in operation.inputs]
        if not any(inputs):
            continue
        for output in operation.outputs:
            reach = _after(operation, inputs, output)
            if reach is not None and not reach.axes:
                reach = _settled(output, reach, inputs, known[source.name], prober)
            if reach is not None:
                known[output.name] = reach
    _give_up_pieces(function.graph, known, prober)
    _name_the_rest(named, known, prober, dims)
    return known


def _settled(tensor: tf.Tensor, own: Reach, inputs: list[Reach | None], source: Reach, prober: Prober) -> Reach:
    """The geometry of a tensor without a rule, or pooled and later used as a grid: measured, or assumed."""
    if tensor.shape.rank != 4:
        return own
    taken = _taken_for_a_grid(tensor)
    before = next((reach for reach in inputs if reach is not None and reach.spatial), None)
    if taken is None and not (own.lost and _keeps_sides(tensor, source, before)):
        return own
    probed = prober.settle(tensor)
    if probed is not None:
        return probed
    if before is not None and _sides(tensor, before.dims) == before.grid:
        return replace(before, known=False, located=False, whole_picture=True)
    return own if taken is None else _taken(tensor, taken, source)


def _give_up_pieces(graph: tf.Graph, known: dict[str, Reach], prober: Prober) -> None:
    """Lose the grids that were only taken for such, where tiles cut from the pictures lie along the first axis.

    A layer that is run on tiles takes each for a picture; the first of them is not the whole picture's map.
    """
    taken = [
        tensor
        for operation in graph.get_operations()
        for tensor in operation.outputs
        if (reach := known.get(tensor.name)) is not None and reach.spatial and not reach.located
    ]
    for tensor, apart in zip(taken, prober.pictures_apart(taken), strict=True):
        if not apart:
            known[tensor.name] = LOST


def _name_the_rest(
    named: Collection[tf.Tensor], known: dict[str, Reach], prober: Prober, dims: tuple[int, int]
) -> None:
    """Give layers' outputs of rank 4 a grid of which nothing else is known, so that they can be looked at."""
    prober.seconds = min(prober.seconds, _FOR_THE_REST)
    source = known[prober.source.name]
    unnamed = [
        tensor
        for tensor in named
        if (reach := known.get(tensor.name)) is not None
        and not reach.spatial
        and not reach.places
        and tensor.shape.rank == 4
        and 1 not in _sides(tensor, dims)
    ]
    for tensor, apart in zip(unnamed, prober.pictures_apart(unnamed), strict=True):
        reach = known[tensor.name]
        if not apart:
            known[tensor.name] = LOST
            continue
        probed = prober.settle(tensor) if reach.lost and _plausible(tensor, source) else None
        known[tensor.name] = probed or replace(_taken(tensor, dims, source), nominal=True)


def _plausible(tensor: tf.Tensor, source: Reach) -> bool:
    """True where two axes of a tensor are to each other about as the picture's sides are: they may be a grid of it."""
    shape = [side or 1 for side in tensor.shape[1:]]
    shares = [
        (shape[rows] / (source.grid[0] or 1)) / (shape[columns] / (source.grid[1] or 1))
        for rows, columns in permutations(range(3), 2)
    ]
    return any(0.75 < share < 4 / 3 for share in shares)


def _taken(tensor: tf.Tensor, dims: tuple[int, int], source: Reach) -> Reach:
    """The grid that a tensor has if ``dims`` are its rows and columns, spread evenly over the input."""
    rows, columns = _sides(tensor, dims)
    if rows is None or columns is None:
        return LOST
    strides = ((source.grid[0] or 1) / rows, (source.grid[1] or 1) / columns)
    axes = [Axis(stride, 1.0, (stride - 1) / 2) for stride in strides]
    return Reach(tuple(axes), (rows, columns), dims, True, known=False, located=False)


def _sides(tensor: tf.Tensor, dims: tuple[int, ...]) -> tuple[int | None, int | None]:
    return tensor.shape[dims[0]], tensor.shape[dims[1]]


def _keeps_sides(tensor: tf.Tensor, source: Reach, before: Reach | None) -> bool:
    """True where a tensor has the sides of the input or of what it was made from, in whichever layout."""
    sides = tuple(tensor.shape)
    grids = [reach.grid for reach in (source, before) if reach is not None]
    return any(grid[0] in sides and grid[1] in sides for grid in grids)


def _taken_for_a_grid(tensor: tf.Tensor) -> tuple[int, int] | None:
    """The two axes of a tensor of rank 4 that what follows takes for rows and columns; None where nothing does."""
    taken = (_axes_taken(operation, tensor) for operation in tensor.consumers())
    axes = next(filter(None, taken), None)
    return axes if axes is not None and 1 not in _sides(tensor, axes) else None


def _axes_taken(operation: tf.Operation, tensor: tf.Tensor) -> tuple[int, int] | None:
    if operation.type in GRID_OPERATIONS:
        return grid_axes(operation) if operation.inputs[map_input(operation)] is tensor else None
    if operation.inputs[0] is not tensor:
        return None
    if operation.type in REDUCTIONS:
        axes = constant(operation.inputs[1])
        reduced = sorted({int(axis) % 4 for axis in np.atleast_1d(axes)}) if axes is not None else []
        return (reduced[0], reduced[1]) if reduced in ([1, 2], [2, 3]) else None
    rest, flat = tensor.shape[1:], operation.outputs[0].shape if operation.outputs else None
    if operation.type == "Reshape" and flat is not None and flat.rank == 2 and rest.is_fully_defined():
        return (1, 2) if flat[1] == rest.num_elements() else None
    return None


def _after(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    if operation.type == "IdentityN":
        return inputs[output.value_index]
    carried = [reach for reach in inputs if reach is not None]
    if any(reach.places for reach in carried):
        return place_rule(operation.type)(operation, inputs, output)
    rule = _RULES.get(operation.type)
    if rule is None:
        return unknown(inputs)
    if operation.type in _MOVES and carried and all(not reach.axes for reach in carried):
        return inputs[0] or carried[0]
    reach = rule(operation, inputs, output)
    if reach is None or not reach.spatial:
        return reach
    rank = output.shape.rank
    if rank is None or max(reach.dims) >= rank:
        return LOST
    reach = replace(reach, grid=(output.shape[reach.dims[0]], output.shape[reach.dims[1]]))
    return reach.cut_from(carried[0]) if operation.type in SLICING_RULES and carried[0].spatial else reach


def _opaque(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A call of a compiled function: looked into where it holds one convolution or pooling."""
    inner = inner_graph(operation)
    if inner is None:
        return unknown(inputs)
    arguments = [i for i, reach in enumerate(inputs) if reach is not None]
    reach = inputs[arguments[0]]
    if len(arguments) != 1 or reach is None or not reach.spatial:
        return unknown(inputs)
    known = {inner.inputs[arguments[0]].name: reach}
    for inside in inner.get_operations():
        given = [known.get(tensor.name) for tensor in inside.inputs]
        if inside.type != "Shape" and any(given):
            for result in inside.outputs:
                after = _after(inside, given, result)
                if after is not None:
                    known[result.name] = after
    return known.get(inner.outputs[output.value_index].name) or unknown(inputs)


_MOVES = {**REARRANGING_RULES, **SLICING_RULES}
_RULES: dict[str, Rule] = {
    **WINDOW_RULES,
    **_MOVES,
    **COMBINING_RULES,
    **dict.fromkeys(("StatefulPartitionedCall", "PartitionedCall"), _opaque),
}
