"""Activations, gradients and biases of a batch: the shared passes that most methods stand on."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from camcore.graph.again import again, mean_of_tokens
from camcore.graph.biases import Bias, find_biases
from camcore.graph.class_score import INPUT, LOGIT, Score
from camcore.graph.compiled import Ends, Function
from camcore.graph.targets import Targets
from camcore.graph.traced_network import TracedNetwork
from camcore.graph.walks import as_floats, gradients
from camcore.lazy import tf

Array = np.ndarray

TOP_CLASS = -1  # as a class index inside the compiled functions: each image's own top class

# More classes than this in one compiled pass gain little and cost memory; further ones take another pass.
CLASSES_PER_PASS = 4


@dataclass(frozen=True, eq=False)
class Pass:
    """The results of one shared pass over n images.

    ``logits``: (n, classes). ``activations``: layer path → (n, h, w, K). ``classes``: for each class,
    its index per image (n,). ``gradients``: for each class, layer path → ∂score/∂A, (n, h, w, K).
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
    """The terms of FullGrad for one image and class c, from one pass.

    ``input``: x ⊙ ∂y_c/∂x, (H, W, C). ``layers``: for each bias with a grid b ⊙ ∂y_c/∂z, (h, w, K). ``rest``: the
    sum of b·∂y_c/∂z over the biases without a grid, such as a dense layer's. ``logit``: y_c.
    """

    input: Array
    layers: tuple[Array, ...]
    rest: float
    logit: float
    seconds: float


@dataclass(frozen=True, eq=False)
class AttentionPass:
    """The attention weights of one image, (heads, T, T) for each attention, and the derivatives of a score on them."""

    logits: Array
    weights: tuple[Array, ...]
    gradients: tuple[Array, ...]
    seconds: float


class GradientPasses:
    """Compiled passes over one network; their batches are checked already."""

    def __init__(self, traced: TracedNetwork) -> None:
        self._traced = traced
        self._targets = Targets(traced)

    def on(self, traced: TracedNetwork) -> GradientPasses:
        """The same passes, cut by another compiler of the same trace."""
        other = copy.copy(self)
        other._traced = traced
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
        traced, n = self._traced, len(batch)
        wanted = [np.broadcast_to(np.asarray(c, np.int32), (n,)) for c in classes]
        function = self._tapping(paths, len(classes), score, curvature)
        fed = [np.asarray(value, np.int32 if isinstance(value, tuple) else None) for value in score.fed]
        if classes and fed:
            fed[0] = fed[0].astype(traced.logits.dtype.as_numpy_dtype)
            wanted += fed
        start = traced.compiler.clock()
        results = traced.compiler.run(function, batch, *wanted)
        seconds = traced.compiler.clock() - start
        logits, used, rest = results[0], results[1 : len(classes) + 1], results[len(classes) + 1 :]
        tensors = [self._tensor(path) for path in paths]
        groups = [
            dict(zip(paths, map(traced.channels_last, rest[i : i + len(paths)], tensors), strict=True))
            for i in range(0, len(rest), max(len(paths), 1))
        ] or [{}] * (1 + len(classes))
        gradients, curvatures = groups[1 : 1 + len(classes)], groups[1 + len(classes) :]
        return Pass(logits, groups[0], tuple(used), tuple(gradients), seconds, tuple(curvatures))

    def _tapping(self, paths: tuple[str, ...], classes: int, score: Score, curvature: bool) -> Function:
        traced = self._traced

        def ends() -> Ends:
            slots = [self._targets.slot(score, number) for number in range(classes)]
            gradients = [self._targets.gradients(score, number, paths) for number in range(classes)]
            curvatures = [
                [self._targets.curvature(score, number, path) for path in paths]
                for number in range(classes if curvature else 0)
            ]
            fed = self._targets.fed(score) if classes else ()
            feeds = [traced.source, *(slot.index for slot in slots), *fed]
            fetches = [
                traced.logits,
                *(slot.index_used for slot in slots),
                *map(self._tensor, paths),
                *(derivative for group in (*gradients, *curvatures) for derivative in group),
            ]
            return feeds, fetches

        key = ("tap", paths, classes, score.graph_kind, curvature)
        return traced.compiler.subgraph(key, ends, warm=True)

    def _tensor(self, path: str) -> tf.Tensor:
        return self._traced.source if path == INPUT else self._traced.tensor(path)

    def cell(self, batch: Array, path: str, cell: tuple[int, int], channels: NDArray[np.int32]) -> tuple[Array, Array]:
        """See ``Network.cell_gradients``."""
        traced = self._traced

        def ends() -> Ends:
            slot = self._targets.cell(path)
            return [traced.source, slot.cell, slot.channels], [slot.value, slot.gradient]

        function = traced.compiler.subgraph(("cell", path), ends)
        copies = np.repeat(batch, len(channels), axis=0)
        values, gradients = traced.compiler.run(function, copies, np.asarray(cell, np.int32), channels)
        return values, traced.channels_last(gradients)

    def attention(self, batch: Array, index: int | None, by_block: bool, mean: bool) -> AttentionPass:
        """See ``Network.attention_pass``."""
        traced, found = self._traced, self._traced.attentions.found
        kind = "weights" if index is None else "mean" if mean else "by block" if by_block else "gradients"
        function = traced.compiler.subgraph(("attention", kind), lambda: self._attention_ends(kind), warm=True)
        wanted = [] if index is None else [np.array([index], np.int32)]
        start = traced.compiler.clock()
        logits, *rest = traced.compiler.run(function, batch, *wanted)
        seconds = traced.compiler.clock() - start
        arrays = [one.by_head(values)[0] for one, values in zip(found * 2, rest, strict=False)]
        return AttentionPass(logits, tuple(arrays[: len(found)]), tuple(arrays[len(found) :]), seconds)

    def _attention_ends(self, kind: str) -> Ends:
        traced = self._traced
        weights = [one.weights for one in traced.attentions.found]
        if kind == "weights":
            return [traced.source], [traced.logits, *weights]
        slot = self._targets.slot(LOGIT, 0)
        with traced.logits.graph.as_default():
            if kind == "gradients":
                slopes = gradients(slot.score, weights, unconnected="zero")
            else:
                slopes = []
                *_, last = traced.attentions.blocks
                instead = [mean_of_tokens(traced.reach)] if kind == "mean" else []
                for tensor, block in zip(weights, traced.attentions.blocks, strict=True):
                    own = again(traced.logits, last, block, *instead)
                    score = tf.gather(own, slot.index_used, batch_dims=1)
                    slopes += gradients(score, [tensor], unconnected="zero")
        return [traced.source, slot.index], [traced.logits, *weights, *slopes]

    def biases(self, batch: Array, index: int) -> BiasPass:
        """See ``Network.bias_pass``."""
        traced, biases = self._traced, self._biases
        with traced.compiler.lock:
            function = traced.compiler.subgraph(("biases",), self._bias_ends, warm=True)
        start = traced.compiler.clock()
        logits, seen, *layers = traced.compiler.run(function, batch, np.array([index], np.int32))
        seconds = traced.compiler.clock() - start
        rest = float(layers.pop()) if any(not bias.spatial for bias in biases) else 0.0
        totals = [bias.total for bias in biases if bias.spatial]
        spatial = tuple(traced.upright(*one)[0] for one in zip(layers, totals, strict=True))
        return BiasPass(traced.channels_last(seen)[0], spatial, rest, float(logits[0, index]), seconds)

    def _bias_ends(self) -> Ends:
        biases, source, logits = self._biases, self._traced.source, self._traced.logits
        slot = self._targets.slot(LOGIT, 0)
        self._targets.gradients(LOGIT, 0, [INPUT])  # refused where none reaches the input
        floats = as_floats(source)
        totals = [floats, *(bias.total for bias in biases)]
        with logits.graph.as_default():
            slopes = gradients(slot.score, totals, unconnected="zero")
            added = [floats, *(bias.added for bias in biases)]
            products = [b * g for b, g in zip(added, slopes, strict=True)]
            rest = [
                tf.reduce_sum(tf.cast(product, logits.dtype))
                for product, bias in zip(products[1:], biases, strict=True)
                if not bias.spatial
            ]
            total = [tf.add_n(rest)] if rest else []
        spatial = [p for p, bias in zip(products[1:], biases, strict=True) if bias.spatial]
        return [source, slot.index], [logits, products[0], *spatial, *total]

    @cached_property
    def _biases(self) -> tuple[Bias, ...]:
        with self._traced.compiler.lock:
            return find_biases(self._traced.logits, self._traced.reach)
