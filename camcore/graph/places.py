"""The places of a tensor whose rows and columns do not lie along axes of their own: tokens, windows, attention.

An axis of a tensor is a product of *parts*, the slowest first. Tokens are an axis of rows and columns; windows put the
windows' rows and columns beside the images, and those inside a window along another axis. A reshape regroups the parts,
a transposition moves them, and where they come together again the grid is there as it was. Tokens without a place, such
as a class token, make one part of their axis that cannot be taken apart. Of attention weights (queries × keys) two axes
hold places; those of the keys are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from camcore.graph.reach import LOST, POOLED, Reach
from camcore.lazy import tf

Kind = Literal["images", "rows", "columns", "tokens", "other"]
_PLACES = ("rows", "columns", "tokens")
Sides = Sequence["int | None"]


@dataclass(frozen=True)
class Part:
    """Factor of an axis, of ``size`` values (None: as many as there are images).

    ``kind``: ``rows`` or ``columns``, of which it goes through every ``step``-th; ``tokens``: rows and columns in one,
    behind ``first`` tokens without a place and perhaps before others; ``images``; or ``other``, such as channels.
    ``keys``: of places that are looked at, where another axis has the places that look.
    """

    kind: Kind
    size: int | None
    step: int = 1
    first: int = 0
    keys: bool = False

    @property
    def placed(self) -> bool:
        """True for rows, columns and tokens."""
        return self.kind in _PLACES


Parts = tuple[Part, ...]
Axes = tuple[Parts, ...]

IMAGES: Parts = (Part("images", None),)


def other(side: int) -> Parts:
    """An axis without places."""
    return () if side == 1 else (Part("other", side),)


def has_places(parts: Parts) -> bool:
    """True for an axis that holds places."""
    return any(part.placed for part in parts)


def as_keys(parts: Parts, keys: bool = True) -> Parts:
    """An axis whose places are those of the keys (``keys`` False: are not)."""
    return tuple(replace(part, keys=keys) if part.placed else part for part in parts)


def queried(axes: Axes) -> Axes:
    """Axes of which, where keys alone are left, these are the places."""
    if any(part.placed and not part.keys for parts in axes for part in parts):
        return axes
    return tuple(as_keys(parts, keys=False) for parts in axes)


def axes_of(reach: Reach, sides: Sides) -> Axes | None:
    """The parts of each axis of a tensor with these sides; None where they are not known."""
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
    rows, columns = Part("rows", h), Part("columns", w)
    if reach.spatial:
        axes[reach.dims[0]], axes[reach.dims[1]] = (rows,), (columns,)
    else:
        axes[reach.dims[0]] = (rows, columns)
    return tuple(axes)


def regrouped(axes: Axes, sides: Sides) -> Axes | None:
    """The parts after a reshape to these sides; None where a part would be taken apart that is none."""
    left = [part for parts in axes for part in parts if part.size != 1]
    result: list[Parts] = []
    for side in reversed(sides[1:]):
        group: list[Part] = []
        if side is None:
            return None
        while side > 1:
            part = left.pop() if left else IMAGES[0]
            if part.size is None:
                return None
            if side % part.size == 0:
                side //= part.size
            elif part.size % side or part.kind == "tokens":
                return None
            else:
                left.append(replace(part, size=part.size // side, step=part.step * side))
                part, side = replace(part, size=side), 1
            group.insert(0, part)
        result.insert(0, tuple(group))
    return tuple(map(_joined, (tuple(left), *result)))


def _joined(parts: Parts) -> Parts:
    """Neighbouring parts that are one."""
    result: list[Part] = []
    for part in parts:
        before = result[-1] if result else None
        if before is not None and before.kind == part.kind and part.size is not None and before.size is not None:
            if part.kind == "other":
                result[-1] = replace(before, size=before.size * part.size)
                continue
            together = part.kind != "tokens" and before.keys == part.keys and before.step == part.step * part.size
            if together:
                result[-1] = replace(part, size=before.size * part.size)
                continue
        result.append(part)
    return tuple(result)


def placed(reach: Reach, axes: Axes) -> Reach:
    """``reach`` of a tensor with these parts: of a whole grid, of tokens, or of pieces of one."""
    h, w = reach.grid
    if any(part.keys for parts in axes for part in parts):
        return replace(reach, dims=(), places=axes)
    coarse = _coarser(reach, axes)
    if coarse is not None:
        return coarse
    found: dict[Parts, int] = {parts: axis for axis, parts in enumerate(axes)}
    apart = [found.get((Part("rows", h),)), found.get((Part("columns", w),))]
    if axes[0] == IMAGES and None not in apart:
        return replace(reach, dims=(int(apart[0] or 0), int(apart[1] or 0)), places=())
    together = found.get((Part("rows", h), Part("columns", w)))
    if together is None:
        together = next(
            (axis for parts, axis in found.items() if len(parts) == 1 and parts[0].kind == "tokens"),
            None,
        )
    tokens = (together,) if axes[0] == IMAGES and together is not None and len(axes) > 2 else ()
    return replace(reach, dims=tokens, places=axes)


def _coarser(reach: Reach, axes: Axes) -> Reach | None:
    """The grid of patches whose own rows and columns have become channels, along the last axis; None where none are."""
    within = [part for part in axes[-1] if part.placed]
    if not within or axes[0] != IMAGES or any(part.kind == "other" for parts in axes[:-1] for part in parts):
        return None
    if any(part.kind == "tokens" for part in within):
        return None
    rows, columns = (_product(part for part in within if part.kind == kind) for kind in ("rows", "columns"))
    h, w = (int(side or 1) for side in reach.grid)
    if h % rows or w % columns:
        return None
    grid = (h // rows, w // columns)
    if grid == (1, 1):
        return None
    channels = _product(axes[-1])
    rest = [
        tuple(replace(part, step=part.step // (rows if part.kind == "rows" else columns)) if part.placed else part
              for part in parts)
        for parts in axes[:-1]
    ]  # fmt: skip
    left = [part for parts in rest for part in parts if part.placed]
    if any(part.step < 1 for part in left) or _product(part for part in left if part.kind == "rows") != grid[0]:
        return None
    window = (reach.axes[0].window(rows, rows, 1, 0), reach.axes[1].window(columns, columns, 1, 0))
    return placed(replace(reach, axes=window, grid=grid), (*rest, other(channels)))


def _product(parts: Iterable[Part]) -> int:
    return prod(part.size or 1 for part in parts)


def made(reach: Reach, axes: Axes, output: tf.Tensor) -> Reach:
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


def mixed(reach: Reach) -> Reach:
    """The reach of places that hear of others."""
    return replace(reach, known=False, whole_picture=True)
