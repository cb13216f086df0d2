"""The map that was asked for, laid on the photograph, and the line beneath it; and the same class at each depth."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.render.colour import css_gradient
from ui import errors, rasters, words
from ui.components import Tile, compare, tiles
from ui.picture_box import Chosen
from ui.query import Answer, map_identity
from ui.query_form import pick_layer

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.heatmaps.cam_map import CamMap

LADDER_STEPS = 4


def photograph(
    place: DeltaGenerator,
    chosen: Chosen,
    answer: Answer,
    look: rasters.MapLook,
    view: str,
    busy: bool,
    on_pick: Callable[[str], None] | None,
) -> None:
    """The photograph and its overlay; ``on_pick`` gets a place that was pressed, see ``components.compare``."""
    picture, found = chosen.picture, answer.map
    overlay = grid = None
    described, tag = "", "Where it looks"
    if found is not None:
        if camcore.METHODS[found.method].class_specific:
            tag = words.map_title(found)
        if found.method != st.session_state["method"]:  # until a slow method has run
            tag += f" · still {title(found)}"
        overlay = rasters.overlay_url(picture, found, _identity(answer, found), look)
        grid = rasters.hover(found)
        described = f"Heatmap of {title(found)} for {words.label(found.label)} on {chosen.title}"
    with place:
        compare(
            key="compare",
            original=rasters.photo_url(picture),
            overlay=overlay,
            grid=grid,
            view=view,
            size=(picture.height, picture.width),
            alt=(f"Photograph: {chosen.title}", described),
            gradient=css_gradient(look.colormap),
            maximum="maximum",
            busy=busy,
            tag=tag,
            on_pick=on_pick,
        )


def caption(place: DeltaGenerator, warning: DeltaGenerator, answer: Answer) -> None:
    """The map described in one line, and its warning."""
    if answer.map is None:
        place.empty()
        warning.empty()
        return
    place.caption(words.plain(words.caption(answer, title(answer.map))))
    with warning:
        errors.notices([answer.map.warning] if answer.map.warning else [])


def ladder(place: DeltaGenerator, chosen: Chosen, answer: Answer, look: rasters.MapLook) -> None:
    """The same class at each depth; nothing for a network without a grid."""
    if answer.network is not None and not answer.network.ladder:
        return
    picture = chosen.picture
    recommended = None if answer.network is None else answer.network.default_layer
    items: list[Tile] = [
        {
            "id": str(m.layer),
            "title": words.grid(m.raw.shape),
            "note": "★ recommended" if m.layer == recommended else "",
            "src": rasters.overlay_url(picture, m, _identity(answer, m), look, rasters.TILE_SIDE),
            "alt": f"Map at {m.layer}",
            "selected": answer.map is not None and m.layer == answer.map.layer,
        }
        for m in answer.ladder
    ]
    if not items:
        items = [{"id": str(n), "title": "\u00a0", "src": None} for n in range(LADDER_STEPS)]
    by = title(answer.ladder[0]) if answer.ladder else "Grad-CAM"
    with place:
        st.caption(f"The same class at each depth, from shallow to deep ({by})")
        tiles(
            items,
            key="ladder",
            label="Layers by depth; press one to look at it",
            columns=LADDER_STEPS,
            ratio=min(max(picture.width / picture.height, 0.75), 1.8),
            on_pick=lambda path: pick_layer(answer.network, path),
        )


def title(m: CamMap) -> str:
    """The method's name."""
    return str(camcore.METHODS[m.method].title)


def _identity(answer: Answer, m: CamMap) -> tuple[Hashable, ...]:
    """Tells this map from all others, also from its own partial states."""
    done = answer.done if m is answer.map else 1.0
    return map_identity(answer.query.network, answer.query.picture, m), done
