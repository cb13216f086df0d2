"""Quality of a network over an audit's pictures: figures with intervals, its classes, what is taken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from camcore.audits.figures import ClassFigures
from camcore.metrics.intervals import Rate
from camcore.render import charts
from camcore.render.figure import figure, titled_axis
from camcore.text import counted
from ui import figures, words
from ui.audit.opened import OpenAudit

if TYPE_CHECKING:
    import plotly.graph_objects as go

FEW = 3
"""Classes that have a large number each."""
HEIGHT = 300


def show(opened: OpenAudit) -> None:
    """The section: figures, then the classes beside the chart of what is taken for what, or of how sure it is."""
    labelled = opened.accuracy.n > 0
    st.subheader("How good is it?" if labelled else "What does it say?", anchor="how-good")
    figures.numbers(_numbers(opened))
    left, right = st.columns(2, gap="medium")
    with left:
        _classes(opened)
    with right:
        if opened.confusion is not None and len(opened.confusion.classes) > 1:
            names = [words.label(name) for name in opened.confusion.classes]
            chart = charts.confusion_matrix(
                opened.confusion.counts, names, title="What is taken for what", height=HEIGHT
            )
            figures.chart(
                chart, key="audit_confusion", alt="Counts of each class taken for each; see the table beside it"
            )
        elif opened.mistakes:
            _mistakes(opened)
        else:
            figures.chart(_surest(opened), key="audit_surest", alt="How many answers were given with which probability")


def interval(rate: Rate) -> str:
    """A share's counts and its interval."""
    if not rate.n:
        return "no such pictures"
    return f"{rate.count:,} of {rate.n:,}; 95 % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} %"


def _numbers(opened: OpenAudit) -> list[tuple[str, str, str]]:
    labelled = opened.accuracy.n > 0
    parts = []
    if labelled:
        parts.append((words.percent(opened.accuracy.value), "of the pictures are right", interval(opened.accuracy)))
        if len(opened.classes) <= FEW:
            parts += [
                (words.percent(one.found.value), f"of “{words.label(one.name)}” are found", interval(one.found))
                for one in opened.classes
                if one.found.n
            ]
        else:
            parts.append(_weakest(opened.classes))
    else:
        parts += [
            (words.percent(one.said / opened.answered), f"are called “{words.label(one.name)}”", _said(one))
            for one in sorted(opened.classes, key=lambda one: -one.said)[:FEW]
        ]
    surest = opened.surest
    sure = int(surest[-len(surest) // 10 :].sum())
    parts.append((words.percent(sure / max(opened.answered, 1)), "of the answers are sure", "with 90 % or more"))
    if opened.failed:
        parts.append((f"{opened.failed:,}", "could not be used", "see “unusable” below"))
    return parts


def _weakest(classes: tuple[ClassFigures, ...]) -> tuple[str, str, str]:
    """The class least found; of equal ones that with the most pictures."""
    one = min((one for one in classes if one.found.n), key=lambda one: (one.found.value, -one.found.n))
    return words.percent(one.found.value), f"of “{words.label(one.name)}” are found: the fewest", interval(one.found)


def _said(one: ClassFigures) -> str:
    return f"{counted(one.said, 'picture')}, {words.percent(one.probability)} sure on average"


def _classes(opened: OpenAudit) -> None:
    """A row for each class, those that fail most on top."""
    labelled = opened.accuracy.n > 0

    def share(rate: Rate, value: float) -> float | None:
        return 100 * value if rate.n else None

    rows = sorted(
        opened.classes,
        key=(lambda one: (one.found.value if one.found.n else 2, -one.found.n)) if labelled else lambda one: -one.said,
    )
    columns: dict[str, list[object]] = {"class": [words.label(one.name) for one in rows]}
    if labelled:
        columns |= {
            "pictures": [one.found.n for one in rows],
            "found": [share(one.found, one.found.value) for one in rows],
            "from": [share(one.found, one.found.low) for one in rows],
            "to": [share(one.found, one.found.high) for one in rows],
            "said": [one.said for one in rows],
            "right when said": [share(one.precision, one.precision.value) for one in rows],
        }
    else:
        columns |= {"said": [one.said for one in rows], "probability": [100 * one.probability for one in rows]}
    percent = st.column_config.NumberColumn(format="%.1f %%", width="small")
    st.dataframe(
        columns,
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
        column_config={
            "class": st.column_config.TextColumn(width="medium"),
            "pictures": st.column_config.NumberColumn(width="small"),
            "found": st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100, width="small"),
            "from": percent,
            "to": percent,
            "said": st.column_config.NumberColumn(width="small"),
            "right when said": percent,
            "probability": percent,
        },
    )
    if labelled:
        st.caption(
            "“from” and “to” are the 95 % interval of the share that is found. The weakest classes stand on top."
        )


def _mistakes(opened: OpenAudit) -> None:
    """The most frequent mistakes, where there are too many classes for a matrix."""
    rows = opened.mistakes
    st.dataframe(
        {
            "it is": [words.label(one.label) for one in rows],
            "it is called": [words.label(one.said) for one in rows],
            "pictures": [one.count for one in rows],
            "of": [one.of for one in rows],
        },
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
    )
    st.caption("The most frequent mistakes, and how many pictures there are of the class.")


def _surest(opened: OpenAudit) -> go.Figure:
    bins = len(opened.surest)
    edges = np.linspace(0, 100, bins + 1)
    bars: dict[str, object] = {
        "type": "bar",
        "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
        "y": opened.surest.tolist(),
        "marker": {"color": "#1f9a91"},
        "hovertemplate": "%{y:,} answers at about %{x:.0f} %<extra></extra>",
    }
    layout: dict[str, object] = {
        "bargap": 0.06,
        "xaxis": titled_axis("probability of the class it says, %", range=[0, 100]),
        "yaxis": titled_axis("pictures", None, rangemode="tozero"),
    }
    return figure([bars], layout, title="How sure it is of its answers", height=HEIGHT)
