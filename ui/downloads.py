"""Files to take away: a button for each, alike on every page."""

from collections.abc import Callable, Iterable
from typing import Literal

import streamlit as st

TYPES = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "npz": "application/octet-stream",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "xml": "application/xml",
    "zip": "application/zip",
}
"""Media types by a file name's ending."""

Content = bytes | Callable[[], bytes]


def offer(
    name: str,
    content: Content,
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


def offer_all(
    stem: str,
    files: Iterable[tuple[str, Content, str | None]],
    *,
    key: str,
    ready: bool = True,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """The buttons for several files of one name: (ending, content, about) each."""
    for ending, content, about in files:
        offer(f"{stem}.{ending}", content, about, key=f"{key}_{ending}", ready=ready, width=width)
