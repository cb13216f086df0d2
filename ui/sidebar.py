"""Sidebar of a page that looks at a picture with a network: both choices, and the link that keeps all of them."""

import streamlit as st

from ui import model_picker, picture_box
from ui.components import copy_link
from ui.model_picker import Model
from ui.picture_box import Chosen
from ui.query import NetworkKey
from ui.urls import Parameter


def parameters() -> list[Parameter]:
    """Both choices as a page's address has them."""
    return [*picture_box.PARAMETERS, *model_picker.parameters()]


def query(network: NetworkKey, framing: str, sample: str | None, **more: object) -> dict[str, str]:
    """The address, on any page, of both choices and ``more`` of that page's; what is None is left out.

    ``sample`` None: the visitor's own picture.
    """
    random = "true" if network.weights == "random" else None
    unusual = framing if framing != network.framing else None
    given = {"model": network.name, "random": random, "framing": unusual, "sample": sample, **more}
    if sample is None:
        given[picture_box.OWN.name] = picture_box.own_token()
    return {name: str(value) for name, value in given.items() if value is not None}


def show(also: str = "", framings: bool = True) -> tuple[Chosen, Model]:
    """Draw it; the picture and the network. Without a picture the page ends here.

    ``also``: what the link does not carry. ``framings`` False: the framing is chosen elsewhere.
    """
    with st.sidebar:
        chosen = picture_box.show()
        model = model_picker.show(framings=framings)
        copy_link(key="copy_link")
        missing = f", but not {also}" if also else ""
        own = " Whoever has it sees your picture, too, as long as this page is open." if picture_box.own_token() else ""
        st.caption(f"The link carries every choice on this page{missing}.{own}")
    if chosen is None:
        st.header("Choose a picture to begin", anchor=False)
        st.stop()
    return chosen, model
