"""The patches of a folder's pictures that excite one channel most."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore import CamcoreError
from camcore.features.patches import StrongestPatches
from ui import errors, folder_box, sidebar, words
from ui.cell.work import CellQuery, patch_url, patches_work
from ui.jobs import session
from ui.jobs.session import Status

if TYPE_CHECKING:
    from camcore.network import Network

_PAGES = (
    ("pages/activations.py", "Where it responds", ":material/grid_on:"),
    ("pages/filters.py", "What excites it most", ":material/texture:"),
)


def show(net: Network, query: CellQuery, channel: int, sample: str | None) -> None:
    """The ways to the channel's own pages, the choice of a folder, and nine patches for the channel."""
    with st.container(key="cam_cell_channel", horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"What else excites **channel {channel}**? Look through a folder of pictures:", width="content")
        address = sidebar.query(query.network, query.framing, sample, layer=query.layer, channel=channel)
        for page, label, icon in _PAGES:
            st.page_link(page, label=label, icon=icon, query_params=address, width="content")
    folder = folder_box.ask(
        "Folder of pictures to look through",
        label_visibility="collapsed",
        key="pictures",
        placeholder="a folder on this machine",
        help="Every picture below it is looked at once, for all channels of the layer together. It is only read, on "
        "the machine that this app runs on.",
    )
    work = patches_work(query.network, query.layer, query.framing, folder) if folder else None
    session.section("patches", work, lambda now: _draw(net, now, channel, bool(folder)))


def _draw(net: Network, status: Status[StrongestPatches], channel: int, asked: bool) -> None:
    if not asked:
        return
    with errors.guarded("The patches"):
        if status.failure is not None:
            errors.panel(status.failure, "This folder could not be looked through")
        session.progress("patches", status)
        found: StrongestPatches | None = status.value
        if found is None:
            return
        _row(net, found, channel)
        skipped = f"; {len(found.skipped)} could not be used" if found.skipped else ""
        values = found.values[channel]
        tied = " All are equally strong, at the layer’s upper limit: others may be, too." if _tied(values) else ""
        st.caption(
            words.plain(
                f"Channel {channel} of {found.layer} in {found.done:,} of {len(found.files):,} pictures{skipped}. One "
                f"place for each picture: the area that its cell can see, with the channel’s value.{tied}"
            )
        )


def _tied(values: NDArray[np.float32]) -> bool:
    return bool(len(values) > 1 and values[0] > 0 and (values == values[0]).all())


def _row(net: Network, found: StrongestPatches, channel: int) -> None:
    figures = []
    for patch in found.of(channel):
        name = html.escape(patch.file.name)
        try:
            picture = f'<img src="{patch_url(net, patch, found)}" alt="Patch of {name}">'
        except CamcoreError:
            picture = '<div class="none"></div>'  # the file has gone since; its name and value stand
        figures.append(f'<figure title="{name}">{picture}<figcaption>{patch.value:.3g} · {name}</figcaption></figure>')
    st.html(f'<div class="cam-patches">{"".join(figures)}</div>')
