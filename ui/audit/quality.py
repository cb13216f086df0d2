"""Quality of a network over an audit's pictures: figures with intervals, its classes, and their confusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.audits.figures import ClassFigures
from camcore.metrics.intervals import Rate
from camcore.render import charts
from camcore.render.figure import figure, titled_axis
from camcore.text import counted
from ui import figures, words
from ui.audit.opened import OpenAudit
from ui.quality_charts import interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

FEW = 3
"""Classes that have a large number each."""
SEVERAL = 10
"""Pictures of a class of which its share says something."""
HEIGHT = 300


def show(opened: OpenAudit) -> None:
    """The section: figures, then the classes beside the chart of its confusions or its confidence."""
    labelled = opened.accuracy.n > 0
    st.subheader("How good is it?" if labelled else "What does it predict?", anchor="how-good")
    figures.numbers(_numbers(opened))
    left, right = st.columns(2, gap="medium")
    with left:
        _classes(opened)
    with right:
        if opened.confusion is not None and len(opened.confusion.classes) > 1:
            names = [words.label(name) for name in opened.confusion.classes]
            chart = charts.confusion_matrix(opened.confusion.counts, names, title="Confusion matrix", height=HEIGHT)
            figures.chart(chart, key="audit_confusion", alt="Confusion matrix; see the table beside it")
        elif opened.mistakes:
            _mistakes(opened)
        else:
            figures.chart(_surest(opened), key="audit_surest", alt="Histogram of the probabilities of the answers")


def _numbers(opened: OpenAudit) -> list[tuple[str, str, str]]:
    labelled = opened.accuracy.n > 0
    parts: list[tuple[str, str, str]] = []
    if labelled:
        parts.append((words.percent(opened.accuracy.value), "of the pictures are right", interval(opened.accuracy)))
        if len(opened.classes) <= FEW:
            parts += [
                (words.percent(one.found.value), f"of “{words.label(one.name)}” are found", interval(one.found))
                for one in opened.classes
                if one.found.n
            ]
        else:
            parts += _weakest(opened)
    elif len(opened.classes) <= FEW:
        parts += [
            (words.percent(one.said / opened.answered), f"are predicted as “{words.label(one.name)}”", _said(one))
            for one in opened.classes
        ]
    else:
        often = max(opened.classes, key=lambda one: one.said)
        number = f"{len(opened.classes):,} of {len(opened.manifest.network.labels):,}"
        parts.append((number, "classes are predicted", f"most often “{words.label(often.name)}”: {often.said:,}"))
    surest = opened.surest
    sure = int(surest[-len(surest) // 10 :].sum())
    parts.append(
        (words.percent(sure / max(opened.answered, 1)), "of the answers are confident", "probability 90 % or more")
    )
    return parts


def _weakest(opened: OpenAudit) -> list[tuple[str, str, str]]:
    """The class that is found least, where it is surely weaker than the whole."""
    weak = [one for one in opened.classes if one.found.n >= SEVERAL and one.found.high < opened.accuracy.value]
    return [
        (words.percent(one.found.value), f"of “{words.label(one.name)}” are found, the fewest", interval(one.found))
        for one in sorted(weak, key=lambda one: one.found.high)[:1]
    ]


def _said(one: ClassFigures) -> str:
    return f"{counted(one.said, 'picture')}, mean probability {words.percent(one.probability)}"


def _classes(opened: OpenAudit) -> None:
    """A row for each class, those that surely fail most on top; without labels, those most often said."""
    labelled = opened.accuracy.n > 0
    if labelled:
        rows = sorted(opened.classes, key=lambda one: (one.found.high if one.found.n else 2, -one.found.n))
    else:
        rows = sorted(opened.classes, key=lambda one: -one.said)
    columns: dict[str, list[object]] = {"class": [words.label(one.name) for one in rows]}
    if labelled:
        columns |= {
            "pictures": [one.found.n for one in rows],
            "found": [100 * one.found.value if one.found.n else None for one in rows],
            "95 % interval": [_between(one.found) for one in rows],
            "precision": [100 * one.precision.value if one.precision.n else None for one in rows],
        }
    else:
        columns |= {"pictures": [one.said for one in rows], "probability": [100 * one.probability for one in rows]}
    share = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100, width=104)
    st.dataframe(
        columns,
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
        column_config={
            "pictures": st.column_config.NumberColumn(width=75, format="localized"),
            "found": share,
            "probability": share,
            "95 % interval": st.column_config.TextColumn(width=105),
            "precision": st.column_config.NumberColumn(
                format="%.1f %%", width=85, help="Of the pictures predicted as this class, those that are of it"
            ),
        },
    )
    if labelled:
        st.caption("Sorted by the upper end of the interval, lowest first.")


def _between(rate: Rate) -> str:
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %" if rate.n else "–"


def _mistakes(opened: OpenAudit) -> None:
    """The most frequent mistakes, where there are too many classes for a matrix."""
    rows = opened.mistakes
    st.dataframe(
        {
            "true class": [words.label(one.label) for one in rows],
            "predicted": [words.label(one.said) for one in rows],
            "pictures": [one.count for one in rows],
            "of": [one.of for one in rows],
        },
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
    )
    st.caption("The most frequent mistakes, and how many pictures there are of the class.")


def _surest(opened: OpenAudit) -> go.Figure:
    edges = np.linspace(0, 100, len(opened.surest) + 1)
    return histogram(
        opened.surest,
        edges,
        title="How confident it is",
        axis="probability of the predicted class, %",
        hover="%{y:,} answers at about %{x:.0f} %",
    )


def histogram(counts: NDArray[np.int64], edges: NDArray[np.float64], *, title: str, axis: str, hover: str) -> go.Figure:
    """A chart of how many pictures lie between neighbouring ``edges``. ``hover``: the words at a bar."""
    bars: dict[str, object] = {
        "type": "bar",
        "x": ((edges[1:] + edges[:-1]) / 2).round(4).tolist(),
        "y": counts.tolist(),
        "marker": {"color": "#1f9a91"},
        "hovertemplate": f"{hover}<extra></extra>",
    }
    layout: dict[str, object] = {
        "bargap": 0.06,
        "xaxis": titled_axis(axis, range=[float(edges[0]), float(edges[-1])]),
        "yaxis": titled_axis("pictures", None, rangemode="tozero"),
    }
    return figure([bars], layout, title=title, height=HEIGHT)
