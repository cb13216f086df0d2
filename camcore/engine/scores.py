"""Where the scores of a network are: its logits, found by walking the traced graph back from the output.

Methods differentiate the logit, the value before the final softmax or sigmoid, because a saturated softmax has
no gradient. A final Dense or convolution with an activation, an activation layer of its own, and a reshape
after it all look alike in the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from camcore.errors import ModelError

Activation = Literal["softmax", "sigmoid", "linear"]

# Operations that hand on the same numbers in the same order.
_SAME_NUMBERS = {"Identity", "IdentityN", "Reshape", "Squeeze", "ExpandDims", "Cast", "StopGradient"}


@dataclass(frozen=True, eq=False)
class Scores:
    """The end of a network: one logit per class, and what turns logits into probabilities."""

    logits: Any  # symbolic tensor (n, classes) in float32 or float64
    source: Any  # the tensor in the model that holds them
    activation: Activation
    classes: int


def find_scores(output: Any) -> Scores:
    """The logits behind ``output``, a symbolic tensor (n, classes) or (n, 1, 1, classes).

    One sigmoid unit has two classes: the logit of class 1 is the unit's, of class 0 minus it. Where the network
    does not end in a softmax or sigmoid, the scores are the output itself (activation ``linear``).
    Raises ModelError where the output has a grid (segmentation) or no class axis.
    """
    import tensorflow as tf

    source, activation = _before_activation(output)
    classes = _class_count(output)
    with output.graph.as_default():
        flat = tf.reshape(source, [-1, classes])
        if flat.dtype not in (tf.float32, tf.float64):
            flat = tf.cast(flat, tf.float32)
        if activation == "sigmoid" and classes == 1:
            flat = tf.concat([-flat, flat], axis=1)
    return Scores(flat, source, activation, int(flat.shape[1]))


def _before_activation(output: Any) -> tuple[Any, Activation]:
    tensor = output
    while True:
        operation = tensor.op
        if operation.type in ("Softmax", "LogSoftmax"):
            return operation.inputs[0], "softmax"
        if operation.type == "Sigmoid":
            return operation.inputs[0], "sigmoid"
        if operation.type not in _SAME_NUMBERS:
            return output, "linear"
        tensor = operation.inputs[tensor.value_index if operation.type == "IdentityN" else 0]


def _class_count(output: Any) -> int:
    shape = output.shape
    if shape.rank is None or shape.rank < 2 or shape[-1] is None:
        raise ModelError(
            f"The output has the shape {tuple(shape) if shape.rank else '?'}, where one score per class is "
            "needed: (batch, classes). Choose another output, or wrap the classifier part of the model."
        )
    if any(side != 1 for side in shape[1:-1]):
        raise ModelError(
            f"The output has a grid of its own (shape {tuple(shape)}), as in segmentation; one score per class "
            "is needed: (batch, classes). Wrap a model that pools the grid first."
        )
    return int(shape[-1])
