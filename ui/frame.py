"""Title, style and navigation around every page."""

import functools
from pathlib import Path

import streamlit as st

NAME = "CAM workbench"
PAGES = (
    ("app.py", "Inspect", ":material/center_focus_strong:"),
    ("pages/compare.py", "Compare", ":material/view_module:"),
    ("pages/trust.py", "Trust", ":material/verified:"),
    ("pages/audit.py", "Audit", ":material/fact_check:"),
    ("pages/activations.py", "Activations", ":material/grid_on:"),
    ("pages/concepts.py", "Concepts", ":material/category:"),
    ("pages/filters.py", "Filters", ":material/texture:"),
    ("pages/report.py", "Report", ":material/bookmarks:"),
    ("pages/cats_vs_dogs.py", "Cats vs dogs", ":material/pets:"),
    ("pages/train.py", "Train", ":material/model_training:"),
    ("pages/models.py", "Models", ":material/deployed_code:"),
)
"""The pages in the order of the sidebar: script, title, icon. A new page adds its line here."""

_HERE = Path(__file__).parent


def begin(title: str) -> None:
    """Set up the page and draw the navigation."""
    st.set_page_config(
        page_title=f"{title} · {NAME}",
        page_icon=str(_HERE / "icon.svg"),  # a named icon would be fetched from its maker
        layout="wide",
        initial_sidebar_state="expanded",
    )
    _put("frame.css")
    with st.sidebar:
        st.html(f'<div class="cam-name">{NAME}</div>')
        if len(PAGES) > 1:  # with one page there is nowhere to go, and without pages/ page_link finds none
            with st.container(key="cam_nav", gap=None):
                for script, label, icon in PAGES:
                    st.page_link(script, label=label, icon=icon)


def style(folder: str) -> None:
    """Add the style.css in a page's folder beside this module."""
    _put(f"{folder}/style.css")


def _put(file: str) -> None:
    st.html(f"<style>{_text(file)}</style>")


@functools.cache
def _text(file: str) -> str:
    return (_HERE / file).read_text("utf-8")
