"""The way to a section of the page on an audit: it comes into view when the page is drawn next."""

from __future__ import annotations

import streamlit as st

from ui.components import scroll

PICTURES, ANOTHER = "pictures", "another-network"
"""Anchors of sections."""


def to(anchor: str) -> None:
    """Have a section come into view."""
    state = st.session_state
    state.update(audit_anchor=anchor, times_picked=state.get("times_picked", 0) + 1)


def show(key: str = "scroll") -> None:
    """Bring the section that was asked for into view; at the end of the page, or of a section that was long to come."""
    state = st.session_state
    scroll(f"#{state.get('audit_anchor', PICTURES)}", key=key, count=state.get("times_picked", 0))


def when_compared() -> None:
    """Have the comparison come into view when it is there: before that the page is too short to go to it."""
    st.session_state["audit_go_compared"] = True


def compared() -> None:
    """The comparison is there; at its end."""
    if st.session_state.pop("audit_go_compared", False):
        to(ANOTHER)
    show("scroll_compared")
