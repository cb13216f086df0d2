"""Style that one page alone needs: a file beside this module, named as the page."""

import functools
from pathlib import Path

import streamlit as st


def add(page: str) -> None:
    """Put a page's own style on it."""
    st.html(f"<style>{_style(page)}</style>")


@functools.cache
def _style(page: str) -> str:
    return (Path(__file__).parent / f"{page}.css").read_text("utf-8")
