"""Limits of uploads, as the boxes tell them and the server holds them."""

import streamlit as st

UPLOAD_MB = 500
"""The largest file that is taken: a ZIP file of pictures, or weights. ``.streamlit/config.toml`` has the same."""
PICTURE_MB = 10
"""The largest picture, as camcore has it."""


def upload_mb() -> int:
    """The largest file that is taken here: less where whoever runs the server says so."""
    return min(UPLOAD_MB, int(st.get_option("server.maxUploadSize")))


def picture_mb() -> int:
    """The largest picture that is taken here."""
    return min(PICTURE_MB, upload_mb())
