"""The rules of operations on tensors whose places lie in factors of their axes: tokens, windows, attention weights.

See ``places``. What leaves the factors of each axis whole keeps the grid; what takes tokens without a place, such as
the class token, leaves none; anything else loses it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from camcore.graph.combining import POINTWISE, REDUCTIONS, united
from camcore.graph.placed_products import PRODUCT_RULES
from camcore.graph.placed_tokens import SLICE_RULES, joined_tokens
from camcore.graph.places import IMAGES, Factors, as_keys, axes_of, has_places, made, placed, regrouped
from camcore.graph.reach import LOST, Reach, Rule, constant
from camcore.lazy import tf


def place_rule(kind: str) -> Rule:
    """The rule for an operation of this kind, one of whose inputs has ``places``."""
    return _RULES.get(kind, _lost)


def _lost(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    return LOST


def rearranged(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach:
    """A reshape; LOST where a factor would be taken apart."""
    (before, sides), reach = (operation.inputs[0].shape, output.shape), inputs[0]
    if reach is None or before.rank is None or sides.rank is None:
        return LOST
    axes, wanted = axes_of(reach, before.as_list()), sides.as_list()
    if len(wanted) == 2 and wanted[1] is None and are_rows(output, before[-1]):
        wanted[1] = before[-1]
    after = None if axes is None else regrouped(axes, wanted)
    if after is None or not after[0] or after[0][0] != IMAGES[0]:
        return LOST
    return placed(reach, after)


def are_rows(output: tf.Tensor, channels: int | None) -> bool:
    """True where the last axis still is the channels; a dense layer on a grid leaves it open in the graph."""
    if output.shape[-1] is not None:
        return bool(output.shape[-1] == channels)
    users = [user for user in output.consumers() if user.type == "MatMul"]
    return any(user.inputs[1].shape[0] == channels for user in users)


def _transpose(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, order = inputs[0], constant(operation.inputs[1])
    if reach is None or order is None:
        return LOST
    return placed(reach, tuple(reach.places[int(axis)] for axis in order))


def _expand_dims(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, axis = inputs[0], constant(operation.inputs[1])
    if reach is None or axis is None or output.shape.rank is None:
        return LOST
    new = int(np.ravel(axis)[0]) % output.shape.rank
    return placed(reach, (*reach.places[:new], (), *reach.places[new:]))


def _squeeze(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, shape = inputs[0], operation.inputs[0].shape
    if reach is None or shape.rank is None:
        return LOST
    given = operation.get_attr("squeeze_dims")
    gone = {axis % shape.rank for axis in given} or {axis for axis, side in enumerate(shape) if side == 1}
    return placed(reach, tuple(factors for axis, factors in enumerate(reach.places) if axis not in gone))


def _pointwise(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """The same place of every input makes each place of the output; queries and keys that meet make pairs."""
    rank = output.shape.rank
    result: Reach | None = None
    axes: list[Factors] = []
    rest: list[Reach] = []
    for tensor, reach in zip(operation.inputs, inputs, strict=True):
        if reach is None or rank is None or tensor.shape.rank is None:
            continue
        own = axes_of(reach, tensor.shape.as_list()) if reach.axes else None
        if own is None:
            rest.append(reach)
            continue
        own = (((),) * (rank - len(own))) + own
        if result is None or sum(map(has_places, own)) > sum(map(has_places, axes)):
            if result is not None:
                rest.append(result)
            previous, axes, result = axes, list(own), reach
        else:
            previous = list(own)
            rest.append(reach)
        for axis, factors in enumerate(previous):
            if has_places(factors) and not has_places(axes[axis]):
                axes[axis] = as_keys(factors)
    if result is None:
        return LOST
    axes[0] = axes[0] or IMAGES
    for reach in rest:
        result = united(replace(result, dims=()), replace(reach, dims=()))
    return made(result, tuple(axes), output)


def _concatenation(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Tokens end to end, or the channels of the same places side by side."""
    tokens = joined_tokens(operation, inputs, output)
    return _pointwise(operation, [*inputs[:-1], None], output) if tokens is None else tokens


def _reduction(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, over = inputs[0], constant(operation.inputs[1])
    if reach is None or over is None:
        return LOST
    reduced = {int(axis) % len(reach.places) for axis in np.atleast_1d(over)}
    if 0 in reduced:
        return LOST
    gone = [part for axis in reduced for part in reach.places[axis] if part.placed and not part.keys]
    left = [part for axis, factors in enumerate(reach.places) if axis not in reduced for part in factors if part.placed]
    if gone and any(not part.keys for part in left):
        return LOST  # some of the rows and columns only
    keep = operation.get_attr("keep_dims")
    axes = [
        () if axis in reduced else factors for axis, factors in enumerate(reach.places) if keep or axis not in reduced
    ]
    return made(reach, tuple(axes), output)


def _pack(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    rank = output.shape.rank
    first = next((reach for reach in inputs if reach is not None and reach.places), None)
    if rank is None or first is None or any(reach is not None and reach.places != first.places for reach in inputs):
        return LOST
    axis = operation.get_attr("axis") % rank
    return made(first, (*first.places[:axis], (), *first.places[axis:]), output)


def _same_places(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Copies along axes without places."""
    reach, before, after = inputs[0], operation.inputs[0].shape, output.shape
    if reach is None or before.rank is None or after.rank is None:
        return LOST
    axes = ((),) * (after.rank - before.rank) + reach.places
    sides = (None,) * (after.rank - before.rank) + tuple(before)
    if any(has_places(factors) and sides[i] != after[i] for i, factors in enumerate(axes)):
        return LOST
    return made(reach, axes, output)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, _pointwise),
    **dict.fromkeys(REDUCTIONS, _reduction),
    "Reshape": rearranged,
    "Transpose": _transpose,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "ConcatV2": _concatenation,
    "Pack": _pack,
    **SLICE_RULES,
    **dict.fromkeys(("Tile", "BroadcastTo"), _same_places),
    **PRODUCT_RULES,
}
