"""How good the network is on labelled pictures: figures, charts, and a threshold that moves them all."""

import functools
import html
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import streamlit as st

from camcore.evaluation import measures
from camcore.evaluation.measures import summary
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import write_csv
from camcore.metrics.intervals import Rate
from camcore.models.saved import SavedNetwork
from camcore.render import charts
from ui import downloads, words
from ui.classifier.work import FolderResults
from ui.figures import CHART

MANY = 20
"""With more classes a confusion matrix cannot be read."""
KEPT = 8


def threshold() -> float:
    """The share from which the second class is said, as chosen."""
    return float(st.session_state.get("threshold", 50)) / 100


def show(saved: SavedNetwork, evaluated: FolderResults) -> None:
    """The figures and charts, with their threshold."""
    p = evaluated.predictions
    two = len(p.classes) == 2
    at = 0.5
    if two:
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
        columns[place % 2].plotly_chart(
            chart.make(), key=f"chart_{chart.key}", height=charts.HEIGHT, config=CHART, alt=chart.alt
        )
    _take_away(saved, p, at)


def _summary(p: Predictions, at: float) -> None:
    right = measures.accuracy(p, at)
    table = measures.confusion(p, at)
    parts = [(words.percent(right.value), "of the pictures are right", _interval(right))]
    if len(p.classes) <= 4:
        for index, label in enumerate(p.classes):
            found = table.recall(index)
            parts.append(
                (
                    words.percent(found.value) if found.n else "–",
                    f"of “{html.escape(words.label(label))}” are found",
                    _interval(found),
                )
            )
    ece = measures.calibration(p).ece
    parts.append((f"{100 * ece:.1f} points", "is its confidence off, on average", "expected calibration error"))
    cells = "".join(
        f"<div><b>{figure}</b><span>{what}</span><small>{note}</small></div>" for figure, what, note in parts
    )
    st.html(f'<div class="cam-figures" role="status">{cells}</div>')


def _interval(found: Rate) -> str:
    if not found.n:
        return "no such pictures"
    return f"{found.count:,} of {found.n:,}; 95 % interval {100 * found.low:.1f} to {100 * found.high:.1f} %"


@dataclass(frozen=True)
class Chart:
    """One chart: its key, how to make it, and what it shows in words."""

    key: str
    make: Callable[[], Any]
    alt: str


@dataclass(frozen=True, eq=False)
class Fixed:
    """What no threshold changes: ROC of the positive class, or of each of several against the rest."""

    roc: tuple[measures.Roc, ...]
    auc: float
    calibration: measures.Calibration


@functools.lru_cache(maxsize=KEPT)
def fixed(p: Predictions) -> Fixed:
    """Computed once for each table of predictions."""
    if len(p.classes) == 2:
        curves: tuple[measures.Roc, ...] = (measures.roc(p),)
        return Fixed(curves, curves[0].auc, measures.calibration(p, of=1))
    curves = tuple(measures.roc(p, index) for index in range(min(len(p.classes), len(charts.COLOURS))))
    return Fixed(curves, measures.auc(p), measures.calibration(p))


def chart_list(p: Predictions, at: float) -> list[Chart]:
    """The charts of these predictions, two by two."""
    names = [words.label(label) for label in p.classes]
    table = measures.confusion(p, at).counts
    found = [_scores(p, names, at)]
    if len(names) <= MANY:
        rows = "; ".join(
            f"of {name}: " + ", ".join(f"{count} called {other}" for count, other in zip(row, names, strict=True))
            for name, row in zip(names, table.tolist(), strict=True)
        )
        alt = f"Confusion matrix: {rows}" if len(names) <= 8 else "Confusion matrix"
        make = functools.partial(charts.confusion_matrix, table, names, title="What is taken for what")
        found.append(Chart("confusion", make, alt))
    return [*found, _roc(p, names, table), _reliability(p, names, at)]


def _scores(p: Predictions, names: list[str], at: float) -> Chart:
    if len(names) == 2:
        groups = {name: p.probabilities[p.labels == index, 1] for index, name in enumerate(names)}
        title, axis = "What it says of each picture", f"probability of {names[1]}"
        alt = f"How often each {axis} was given; pictures right of {words.percent(at)} are called {names[1]}"
        make = functools.partial(charts.score_histogram, groups, title=title, axis=axis, threshold=at)
        return Chart("scores", make, alt)
    said, surest = p.predicted(), p.probabilities.max(axis=1)
    groups = {"right": surest[said == p.labels], "wrong": surest[said != p.labels]}
    axis = "probability of the class it says"
    make = functools.partial(charts.score_histogram, groups, title="How sure it is of each picture", axis=axis)
    return Chart("scores", make, f"How often each {axis} was given, where it was right and where it was wrong")


def _roc(p: Predictions, names: list[str], table: Any) -> Chart:
    known = fixed(p)
    if len(names) == 2:
        false, true = rates(table)
        title = f"ROC: area under the curve {known.auc:.4f}"
        make = functools.partial(
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
    make = functools.partial(charts.roc_curves, curves, title=title, axes=("others called so", "found"))
    return Chart("roc", make, title)


def _reliability(p: Predictions, names: list[str], at: float) -> Chart:
    bins = fixed(p).calibration
    two = len(names) == 2
    axes = (f"probability of {names[1]} given", f"are {names[1]}") if two else ("probability given", "are right")
    make = functools.partial(
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


def rates(counts: Any) -> tuple[float, float]:
    """(false, true positive rate) of two classes' confusion; 0 where a class has no pictures."""
    false, true = counts[:, 1] / np.maximum(counts.sum(axis=1), 1)
    return float(false), float(true)


def _take_away(saved: SavedNetwork, p: Predictions, at: float) -> None:
    stem = words.file_stem(saved.name, "quality")
    with st.container(horizontal=True, gap="small"):
        downloads.offer(
            f"{stem}.csv",
            lambda: predictions_csv(p),
            "Every picture with its label and the probabilities given",
            key="save_quality_csv",
        )
        downloads.offer(
            f"{stem}.json",
            lambda: json.dumps(figures(saved, p, at), indent=2, ensure_ascii=False).encode("utf-8"),
            "The figures above at this threshold",
            key="save_quality_json",
        )
        downloads.offer(
            f"{stem}.html",
            lambda: report(saved, p, at),
            "The charts as one page that needs no network",
            key="save_quality_html",
        )


def predictions_csv(p: Predictions) -> bytes:
    """The table as camcore writes it."""
    with tempfile.TemporaryDirectory() as folder:
        return write_csv(Path(folder) / "predictions.csv", p).read_bytes()


def figures(saved: SavedNetwork, p: Predictions, at: float) -> dict[str, Any]:
    """All figures at this threshold, as ``python -m camcore evaluate --json`` prints them."""
    named: Any = SimpleNamespace(name=saved.name, weights_note=saved.summary)
    return summary(named, p, at)


def report(saved: SavedNetwork, p: Predictions, at: float) -> bytes:
    """The charts as one HTML page that needs no network."""
    from plotly.io import to_html

    right = measures.accuracy(p, at)
    title = html.escape(f"{saved.name} on {len(p):,} pictures")
    said = f" at the threshold {words.percent(at)}" if len(p.classes) == 2 else ""
    line = html.escape(f"{words.percent(right.value)} are right{said} ({_interval(right)}).")
    parts = []
    for place, chart in enumerate(chart_list(p, at)):
        drawn = to_html(chart.make(), include_plotlyjs=place == 0, full_html=False)
        parts.append(f'<figure aria-label="{html.escape(chart.alt)}">{drawn}</figure>')
    style = (
        "body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}figure{margin:1rem 0}"
    )
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head>"
        f"<body><h1>{title}</h1><p>{line}</p>{''.join(parts)}</body></html>"
    )
    return page.encode("utf-8")
