"""The sidebar's network: which backbone, with which weights, and how the picture is framed for it."""

import functools
from dataclasses import dataclass
from typing import Any

import streamlit as st

import camcore
from camcore.framing import FRAMINGS
from ui.questions import NetworkKey
from ui.words import megabytes

DEFAULT = "MobileNetV2"
FRAMING_HELP = (
    "**crop**: the middle of the picture, as these networks were trained. **stretch**: all of it, squeezed "
    "to a square. **letterbox**: all of it in its own shape, with a neutral border."
)


@dataclass(frozen=True)
class Model:
    """The chosen network. ``fetch``: megabytes that the visitor has not yet agreed to download, else None.

    ``fetching``: the visitor agreed, and they are not on disk yet.
    """

    key: NetworkKey
    framing: str
    fetch: float | None
    fetching: bool


def names() -> tuple[str, ...]:
    """The catalogue's names, in its order."""
    return tuple(_catalogue())


def show() -> Model:
    """Draw the picker and return what is chosen."""
    rows = {row.name: row for row in camcore.backbones()}
    if st.session_state.get("model") not in rows:
        st.session_state["model"] = DEFAULT
    name = st.selectbox(
        "Backbone",
        list(rows),
        key="model",
        format_func=lambda n: f"{n} · {_state(rows[n])}",
        on_change=_forget_layer,
        filter_mode="contains",
        persist_state="session",
    )
    row = rows[name]
    random = st.toggle(
        "Random weights",
        key="random",
        bind="query-params",
        help="An untrained network: it knows nothing. Good for looking at an architecture without a download.",
    )
    weights = "random weights, nothing learned" if random else _state(row)
    st.caption(f"{row.parameters / 1e6:.1f} M parameters, {row.input_size[0]}×{row.input_size[1]} px input, {weights}")
    framing = st.segmented_control(
        "Framing",
        FRAMINGS,
        default=FRAMINGS[0],
        required=True,
        key="framing",
        bind="query-params",
        help=FRAMING_HELP,
        width="stretch",
    )
    missing = not random and row.weights_state.startswith("downloads")
    agreed = name in st.session_state.setdefault("agreed", set())
    key = NetworkKey(name, "random" if random else None)
    fetch = row.download_mb if missing and not agreed else None
    return Model(key, framing or FRAMINGS[0], fetch, missing and agreed)


def withdraw(model: Model) -> None:
    """Take back the agreement to a download, so that the page offers it anew."""
    st.session_state["agreed"].discard(model.key.name)


def offer_download(model: Model) -> None:
    """Ask before fetching weights: how large, and what to do without a network."""
    if model.fetch is None:
        st.empty()
        return
    name = model.key.name
    with st.container(key="cam_fetch", border=True):
        st.markdown(
            f"**{name}'s ImageNet weights are not on this machine.** They can be fetched once and are kept. "
            f"Without internet access, put `{name}.weights.h5` into the folder that the environment variable "
            "`CAMCORE_WEIGHTS` names, and reload this page. Or turn on *Random weights* to look at the "
            "architecture only."
        )
        if st.button(f"Download {megabytes(model.fetch)}", type="primary", key="fetch"):
            st.session_state["agreed"].add(name)
            st.rerun()


def _state(row: Any) -> str:
    return str(row.weights_state)


@functools.cache
def _catalogue() -> dict[str, Any]:
    return {row.name: row for row in camcore.backbones()}


def _forget_layer() -> None:
    st.session_state["layer"] = None
