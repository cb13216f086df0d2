"""Files of the map on the Inspect page, and the way to the Compare page with the same question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui import downloads, methods, rasters, sidebar, words
from ui.map_view import title

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from ui.picture_box import Chosen
    from ui.questions import Answer, Question


def files(place: Any, chosen: Chosen, answer: Answer, look: rasters.Look) -> None:
    """The overlay as PNG and the raw map as CSV, made when they are asked for."""
    m = answer.map
    lines: list[str] = []
    stem = "map"
    if m is not None:
        lines = [f"{answer.network.name}, {answer.network.weights_note}", words.caption(answer, title(m))]
        stem = words.file_stem(chosen.stem, answer.network.name, m.method, m.layer or "input", m.label)
    with place:
        for kind, make, about in (
            ("PNG", lambda: rasters.full_size(chosen.picture, m, look, lines), "The overlay at full size"),
            ("CSV", lambda: _csv(m, lines), "The raw map on the layer's own grid"),
        ):
            downloads.offer(
                f"{stem}.{kind.lower()}", make, about, key=f"save_{kind}", ready=m is not None, width="stretch"
            )


def _csv(m: CamMap, lines: list[str]) -> bytes:
    from camcore.report.files import map_csv  # when the button is pressed

    return map_csv(m, lines)


def compare_link(place: Any, chosen: Chosen, question: Question) -> None:
    """The way to the Compare page, with this picture, network, class, layer and method."""
    first = methods.COMPARED
    compared = (question.method, *(key for key in first if key != question.method))[: len(first)]
    more = {"layer": question.layer, "class": question.class_index, "methods": ",".join(compared)}
    place.page_link(
        "pages/compare.py",
        label="Compare with other methods",
        icon=":material/view_module:",
        query_params=sidebar.query(question.network, question.framing, chosen.sample, **more),
    )
