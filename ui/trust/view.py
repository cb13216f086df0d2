"""Address of the Trust page, and the verdict on top with its reasons and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

import camcore
from camcore.heatmaps.cam_map import CamMap
from camcore.verdict.what_if import FILLS
from ui import errors, query_form, sidebar, words
from ui.jobs.session import Status
from ui.map_request import MapStatus
from ui.model_picker import Model
from ui.picture_box import Chosen
from ui.trust import panel
from ui.trust import words as trust_words
from ui.trust.what_if_view import WAYS, read_box, write_box
from ui.urls import ListParameter, Parameter

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.verdict.gather import Trust

METHODS = ("gradcam", "gradcam++", "layercam")
"""The methods that are measured over a folder at first: cheap."""


@dataclass(frozen=True)
class BoxParameter(Parameter):
    """A box as its four edges."""

    def write(self, value: Any) -> str:
        return write_box(value)


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        *query_form.PARAMETERS,
        BoxParameter("box", "box", None, parse=read_box),
        Parameter("fill", "way of hiding", FILLS[0], FILLS, bound=True),
        Parameter("way", "question what if", WAYS[0], WAYS, bound=True),
        Parameter("masks", "folder with masks", ""),
        ListParameter("located", "method", list(METHODS), tuple(camcore.METHODS)),
    ]


def verdict(
    head: DeltaGenerator, place: DeltaGenerator, request: MapStatus, chosen: Chosen, model: Model
) -> Trust | None:
    """The headline, the reasons and what they rest on; the quick evidence where it is whole, else None."""
    with place:
        status = panel.follow(request, chosen, _reasons)
    found = status.value if status.complete else None
    head.header(words.plain(_headline(request, model, found)), anchor=False)
    return found


def _headline(request: MapStatus, model: Model, found: Trust | None) -> str:
    m = request.asked.map
    if found is not None and found.verdict is not None:
        return f"{_subject(found.map)} by {found.map.network}: {_lower(found.verdict.headline)}"
    if m is None:
        return words.unanswered(model.key.name, model.fetch is not None, request.failure is not None)
    return f"{_subject(m)} by {m.network}: should you believe this map?"


def _subject(m: CamMap) -> str:
    """The class in quotation marks; of a regression the side that is explained."""
    return f"{words.map_title(m)}," if m.score_kind == "value" else f"“{words.label(m.label)}”"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _reasons(status: Status[Trust], m: CamMap | None) -> None:
    with errors.guarded("The verdict"):
        panel.verdict(status, m)
        found = status.value
        if found is None or not found.chance:
            return
        title = camcore.METHODS[found.map.method].title
        st.html(trust_words.table(trust_words.quick_rows(found), title))
        with st.expander("How this is computed, and its limits"):
            st.markdown(_HOW + "".join(f"\n- **{row.name}.** {row.how}" for row in trust_words.quick_rows(found)))


_HOW = """\
The map is set against the *controls*: a blob in the middle of the picture, and 19 maps of smooth noise as fine as the \
map's own grid. None of them knows the picture or the network, so a map that does no better than they do says nothing. \
One that beats all 19 does so by luck once in 20 times.

A verdict is about this one map. It may be right about the network and yet lie beside the object, where the network \
looks at the surroundings; and a network may look at the right place for the wrong reason.
"""
