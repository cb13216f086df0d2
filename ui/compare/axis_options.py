"""The options along the axes of a comparison, and what a browser calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from camcore.framing import FRAMINGS
from ui import methods, words
from ui.compare import names
from ui.compare.comparison import DEPTHS, RANKS, known_index
from ui.network_summary import NetworkSummary

if TYPE_CHECKING:
    from camcore.predictions import Prediction

LAYERS = tuple(reversed(DEPTHS))
_MOST_TITLES = 10_000


def with_chosen(options: list[str], chosen: str) -> list[str]:
    """The options and what is chosen, which the network may not have, or not be known to have yet."""
    return options if chosen in options else [*options, chosen]


def remember(options: list[str], title: Callable[[str], str]) -> None:
    """Note what the choices were called: a browser answers with titles, maybe those of a moment ago.

    Titles change when the network's answers come in; what is sent by then would name nothing.
    """
    known = st.session_state.setdefault("compare_titles", {})
    if len(known) > _MOST_TITLES:
        known.clear()
    known.update((title(option), option) for option in options)


def meant(value: str) -> str:
    """The choice that a title stood for; anything else as it is."""
    return str(st.session_state.get("compare_titles", {}).get(value, value))


def of_axis(axis: str, summary: NetworkSummary | None, framing: str) -> tuple[list[str], Callable[[str], str]]:
    """The options along an axis, and the function that writes them."""
    if axis == "methods":
        return forms(summary), methods.title
    if axis == "layers":
        paths = [info.path for info in summary.layers if info.usable] if summary is not None else []
        # No two titles are alike: the browser sends titles.
        return [*LAYERS, *paths], lambda path: names.layer_title(path, summary)
    if axis == "classes":
        count = len(summary.labels) if summary is not None else 0
        distinct = words.distinct(summary.labels) if summary is not None else ()

        def title(aim: str) -> str:
            if aim in RANKS or int(aim) >= count or int(aim) < 0:
                return names.class_title(aim, summary, framing)
            return distinct[int(aim)]

        predictions = summary.predictions.get(framing, ()) if summary is not None else ()
        return [*RANKS, *others(count, predictions)], title
    return list(FRAMINGS), str


def others(count: int, predictions: Sequence[Prediction], named_by: Sequence[str] = RANKS) -> list[str]:
    """Classes by their index but those that a word for a place among the network's answers stands for."""
    named = {known_index(aim, predictions) for aim in named_by}
    return [str(index) for index in range(count) if index not in named]


def forms(summary: NetworkSummary | None) -> list[str]:
    """The methods that are defined for the network; with several backbones all of them, as one may have what another
    has not.
    """
    several = "backbones" in (st.session_state["columns"], st.session_state["rows"])
    return methods.forms(() if several or summary is None else summary.refusals)
