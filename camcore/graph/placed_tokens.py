"""The rules of concatenations and slices on tensors whose places lie in factors of their axes.

They put tokens without a place beside those with one, and take them away again.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from camcore.graph.picking import PICKING, Pick, picks
from camcore.graph.places import Factor, Factors, as_keys, has_places, made
from camcore.graph.reach import LOST, Reach, Rule, constant
from camcore.lazy import tf


def joined_tokens(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Tokens without a place put before or behind those with one; None where something else is concatenated."""
    along = constant(operation.inputs[-1])
    if along is None or output.shape.rank is None:
        return LOST
    where = int(along) % output.shape.rank
    sides = [tensor.shape[where] for tensor in operation.inputs[:-1]]
    holding = [i for i, reach in enumerate(inputs[:-1]) if reach is not None and reach.axes]
    reach = inputs[holding[0]]
    if reach is None or not reach.places or not has_places(reach.places[where]):
        return None
    if len(holding) > 1 or None in sides or output.shape[where] is None:
        return LOST
    axes = list(reach.places)
    tokens = _tokens(reach, axes[where], sum(sides[: holding[0]]), int(output.shape[where]))
    if tokens is None:
        return LOST
    axes[where] = tokens
    return made(reach, tuple(axes), output)


def _tokens(reach: Reach, factors: Factors, before: int, size: int) -> Factors | None:
    """The factors of an axis of ``size`` tokens, ``before`` of which come before those that it was made of.

    None where these are not all the cells of the grid, row by row.
    """
    cells = tuple(replace(factor, keys=False) for factor in factors)
    h, w = reach.grid
    all_cells = cells == tuple(factor for factor in (Factor("rows", h), Factor("columns", w)) if factor.size != 1)
    if not all_cells and [factor.kind for factor in factors] != ["tokens"]:
        return None
    first = factors[0].first if factors[0].kind == "tokens" else 0
    return (Factor("tokens", size, first=first + before, keys=factors[0].keys),)


def _slice(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, taken = next(filter(None, inputs)), picks(operation, output)
    if taken is None or output.shape.rank is None:
        return LOST
    axes: list[Factors] = [()] * output.shape.rank
    for factors, pick in zip(reach.places, taken, strict=True):
        left = _left(reach, factors, pick)
        if left is None:
            return LOST
        if pick.position is not None:
            axes[pick.position] = left
    return made(reach, tuple(axes), output)


def _left(reach: Reach, factors: Factors, pick: Pick) -> Factors | None:
    """The factors of an axis after a slice of it; None where it takes some of the places only."""
    if any(factor.size is None for factor in factors):
        return factors if pick.position is not None else None
    if not has_places(factors):
        return ()
    size = prod(factor.size or 1 for factor in factors)
    if (pick.start, pick.length, pick.step) == (0, size, 1):
        return factors
    tokens = _tokens(reach, factors, 0, size)
    if tokens is None or (pick.length > 1 and pick.step != 1):
        return None
    h, w = (int(side or 1) for side in reach.grid)
    first, start, stop = tokens[0].first, pick.start, pick.start + pick.length
    if stop <= first or start >= first + h * w:
        return ()  # tokens without a place
    if pick.position is None or start > first or stop < first + h * w:
        return None
    if pick.length == h * w:
        return as_keys((Factor("rows", h), Factor("columns", w)), factors[0].keys)
    return (replace(tokens[0], size=pick.length, first=first - start),)


SLICE_RULES: dict[str, Rule] = dict.fromkeys(PICKING, _slice)
