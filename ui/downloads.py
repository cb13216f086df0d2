"""Files to take away: a button for each, alike on every page."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

TYPES = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "npz": "application/octet-stream",
    "pdf": "application/pdf",
    "png": "image/png",
    "zip": "application/zip",
}
"""Media types by a file name's ending."""


def offer(
    name: str,
    content: bytes | Callable[[], bytes],
    about: str | None = None,
    *,
    key: str,
    ready: bool = True,
    label: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """The button for a file ``name``, whose ending decides the type and, without ``label``, what the button says.

    ``content``: what is in it, or what makes that when the button is pressed; ``about`` says it in words.
    ``ready`` False: the button waits, and the content is not asked for.
    """
    ending = name.rsplit(".", 1)[-1]
    st.download_button(
        label or ending.upper(),
        content if ready else b"",
        name,
        TYPES[ending],
        key=key,
        on_click="ignore",
        disabled=not ready,
        icon=":material/download:",
        help=about,
        width=width,
    )
