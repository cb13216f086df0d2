"""One class against another: what speaks for either, place by place, in words and on the photograph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.render.colour import DIVERGING, css_gradient
from camcore.text import with_sign
from ui import errors, grids, rasters, words
from ui.compare import names
from ui.compare.axis_options import others
from ui.compare.comparison import RANKS, GridPlan, known_index
from ui.compare.grid import GridLook
from ui.compare.sheets import MapSheet
from ui.compare.work import ContrastQuery, contrast_work
from ui.components import MapCell, maps
from ui.jobs import session
from ui.jobs.session import Status
from ui.network_summary import NetworkSummary
from ui.picture_box import Chosen

if TYPE_CHECKING:
    from camcore.heatmaps.contrast import Contrast
    from camcore.predictions import Prediction


def show(sheet: MapSheet, plan: GridPlan, chosen: Chosen, look: GridLook) -> None:
    """The whole section."""
    summary = sheet.networks.get(plan.lead)
    if summary is None:
        st.caption("Available once the network has answered.")
        return
    alone = lone_answer(summary.labels, summary.predictions.get(plan.framing, ()))
    if alone:
        st.caption(alone)
        return
    first, second = _classes(summary, plan)
    predictions = summary.predictions.get(plan.framing, ())
    if known_index(first, predictions) == known_index(second, predictions):
        st.caption("Choose two different classes.")
        session.section("contrast", None)
        return
    layer = plan.layers[0] if "layers" not in (plan.columns, plan.rows) else None
    query = ContrastQuery(plan.lead, plan.picture, plan.framing, layer, first, second)
    work = contrast_work(query, chosen.picture)
    session.section("contrast", work, lambda status: _section(status, chosen, look))


def lone_answer(labels: Sequence[str], predictions: Sequence[Prediction]) -> str:
    """The reason why there are no two classes to weigh; empty where there are."""
    if len(labels) < 2:
        return "This network knows one class only."
    if predictions and predictions[0].score_kind == "value":
        return "The network’s output is one number: there are no two classes to choose from."
    return ""


def _classes(summary: NetworkSummary, plan: GridPlan) -> tuple[str, str]:
    """The two classes; without a choice the network's first two answers."""
    state = st.session_state
    framing = plan.framing
    predictions = summary.predictions.get(framing, ())
    options = [*RANKS[: len(predictions)], *others(len(summary.labels), predictions)]
    distinct = words.distinct(summary.labels)

    def title(aim: str) -> str:
        return names.class_title(aim, summary, framing) if aim in RANKS else distinct[int(aim)]

    picked = []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for key, label, start in (("why", "Why", RANKS[0]), ("why_not", "and not", RANKS[1])):
            if not _known(state.get(key), len(summary.labels)):
                state[key] = start
            box = st.selectbox(
                label,
                options if state[key] in options else [*options, state[key]],
                key=key,
                format_func=title,
                filter_mode="contains",
                width=260,
                persist_state="session",
            )
            picked.append(box)
    return picked[0], picked[1]


def _known(aim: str | None, classes: int) -> bool:
    """The network has such a class, or gives so many answers."""
    if aim in RANKS:
        return RANKS.index(aim) < classes
    return aim is not None and 0 <= int(aim) < classes


def _section(status: Status, chosen: Chosen, look: GridLook) -> None:
    with errors.guarded("The contrast"):
        if status.failure is not None:
            errors.panel(status.failure, "The two classes could not be weighed")
        session.progress("contrast", status, stoppable=False)
        if status.value is not None:
            _filled(status.value, chosen, look)


def _filled(found: Contrast, chosen: Chosen, look: GridLook) -> None:
    a, b = words.label(found.first.label), words.label(found.second.label)
    st.markdown(words.plain(sentence(found)))
    picture = chosen.picture
    size = (picture.height, picture.width)
    key = ("contrast", picture.sha256, found.finer.network, found.first.index, found.second.index, found.layer)
    top = float(np.abs(found.difference).max()) or 1.0
    geometry = rasters.geometry(found.finer)
    signed = {**geometry, **grids.encoded(found.difference), "rows": found.difference.shape[0],
              "columns": found.difference.shape[1]}  # fmt: skip
    made: list[MapCell] = [
        {
            "id": "difference",
            "name": f"For {a} (+) or for {b} (−)",
            "title": f"Red speaks for {a}, blue for {b}",
            "note": "each place’s share of the lead",
            "alt": f"Signed map: {_strongest(found.difference, a)}; {_strongest(-found.difference, b)}",
            "grid": signed,
            "top": top,
            "signed": True,
            "tags": [],
        },
        {
            "id": "finer",
            "name": f"What {a} has and {b} lacks",
            "title": f"What {a} has and {b} lacks",
            "note": "FinerCAM: Grad-CAM of the lead",
            "alt": f"FinerCAM of {a} against {b}: {_strongest(found.finer.raw, a)}",
            "grid": grids.of_map(found.finer, (*key, "finer")),
            "top": float(found.finer.raw.max()) or 1.0,
            "signed": False,
            "tags": [] if found.finer.values.any() else ["empty"],
        },
    ]
    maps(
        [{"title": "", "note": "", "cells": made}],
        key="contrast_maps",
        photo=rasters.photo_url(picture),
        size=size,
        look=look.for_maps,
        bars=[
            {"low": f"for {b}", "high": f"for {a}", "gradient": css_gradient(DIVERGING)},
            {"low": "0", "high": "maximum", "gradient": css_gradient(look.colormap)},
        ],
        label=f"What speaks for {a} and what for {b}",
        hint="The same place is read in all the maps of this page",
        group="compare",
        tallest=0.66,
        most=2,
        summary=False,
        area=found.frame.seen if look.close else None,
    )
    with st.expander("The exact figures"):
        st.markdown(_figures(found, a, b))


def sentence(found: Contrast) -> str:
    """The contrast in words for everybody."""
    a, b = words.label(found.first.label), words.label(found.second.label)
    ahead, behind = (a, b) if found.margin >= 0 else (b, a)
    text = f"“{ahead}” is ahead of “{behind}” by {abs(found.margin):.1f} points of score"
    odds = _odds(abs(found.margin))
    text += f": {odds}." if odds else "."
    share_a, share_b = float((found.difference > 0).mean()), float((found.difference < 0).mean())
    at_a, at_b = words.peak_position(found.difference), words.peak_position(-found.difference)
    text += (
        f" {words.percent(share_a)} of the places speak for {a}, most of all at the {at_a}; "
        f"{words.percent(share_b)} for {b}, most of all at the {at_b}."
    )
    return text


def _odds(margin: float) -> str:
    times = float(np.exp(min(margin, 20)))
    if times < 1.2:
        return "next to nothing"
    return f"{times:.1f} times as probable" if times < 10 else f"{times:,.0f} times as probable"


def _strongest(values: NDArray[np.float32], name: str) -> str:
    return (
        f"strongest for {name} at the {words.peak_position(values)}"
        if values.max() > 0
        else f"nothing speaks for {name}"
    )


def _figures(found: Contrast, a: str, b: str) -> str:
    total, low, high = (float(v) for v in (found.difference.sum(), found.difference.min(), found.difference.max()))
    rows = "".join(f"\n| {channel} | {with_sign(share, 3)} |" for channel, share in found.channels[:8])
    return (
        f"{words.plain(a)}: {words.score_text(found.first, 3)}, {words.percent(found.first.probability)}. "
        f"{words.plain(b)}: {words.score_text(found.second, 3)}, {words.percent(found.second.probability)}. "
        f"Difference of the scores: {with_sign(found.margin, 3)}.\n\n"
        f"Signed map at {words.plain(found.layer)}: the sum over all channels of the gradient of the difference times "
        f"the activation, from {with_sign(low, 4)} to {with_sign(high, 4)}, in all {with_sign(total, 3)}.\n\n"
        f"The channels that add most to the lead:\n\n| channel | adds |\n| --- | --- |{rows}"
    )
