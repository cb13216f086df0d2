"""How good a classifier is, as Plotly figures: arrays in, plotly.graph_objects.Figure out.

Scores are drawn on the scale of the logit, whose ticks are named by probabilities: sure pictures would otherwise
all lie in the first and the last bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# They can be read on white and on near-black, and told apart by colour-blind eyes.
COLOURS = ("#1f9a91", "#d08420", "#8a7fd1", "#c8577a", "#5b9bd5", "#8b9894")
QUIET = "#8b9894"
HEIGHT = 300

LIMIT = 9.2
"""The logit of 99.99 %, where the scale ends; what is surer is counted there."""

_TICKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
_MARGIN = {"l": 56, "r": 14, "t": 42, "b": 48}
_DIAGONAL = {
    "type": "scatter",
    "x": [0, 1],
    "y": [0, 1],
    "mode": "lines",
    "line": {"color": QUIET, "dash": "dot", "width": 1.5},
    "hoverinfo": "skip",
    "showlegend": False,
}
"""What a figure of shares is held against: probabilities that come true, or a network that tells nothing."""


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """ln(p / (1 − p)), kept within ±LIMIT."""
    p = np.asarray(probability, np.float64)
    with np.errstate(divide="ignore"):
        return np.clip(np.log(p) - np.log1p(-p), -LIMIT, LIMIT)


def score_histogram(
    groups: Mapping[str, ArrayLike],
    *,
    title: str,
    axis: str,
    threshold: float | None = None,
    bins: int = 32,
    height: int = HEIGHT,
) -> Any:
    """How often each score was given. groups: name → probabilities (n,); threshold: a probability, as a line."""
    edges = np.linspace(-LIMIT, LIMIT, bins + 1)
    bars = []
    for (name, given), colour in zip(groups.items(), COLOURS, strict=False):
        counts = np.histogram(logit(given), edges)[0]
        bars.append(
            {
                "type": "bar",
                "name": name,
                "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
                "y": counts.tolist(),
                "width": float(edges[1] - edges[0]),
                "marker": {"color": colour, "line": {"width": 0}},
                "opacity": 0.72,
                "hovertemplate": f"%{{y}} {name}<extra></extra>",
            }
        )
    layout = {
        "barmode": "overlay",
        "bargap": 0,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        "xaxis": {
            "title": {"text": f"{axis}, %", "standoff": 8},  # nine signs on the ticks would run into each other
            "range": [-LIMIT - 0.3, LIMIT + 0.3],
            "tickvals": logit(_TICKS).tolist(),
            "ticktext": [f"{100 * p:.4g}" for p in _TICKS],
            "tickangle": 0,
            "fixedrange": True,
        },
        "yaxis": {"title": {"text": "pictures"}, "rangemode": "tozero", "fixedrange": True},
    }
    if threshold is not None:
        layout |= _threshold_line(float(logit(threshold)), _percent(threshold))
    return _figure(bars, title, height, layout)


def confusion_matrix(counts: ArrayLike, classes: Sequence[str], *, title: str, height: int = HEIGHT) -> Any:
    """counts (classes, classes): rows the true class, columns the class said; coloured by the share of the row."""
    table = np.asarray(counts, np.int64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    names = list(classes)
    text = [
        [f"<b>{count:,}</b><br>{100 * share:.1f} %" for count, share in zip(row, part, strict=True)]
        for row, part in zip(table.tolist(), shares.tolist(), strict=True)
    ]
    heat = {
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
    axis = {"type": "category", "fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True}
    return _figure(
        [heat],
        title,
        height,
        {
            "xaxis": axis | {"title": {"text": "the network says", "standoff": 8}},
            "yaxis": axis | {"title": {"text": "it is a"}, "autorange": "reversed"},
        },
    )


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
) -> Any:
    """How often pictures are right that were given a probability: arrays (bins,), NaN in empty bins are left out."""
    n = np.asarray(count)
    used = n > 0
    x, y, lowest, highest = (np.asarray(a, np.float64)[used] for a in (confidence, observed, low, high))
    points = {
        "type": "scatter",
        "x": x.tolist(),
        "y": y.tolist(),
        "mode": "lines+markers",
        "cliponaxis": False,  # most pictures lie at the ends
        "line": {"color": COLOURS[0], "width": 2},
        "marker": {"size": (6 + 10 * np.sqrt(n[used] / max(1, n.max(initial=0)))).tolist(), "color": COLOURS[0]},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": (highest - y).tolist(),
            "arrayminus": (y - lowest).tolist(),
            "thickness": 1.2,
            "width": 3,
            "color": COLOURS[0],
        },
        "customdata": n[used].tolist(),
        "hovertemplate": "said %{x:.1%}, true %{y:.1%}<br>%{customdata} pictures<extra></extra>",
    }
    layout = {"xaxis": _share_axis(axes[0]), "yaxis": _share_axis(axes[1]), "showlegend": False}
    if threshold is not None:
        layout |= _threshold_line(threshold, _percent(threshold))
    return _figure([_DIAGONAL, points], title, height, layout)


def roc_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    title: str,
    axes: tuple[str, str],
    here: tuple[float, float] | None = None,
    height: int = HEIGHT,
) -> Any:
    """Receiver operating characteristics. curves: name → (false, true positive rates); here: the point in use."""
    lines = [
        {
            "type": "scatter",
            "name": name,
            "x": np.asarray(fpr).tolist(),
            "y": np.asarray(tpr).tolist(),
            "mode": "lines",
            "line": {"color": colour, "width": 2.5},
            "hovertemplate": "%{x:.1%} · %{y:.1%}<extra></extra>",
        }
        for (name, (fpr, tpr)), colour in zip(curves.items(), COLOURS, strict=False)
    ]
    layout: dict[str, Any] = {
        "xaxis": _share_axis(axes[0]),
        "yaxis": _share_axis(axes[1]),
        "showlegend": len(lines) > 1,
        "legend": {"x": 1, "xanchor": "right", "y": 0.02, "yanchor": "bottom"},
    }
    if here is not None:
        lines.append(
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
    return _figure([_DIAGONAL, *lines], title, height, layout)


def grouped_bars(
    groups: Sequence[str],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    *,
    title: str,
    axis: str,
    level: tuple[float, str] | None = None,
    height: int = HEIGHT,
) -> Any:
    """Shares with their intervals. series: name → (value, low, high) for each group; level: a line and its name."""
    bars = []
    for (name, found), colour in zip(series.items(), COLOURS, strict=False):
        value, low, high = (np.array(column, np.float64) for column in zip(*found, strict=True))
        bars.append(
            {
                "type": "bar",
                "name": name,
                "x": list(groups),
                "y": value.tolist(),
                "marker": {"color": colour},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": (high - value).tolist(),
                    "arrayminus": (value - low).tolist(),
                    "color": QUIET,
                    "thickness": 1.5,
                    "width": 4,
                },
                "hovertemplate": f"%{{x}}, {name}: %{{y:.1%}}<extra></extra>",
            }
        )
    layout: dict[str, Any] = {
        "barmode": "group",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.3, "yanchor": "top"},
        "margin": _MARGIN | {"b": 92},
        "xaxis": {"fixedrange": True, "type": "category", "tickangle": 0},
        "yaxis": {"title": {"text": axis}, "tickformat": ".0%", "range": [0, 1.02], "fixedrange": True},
    }
    if level is not None:
        line = {"color": QUIET, "width": 2, "dash": "dash"}
        edges = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": level[0], "y1": level[0]}
        note = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "y", "y": level[0], "yanchor": "bottom"}
        layout |= {
            "shapes": [{"type": "line", "line": line, **edges}],
            "annotations": [{"text": level[1], "showarrow": False, **note}],
        }
    return _figure(bars, title, height, layout)


def _figure(data: list[dict[str, Any]], title: str, height: int, layout: dict[str, Any]) -> Any:
    from plotly.graph_objects import Figure

    shared = {
        "title": {"text": title, "x": 0, "xref": "container", "xanchor": "left", "font": {"size": 16}},
        "height": height,
        "margin": _MARGIN,
        "uirevision": "kept",
    }
    return Figure({"data": data, "layout": shared | layout})


def _share_axis(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 8},
        "range": [-0.03, 1.03],
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
        "zeroline": False,
        "fixedrange": True,
    }


def _threshold_line(at: float, text: str) -> dict[str, Any]:
    line = {"color": COLOURS[1], "width": 2, "dash": "dash"}
    place = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at}
    return {"shapes": [{"type": "line", "line": line, **place}]}


def _percent(p: float) -> str:
    return f"{100 * p:.4g} %"
