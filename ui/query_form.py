"""The form of a query: class, method and layer, by name; and their names in an address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.graph.layers import NO_GRID
from ui import controls, layer_browser, methods, urls, words
from ui.query import Answer, Query
from ui.urls import Parameter, whole_number

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.methods import MethodInfo
    from camcore.network import Network

PARAMETERS = (
    Parameter("method", "method", "gradcam", tuple(camcore.METHODS)),
    Parameter("layer", "layer", None),
    Parameter("class", "class", None, parse=whole_number(-(10**9))),
)


WITHOUT_GRID = "occlusion"
"""The method for a network without a grid: it needs nothing of the network but its answers."""


def settle(network: Network | None) -> None:
    """Choose a method that serves where the chosen one is not defined for the network.

    ``network``: None where it is not loaded yet. To be called before the widgets are drawn.
    """
    info = camcore.METHODS[st.session_state["method"]]
    why = refused(network).get(info.key)
    if why is not None:
        served = network is not None and network.default_layer is not None
        instead = "gradcam" if served else WITHOUT_GRID
        urls.object_to("method", f"{why} Showing {methods.title(instead)} in its place.", instead)
        return
    if network is None or network.default_layer is not None or methods.layer_free(info) or not info.input.reads_network:
        return
    instead = methods.title(WITHOUT_GRID)
    urls.object_to("method", f"{NO_GRID} Showing {instead} in place of {info.title}.", WITHOUT_GRID)


def refused(network: Network | None) -> Mapping[str, str]:
    """The methods that are not defined for the network, with the reason; none while it is not loaded."""
    if network is None:
        return {}
    from camcore.heatmaps.offered import refusals  # networks are behind it

    return refusals(network)


def pick_class(answer: Answer, index: int | None) -> None:
    """Explain a class. The network's own first choice is the default: it stays so when the picture changes."""
    first = answer.predictions[0].index if answer.predictions else None
    st.session_state["class"] = None if index == first else index


def pick_layer(network: Network | None, path: str | None) -> None:
    """Look at a layer. The recommended one is the default: it stays so when the network changes."""
    st.session_state["layer"] = None if network is not None and path == network.default_layer else path


def explained(answer: Answer) -> int | None:
    """The class that the map on the page is of; None: there is no map yet."""
    return answer.map.class_index if answer.map is not None else None


def show(
    place: DeltaGenerator, network: Network | None, answer: Answer, query: Query, bars: Collection[int] | None = None
) -> None:
    """Class, method and layer by name. ``bars``: classes that can be chosen elsewhere on the page, if any."""
    with place:
        _class(network, answer, query, bars)
        method = st.selectbox(
            "Method",
            methods.keys(refused(network)),
            key="method",
            persist_state="session",
            format_func=methods.in_family,
            help="★: quick, and each of another kind; the ones to try first.",
        )
        info = camcore.METHODS[method]
        with st.container(key="cam_method_about", gap=None):
            st.caption(f"{words.plain(info.summary)} [{words.plain(words.citation(info.paper))}]({info.url})")
        layer_browser.show(
            network.layers if network is not None else (),
            network.ladder if network is not None else (),
            compact=True,
            closed=f"None: it looks at {_looked_at(info)}" if methods.layer_free(info) else "",
        )


def _class(network: Network | None, answer: Answer, query: Query, bars: Collection[int] | None) -> None:
    """The list of classes; what has a bar is not named once more."""
    labels = words.distinct(network.labels) if network is not None else ()
    chosen = explained(answer) if query.class_index is None else query.class_index
    if bars and chosen in bars:
        chosen = None
    none_left = bool(labels) and len(bars or ()) == len(labels)
    box = controls.mirrored("class_box", chosen, lambda index: pick_class(answer, index))
    st.selectbox(
        "Class" if bars is None else "Another class",
        range(len(labels)),
        index=None if chosen is None else 0,  # where something is chosen Escape in the open list cannot clear it
        filter_mode="contains",
        format_func=labels.__getitem__,
        placeholder="Once the network is loaded"
        if network is None
        else "It knows no others"
        if none_left
        else f"Search all {len(labels):,} classes",
        disabled=network is None or none_left,
        **box,
    )


def _looked_at(info: MethodInfo) -> str:
    """The thing that a method without a layer looks at, in words."""
    return "all attentions" if info.input.needs_attention else "the input itself"


def about(place: DeltaGenerator, network: Network | None) -> None:
    """Which layer is recommended and why, and why other layers and methods cannot be chosen."""
    if network is None:
        place.empty()
        return
    path = network.default_layer
    out = [info for info in network.layers if not info.usable]
    text = (
        f"{words.plain(network.name)}, {words.plain(network.weights_note)}, {network.parameters:,} parameters. "
        + words.plain(NO_GRID if path is None else "")
    )
    if path is not None:
        text += f"Recommended layer: **{words.plain(path)}**, {words.plain(network.layer(path).reason)}."
    if out:
        text += f"\n\n{len(out)} layers cannot be chosen:\n"
        text += "".join(f"\n- **{words.plain(info.path)}**: {words.plain(info.reason)}" for info in out)
    reasons = refused(network)
    if reasons:
        text += "\n\nNot offered, as not defined for this network:\n"
        text += "".join(f"\n- {words.plain(reason)}" for reason in reasons.values())
    place.expander("About this network and its layers").markdown(text)
