"""Groups of pictures by their style: those that move other pictures the farthest, and all that are like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from camcore.graph.blas import one_thread

if TYPE_CHECKING:
    from camcore.shortcuts.styles import Style

GROUPS = 4
"""Groups by ever fewer pictures."""
LEAST = 6
"""Pictures that have a style in common."""
FOLDS = 5
"""Parts that the pictures are divided into, to find those of a style by the other parts."""
ROUNDS = 4
"""Times at most that those of a style are found anew, each by the last ones."""


def nested(
    own: Sequence[str], beside: Sequence[str], limit: float, gains: Mapping[str, float], styles: Mapping[str, Style]
) -> list[tuple[str, ...]]:
    """Groups by ever fewer pictures, those whose style moves others the farthest, and all whose style is like theirs.

    A style in few pictures of many is lost among the best of the rest.
    """
    groups: list[tuple[str, ...]] = []
    chosen = list(own)
    while len(chosen) >= LEAST and len(groups) < GROUPS:
        least = max(limit, _parted([gains[path] for path in chosen]))
        fewer = [path for path in chosen if gains[path] > least]
        if len(fewer) == len(chosen):
            break
        chosen = fewer
        found = _settled(own, beside, chosen, styles)
        if LEAST <= len(found) <= len(own) - LEAST and found not in groups:
            groups.append(found)
    return groups


def _parted(values: Sequence[float]) -> float:
    """The limit that divides values into two parts of the least spread (Otsu's)."""
    ordered = np.sort(values)
    first, low = np.arange(1, len(ordered)), np.cumsum(ordered)[:-1]
    last, high = len(ordered) - first, ordered.sum() - low
    place = int(((low / first - high / last) ** 2 * first * last).argmax())
    return float(ordered[place : place + 2].mean())


def _settled(
    own: Sequence[str], beside: Sequence[str], chosen: Sequence[str], styles: Mapping[str, Style]
) -> tuple[str, ...]:
    """Those of ``own`` that are alike, from the chosen ones on, until they stay the same or ROUNDS are over.

    A single picture's style says more of what is in it than of a compression; that of several does not.
    """
    found = tuple(chosen)
    for _ in range(ROUNDS):
        before, found = found, _alike(own, beside, set(found), styles)
        if found == before or len(found) < LEAST:
            break
    return found


def _alike(own: Sequence[str], beside: Sequence[str], chosen: set[str], styles: Mapping[str, Style]) -> tuple[str, ...]:
    """Those of ``own`` whose style is like that of the chosen ones, by a linear classifier that has not seen them."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(chosen) < LEAST:
        return ()
    paths = [*own, *beside]
    X = np.stack([styles[path].features for path in paths])
    ridge = make_pipeline(StandardScaler(), RidgeClassifier(alpha=X.shape[1], class_weight="balanced"))
    with one_thread():
        alike = cross_val_predict(ridge, X, [path in chosen for path in paths], cv=FOLDS)
    return tuple(path for path, one in zip(own, alike[: len(own)].tolist(), strict=True) if one)
