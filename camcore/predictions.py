"""The network's predictions: its top classes with labels, probabilities and scores."""

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
    """One class of one picture. ``probability`` in 0..1; NaN where the network has no probabilities.

    ``logit``: the score that methods differentiate, of ``score_kind``: the logit, the log-probability, the log-odds, or
    the value of a regression; see ``Network.score_kind``.
    """

    index: int
    label: str
    probability: float
    logit: float
    score_kind: str = "logit"

    @property
    def lowers(self) -> bool:
        """True for the class of a regression that stands for what lowers its value: ``logit`` is minus it."""
        return self.score_kind == "value" and self.index == 1


def probabilities(logits: ArrayLike, activation: str) -> NDArray[np.float64]:
    """Scores (..., classes) as probabilities in float64, without overflow.

    ``activation``: ``softmax``, ``sigmoid`` (each class by itself), ``exp`` (of log-probabilities), ``none`` (a
    regression has no probability: NaN), or ``linear``: several linear outputs are read as the logits of a softmax, as
    classifiers trained "from logits" mean them.
    """
    z = np.asarray(logits, np.float64)
    if activation == "sigmoid":
        return 0.5 * (1 + np.tanh(0.5 * z))
    if activation == "exp":
        return np.exp(np.minimum(z, 0))
    if activation == "none":
        return np.full_like(z, np.nan)
    with np.errstate(invalid="ignore"):  # infinite logits, of a network that overflows, have no probabilities
        shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def top_predictions(
    logits: ArrayLike, probabilities: ArrayLike, labels: Sequence[str], top: int, kind: str = "logit"
) -> tuple[Prediction, ...]:
    """The ``top`` classes of one image by score, highest first; all where there are fewer.

    ``logits`` and ``probabilities``: (classes,). ``kind``: of the scores; the one answer of a regression (``value``)
    is its value, the score of class 0. Raises CamcoreError where ``top`` is not a positive whole number.
    """
    if isinstance(top, bool) or not isinstance(top, Integral) or top < 1:
        raise CamcoreError(f"top={shown(top)} must be a whole number of at least 1. That many classes are returned.")
    z, p = np.asarray(logits, np.float64), np.asarray(probabilities, np.float64)
    order = np.array([0]) if kind == "value" else np.argsort(-z, kind="stable")[: int(top)]
    return tuple(Prediction(int(i), labels[i], float(p[i]), float(z[i]), kind) for i in order)
