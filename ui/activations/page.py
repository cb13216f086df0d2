"""What the Activations page asks for, section by section, and what it hands out as files."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from camcore.features.channels import Channels
from camcore.features.strongest_channels import passes
from camcore.graph.layers import LayerInfo
from ui import controls, downloads, layer_browser, words
from ui.activations import choices, export
from ui.activations import overview as overviews
from ui.activations.choices import Look
from ui.activations.work import channels_work, overview_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.model_picker import Model
from ui.network_summary import NetworkSummary, summary_work
from ui.picture_box import Chosen

FILES = {
    "PNG": "The contact sheet",
    "CSV": "A row for each channel: its figures, then its activations",
    "NPZ": "The activations with all figures, for NumPy",
}

PASSES_UNASKED = 3
"""Forward passes that the whole network may take without being asked for."""


def work(model: Model, picture: Any, info: LayerInfo | None) -> Work | None:
    """What has to be done next: have the network, then look at the layer. None: its weights are not agreed upon."""
    if model.fetch is not None:
        return None
    if info is None:
        return summary_work(model.key)
    layer_browser.settle_channel(model.key.name, info.path)
    return channels_work(model.key, picture, model.framing, info.path, st.session_state["class"])


def channels(standing: Status) -> Channels | None:
    """The layer's channels once they are there."""
    return standing.value if standing.complete and isinstance(standing.value, Channels) else None


def files(found: Channels | None, chosen: Chosen, look: Look, framing: str) -> None:
    """The sheet as a picture; figures and activations as numbers; made when they are asked for."""
    made: dict[str, Callable[[], bytes]] = {}
    if found is not None:
        made = {
            "PNG": partial(export.sheet_png, found, chosen, look, framing),
            "CSV": partial(export.csv, found, chosen, framing),
            "NPZ": partial(export.npz, found, chosen, framing),
        }
    stem = export.stem(found, chosen) if found is not None else "activations"
    with st.container(key="cam_activations_files", horizontal=True, gap="small"):
        for kind, about in FILES.items():
            downloads.offer(
                f"{stem}.{kind.lower()}", made.get(kind, b""), about, key=f"save_{kind}", ready=found is not None
            )


def overview(model: Model, chosen: Chosen, facts: NetworkSummary | None, look: Look) -> None:
    """The whole network on one page; ``facts`` None: not yet, the layer above comes first."""
    st.subheader("The whole network on one page", anchor="whole-network")
    st.markdown(
        "Each row is a layer, from the picture to the scores, with the channels that respond most strongly: from "
        "edges and colours on fine grids to parts and things on coarse ones. Each cell is on its own scale; where a "
        "layer has values below zero, red is above zero and blue below."
    )
    rows = controls.segments("Layers", choices.ROWS, "listed")
    infos = overviews.layers_of(facts.layers, rows) if facts is not None else []
    agreed = bool(infos) and _agreed(model, infos, rows)
    wanted = overview_work(model.key, chosen.picture, model.framing, infos) if agreed else None

    def draw(now: Status) -> None:
        if st.session_state.pop("overview_picked", False):
            st.rerun()  # the callback ran with this fragment, and the layer is the whole page's
        if facts is not None and (agreed or not infos):
            overviews.show(now, infos, wanted, look.colormap, pick)

    with st.container(key="cam_overview"):
        standing = session.section("overview", wanted, draw)
    found = standing.value or ()
    name = f"{words.file_stem(chosen.stem, model.key.name, rows)}.png"
    downloads.offer(
        name,
        lambda: export.stacked_png(found, model.key.name, chosen, look.colormap),
        "One stacked picture: a titled row for each layer",
        key="save_overview",
        ready=standing.complete,
        label="PNG of all these layers",
    )


def _agreed(model: Model, infos: list[LayerInfo], rows: str) -> bool:
    """Whether to go through these layers: at once where few passes do, else when told to, with the price."""
    count = len(passes(infos))
    known: set[tuple[str, str]] = st.session_state.setdefault("overview_agreed", set())
    if count <= PASSES_UNASKED or (model.key.name, rows) in known:
        return True
    with st.container(key="cam_overview_price", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{len(infos)} layers with large grids: {count} pass{'es' if count > 1 else ''}, one after the other."
        )
        if st.button("Go through them", key="overview_go", type="primary"):
            known.add((model.key.name, rows))
            st.rerun()
    return False


def pick(path: str, channel: int | None) -> None:
    """Look at a layer, and maybe at one of its channels, above."""
    state = st.session_state
    state.update(layer=path, channel=channel, channel_before=None, overview_picked=True)
    state["times_picked"] = state.get("times_picked", 0) + 1
