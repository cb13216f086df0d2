"""Messages on the page when something is wrong: in place, calm, with the details one click below."""

from __future__ import annotations

import contextlib
import html
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import streamlit as st

from camcore.text import one_line
from ui import policy
from ui.query import Failure

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_LOG = logging.getLogger(__name__)


def notices(messages: Iterable[str], failure: Failure | None = None) -> None:
    """Choices that could not be followed, and what went wrong; one element, empty where all is well.

    Text is escaped: it may hold a file's name, an address or a foreign library's words.
    """
    parts = [_panel(failure, "This did not work")] if failure is not None else []
    parts += [
        f'<div class="cam-note" role="status">{html.escape(one_line(policy.veiled(message)))}</div>'
        for message in messages
    ]
    if parts:
        st.html("".join(parts))
    else:
        st.empty()


def panel(failure: Failure, title: str) -> None:
    """Say what went wrong, with the details one click below."""
    st.html(_panel(failure, title))


def _panel(failure: Failure, title: str) -> str:
    message = html.escape(one_line(policy.veiled(failure.message)))
    details = f"<details><summary>Details</summary><code>{html.escape(failure.details[:2000])}</code></details>"
    return (
        f'<div class="cam-note cam-error" role="alert"><b>{html.escape(title)}.</b> {message}'
        f"{'' if policy.policy().public else details}</div>"
    )


@contextlib.contextmanager
def guarded(what: str, place: DeltaGenerator | None = None) -> Iterator[None]:
    """Keep an error inside the part of the page where it happened, which is drawn in ``place``."""
    with contextlib.nullcontext() if place is None else place:
        try:
            yield
        except Exception as error:
            _LOG.exception("%s could not be shown", what)
            panel(Failure.of(error), f"{what} could not be shown")
