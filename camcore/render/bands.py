"""A curve of one map against what chance gives: the random maps' range as a grey band, the centred blob as dashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from camcore.render.charts import COLOURS, QUIET

HEIGHT = 280
_BAND = "rgba(139, 152, 148, 0.28)"


def against_chance(
    shares: ArrayLike,
    scores: ArrayLike,
    centre: ArrayLike | None,
    randoms: Sequence[ArrayLike],
    *,
    title: str,
    axes: tuple[str, str],
    name: str,
    probabilities: bool = True,
    height: int = HEIGHT,
) -> Any:
    """A plotly.graph_objects.Figure of scores (k,) over shares (k,) of the pixels.

    ``centre`` (k,) and each of ``randoms`` (k,): the controls', at the same shares; None and none while they are on
    their way. ``name``: of the map, in the legend.
    """
    from plotly.graph_objects import Figure

    x = np.asarray(shares, np.float64).tolist()
    traces: list[dict[str, Any]] = []
    if len(randoms):
        spread = np.asarray(list(randoms), np.float64)
        edges = spread.min(axis=0), spread.max(axis=0)
        hidden = {"type": "scatter", "x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces += [
            hidden | {"y": edges[0].tolist(), "showlegend": False},
            hidden | {"y": edges[1].tolist(), "name": _count(len(randoms)), "fill": "tonexty", "fillcolor": _BAND},
        ]
    lines: list[tuple[str, ArrayLike, dict[str, Any]]] = [(name, scores, {"color": COLOURS[0], "width": 2.5})]
    if centre is not None:
        lines.insert(0, ("centred blob", centre, {"color": QUIET, "width": 1.75, "dash": "dash"}))
    digits = ".1%" if probabilities else ".3f"
    for label, values, line in lines:
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": np.asarray(values, np.float64).tolist(),
                "name": label,
                "mode": "lines+markers" if len(x) < 12 else "lines",
                "line": line,
                "marker": {"size": 5},
                "hovertemplate": f"%{{y:{digits}}}",
            }
        )
    percent = {"tickformat": ".0%", "fixedrange": True, "zeroline": False}
    layout = {
        "title": {"text": title, "x": 0, "xref": "container", "xanchor": "left", "font": {"size": 16}},
        "height": height,
        "margin": {"l": 56, "r": 14, "t": 42, "b": 84},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.3, "yanchor": "top"},
        "xaxis": percent | {"title": {"text": axes[0], "standoff": 6}, "range": [-0.02, 1.02], "dtick": 0.25},
        "yaxis": {"title": {"text": axes[1]}, "rangemode": "tozero", "fixedrange": True}
        | ({"tickformat": ".0%"} if probabilities else {}),
        "uirevision": "kept",
    }
    return Figure({"data": traces, "layout": layout})


def _count(number: int) -> str:
    return "a random map" if number == 1 else f"{number} random maps"
