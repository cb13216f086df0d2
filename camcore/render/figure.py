"""The palette and the shared layout of all Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_NO_NAME = "<extra></extra>"  # at the end of a template: no name of the trace beside what is pointed at

Part = dict[str, object]
"""A trace, an axis or another part of a figure, as Plotly's JSON has it."""

# They can be read on white and on near-black, and told apart by colour-blind eyes.
COLOURS = ("#1f9a91", "#d08420", "#8a7fd1", "#c8577a", "#5b9bd5", "#8b9894")
QUIET = "#8b9894"
HEIGHT = 300
MARGIN = {"l": 56, "r": 14, "t": 42, "b": 48}

LEGEND_ABOVE: Part = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"}
LEGEND_BENEATH: Part = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.3, "yanchor": "top"}


class Markup(str):
    """A text of our own with tags that Plotly knows; no word of others is in it."""


def figure(traces: Sequence[Part], layout: Part, *, title: str = "", height: int = HEIGHT) -> Figure:
    """Traces in the shared layout, which ``layout`` overrides; the title stands over the figure's left edge."""
    from plotly.graph_objects import Figure

    shared: Part = {"height": height, "margin": MARGIN, "uirevision": "kept"}
    if title:
        shared["title"] = {"text": title, "x": 0, "xref": "container", "xanchor": "left", "font": {"size": 16}}
    return Figure({"data": _as_text(list(traces)), "layout": _as_text(shared | layout)})


def _as_text(value: object) -> object:
    """A part of a figure whose texts are shown as they stand: Plotly reads tags in them. A line feed ends a line."""
    if isinstance(value, Markup):
        return str(value)
    if isinstance(value, str):
        kept = value.removesuffix(_NO_NAME)
        shown = kept.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
        return shown + value[len(kept) :]
    if isinstance(value, Mapping):
        return {key: _as_text(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return value if value and isinstance(value[0], float) else [_as_text(one) for one in value]
    return value


def titled_axis(title: str, standoff: int | None = 8, **more: object) -> Part:
    """An axis that does not zoom; ``standoff``: from its title to its ticks; ``more``: as Plotly has it."""
    apart = {} if standoff is None else {"standoff": standoff}
    return {"title": {"text": title, **apart}, "fixedrange": True} | more


def share_axis(title: str) -> Part:
    """An axis from 0 % to 100 %."""
    ticks = [0, 0.25, 0.5, 0.75, 1]
    return titled_axis(
        title, range=[-0.03, 1.03], tickvals=ticks, ticktext=[f"{100 * tick:.0f} %" for tick in ticks], zeroline=False
    )


def line(x: ArrayLike, y: ArrayLike, colour: str, width: float, dash: str = "", **more: object) -> Part:
    """A line through points; ``more``: as Plotly has it."""
    style: Part = {"color": colour, "width": width} | ({"dash": dash} if dash else {})
    return {"type": "scatter", "x": plain(x), "y": plain(y), "mode": "lines", "line": style} | more


def plain(values: ArrayLike) -> list[float]:
    """Numbers as a list of floats."""
    numbers: list[float] = np.asarray(values, np.float64).tolist()
    return numbers


def vertical_line(at: float) -> Part:
    """A layout's dashed line over the whole height, at ``at`` of the horizontal axis."""
    return _dashed({"xref": "x", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1}, COLOURS[1])


def level_line(at: float, text: str) -> Part:
    """A layout's dashed line over the whole width, at ``at`` of the vertical axis, with its name."""
    note = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "y", "y": at, "yanchor": "bottom"}
    shape = _dashed({"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": at, "y1": at}, QUIET)
    return shape | {"annotations": [{"text": text, "showarrow": False, **note}]}


def error_bars(value: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, width: int, thickness: float) -> Part:
    """The bars of intervals around values."""
    return {
        "type": "data",
        "symmetric": False,
        "array": plain(np.subtract(high, value)),
        "arrayminus": plain(np.subtract(value, low)),
        "color": colour,
        "width": width,
        "thickness": thickness,
    }


def _dashed(edges: Part, colour: str) -> Part:
    return {"shapes": [{"type": "line", "line": {"color": colour, "width": 2, "dash": "dash"}, **edges}]}
