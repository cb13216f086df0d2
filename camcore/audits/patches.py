"""The patch of a picture that a map rests on: the rectangle of cells around its peak that holds half of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame

PatchBox = tuple[int, int, int, int]
"""(top, left, bottom, right) edges, in whole pixels of the upright original picture."""

HELD = 0.5
"""The share of Σ M that a patch holds, where it may be large enough for that."""

LARGEST = 0.25
"""The largest patch, as a share of what the network saw of the picture."""

_EQUAL = 1e-9  # relative, between areas that differ by rounding only


def patch_box(values: NDArray[np.floating], frame: Frame, cells: CellGrid) -> PatchBox | None:
    """The patch of a map (h, w) of values in 0..1, on the picture; None for a map of zeros.

    Of all rectangles of cells with the map's peak that hold half of Σ M the smallest, and of equally small ones the
    fullest. Where the smallest is larger than a quarter of what the network saw: the fullest of at most a quarter. One
    cell is always allowed. Sizes are those on the picture: cells in a letterbox's margin have none and count nothing.
    """
    rows, columns = (cell_edges(frame, cells, values.shape[axis], axis) for axis in (0, 1))
    heights, widths = rows[:, 1] - rows[:, 0], columns[:, 1] - columns[:, 0]
    M = np.where(heights[:, None] * widths > 0, np.asarray(values, np.float64), 0.0)
    if not M.any():
        return None
    top, bottom, left, right = _rectangle(M, heights, widths)
    edges = (
        min(rows[top, 0], rows[bottom, 0]),
        min(columns[left, 0], columns[right, 0]),
        max(rows[top, 1], rows[bottom, 1]),
        max(columns[left, 1], columns[right, 1]),
    )
    low = [min(round(edge), side - 1) for edge, side in zip(edges[:2], frame.picture_size, strict=True)]
    high = [max(round(edge), start + 1) for edge, start in zip(edges[2:], low, strict=True)]
    return low[0], low[1], high[0], high[1]


def cell_edges(frame: Frame, cells: CellGrid, count: int, axis: int) -> NDArray[np.float64]:
    """The (low, high) edges of each row (axis 0) or column (axis 1) of cells on the picture: (count, 2).

    They end where the network saw nothing more; the outermost reach there.
    """
    stride, size = cells.stride[axis], float(frame.input_size[axis])
    lowest, highest = (0.0, size) if cells.seen is None else (edge + 0.5 for edge in cells.seen[axis::2])
    edges = cells.first_centre[axis] + 0.5 + (np.arange(count + 1) - 0.5) * stride
    edges[[0, -1]] = (lowest, highest) if stride > 0 else (highest, lowest)
    point = np.zeros((2, count + 1))
    point[axis] = np.clip(edges, lowest, highest) - 0.5
    low, high = frame.seen[axis::2]
    on_picture = np.clip([frame.to_picture_point((y, x))[axis] + 0.5 for y, x in point.T], low, high)
    return np.sort(np.stack([on_picture[:-1], on_picture[1:]], axis=1), axis=1)


def _rectangle(
    M: NDArray[np.float64], heights: NDArray[np.float64], widths: NDArray[np.float64]
) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the patch."""
    sums = np.pad(M.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    down, across = (np.concatenate([[0.0], np.cumsum(sizes)]) for sizes in (heights, widths))
    half, largest = HELD * sums[-1, -1] * (1 - _EQUAL), LARGEST * down[-1] * across[-1] * (1 + _EQUAL)
    row, column = np.unravel_index(np.argmax(M), M.shape)
    bottoms, lefts, rights = np.ix_(range(row, len(M)), range(column + 1), range(column, M.shape[1]))
    found = []
    for top in range(row + 1):
        held = sums[bottoms + 1, rights + 1] - sums[top, rights + 1] - sums[bottoms + 1, lefts] + sums[top, lefts]
        area = (down[bottoms + 1] - down[top]) * (across[rights + 1] - across[lefts])
        allowed = area <= largest
        if top == row:
            allowed[0, -1, 0] = True  # the peak's own cell
        if not allowed.any():
            continue
        enough = allowed & (held >= half)
        if enough.any():
            smallest = area[enough].min()
            choice = np.where(enough & (area <= smallest * (1 + _EQUAL)), held, -1.0)
        else:
            choice = np.where(allowed, held, -1.0)
        place = np.unravel_index(np.argmax(choice), choice.shape)
        order = (not enough[place], area[place] if enough[place] else -held[place], -held[place])
        found.append((order, (top, row + place[0], place[1], column + place[2])))
    _, (top, bottom, left, right) = min(found, key=lambda one: one[0])
    return int(top), int(bottom), int(left), int(right)
