"""The whole network on one page: the strongest channels of every layer, each a row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import streamlit as st

from camcore.cache import ByteLRU
from camcore.features.strongest_channels import StrongestChannels, passes
from camcore.graph.layers import LayerInfo
from camcore.render.encode import to_data_url
from camcore.text import counted
from ui import controls, downloads, errors, words
from ui.activations import choices, export
from ui.activations.choices import SheetLook
from ui.activations.sheet import DrawnSheet, figure, overview_sheet, size_of
from ui.activations.work import PER_LAYER, overview_work
from ui.components.channels import Id, RowLabel, contact_sheet
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.network_summary import NetworkSummary
from ui.picture_box import Chosen

PASSES_UNASKED = 3
"""Forward passes that the whole network may take without being asked for."""

_drawn: ByteLRU[DrawnSheet] = ByteLRU(64 << 20, lambda one: one.nbytes)


def section(model: Model, chosen: Chosen, facts: NetworkSummary | None, look: SheetLook, ready: bool) -> None:
    """The whole network on one page, once it is loaded; ``ready`` False: not yet, the layer above comes first."""
    st.subheader("The whole network on one page", anchor="whole-network")
    st.markdown(
        "Each row is a layer, from the picture to the scores, with the channels that respond most strongly: from "
        "edges and colours on fine grids to parts and objects on coarse ones. Each cell is on its own scale; where a "
        "layer has values below zero, red is above zero and blue below."
    )
    # Drawn only with the network: what comes first in the list depends on it.
    kinds = choices.ROWS[0] if facts is None else controls.segments("Layers", choices.rows(facts), "listed")
    infos = layers_of(facts.layers, kinds) if facts is not None and ready else []
    agreed = bool(infos) and _agreed(model, infos, kinds)
    work = overview_work(model.key, chosen.picture, model.framing, infos) if agreed else None

    def draw(status: Status) -> None:
        if st.session_state.pop("overview_picked", False):
            session.rerun()  # the callback ran with this fragment, and the layer is the whole page's
        if facts is not None and ready and (agreed or not infos):
            _show(status, infos, work, look.colormap)

    with st.container(key="cam_overview"):
        status = session.section("overview", work, draw)
    rows = status.value or ()
    downloads.offer(
        f"{words.file_stem(chosen.stem, model.key.name, kinds)}.png",
        lambda: export.stacked_png(rows, model.key.name, chosen, look.colormap),
        "One stacked picture: a titled row for each layer",
        key="save_overview",
        ready=status.complete,
        label="PNG of all these layers",
    )


def layers_of(layers: Sequence[LayerInfo], kinds: str) -> list[LayerInfo]:
    """The usable layers of these kinds, in the order of the computation; ``kinds``: with commas between them, or
    ``choices.TOKENS``.
    """
    if kinds == choices.TOKENS:
        return [info for info in layers if info.usable and info.tokens and info.kind in choices.TOKEN_KINDS]
    wanted = [kind.strip() for kind in kinds.split(",")]
    return [info for info in layers if info.usable and info.kind in wanted]


def _agreed(model: Model, infos: list[LayerInfo], kinds: str) -> bool:
    """Consent to go through these layers: at once where few passes do, else by a button, with the price."""
    count = len(passes(infos))
    known: set[tuple[str, str]] = st.session_state.setdefault("overview_agreed", set())
    if count <= PASSES_UNASKED or (model.key.name, kinds) in known:
        return True
    with st.container(key="cam_overview_price", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{len(infos)} layers with large grids: {counted(count, 'pass')}, one after the other.")
        if st.button("Compute them", key="overview_go", type="primary"):
            known.add((model.key.name, kinds))
            session.rerun()
    return False


def _show(status: Status, infos: Sequence[LayerInfo], key: Hashable, colormap: str) -> None:
    """The rows that are there."""
    with st.container(key="cam_overview_status"):
        if status.failure is not None:
            errors.panel(status.failure, "These layers could not be computed")
        session.progress("overview", status)
    rows: tuple[StrongestChannels, ...] = status.value or ()
    if not infos:
        st.caption("This network has no such layers.")
        return
    if not rows:
        return
    drawn = _drawn.get((key, colormap, len(rows))) or _drawn.put((key, colormap, len(rows)), _draw(rows, colormap))
    contact_sheet(
        drawn.sheet,
        drawn.src,
        key="overview",
        label=f"The strongest channels of {len(rows)} layers",
        hint="Press a channel or a layer’s name to look at it above",
        ids=drawn.ids,
        tips=drawn.tips,
        labels=drawn.labels,
        tallest="78vh",
        widest="72rem",
        on_pick=_pick,
    )


def _draw(rows: Sequence[StrongestChannels], colormap: str) -> DrawnSheet:
    ids: list[Id] = []
    tips = []
    for one in rows:
        path = one.layer.path
        for number, strength in zip(one.numbers.tolist(), one.strength.tolist(), strict=True):
            ids.append(f"{number} {path}")
            tips.append(f"{path}, channel {number} · mean strength {figure(strength)}")
        missing = PER_LAYER - len(one.numbers)
        ids += [None] * missing
        tips += [""] * missing
    made = overview_sheet(rows, colormap)
    return DrawnSheet(
        made, to_data_url(made.png(transparent=True)), ids, tips, labels=tuple(_row_label(one) for one in rows)
    )


def _row_label(one: StrongestChannels) -> RowLabel:
    dead = f" · {one.dead:,} dead" if one.dead else ""
    note = size_of(one) + dead
    tip = f"{one.layer.path}, {note}: look at all of its channels"
    return {"title": one.layer.path, "note": note, "id": f"- {one.layer.path}", "tip": tip}


def _pick(picked: str) -> None:
    """Look at a layer, and maybe at one of its channels, above."""
    number, _, path = picked.partition(" ")
    channel = int(number) if number.isdigit() else None
    state = st.session_state
    state.update(layer=path, channel=channel, channel_before=None, overview_picked=True)
    state["times_picked"] = state.get("times_picked", 0) + 1
