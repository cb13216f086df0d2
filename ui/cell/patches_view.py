"""The patches of a folder's pictures that excite one channel most."""

import html
from typing import Any

import streamlit as st

from camcore import CamcoreError
from camcore.features.patches import StrongestPatches
from ui import errors, sidebar, words, working
from ui.cell.works import Question, patch_url, searching
from ui.working import Standing

_PAGES = (
    ("pages/activations.py", "Where it answers", ":material/grid_on:"),
    ("pages/filters.py", "What it looks for", ":material/texture:"),
)


def show(net: Any, question: Question, channel: int, sample: str | None) -> None:
    """The ways to the channel's own pages, the choice of a folder, and nine patches for the channel."""
    with st.container(key="cam_cell_channel", horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"What else excites **channel {channel}**? Look through a folder of pictures:", width="content")
        query = sidebar.query(question.network, question.framing, sample, layer=question.layer, channel=channel)
        for page, label, icon in _PAGES:
            st.page_link(page, label=label, icon=icon, query_params=query, width="content")
    folder = st.text_input(
        "Folder of pictures to look through",
        label_visibility="collapsed",
        key="pictures",
        persist_state="session",
        placeholder="a folder on this machine",
        help="Every picture below it is looked at once, for all channels of the layer together. It is only read, on "
        "the machine that this app runs on.",
    ).strip()
    work = searching(question.network, question.layer, question.framing, folder) if folder else None
    working.section("patches", work, lambda now: _draw(net, now, channel, bool(folder)))


def _draw(net: Any, standing: Standing, channel: int, asked: bool) -> None:
    if not asked:
        return
    with errors.guarded("The patches"):
        if standing.failure is not None:
            errors.panel(standing.failure, "This folder could not be looked through")
        working.progress("patches", standing)
        found: StrongestPatches | None = standing.value
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


def _tied(values: Any) -> bool:
    return bool(len(values) > 1 and values[0] > 0 and (values == values[0]).all())


def _row(net: Any, found: StrongestPatches, channel: int) -> None:
    figures = []
    for patch in found.of(channel):
        name = html.escape(patch.file.name)
        try:
            picture = f'<img src="{patch_url(net, patch, found)}" alt="Patch of {name}">'
        except CamcoreError:
            picture = '<div class="none"></div>'  # the file has gone since; its name and value stand
        figures.append(f'<figure title="{name}">{picture}<figcaption>{patch.value:.3g} · {name}</figcaption></figure>')
    st.html(f'<div class="cam-patches">{"".join(figures)}</div>')
