"""The sidebar's network: which backbone, with which weights, and how the picture is framed for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import streamlit as st

import camcore
from camcore.framing import FRAMINGS
from camcore.models import hub_presets, listing
from camcore.models.catalogue import Backbone
from camcore.models.declarations import DEFAULT_MODEL
from camcore.models.factories import Factory
from camcore.models.hub_presets import HubPreset
from camcore.models.listing import NetworkListing
from camcore.models.saved import SavedNetwork, is_own
from ui import policy, words
from ui.query import NetworkKey
from ui.urls import Parameter

DEFAULT = "MobileNetV2"
"""Offered first where there is nothing: a small download, and of 1,000 classes."""
NEWCOMER = "cats_vs_dogs"
"""Shown first where no ImageNet network is on disk, as it comes with the project and needs no download."""
QUICK_MB = 60
"""The largest weights of a network that is shown first: the first map must not wait for more."""
AUTO = "auto"
"""The framing that belongs to the chosen network."""
FRAMING_HELP = (
    "How the picture is brought to the network’s input size. **auto**: as the network is meant to be fed, a crop for "
    "the ImageNet networks, the largest middle part for those of keras_hub, the whole picture for a model of your own."
)
_FRAMING_WORDS = {
    "crop": "the middle of the picture, as ImageNet networks were evaluated",
    "centre": "the largest middle part in the input’s shape, as keras_hub cuts it",
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


class _Network(Parameter):
    """The network of a page, which may also be a preset of keras_hub that is not on this machine."""

    def read(self, text: str) -> tuple[Any, str | None]:
        if not text.startswith(hub_presets.PREFIX):
            return super().read(text)
        if preset(text) is not None:
            return text, None
        if not hub_presets.installed():
            why = f"names “{text[:60]}”, a preset of keras_hub, which is not installed here ({hub_presets.INSTALL}). "
            return self.default, self._sorry(why)
        return super().read(text)


def preset(name: str) -> HubPreset | None:
    """The preset of keras_hub of that name; None where there is none. A folder is the visitor's to name only where he
    may name any.
    """
    found = hub_presets.find(name)
    return found if found is None or found.handle or policy.policy().changes else None


def names() -> tuple[str, ...]:
    """The backbones' names, in their order; one that has been trained meanwhile is among them."""
    return tuple(row.name for row in camcore.backbones())


def default() -> str:
    """The network to begin with on this machine, as it is now: the one that was named at the start comes first."""
    rows = {row.name: row for row in camcore.backbones()}
    named = os.environ.get(DEFAULT_MODEL)
    if named is not None and (named in rows or preset(named) is not None):
        return named
    # Of 1,000 classes, so that any photograph means something to it; and the most accurate of those that start quickly.
    small = [row for row in rows.values() if isinstance(row, Backbone) and row.download_mb <= QUICK_MB]
    here = [row for row in small if row.weights_state == "on disk"]
    if here:
        return max(here, key=lambda row: row.top1).name
    return NEWCOMER if NEWCOMER in rows and rows[NEWCOMER].weights_state == "bundled" else DEFAULT


def parameters() -> list[Parameter]:
    """The parameters of the network in a page's address."""
    return [
        _Network("model", "backbone", default(), names()),
        Parameter("random", "random weights", "false", ("true", "false"), bound=True),
        Parameter("framing", "framing", AUTO, (AUTO, *FRAMINGS), bound=True),
    ]


def show(framings: bool = True, untrained: bool = True) -> Model:
    """Draw the picker and return what is chosen; ``framings`` False: the framing is chosen elsewhere.

    ``untrained`` False: networks with their own weights only.
    """
    rows: dict[str, NetworkListing] = {row.name: row for row in camcore.backbones()}
    chosen_one = str(st.session_state.get("model"))
    from_hub = preset(chosen_one)
    if from_hub is not None:
        rows = {from_hub.name: from_hub, **rows}
    elif chosen_one not in rows:
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
    random = untrained and st.toggle(
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
    row = listing.find(name)
    assert row is not None, "a name of the list, or a preset's"
    random = random and not isinstance(row, Factory)  # its own code decides which weights it has
    missing = row.weights_state.startswith("downloads") and (not random or isinstance(row, HubPreset))
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
    if preset(name) is not None:
        _offer_preset(model)
        return
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


def _offer_preset(model: Model) -> None:
    """Ask before keras_hub fetches a preset."""
    name = model.key.name
    with st.container(key="cam_fetch", border=True):
        if not policy.policy().changes:
            st.markdown(f"**{words.plain(name)} is not on this server.** {policy.NO_DOWNLOAD} Choose another backbone.")
            return
        st.markdown(
            f"**{words.plain(name)} is not on this machine.** keras_hub fetches it from Kaggle once and keeps it where "
            "it keeps its models. Without internet access, put it there, or name the folder of a preset."
        )
        if st.button(f"Download {words.megabytes(model.fetch or 0)}", type="primary", key="fetch"):
            st.session_state["agreed"].add(name)
            st.rerun()


def _state(row: NetworkListing) -> str:
    """The place of a network's weights, in a word or two."""
    if isinstance(row, SavedNetwork):
        return "bundled" if row.bundled else "mended" if row.mended else "your own" if is_own(row) else "on disk"
    return row.weights_state


def _size(row: NetworkListing) -> tuple[str, ...]:
    """Parameters and input, where they are known before the network is loaded."""
    if row.parameters is None:
        return ()
    size = () if row.input_size is None else (f"{row.input_size[0]}×{row.input_size[1]} px input",)
    return f"{row.parameters / 1e6:.1f} M parameters", *size


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
    parts = (known or f"{len(row.labels)} classes", "no download", learned, copy_of(row))
    return words.plain(", ".join(filter(None, parts)))


def copy_of(row: SavedNetwork) -> str:
    """The network that a mended one was made from, and what it is without; "" for any other."""
    made = row.mended
    return f"a copy of {made.network} without a shortcut to “{words.label(made.label)}”" if made else ""


def _forget_layer() -> None:
    """Another network has other layers, tokens and heads."""
    st.session_state.update(dict.fromkeys(("layer", "token", "head")))
