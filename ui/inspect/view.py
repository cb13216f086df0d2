"""Address of the Inspect page, and the controls of how its map is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.render.colour import COLORMAPS
from ui import controls, query_form, rasters, sidebar
from ui.urls import Parameter

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

VIEWS = ("compare", "side by side")


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        *query_form.PARAMETERS,
        controls.OPACITY,
        controls.BLEND,
        controls.COLORMAP,
        controls.GRID,
        Parameter("view", "view", VIEWS[0], VIEWS, bound=True),
    ]


def look(place: DeltaGenerator, colours: DeltaGenerator) -> tuple[rasters.MapLook, str]:
    """The controls that change the view only, beside the picture; how to draw, and which view."""
    with place.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        view = controls.segments("View", VIEWS, "view")
        smooth = controls.smooth()
        opacity = controls.opacity("the map")
    with colours.container(horizontal=True, gap="small", wrap=False):
        colormap = st.selectbox("Colour map", COLORMAPS, key="colormap", bind="query-params")
        by_value = controls.by_value()
    return rasters.MapLook(opacity, colormap, smooth, by_value), view
