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


def show() -> None:
    """Bring the section that was asked for into view; at the end of the page."""
    state = st.session_state
    scroll(f"#{state.get('audit_anchor', PICTURES)}", key="scroll", count=state.get("times_picked", 0))
