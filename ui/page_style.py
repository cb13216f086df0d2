"""Style that one page alone needs: the style.css in the page's folder beside this module."""

import functools
from pathlib import Path

import streamlit as st


def add(page: str) -> None:
    """Put a page's own style on it."""
    st.html(f"<style>{_style(page)}</style>")


@functools.cache
def _style(page: str) -> str:
    return (Path(__file__).parent / page / "style.css").read_text("utf-8")
