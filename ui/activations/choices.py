"""Choices of the Activations page: the address, the row of controls, and the answer to a bad choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from camcore.features.channels import ORDERS, Channels
from camcore.render.colour import COLORMAPS
from ui import controls, scales, sidebar, urls, words
from ui.activations import attention_choices
from ui.network_summary import NetworkSummary
from ui.urls import Parameter, whole_number

SCALES = (scales.ONE, scales.EACH)
ROWS = ("convolution, pooling", "activation", "merge")
"""The layers shown where the whole network is: kinds, with commas between them."""
TOKENS = "tokens"
"""Of a transformer: the layers that hold its tokens between the steps of its blocks."""
TOKEN_KINDS = ("block", "normalisation", "merge")
"""Kinds of layers of tokens that are looked at, too."""


@dataclass(frozen=True)
class SheetLook:
    """Order, scale and colours of the sheet; changing them computes nothing anew."""

    order: str
    scale: str
    colormap: str


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    orders = tuple(ORDERS)
    return [
        *sidebar.parameters(),
        Parameter("layer", "layer", None),
        Parameter("channel", "channel", None, parse=whole_number(0)),
        Parameter("class", "class", None, parse=whole_number(0)),
        Parameter("order", "order", orders[0], orders, bound=True),
        attention_choices.TOKEN,
        attention_choices.HEAD,
        Parameter("scaling", "scale", SCALES[0], SCALES, bound=True),
        controls.COLORMAP,
        controls.OPACITY,
        controls.GRID,
        Parameter("listed", "choice of layers", ROWS[0], (*ROWS, TOKENS), bound=True),
    ]


def rows(facts: NetworkSummary | None) -> tuple[str, ...]:
    """The choices of layers that are shown where the whole network is, the first one at first."""
    found = (TOKENS, *ROWS) if _of_tokens(facts) else ROWS
    if st.session_state.get("listed") not in found:  # chosen for another network
        st.session_state.pop("listed", None)
    return found


def _of_tokens(facts: NetworkSummary | None) -> bool:
    return facts is not None and any(info.recommended and info.tokens for info in facts.layers)


def show(facts: NetworkSummary | None) -> SheetLook:
    """The row of controls above the sheet; a class that the network does not have is put back."""
    _settle_class(facts)
    with st.container(key="cam_channels_look", horizontal=True, vertical_alignment="bottom", gap="small"):
        order = controls.segments("Order of the channels", tuple(ORDERS), "order", labelled=True)
        scale = controls.segments("Scale of the colours", SCALES, "scaling", labelled=True)
        _class(facts)
        colormap = st.selectbox("Colour map", COLORMAPS, key="colormap", bind="query-params", width=120)
    return SheetLook(order, scale, colormap)


def _class(facts: NetworkSummary | None) -> None:
    """The class whose logit contributions are counted for; None: the network's own first answer."""
    state = st.session_state
    labels = words.distinct(facts.labels) if facts is not None else ()
    box = controls.mirrored("class_box", state["class"], lambda index: state.update({"class": index}))
    st.selectbox(
        "Contribution to",
        range(len(labels)),
        index=None,
        format_func=labels.__getitem__,
        filter_mode="contains",
        placeholder="its first answer",
        disabled=facts is None,
        width=210,
        **box,
    )


def _settle_class(facts: NetworkSummary | None) -> None:
    index = st.session_state["class"]
    if facts is None or index is None or 0 <= index < len(facts.labels):
        return
    urls.object_to(
        "class",
        f"{facts.title} has no class {index}: its classes are 0 to {len(facts.labels) - 1}. "
        "Showing its own answer instead.",
    )


def channel(channels: Channels, order: Sequence[int]) -> int:
    """The channel to look at, from 0: the chosen one, else the first of the order."""
    number = st.session_state["channel"]
    if number is not None and number >= len(channels):
        urls.object_to(
            "channel",
            f"{channels.layer.path} has no channel {number}: its channels are 0 to {len(channels) - 1:,}. "
            "Showing the first one instead.",
        )
        number = None
    return int(order[0]) if number is None else int(number)


def pick_channel(number: int) -> None:
    """Look at a channel."""
    state = st.session_state
    state["channel"] = number
    if state.get("channel_before") is not None:
        state["channel_before"] = state["channel_before"][0], number
