"""The state of the map that a page asks for, and what a visitor can do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import camcore
from ui import errors, words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ui.map_request import MapStatus


class StatusPlaces(Protocol):
    """The parts of a page that say what is under way and what went wrong."""

    @property
    def notes(self) -> DeltaGenerator: ...
    @property
    def retry(self) -> DeltaGenerator: ...
    @property
    def progress(self) -> DeltaGenerator: ...
    @property
    def button(self) -> DeltaGenerator: ...


def show(
    places: StatusPlaces, status: MapStatus, fetching: bool, on_run: Callable[[], None], on_stop: Callable[[], None]
) -> DeltaGenerator | None:
    """The work under way, the price of a slow method, or what was stopped; returns the progress bar."""
    asked = status.asked
    title = camcore.METHODS[asked.query.method].title
    if status.busy and status.work.job is not None:
        if status.express or fetching:
            places.button.button("Stop", key="act", on_click=on_stop)
        else:
            places.button.empty()
        return places.progress.progress(*words.under_way(status.work.job.stage))
    if status.work.stopped:
        places.progress.caption(f"{title} was stopped at {asked.done:.0%}.")
        places.button.button("Run again", key="act", on_click=on_run)
    elif asked.cost is not None:
        places.progress.caption(words.price(asked.cost))
        places.button.button(f"Run {title}", type="primary", key="act", on_click=on_run)
    else:
        places.progress.empty()
        places.button.empty()
    return None


def notes(places: StatusPlaces, status: MapStatus, notices: Iterable[str], on_retry: Callable[[], None]) -> None:
    """Failures, and choices that could not be followed."""
    if status.failure is not None:
        places.retry.button("Try again", key="retry", on_click=on_retry)
    else:
        places.retry.empty()
    with places.notes:
        errors.notices(notices, status.failure)
