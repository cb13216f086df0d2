"""The box for pictures that are on another machine: a ZIP file becomes a folder here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from camcore import CamcoreError
from ui import errors, limits, policy
from ui.query import Failure
from ui.training import runs, zip_upload

PICTURES = "pictures"
"""The folder of uploaded pictures, beside that of the networks."""


def show(on_taken: Callable[[], None]) -> None:
    """Draw the box; ``on_taken`` is called where the folder of a ZIP file has become the chosen one."""
    failure = st.session_state.get("zip_failure")
    public = policy.policy().public
    with st.expander(
        "Upload the pictures" if public else "The pictures are on another machine", expanded=bool(failure)
    ):
        st.file_uploader(
            "A ZIP file of the folder",
            type="zip",
            key=_key(),
            max_upload_size=limits.upload_mb(),
            on_change=_unpack,
            args=(on_taken,),
            help=f"Only pictures are kept, {'until you leave' if public else f'below {str(_home())!r}'}.",
        )
        if failure is not None:
            errors.panel(failure, "This ZIP file was not taken")


def _unpack(on_taken: Callable[[], None]) -> None:
    state = st.session_state
    file = state[_key()]
    if file is None:
        return
    try:
        policy.count_upload(file.size)
        zip_upload.make_room(_home(), _in_use())
        state["data"] = policy.shown(zip_upload.unpack(file, file.name, _home()))
    except CamcoreError as error:
        state["zip_failure"] = Failure.of(error)
        return
    state["zip_failure"] = None
    state["zips"] = state.get("zips", 0) + 1  # a new uploader: the old one would hand its file over again
    on_taken()


def _key() -> str:
    return f"zip_{st.session_state.get('zips', 0)}"


def _home() -> Path:
    return runs.home().parent / PICTURES


def _in_use() -> set[Path]:
    """The folders of pictures that a training may be taken up with."""
    return {Path(run.arguments[0]) for run in runs.listed() if run.arguments and run.kind != "done"}
