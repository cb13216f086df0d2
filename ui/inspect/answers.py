"""What the network says of the picture: in a sentence, and as classes that can be pressed to explain them."""

from typing import Any

import streamlit as st

from ui import words
from ui.components import ScoreRow, scores
from ui.question_view import explained, pick_class
from ui.questions import Answer


def head(place: Any, answer: Answer, name: str, missing: bool, failed: bool) -> None:
    """What the network says, in one sentence; ``missing``: it is waiting for its weights."""
    said = words.headline(answer.network, answer.predictions) if answer.predictions else None
    place.header(said or words.unanswered(name, missing, failed), anchor=False)


def chips(place: Any, answer: Answer) -> None:
    """The first choices as chips; the filled one is explained."""
    texts = {p.index: f"{words.plain(words.label(p.label))} {words.percent(p.probability)}" for p in answer.predictions}
    chosen = explained(answer)
    st.session_state["chips"] = chosen if chosen in texts else None
    place.pills(
        "Explain the class",
        list(texts),
        key="chips",
        format_func=texts.__getitem__,
        label_visibility="collapsed",
        wrap=False,
        on_change=lambda: pick_class(answer, st.session_state["chips"]),
    )


def bars(place: Any, answer: Answer) -> None:
    """The first five scores; the class that is explained is the pressed one."""
    chosen = explained(answer)
    rows: list[ScoreRow] = [
        {
            "id": p.index,
            "label": words.label(p.label),
            "share": p.probability,
            "text": words.percent(p.probability),
            "selected": p.index == chosen,
        }
        for p in answer.predictions
    ]
    with place:
        scores(rows, key="scores", on_pick=lambda index: pick_class(answer, index))
