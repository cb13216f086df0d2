"""A figure for every pair, as a heat table in Plotly: arrays in, plotly.graph_objects.Figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

_ROW = 26
_MOST_FIGURES = 16
"""With more rows than this the figures are read by pointing; they would not fit into the fields."""

# Brown for opposite orders, pale for none, teal for the same: told apart by colour-blind eyes, readable on both themes.
_SIGNED = [[0, "#8c510a"], [0.25, "#d8b365"], [0.5, "#f2f2ee"], [0.75, "#7cc4bb"], [1, "#17766f"]]


def pair_table(values: ArrayLike, names: Sequence[str], *, what: str) -> Any:
    """values (n, n) in −1..1, NaN where a pair has no figure; names: of the n rows; what: the figure's name."""
    from plotly.graph_objects import Figure

    table = np.asarray(values, np.float64)
    n = len(table)
    text = [["–" if np.isnan(value) else f"{value:.2f}".replace("-", "−") for value in row] for row in table]
    places = list(range(n))
    heat = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": [[None if np.isnan(value) else float(value) for value in row] for row in table],
        "zmin": -1,
        "zmax": 1,
        "text": text,
        "customdata": [[f"{a} and {b}" for b in names] for a in names],
        "texttemplate": "%{text}" if n <= _MOST_FIGURES else "",
        "hovertemplate": f"%{{customdata}}<br>{what}: %{{text}}<extra></extra>",
        "colorscale": _SIGNED,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "textfont": {"size": 13 if n <= 8 else 10},
    }
    axis = {
        "tickvals": places,
        "ticktext": list(names),
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "ticks": "",
    }
    layout = {
        "height": max(220, _ROW * n + 130),
        "margin": {"l": 10, "r": 10, "t": 6, "b": 10},
        "xaxis": axis | {"tickangle": -35 if n > 4 else 0, "side": "bottom"},
        "yaxis": axis | {"autorange": "reversed"},
        "uirevision": "kept",
    }
    return Figure({"data": [heat], "layout": layout})
