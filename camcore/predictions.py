"""What the network says: its top classes with labels, probabilities and logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import shown
from camcore.errors import CamcoreError


@dataclass(frozen=True)
class Prediction:
    """One class of one picture. ``probability`` in 0..1; NaN where the network has no probabilities."""

    index: int
    label: str
    probability: float
    logit: float


def probabilities(logits: ArrayLike, activation: str) -> NDArray[np.float64]:
    """Logits (..., classes) as probabilities in float64, without overflow.

    ``activation``: ``softmax``, ``sigmoid`` (each class by itself), or ``linear``: several linear outputs are
    read as the logits of a softmax, as classifiers trained "from logits" mean them; a single one, a regression,
    has no probability (NaN).
    """
    z = np.asarray(logits, np.float64)
    if activation == "sigmoid":
        return 0.5 * (1 + np.tanh(0.5 * z))
    if z.shape[-1] == 1 and activation == "linear":
        return np.full_like(z, np.nan)
    with np.errstate(invalid="ignore"):  # infinite logits, of a network that overflows, have no probabilities
        shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def top_predictions(logits: ArrayLike, activation: str, labels: Sequence[str], top: int) -> tuple[Prediction, ...]:
    """The ``top`` classes of one image by logit, highest first; all where there are fewer.

    Raises CamcoreError where ``top`` is not a positive whole number.
    """
    if isinstance(top, bool) or not isinstance(top, Integral) or top < 1:
        raise CamcoreError(f"top={shown(top)} must be a whole number of at least 1. That many classes are returned.")
    z = np.asarray(logits, np.float64)
    p = probabilities(z, activation)
    order = np.argsort(-z, kind="stable")[: int(top)]
    return tuple(Prediction(int(i), labels[i], float(p[i]), float(z[i])) for i in order)
