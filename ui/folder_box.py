"""The box for a folder of the server: a path where it is the visitor's machine, else one of those open to visitors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import streamlit as st

from camcore import CamcoreError
from ui import errors, policy


def ask(
    label: str,
    *,
    key: str,
    placeholder: str,
    help: str | None = None,
    on_change: Callable[[], None] | None = None,
    width: int | Literal["stretch"] = "stretch",
    label_visibility: Literal["visible", "collapsed"] = "visible",
    own: str = "",
    fits: Callable[[Path], bool] = Path.is_dir,
) -> str:
    """What the visitor names, "" for nothing; ``ui.policy.place`` tells the folder of it.

    On a public server it is one of the folders that the operator has opened and that ``fits`` takes, or of the
    visitor's own in ``own`` there; a name from the address that is none of these is dropped, whether or not there is
    such a folder.
    """
    if not policy.policy().public:
        return st.text_input(
            label,
            key=key,
            persist_state="session",
            placeholder=placeholder,
            help=help,
            on_change=on_change,
            width=width,
            label_visibility=label_visibility,
        ).strip()
    names = _open(own, fits)
    given = st.session_state.get(key)
    if given not in names:
        st.session_state[key] = None
        if given:
            errors.notices([policy.CLOSED])
    if not names:
        if not own:
            st.caption("The operator of this server has opened no folder of it to visitors.")
        return ""
    chosen = st.selectbox(
        label,
        names,
        index=None,
        key=key,
        persist_state="session",
        placeholder="one that is open to visitors",
        help="The folders that the operator of this server has opened to its visitors. They are only read.",
        on_change=on_change,
        width=width,
        label_visibility=label_visibility,
    )
    return chosen or ""


def _open(own: str, fits: Callable[[Path], bool]) -> list[str]:
    """The names of the folders that a visitor of a public server may choose."""
    names = [name for name, path in policy.policy().folders.items() if fits(path)]
    if own:
        with suppress(CamcoreError):  # there is no room for it: whatever is to be written there says so
            names += [policy.shown(path) for path in sorted(policy.own_folder(own).iterdir()) if fits(path)]
    return names
