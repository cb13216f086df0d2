"""The search for a style that counts: pictures of a class whose style alone moves other pictures towards the class.

The style of each picture is given to the same few pictures of other classes. Those whose style moves them farther than
nearly every style of the other classes does, and than most of their own class, are proposed as a group, which a trial
decides on. Its controls are as large a part of the other classes' pictures, again those whose style moves others
farthest.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.finding import StyleGroup
from camcore.graph.blas import one_thread
from camcore.shortcuts.style_trial import activations, framed_input
from camcore.shortcuts.styles import change, mean_style, styles_of
from camcore.shortcuts.trial import BATCH, margins
from camcore.shortcuts.verdict import Styled

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.shortcuts.gallery import Gallery
    from camcore.shortcuts.styles import Style

SAMPLE = 300
"""Pictures of a class whose style is tried."""
BESIDE = 100
"""Pictures of other classes whose style is tried."""
TARGETS = 4
"""Pictures of other classes that each style is given to."""
LEAST = 6
"""Pictures that have a style in common."""
BEYOND = 0.95
"""The share of the styles of other classes that one of the group moves pictures farther than."""

FOLDS = 5
"""Parts that the pictures are divided into, to find those of a style by the other parts."""


def sample_size(of_class: int, others: int) -> int:
    """The pictures that the network answers in a search, of a class and all others."""
    return (min(of_class, SAMPLE) + min(others, BESIDE)) * (1 + TARGETS)


def search(
    network: Network,
    layer: str,
    target: Sequence[int],
    gallery: Gallery,
    label: str,
    paths: Sequence[str],
    others: Sequence[str],
    rng: np.random.Generator,
) -> Generator[int, None, tuple[StyleGroup, ...]]:
    """Find the pictures of ``paths``, said to be of a class, whose style moves those of ``others`` towards it.

    Yields the number of pictures that the network has just answered.
    """
    own = [paths[place] for place in np.sort(rng.permutation(len(paths))[:SAMPLE])]
    beside = list(others[:BESIDE])
    styles: dict[str, Style] = {}
    for start in range(0, len(own) + len(beside), BATCH):
        batch = list(gallery.there([*own, *beside][start : start + BATCH]))
        if batch:
            made = styles_of(activations(network, layer, framed_input(network, [picture for _, picture in batch])))
            styles.update(zip([path for path, _ in batch], made, strict=True))
        yield len(batch)
    own, beside = ([path for path in some if path in styles] for some in (own, beside))
    if len(own) < 2 * LEAST or len(beside) < LEAST:
        return ()
    gains = yield from _gains(network, layer, target, gallery, styles, beside[:TARGETS])
    limit = max(float(np.quantile([gains[path] for path in beside], BEYOND)), _parted([gains[path] for path in own]))
    found = _alike(own, beside, {path for path in own if gains[path] > limit}, styles)
    if not LEAST <= len(found) <= len(own) - LEAST:
        return ()
    # As large a part of the other classes, chosen in the same way: what a choice of the best does is no cue.
    count = max(LEAST, round(len(found) / len(own) * len(beside)))
    controls = tuple(sorted(beside, key=lambda path: -gains[path])[:count])
    return (StyleGroup(label, found, controls, Styled(layer)),)


def _parted(values: Sequence[float]) -> float:
    """The limit that divides values into two parts of the least spread (Otsu's)."""
    ordered = np.sort(values)
    first, low = np.arange(1, len(ordered)), np.cumsum(ordered)[:-1]
    last, high = len(ordered) - first, ordered.sum() - low
    place = int(((low / first - high / last) ** 2 * first * last).argmax())
    return float(ordered[place : place + 2].mean())


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


def _gains(
    network: Network,
    layer: str,
    target: Sequence[int],
    gallery: Gallery,
    styles: dict[str, Style],
    to: Sequence[str],
) -> Generator[int, None, dict[str, float]]:
    """The mean margin of some pictures for a class, in each of the styles."""
    x = framed_input(network, [picture for _, picture in gallery.there(to)])
    A, before, head = activations(network, layer, x), mean_style(list(styles.values())), network.head(layer)
    gains: dict[str, float] = {}
    together = max(1, BATCH // len(x))
    paths = list(styles)
    for start in range(0, len(paths), together):
        batch = paths[start : start + together]
        changed = np.concatenate([change(before, styles[path]).of(A) for path in batch])
        found = margins(np.asarray(head(np.concatenate([x] * len(batch)), changed), np.float64), target)
        gains.update(zip(batch, found.reshape(len(batch), -1).mean(axis=1).tolist(), strict=True))
        yield len(changed)
    return gains
