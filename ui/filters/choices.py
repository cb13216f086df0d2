"""The choices of the Filters page: channels of a layer or classes, which of them, how; and their names in a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.errors import CamcoreError
from camcore.filters import check_channel
from ui import controls, layer_browser, sidebar, urls, words
from ui.filters.work import LayerResponse, SearchSpec
from ui.network_summary import NetworkSummary, known_summary
from ui.query import NetworkKey
from ui.urls import ListParameter, Parameter, whole_number

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.graph.layers import LayerInfo

CHANNELS, CLASSES = KINDS = ("channels", "classes")
STRONGEST, ORDER = ORDERS = ("strongest", "order")
COUNTS = ("16", "32", "64")
STEPS = ("32", "64", "128", "256")
_KIND_TITLES = {CHANNELS: "Channels", CLASSES: "Classes"}
_ORDER_TITLES = {STRONGEST: "Strongest here", ORDER: "In order"}


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        Parameter("of", "choice between channels and classes", CHANNELS, KINDS),
        Parameter("layer", "layer", None),
        Parameter("channel", "channel", None, parse=whole_number(0)),
        Parameter("class", "class", None, parse=whole_number(0)),
        Parameter("which", "order", STRONGEST, ORDERS),
        Parameter("first", "first channel", 0, parse=whole_number(0)),
        Parameter("count", "number of pictures", COUNTS[0], COUNTS),
        ListParameter("names", "class", [], parse=whole_number(0)),
        Parameter("steps", "number of steps", STEPS[1], STEPS),
        Parameter("seed", "seed", 0, parse=whole_number(0, 9999)),
        controls.OPACITY,
        controls.GRID,
    ]


def left_out() -> tuple[str, ...]:
    """The parameters that mean nothing for what is looked into."""
    return ("class", "names") if st.session_state["of"] == CHANNELS else ("layer", "channel", "which", "first")


def settle(network: NetworkKey) -> None:
    """Another network has other channels and classes: those chosen for the last one are let go."""
    state = st.session_state
    last, channel, names = state.get("filters_last", (network, None, []))
    if last != network:
        if state["channel"] == channel:
            state["channel"] = None
        if state["names"] == names:
            state["names"] = []
    state["filters_last"] = (network, state["channel"], list(state["names"]))


def layers(place: DeltaGenerator, network: NetworkKey) -> None:
    """The chooser of the layer, where channels are chosen."""
    if st.session_state["of"] != CHANNELS:
        return
    facts = known_summary(network)
    with place:
        if facts is None:
            info = layer_browser.show()
        else:
            info = layer_browser.show(facts.layers, facts.ladder, start=facts.legible)
        st.caption(_depth(info, facts))
    if info is not None:
        layer_browser.settle_channel(network.name, info.path)


def _depth(info: LayerInfo | None, facts: NetworkSummary | None) -> str:
    """Where in the network the page begins, and the way to deeper layers."""
    if info is None or facts is None or facts.legible is None:
        return "\N{NO-BREAK SPACE}"
    deeper = (
        "For deeper layers, press a stage further right: they respond to more complex things, which are harder to read."
    )
    if info.path == facts.legible:
        return f"This page starts at the deepest layer whose cells each see at most a third of the picture. {deeper}"
    return deeper


def show(place: DeltaGenerator, response: LayerResponse | None) -> None:
    """Draw the bar of choices."""
    state = st.session_state
    with place:
        controls.choice("Look into", _KIND_TITLES, "of")
        if state["of"] == CHANNELS:
            _channel_box(response)
            controls.choice("Which channels", _ORDER_TITLES, "which")
        else:
            _class_box(response)
        with st.popover("More", width="content"):
            _more(response)


def _channel_box(response: LayerResponse | None) -> None:
    """The number of the channel that is shown large; the first one of the list until it is chosen."""
    state = st.session_state
    if response is None:
        st.number_input("Channel", 0, value=None, key="channel_waits", disabled=True, placeholder="…", width=120)
        return
    box = controls.mirrored("channel_box", wanted_channel(response), lambda channel: state.update(channel=channel))
    st.number_input("Channel", 0, max((response.info.channels or 1) - 1, 0), step=1, width=120, **box)


def _class_box(response: LayerResponse | None) -> None:
    labels = words.distinct(response.labels) if response is not None else ()
    state = st.session_state
    if response is not None:
        unknown = [index for index in state["names"] if index >= len(labels)]
        if unknown:
            known = [index for index in state["names"] if index < len(labels)]
            problem = f"{response.name} has no class {unknown[0]}: {_classes(response)} It is left out."
            urls.object_to("names", problem, known)

    def chosen() -> None:
        state["class"] = None  # the first one of the new list is shown large

    st.multiselect(
        "Classes, by name",
        range(len(labels)) if response is not None else list(state["names"]),
        key="names",
        format_func=lambda index: labels[index] if index < len(labels) else f"class {index}",
        placeholder="Its first answers for this picture",
        max_selections=64,
        on_change=chosen,
        filter_mode="contains",
        disabled=response is None,
        persist_state="session",
        width=420,
    )


def _more(response: LayerResponse | None) -> None:
    st.selectbox(
        "Pictures at once",
        COUNTS,
        key="count",
        persist_state="session",
        help="More of them take proportionally longer.",
    )
    if st.session_state["of"] == CHANNELS and st.session_state["which"] == ORDER:
        most = (response.info.channels or 1) - 1 if response is not None else None
        if most is not None:
            st.session_state["first"] = min(st.session_state["first"], most)
        st.number_input(
            "From channel", 0, most, key="first", persist_state="session", step=int(st.session_state["count"])
        )
    st.select_slider(
        "Steps", STEPS, key="steps", persist_state="session", help="More steps make a clearer and stronger picture."
    )
    st.number_input(
        "Seed", 0, 9999, key="seed", persist_state="session", help="Another number starts from different noise."
    )


def wanted(network: NetworkKey, response: LayerResponse) -> tuple[SearchSpec, SearchSpec]:
    """All pictures of the grid, and the one shown large; an unknown channel or class is put back, with a notice."""
    state = st.session_state
    count, steps, seed = int(state["count"]), int(state["steps"]), int(state["seed"])
    if state["of"] == CLASSES:
        layer = None
        indices = tuple(state["names"]) or response.likeliest(min(count, len(response.labels)))
        index = _checked_class(response)
        one = indices[0] if index is None else index
    else:
        layer = response.info.path
        indices = _listed(response)
        one = wanted_channel(response)
    return SearchSpec(network, layer, indices, steps, seed), SearchSpec(network, layer, (one,), steps, seed)


def wanted_channel(response: LayerResponse) -> int:
    """The channel that is shown large."""
    channel = _checked_channel(response)
    return _listed(response)[0] if channel is None else channel


def _listed(response: LayerResponse) -> tuple[int, ...]:
    """The channels side by side."""
    state = st.session_state
    count, channels = int(state["count"]), response.info.channels or 0
    if state["which"] == STRONGEST:
        return response.strongest(count)
    first = min(int(state["first"]), channels - 1)
    return tuple(range(first, min(first + count, channels)))


def name_of(response: LayerResponse, layer: str | None, index: int) -> str:
    """A channel or class as a title: ``channel 37`` or the class's name."""
    return f"channel {index}" if layer is not None else words.distinct(response.labels)[index]


def pick(index: int) -> None:
    """Show this channel or class large."""
    state = st.session_state
    state["channel" if state["of"] == CHANNELS else "class"] = index


def _checked_channel(response: LayerResponse) -> int | None:
    channel = st.session_state["channel"]
    if channel is None:
        return None
    try:
        return check_channel(response.info, channel)
    except CamcoreError as error:
        urls.object_to("channel", f"{error} Showing the first one of the list instead.")
        return None


def _checked_class(response: LayerResponse) -> int | None:
    index = st.session_state["class"]
    if index is None:
        return None
    if index < len(response.labels):
        return int(index)
    problem = f"There is no class {index} in {response.name}: {_classes(response)} Showing its first answer instead."
    urls.object_to("class", problem)
    return None


def _classes(response: LayerResponse) -> str:
    return f"it has {len(response.labels)} classes, 0 to {len(response.labels) - 1}."
