"""Figures of merit over Predictions: accuracy, confusion, ROC, calibration, losses, thresholds.

Of two classes the second one is the positive, and a threshold decides. Of more the most probable one counts, and what
is defined for two is taken one class against the rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.evaluation.predict import Predictions
from camcore.metrics.intervals import Rate, rate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A certain mistake would cost infinitely much; float64 tells no probability below this from none.
_LEAST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Confusion:
    """counts: int64 (classes, classes), rows the true class, columns the class said."""

    counts: Ints
    classes: tuple[str, ...]

    def recall(self, index: int) -> Rate:
        """Of the pictures of a class, the share that is found."""
        return rate(self.counts[index, index], self.counts[index].sum())

    def precision(self, index: int) -> Rate:
        """Of the pictures that are called a class, the share that is of it."""
        return rate(self.counts[index, index], self.counts[:, index].sum())


@dataclass(frozen=True, eq=False)
class Roc:
    """One class against the rest: rates (m,) at falling thresholds, from (0, 0) at infinity to (1, 1).

    auc: the area beneath, which is the chance that a picture of the class gets a higher probability than
    another one, ties counting half. NaN where the class has no pictures, or no other class has.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats
    auc: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration: pictures given a probability p should be right in a share p of the cases.

    edges: (bins + 1,); a bin is (lower, upper], the first one takes 0 too. count: (bins,). confidence: mean
    probability given; observed: share that was right, with its Wilson interval low to high; NaN in empty bins.
    ece: Σ count/n · |observed − confidence|, the expected calibration error.
    """

    edges: Floats
    count: Ints
    confidence: Floats
    observed: Floats
    low: Floats
    high: Floats
    ece: float


@dataclass(frozen=True, eq=False)
class Sweep:
    """The effect of thresholds: arrays over ``thresholds``; ``best`` has the highest accuracy on these pictures.

    sensitivity: share of the second class that is found; specificity: of the first.
    """

    thresholds: Floats
    accuracy: Floats
    sensitivity: Floats
    specificity: Floats
    best: float
    best_accuracy: float


def accuracy(p: Predictions, threshold: float = 0.5) -> Rate:
    """The share of pictures whose class is said, with its interval."""
    return rate(int((p.predicted(threshold) == p.labels).sum()), len(p))


def confusion(p: Predictions, threshold: float = 0.5) -> Confusion:
    """The counts of each class taken for each."""
    n = len(p.classes)
    # Of a million pictures scikit-learn's takes most of a second, too long for a threshold that is dragged.
    counts = np.bincount(p.labels * n + p.predicted(threshold), minlength=n * n)
    return Confusion(counts.reshape(n, n).astype(np.int64), p.classes)


def roc(p: Predictions, positive: int = 1) -> Roc:
    """The receiver operating characteristic of class ``positive`` against the rest; equal scores are one step."""
    return roc_curve(p.labels == _checked(p, positive), p.probabilities[:, positive])


def roc_curve(positive: ArrayLike, scores: ArrayLike) -> Roc:
    """The ROC of any score: positive bool (n,), scores float (n,). Rates without a picture to count are NaN."""
    from sklearn import metrics

    with warnings.catch_warnings(action="ignore"):  # that a rate is not defined is told by NaN
        fpr, tpr, thresholds = metrics.roc_curve(np.asarray(positive, bool), scores, drop_intermediate=False)
    return Roc(fpr, tpr, thresholds, float(metrics.auc(fpr, tpr)))


def auc(p: Predictions) -> float:
    """The area under the ROC: of two classes the second's, of more the mean of each against the rest.

    Classes without pictures do not count; NaN where no two classes have any.
    """
    if len(p.classes) == 2:
        return roc(p).auc
    areas = [roc(p, index).auc for index in np.unique(p.labels)]
    return float(np.mean(areas)) if areas else float("nan")


def calibration(p: Predictions, bins: int = 10, of: int | None = None) -> Calibration:
    """Reliability in bins of equal width.

    of: a class, whose probability is held against its frequency; None: the probability of the most probable
    class against how often it is right (Guo 2017), for which ``ece`` is usually quoted.
    """
    if bins < 1:
        raise CamcoreError(f"{bins} bins cannot hold probabilities. At least 1 is needed; 10 are usual.")
    if of is None:
        given, right = p.probabilities.max(axis=1, initial=0), p.probabilities.argmax(axis=1) == p.labels
    else:
        given, right = p.probabilities[:, _checked(p, of)], p.labels == of
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, given, "left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins).astype(np.int64)
    hits = np.bincount(place, right, bins)
    with np.errstate(invalid="ignore"):
        confidence, observed = np.bincount(place, given, bins) / count, hits / count
    rates = [rate(right, n) for right, n in zip(hits, count, strict=True)]
    low, high = np.array([one.low for one in rates]), np.array([one.high for one in rates])
    gaps = np.nan_to_num(np.abs(observed - confidence))
    ece = float(gaps @ count / len(p)) if len(p) else float("nan")
    return Calibration(edges, count, confidence, observed, low, high, ece)


def log_loss(p: Predictions) -> float:
    """Mean −ln(probability of the true class), in nats; probabilities below 2e-16 count as that."""
    given = p.probabilities[np.arange(len(p)), p.labels]
    return float(-np.log(np.clip(given, _LEAST, 1)).mean()) if len(p) else float("nan")


def brier(p: Predictions) -> float:
    """Mean squared error of the probabilities: of two classes the second's, of more summed over the classes."""
    if not len(p):
        return float("nan")
    squares = (p.probabilities - np.eye(len(p.classes))[p.labels]) ** 2
    return float((squares[:, 1] if len(p.classes) == 2 else squares.sum(axis=1)).mean())


def sweep(p: Predictions, thresholds: Sequence[float] | None = None) -> Sweep:
    """The effect of each threshold; None: from 0 to 1 in steps of 0.01. Two classes only.

    ``best`` is looked for among all thresholds that differ, halfway between neighbouring probabilities; of
    equally good ones it is the nearest to 0.5. It is fitted to these pictures, so on others expect less.
    """
    if len(p.classes) != 2:
        raise CamcoreError(
            f"A threshold decides between two classes; there are {len(p.classes)}. The most probable one is said."
        )
    if not len(p):
        raise CamcoreError("There are no predictions to try thresholds on. Predict at least one picture.")
    shown = np.linspace(0, 1, 101) if thresholds is None else np.asarray(thresholds, np.float64)
    positive = p.probabilities[p.labels == 1, 1]
    negative = p.probabilities[p.labels == 0, 1]

    def counted(at: Floats) -> tuple[Ints, Ints]:
        detected = len(positive) - np.searchsorted(np.sort(positive), at, "left")
        return detected, np.searchsorted(np.sort(negative), at, "left")

    distinct = np.unique(np.concatenate([[0.0, 1.0], p.probabilities[:, 1]]))
    middles = np.concatenate([[0.0, 0.5, 1.0], (distinct[1:] + distinct[:-1]) / 2])
    right = np.add(*counted(middles))
    best = min(middles[right == right.max()], key=lambda t: abs(t - 0.5))
    detected, refused = counted(shown)
    with np.errstate(invalid="ignore"):
        sensitivity, specificity = detected / np.float64(len(positive)), refused / np.float64(len(negative))
    return Sweep(
        shown, (detected + refused) / len(p), sensitivity, specificity, float(best), float(right.max() / len(p))
    )


def _checked(p: Predictions, index: int) -> int:
    if not 0 <= index < len(p.classes):
        raise CamcoreError(f"There is no class {index}: there are {len(p.classes)}, 0 to {len(p.classes) - 1}.")
    return index
