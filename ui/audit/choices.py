"""The choices of the page on an audit: which audit, which of its pictures, in which order, as a link names them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from camcore.audits.filters import LISTING, ORDERS, Filters
from camcore.audits.joined import CHANGES, LOST
from ui import controls, model_picker, urls
from ui.audit import probabilities, scatter
from ui.audit.opened import OpenAudit
from ui.quality_charts import THRESHOLD
from ui.urls import Parameter, whole_number

ANY, RIGHT, WRONG, FAILED = ANSWERS = ("any", "right", "wrong", "unusable")
MAPS, PHOTOGRAPHS = DRAWN = ("maps", "photographs")
_SHARE = whole_number(0, 100)


class _PictureBox(Parameter):
    def write(self, value: tuple[int, ...]) -> str:
        return ",".join(map(str, value))


def _box(text: str) -> tuple[int, ...]:
    try:
        top, left, bottom, right = map(int, text.split(","))
    except ValueError:
        raise ValueError("It has to be four whole numbers: top, left, bottom, right.") from None
    if not (0 <= top < bottom and 0 <= left < right):
        raise ValueError("Its top and left have to lie before its bottom and right, within the picture.")
    return top, left, bottom, right


_FILTERS = (
    Parameter("said", "predicted class", None),
    Parameter("truth", "true class", None),
    Parameter("answer", "kind of answer", ANY, ANSWERS),
    Parameter("least", "least probability", 0, parse=_SHARE),
    Parameter("most", "greatest probability", 100, parse=_SHARE),
    Parameter("group", "group", None, parse=whole_number(0)),
    scatter.BOX,
    Parameter("like", "picture to find others like", ""),
    _PictureBox("part", "box of the picture", None, parse=_box),
    Parameter("search", "text to search for", ""),
)
_PAGE = Parameter("page", "page", 1, parse=whole_number(1))


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *model_picker.parameters(),
        Parameter("audit", "audit", ""),
        Parameter("pictures", "folder of pictures", ""),
        *_FILTERS,
        Parameter("sort", "order", LISTING, ORDERS),
        probabilities.CLASS,
        THRESHOLD,
        _PAGE,
        Parameter("draw", "kind of picture", MAPS, DRAWN, bound=True),
        controls.OPACITY,
        Parameter("other", "other audit", ""),
        Parameter("change", "kind of change", LOST, CHANGES),
        Parameter("change_page", "page of changes", 1, parse=whole_number(1)),
    ]


def filters(opened: OpenAudit, like: tuple[str, ...] | None) -> Filters:
    """The pictures that are chosen. ``like``: those like a picture, where one is named."""
    state = st.session_state
    answer = state["answer"]
    chosen = Filters(
        said=state["said"],
        label=state["truth"],
        right={RIGHT: True, WRONG: False}.get(answer),
        low=state["least"] / 100,
        high=state["most"] / 100,
        group=state["group"],
        search=state["search"].strip(),
        paths=_both(scatter.inside(opened), like),
    )
    return replace(Filters(search=chosen.search), failed=True) if answer == FAILED else chosen


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    common = set(other)
    return tuple(path for path in one if path in common)


def settle(opened: OpenAudit) -> None:
    """Drop choices that this audit does not know, and say so; before any widget is drawn."""
    state = st.session_state
    said = {one.name for one in opened.classes if one.said}
    truth = {one.name for one in opened.classes if one.found.n}
    for name, what, known in (("said", "predicted class", said), ("truth", "true class", truth)):
        if state[name] is not None and state[name] not in known:
            urls.object_to(name, f"No picture of this audit has the {what} “{state[name][:60]}”. All are shown.")
    if state["roc"] is not None and state["roc"] not in truth:
        urls.object_to("roc", f"No picture of this audit is of the class “{state['roc'][:60]}”, so it has no ROC.")
    if state["group"] is not None and state["group"] >= len(opened.groups):
        urls.object_to("group", f"This audit has no group {state['group']}. All pictures are shown.")
    if not truth and state["answer"] in (RIGHT, WRONG):
        without = "The pictures of this audit have no labels, so that none is right or wrong. All are shown."
        urls.object_to("answer", without, ANY)
    if not opened.failed and state["answer"] == FAILED:
        urls.object_to("answer", "All pictures of this audit could be used. All are shown.", ANY)
    if not truth and state["sort"] == "true class least":
        urls.object_to("sort", "Without labels there is no true class to sort by.", LISTING)
    if state["least"] > state["most"]:
        state["least"], state["most"] = state["most"], state["least"]


def clear() -> None:
    """Choose all pictures again, from the first page on."""
    st.session_state.update({one.name: one.default for one in (*_FILTERS, _PAGE)})


def narrowed() -> bool:
    """Says whether not all pictures are chosen."""
    return any(st.session_state[one.name] != one.default for one in _FILTERS)
