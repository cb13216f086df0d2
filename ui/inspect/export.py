"""What leaves the Inspect page: the map as files, and the way to the Compare page with the same question."""

from typing import Any

from camcore.report.exports import map_csv
from ui import downloads, rasters, sidebar, words
from ui.compare.choices import METHODS
from ui.map_view import title
from ui.picture_box import Chosen
from ui.questions import Answer, Question


def files(place: Any, chosen: Chosen, answer: Answer, look: rasters.Look) -> None:
    """The overlay as PNG and the raw map as CSV, made when they are asked for."""
    picture, m = chosen.picture, answer.map
    lines: list[str] = []
    stem = "map"
    if m is not None:
        lines = [f"{answer.network.name}, {answer.network.weights_note}", words.caption(answer, title(m))]
        stem = words.file_stem(chosen.stem, answer.network.name, m.method, m.layer or "input", m.label)
    with place:
        for kind, make, about in (
            ("PNG", lambda: rasters.full_size(picture, m, look, lines), "The overlay at full size"),
            ("CSV", lambda: map_csv(m, lines), "The raw map on the layer's own grid"),
        ):
            downloads.offer(
                f"{stem}.{kind.lower()}", make, about, key=f"save_{kind}", ready=m is not None, width="stretch"
            )


def compare_link(place: Any, chosen: Chosen, question: Question) -> None:
    """The way to the Compare page, with this picture, network, class, layer and method."""
    compared = (question.method, *(key for key in METHODS if key != question.method))[: len(METHODS)]
    more = {"layer": question.layer, "class": question.class_index, "methods": ",".join(compared)}
    place.page_link(
        "pages/compare.py",
        label="Compare with other methods",
        icon=":material/view_module:",
        query_params=sidebar.query(question.network, question.framing, chosen.sample, **more),
    )
