"""Charts on the quality of a classifier, and the threshold of two classes that moves them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.evaluation import measures
from camcore.evaluation.measures import Calibration, Confusion, Roc, Sweep
from camcore.evaluation.predict import Predictions
from camcore.metrics.intervals import Rate
from camcore.render import charts
from ui import words
from ui.urls import Parameter, whole_number

if TYPE_CHECKING:
    import plotly.graph_objects as go

THRESHOLD = Parameter("threshold", "threshold", 50, parse=whole_number(0, 100), bound=True)
MANY = 20
"""With more classes a confusion matrix cannot be read."""
KEPT = 8
POINTS = 2000
"""The most points of a curve that a browser is sent."""


@dataclass(frozen=True)
class Chart:
    """One chart: its key, the function that makes it, and its content in words."""

    key: str
    make: Callable[[], go.Figure]
    alt: str


@dataclass(frozen=True, eq=False)
class ThresholdFree:
    """The measures that no threshold changes: ROC of the positive class, or of each of several against the rest.

    ``sweep``: of two classes that both have pictures.
    """

    roc: tuple[Roc, ...]
    auc: float
    calibration: Calibration
    sweep: Sweep | None = None


@lru_cache(maxsize=KEPT)
def threshold_free(p: Predictions) -> ThresholdFree:
    """Computed once for each table of predictions."""
    if len(p.classes) == 2:
        curve = measures.roc(p)
        return ThresholdFree((curve,), curve.auc, measures.calibration(p, of=1), _sweep(p))
    curves = tuple(measures.roc(p, index) for index in range(min(len(p.classes), len(charts.COLOURS))))
    return ThresholdFree(curves, measures.auc(p), measures.calibration(p))


def threshold(classes: tuple[str, ...]) -> float:
    """The slider of two classes; the probability from which the second one is said."""
    if len(classes) != 2:
        return 0.5
    st.slider(
        f"Say “{words.plain(words.label(classes[1]))}” from this probability on",
        0,
        100,
        50,
        1,
        key=THRESHOLD.name,
        bind="query-params",
        format="%d %%",
    )
    return float(st.session_state.get(THRESHOLD.name, 50)) / 100


def interval(rate: Rate) -> str:
    """A share's counts and its interval."""
    if not rate.n:
        return "no such pictures"
    return f"{rate.count:,} of {rate.n:,}; 95 % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} %"


def numbers(p: Predictions, at: float) -> list[tuple[str, str, str]]:
    """The large numbers at a threshold: right, found of each of few classes, calibration."""
    right = measures.accuracy(p, at)
    table = _table(p, at)
    parts = [(words.percent(right.value), "of the pictures are right", interval(right))]
    if len(p.classes) <= 4:
        for index, label in enumerate(p.classes):
            recall = table.recall(index)
            share = words.percent(recall.value) if recall.n else "–"
            parts.append((share, f"of “{words.label(label)}” are found", interval(recall)))
    return [*parts, calibration_error(_confidence(p))]


def calibration_error(found: Calibration) -> tuple[str, str, str]:
    """The large number of a calibration."""
    return f"{100 * found.ece:.1f} points", "is its confidence off, on average", "expected calibration error"


def scores(p: Predictions, at: float) -> Chart:
    """The histogram of the probabilities given."""
    names = _names(p)
    if len(names) == 2:
        groups = dict(zip(names, _scores(p), strict=True))
        title, axis = "The probability it gives each picture", f"probability of {names[1]}"
        alt = f"How often each {axis} was given; pictures right of {words.percent(at)} are called {names[1]}"
        make = partial(charts.score_histogram, groups, title=title, axis=axis, threshold=at)
        return Chart("scores", make, alt)
    groups = dict(zip(("right", "wrong"), _scores(p), strict=True))
    axis = "probability of the class it says"
    make = partial(charts.score_histogram, groups, title="How sure it is of each picture", axis=axis)
    return Chart("scores", make, f"How often each {axis} was given, where it was right and where it was wrong")


def confusion(p: Predictions, at: float) -> Chart | None:
    """The classes taken for each other; None where there are too many."""
    names, table = _names(p), _table(p, at).counts
    if len(names) > MANY:
        return None
    rows = "; ".join(
        f"of {name}: " + ", ".join(f"{count} called {other}" for count, other in zip(row, names, strict=True))
        for name, row in zip(names, table.tolist(), strict=True)
    )
    alt = f"Confusion matrix: {rows}" if len(names) <= 8 else "Confusion matrix"
    make = partial(charts.confusion_matrix, table, names, title="Which class is mistaken for which")
    return Chart("confusion", make, alt)


def roc(p: Predictions, at: float) -> Chart | None:
    """The ROC of two classes with the point in use, or of each of several against the rest.

    None where there are pictures of one class only.
    """
    known, names = threshold_free(p), _names(p)
    if np.isnan(known.auc):
        return None
    if len(names) != 2:
        curves = {name: one for name, one in zip(names, known.roc, strict=False) if not np.isnan(one.auc)}
        return against_rest(curves, f"ROC, each against the rest: mean area {known.auc:.4f}")
    false, true = _rates(_table(p, at).counts)
    title = f"ROC: area under the curve {known.auc:.4f}"
    make = partial(
        charts.roc_curves,
        {names[1]: _thinned(known.roc[0])},
        title=title,
        axes=(f"{names[0]} called {names[1]}", f"{names[1]} found"),
        here=(false, true),
    )
    here = f"Here {words.percent(true)} of {names[1]} are found and {words.percent(false)} of {names[0]} called so"
    return Chart("roc", make, f"{title}. {here}")


def against_rest(curves: Mapping[str, Roc], title: str) -> Chart:
    """The ROC of one or several classes, each against the rest."""
    shown = {name: _thinned(one) for name, one in curves.items()}
    return Chart("roc", partial(charts.roc_curves, shown, title=title, axes=("others called so", "found")), title)


def reliability(p: Predictions, at: float) -> Chart:
    """The probabilities given against what came true, of two classes the second's."""
    bins, names = threshold_free(p).calibration, _names(p)
    if len(names) != 2:
        return calibration(bins)
    return calibration(bins, (f"probability of {names[1]} given", f"are {names[1]}"), at)


def calibration(
    bins: Calibration, axes: tuple[str, str] = ("probability given", "are right"), at: float | None = None
) -> Chart:
    """The reliability diagram. ``at``: the threshold, where there is one."""
    make = partial(
        charts.reliability,
        bins.confidence,
        bins.observed,
        bins.low,
        bins.high,
        bins.count,
        title="Are its probabilities reliable?",
        axes=axes,
        threshold=at,
    )
    used = zip(bins.confidence, bins.observed, bins.count, strict=True)
    alt = "Reliability diagram: " + ", ".join(f"given {c:.0%}, true {o:.0%}" for c, o, n in used if n)
    return Chart("calibration", make, alt)


def sweep(p: Predictions, at: float) -> Chart | None:
    """The shares at every threshold of two classes; None where there are pictures of one class only."""
    tried = threshold_free(p).sweep
    if tried is None:
        return None
    first, second = _names(p)
    shares = {
        "are right": tried.accuracy,
        f"of {first} are found": tried.specificity,
        f"of {second} are found": tried.sensitivity,
    }
    best = f"Most are right from {100 * tried.best:.3g} % on: {words.percent(tried.best_accuracy)}"
    make = partial(
        charts.threshold_sweep,
        tried.thresholds,
        shares,
        title=best,
        axis=f"{second} is said from this probability on",
        threshold=at,
    )
    return Chart("sweep", make, f"Shares over the threshold. {best}")


@lru_cache(maxsize=KEPT)
def _table(p: Predictions, at: float) -> Confusion:
    return measures.confusion(p, at)


# Kept, as those of ``threshold_free``: of a million pictures each takes a part of a second, and a threshold is dragged.
@lru_cache(maxsize=KEPT)
def _confidence(p: Predictions) -> Calibration:
    return measures.calibration(p)


@lru_cache(maxsize=KEPT)
def _scores(p: Predictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The histograms of two classes' probabilities of the second, or of right and wrong answers' own."""
    if len(p.classes) == 2:
        of_class, given = p.labels == 0, p.probabilities[:, 1]
    else:
        of_class, given = p.predicted() == p.labels, p.probabilities.max(axis=1)
    return charts.score_counts(given[of_class]), charts.score_counts(given[~of_class])


def _rates(counts: NDArray[np.int64]) -> tuple[float, float]:
    """(false, true positive rate) of two classes' confusion; 0 where a class has no pictures."""
    false, true = counts[:, 1] / np.maximum(counts.sum(axis=1), 1)
    return float(false), float(true)


def _sweep(p: Predictions) -> Sweep | None:
    return measures.sweep(p) if len(np.unique(p.labels)) > 1 else None


def _names(p: Predictions) -> list[str]:
    return [words.label(label) for label in p.classes]


def _thinned(curve: Roc) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rates at POINTS of its thresholds where there are more, from the first to the last."""
    kept = np.unique(np.linspace(0, len(curve.fpr) - 1, min(len(curve.fpr), POINTS)).round().astype(np.int64))
    return curve.fpr[kept], curve.tpr[kept]
