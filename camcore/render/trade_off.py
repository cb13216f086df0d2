"""What is gained against what it costs, as a Plotly figure: the networks that nothing cheaper beats stand on a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

COLOUR, QUIET, CHOSEN = "#1f9a91", "#8b9894", "#d08420"  # each can be read on white and on near-black


@dataclass(frozen=True)
class Point:
    """``cost`` above 0; ``gain``: the more the better; ``ready``: drawn filled."""

    name: str
    cost: float
    gain: float
    ready: bool = False


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points that no other one of at most their cost reaches or passes in gain, the cheapest first."""
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.gain)):
        if not found or point.gain > found[-1].gain:
            found.append(point)
    return tuple(found)


def spaced(points: Sequence[Point], decades: float = 0.35, gain: float = 2.0) -> tuple[Point, ...]:
    """Those of a front that can be named without their names covering each other, from the last one back."""
    found: list[Point] = []
    for point in reversed(points):
        if not found or log10(found[-1].cost / point.cost) >= decades or found[-1].gain - point.gain >= gain:
            found.append(point)
    return tuple(found[::-1])


def trade_off(points: Sequence[Point], *, cost: str, gain: str, chosen: str | None = None, height: int = 430) -> Any:
    """A plotly.graph_objects.Figure: cost on a logarithmic axis, gain upwards, the front as a line with names.

    Each point's name is its ``customdata``. ``chosen``: the name of the one that is ringed.
    """
    from plotly.graph_objects import Figure, Scatter

    best = front(points)
    named = {point.name for point in spaced(best)} | {chosen}
    ringed = [point for point in points if point.name == chosen]
    figure = Figure()
    figure.add_trace(
        Scatter(
            **_places(best),
            mode="lines",
            line={"color": QUIET, "width": 1.5, "dash": "dot"},
            name="none smaller is as accurate",
            hoverinfo="skip",
        )
    )
    for ready, name in ((False, "not here"), (True, "on this machine")):
        group = [point for point in points if point.ready is ready]
        figure.add_trace(
            Scatter(
                **_places(group),
                customdata=[point.name for point in group],
                text=[point.name if point.name in named else "" for point in group],
                mode="markers+text",
                textposition="top left",  # where nothing stands: that would be on the front instead
                textfont={"size": 11},
                cliponaxis=False,
                marker={"size": 10, "color": COLOUR, "symbol": "circle" if ready else "circle-open"},
                name=name,
                hovertemplate="%{customdata}<br>%{y:.1f} %, %{x:.1f} M<extra></extra>",
            )
        )
    ring = {"size": 20, "color": CHOSEN, "symbol": "circle-open", "line": {"width": 2.5}}
    figure.add_trace(Scatter(**_places(ringed), mode="markers", marker=ring, showlegend=False, hoverinfo="skip"))
    figure.update_layout(
        height=height,
        margin={"l": 56, "r": 14, "t": 30, "b": 48},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        xaxis={
            "title": {"text": cost, "standoff": 8},
            "type": "log",
            "tickvals": [step * 10**decade for decade in range(4) for step in (1, 2, 5)],
            "fixedrange": True,
        },
        yaxis={"title": {"text": gain}, "fixedrange": True},
        clickmode="event+select",
        uirevision="kept",
    )
    return figure


def _places(points: Sequence[Point]) -> dict[str, list[float]]:
    return {"x": [point.cost for point in points], "y": [point.gain for point in points]}
