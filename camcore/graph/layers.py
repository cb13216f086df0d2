"""The layers of a network: their grids, what a cell sees, and which one to look at, with the reason.

The recommended layer is derived from the traced graph, not from a table of names: walking back from the logits,
it is the first tensor met that still has a grid larger than 1×1, so the last one before the network collapses
space. Squeeze-and-excitation blocks, which pool earlier, are never met on that walk. Where that tensor is the
output of a max or average pooling, the pooling's input is taken, which is finer and says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from camcore.checks import shown
from camcore.errors import LayerError, nearest
from camcore.framing import CellGrid
from camcore.graph.last_grid import NOT_LOCATED, last_grid
from camcore.graph.reach import Reach
from camcore.graph.trace import Call, Trace
from camcore.graph.walks import ancestors, flat_ends, layer_inputs

# Why a network without a grid has no recommended layer, and what serves it.
NO_GRID = (
    "This network has no layer with a grid larger than 1×1 that holds features of the picture. Methods that look at "
    "a layer have nothing to draw on: places are mixed at once, or lie hidden inside one opaque operation."
)
WITHOUT_LAYER = (
    "Methods that need no layer work: 'occlusion' and 'rise', and where gradients reach the input 'gradient' and "
    "'fullgrad'."
)


@dataclass(frozen=True)
class LayerInfo:
    """One call of one layer, as a heatmap sees it.

    ``path``: unique name, ``nested/conv``, with ``#2`` for the second call of a shared layer. ``grid``: cells
    (h, w), None without a spatial grid. ``stride``: input pixels from cell to cell, (y, x). ``receptive_field``:
    theoretical size in input pixels (h, w), None where the graph holds something whose geometry is not known.
    A negative stride: the layer sees the picture mirrored. ``located``: False where it is not known which place of
    the picture a cell belongs to; its axes are then taken to be in the input's own order, spread evenly over it.
    ``first_centre``: input pixel, (y, x), at the centre of the first cell's field. ``whole_picture``: a gate
    (squeeze and excitation) or attention on the way lets every cell see more than its field.
    ``kept``: per axis the edges (low, high), in input pixels, of what a crop inside the network leaves of the input;
    None: all of it.
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
    located: bool = True
    kept: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)

    @property
    def mirrored(self) -> tuple[bool, bool]:
        """Whether its rows run from the bottom of the picture to the top, and its columns from right to left."""
        return (self.stride[0] < 0, self.stride[1] < 0) if self.stride else (False, False)

    def upright(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Maps (..., h, w) of the layer's cells, rows from the top of the picture to the bottom, columns left to right.

        A view where the layer sees the picture mirrored.
        """
        rows, columns = (slice(None, None, -1 if mirrored else 1) for mirrored in self.mirrored)
        return maps[..., rows, columns]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def cells(self, input_size: tuple[int, int]) -> CellGrid:
        """Where the cells lie on the network's input of ``input_size`` (h, w), for drawing a map.

        Cells whose field fits into the input lie at its centre, which follows the padding. A larger field is
        cut off by the picture's borders on every side, and its theoretical centre, which padding may put half
        a cell aside, no longer says where the cell looks: there, and where the field is not known, the grid is
        stretched evenly over the input, as the papers do it. (``benchmarks/effective_field.py`` measures both on
        real weights.) Behind a crop in the model what it leaves stands for the input, and the rest was not seen.
        """
        assert self.grid is not None
        field = self.receptive_field
        rows, columns = self._spans(input_size)
        sides = (rows[1] - rows[0], columns[1] - columns[0])
        seen = None if sides == input_size else (rows[0], columns[0], rows[1], columns[1])
        if self.first_centre and self.stride:
            fits = field is not None and field[0] <= sides[0] and field[1] <= sides[1]
            if fits or not self._covers((rows, columns)):
                return CellGrid(self.first_centre, self.stride, seen)
        even = CellGrid.uniform(self.grid, sides, self.mirrored)
        top, left = (first + low + 0.5 for first, low in zip(even.first_centre, (rows[0], columns[0]), strict=True))
        return CellGrid((top, left), even.stride, seen)

    def _spans(self, input_size: tuple[int, int]) -> tuple[tuple[float, float], tuple[float, float]]:
        """The edges, in input pixel indices, of what the layer can see of the input, rows and columns."""
        spans = []
        for side, kept, stride in zip(input_size, self.kept, self.stride or (1.0, 1.0), strict=True):
            half_cell = abs(stride) / 2  # as where every second pixel is taken
            whole = (-0.5, side - 0.5)
            low, high = kept or whole
            lost = max(low - whole[0], whole[1] - high)
            spans.append((max(low, whole[0]), min(high, whole[1])) if lost > half_cell else whole)
        return spans[0], spans[1]

    def _covers(self, spans: tuple[tuple[float, float], tuple[float, float]]) -> bool:
        """Whether the cells lie all over ``spans`` of the input, but for what padding and rounding do."""
        assert self.grid is not None
        assert self.stride is not None
        assert self.first_centre is not None
        for (low, high), count, stride, first in zip(spans, self.grid, self.stride, self.first_centre, strict=True):
            middle, share = first + stride * (count - 1) / 2, abs(stride) * count / (high - low)
            if abs(middle - (low + high) / 2) > 0.9 * abs(stride) or not 0.75 < share < 4 / 3:
                return False
        return True


@dataclass(frozen=True, eq=False)
class LayerTable:
    """The layers of a trace, the tensors behind them, and other names they go by.

    ``default``: the path of the recommended layer; None where no layer has a grid.
    """

    infos: tuple[LayerInfo, ...]
    tensors: Mapping[str, Any]
    aliases: Mapping[str, str]
    objects: Mapping[int, str]
    default: str | None

    @cached_property
    def _by_path(self) -> dict[str, LayerInfo]:
        return {info.path: info for info in self.infos}

    def find(self, layer: Any) -> LayerInfo:
        """The layer of a path, a bare layer name, or a Keras layer object; see ``Network.layer``."""
        path = layer if isinstance(layer, str) else self.objects.get(id(layer))
        if path is None:
            raise LayerError(
                f"The layer {shown(getattr(layer, 'name', layer))} is not part of this network. A layer is named by "
                f"its path or given as an object of this very model. {self.advice()}"
            )
        path = self.aliases.get(path, path)
        info = self._by_path.get(path)
        if info is not None:
            return info
        near = nearest(path, [*self.aliases, *self._by_path])
        raise LayerError(
            f"There is no layer {path!r} in this network. A layer goes by its name, or its path inside nested models. "
            + (f"Did you mean {near!r}? " if near else "")
            + (f"The recommended layer is {self.default!r}; " if self.default else "")
            + ("`layers` lists all." if self.default else "Its `layers` lists all.")
        )

    def usable(self, layer: Any = None) -> LayerInfo:
        """As ``find`` (None: the recommended one), and refused with the reason where it has no heatmap to give."""
        if layer is None:
            if self.default is None:
                raise LayerError(f"{NO_GRID} {WITHOUT_LAYER}")
            layer = self.default
        info = self.find(layer)
        if info.usable:
            return info
        raise LayerError(
            f"Layer {info.path!r} cannot carry a heatmap: {info.reason}. A heatmap needs a spatial grid that "
            f"the scores depend on. {self.advice()}"
        )

    def advice(self, verb: str = "Try") -> str:
        """The advice for a layer that cannot be used: the recommended layer, where there is one."""
        if self.default is None:
            return WITHOUT_LAYER
        default = self.find(self.default)
        assert default.grid is not None
        return f"{verb} {default.path!r} ({default.grid[0]}×{default.grid[1]})."


def list_layers(trace: Trace, logits: Any, reach: Mapping[str, Reach], before_map: Sequence[Any] = ()) -> LayerTable:
    """Every call of the trace as a LayerInfo, with the recommended one marked, where there is one.

    ``before_map``: of an output that is a map, the tensors that the recommended one is taken from; see
    ``graph/before_map.py``.
    """
    listed = listed_calls(trace.calls)
    last = last_grid(before_map or [logits], reach, {call.tensor.name for call in listed})
    if last is not None and before_map:
        last = replace(last, collapse="Map")
    tensors = {call.path: call.tensor for call in listed}
    default: str | None = None
    if last is not None:
        default = _path_of(last.tensor, listed) or last.tensor.op.name
        tensors.setdefault(default, last.tensor)  # made by the model's own code, between two layers
    behind = ancestors([logits])
    places = {operation.name: place for place, operation in enumerate(logits.graph.get_operations())}
    order = sorted(tensors, key=lambda path: places[tensors[path].op.name])
    kinds = {call.path: (_kind(call), call.kind) for call in listed}
    sources = layer_inputs({path: tensors[path] for path in order})
    infos = []
    for path in order:
        kind, class_name = kinds.get(path, ("operation", tensors[path].op.type))
        seen = reach.get(tensors[path].name)
        info = _info(path, kind, class_name, tensors[path], seen, tensors[path].name in behind, default)
        if last is not None and path == default:
            info = replace(info, recommended=True, reason=last.reason(info.grid, info.located))
        infos.append(replace(info, inputs=sources[path], flat_ends=flat_ends(tensors[path])))
    # Of a layer called several times the last call that the picture reaches goes by the bare name.
    calls = sorted(trace.calls, key=lambda call: call.tensor.name in reach)
    aliases, objects = _other_names(calls, tensors)
    return LayerTable(tuple(infos), tensors, aliases, objects, default)


def ladder(table: LayerTable, steps: int = 4) -> tuple[str, ...]:
    """The last layer of each of the last ``steps`` grid sizes, from shallow to deep; ends with the default.

    Empty where no layer has a grid.
    """
    if table.default is None:
        return ()
    last: dict[tuple[int, int], str] = {}
    for info in table.infos:
        if info.usable and info.grid and info.kind not in ("pooling", "padding", "dropout", "preprocessing"):
            last.pop(info.grid, None)
            last[info.grid] = info.path
        if info.recommended:
            last.pop(info.grid or (0, 0), None)
            last[info.grid or (0, 0)] = info.path
            break
    return tuple(last.values())[-steps:]


def listed_calls(calls: tuple[Call, ...]) -> list[Call]:
    """Single layers, and those composite ones whose output none of their parts has."""
    leaves = {call.tensor.name for call in calls if not call.children}
    return [call for call in calls if not call.children or call.tensor.name not in leaves]


def _path_of(tensor: Any, calls: list[Call]) -> str | None:
    return next((call.path for call in calls if call.tensor.name == tensor.name), None)


def _other_names(calls: Sequence[Call], tensors: Mapping[str, Any]) -> tuple[dict[str, str], dict[int, str]]:
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
    path: str, kind: str, class_name: str, tensor: Any, seen: Reach | None, on_the_way: bool, default: str | None
) -> LayerInfo:
    shape = tuple(tensor.shape[1:]) if tensor.shape.rank else ()
    grid: tuple[int, int] | None = None
    stride = centre = None
    field: tuple[int, int] | None = None
    located = True
    kept: tuple[Any, Any] = (None, None)
    if seen is not None and seen.spatial and 0 not in seen.dims and tensor.shape.rank == 4 and None not in seen.grid:
        assert seen.axes is not None
        grid = (int(seen.grid[0] or 0), int(seen.grid[1] or 0))
        located = seen.located
        if located:
            stride = (seen.axes[0].stride, seen.axes[1].stride)
            centre = (seen.axes[0].centre, seen.axes[1].centre)
            kept = (seen.axes[0].kept, seen.axes[1].kept)
        if seen.known and located and not any(axis.rolled for axis in seen.axes):
            field = (math.ceil(seen.axes[0].size), math.ceil(seen.axes[1].size))
    channels = shape[seen.order[3] - 1 if seen is not None and grid else -1] if shape else None
    reason = _objection(tensor, shape, grid, on_the_way) if seen else "the picture does not reach it"
    if seen and seen.lost and tensor.shape.rank == 4 and 1 not in shape:
        reason = "along its first axis lie pieces of each picture, such as windows, and not the pictures alone"
    usable = not reason
    if usable:
        assert grid is not None
        what = {"pooling": "a pooled copy", "padding": "only adds a border"}.get(kind, "an earlier step")
        reason = f"{what}; {grid[0]}×{grid[1]} cells, less about the class than {default!r}"
        if default is None or not located:
            reason = f"{grid[0]}×{grid[1]} cells; {NOT_LOCATED}"
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
        recommended=False,
        reason=reason,
        located=located,
        kept=kept,
    )


def _objection(tensor: Any, shape: tuple[int | None, ...], grid: tuple[int, int] | None, on_the_way: bool) -> str:
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
