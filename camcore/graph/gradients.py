"""Activations, gradients and biases of a batch: the shared passes that most methods stand on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.graph.biases import Bias, find_biases
from camcore.graph.compiled import Function
from camcore.graph.targets import INPUT, LOGIT, Score, Targets
from camcore.graph.traced_network import Anatomy
from camcore.graph.walks import as_floats, gradients

Array = NDArray[Any]

TOP_CLASS = -1  # as a class index inside the compiled functions: each image's own top class

# More classes than this in one compiled pass gain little and cost memory; further ones take another pass.
CLASSES_PER_PASS = 4


@dataclass(frozen=True, eq=False)
class Pass:
    """What one shared pass over n images gives.

    ``logits``: (n, classes). ``activations``: layer path → (n, h, w, K). ``classes``: for each class asked,
    its index per image (n,). ``gradients``: for each class asked, layer path → ∂score/∂A, (n, h, w, K).
    ``curvatures``: likewise H·A, where it was asked for. All channels last, float32 (float64 for float64 networks),
    read-only. ``seconds``: the time of the computation, without compiling it.
    """

    logits: Array
    activations: dict[str, Array]
    classes: tuple[NDArray[np.int64], ...]
    gradients: tuple[dict[str, Array], ...]
    seconds: float
    curvatures: tuple[dict[str, Array], ...] = ()


@dataclass(frozen=True, eq=False)
class BiasPass:
    """What FullGrad needs of one image and class c, from one pass.

    ``input``: x ⊙ ∂y_c/∂x, (H, W, C). ``layers``: for each bias with a grid b ⊙ ∂y_c/∂z, (h, w, K). ``rest``: the
    sum of b·∂y_c/∂z over the biases without a grid, such as a dense layer's. ``logit``: y_c.
    """

    input: Array
    layers: tuple[Array, ...]
    rest: float
    logit: float
    seconds: float


class Taps:
    """Compiled passes over one network; their batches are checked already."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._targets = Targets(anatomy.cutter, anatomy.scores, anatomy.table.tensors, anatomy.table.default)

    def on(self, anatomy: Anatomy) -> Taps:
        """The same passes, cut by another cutter of the same trace."""
        other = copy.copy(self)
        other._anatomy = anatomy
        return other

    def tap(
        self,
        batch: Array,
        paths: Sequence[str],
        classes: Sequence[int | Sequence[int]] = (),
        score: Score = LOGIT,
        curvature: bool = False,
    ) -> Pass:
        """See ``Network.tap``."""
        chunks = [classes[i : i + CLASSES_PER_PASS] for i in range(0, len(classes), CLASSES_PER_PASS)] or [()]
        passes = [self._tap(batch, tuple(paths), chunk, score, curvature) for chunk in chunks]
        return Pass(
            passes[0].logits,
            passes[0].activations,
            tuple(c for one in passes for c in one.classes),
            tuple(g for one in passes for g in one.gradients),
            sum(one.seconds for one in passes),
            tuple(h for one in passes for h in one.curvatures),
        )

    def _tap(
        self,
        batch: Array,
        paths: tuple[str, ...],
        classes: Sequence[int | Sequence[int]],
        score: Score,
        curvature: bool,
    ) -> Pass:
        anatomy, n = self._anatomy, len(batch)
        wanted = [np.broadcast_to(np.asarray(c, np.int32), (n,)) for c in classes]
        function = self._tapping(paths, len(classes), score, curvature)
        fed = [np.asarray(value, np.int32 if isinstance(value, tuple) else None) for value in score.fed]
        if classes and fed:
            fed[0] = fed[0].astype(anatomy.logits.dtype.as_numpy_dtype)
            wanted += fed
        start = anatomy.cutter.clock()
        results = anatomy.cutter.run(function, batch, *wanted)
        seconds = anatomy.cutter.clock() - start
        logits, used, rest = results[0], results[1 : len(classes) + 1], results[len(classes) + 1 :]
        tensors = [self._tensor(path) for path in paths]
        groups = [
            dict(zip(paths, map(anatomy.channels_last, rest[i : i + len(paths)], tensors), strict=True))
            for i in range(0, len(rest), max(len(paths), 1))
        ] or [{}] * (1 + len(classes))
        gradients, curvatures = groups[1 : 1 + len(classes)], groups[1 + len(classes) :]
        return Pass(logits, groups[0], tuple(used), tuple(gradients), seconds, tuple(curvatures))

    def _tapping(self, paths: tuple[str, ...], classes: int, score: Score, curvature: bool) -> Function:
        anatomy = self._anatomy

        def ends() -> tuple[list[Any], list[Any]]:
            slots = [self._targets.slot(score, number) for number in range(classes)]
            gradients = [self._targets.gradients(score, number, paths) for number in range(classes)]
            curvatures = [
                [self._targets.curvature(score, number, path) for path in paths]
                for number in range(classes if curvature else 0)
            ]
            fed = self._targets.fed(score) if classes else ()
            feeds = [anatomy.source, *(slot.asked for slot in slots), *fed]
            fetches = [
                anatomy.logits,
                *(slot.used for slot in slots),
                *map(self._tensor, paths),
                *(found for group in (*gradients, *curvatures) for found in group),
            ]
            return feeds, fetches

        fed = score.fed if classes else ()
        key = ("tap", paths, classes, score.graph_kind, curvature)
        return anatomy.cutter.part(key, ends, self._warm(classes, fed))

    def _tensor(self, path: str) -> Any:
        return self._anatomy.source if path == INPUT else self._anatomy.tensor(path)

    def cell(self, batch: Array, path: str, cell: tuple[int, int], channels: NDArray[np.int32]) -> tuple[Array, Array]:
        """See ``Network.cell_gradients``."""
        anatomy = self._anatomy

        def ends() -> tuple[list[Any], list[Any]]:
            slot = self._targets.cell(path, anatomy.order(anatomy.tensor(path)))
            return [anatomy.source, slot.place, slot.channels], [slot.value, slot.gradient]

        function = anatomy.cutter.part(("cell", path), ends)
        copies = np.repeat(batch, len(channels), axis=0)
        values, gradients = anatomy.cutter.run(function, copies, np.asarray(cell, np.int32), channels)
        return values, anatomy.channels_last(gradients)

    def biases(self, batch: Array, index: int) -> BiasPass:
        """See ``Network.bias_pass``."""
        anatomy, biases = self._anatomy, self._biases
        with anatomy.cutter.lock:
            function = anatomy.cutter.part(("biases",), self._bias_ends, self._warm(1))
        start = anatomy.cutter.clock()
        logits, seen, *layers = anatomy.cutter.run(function, batch, np.array([index], np.int32))
        seconds = anatomy.cutter.clock() - start
        rest = float(layers.pop()) if any(not bias.spatial for bias in biases) else 0.0
        totals = [bias.total for bias in biases if bias.spatial]
        spatial = tuple(anatomy.upright(*one)[0] for one in zip(layers, totals, strict=True))
        return BiasPass(anatomy.channels_last(seen)[0], spatial, rest, float(logits[0, index]), seconds)

    def _bias_ends(self) -> tuple[list[Any], list[Any]]:
        import tensorflow as tf

        biases, source, logits = self._biases, self._anatomy.source, self._anatomy.logits
        slot = self._targets.slot(LOGIT, 0)
        self._targets.gradients(LOGIT, 0, [INPUT])  # refused where none reaches the input
        floats = as_floats(source)
        totals = [floats, *(bias.total for bias in biases)]
        with logits.graph.as_default():
            slopes = gradients(slot.score, totals, unconnected_gradients="zero")
            added = [floats, *(bias.added for bias in biases)]
            products = [b * g for b, g in zip(added, slopes, strict=True)]
            rest = [
                tf.reduce_sum(tf.cast(product, logits.dtype))
                for product, bias in zip(products[1:], biases, strict=True)
                if not bias.spatial
            ]
            total = [tf.add_n(rest)] if rest else []
        spatial = [p for p, bias in zip(products[1:], biases, strict=True) if bias.spatial]
        return [source, slot.asked], [logits, products[0], *spatial, *total]

    @cached_property
    def _biases(self) -> tuple[Bias, ...]:
        with self._anatomy.cutter.lock:
            return find_biases(self._anatomy.logits, self._anatomy.reach)

    def _warm(self, classes: int, fed: tuple[Any, ...] = ()) -> Callable[[Function], None]:
        """TensorFlow optimises a function at its first call; that is not the time that a map takes."""
        source, logits = self._anatomy.source, self._anatomy.logits

        def warm(function: Function) -> None:
            x = np.zeros([side or 1 for side in source.shape], source.dtype.as_numpy_dtype)
            more = [np.asarray(value, np.int32) for value in fed[1:]]
            alpha = [np.asarray(value, logits.dtype.as_numpy_dtype) for value in fed[:1]]
            self._anatomy.cutter.warm(function, x, *[np.zeros(1, np.int32)] * classes, *alpha, *more)

        return warm
