"""The Inspect page's main area: claims its places first, to be filled with what is known; and how the map is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from camcore.render.colour import COLORMAPS
from ui import controls, query_form, rasters, sidebar
from ui.urls import Parameter

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

VIEWS = ("compare", "side by side")
COLUMNS = (1.62, 1.0)


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        *query_form.PARAMETERS,
        controls.OPACITY,
        controls.COLORMAP,
        controls.GRID,
        Parameter("view", "view", VIEWS[0], VIEWS, bound=True),
    ]


@dataclass(frozen=True)
class InspectPlaces:
    """The page's parts, in reading order, each with its space kept.

    While a script waits for a worker, Streamlit leaves what the last run drew and this one did not. So a part
    that may be absent has a container of its own, which every run gives exactly one element, if only an empty
    one; and it gives it only once, or what stands there would blink.
    """

    fetch: DeltaGenerator
    notes: DeltaGenerator
    retry: DeltaGenerator
    head: DeltaGenerator
    chips: DeltaGenerator
    progress: DeltaGenerator
    button: DeltaGenerator
    picture: DeltaGenerator
    controls: DeltaGenerator
    ladder: DeltaGenerator
    trust: DeltaGenerator
    scores: DeltaGenerator
    choices: DeltaGenerator
    colours: DeltaGenerator
    export: DeltaGenerator
    compare: DeltaGenerator
    caption: DeltaGenerator
    warning: DeltaGenerator
    more: DeltaGenerator


def claim() -> InspectPlaces:
    """Lay out the page before anything slow happens."""
    notes = st.container(key="cam_notes", gap=None)
    head = st.container(key="cam_head")
    row = st.container(key="cam_row", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    chips = row.container(key="cam_chips", width="content")
    status = row.container(key="cam_status", horizontal=True, vertical_alignment="center", wrap=False)
    left, right = st.columns(COLUMNS, gap="medium")
    picture = left.container(key="cam_picture", gap="xsmall")
    controls = left.container(key="cam_controls")
    ladder = left.container(key="cam_ladder", gap="xsmall")
    foot = left.container(key="cam_caption", gap="xsmall")
    trust = left.container(key="cam_trust", gap="xsmall")
    return InspectPlaces(
        fetch=notes.container(),
        notes=notes.container(),
        retry=notes.container(),
        head=head,
        chips=chips,
        progress=status.container(key="cam_progress"),
        button=status.container(key="cam_button", width="content"),
        picture=picture,
        controls=controls,
        ladder=ladder,
        trust=trust,
        scores=right.container(key="cam_scores", gap="xsmall"),
        choices=right.container(key="cam_choices", gap="small"),
        colours=right.container(key="cam_colours"),
        export=right.container(key="cam_export", horizontal=True, gap="small", wrap=False),
        compare=right.container(key="cam_to_compare"),
        caption=foot.container(),
        warning=foot.container(),
        more=right.container(key="cam_more"),
    )


def look(place: DeltaGenerator, colours: DeltaGenerator) -> tuple[rasters.MapLook, str]:
    """The controls that change the view only, beside the picture; how to draw, and which view."""
    with place.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        view = controls.segments("View", VIEWS, "view")
        smooth = controls.smooth()
        opacity = controls.opacity("the map")
    colormap = colours.selectbox("Colour map", COLORMAPS, key="colormap", bind="query-params")
    return rasters.MapLook(opacity, colormap, smooth), view
