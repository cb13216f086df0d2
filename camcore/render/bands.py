"""A curve of one map against chance: the random maps' range as a grey band, the centred blob as dashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from camcore.render.figure import COLOURS, LEGEND_BENEATH, MARGIN, QUIET, Part, figure, line, plain, titled_axis

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

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
) -> Figure:
    """Scores (k,) over shares (k,) of the pixels.

    ``centre`` (k,) and each of ``randoms`` (k,): the controls', at the same shares; None and none while they are on
    their way. ``name``: of the map, in the legend.
    """
    x = plain(shares)
    traces: list[Part] = []
    if len(randoms):
        spread = np.asarray(list(randoms), np.float64)
        edge: Part = {"type": "scatter", "x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        count = "a random map" if len(randoms) == 1 else f"{len(randoms)} random maps"
        traces += [
            edge | {"y": plain(spread.min(axis=0)), "showlegend": False},
            edge | {"y": plain(spread.max(axis=0)), "name": count, "fill": "tonexty", "fillcolor": _BAND},
        ]
    shared: Part = {
        "mode": "lines+markers" if len(x) < 12 else "lines",
        "marker": {"size": 5},
        "hovertemplate": f"%{{y:{'.1%' if probabilities else '.3f'}}}",
    }
    if centre is not None:
        traces.append(line(x, centre, QUIET, 1.75, "dash", name="centred blob") | shared)
    traces.append(line(x, scores, COLOURS[0], 2.5, name=name) | shared)
    percent: Part = {"tickformat": ".0%"}
    layout: Part = {
        "margin": MARGIN | {"b": 84},
        "hovermode": "x unified",
        "legend": LEGEND_BENEATH,
        "xaxis": titled_axis(axes[0], 6, range=[-0.02, 1.02], dtick=0.25, zeroline=False) | percent,
        "yaxis": titled_axis(axes[1], None, rangemode="tozero") | (percent if probabilities else {}),
    }
    return figure(traces, layout, title=title, height=height)
