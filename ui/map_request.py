"""One visitor's side of the map that a whole page is about: Inspect's and Trust's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui import urls
from ui.jobs import session
from ui.map_cache import map_cache
from ui.map_work import work
from ui.query import Answer, Failure, Query

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.pictures.picture import Picture

NAME = "map"


@dataclass(frozen=True, eq=False)
class MapStatus:
    """The state of a query when the page was drawn.

    ``answer``: the fullest thing that can be shown for this picture, maybe the last query's. ``asked``: how far this
    very query is answered. ``express``: the visitor has pressed Run.
    """

    answer: Answer
    asked: Answer
    work: session.Status[Answer]
    express: bool

    @property
    def busy(self) -> bool:
        """A worker is at it."""
        return self.work.busy

    @property
    def failure(self) -> Failure | None:
        """The reason why there is no map."""
        return self.work.failure


def ask(query: Query, picture: Picture, *, allowed: bool = True) -> MapStatus:
    """Ask what is not known yet; waits for a moment at most. ``allowed`` False: only look up what is known."""
    express = session.pressed(NAME) == query
    known = map_cache().known(query, picture, express)
    wanted = work(map_cache(), known, express) if allowed and not known.complete else None
    first = st.session_state.get("shown") is None  # the photograph must not wait for its map
    patience = session.QUICK if first else session.WARM
    status = session.ask(NAME, wanted, 0.0 if known.network is None else patience)
    if status.failure is not None:
        _put_choice_back(status.failure, query, status.value or known)
    asked = status.value or known
    if asked.whole_map is not None:
        st.session_state["shown"] = query
    return MapStatus(asked if asked.map is not None else _earlier(asked), asked, status, express)


def run(query: Query) -> None:
    """Run a slow method now that its price is known."""
    session.press(NAME, query)
    session.retry(NAME)


def stop() -> None:
    """Stop the job that this visitor waits for and keep what it has."""
    answer: Answer | None = session.latest(NAME)
    session.stop(NAME)
    if answer is None or answer.map is None or answer.done >= 1.0:  # nothing of it is there yet
        session.press(NAME, None)


def retry() -> None:
    """Ask again what failed."""
    session.retry(NAME)


def follow(status: MapStatus, bar: DeltaGenerator | None) -> None:
    """Watch the job until there is more to draw, then run the script again; see ``session.follow``."""
    session.follow(status.work, bar, lambda answer: answer.done < 1.0)


def _put_choice_back(failure: Failure, query: Query, answer: Answer) -> None:
    """Put back a choice that could not be followed: say so, and draw the page with the usual one."""
    if failure.kind == "LayerError" and query.layer is not None:
        urls.object_to("layer", f"{failure.message} Showing the recommended layer instead.")
        session.rerun()
    # The network has answered, so it is the class that it does not have.
    if failure.kind == "ModelError" and answer.predictions and query.class_index is not None:
        urls.object_to("class", f"{failure.message} Showing the network's first choice instead.")
        session.rerun()


def _earlier(asked: Answer) -> Answer:
    """The last result of the same picture, to stay on the page until the next is there."""
    shown: Query | None = st.session_state.get("shown")
    if shown is None or shown.picture != asked.query.picture:
        return asked
    earlier = map_cache().known(shown, asked.picture)
    return earlier if earlier.map is not None else asked
