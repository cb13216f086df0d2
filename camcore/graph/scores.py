"""The scores of a network: the value behind its output that methods differentiate, and the kind of output it is.

Behind a final softmax or sigmoid that is the logit, because a saturated softmax has no gradient. A final Dense or
convolution with an activation, an activation layer of its own, and a reshape after it all look alike in the graph.
Where the output is another way to give probabilities (the mean of classifiers, a clipped or renormalised softmax, a
log-softmax, sigmoids side by side), the probabilities are the output's own, and methods differentiate their
logarithm. An output that is a map, as in segmentation, is read per pixel in the same way, and averaged over a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from camcore.errors import ModelError
from camcore.graph.regions import Region, averaged
from camcore.graph.score_kind import output_kind
from camcore.graph.trace import Trace
from camcore.lazy import tf

Activation = Literal["softmax", "sigmoid", "linear", "exp", "none"]
ScoreKind = Literal["logit", "log-probability", "log-odds", "value"]

# Operations that hand on the same numbers in the same order.
_SAME_NUMBERS = {"Identity", "IdentityN", "Reshape", "Squeeze", "ExpandDims", "Cast", "StopGradient"}


@dataclass(frozen=True, eq=False)
class Scores:
    """The end of a network: one score per class, and what turns scores into probabilities.

    ``kind``: what a score is. ``logit``: the value before the last softmax or sigmoid, or of a linear head.
    ``log-probability``: log p of the output's own probabilities, which sum to 1. ``log-odds``: log p − log(1 − p) of
    its own probabilities, each by itself. ``value``: a single number without probability, a regression; its two
    classes are what raises it (+y) and what lowers it (−y).

    ``activation``: ``softmax``, ``sigmoid`` (also of log-odds), ``linear`` (read as logits of a softmax), ``exp`` (of
    log-probabilities), ``none`` (of a value). ``probabilities``: the output's own, (n, classes), where they are not
    the activation of the scores: of a map, whose scores and probabilities are averaged each by themselves. ``of_map``:
    whether the output is one.
    """

    logits: tf.Tensor  # symbolic tensor (n, classes) in float32 or float64
    source: tf.Tensor  # the tensor that holds them, from which the graph is walked back
    activation: Activation
    classes: int
    kind: ScoreKind = "logit"
    probabilities: tf.Tensor = None
    of_map: bool = False


@dataclass(frozen=True, eq=False)
class _Cells:
    """Scores (…, classes) along the last axis, in the shape of the output, and the probabilities likewise."""

    scores: tf.Tensor
    source: tf.Tensor
    activation: Activation
    kind: ScoreKind


def find_scores(trace: Trace, labels: int | None = None, region: Region | None = None) -> Scores:
    """The scores of a traced network with an output (n, classes), (n, 1, 1, classes) or a map (n, h, w, classes).

    One unit has two classes where it is a probability: the score of class 1 is the unit's logit (log-odds), of class
    0 minus it; so has a linear unit for which two ``labels`` (their number; None: not given) are given, the logit of
    a classifier. Several linear outputs are the logits of a softmax. ``region``: of a map, where its scores are
    averaged; None: over all of it.
    Raises ModelError where the output has no class axis, or a shape of another kind.
    """
    output = trace.output
    classes = _class_count(output)
    is_map = any(side != 1 for side in output.shape[1:-1])
    if region is not None and not is_map:
        raise ModelError(
            f"A target was given, but the output is no map (shape {tuple(output.shape)}). Only an output (batch, "
            "height, width, classes) has regions whose scores could be averaged. Leave target away."
        )
    with output.graph.as_default():
        cells = _cells(trace, output, classes, labels)
        y = cells.scores
        if classes == 1 and cells.activation in ("sigmoid", "none"):
            y = tf.concat([y, -y] if cells.kind == "value" else [-y, y], axis=-1)
        if is_map:
            likely, each = _likely(y, cells.activation), cells.activation == "sigmoid"
            y, means = averaged(y, likely, region or Region(), each)
        else:
            means = None
    source = cells.source if cells.kind in ("logit", "value") else cells.scores
    return Scores(y, source, cells.activation, int(y.shape[1]), cells.kind, means, is_map)


def _cells(trace: Trace, output: tf.Tensor, classes: int, labels: int | None) -> _Cells:
    is_map = any(side != 1 for side in output.shape[1:-1])
    sides = list(output.shape[1:-1]) if is_map else []
    shape = tf.shape(output) if None in sides else [-1, *sides, classes]

    def laid(tensor: tf.Tensor) -> tf.Tensor:
        return tf.reshape(_wide(tensor), shape)

    before = _before_activation(output, classes)
    if before is not None:
        source, activation = before
        return _Cells(laid(source), source, activation, "logit")
    beside = _before_sigmoids(output)
    if beside is not None:
        return _Cells(laid(beside), beside, "sigmoid", "log-odds")
    kind, p = output_kind(trace, output), laid(output)
    if kind == "distribution":
        return _Cells(_log(p), output, "exp", "log-probability")
    if kind == "log distribution":
        return _Cells(p, output, "exp", "log-probability")
    if kind == "independent":
        return _Cells(_log(p) - _log(1 - p), output, "sigmoid", "log-odds")
    if classes > 1:
        return _Cells(p, output, "linear", "logit")
    return _Cells(p, output, "sigmoid", "logit") if labels == 2 else _Cells(p, output, "none", "value")


def _wide(tensor: tf.Tensor) -> tf.Tensor:
    """In single precision at least."""
    return tensor if tensor.dtype in (tf.float32, tf.float64) else tf.cast(tensor, tf.float32)


def _log(p: tf.Tensor) -> tf.Tensor:
    """log p, with a finite value and gradient where p is 0 to rounding."""
    return tf.math.log(tf.maximum(p, np.finfo(p.dtype.as_numpy_dtype).tiny))


def _likely(y: tf.Tensor, activation: Activation) -> tf.Tensor:
    """The probabilities of scores (…, classes); None where there are none."""
    if activation == "none":
        return None
    return {"sigmoid": tf.sigmoid, "exp": tf.exp}.get(activation, tf.nn.softmax)(y)


def _before_activation(output: tf.Tensor, classes: int) -> tuple[tf.Tensor, Activation] | None:
    """The tensor of which the output is the softmax or sigmoid, in whatever shape."""
    tensor = output
    while True:
        operation = tensor.op
        if operation.type == "Softmax":
            whole = operation.inputs[0].shape[-1] in (classes, None)
            return (operation.inputs[0], "softmax") if whole else None  # several distributions in one row
        if operation.type == "Sigmoid":
            return operation.inputs[0], "sigmoid"
        if operation.type not in _SAME_NUMBERS:
            return None
        tensor = operation.inputs[tensor.value_index if operation.type == "IdentityN" else 0]


def _before_sigmoids(tensor: tf.Tensor) -> tf.Tensor:
    """The logits of sigmoids that were put side by side, in the same place; None where there is anything else."""
    operation = tensor.op
    if operation.type == "Sigmoid":
        return operation.inputs[0]
    if operation.type in _SAME_NUMBERS:
        inner = _before_sigmoids(operation.inputs[tensor.value_index if operation.type == "IdentityN" else 0])
        return None if inner is None else tf.reshape(inner, tf.shape(tensor))
    if operation.type not in ("ConcatV2", "Pack"):
        return None
    parts = [_before_sigmoids(part) for part in operation.inputs[: len(operation.inputs) - (operation.type != "Pack")]]
    if any(part is None for part in parts):
        return None
    wide = [_wide(part) for part in parts]
    if operation.type == "Pack":
        return tf.stack(wide, operation.get_attr("axis"))
    return tf.concat(wide, operation.inputs[-1])


def _class_count(output: tf.Tensor) -> int:
    shape = output.shape
    if shape.rank is None or shape.rank < 2 or shape[-1] is None:
        raise ModelError(
            f"The output has the shape {tuple(shape) if shape.rank else '?'}, where one score per class is "
            "needed: (batch, classes). Choose another output, or wrap the classifier part of the model."
        )
    if shape.rank != 4 and any(side != 1 for side in shape[1:-1]):
        raise ModelError(
            f"The output has axes of its own (shape {tuple(shape)}); one score per class is needed: (batch, classes), "
            "or a map of them (batch, height, width, classes). Choose another output, or reshape it to one of these."
        )
    return int(shape[-1])
