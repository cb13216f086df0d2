"""The grid of a tensor behind operations that have no rule, found by trial.

The part of the graph from the last maps whose geometry is known (the *roots*) to the tensor is run on random values,
then again with a block of cells at known places replaced. Where the answer changes says which axes of the tensor are
rows and columns, which way they run, how far apart their cells lie, and how much of the root each of them sees. A
change of all cells alike, as by a global gate, is left out of account. Only what several random backgrounds and
places agree on is accepted.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.graph.reach import Reach
from camcore.graph.walks import ancestors, multiplications

Array = NDArray[Any]

# A network with many operations that no rule knows must not take longer than this to wrap, in seconds.
_BUDGET = 4.0
_MOST_WORK = 4e10  # multiplications of one trial: about a second
_MOST_VALUES = 2**25  # of one root for all probes together: 128 MB in single precision
_PLACES = 16
_FEWEST = 6  # answers that speak for a grid
_SCALES = ("unit", "bytes", "normal")


@dataclass(frozen=True)
class _Fit:
    """One axis of a tensor against rows or columns of a root: cell i lies at ``(i - first) / slope`` of the root."""

    slope: float
    first: float


class Prober:
    """Finds the reach of tensors of one traced ``function`` by trial.

    ``found``: what is known so far, by name. ``seconds``: how much time is left for it.
    """

    def __init__(self, function: Any, source: Any, found: Mapping[str, Reach]) -> None:
        self.source = source
        self._function = function
        self._found = found
        self.seconds = _BUDGET

    def settle(self, tensor: Any) -> Reach | None:
        """The reach of ``tensor`` of rank 4; None where nothing regular comes out."""
        if None in tensor.shape[1:] or self.seconds <= 0:
            return None
        start = perf_counter()
        try:
            return self._by_roots(tensor, self._roots(tensor)) or self._by_roots(tensor, [self.source])
        finally:
            self.seconds -= perf_counter() - start

    def pictures_apart(self, tensors: list[Any]) -> list[bool]:
        """Whether the first axis of each tensor is the pictures and nothing else, such as windows cut from them."""
        import tensorflow as tf

        if not tensors or None in self.source.shape[1:]:
            return [True] * len(tensors)
        with self._function.graph.as_default():
            counts = [tf.shape(tensor)[0] for tensor in tensors]
        try:
            run = self._function.prune([self.source], counts)
            found = run(tf.zeros([3, *self.source.shape[1:]], self.source.dtype))
        except (tf.errors.OpError, ValueError, TypeError):
            return [True] * len(tensors)
        return [int(count) == 3 for count in found]

    def _roots(self, tensor: Any) -> list[Any]:
        """The nearest tensors behind ``tensor`` that are not lost; among them those whose values only are needed."""
        known = {name for name, reach in self._found.items() if not reach.lost}
        return [one for name, one in ancestors([tensor], known).items() if name in known]

    def _by_roots(self, tensor: Any, roots: list[Any]) -> Reach | None:
        maps = [(root, reach) for root in roots if (reach := self._found[root.name]).spatial and not reach.nominal]
        if not maps or not all(_alike(maps[0][1], reach) for _, reach in maps):
            return None
        first = maps[0][1]
        if any(root.shape.rank is None or None in root.shape[1:] for root in roots) or None in first.grid:
            return None
        if _work(tensor, roots) * 2 * _PLACES > _MOST_WORK:
            return None
        rng = np.random.default_rng(0)
        changed = {root.name for root, _ in maps}
        for scale in _SCALES:
            trial = _Trial(rng, roots, changed, first, scale)
            answers = self._run(tensor, roots, trial.batches)
            if answers is None or answers.shape[1:] != tuple(tensor.shape[1:]) or len(answers) != trial.count:
                return None
            result = trial.reach(answers)
            if result is not None:
                return _united(result, [reach for _, reach in maps], len(maps) < len(roots))
        return None

    def _run(self, tensor: Any, roots: list[Any], batches: list[Array]) -> Array | None:
        import tensorflow as tf

        try:
            part = self._function.prune(roots, [tensor])
            (answers,) = part(*(tf.constant(batch, root.dtype) for batch, root in zip(batches, roots, strict=True)))
        except (tf.errors.OpError, ValueError, TypeError, KeyError):
            return None  # what cannot be run on such values alone cannot be tried out
        array = np.asarray(tf.cast(answers, tf.float32))
        return array if np.isfinite(array).all() else None


def _alike(one: Reach, other: Reach) -> bool:
    """Whether the same cell of two maps looks at the same place, but for what padding shifts it."""
    if (one.dims, one.grid) != (other.dims, other.grid) or one.axes is None or other.axes is None:
        return False
    pairs = zip(one.axes, other.axes, strict=True)
    return all(a.stride == b.stride and abs(a.centre - b.centre) <= max(a.size, b.size) / 2 for a, b in pairs)


def _work(tensor: Any, roots: list[Any]) -> float:
    """The multiplications from the roots to a tensor, for one image."""
    between = ancestors([tensor], {root.name for root in roots}).values()
    return sum(map(multiplications, {one.op.name: one.op for one in between}.values()))


class _Trial:
    """Random values for the roots, and the same with a block of cells replaced at each of several places."""

    def __init__(self, rng: np.random.Generator, roots: list[Any], changed: set[str], reach: Reach, scale: str):
        sides = [int(side or 1) for side in reach.grid]
        self._root = reach
        largest = max(int(np.prod(root.shape[1:])) for root in roots)
        places = max(8, min(_PLACES, _MOST_VALUES // (2 * largest)))
        self._blocks = [max(1, side // 12) for side in sides]
        self._starts = np.stack(
            [_spread(rng, side - block, places) for side, block in zip(sides, self._blocks, strict=True)], axis=1
        )
        # Of a large map one background has to do; each place of it is a further sample.
        backgrounds = 2 if 2 * (places + 1) * largest <= _MOST_VALUES else 1
        self.count = backgrounds * (places + 1)
        self.batches = []
        for root in roots:
            shape = tuple(int(side) for side in root.shape[1:])
            copies = [self._copies(rng, shape, root, root.name in changed, scale) for _ in range(backgrounds)]
            self.batches.append(np.concatenate(copies))

    def _copies(self, rng: np.random.Generator, shape: tuple[int, ...], root: Any, change: bool, scale: str) -> Array:
        """A random background, and copies of it each with its block of cells drawn anew: (1 + places, …)."""
        base = _draw(rng, shape, root.dtype, scale)
        batch = np.repeat(base[np.newaxis], 1 + len(self._starts), axis=0)
        if not change:
            return batch
        for i, start in enumerate(self._starts):
            block: list[Any] = [slice(None)] * len(shape)
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
        assert root.axes is not None
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
            axes=(axes[0], axes[1]),
            grid=sides,
            dims=dims,
            whole_picture=root.whole_picture or not local,
            known=root.known and local,
        )


def _spread(rng: np.random.Generator, last: int, count: int) -> NDArray[np.intp]:
    """``count`` places from 0 to ``last``, evenly spread and in a random order."""
    return rng.permutation(np.linspace(0, last, count).round().astype(np.intp))


def _draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, scale: str) -> Array:
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
    told = abs(slope) * float(spans[axis])
    if told < 0.25 * (cells - 1) or abs(across) * float(spans[1 - axis]) > 0.15 * told:
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


def _united(reach: Reach, maps: list[Reach], gated: bool) -> Reach:
    """The reach for the first of several maps of one grid, with what the others see beside it."""
    assert reach.axes is not None
    assert maps[0].axes is not None
    axes = list(reach.axes)
    for other in maps[1:]:
        assert other.axes is not None
        for i, (own, its) in enumerate(zip(maps[0].axes, other.axes, strict=True)):
            apart = abs(own.centre - its.centre)
            axes[i] = replace(axes[i], size=axes[i].size + 2 * apart + max(0.0, its.size - own.size))
    known = reach.known and all(one.known for one in maps)
    return replace(
        reach,
        axes=(axes[0], axes[1]),
        known=known,
        whole_picture=reach.whole_picture or gated or any(one.whole_picture for one in maps),
        located=all(one.located for one in maps),
    )
