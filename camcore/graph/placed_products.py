"""The rules of matrix products and of the softmax on tensors whose places lie in factors of their axes.

Queries times keys have places along two axes; a softmax tells which of the two are looked at; their product with the
values sums over these, and leaves the places that look.
"""

from __future__ import annotations

from dataclasses import replace

from camcore.graph.combining import spelled, united
from camcore.graph.places import Axes, Factors, as_keys, axes_of, has_places, made, mixed, placed
from camcore.graph.reach import LOST, POOLED, Reach, Rule, constant
from camcore.lazy import tf

# Sums of products over an axis, of two maps or of one with weights.
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")


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
    terms, kept = named
    result: Reach | None = None
    found: dict[int, Factors] = {}
    summed: list[set[int]] = []
    for tensor, reach, term in zip(operation.inputs, inputs, terms, strict=True):
        own = axes_of(reach, tensor.shape.as_list()) if reach is not None else None
        if reach is not None and own is None:
            return LOST
        if own is None:
            summed.append(set())
            continue
        placed_here = {letter: factors for letter, factors in zip(term, own, strict=True) if has_places(factors)}
        summed.append({letter for letter in placed_here if letter not in kept})
        apart = [letter for letter in placed_here if letter in kept and letter not in found]
        pairs = any(has_places(found[letter]) and letter not in placed_here for letter in found if letter in kept)
        for letter, factors in zip(term, own, strict=True):
            if letter in kept and (has_places(factors) or not has_places(found.get(letter, ()))):
                found[letter] = as_keys(factors) if pairs and letter in apart and not summed[-1] else factors
        if reach is not None and reach.axes:
            result = reach if result is None else united(replace(result, dims=()), replace(reach, dims=()))
    if result is None:
        return LOST
    if len(operation.inputs) > 1 and summed[0] != summed[-1]:  # weights of each place's own
        left = any(has_places(found.get(letter, ())) for letter in kept)
        return LOST if left else replace(POOLED, known=result.known)
    axes = tuple(found.get(letter, ()) for letter in kept)
    several = sum(reach is not None for reach in inputs) > 1
    return made(mixed(result) if several else result, axes, output)


def _along_one_axis(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A softmax: the places that it runs over are the keys of the others."""
    reach = inputs[0]
    along = constant(operation.inputs[1]) if len(operation.inputs) > 1 else -1
    if reach is None or along is None:
        return LOST
    axis = int(along) % len(reach.places)
    if not has_places(reach.places[axis]):
        return reach
    return placed(mixed(reach), _attending(reach.places, axis))


def _attending(axes: Axes, over: int) -> Axes:
    """Axes of queries and keys of which the keys lie along ``over``."""
    pairs = any(part.keys for factors in axes for part in factors)
    if not pairs or all(part.keys for part in axes[over] if part.placed):
        return axes
    # What both share, such as the windows beside the images, is nobody's keys.
    keyed = {axis for axis, factors in enumerate(axes) if any(part.keys for part in factors)}
    return tuple(
        as_keys(factors, keys=axis == over) if axis == over or axis in keyed else factors
        for axis, factors in enumerate(axes)
    )


PRODUCT_RULES: dict[str, Rule] = {
    **dict.fromkeys(PRODUCTS, _product),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Cumsum", "Cumprod"), _along_one_axis),
}
