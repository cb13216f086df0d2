"""The network's answers: in a sentence, and as bars that can be pressed to explain a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from camcore.models import listing
from camcore.models.saved import SavedNetwork
from camcore.predictions import Prediction
from ui import words
from ui.components import ScoreRow, scores
from ui.query import Answer
from ui.query_form import explained, pick_class

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


SHOWN = 5
"""Scores that are shown at most."""


def head(place: DeltaGenerator, answer: Answer, name: str, missing: bool, failed: bool) -> None:
    """The first answer in one sentence; ``missing``: it is waiting for its weights."""
    said = words.headline(answer.network, answer.predictions) if answer.network and answer.predictions else None
    place.header(words.plain(said or words.unanswered(name, missing, failed)), anchor=False)


def differentiated(predictions: Sequence[Prediction], scored_over: str = "") -> str:
    """Which score the maps explain, where it is not the logit; empty where it is, or nothing is known yet.

    ``scored_over``: of an output that is a map, the pixels over which scores are means; it is always said.
    """
    kind = predictions[0].score_kind if predictions else "logit"
    clause = "" if kind == "logit" and not scored_over else words.score_clause(kind, scored_over)
    return clause if predictions else ""


def bars(place: DeltaGenerator, answer: Answer, name: str) -> None:
    """The first five scores; the class that is explained is the pressed one. ``name``: of the network."""
    chosen = explained(answer)
    rows: list[ScoreRow] = [
        {
            "id": p.index,
            "label": words.answer_name(p),
            "share": p.probability if p.probability == p.probability else 0.0,
            "text": words.strength(p),
            "selected": p.index == chosen,
        }
        for p in answer.predictions
    ]
    row = listing.find(name)
    known = len(row.labels) if isinstance(row, SavedNetwork) else SHOWN
    with place:  # as high as it will be, so that nothing below moves
        st.html(f"<style>.stMain .st-key-cam_scores {{ min-height: {2.1 * min(known, SHOWN):g}rem; }}</style>")
        scores(rows, key="scores", on_pick=lambda index: pick_class(answer, index))
        note = differentiated(answer.predictions, answer.network.scored_over if answer.network else "")
        if note:
            st.caption(note)
