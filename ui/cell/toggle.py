"""Switch of the closer look at one place of the picture, and its part of the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import errors, frame
from ui.urls import Parameter

if TYPE_CHECKING:
    from ui.picture_box import Chosen
    from ui.query import Answer


def _place(text: str) -> tuple[float, float]:
    """A point of the picture, in percent from the top and from the left."""
    try:
        y, x = (float(part) for part in text.split("-"))
    except ValueError:
        raise ValueError("It has to be two numbers such as 40-55, in percent from the top and the left.") from None
    if not (0 <= y <= 100 and 0 <= x <= 100):
        raise ValueError("Both numbers have to lie between 0 and 100.")
    return y, x


class _Place(Parameter):
    def write(self, value: Any) -> str:
        return f"{value[0]:g}-{value[1]:g}"


PARAMETERS = (
    Parameter("inside", "view of one place", "false", ("true", "false"), bound=True),
    _Place("place", "place", None, parse=_place),
    Parameter("pictures", "folder of pictures", ""),
)
"""The choices of this part of the page that its address carries."""


def left_out() -> tuple[str, ...]:
    """The parameters that mean nothing while the switch is off."""
    return () if st.session_state.get("inside") else ("place", "pictures")


def picker() -> Callable[[str], None] | None:
    """Receiver of a place that is pressed on the page's big picture; None while the switch is off."""

    def pick(place: str) -> None:
        st.session_state["place"] = _place(place)

    return pick if st.session_state.get("inside") else None


def show(chosen: Chosen, answer: Answer) -> None:
    """The whole part; it works only while it is opened."""
    frame.style("cell")
    with st.container(key="cam_cell", gap="small"):
        opened = st.toggle(
            "Look into one place: what it sees, what it depends on, and what it adds",
            key="inside",
            bind="query-params",
        )
        if not opened:
            return
        with st.container(key="cam_cell_body", gap="small"), errors.guarded("This place"):
            if answer.map is None or answer.network is None:
                st.caption("Once the network has answered.")
                return
            from ui.cell import view  # behind this switch only

            view.show(chosen, answer.query.network, answer.network, answer.map)
