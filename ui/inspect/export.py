"""The exports of the Inspect page: the map as files, and the way to the Compare page with the same query."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ui import downloads, methods, rasters, sidebar, words
from ui.map_view import title
from ui.picture_box import Chosen
from ui.query import Answer, Query

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.heatmaps.cam_map import CamMap


def files(place: DeltaGenerator, chosen: Chosen, answer: Answer, look: rasters.MapLook) -> None:
    """The overlay as PNG and the raw map as CSV, made when they are asked for."""
    m, net = answer.map, answer.network
    png: Callable[[], bytes] | bytes = b""
    csv: Callable[[], bytes] | bytes = b""
    stem = "map"
    if m is not None and net is not None:
        lines = [f"{net.name}, {net.weights_note}", words.caption(answer, title(m))]
        stem = words.file_stem(chosen.stem, net.name, m.method, m.layer or "input", m.label)
        png, csv = partial(rasters.full_size, chosen.picture, m, look, lines), partial(_csv, m, lines)
    with place:
        for kind, content, about in (
            ("PNG", png, "The overlay at full size"),
            ("CSV", csv, "The raw map on the layer's own grid"),
        ):
            name = f"{stem}.{kind.lower()}"
            downloads.offer(name, content, about, key=f"save_{kind}", ready=m is not None, width="stretch")


def _csv(m: CamMap, lines: list[str]) -> bytes:
    from camcore.report.exports import map_csv  # when the button is pressed

    return map_csv(m, lines)


def compare_link(place: DeltaGenerator, chosen: Chosen, query: Query) -> None:
    """The way to the verdicts of the Compare page, with this picture, network, class, layer and method."""
    from ui.compare.parts import TRUST  # once the page is drawn

    first = methods.COMPARED
    compared = (query.method, *(key for key in first if key != query.method))[: len(first)]
    more = {"layer": query.layer, "class": query.class_index, "methods": ",".join(compared), "question": TRUST}
    place.page_link(
        "pages/compare.py",
        label="Compare with other methods",
        icon=":material/view_module:",
        query_params=sidebar.query(query.network, query.framing, chosen.sample, **more),
        width="content",
    )


def audit_link(place: DeltaGenerator, query: Query) -> None:
    """The way to an audit of the network on many pictures."""
    place.page_link(
        "pages/audit.py",
        label="Examine many pictures",
        icon=":material/fact_check:",
        query_params={"model": query.network.name},
        width="content",
    )
