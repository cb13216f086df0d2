"""Quality of the network on labelled pictures: figures, charts, and a threshold that moves them all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.evaluation import measures
from camcore.evaluation.measures import summary
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import write_csv
from camcore.metrics.intervals import Rate
from camcore.models.saved import SavedNetwork
from camcore.render import charts
from camcore.render.chart_page import chart_page
from ui import downloads, figures, words
from ui.classifier.work import FRAMING, FolderResults

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from camcore.network import Network

MANY = 20
"""With more classes a confusion matrix cannot be read."""
KEPT = 8


def threshold() -> float:
    """The share from which the second class is said, as chosen."""
    return float(st.session_state.get("threshold", 50)) / 100


def show(saved: SavedNetwork, evaluated: FolderResults) -> None:
    """The figures and charts, with their threshold."""
    p = evaluated.predictions
    at = 0.5
    if len(p.classes) == 2:
        name = words.label(p.classes[1])
        st.slider(
            f"Say “{words.plain(name)}” from this probability on",
            0,
            100,
            50,
            1,
            key="threshold",
            bind="query-params",
            format="%d %%",
        )
        at = threshold()
    _summary(p, at)
    columns = st.columns(2, gap="medium")
    for place, chart in enumerate(chart_list(p, at)):
        with columns[place % 2]:
            figures.chart(chart.make(), key=f"chart_{chart.key}", alt=chart.alt)
    _take_away(saved, p, at)


def _summary(p: Predictions, at: float) -> None:
    right = measures.accuracy(p, at)
    table = measures.confusion(p, at)
    parts = [(words.percent(right.value), "of the pictures are right", _interval(right))]
    if len(p.classes) <= 4:
        for index, label in enumerate(p.classes):
            recall = table.recall(index)
            share = words.percent(recall.value) if recall.n else "–"
            parts.append((share, f"of “{words.label(label)}” are found", _interval(recall)))
    ece = measures.calibration(p).ece
    parts.append((f"{100 * ece:.1f} points", "is its confidence off, on average", "expected calibration error"))
    figures.numbers(parts)


def _interval(rate: Rate) -> str:
    if not rate.n:
        return "no such pictures"
    return f"{rate.count:,} of {rate.n:,}; 95 % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} %"


@dataclass(frozen=True)
class Chart:
    """One chart: its key, the function that makes it, and its content in words."""

    key: str
    make: Callable[[], go.Figure]
    alt: str


@dataclass(frozen=True, eq=False)
class ThresholdFree:
    """The measures that no threshold changes: ROC of the positive class, or of each of several against the rest."""

    roc: tuple[measures.Roc, ...]
    auc: float
    calibration: measures.Calibration


@lru_cache(maxsize=KEPT)
def threshold_free(p: Predictions) -> ThresholdFree:
    """Computed once for each table of predictions."""
    if len(p.classes) == 2:
        curve = measures.roc(p)
        return ThresholdFree((curve,), curve.auc, measures.calibration(p, of=1))
    curves = tuple(measures.roc(p, index) for index in range(min(len(p.classes), len(charts.COLOURS))))
    return ThresholdFree(curves, measures.auc(p), measures.calibration(p))


def chart_list(p: Predictions, at: float) -> list[Chart]:
    """The charts of these predictions, two by two."""
    names = [words.label(label) for label in p.classes]
    table = measures.confusion(p, at).counts
    shown = [_scores(p, names, at)]
    if len(names) <= MANY:
        rows = "; ".join(
            f"of {name}: " + ", ".join(f"{count} called {other}" for count, other in zip(row, names, strict=True))
            for name, row in zip(names, table.tolist(), strict=True)
        )
        alt = f"Confusion matrix: {rows}" if len(names) <= 8 else "Confusion matrix"
        make = partial(charts.confusion_matrix, table, names, title="What is taken for what")
        shown.append(Chart("confusion", make, alt))
    return [*shown, _roc(p, names, table), _reliability(p, names, at)]


def _scores(p: Predictions, names: list[str], at: float) -> Chart:
    if len(names) == 2:
        groups = {name: p.probabilities[p.labels == index, 1] for index, name in enumerate(names)}
        title, axis = "What it says of each picture", f"probability of {names[1]}"
        alt = f"How often each {axis} was given; pictures right of {words.percent(at)} are called {names[1]}"
        make = partial(charts.score_histogram, groups, title=title, axis=axis, threshold=at)
        return Chart("scores", make, alt)
    right, surest = p.predicted() == p.labels, p.probabilities.max(axis=1)
    groups = {"right": surest[right], "wrong": surest[~right]}
    axis = "probability of the class it says"
    make = partial(charts.score_histogram, groups, title="How sure it is of each picture", axis=axis)
    return Chart("scores", make, f"How often each {axis} was given, where it was right and where it was wrong")


def _roc(p: Predictions, names: list[str], table: NDArray[np.int64]) -> Chart:
    known = threshold_free(p)
    if len(names) == 2:
        false, true = rates(table)
        title = f"ROC: area under the curve {known.auc:.4f}"
        make = partial(
            charts.roc_curves,
            {names[1]: (known.roc[0].fpr, known.roc[0].tpr)},
            title=title,
            axes=(f"{names[0]} called {names[1]}", f"{names[1]} found"),
            here=(false, true),
        )
        here = f"Here {words.percent(true)} of {names[1]} are found and {words.percent(false)} of {names[0]} called so"
        return Chart("roc", make, f"{title}. {here}")
    curves = {name: (one.fpr, one.tpr) for name, one in zip(names, known.roc, strict=False) if one.auc == one.auc}
    title = f"ROC, each against the rest: mean area {known.auc:.4f}"
    make = partial(charts.roc_curves, curves, title=title, axes=("others called so", "found"))
    return Chart("roc", make, title)


def _reliability(p: Predictions, names: list[str], at: float) -> Chart:
    bins = threshold_free(p).calibration
    two = len(names) == 2
    axes = (f"probability of {names[1]} given", f"are {names[1]}") if two else ("probability given", "are right")
    make = partial(
        charts.reliability,
        bins.confidence,
        bins.observed,
        bins.low,
        bins.high,
        bins.count,
        title="Can its probabilities be believed?",
        axes=axes,
        threshold=at if two else None,
    )
    used = zip(bins.confidence, bins.observed, bins.count, strict=True)
    alt = "Reliability diagram: " + ", ".join(f"given {c:.0%}, true {o:.0%}" for c, o, n in used if n)
    return Chart("calibration", make, alt)


def rates(counts: NDArray[np.int64]) -> tuple[float, float]:
    """(false, true positive rate) of two classes' confusion; 0 where a class has no pictures."""
    false, true = counts[:, 1] / np.maximum(counts.sum(axis=1), 1)
    return float(false), float(true)


def _take_away(saved: SavedNetwork, p: Predictions, at: float) -> None:
    files = (
        ("csv", partial(predictions_csv, p), "Every picture with its label and the probabilities given"),
        ("json", partial(figures_json, saved, p, at), "The figures above at this threshold"),
        ("html", partial(report, saved, p, at), "The charts as one page that needs no network"),
    )
    with st.container(horizontal=True, gap="small"):
        downloads.offer_all(words.file_stem(saved.name, "quality"), files, key="save_quality")


def predictions_csv(p: Predictions) -> bytes:
    """The table as camcore writes it."""
    with tempfile.TemporaryDirectory() as folder:
        return write_csv(Path(folder) / "predictions.csv", p).read_bytes()


@dataclass(frozen=True)
class _NetworkStub:
    """As much of a network as its figures name; takes the network's place, which need not be loaded for them."""

    name: str
    weights_note: str

    def framing_for(self, framing: str | None) -> str:
        return framing or FRAMING


def figures_json(saved: SavedNetwork, p: Predictions, at: float) -> bytes:
    """All figures at this threshold, as ``python -m camcore evaluate --json`` prints them."""
    values = summary(cast("Network", _NetworkStub(saved.name, saved.summary)), p, at)
    return json.dumps(values, indent=2, ensure_ascii=False).encode("utf-8")


def report(saved: SavedNetwork, p: Predictions, at: float) -> bytes:
    """The charts as one HTML page that needs no network."""
    right = measures.accuracy(p, at)
    where = f" at the threshold {words.percent(at)}" if len(p.classes) == 2 else ""
    line = f"{words.percent(right.value)} are right{where} ({_interval(right)})."
    shown = [(chart.make(), chart.alt) for chart in chart_list(p, at)]
    return chart_page(f"{saved.name} on {len(p):,} pictures", line, shown)
