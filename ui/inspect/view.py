"""Address of the Inspect page, and the controls of how its map is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    colormap = colours.selectbox("Colour map", COLORMAPS, key="colormap", bind="query-params")
    return rasters.MapLook(opacity, colormap, smooth), view
