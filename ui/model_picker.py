"""The sidebar's network: which backbone, with which weights, and how the picture is framed for it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import streamlit as st

import camcore
from camcore.framing import FRAMINGS
from camcore.models.declarations import DEFAULT_MODEL
from camcore.models.factories import Factory
from camcore.models.listing import NetworkListing
from camcore.models.saved import SavedNetwork, is_own
from ui import mended, policy, words
from ui.query import NetworkKey
from ui.urls import Parameter

DEFAULT = "MobileNetV2"
"""Shown first where its weights are on this machine: of 1,000 classes, so that any photograph means something to it."""
NEWCOMER = "cats_vs_dogs"
"""Shown first elsewhere, as it comes with the project and needs no download."""
AUTO = "auto"
"""The framing that belongs to the chosen network."""
FRAMING_HELP = (
    "How the picture is brought to the network’s input size. **auto**: as the network is meant to be fed, a crop for "
    "the ImageNet networks, the whole picture for a model of your own."
)
_FRAMING_WORDS = {
    "crop": "the middle of the picture, as ImageNet networks were evaluated",
    "stretch": "the whole picture, stretched to the input’s shape",
    "letterbox": "the whole picture in its own shape, with a neutral border",
}


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
    """The backbones' names, in their order; one that has been trained meanwhile is among them."""
    return tuple(row.name for row in camcore.backbones())


def default() -> str:
    """The network to begin with on this machine, as it is now: the one that was named at the start comes first."""
    rows = {row.name: row for row in camcore.backbones()}
    named = os.environ.get(DEFAULT_MODEL)
    if named in rows:
        return named
    if rows[DEFAULT].weights_state == "on disk":
        return DEFAULT
    return NEWCOMER if NEWCOMER in rows and rows[NEWCOMER].weights_state == "bundled" else DEFAULT


def parameters() -> list[Parameter]:
    """The parameters of the network in a page's address."""
    return [
        Parameter("model", "backbone", default(), names()),
        Parameter("random", "random weights", "false", ("true", "false"), bound=True),
        Parameter("framing", "framing", AUTO, (AUTO, *FRAMINGS), bound=True),
    ]


def show(framings: bool = True) -> Model:
    """Draw the picker and return what is chosen; ``framings`` False: the framing is chosen elsewhere."""
    rows = {row.name: row for row in camcore.backbones()}
    if st.session_state.get("model") not in rows:
        st.session_state["model"] = default()
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
    own_code = isinstance(row, Factory)
    random = st.toggle(
        "Random weights",
        key="random",
        bind="query-params",
        disabled=own_code,
        help="An untrained network: it knows nothing. Good for looking at an architecture without a download.",
    )
    weights = "random weights, nothing learned" if random and not own_code else _learned(row)
    st.caption(", ".join((*_size(row), weights)))
    if not framings:
        return chosen(name, AUTO, random)
    framing = st.selectbox("Framing", (AUTO, *FRAMINGS), key="framing", bind="query-params", help=FRAMING_HELP)
    model = chosen(name, framing, random)
    st.caption(f"{model.framing}: {_FRAMING_WORDS[model.framing]}" if framing == AUTO else _FRAMING_WORDS[framing])
    return model


def chosen(name: str, framing: str, random: bool = False) -> Model:
    """A network by its name, and whether its weights have to be fetched first. ``framing``: AUTO for its own."""
    row = next(row for row in camcore.backbones() if row.name == name)
    random = random and not isinstance(row, Factory)  # its own code decides which weights it has
    missing = not random and row.weights_state.startswith("downloads")
    agreed = name in st.session_state.setdefault("agreed", set()) and policy.policy().changes
    key = NetworkKey(name, "random" if random else None, version=row.version, framing=row.framing)
    return Model(
        key,
        row.framing if framing == AUTO else framing,
        row.download_mb if missing and not agreed else None,
        missing and agreed,
    )


def withdraw(model: Model) -> None:
    """Take back the agreement to a download, so that the page offers it anew."""
    st.session_state["agreed"].discard(model.key.name)


def offer_download(model: Model) -> None:
    """Ask before fetching weights: how large, and what to do without a network."""
    if model.fetch is None:
        st.empty()
        return
    name = model.key.name
    if not policy.policy().changes:
        with st.container(key="cam_fetch", border=True):
            st.markdown(
                f"**{name}'s ImageNet weights are not on this server.** {policy.NO_DOWNLOAD} Choose another backbone, "
                "or turn on *Random weights* to look at the architecture only."
            )
        return
    with st.container(key="cam_fetch", border=True):
        st.markdown(
            f"**{name}'s ImageNet weights are not on this machine.** They can be fetched once and are kept. "
            f"Without internet access, put `{name}.weights.h5` into the folder that the environment variable "
            "`CAMCORE_WEIGHTS` names, and reload this page. Or turn on *Random weights* to look at the "
            "architecture only."
        )
        if st.button(f"Download {words.megabytes(model.fetch)}", type="primary", key="fetch"):
            st.session_state["agreed"].add(name)
            st.rerun()


def _state(row: NetworkListing) -> str:
    """The place of a network's weights, in a word or two."""
    if isinstance(row, SavedNetwork):
        return "bundled" if row.bundled else "mended" if row.mended else "your own" if is_own(row) else "on disk"
    return row.weights_state


def _size(row: NetworkListing) -> tuple[str, ...]:
    """Parameters and input, where they are known before the network is loaded."""
    if row.parameters is None or row.input_size is None:
        return ()
    return f"{row.parameters / 1e6:.1f} M parameters", f"{row.input_size[0]}×{row.input_size[1]} px input"


def _learned(row: NetworkListing) -> str:
    """The classes and training of a network, and whether its weights have to be fetched, as Markdown."""
    if isinstance(row, Factory):
        if not policy.policy().changes:
            return "added by the operator of this server"
        return words.plain(f"made by {row.target} on this server" if row.file is None else f"the file {row.target}")
    if not isinstance(row, SavedNetwork):
        return _state(row)
    few = len(row.labels) <= 5
    known = f"knows only {' and '.join((', '.join(row.labels[:-1]), row.labels[-1]))}" if few else ""
    learned = f"trained on {row.summary}" if row.summary else ""
    parts = (known or f"{len(row.labels)} classes", "no download", learned, mended.origin(row))
    return words.plain(", ".join(filter(None, parts)))


def _forget_layer() -> None:
    st.session_state["layer"] = None
