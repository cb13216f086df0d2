"""The score of a class that methods differentiate, and its derivatives, as symbolic tensors of the trace.

The score of nearly every method is the logit. FinerCAM differentiates what tells a class from those nearest to
it; a variant of ShapleyCAM adds the logarithm of the probability. Gradients of one score are built once for all
layers, inside the traced graph, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from camcore.errors import LayerError, MethodError
from camcore.graph.class_score import INPUT, Score
from camcore.graph.traced_network import TracedNetwork
from camcore.graph.walks import as_floats, gradients
from camcore.lazy import tf

# Methods that ask for scores only, for networks that pass no gradient.
_ASKING = "'occlusion' or 'rise', which need none"

# FinerCAM compares a class with this many of those whose logits are nearest to its own.
NEAREST = 3


@dataclass(frozen=True, eq=False)
class _ClassSlot:
    """One class: placeholder of its ``index`` (negative: the top class), the one used, its score (n,), derivatives."""

    index: tf.Tensor
    index_used: tf.Tensor
    score: tf.Tensor
    gradients: dict[str, tf.Tensor]
    curvatures: dict[str, tf.Tensor]


@dataclass(frozen=True, eq=False)
class CellSlot:
    """One cell: placeholders of its (row, column) and of a channel per image, its values (n,), the gradient."""

    cell: tf.Tensor
    channels: tf.Tensor
    value: tf.Tensor
    gradient: tf.Tensor


class Targets:
    """Symbolic scores and derivatives of one trace. Callers hold the compiler's lock."""

    def __init__(self, traced: TracedNetwork) -> None:
        self._graph = traced.compiler.trace.function.graph
        self._scores = traced.scores
        self._tensors = {**traced.table.tensors, INPUT: as_floats(traced.source)}
        self._layout = traced.layout
        self._default = traced.table.default
        self._slots: dict[tuple[str, int], _ClassSlot] = {}
        self._fed: dict[str, tuple[tf.Tensor, ...]] = {}
        self._cells: dict[str, CellSlot] = {}

    def slot(self, score: Score, number: int) -> _ClassSlot:
        """The slot of the ``number``-th class of one pass."""
        key = (score.graph_kind, number)
        if key not in self._slots:
            with self._graph.as_default():
                logits = self._scores.logits
                index = tf.compat.v1.placeholder(tf.int32, [None], f"class_{number}")
                top = tf.argmax(logits, axis=1, output_type=tf.int32)
                if self._scores.kind == "value":
                    top = tf.zeros_like(top)  # a regression has one answer, its value
                used = tf.where(index < 0, top, index)
                value = self._value(score, used)
            self._slots[key] = _ClassSlot(index, used, value, {}, {})
        return self._slots[key]

    def fed(self, score: Score) -> tuple[tf.Tensor, ...]:
        """The placeholders of what a score is fed beside the class: α, and the classes to compare with."""
        kind = score.graph_kind
        if kind not in self._fed:
            with self._graph.as_default():
                made: list[tf.Tensor] = []
                if score.kind == "finer":
                    made.append(tf.compat.v1.placeholder(self._scores.logits.dtype, [], "alpha"))
                if kind == "finer against":
                    made.append(tf.compat.v1.placeholder(tf.int32, [None], "against"))
            self._fed[kind] = tuple(made)
        return self._fed[kind]

    def gradients(self, score: Score, number: int, paths: Sequence[str]) -> list[tf.Tensor]:
        """∂score/∂A at each path; built once for all layers and kept.

        The default layer's, which nearly everybody asks for first, is built alone, because that is quick.
        Raises LayerError where no gradient reaches a layer.
        """

        slot = self.slot(score, number)
        known = slot.gradients
        missing = [path for path in paths if path not in known]
        if missing:
            if missing not in ([self._default], [INPUT]):
                missing = [path for path, tensor in self._tensors.items() if path not in known and _smooth(tensor)]
            with self._graph.as_default():
                tensors = [self._tensors[path] for path in missing]
                known.update(zip(missing, gradients(slot.score, tensors), strict=True))
        for path in paths:
            if known.get(path) is None:
                where = f"layer {path!r}" if path else "the network's input"
                raise LayerError(
                    f"No gradient reaches {where}: an operation without a derivative lies between it and "
                    f"the scores. Try {self._instead(slot)}."
                )
        return [known[path] for path in paths]

    def _instead(self, slot: _ClassSlot) -> str:
        """Advice where no gradient reaches a layer: the default layer only where one reaches that."""
        if self._default is None:
            return _ASKING
        with self._graph.as_default():
            reached = gradients(slot.score, [self._tensors[self._default]])[0] is not None
        return f"{self._default!r}, or a method without gradients ('scorecam')" if reached else f"'scorecam', {_ASKING}"

    def curvature(self, score: Score, number: int, path: str) -> tf.Tensor:
        """H·A at a layer: the Hessian of the score there times the activations themselves."""
        slot = self.slot(score, number)
        if path not in slot.curvatures:
            (gradient,) = self.gradients(score, number, [path])
            A = self._tensors[path]
            with self._graph.as_default():
                try:
                    (product,) = gradients(gradient * self._layout(A).cells_only(tf.stop_gradient(A)), A)
                except LookupError as error:
                    raise MethodError(
                        f"ShapleyCAM cannot be computed at layer {path!r}: something behind it has no second "
                        "derivative in TensorFlow. Use 'gradcam', which needs the first one only."
                    ) from error
                # None: the gradient does not depend on A, as behind a linear head.
                slot.curvatures[path] = tf.zeros_like(A) if product is None else product
        return slot.curvatures[path]

    def cell(self, path: str) -> CellSlot:
        """One cell's value in one channel of a layer, and its gradient on the network's input.

        Raises LayerError where it holds no numbers that could be differentiated, or no gradient passes.
        """
        if path not in self._cells:
            A = self._tensors[path]
            with self._graph.as_default():
                cell = tf.compat.v1.placeholder(tf.int32, [2], "cell")
                channels = tf.compat.v1.placeholder(tf.int32, [None], "channels")
                image = tf.range(tf.shape(channels)[0])
                row, column = (tf.fill(tf.shape(channels), cell[axis]) for axis in (0, 1))
                # Each image of the batch is asked about a channel of its own.
                index = tf.stack([image, row, column, channels], axis=1)
                value = tf.gather_nd(self._layout(A).symbolic_map(A), index)
                smooth = _smooth(A) and _smooth(self._tensors[INPUT])
                gradient = gradients(value, self._tensors[INPUT])[0] if smooth else None
            if gradient is None:
                other = repr(self._default) if self._default else _ASKING
                raise LayerError(
                    f"Layer {path!r} has no gradient on the network's input: an operation without a derivative, or "
                    f"whole numbers, lie between. Its effective field cannot be measured. Try {other}."
                )
            self._cells[path] = CellSlot(cell, channels, value, gradient)
        return self._cells[path]

    def _value(self, score: Score, used: tf.Tensor) -> tf.Tensor:
        logits = self._scores.logits
        own = tf.gather(logits, used, batch_dims=1)
        multi_label = self._scores.activation == "sigmoid"
        if score.kind == "rest":
            if self._scores.activation == "none":
                raise MethodError(
                    "log p cannot be added to the score: a regression has no probabilities. Use the variant without it."
                )
            if self._scores.activation == "exp":
                return 2 * own
            log_p = tf.math.log_sigmoid(logits) if multi_label else tf.nn.log_softmax(logits)
            return own + tf.gather(log_p, used, batch_dims=1)
        if score.kind == "finer":
            alpha, *given = self.fed(score)
            if given:
                others = tf.tile(given[0][tf.newaxis], [tf.shape(logits)[0], 1])
            else:
                itself = tf.one_hot(used, logits.shape[1], on_value=True, off_value=False, dtype=tf.bool)
                distance = tf.where(itself, tf.constant(float("inf"), logits.dtype), tf.abs(logits - own[:, None]))
                others = tf.math.top_k(-distance, min(NEAREST, logits.shape[1] - 1)).indices
            y = tf.gather(logits, others, batch_dims=1)
            # p_d / Σ_d p_d: of a softmax its denominator cancels, so that nothing underflows.
            share = tf.nn.softmax(tf.math.log_sigmoid(y) if multi_label else y)
            return own - alpha * tf.reduce_sum(share * y, axis=1)
        return own


def _smooth(tensor: tf.Tensor) -> bool:
    return bool(tensor.dtype.is_floating)
