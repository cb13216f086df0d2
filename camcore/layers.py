"""The layers of a network: their grids, what a cell sees, and which one to look at, with the reason.

The recommended layer is derived from the traced graph, not from a table of names: walking back from the logits,
it is the first tensor met that still has a grid larger than 1×1, so the last one before the network collapses
space. Squeeze-and-excitation blocks, which pool earlier, are never met on that walk. Where that tensor is the
output of a max or average pooling, the pooling's input is taken, which is finer and says the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from camcore.checks import shown
from camcore.engine.graphs import flat_ends, layer_inputs
from camcore.engine.tracing import Call, Trace
from camcore.engine.windows import Reach
from camcore.errors import LayerError, ModelError, nearest
from camcore.framing import CellGrid

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


@dataclass(frozen=True)
class LayerInfo:
    """One call of one layer, as a heatmap sees it.

    ``path``: unique name, ``nested/conv``, with ``#2`` for the second call of a shared layer. ``grid``: cells
    (h, w), None without a spatial grid. ``stride``: input pixels from cell to cell, (y, x). ``receptive_field``:
    theoretical size in input pixels (h, w), None where the graph holds something whose geometry is not known.
    ``first_centre``: input pixel, (y, x), at the centre of the first cell's field. ``whole_picture``: a gate
    (squeeze and excitation) or attention on the way lets every cell see more than its field.
    ``recommended`` marks the default layer; ``reason`` says why, or why not this one. ``inputs``: paths of the
    layers whose output it takes, in its own order. ``flat_ends``: values at which its function ends and has no
    slope any more, such as 6 for ReLU6; empty where it has none but zero.
    """

    path: str
    kind: str
    class_name: str
    shape: tuple[int | None, ...]
    grid: tuple[int, int] | None
    channels: int | None
    stride: tuple[float, float] | None
    receptive_field: tuple[int, int] | None
    first_centre: tuple[float, float] | None
    whole_picture: bool
    usable: bool
    recommended: bool
    reason: str
    inputs: tuple[str, ...] = ()
    flat_ends: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def cells(self, input_size: tuple[int, int]) -> CellGrid:
        """Where the cells lie on the network's input of ``input_size`` (h, w), for drawing a map.

        Cells whose field fits into the input lie at its centre, which follows the padding. A larger field is
        cut off by the picture's borders on every side, and its theoretical centre, which padding may put half
        a cell aside, no longer says where the cell looks: there the grid is stretched evenly over the input,
        as the papers do it. (``benchmarks/effective_field.py`` measures both on real weights.)
        """
        assert self.grid is not None
        field = self.receptive_field
        if self.first_centre and self.stride and field and all(map(int.__le__, field, input_size)):
            return CellGrid(self.first_centre, self.stride)
        return CellGrid.uniform(self.grid, input_size)


@dataclass(frozen=True, eq=False)
class LayerTable:
    """The layers of a trace, the tensors behind them, and other names they go by."""

    infos: tuple[LayerInfo, ...]
    tensors: Mapping[str, Any]
    aliases: Mapping[str, str]
    objects: Mapping[int, str]
    default: str

    @cached_property
    def _by_path(self) -> dict[str, LayerInfo]:
        return {info.path: info for info in self.infos}

    def find(self, layer: Any) -> LayerInfo:
        """The layer of a path, a bare layer name, or a Keras layer object; see ``Network.layer``."""
        path = layer if isinstance(layer, str) else self.objects.get(id(layer))
        if path is None:
            raise LayerError(
                f"The layer {shown(getattr(layer, 'name', layer))} is not part of this network. A layer is named by "
                f"its path or given as an object of this very model. Try {self.default!r}."
            )
        path = self.aliases.get(path, path)
        info = self._by_path.get(path)
        if info is not None:
            return info
        near = nearest(path, [*self.aliases, *self._by_path])
        raise LayerError(
            f"There is no layer {path!r} in this network. A layer goes by its name, or its path inside nested models. "
            + (f"Did you mean {near!r}? " if near else "")
            + f"The recommended layer is {self.default!r}; `layers` lists all."
        )

    def usable(self, layer: Any) -> LayerInfo:
        """As ``find``, and refused with the reason where the layer has no heatmap to give."""
        info = self.find(layer)
        if info.usable:
            return info
        default = self.find(self.default)
        assert default.grid is not None
        raise LayerError(
            f"Layer {info.path!r} cannot carry a heatmap: {info.reason}. A heatmap needs a spatial grid that "
            f"the scores depend on. Try {default.path!r} ({default.grid[0]}×{default.grid[1]})."
        )


def list_layers(trace: Trace, logits: Any, reach: Mapping[str, Reach], before_map: Sequence[Any] = ()) -> LayerTable:
    """Every call of the trace as a LayerInfo, with the recommended one marked.

    ``before_map``: of an output that is a map, the tensors that the recommended one is taken from; see
    ``engine/before_map.py``. Raises ModelError where nothing on the way to ``logits`` has a grid.
    """
    listed = _listed_calls(trace.calls)
    frontier, collapse = _last_grid(before_map or [logits], reach, {call.tensor.name for call in listed})
    collapse = "Map" if before_map else collapse
    tensors = {call.path: call.tensor for call in listed}
    default: str = _path_of(frontier, listed) or frontier.op.name
    tensors.setdefault(default, frontier)  # made by the model's own code, between two layers
    ancestors = _ancestors(logits)
    places = {operation.name: place for place, operation in enumerate(logits.graph.get_operations())}
    order = sorted(tensors, key=lambda path: places[tensors[path].op.name])
    kinds = {call.path: (_kind(call), call.kind) for call in listed}
    sources = layer_inputs({path: tensors[path] for path in order})
    infos = []
    for path in order:
        kind, class_name = kinds.get(path, ("operation", frontier.op.type))
        info = _info(path, kind, class_name, tensors[path], reach, ancestors, default, collapse)
        infos.append(replace(info, inputs=sources[path], flat_ends=flat_ends(tensors[path])))
    aliases, objects = _other_names(trace.calls, tensors)
    return LayerTable(tuple(infos), tensors, aliases, objects, default)


def ladder(table: LayerTable, steps: int = 4) -> tuple[str, ...]:
    """The last layer of each of the last ``steps`` grid sizes, from shallow to deep; ends with the default."""
    last: dict[tuple[int, int], str] = {}
    for info in table.infos:
        if info.usable and info.grid and info.kind not in ("pooling", "padding", "dropout"):
            last.pop(info.grid, None)
            last[info.grid] = info.path
        if info.recommended:
            last.pop(info.grid or (0, 0), None)
            last[info.grid or (0, 0)] = info.path
            break
    return tuple(last.values())[-steps:]


def _has_cells(reach: Reach | None) -> bool:
    return reach is not None and reach.spatial and (reach.grid[0] or 2) * (reach.grid[1] or 2) > 1


def _last_grid(ends: Sequence[Any], reach: Mapping[str, Reach], listed: set[str]) -> tuple[Any, str]:
    """The deepest tensor with a grid before ``ends``, and the type of the operation that collapses it.

    ``listed``: the names of the tensors that layers put out; a cast between a layer and the collapse is passed.
    """
    found: dict[str, tuple[Any, str]] = {}
    seen = {end.name for end in ends}
    stack = [(end, "") for end in ends]
    while stack:
        tensor, consumer = stack.pop()
        if tensor.shape.rank == 4 and _has_cells(reach.get(tensor.name)):
            found[tensor.name] = (tensor, consumer)
            continue
        for source in tensor.op.inputs:
            if source.name in reach and source.name not in seen:
                seen.add(source.name)
                stack.append((source, tensor.op.type))
    deepest = [found[op_output] for op_output in _in_order(ends[0].graph, found)]
    if not deepest or deepest[-1][0].op.type == "Placeholder":
        raise ModelError(
            "This network has no feature map with a grid larger than 1×1 on the way to its scores, so there is "
            "nothing a heatmap could be drawn on. Class activation maps need a convolutional network."
        )
    # Where several maps meet in the scores the coarsest is the deepest; the last made of these.
    tensor, collapse = min(reversed(deepest), key=lambda item: _size(reach[item[0].name]))
    while tensor.op.inputs and tensor.op.inputs[0].op.type != "Placeholder":
        passed = tensor.op.type in _SAME_NUMBERS and tensor.name not in listed
        if not passed and tensor.op.type not in _POOLINGS:
            break
        tensor = tensor.op.inputs[0]
    return tensor, collapse


def _size(reach: Reach) -> int:
    return (reach.grid[0] or 10**6) * (reach.grid[1] or 10**6)


def _in_order(graph: Any, names: Iterable[str]) -> list[str]:
    wanted = {name.rsplit(":", 1)[0]: name for name in names}
    return [wanted[op.name] for op in graph.get_operations() if op.name in wanted]


def _ancestors(tensor: Any) -> set[str]:
    """The names of all tensors that ``tensor`` is computed from, itself included."""
    seen = {tensor.name}
    stack = [tensor]
    while stack:
        for source in stack.pop().op.inputs:
            if source.name not in seen:
                seen.add(source.name)
                stack.append(source)
    return seen


def _listed_calls(calls: tuple[Call, ...]) -> list[Call]:
    """Single layers, and those composite ones whose output none of their parts has."""
    leaves = {call.tensor.name for call in calls if not call.children}
    return [call for call in calls if not call.children or call.tensor.name not in leaves]


def _path_of(tensor: Any, calls: list[Call]) -> str | None:
    return next((call.path for call in calls if call.tensor.name == tensor.name), None)


def _other_names(calls: tuple[Call, ...], tensors: Mapping[str, Any]) -> tuple[dict[str, str], dict[int, str]]:
    """Names and objects that stand for a listed path. A name of several calls means the last one."""
    by_tensor: dict[str, str] = {}
    for path, tensor in tensors.items():
        by_tensor.setdefault(tensor.name, path)
    aliases: dict[str, str] = {}
    objects: dict[int, str] = {}
    for call in calls:
        known = call.path if call.path in tensors else by_tensor.get(call.tensor.name)
        if known is None:
            continue
        objects[id(call.layer)] = known
        for alias in (call.path, call.path.split("#")[0], call.layer.name):
            if alias not in tensors:
                aliases[alias] = known
    return aliases, objects


def _info(
    path: str,
    kind: str,
    class_name: str,
    tensor: Any,
    reach: Mapping[str, Reach],
    ancestors: set[str],
    default: str,
    collapse: str,
) -> LayerInfo:
    seen = reach.get(tensor.name)
    shape = tuple(tensor.shape[1:]) if tensor.shape.rank else ()
    grid: tuple[int, int] | None = None
    stride = centre = None
    field: tuple[int, int] | None = None
    if seen is not None and seen.spatial and tensor.shape.rank == 4 and None not in seen.grid:
        assert seen.axes is not None
        grid = (int(seen.grid[0] or 0), int(seen.grid[1] or 0))
        stride = (seen.axes[0].stride, seen.axes[1].stride)
        centre = (seen.axes[0].centre, seen.axes[1].centre)
        if seen.known:
            field = (math.ceil(seen.axes[0].size), math.ceil(seen.axes[1].size))
    channels = shape[seen.order[3] - 1 if seen is not None and grid else -1] if shape else None
    reason = _objection(path, tensor, shape, grid, seen, tensor.name in ancestors, kind)
    usable = not reason
    if path == default:
        assert grid is not None
        reason = (
            f"last {grid[0]}×{grid[1]} map before {_COLLAPSES.get(collapse, 'the network gives up its grid')}, "
            "after its activation, normalisation and sums"
        )
    elif usable:
        assert grid is not None
        what = {"pooling": "a pooled copy", "padding": "only adds a border"}.get(kind, "an earlier step")
        reason = f"{what}; {grid[0]}×{grid[1]} cells, less about the class than {default!r}"
    return LayerInfo(
        path,
        kind,
        class_name,
        shape,
        grid,
        channels,
        stride,
        field,
        centre,
        bool(seen and seen.whole_picture),
        usable,
        path == default,
        reason,
    )


def _objection(
    path: str,
    tensor: Any,
    shape: tuple[int | None, ...],
    grid: tuple[int, int] | None,
    seen: Reach | None,
    on_the_way: bool,
    kind: str,
) -> str:
    if grid is None:
        sides = " × ".join("?" if side is None else str(side) for side in shape)
        return f"it has no spatial grid (shape {sides or 'of one number'})"
    if grid == (1, 1):
        return "its grid has one cell only (1×1)"
    if not on_the_way:
        return "the scores do not depend on it"
    if not tensor.dtype.is_floating:
        return f"it holds {tensor.dtype.name} values, which have no gradient"
    return ""


_KINDS = (
    ("pooling", ("pooling", "pool")),
    ("padding", ("padding", "cropping")),
    ("convolution", ("conv",)),
    ("normalisation", ("normalization", "norm")),
    ("activation", ("activation", "relu", "softmax", "elu", "gelu", "silu", "swish", "sigmoid", "tanh")),
    ("merge", ("add", "concatenate", "multiply", "subtract", "average", "maximum", "minimum", "dot")),
    ("dropout", ("dropout", "stochasticdepth", "droppath")),
    ("dense", ("dense", "linear")),
    ("reshape", ("reshape", "flatten", "permute", "repeat")),
    ("resizing", ("upsampling", "resizing")),
    ("preprocessing", ("rescaling",)),
)


def _kind(call: Call) -> str:
    if call.children:
        return "block"
    name = call.kind.lower()
    return next((kind for kind, words in _KINDS if any(word in name for word in words)), "operation")
