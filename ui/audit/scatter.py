"""The scatter of the evidence: a point for each picture, and a box that chooses pictures for the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from camcore.audits.projection import Projection, project
from camcore.render.figure import COLOURS, QUIET, figure, titled_axis
from camcore.text import counted
from ui import errors, figures, words
from ui.audit import scrolling
from ui.audit.opened import OpenAudit, group_name
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.urls import Parameter

if TYPE_CHECKING:
    import plotly.graph_objects as go

Box = tuple[float, float, float, float]
"""The edges left, right, bottom and top, on the axes of the scatter."""

HEIGHT = 460
_KEY, _NAME = "audit_scatter", "audit_projection"


class _ScatterBox(Parameter):
    def write(self, value: Box) -> str:
        return ",".join(f"{edge:.4g}" for edge in value)


def _box(text: str) -> Box:
    parts = text.split(",")
    try:
        left, right, bottom, top = map(float, parts)
    except ValueError:
        raise ValueError("It has to be four numbers: left, right, bottom, top.") from None
    if not all(map(isfinite, (left, right, bottom, top))):
        raise ValueError("Its four numbers have to be finite.")
    return left, right, bottom, top


BOX = _ScatterBox("box", "box of the scatter", None, parse=_box)


def inside(opened: OpenAudit) -> tuple[str, ...] | None:
    """The paths in the box; None without one, and before the points are known."""
    box = st.session_state["box"]
    if box is None:
        return None
    found: Projection | None = session.ask(_NAME, _work(opened), patience=0.0).value
    return None if found is None else found.inside(box)


def show(opened: OpenAudit) -> None:
    """The section: the points, once they are known."""
    st.subheader("Which pictures have similar evidence?", anchor="scatter")

    def draw(now: Status[Projection]) -> None:
        if not now.complete:
            session.progress(_NAME, now)
        if now.failure is not None:
            errors.panel(now.failure, "The evidence cannot be shown")

    status = session.section(_NAME, _work(opened), draw)
    found = status.value
    if found is None:
        if not status.busy and status.failure is None:
            st.markdown("There are too few pictures for a scatter plot.")
        return
    few = f"a sample of {len(found.points):,} of " if found.of > len(found.points) else ""
    any_wrong = False in found.rows["correct"].to_pylist()
    x, y = (words.percent(share) for share in found.explained)
    st.caption(
        words.together(
            f"Each point is a picture: {few}{counted(found.of, 'picture')}. Points that lie close together rest on "
            f"similar features. The axes are the first two principal components, {x} and {y} of the variance. "
            f"{'Crosses mark wrong answers. ' * any_wrong}Draw a box to filter the gallery above."
        )
    )
    st.plotly_chart(
        chart(opened, found),
        key=_KEY,
        height=HEIGHT,
        on_select=_selected,
        selection_mode="box",
        config={**figures.CHART, "modeBarButtons": [["toImage", "select2d", "pan2d", "resetScale2d"]]},
        alt="The evidence of the pictures as points of a plane",
    )
    box = st.session_state["box"]
    with st.container(key="cam_audit_scatter_foot"):
        if box is not None:
            title = f"Show {counted(len(found.inside(box)), 'picture')} in the gallery"
            st.button(title, on_click=scrolling.to, args=(scrolling.PICTURES,))


def chart(opened: OpenAudit, found: Projection) -> go.Figure:
    """The points, coloured by group where there are few, else by the class said or by right and wrong."""
    names = _names(opened, found)
    paths, wrong = found.rows["path"].to_pylist(), [right is False for right in found.rows["correct"].to_pylist()]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    colours = dict(zip(sorted(counts), COLOURS, strict=False))
    traces: list[dict[str, object]] = []
    for name in sorted(counts):
        at = sorted((place for place, own in enumerate(names) if own == name), key=wrong.__getitem__)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{name} ({len(at):,})",
                "x": np.round(found.points[at, 0], 4).tolist(),
                "y": np.round(found.points[at, 1], 4).tolist(),
                "customdata": [paths[place] for place in at],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {
                    "size": 7,
                    "opacity": 0.75,
                    "color": colours.get(name, QUIET),
                    "symbol": ["x" if wrong[place] else "circle" for place in at],
                },
            }
        )
    quiet: dict[str, object] = {"showticklabels": False, "zeroline": False, "fixedrange": False}
    layout: dict[str, object] = {
        "dragmode": "select",
        "xaxis": titled_axis("first component") | quiet,
        "yaxis": titled_axis("second component") | quiet,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        "margin": {"l": 40, "r": 14, "t": 34, "b": 40},
    }
    return figure(traces, layout, height=HEIGHT)


def _names(opened: OpenAudit, found: Projection) -> list[str]:
    """The name of each point's colour."""
    groups, said = found.rows["group"].to_pylist(), found.rows["predicted"].to_pylist()
    if None not in groups and 1 < len(set(groups)) <= len(COLOURS):
        return [group_name(opened.groups[place]) for place in groups]
    if len(set(said)) <= len(COLOURS):
        return [words.label(name) for name in said]
    titles: Mapping[bool | None, str] = {True: "right", False: "wrong", None: "pictures"}
    return [titles[right] for right in found.rows["correct"].to_pylist()]


def _selected() -> None:
    state = st.session_state
    boxes: Sequence[Mapping[str, Any]] = state[_KEY].selection.box
    edges = (*sorted(boxes[-1]["x"]), *sorted(boxes[-1]["y"])) if boxes else None
    state.update(box=edges, page=1, chosen=())


def _work(opened: OpenAudit) -> Work[Projection]:
    def steps(_: object, __: object) -> Updates[Projection]:
        yield Update(1.0, project(opened.audit))

    return Work(
        None, ("projection", opened.key), "Comparing the evidence", steps, lambda one: 2000 * len(one.points), 2.0
    )
