"""The grid of a tensor behind operations that have no rule, found by trial.

The part of the graph from the last maps whose geometry is known (the *roots*) to the tensor is run on random values,
then again with a block of cells at known places replaced. Where the answer changes says which axes of the tensor are
rows and columns, which way they run, how far apart their cells lie, and how much of the root each of them sees. A
change of all cells alike, as by a global gate, is left out of account. Only what several random backgrounds and
places agree on is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np

from camcore.graph.reach import Reach
from camcore.graph.trace import ConcreteFunction
from camcore.graph.trial import MOST_PLACES, SCALES, Trial
from camcore.graph.walks import ancestors, multiplications
from camcore.lazy import tf

Array = np.ndarray

# A network with many operations that no rule knows must not take longer than this to wrap, in seconds.
_BUDGET = 4.0
_MOST_WORK = 4e10  # multiplications of one trial: about a second


class Prober:
    """Finds the reach of tensors of one traced ``function`` by trial.

    ``known``: what is known so far, by name. ``seconds``: how much time is left for it.
    """

    def __init__(self, function: ConcreteFunction, source: tf.Tensor, known: Mapping[str, Reach]) -> None:
        self.source = source
        self._function = function
        self._known = known
        self.seconds = _BUDGET

    def settle(self, tensor: tf.Tensor) -> Reach | None:
        """The reach of ``tensor`` of rank 4; None where nothing regular comes out."""
        if None in tensor.shape[1:] or self.seconds <= 0:
            return None
        start = perf_counter()
        try:
            return self._by_roots(tensor, self._roots(tensor)) or self._by_roots(tensor, [self.source])
        finally:
            self.seconds -= perf_counter() - start

    def pictures_apart(self, tensors: list[tf.Tensor]) -> list[bool]:
        """For each tensor, True where its first axis is the pictures and not, for instance, windows cut from them."""
        if not tensors or None in self.source.shape[1:]:
            return [True] * len(tensors)
        with self._function.graph.as_default():
            counts = [tf.shape(tensor)[0] for tensor in tensors]
        try:
            run = self._function.prune([self.source], counts)
            counted = run(tf.zeros([3, *self.source.shape[1:]], self.source.dtype))
        except (tf.errors.OpError, ValueError, TypeError):
            return [True] * len(tensors)
        return [int(count) == 3 for count in counted]

    def _roots(self, tensor: tf.Tensor) -> list[tf.Tensor]:
        """The nearest tensors behind ``tensor`` that are not lost; among them those whose values only are needed."""
        known = {name for name, reach in self._known.items() if not reach.lost}
        return [one for name, one in ancestors([tensor], known).items() if name in known]

    def _by_roots(self, tensor: tf.Tensor, roots: list[tf.Tensor]) -> Reach | None:
        maps = [(root, reach) for root in roots if (reach := self._known[root.name]).spatial and not reach.nominal]
        if not maps or not all(_alike(maps[0][1], reach) for _, reach in maps):
            return None
        first = maps[0][1]
        if any(root.shape.rank is None or None in root.shape[1:] for root in roots) or None in first.grid:
            return None
        if _work(tensor, roots) * 2 * MOST_PLACES > _MOST_WORK:
            return None
        rng = np.random.default_rng(0)
        changed = {root.name for root, _ in maps}
        for scale in SCALES:
            trial = Trial(rng, roots, changed, first, scale)
            answers = self._run(tensor, roots, trial.batches)
            if answers is None or answers.shape[1:] != tuple(tensor.shape[1:]) or len(answers) != trial.count:
                return None
            result = trial.reach(answers)
            if result is not None:
                return _united(result, [reach for _, reach in maps], len(maps) < len(roots))
        return None

    def _run(self, tensor: tf.Tensor, roots: list[tf.Tensor], batches: list[Array]) -> Array | None:
        try:
            part = self._function.prune(roots, [tensor])
            (answers,) = part(*(tf.constant(batch, root.dtype) for batch, root in zip(batches, roots, strict=True)))
        except (tf.errors.OpError, ValueError, TypeError, KeyError):
            return None  # what cannot be run on such values alone cannot be tried out
        array = np.asarray(tf.cast(answers, tf.float32))
        return array if np.isfinite(array).all() else None


def _alike(one: Reach, other: Reach) -> bool:
    """True where the same cell of two maps looks at the same place, but for what padding shifts it."""
    if (one.dims, one.grid) != (other.dims, other.grid) or not one.axes or not other.axes:
        return False
    pairs = zip(one.axes, other.axes, strict=True)
    return all(a.stride == b.stride and abs(a.centre - b.centre) <= max(a.size, b.size) / 2 for a, b in pairs)


def _work(tensor: tf.Tensor, roots: list[tf.Tensor]) -> float:
    """The multiplications from the roots to a tensor, for one image."""
    between = ancestors([tensor], {root.name for root in roots}).values()
    return sum(map(multiplications, {one.op.name: one.op for one in between}.values()))


def _united(reach: Reach, maps: list[Reach], gated: bool) -> Reach:
    """The reach for the first of several maps of one grid, with what the others see beside it."""
    axes = list(reach.axes)
    for other in maps[1:]:
        for i, (own, its) in enumerate(zip(maps[0].axes, other.axes, strict=True)):
            apart = abs(own.centre - its.centre)
            axes[i] = replace(axes[i], size=axes[i].size + 2 * apart + max(0.0, its.size - own.size))
    known = reach.known and all(one.known for one in maps)
    return replace(
        reach,
        axes=tuple(axes),
        known=known,
        whole_picture=reach.whole_picture or gated or any(one.whole_picture for one in maps),
        located=all(one.located for one in maps),
    )
