"""The scaffold of every page: frame, address, notices, guarded sections, and the start of the background work.

    with page("Trust", style="trust") as p:
        from ui import sidebar
        from ui.trust import view

        p.address(view.parameters())
        chosen, model = sidebar.show()
        with p.section("The verdict"):
            view.verdict(chosen, model)

The frame reaches the browser before the body of the ``with`` statement is run. So a page imports what it draws there,
and this module nothing but Streamlit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from ui import frame, urls

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ui.query import Failure
    from ui.urls import Parameter


class Page:
    """One run of a page's script.

    ``offer``, ``retry``: places above all else, for a download to agree to and a button to try again.
    ``left_out``: parameters that the address does not name just now. ``follow``: runs last, when all is drawn and
    published; it may watch running work, and draw the page anew.
    """

    def __init__(self, place: DeltaGenerator) -> None:
        self.offer, self._notices, self.retry = place.container(), place.container(), place.container()
        self.left_out: Collection[str] = ()
        self.follow: Callable[[], None] | None = None
        self._parameters: Sequence[Parameter] = ()
        self._messages: list[str] = []
        self._failure: Failure | None = None

    def address(self, parameters: Sequence[Parameter]) -> frozenset[str]:
        """Take over the choices that the address names; the names of those that were taken."""
        self._parameters = parameters
        return urls.adopt(parameters)

    def section(self, title: str, place: DeltaGenerator | None = None) -> AbstractContextManager[None]:
        """Keep an error inside this part of the page, which is drawn in ``place``."""
        from ui import errors

        return errors.guarded(title, place)

    def notify(self, *messages: str, failure: Failure | None = None) -> None:
        """Say on top of the page which choices could not be followed, and what went wrong."""
        self._messages += messages
        self._failure = failure or self._failure

    def publish(self) -> None:
        """Write the choices into the address: at the end of the page by itself, and from parts that run alone."""
        urls.publish(self._parameters, self.left_out)

    def finish(self, needs_network: bool) -> None:
        """Draw the notices, publish the address, and start the work in the background."""
        from ui import errors
        from ui.networks import start

        urls.clear_others(self._parameters)
        if self._parameters:
            self.publish()
            self._messages = [*urls.notices().values(), *self._messages]
        with self._notices:
            errors.notices(self._messages, self._failure)
        frame.count_report()
        frame.end()
        if needs_network:
            start()


@contextmanager
def page(title: str, style: str = "", *, needs_network: bool = True) -> Iterator[Page]:
    """Frame a page; at the end of the ``with`` statement it is published and its work begins.

    ``style``: the folder in ``ui`` whose style.css it takes. ``needs_network`` False: TensorFlow stays out.
    """
    frame.begin(title)
    if os.environ.get("CAMCORE_PUBLIC"):
        from ui import policy

        policy.introduce()
    if style:
        frame.style(style)
    opened = Page(st.container(key="cam_notes", gap=None))
    try:
        yield opened
    except Exception:
        opened.finish(needs_network)
        raise
    opened.finish(needs_network)
    if opened.follow is not None:
        opened.follow()
