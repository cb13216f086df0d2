"""The rules of operations on tensors whose places lie in parts of their axes: tokens, windows, attention weights.

See ``places``. What leaves the parts of each axis whole keeps the grid; what takes tokens without a place, such as the
class token, leaves none; anything else loses it.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from camcore.graph.combining import POINTWISE, REDUCTIONS, spelled, united
from camcore.graph.picking import PICKING, Pick, picks
from camcore.graph.places import (
    IMAGES,
    Axes,
    Part,
    Parts,
    as_keys,
    axes_of,
    has_places,
    other,
    placed,
    queried,
    regrouped,
)
from camcore.graph.reach import LOST, POOLED, Reach, Rule, constant
from camcore.lazy import tf

# Sums of products over an axis, of two maps or of one with weights.
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")


def place_rule(kind: str) -> Rule:
    """The rule for an operation of this kind, one of whose inputs has ``places``."""
    return _RULES.get(kind, _lost)


def _lost(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    return LOST


def _made(reach: Reach, axes: Axes, output: tf.Tensor) -> Reach:
    """The reach of an output with these parts, its sides without places as the graph has them."""
    sides = output.shape
    if sides.rank != len(axes):
        return LOST
    full = []
    for parts, side in zip(axes, sides, strict=True):
        if has_places(parts) or parts == IMAGES:
            full.append(parts)
        elif side is None:
            return LOST
        else:
            full.append(other(int(side)))
    known = queried(tuple(full))
    if not any(map(has_places, known)):
        return replace(POOLED, known=reach.known)
    return placed(reach, known)


def _mixed(reach: Reach) -> Reach:
    return replace(reach, known=False, whole_picture=True)


def rearranged(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach:
    """A reshape; LOST where a part would be taken apart."""
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
    return placed(reach, tuple(parts for axis, parts in enumerate(reach.places) if axis not in gone))


def _pointwise(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """The same place of every input makes each place of the output; queries and keys that meet make pairs."""
    rank = output.shape.rank
    result: Reach | None = None
    axes: list[Parts] = []
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
        for axis, parts in enumerate(previous):
            if has_places(parts) and not has_places(axes[axis]):
                axes[axis] = as_keys(parts)
    if result is None:
        return LOST
    axes[0] = axes[0] or IMAGES
    for reach in rest:
        result = united(replace(result, dims=()), replace(reach, dims=()))
    return _made(result, tuple(axes), output)


def _reduction(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, over = inputs[0], constant(operation.inputs[1])
    if reach is None or over is None:
        return LOST
    reduced = {int(axis) % len(reach.places) for axis in np.atleast_1d(over)}
    if 0 in reduced:
        return LOST
    gone = [part for axis in reduced for part in reach.places[axis] if part.placed and not part.keys]
    left = [part for axis, parts in enumerate(reach.places) if axis not in reduced for part in parts if part.placed]
    if gone and any(not part.keys for part in left):
        return LOST  # some of the rows and columns only
    keep = operation.get_attr("keep_dims")
    axes = [() if axis in reduced else parts for axis, parts in enumerate(reach.places) if keep or axis not in reduced]
    return _made(reach, tuple(axes), output)


def _concat(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Tokens without a place put before or behind those with one, or channels side by side."""
    along = constant(operation.inputs[-1])
    if along is None or output.shape.rank is None:
        return LOST
    where = int(along) % output.shape.rank
    sides = [tensor.shape[where] for tensor in operation.inputs[:-1]]
    holding = [i for i, reach in enumerate(inputs[:-1]) if reach is not None and reach.axes]
    reach = inputs[holding[0]]
    if reach is None or not reach.places or not has_places(reach.places[where]):
        return _pointwise(operation, [*inputs[:-1], None], output)
    if len(holding) > 1 or None in sides or output.shape[where] is None:
        return LOST
    axes = list(reach.places)
    tokens = _tokens(axes[where], sum(sides[: holding[0]]), int(output.shape[where]))
    if tokens is None:
        return LOST
    axes[where] = tokens
    return _made(reach, tuple(axes), output)


def _tokens(parts: Parts, before: int, size: int) -> Parts | None:
    """The parts of an axis of ``size`` tokens, ``before`` of which come before those that it was made of."""
    whole = [part.kind for part in parts] in (["rows", "columns"], ["rows"], ["columns"]) and all(
        part.step == 1 for part in parts
    )
    if not whole and (len(parts) != 1 or parts[0].kind != "tokens"):
        return None
    first = parts[0].first if parts[0].kind == "tokens" else 0
    return (Part("tokens", size, first=first + before, keys=parts[0].keys),)


def _slice(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, taken = next(filter(None, inputs)), picks(operation, output)
    if taken is None or output.shape.rank is None:
        return LOST
    axes: list[Parts] = [()] * output.shape.rank
    for parts, pick in zip(reach.places, taken, strict=True):
        left = _left(reach, parts, pick)
        if left is None:
            return LOST
        if pick.position is not None:
            axes[pick.position] = left
    return _made(reach, tuple(axes), output)


def _left(reach: Reach, parts: Parts, pick: Pick) -> Parts | None:
    """The parts of an axis after a slice of it; None where it takes some of the places only."""
    if any(part.size is None for part in parts):
        return parts if pick.position is not None else None
    if not has_places(parts):
        return ()
    size = prod(part.size or 1 for part in parts)
    if (pick.start, pick.length, pick.step) == (0, size, 1):
        return parts
    tokens = _tokens(parts, 0, size)
    if tokens is None or (pick.length > 1 and pick.step != 1):
        return None
    h, w = (int(side or 1) for side in reach.grid)
    first, start, stop = tokens[0].first, pick.start, pick.start + pick.length
    if stop <= first or start >= first + h * w:
        return ()  # tokens without a place
    if pick.position is None or start > first or stop < first + h * w:
        return None
    if pick.length == h * w:
        return as_keys((Part("rows", h), Part("columns", w)), parts[0].keys)
    return (replace(tokens[0], size=pick.length, first=first - start),)


def _pack(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    rank = output.shape.rank
    first = next((reach for reach in inputs if reach is not None and reach.places), None)
    if rank is None or first is None or any(reach is not None and reach.places != first.places for reach in inputs):
        return LOST
    axis = operation.get_attr("axis") % rank
    return _made(first, (*first.places[:axis], (), *first.places[axis:]), output)


def _same_places(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Copies along axes without places."""
    reach, before, after = inputs[0], operation.inputs[0].shape, output.shape
    if reach is None or before.rank is None or after.rank is None:
        return LOST
    axes = ((),) * (after.rank - before.rank) + reach.places
    sides = (None,) * (after.rank - before.rank) + tuple(before)
    if any(has_places(parts) and sides[i] != after[i] for i, parts in enumerate(axes)):
        return LOST
    return _made(reach, axes, output)


def _along_one_axis(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A softmax: the places that it runs over are the keys of the others."""
    reach = inputs[0]
    along = constant(operation.inputs[1]) if len(operation.inputs) > 1 else -1
    if reach is None or along is None:
        return LOST
    axis = int(along) % len(reach.places)
    if not has_places(reach.places[axis]):
        return reach
    return placed(_mixed(reach), attending(reach.places, axis))


def attending(axes: Axes, over: int) -> Axes:
    """Axes of queries and keys of which the keys lie along ``over``."""
    pairs = any(part.keys for parts in axes for part in parts)
    if not pairs or all(part.keys for part in axes[over] if part.placed):
        return axes
    # What both share, such as the windows beside the images, is nobody's keys.
    keyed = {axis for axis, parts in enumerate(axes) if any(part.keys for part in parts)}
    return tuple(
        as_keys(parts, keys=axis == over) if axis == over or axis in keyed else parts for axis, parts in enumerate(axes)
    )


def letters(operation: tf.Operation) -> tuple[list[list[int]], list[int]] | None:
    """The axes of both operands of a matrix product and of what it makes, named as in an einsum; None where unknown."""
    ranks = [tensor.shape.rank for tensor in operation.inputs]
    if None in ranks:
        return None
    if operation.type == "Einsum":
        text = operation.get_attr("equation")
        taken, made = (text.decode() if isinstance(text, bytes) else text).split("->")
        terms = [spelled(term, rank) for term, rank in zip(taken.split(","), ranks, strict=True)]
        after = spelled(made, operation.outputs[0].shape.rank)
        if after is None or any(term is None or len(set(term)) < len(term) for term in terms):
            return None
        return [list(map(ord, term or "")) for term in terms], list(map(ord, after))
    if min(ranks) < 2:
        return None
    names = ("adj_x", "adj_y") if operation.type.startswith("Batch") else ("transpose_a", "transpose_b")
    batch = max(ranks) - 2
    found = []
    for name, rank, ends in zip(names, ranks, ((-1, -2), (-2, -3)), strict=True):
        found.append([*range(batch - (rank - 2), batch), *(reversed(ends) if operation.get_attr(name) else ends)])
    return found, [*range(batch), -1, -3]


def _product(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A sum of products over the axes that are gone afterwards: of places with the same places, or of channels."""
    named = letters(operation)
    if named is None:
        return LOST
    terms, made = named
    result: Reach | None = None
    found: dict[int, Parts] = {}
    summed: list[set[int]] = []
    for tensor, reach, term in zip(operation.inputs, inputs, terms, strict=True):
        own = axes_of(reach, tensor.shape.as_list()) if reach is not None else None
        if reach is not None and own is None:
            return LOST
        if own is None:
            summed.append(set())
            continue
        placed_here = {letter: parts for letter, parts in zip(term, own, strict=True) if has_places(parts)}
        summed.append({letter for letter in placed_here if letter not in made})
        apart = [letter for letter in placed_here if letter in made and letter not in found]
        pairs = any(has_places(found[letter]) and letter not in placed_here for letter in found if letter in made)
        for letter, parts in zip(term, own, strict=True):
            if letter in made and (has_places(parts) or not has_places(found.get(letter, ()))):
                found[letter] = as_keys(parts) if pairs and letter in apart and not summed[-1] else parts
        if reach is not None and reach.axes:
            result = reach if result is None else united(replace(result, dims=()), replace(reach, dims=()))
    if result is None:
        return LOST
    if len(operation.inputs) > 1 and any(summed) and summed[0] != summed[-1]:
        return LOST  # weights of a place each
    axes = tuple(found.get(letter, ()) for letter in made)
    several = sum(reach is not None for reach in inputs) > 1
    return _made(_mixed(result) if several else result, axes, output)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, _pointwise),
    **dict.fromkeys(REDUCTIONS, _reduction),
    "Reshape": rearranged,
    "Transpose": _transpose,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "ConcatV2": _concat,
    "Pack": _pack,
    **dict.fromkeys(PICKING, _slice),
    **dict.fromkeys(("Tile", "BroadcastTo"), _same_places),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Cumsum", "Cumprod"), _along_one_axis),
    **dict.fromkeys(PRODUCTS, _product),
}
