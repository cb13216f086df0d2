"""Title, style and navigation around every page."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

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
    ("pages/models.py", "Models", ":material/deployed_code:"),
    ("pages/train.py", "Train", ":material/model_training:"),
    ("pages/cats_vs_dogs.py", "Evaluation", ":material/analytics:"),
    ("pages/decision.py", "May we use it?", ":material/gavel:"),
    ("pages/glossary.py", "Glossary", ":material/menu_book:"),
)
"""The pages in the order of the sidebar: script, title, icon. A new page adds its line here."""
GROUPS = (
    ("Look inside", ":material/layers:", ("pages/activations.py", "pages/concepts.py", "pages/filters.py")),
    (
        "Networks",
        ":material/deployed_code:",
        ("pages/models.py", "pages/train.py", "pages/cats_vs_dogs.py", "pages/decision.py"),
    ),
)
"""Pages that share one entry of the sidebar, and a row of links on top of each: title, icon, scripts."""
REPORT, GLOSSARY = "pages/report.py", "pages/glossary.py"

_HERE = Path(__file__).parent
_LINK, _COUNTED = "report_link", "report_counted"


def begin(title: str) -> None:
    """Set up the page and draw the navigation."""
    st.set_page_config(
        page_title=f"{title} · {NAME}",
        page_icon=str(_HERE / "icon.svg"),  # a named icon would be fetched from its maker
        layout="wide",
        initial_sidebar_state="auto",  # closed on a phone, which has no room beside it
    )
    _put("frame.css")
    current = next((script for script, label, _ in PAGES if label == title), "")
    with st.sidebar:
        st.html(f'<div class="cam-name" role="heading" aria-level="1">{NAME}</div>')
        if len(PAGES) > 1:  # with one page there is nowhere to go, and without pages/ page_link finds none
            with st.container(key="cam_nav", gap=None):
                _navigation(current)
    scripts = next((scripts for _, _, scripts in GROUPS if current in scripts), ())
    if scripts and PAGES:
        _neighbours(scripts)


def end() -> None:
    """Draw what stands beneath all else in the sidebar: the link to the glossary."""
    for script, label, icon in PAGES:
        if script == GLOSSARY:
            st.sidebar.page_link(script, label=label, icon=icon)


def count_report() -> None:
    """Bring the number of the report's entries in the sidebar up to date."""
    place = st.session_state.get(_LINK)
    if place is not None and st.session_state.get(_COUNTED) != _entries():
        _report_link(place)


def _navigation(current: str) -> None:
    """The entries of the sidebar; that of a group leads to its first page, or is the page that is open."""
    drawn = set()
    for script, label, icon in PAGES:
        if script == GLOSSARY:
            continue
        group = next((one for one in GROUPS if script in one[2]), None)
        if group is None:
            place = st.empty()
            if script == REPORT:
                st.session_state[_LINK] = place
                _report_link(place)
            else:
                place.page_link(script, label=label, icon=icon)
        elif group not in drawn:
            drawn.add(group)
            title, icon, scripts = group
            st.page_link(current if current in scripts else scripts[0], label=title, icon=icon)


def _neighbours(scripts: Sequence[str]) -> None:
    """A row of links to the pages of one group."""
    with st.container(key="cam_neighbours", horizontal=True, gap="small"):
        for script, label, icon in PAGES:
            if script in scripts:
                st.page_link(script, label=label, icon=icon, width="content")


def _report_link(place: DeltaGenerator) -> None:
    label, icon = next((label, icon) for script, label, icon in PAGES if script == REPORT)
    count = st.session_state[_COUNTED] = _entries()
    place.page_link(REPORT, label=f"{label} ({count})" if count else label, icon=icon)


def _entries() -> int:
    return len(st.session_state.get("basket", ()))


def style(folder: str) -> None:
    """Add the style.css in a page's folder beside this module."""
    _put(f"{folder}/style.css")


def _put(file: str) -> None:
    st.html(f"<style>{_text(file)}</style>")


@functools.cache
def _text(file: str) -> str:
    return (_HERE / file).read_text("utf-8")
