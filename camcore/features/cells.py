"""The cells of a layer: their area on the picture, their receptive field, and what each adds to a class.

What a channel adds at a cell is G ⊙ A there, the gradient of the class's logit times the activation; summed over the
channels it is that cell of HiResCAM (Draelos and Carin 2020). Where everything behind the layer is affine, the sum
over all cells and channels, plus the logit that is there without any activation, is the logit exactly; behind a
global average and a linear head each term is w_k A_k / (h·w), a part of CAM. Elsewhere it is a first-order answer:
what the logit would lose if the cell faded by a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, number, refused, whole
from camcore.framing import Box, Point
from camcore.graph.gradients import TOP_CLASS
from camcore.graph.layers import check_cell
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import Layer
from camcore.heatmaps.session import open_session
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame
    from camcore.graph.layers import LayerInfo
    from camcore.predictions import Prediction

Array = NDArray[np.floating]


def _a_point(name: str, value: object) -> Point:
    """(y, x), two finite numbers."""
    if not isinstance(value, (tuple, list, np.ndarray)) or np.shape(value) != (2,):
        raise refused(name, value, "a place (y, x)", "Give two numbers, in pixels of the picture.")
    y, x = (number()(name, one) for one in value)
    return y, x


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell. Boxes are (top, left, bottom, right) edges in pixels of the original picture.

    area: the pixels that a map shows in this cell's colour. field: the theoretical receptive field, as far as it
    lies on the picture; None where it is not known. values: (K,), A_k. contributions: (K,), G_k A_k, in logits.
    """

    row: int
    column: int
    area: Box
    field: Box | None
    values: Array
    contributions: Array

    @property
    def adds(self) -> float:
        """The cell's part of the class's logit: the sum over its channels, a cell of HiResCAM."""
        return float(self.contributions.sum(dtype=np.float64))

    @checked(count=whole(1, example=5))
    def strongest(self, count: int) -> tuple[int, ...]:
        """The channels that carried most here, for the class or against it, strongest first."""
        order = np.argsort(-np.abs(self.contributions), kind="stable")[:count]
        return tuple(int(k) for k in order)


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of one layer for one picture and class.

    A, products: (h, w, K), the activations and G ⊙ A. prediction: the class with its logit. offset: the class's logit
    where the layer is all zero, if everything behind it is affine, so that Σ products + offset = logit; else None.
    """

    info: LayerInfo
    prediction: Prediction
    A: Array
    products: Array
    offset: float | None
    frame: Frame
    grid: CellGrid

    @property
    def total(self) -> float:
        """The sum over all cells and channels."""
        return float(self.products.sum(dtype=np.float64))

    @property
    def residual(self) -> float | None:
        """logit − (total + offset), zero to rounding; None where no such sum holds."""
        return None if self.offset is None else self.prediction.logit - self.total - self.offset

    @checked(row=whole(), column=whole())
    def at(self, row: int, column: int) -> Cell:
        """One cell. Raises LayerError where the grid has none there."""
        check_cell(self.info, (row, column))
        field = field_on_picture(self.info, (row, column), self.frame)
        return Cell(row, column, self.area(row, column), field, self.A[row, column], self.products[row, column])

    @checked(row=whole(), column=whole())
    def area(self, row: int, column: int) -> Box:
        """The area (top, left, bottom, right) on the picture; cells at the border reach to the end of what was seen.

        Raises LayerError where the grid has none there.
        """
        check_cell(self.info, (row, column))
        top, bottom = self._edges(row, 0)
        left, right = self._edges(column, 1)
        return top, left, bottom, right

    @checked(point=_a_point)
    def of(self, point: Point) -> tuple[int, int] | None:
        """The cell (row, column) whose area holds a point (y, x) of the picture; None: the network did not see it."""
        top, left, bottom, right = self.frame.seen
        if not (top - 0.5 <= point[0] <= bottom - 0.5 and left - 0.5 <= point[1] <= right - 0.5):
            return None
        on_input = self.frame.to_input(point)
        row, column = (
            int(np.clip(np.floor((on_input[i] - self.grid.first_centre[i]) / self.grid.stride[i] + 0.5), 0, side - 1))
            for i, side in enumerate(self.A.shape[:2])
        )
        return row, column

    def _edges(self, index: int, axis: int) -> tuple[float, float]:
        low, high = self.frame.seen[axis::2]
        first, stride = self.grid.first_centre[axis], self.grid.stride[axis]
        edges = sorted(
            _edge_on_picture(self.frame, first + (index + side) * stride + 0.5, axis) for side in (-0.5, 0.5)
        )
        last = self.A.shape[axis] - 1
        lowest, highest = (0, last) if stride > 0 else (last, 0)
        start = low if index == lowest else min(max(edges[0], low), high)
        end = high if index == highest else min(max(edges[1], low), high)
        return start, end


@checked(network=a_network, pic=a_picture, framing=a_framing, memory=a_memory)
def look_at_cells(
    network: Network,
    pic: Picture,
    layer: Layer | None = None,
    class_index: int | str | None = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> Cells:
    """All cells of ``layer`` (None: the default one) for ``class_index``, also a name (None: what the network says).

    Raises LayerError for a layer without a heatmap, ModelError for a class that the network does not have,
    CamcoreError for an unknown framing.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> cells = camcore.look_at_cells(net, pic, class_index="cat")
    >>> cells.A.shape, cells.prediction.label, abs(cells.residual) < 1e-4
    ((12, 12, 96), 'cat', True)
    >>> cell = cells.at(0, 0)
    >>> [round(edge) for edge in cell.area]  # of the picture's pixels
    [0, 0, 4, 5]
    """
    path = network.layer_with_grid(layer).path
    wanted = TOP_CLASS if class_index is None else network.check_class(class_index)
    session, frame = open_session(network, pic, framing, memory)
    (used,) = session.tap([path], [wanted])
    A, G = session.activations(path), session.gradient(path, used)[0]
    info = network.layer(path)
    return Cells(
        info=info,
        prediction=session.prediction(used),
        A=A,
        products=G * A,
        offset=session.offset(path, used),
        frame=frame,
        grid=info.cells(network.input_size),
    )


def field_on_input(info: LayerInfo, cell: tuple[int, int]) -> Box | None:
    """A cell's theoretical receptive field as edges on the input; it may reach beyond it. None: not known."""
    if info.receptive_field is None or info.first_centre is None or info.stride is None:
        return None
    middle = [info.first_centre[i] + cell[i] * info.stride[i] + 0.5 for i in (0, 1)]
    half = [size / 2 for size in info.receptive_field]
    return middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]


def field_on_picture(info: LayerInfo, cell: tuple[int, int], frame: Frame) -> Box | None:
    """The same as edges on the original picture, cut off where the network saw nothing; None: not known."""
    field = field_on_input(info, cell)
    return None if field is None else box_on_picture(frame, field)


def box_on_picture(frame: Frame, box: Box) -> Box:
    """A box of the network's input (edges) on the original picture, cut off where the network saw nothing."""
    edges = []
    for i, edge in enumerate(box):
        low, high = frame.seen[i % 2 :: 2]
        edges.append(min(max(_edge_on_picture(frame, edge, i % 2), low), high))
    return edges[0], edges[1], edges[2], edges[3]


def _edge_on_picture(frame: Frame, edge: float, axis: int) -> float:
    point = (edge - 0.5, 0.0) if axis == 0 else (0.0, edge - 0.5)  # edges lie half a pixel before pixel indices
    return frame.to_picture_point(point)[axis] + 0.5
