"""Gain against cost as a Plotly figure: the networks that nothing cheaper beats stand on a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from camcore.render.figure import COLOURS, LEGEND_ABOVE, MARGIN, QUIET, Part, figure, line, titled_axis

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class TradeOffPoint:
    """``cost`` above 0; ``gain``: the more the better; ``ready``: drawn filled."""

    name: str
    cost: float
    gain: float
    ready: bool = False


def front(points: Sequence[TradeOffPoint]) -> tuple[TradeOffPoint, ...]:
    """The points that no other one of at most their cost reaches or passes in gain, the cheapest first."""
    kept: list[TradeOffPoint] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.gain)):
        if not kept or point.gain > kept[-1].gain:
            kept.append(point)
    return tuple(kept)


def spaced(points: Sequence[TradeOffPoint], decades: float = 0.35, gain: float = 2.0) -> tuple[TradeOffPoint, ...]:
    """Those of a front that can be named without their names covering each other, from the last one back."""
    kept: list[TradeOffPoint] = []
    for point in reversed(points):
        if not kept or log10(kept[-1].cost / point.cost) >= decades or kept[-1].gain - point.gain >= gain:
            kept.append(point)
    return tuple(kept[::-1])


def trade_off(
    points: Sequence[TradeOffPoint], *, cost: str, gain: str, chosen: str | None = None, height: int = 430
) -> Figure:
    """Cost on a logarithmic axis, gain upwards, the front as a line with names.

    Each point's name is its ``customdata``. ``chosen``: the name of the one that is ringed.
    """
    best = front(points)
    named = {point.name for point in spaced(best)} | {chosen}
    ringed = [point for point in points if point.name == chosen]
    traces = [line(*_axes(best), QUIET, 1.5, "dot", name="none smaller is as accurate", hoverinfo="skip")]
    for ready, name in ((False, "not here"), (True, "on this machine")):
        group = [point for point in points if point.ready is ready]
        traces.append(
            _markers(group, {"size": 10, "color": COLOURS[0], "symbol": "circle" if ready else "circle-open"})
            | {
                "customdata": [point.name for point in group],
                "text": [point.name if point.name in named else "" for point in group],
                "mode": "markers+text",
                "textposition": "top left",  # where nothing stands: that would be on the front instead
                "textfont": {"size": 11},
                "cliponaxis": False,
                "name": name,
                "hovertemplate": "%{customdata}\n%{y:.1f} %, %{x:.1f} M<extra></extra>",
            }
        )
    ring: Part = {"size": 20, "color": COLOURS[1], "symbol": "circle-open", "line": {"width": 2.5}}
    traces.append(_markers(ringed, ring) | {"showlegend": False, "hoverinfo": "skip"})
    decades = [step * 10**decade for decade in range(4) for step in (1, 2, 5)]
    layout: Part = {
        "margin": MARGIN | {"t": 30},
        "legend": LEGEND_ABOVE,
        "xaxis": titled_axis(cost, type="log", tickvals=decades),
        "yaxis": titled_axis(gain, None),
        "clickmode": "event+select",
    }
    return figure(traces, layout, height=height)


def _markers(points: Sequence[TradeOffPoint], marker: Part) -> Part:
    x, y = _axes(points)
    return {"type": "scatter", "x": x, "y": y, "mode": "markers", "marker": marker}


def _axes(points: Sequence[TradeOffPoint]) -> tuple[list[float], list[float]]:
    return [point.cost for point in points], [point.gain for point in points]
