"""The places of a tensor whose rows and columns do not lie along axes of their own: tokens, windows, attention.

An axis of a tensor is a product of *factors*, the slowest first. Tokens are an axis of rows and columns; windows put
the windows' rows and columns beside the images, and those inside a window along another axis. A reshape regroups the
factors, a transposition moves them, and where they come together again the grid is there as it was. Tokens without a
place, such as a class token, make one factor of their axis that cannot be taken apart. Of attention weights (queries ×
keys) two axes hold places; those of the keys are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from camcore.graph.reach import LOST, POOLED, Reach
from camcore.lazy import tf

FactorKind = Literal["images", "rows", "columns", "tokens", "other"]
_PLACES = ("rows", "columns", "tokens")
Sides = Sequence["int | None"]


@dataclass(frozen=True)
class Factor:
    """Factor of an axis, of ``size`` values (None: as many as there are images).

    ``kind``: ``rows`` or ``columns``, of which it goes through every ``step``-th; ``tokens``: rows and columns in one,
    behind ``first`` tokens without a place and perhaps before others; ``images``; or ``other``, such as channels.
    ``keys``: of places that are looked at, where another axis has the places that look.
    """

    kind: FactorKind
    size: int | None
    step: int = 1
    first: int = 0
    keys: bool = False

    @property
    def placed(self) -> bool:
        """True for rows, columns and tokens."""
        return self.kind in _PLACES


Factors = tuple[Factor, ...]
Axes = tuple[Factors, ...]

IMAGES: Factors = (Factor("images", None),)


def other(side: int) -> Factors:
    """An axis without places."""
    return () if side == 1 else (Factor("other", side),)


def has_places(factors: Factors) -> bool:
    """True for an axis that holds places."""
    return any(factor.placed for factor in factors)


def as_keys(factors: Factors, keys: bool = True) -> Factors:
    """An axis whose places are those of the keys (``keys`` False: are not)."""
    return tuple(replace(factor, keys=keys) if factor.placed else factor for factor in factors)


def queried(axes: Axes) -> Axes:
    """Axes of which, where keys alone are left, these are the places."""
    if any(factor.placed and not factor.keys for factors in axes for factor in factors):
        return axes
    return tuple(as_keys(factors, keys=False) for factors in axes)


def axes_of(reach: Reach, sides: Sides) -> Axes | None:
    """The factors of each axis of a tensor with these sides; None where they are not known."""
    if reach.places:
        return reach.places
    h, w = reach.grid
    if None in sides[1:] or not sides:
        return None
    axes = [other(int(side or 1)) for side in sides]
    axes[0] = IMAGES
    if not reach.axes:
        return tuple(axes)
    if h is None or w is None or 0 in reach.dims:
        return None
    rows, columns = Factor("rows", h), Factor("columns", w)
    if reach.spatial:
        axes[reach.dims[0]], axes[reach.dims[1]] = (rows,), (columns,)
    else:
        axes[reach.dims[0]] = (rows, columns)
    return tuple(axes)


def regrouped(axes: Axes, sides: Sides) -> Axes | None:
    """The factors after a reshape to these sides; None where a factor would be taken apart that is none."""
    left = [factor for factors in axes for factor in factors if factor.size != 1]
    result: list[Factors] = []
    for side in reversed(sides[1:]):
        group: list[Factor] = []
        if side is None:
            return None
        while side > 1:
            factor = left.pop() if left else IMAGES[0]
            if factor.size is None:
                return None
            if side % factor.size == 0:
                side //= factor.size
            elif factor.size % side or factor.kind == "tokens":
                return None
            else:
                left.append(replace(factor, size=factor.size // side, step=factor.step * side))
                factor, side = replace(factor, size=side), 1
            group.insert(0, factor)
        result.insert(0, tuple(group))
    return tuple(map(_joined, (tuple(left), *result)))


def _joined(factors: Factors) -> Factors:
    """Neighbouring factors that are one."""
    result: list[Factor] = []
    for factor in factors:
        before = result[-1] if result else None
        if before is not None and before.kind == factor.kind and factor.size is not None and before.size is not None:
            if factor.kind == "other":
                result[-1] = replace(before, size=before.size * factor.size)
                continue
            together = (
                factor.kind != "tokens" and before.keys == factor.keys and before.step == factor.step * factor.size
            )
            if together:
                result[-1] = replace(factor, size=before.size * factor.size)
                continue
        result.append(factor)
    return tuple(result)


def placed(reach: Reach, axes: Axes) -> Reach:
    """``reach`` of a tensor with these factors: of a whole grid, of tokens, or of pieces of one."""
    h, w = reach.grid
    if any(factor.keys for factors in axes for factor in factors):
        return replace(reach, dims=(), places=axes)
    coarse = _coarser(reach, axes)
    if coarse is not None:
        return coarse
    found: dict[Factors, int] = {factors: axis for axis, factors in enumerate(axes)}
    apart = [found.get((Factor("rows", h),)), found.get((Factor("columns", w),))]
    if axes[0] == IMAGES and None not in apart:
        return replace(reach, dims=(int(apart[0] or 0), int(apart[1] or 0)), places=())
    together = found.get((Factor("rows", h), Factor("columns", w)))
    if together is None:
        together = next(
            (axis for factors, axis in found.items() if len(factors) == 1 and factors[0].kind == "tokens"),
            None,
        )
    tokens = (together,) if axes[0] == IMAGES and together is not None and len(axes) > 2 else ()
    return replace(reach, dims=tokens, places=axes)


def _coarser(reach: Reach, axes: Axes) -> Reach | None:
    """The grid of patches whose own rows and columns have become channels, along the last axis; None where none are."""
    within = [factor for factor in axes[-1] if factor.placed]
    if not within or axes[0] != IMAGES or any(factor.kind == "other" for factors in axes[:-1] for factor in factors):
        return None
    if any(factor.kind == "tokens" for factor in within):
        return None
    rows, columns = (_product(factor for factor in within if factor.kind == kind) for kind in ("rows", "columns"))
    h, w = (int(side or 1) for side in reach.grid)
    if h % rows or w % columns:
        return None
    grid = (h // rows, w // columns)
    if grid == (1, 1):
        return None
    channels = _product(axes[-1])
    steps = {"rows": rows, "columns": columns, "tokens": rows * columns}
    rest = [
        tuple(replace(one, step=one.step // steps[one.kind]) if one.placed else one for one in factors)
        for factors in axes[:-1]
    ]
    left = [one for factors in rest for one in factors if one.placed]
    if any(one.step < 1 for one in left) or _product(one for one in left if one.kind == "rows") != grid[0]:
        return None
    window = (reach.axes[0].window(rows, rows, 1, 0), reach.axes[1].window(columns, columns, 1, 0))
    return placed(replace(reach, axes=window, grid=grid), (*rest, other(channels)))


def _product(factors: Iterable[Factor]) -> int:
    return prod(factor.size or 1 for factor in factors)


def made(reach: Reach, axes: Axes, output: tf.Tensor) -> Reach:
    """The reach of an output with these factors, its sides without places as the graph has them."""
    sides = output.shape
    if sides.rank != len(axes):
        return LOST
    full = []
    for factors, side in zip(axes, sides, strict=True):
        if has_places(factors) or factors == IMAGES:
            full.append(factors)
        elif side is None:
            return LOST
        else:
            full.append(other(int(side)))
    known = queried(tuple(full))
    if not any(map(has_places, known)):
        return replace(POOLED, known=reach.known)
    return placed(reach, known)


def mixed(reach: Reach) -> Reach:
    """The reach of places that hear of others."""
    return replace(reach, known=False, whole_picture=True)
