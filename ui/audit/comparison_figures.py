"""Figures of two audits beside each other: accuracy and its difference, the classes, how far the reasons moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from camcore.audits.comparison import FALSE_WINS, Comparison
from camcore.audits.joined import OTHER, SAME
from camcore.audits.paired import PairedRates
from camcore.text import with_sign
from ui import words
from ui.audit.quality import HEIGHT, histogram, interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS = 20
"""Of the histogram of distances, from 0 to 1."""
_WINNERS = {"old": "this one", "new": "the other", "": "–"}


def numbers(made: Comparison) -> list[tuple[str, str, str]]:
    """The large numbers on top."""
    parts: list[tuple[str, str, str]] = []
    counts, accuracy = made.counts, made.accuracy
    if accuracy.old.n:
        parts += [
            (words.percent(accuracy.old.value), "are right in this audit", interval(accuracy.old)),
            (words.percent(accuracy.new.value), "are right in the other", interval(accuracy.new)),
            (
                points(accuracy.difference),
                "points from this one to the other",
                f"95 % interval {_between(accuracy)}; {_chance(accuracy.p)}",
            ),
        ]
    else:
        share = words.percent(counts[SAME] / len(made.pictures))
        parts.append((share, "have the same answer", f"{counts[OTHER]:,} of {len(made.pictures):,} have another"))
    moved = made.moved
    if len(moved):
        tenth = f"same answer; one in ten above {np.quantile(moved, 0.9):.2f}"
        parts.append((f"{np.median(moved):.2f}", "median distance of maps", tenth))
    return parts


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return with_sign(100 * difference, 1)


def classes(made: Comparison) -> None:
    """A row for each class, those with the most changes on top."""
    rows = made.classes
    st.dataframe(
        {
            "class": [words.label(one.label) for one in rows],
            "pictures": [one.found.old.n for one in rows],
            "found here": [100 * one.found.old.value for one in rows],
            "found there": [100 * one.found.new.value for one in rows],
            "difference": [f"{points(one.found.difference)} ({_between(one.found)})" for one in rows],
            "better": [_WINNERS[one.winner] for one in rows],
        },
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
        column_config={
            "pictures": st.column_config.NumberColumn(width=70, format="localized"),
            "found here": st.column_config.NumberColumn(format="%.1f %%", width=85),
            "found there": st.column_config.NumberColumn(format="%.1f %%", width=90),
            "difference": st.column_config.TextColumn(width=140),
            "better": st.column_config.TextColumn(width=70),
        },
    )
    st.caption(
        words.together(
            "Differences in percentage points, with the 95 % interval. One network is called better where chance "
            "hardly explains the difference (McNemar’s exact test, "
            f"at most {100 * FALSE_WINS:.0f} % of the classes so marked wrongly)."
        )
    )


def evidence(made: Comparison) -> str:
    """A sentence on how far the evidence moved; empty where it cannot be compared."""
    moved = made.evidence_moved
    if not len(moved):
        return ""
    return (
        "The evidence, the features that an answer rests on, has a median distance (one minus the cosine) of "
        f"{np.median(moved):.2f}, one in ten above {np.quantile(moved, 0.9):.2f}. Compare it between "
        "versions of one network only."
    )


def answers(made: Comparison) -> None:
    """Without labels: the most frequent changes of the answer."""
    rows = (
        made.changed(OTHER)
        .group_by(["old", "new"])
        .aggregate([("path", "count")])
        .sort_by([("path_count", "descending")])
    )
    st.dataframe(
        {
            "it says here": [words.label(name) for name in rows["old"].to_pylist()],
            "it says there": [words.label(name) for name in rows["new"].to_pylist()],
            "pictures": rows["path_count"].to_pylist(),
        },
        hide_index=True,
        height=min(HEIGHT, 35 * (len(rows) + 1) + 3),
    )


def moved(made: Comparison) -> go.Figure:
    """A histogram of the distances between the maps of pictures with the same answer."""
    counts, edges = np.histogram(made.moved, BINS, (0, 1))
    return histogram(
        counts,
        edges,
        title="The same answer: how far the map moved",
        axis="distance: 0 the same, 1 no place in common",
        hover="%{y:,} pictures at about %{x:.2f}",
    )


def _between(rates: PairedRates) -> str:
    return f"{points(rates.low)} to {points(rates.high)}"


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
