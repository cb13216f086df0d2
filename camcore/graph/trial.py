"""Random values for the maps before a tensor, and the geometry that its answers to them tell.

The values are run twice: as they are, and with a block of cells at known places replaced.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from camcore.graph.reach import Reach
from camcore.lazy import tf

Array = np.ndarray

MOST_PLACES = 16
_MOST_VALUES = 2**25  # of one root for all probes together: 128 MB in single precision
_FEWEST = 6  # answers that speak for a grid
SCALES = ("unit", "bytes", "normal")


@dataclass(frozen=True)
class _Fit:
    """One axis of a tensor against rows or columns of a root: cell i lies at ``(i - first) / slope`` of the root."""

    slope: float
    first: float


class Trial:
    """Random values for the roots, and the same with a block of cells replaced at each of several places."""

    def __init__(self, rng: np.random.Generator, roots: list[tf.Tensor], changed: set[str], reach: Reach, scale: str):
        sides = [int(side or 1) for side in reach.grid]
        self._root = reach
        largest = max(int(np.prod(root.shape[1:])) for root in roots)
        positions = max(8, min(MOST_PLACES, _MOST_VALUES // (2 * largest)))
        self._blocks = [max(1, side // 12) for side in sides]
        self._starts = np.stack(
            [_spread(rng, side - block, positions) for side, block in zip(sides, self._blocks, strict=True)], axis=1
        )
        # Of a large map one background has to do; each place of it is a further sample.
        backgrounds = 2 if 2 * (positions + 1) * largest <= _MOST_VALUES else 1
        self.count = backgrounds * (positions + 1)
        self.batches = []
        for root in roots:
            shape = tuple(int(side) for side in root.shape[1:])
            copies = [self._copies(rng, shape, root, root.name in changed, scale) for _ in range(backgrounds)]
            self.batches.append(np.concatenate(copies))

    def _copies(
        self, rng: np.random.Generator, shape: tuple[int, ...], root: tf.Tensor, change: bool, scale: str
    ) -> Array:
        """A random background, and copies of it each with its block of cells drawn anew: (1 + places, …)."""
        base = _draw(rng, shape, root.dtype, scale)
        batch = np.repeat(base[np.newaxis], 1 + len(self._starts), axis=0)
        if not change:
            return batch
        for i, start in enumerate(self._starts):
            block: list[slice] = [slice(None)] * len(shape)
            for dim, first, length in zip(self._root.dims, start, self._blocks, strict=True):
                block[dim - 1] = slice(int(first), int(first) + length)
            part = batch[i + 1][tuple(block)]
            batch[i + 1][tuple(block)] = _draw(rng, part.shape, root.dtype, scale)
        return batch

    def reach(self, answers: Array) -> Reach | None:
        """The conclusion about the tensor from the outputs (count, …)."""
        runs = np.split(answers, self.count // (len(self._starts) + 1))
        change = np.concatenate([np.abs(part[1:] - part[0]) for part in runs])
        starts = np.concatenate([self._starts] * len(runs))
        heard = change.reshape(len(change), -1).max(axis=1) > 0
        if heard.sum() < _FEWEST:  # a crop hears of its part only
            return None
        change, starts = change[heard], starts[heard]
        middles = starts + (np.array(self._blocks) - 1) / 2
        for dims in itertools.permutations((1, 2, 3), 2):
            if min(change.shape[dim] for dim in dims) < 2:
                continue
            (other,) = {1, 2, 3} - set(dims)
            plane = change.max(axis=other)
            plane = plane if dims[0] < dims[1] else plane.transpose(0, 2, 1)
            fits = self._fits(plane, middles)
            if fits is not None:
                return self._measured(plane, starts, fits, dims)
        return None

    def _fits(self, plane: Array, middles: Array) -> tuple[_Fit, _Fit] | None:
        """The straight line, for each axis, on which the middle of the change follows the block; None without one."""
        local = np.maximum(plane - np.median(plane, axis=(1, 2), keepdims=True), 0)
        sharp = local**2  # what answers most counts most
        total = sharp.sum(axis=(1, 2))
        if (total <= 0).any():
            return None
        fits = []
        for axis in (0, 1):
            along = sharp.sum(axis=2 - axis)
            seen = along @ np.arange(along.shape[1]) / total
            apart = np.arange(along.shape[1]) - seen[:, np.newaxis]
            spread = np.sqrt((along * apart**2).sum(axis=1) / total)
            fit = _line(seen, middles, axis, along.shape[1], int(self._root.grid[axis] or 1))
            # One place answers, not several: a tiled or mirrored copy beside it would have a middle, too.
            if fit is None or np.median(spread) > max(1.5, 0.15 * along.shape[1]):
                return None
            fits.append(fit)
        return fits[0], fits[1]

    def _measured(self, plane: Array, starts: Array, fits: tuple[_Fit, _Fit], dims: tuple[int, int]) -> Reach:
        """The reach, its fields as wide as the farthest cells that answered to a block."""
        root = self._root
        noise = 1e-6 * plane.max(axis=(1, 2), keepdims=True)
        axes, local = [], True
        for axis, fit in enumerate(fits):
            answered = (plane > noise).any(axis=2 - axis)
            low = starts[:, axis, np.newaxis]
            centres = (np.arange(answered.shape[1]) - fit.first) / fit.slope
            # The farthest cells that answered to a block before them and to one behind them.
            behind = float(np.where(answered, centres - low - self._blocks[axis] + 1, -np.inf).max())
            before = float(np.where(answered, low - centres, -np.inf).max())
            shift = (before - behind) / 2
            near = abs(shift) <= max(1.0, 1 / abs(fit.slope)) and answered.all(axis=1).mean() <= 0.5
            local = local and near
            side = root.axes[axis]
            moved = side.moved(-fit.first / fit.slope + (shift if near else 0.0))
            size = side.size + max(0.0, before + behind) * abs(side.stride)
            axes.append(replace(moved, stride=side.stride / fit.slope, size=size))
        sides = (plane.shape[1], plane.shape[2])
        return replace(
            root,
            axes=tuple(axes),
            grid=sides,
            dims=dims,
            whole_picture=root.whole_picture or not local,
            known=root.known and local,
        )


def _spread(rng: np.random.Generator, last: int, count: int) -> NDArray[np.intp]:
    """``count`` places from 0 to ``last``, evenly spread and in a random order."""
    return rng.permutation(np.linspace(0, last, count).round().astype(np.intp))


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: tf.DType, scale: str) -> Array:
    if dtype.is_bool:
        return rng.random(shape) < 0.5
    if dtype.is_integer:
        return rng.integers(0, 256 if dtype.max > 255 or dtype.max == 255 else dtype.max, shape)
    drawn = {
        "unit": lambda: 0.05 + 0.9 * rng.random(shape, np.float32),
        "bytes": lambda: 255 * rng.random(shape, np.float32),
        "normal": lambda: rng.standard_normal(shape, np.float32),
    }[scale]()
    return drawn


def _line(seen: Array, middles: Array, axis: int, cells: int, side: int) -> _Fit | None:
    """The straight line from the block's place along ``axis`` to the place of the answer, ``seen``, in cells.

    None where the answer does not follow the block, or follows it along the other axis, too.
    """
    terms = np.column_stack([middles, np.ones(len(middles))])
    rough, *_ = np.linalg.lstsq(terms, seen, rcond=None)
    off = np.abs(seen - terms @ rough)
    good = off <= max(3 * float(np.median(off)), 0.05)  # the borders may cut an answer off
    slopes, *_ = np.linalg.lstsq(terms[good], seen[good], rcond=None)
    slope, across = float(slopes[axis]), float(slopes[1 - axis])
    left = seen[good] - terms[good] @ slopes
    spans = np.ptp(middles, axis=0)
    followed = abs(slope) * float(spans[axis])
    if followed < 0.25 * (cells - 1) or abs(across) * float(spans[1 - axis]) > 0.15 * followed:
        return None
    if float(np.sqrt(np.mean(left**2))) > max(0.6, 0.1 * (cells - 1)) or good.mean() < 0.6:
        return None
    likely = [cells / side, 1.0, *(1 / k for k in range(2, 17)), *range(2, 9)]
    size = min(likely, key=lambda one: abs(np.log(abs(slope) / one)))
    if abs(np.log(abs(slope) / size)) > 0.15:
        size = abs(slope)
    size = size if slope > 0 else -size
    # Cells lie on whole or half places of the root; of one that was enlarged, on as many parts of that.
    first = -float(np.median(seen[good] - size * middles[good, axis])) / size
    unit = 0.5 / max(1, round(abs(size)))
    return _Fit(size, -round(first / unit) * unit * size)
