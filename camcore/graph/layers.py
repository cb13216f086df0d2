"""The layers of a network: their grids, what a cell sees, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np

from camcore.checks import shown
from camcore.errors import LayerError, nearest
from camcore.framing import CellGrid
from camcore.lazy import tf

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
    None: all of it. ``tokens``: its cells lie along one axis, perhaps beside tokens without a place; ``grid`` is where
    these came from. ``caution``: why a map of this layer cannot be right; empty where nothing is known.
    ``recommended`` marks the default layer; ``reason`` says why, or why not this one. ``inputs``: paths of the
    layers whose output it takes, in its own order. ``saturation_values``: values at which its function ends and has no
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
    saturation_values: tuple[float, ...] = ()
    located: bool = True
    kept: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)
    tokens: bool = False
    caution: str = ""

    @property
    def mirrored(self) -> tuple[bool, bool]:
        """(rows, columns): True where they run from the bottom of the picture to the top, or from right to left."""
        return (self.stride[0] < 0, self.stride[1] < 0) if self.stride else (False, False)

    def upright(self, maps: np.ndarray) -> np.ndarray:
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
        """The places of the cells on the network's input of ``input_size`` (h, w), for drawing a map.

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
        """True where the cells lie all over ``spans`` of the input, but for what padding and rounding do."""
        assert self.grid is not None
        assert self.stride is not None
        assert self.first_centre is not None
        for (low, high), count, stride, first in zip(spans, self.grid, self.stride, self.first_centre, strict=True):
            middle, share = first + stride * (count - 1) / 2, abs(stride) * count / (high - low)
            if abs(middle - (low + high) / 2) > 0.9 * abs(stride) or not 0.75 < share < 4 / 3:
                return False
        return True


@dataclass(frozen=True)
class Site:
    """A layer of a network, as far as a method's cost depends on it.

    ``channels`` and ``grid`` of the layer, ``input_size`` of the network, and ``behind``, the share of the
    network's work that lies behind the layer, 0..1.
    """

    channels: int
    grid: tuple[int, int]
    input_size: tuple[int, int]
    behind: float

    @property
    def cells(self) -> int:
        """Cells of the layer's grid."""
        return self.grid[0] * self.grid[1]


@dataclass(frozen=True, eq=False)
class LayerTable:
    """The layers of a trace, the tensors behind them, and other names they go by.

    ``default``: the path of the recommended layer; None where no layer has a grid.
    """

    infos: tuple[LayerInfo, ...]
    tensors: Mapping[str, tf.Tensor]
    aliases: Mapping[str, str]
    objects: Mapping[int, str]
    default: str | None

    @cached_property
    def _by_path(self) -> dict[str, LayerInfo]:
        return {info.path: info for info in self.infos}

    def find(self, layer: object) -> LayerInfo:
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

    def usable(self, layer: object = None) -> LayerInfo:
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


def ladder(table: LayerTable, steps: int = 4) -> tuple[str, ...]:
    """The last layer of each of the last ``steps`` grid sizes, from shallow to deep; ends with the default.

    Where that is a layer of tokens, all of one grid, the steps are layers of its kind from as many depths. Empty where
    no layer has a grid.
    """
    if table.default is None:
        return ()
    end = table.find(table.default)
    if end.tokens:
        return _token_ladder(table, end, steps)
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


def _token_ladder(table: LayerTable, end: LayerInfo, steps: int) -> tuple[str, ...]:
    """Layers like ``end``, which is the last, evenly spread over the depth, and the last of each other grid."""
    before = list(table.infos[: table.infos.index(end)])
    alike = [info for info in before if info.usable and not info.caution and info.grid == end.grid]
    alike = [info for info in alike if info.class_name == end.class_name and info.channels == end.channels]
    coarser = {info.grid: info.path for info in before if info.usable and info.tokens and info.grid != end.grid}
    depths, room = [*alike, end], max(1, steps - len(coarser))
    room = min(room, len(depths))
    chosen = [depths[(step + 1) * len(depths) // room - 1].path for step in range(room)]
    return (*coarser.values(), *chosen)[-steps:]


def check_cell(info: LayerInfo, cell: tuple[int, int]) -> None:
    """Raise LayerError where the layer's grid has no such cell (row, column)."""
    assert info.grid is not None
    h, w = info.grid
    pair = isinstance(cell, (tuple, list)) and len(cell) == 2 and all(isinstance(index, Integral) for index in cell)
    if not pair or not (0 <= cell[0] < h and 0 <= cell[1] < w):
        wanted = f"cell in row {cell[0]}, column {cell[1]}" if pair else f"cell {shown(cell)}"
        raise LayerError(
            f"Layer {info.path!r} has no {wanted}: its grid is {h}×{w}, rows 0 to "
            f"{h - 1} and columns 0 to {w - 1}. Choose a cell of it."
        )
