"""The presets of keras_hub: what the installed version knows, and the way to look into one, or into a folder of one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from camcore.models import hub_presets
from camcore.models.hub_presets import PREFIX, HubPreset
from ui import words
from ui.models.view import ways_on

_HEIGHT = 320


def show() -> None:
    """The list with its choice, and a box for a folder."""
    st.markdown(
        "keras_hub is Keras’s library of published networks, transformers among them. A preset is one of these with "
        "its weights and with the preprocessing that belongs to it, which is applied here as it is."
    )
    if not hub_presets.installed():
        st.markdown("It is not installed here. It is optional:")
        st.code(hub_presets.INSTALL, language="bash")
        return
    rows = hub_presets.presets()
    chosen = _choose(rows)
    with st.container(key="cam_hub_chosen", horizontal=True, vertical_alignment="center", gap="small"):
        if chosen is None:
            st.caption("Choose one of the list to look into it.")
        else:
            st.markdown(words.plain(_about(chosen)))
            ways_on(chosen.name)
    _folder()


def _choose(rows: tuple[HubPreset, ...]) -> HubPreset | None:
    """The list of all; the chosen one."""
    st.dataframe(
        [_entry(row) for row in rows],
        hide_index=True,
        height=_HEIGHT,
        key="hub_presets",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Parameters": st.column_config.NumberColumn(format="%.1f M", help="Without its head, as keras_hub counts"),
            "Size": st.column_config.NumberColumn(format="%d MB", help="Of the weights, about: four bytes each"),
        },
        alt="Image classifiers of keras_hub with their parameters, size and where their weights are",
    )
    picked = st.session_state["hub_presets"]["selection"]["rows"]
    return rows[picked[0]] if picked and picked[0] < len(rows) else None


def _entry(row: HubPreset) -> dict[str, object]:
    return {
        "Preset": row.source,
        "Family": row.family,
        "Parameters": (row.parameters or 0) / 1e6,
        "Size": row.download_mb,
        "Weights": "on disk" if row.folder is not None else "not here",
        "About": row.description,
    }


def _about(row: HubPreset) -> str:
    state = "on disk" if row.folder is not None else f"about {words.megabytes(row.download_mb)} to download"
    return f"{row.source}: {state}. {row.description}"


def _folder() -> None:
    """A folder that ``save_to_preset`` wrote, or that was downloaded elsewhere."""
    text = st.text_input(
        "Or the folder of a preset",
        key="hub_folder",
        placeholder="a folder on this machine that classifier.save_to_preset wrote",
    ).strip()
    if not text:
        return
    folder = Path(text).expanduser().absolute()
    if hub_presets.is_folder(folder):
        ways_on(f"{PREFIX}{folder}")
    else:
        st.caption(
            f"There is no preset of a classifier in “{words.plain(text)}”: that folder holds task.json and config.json."
        )
