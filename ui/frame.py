"""What every page has around it: title, style, and the way to the other pages."""

import functools
from pathlib import Path

import streamlit as st

NAME = "CAM workbench"
PAGES = (
    ("app.py", "Inspect", ":material/center_focus_strong:"),
    ("pages/compare.py", "Compare", ":material/view_module:"),
    ("pages/trust.py", "Trust", ":material/verified:"),
    ("pages/activations.py", "Activations", ":material/grid_on:"),
    ("pages/concepts.py", "Concepts", ":material/category:"),
    ("pages/filters.py", "Filters", ":material/texture:"),
    ("pages/report.py", "Report", ":material/bookmarks:"),
    ("pages/cats_vs_dogs.py", "Cats vs dogs", ":material/pets:"),
    ("pages/train.py", "Train", ":material/model_training:"),
    ("pages/models.py", "Models", ":material/deployed_code:"),
)
"""The pages in the order of the sidebar: script, label, icon. A new page adds its line here."""


def begin(title: str) -> None:
    """Set up the page; the first call of every page's script."""
    st.set_page_config(
        page_title=f"{title} · {NAME}",
        page_icon=str(Path(__file__).with_name("icon.svg")),  # a named icon would be fetched from its maker
        layout="wide",
        initial_sidebar_state="expanded",
    )
    st.html(f"<style>{_style()}</style>")
    with st.sidebar:
        st.html(f'<div class="cam-name">{NAME}</div>')
        if len(PAGES) > 1:  # with one page there is nowhere to go, and without pages/ page_link finds none
            with st.container(key="cam_nav", gap=None):
                for script, label, icon in PAGES:
                    st.page_link(script, label=label, icon=icon)


@functools.cache
def _style() -> str:
    return Path(__file__).with_suffix(".css").read_text("utf-8")
