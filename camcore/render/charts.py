"""Plotly figures on the quality of a classifier: arrays in, plotly.graph_objects.Figure out.

Scores are drawn on the scale of the logit, whose ticks are named by probabilities: sure pictures would otherwise
all lie in the first and the last bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.render.figure import (
    COLOURS,
    HEIGHT,
    LEGEND_BENEATH,
    MARGIN,
    QUIET,
    Markup,
    Part,
    error_bars,
    figure,
    level_line,
    line,
    share_axis,
    titled_axis,
    vertical_line,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LIMIT = 9.2
"""The logit of 99.99 %, where the scale ends; what is surer is counted there."""

_TICKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """ln(p / (1 − p)), kept within ±LIMIT."""
    p = np.asarray(probability, np.float64)
    with np.errstate(divide="ignore"):
        return np.clip(np.log(p) - np.log1p(-p), -LIMIT, LIMIT)


def score_counts(probabilities: ArrayLike, bins: int = 32) -> NDArray[np.int64]:
    """The number of probabilities in each of ``bins`` of one width on the logit's scale."""
    counts, _ = np.histogram(logit(probabilities), bins, (-LIMIT, LIMIT))
    return counts.astype(np.int64)


def score_histogram(
    groups: Mapping[str, ArrayLike],
    *,
    title: str,
    axis: str,
    threshold: float | None = None,
    height: int = HEIGHT,
) -> Figure:
    """The scores given. groups: name → their ``score_counts``; threshold: a probability, as a line."""
    (bins,) = {len(np.asarray(counts)) for counts in groups.values()}
    edges = np.linspace(-LIMIT, LIMIT, bins + 1)
    bars: list[Part] = [
        {
            "type": "bar",
            "name": name,
            "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
            "y": np.asarray(counts).tolist(),
            "width": float(edges[1] - edges[0]),
            "marker": {"color": colour, "line": {"width": 0}},
            "opacity": 0.72,
            "hovertemplate": f"%{{y}} {name}<extra></extra>",
        }
        for (name, counts), colour in zip(groups.items(), COLOURS, strict=False)
    ]
    layout: Part = {
        "barmode": "overlay",
        "bargap": 0,
        "legend": LEGEND_BENEATH,
        "margin": MARGIN | {"b": 84},
        "xaxis": titled_axis(
            f"{axis}, %",  # nine signs on the ticks would run into each other
            range=[-LIMIT - 0.3, LIMIT + 0.3],
            tickvals=logit(_TICKS).tolist(),
            ticktext=[f"{100 * p:.4g}" for p in _TICKS],
            tickangle=0,
        ),
        "yaxis": titled_axis("pictures", None, rangemode="tozero"),
    }
    if threshold is not None:
        layout |= vertical_line(float(logit(threshold)))
    return figure(bars, layout, title=title, height=height)


def confusion_matrix(counts: ArrayLike, classes: Sequence[str], *, title: str, height: int = HEIGHT) -> Figure:
    """counts (classes, classes): rows the true class, columns the class said; coloured by the share of the row."""
    table = np.asarray(counts, np.int64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    names = list(classes)
    text = [
        [Markup(f"<b>{count:,}</b><br>{100 * share:.1f} %") for count, share in zip(row, part, strict=True)]
        for row, part in zip(table.tolist(), shares.tolist(), strict=True)
    ]
    heat: Part = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": shares.tolist(),
        "zmin": 0,
        "zmax": 1,
        "text": text,
        "texttemplate": "%{text}" if len(names) <= 8 else "",
        "hovertemplate": "%{y} called %{x}: %{text}<extra></extra>",
        "colorscale": [[0, "#e3f1ef"], [1, "#17766f"]],
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "textfont": {"size": 16 if len(names) <= 4 else 11},
    }
    category: Part = {"type": "category", "showgrid": False, "zeroline": False, "automargin": True}
    layout: Part = {
        "xaxis": titled_axis("the network says") | category,
        "yaxis": titled_axis("it is a", None, autorange="reversed") | category,
    }
    return figure([heat], layout, title=title, height=height)


def reliability(
    confidence: ArrayLike,
    observed: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    count: ArrayLike,
    *,
    title: str,
    axes: tuple[str, str],
    threshold: float | None = None,
    height: int = HEIGHT,
) -> Figure:
    """The share of right answers over the probability given: arrays (bins,), NaN in empty bins are left out."""
    n = np.asarray(count)
    used = n > 0
    x, y, lowest, highest = (np.asarray(a, np.float64)[used] for a in (confidence, observed, low, high))
    points = line(
        x,
        y,
        COLOURS[0],
        2,
        mode="lines+markers",
        cliponaxis=False,  # most pictures lie at the ends
        marker={"size": (6 + 10 * np.sqrt(n[used] / max(1, n.max(initial=0)))).tolist(), "color": COLOURS[0]},
        error_y=error_bars(y, lowest, highest, COLOURS[0], 3, 1.2),
        customdata=n[used].tolist(),
        hovertemplate="said %{x:.1%}, true %{y:.1%}\n%{customdata} pictures<extra></extra>",
    )
    layout = _share_axes(axes) | {"showlegend": False}
    if threshold is not None:
        layout |= vertical_line(threshold)
    return figure([_diagonal(), points], layout, title=title, height=height)


def roc_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    title: str,
    axes: tuple[str, str],
    here: tuple[float, float] | None = None,
    height: int = HEIGHT,
) -> Figure:
    """Receiver operating characteristics. curves: name → (false, true positive rates); here: the point in use."""
    traces = [
        line(
            fpr,
            tpr,
            colour,
            2.5,
            name=name,
            hovertemplate="%{x:.1%} · %{y:.1%}<extra></extra>",
        )
        for (name, (fpr, tpr)), colour in zip(curves.items(), COLOURS, strict=False)
    ]
    layout = _share_axes(axes) | {
        "showlegend": len(traces) > 1,
        "legend": {"x": 1, "xanchor": "right", "y": 0.02, "yanchor": "bottom"},
    }
    if here is not None:
        traces.append(
            {
                "type": "scatter",
                "x": [here[0]],
                "y": [here[1]],
                "mode": "markers",
                "marker": {"size": 14, "color": COLOURS[1], "line": {"width": 2, "color": "#ffffff"}},
                "hovertemplate": "here: %{x:.1%} · %{y:.1%}<extra></extra>",
                "showlegend": False,
            }
        )
    return figure([_diagonal(), *traces], layout, title=title, height=height)


def threshold_sweep(
    thresholds: ArrayLike,
    shares: Mapping[str, ArrayLike],
    *,
    title: str,
    axis: str,
    threshold: float,
    height: int = HEIGHT,
) -> Figure:
    """Shares over the threshold. shares: name → (thresholds,); threshold: the one in use, as a line."""
    at = 100 * np.asarray(thresholds, np.float64)
    traces = [
        line(at, share, colour, 2.5, name=name, hovertemplate=f"from %{{x:.0f}} % on: %{{y:.1%}} {name}<extra></extra>")
        for (name, share), colour in zip(shares.items(), COLOURS, strict=False)
    ]
    layout: Part = {
        "legend": {"x": 0.5, "xanchor": "center", "y": 0.02, "yanchor": "bottom"},
        "xaxis": titled_axis(axis, range=[-2, 102], ticksuffix=" %", zeroline=False),
        "yaxis": share_axis("") | {"title": None},
    }
    return figure(traces, layout | vertical_line(100 * threshold), title=title, height=height)


def grouped_bars(
    groups: Sequence[str],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    *,
    title: str,
    axis: str,
    level: tuple[float, str] | None = None,
    height: int = HEIGHT,
) -> Figure:
    """Shares with their intervals. series: name → (value, low, high) for each group; level: a line and its name."""
    bars: list[Part] = []
    for (name, rates), colour in zip(series.items(), COLOURS, strict=False):
        value, low, high = zip(*rates, strict=True)
        bars.append(
            {
                "type": "bar",
                "name": name,
                "x": list(groups),
                "y": list(value),
                "marker": {"color": colour},
                "error_y": error_bars(value, low, high, QUIET, 4, 1.5),
                "hovertemplate": f"%{{x}}, {name}: %{{y:.1%}}<extra></extra>",
            }
        )
    layout: Part = {
        "barmode": "group",
        "legend": LEGEND_BENEATH,
        "margin": MARGIN | {"b": 92},
        "xaxis": {"fixedrange": True, "type": "category", "tickangle": 0},
        "yaxis": titled_axis(axis, None, tickformat=".0%", range=[0, 1.02]),
    }
    if level is not None:
        layout |= level_line(*level)
    return figure(bars, layout, title=title, height=height)


def _diagonal() -> Part:
    """The reference of a figure of shares: probabilities that come true, or a network that tells nothing."""
    return line([0, 1], [0, 1], QUIET, 1.5, "dot", hoverinfo="skip", showlegend=False)


def _share_axes(titles: tuple[str, str]) -> Part:
    return {"xaxis": share_axis(titles[0]), "yaxis": share_axis(titles[1])}
