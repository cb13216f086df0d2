"""Copies: the same pixels in many pictures of a class and not in others, as of a mark, a text or a pasted thing.

Two photographs of an object never agree pixel by pixel; what was put into pictures by a machine does. A template cut
from one picture is looked for in others by normalised cross-correlation, in colour, on a small copy from which slow
changes of brightness are taken away. The templates are chosen on some pictures and held against others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from camcore.audits.patches import PatchBox
    from camcore.framing import Point
    from camcore.shortcuts.transplants import Framed

View = NDArray[np.float32]

SIDE = 112
"""Pixels of a view's shorter side."""
WINDOWS = (16, 24)
"""Sides of templates, in pixels of a view."""
TEMPLATES = 8
MATCHED = 10
"""Pictures that have the part, and as many of other classes, that a template is chosen on."""
HELD = 30
"""Pictures of each kind that the chosen template is held against."""
FEW = 4
"""Pictures of each kind that a template is tried on first."""
POINTS = 3
"""Places in a picture that templates are cut at."""
GAP = 0.15
"""The correlation in pictures that have the part, above that in others, from which a template is a copy."""
CLEAR = 0.1
"""That above what one in twenty of the others reaches."""

_SLOW = 4.0  # standard deviation, in pixels, of what counts as a slow change
_RIM = 8  # of which a template's side is the rim around what comes again
_FLAT = 1.0  # spread below which a template shows nothing


@dataclass(frozen=True, eq=False)
class Copy:
    """A template (w, w, 3) that comes again.

    ``within``, ``beside``: its median correlation with pictures that have the part, and with pictures of other classes;
    ``stray``: what one in twenty of these reaches. All of pictures that the template was not chosen on.
    """

    template: View
    within: float
    beside: float
    stray: float
    reach: tuple[Point, Point] | None = None
    """The corners of all that comes again with it, from the template's, as shares of the sides; None if unknown."""

    @property
    def clear(self) -> float:
        """The correlation in pictures that have the part, above nearly all others."""
        return self.within - self.stray

    @property
    def threshold(self) -> float:
        """The correlation from which a picture has the copy."""
        return (self.within + self.stray) / 2


def view(picture: Framed) -> View:
    """A picture as it is compared: small, without slow changes of brightness and colour."""
    height, width = picture.pixels.shape[:2]
    scale = SIDE / min(height, width)
    size = max(SIDE, round(width * scale)), max(SIDE, round(height * scale))
    small = cv2.resize(picture.pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), _SLOW), np.float32)


def template_at(seen: View, point: tuple[float, float], window: int) -> View | None:
    """The template around a point, (y, x) as shares of the sides; None where it shows nothing."""
    top, left = (
        int(np.clip(round(share * side - window / 2), 0, side - window))
        for share, side in zip(point, seen.shape[:2], strict=True)
    )
    cut = seen[top : top + window, left : left + window]
    return cut if cut.std() >= _FLAT else None


def match(template: View, seen: View) -> tuple[float, tuple[int, int]]:
    """The highest correlation of a template with a view, and its top left corner there."""
    scores = cv2.matchTemplate(seen, template, cv2.TM_CCOEFF_NORMED)
    _, score, _, (left, top) = cv2.minMaxLoc(np.nan_to_num(scores, nan=-1.0, posinf=-1.0, neginf=-1.0))
    return float(score), (top, left)


def find_copy(
    views: Sequence[View],
    points: Sequence[Sequence[tuple[float, float]]],
    others: Sequence[View],
    rng: np.random.Generator,
) -> Copy | None:
    """The template that comes again in ``views`` and not in ``others``; None where there is none.

    ``points``: of each view, the places to cut templates at.
    """
    order, beside = rng.permutation(len(views)), rng.permutation(len(others))
    if len(order) < 4 or len(beside) < 2:
        return None
    half, half_beside = len(order) // 2, len(beside) // 2
    chosen_on, held = order[:half][:MATCHED], order[half:][:HELD]
    chosen_beside, held_beside = beside[:half_beside][:MATCHED], beside[half_beside:][:HELD]
    best: tuple[float, View] | None = None
    for place in order[:half][:TEMPLATES].tolist():
        beyond = [views[other] for other in chosen_on if other != place]
        for template in _templates(views[place], points[place]):
            # Most templates come again nowhere, which a few pictures tell.
            if _gap(template, beyond[:FEW], [others[one] for one in chosen_beside[:FEW]]) < GAP / 2:
                continue
            gap = _gap(template, beyond, [others[one] for one in chosen_beside])
            if best is None or gap > best[0]:
                best = gap, template
    if best is None or best[0] < GAP:
        return None
    template = best[1]
    within = [match(template, views[one])[0] for one in held]
    strangers = [match(template, others[one])[0] for one in held_beside]
    found = Copy(template, float(np.median(within)), float(np.median(strangers)), float(np.quantile(strangers, 0.95)))
    return found if found.within - found.beside >= GAP and found.clear >= CLEAR else None


def box_of(copy: Copy, corner: tuple[int, int], seen: View, picture: Framed) -> PatchBox:
    """The box on the input around a match, within the picture: its reach with a rim, or twice the template's sides."""
    window, area, edges = len(copy.template), picture.area, []
    for axis in (0, 1):
        side, start = seen.shape[axis], corner[axis]
        first, last = start - window / 2, start + 1.5 * window
        if copy.reach is not None:
            first, last = (start + end[axis] * side for end in copy.reach)
            first, last = first - window / _RIM, last + window / _RIM
        by = picture.pixels.shape[axis] / side
        low = min(max(area[axis], round(first * by)), area[axis + 2] - 1)
        edges.append((low, max(low + 1, min(area[axis + 2], round(last * by)))))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _templates(seen: View, points: Sequence[tuple[float, float]]) -> Iterator[View]:
    for point in points[:POINTS]:
        for window in WINDOWS:
            template = template_at(seen, point, window)
            if template is not None:
                yield template


def _gap(template: View, views: Sequence[View], others: Sequence[View]) -> float:
    return _median(template, views) - _median(template, others)


def _median(template: View, views: Sequence[View]) -> float:
    return float(np.median([match(template, one)[0] for one in views])) if views else 0.0
