"""The state of the map that a page asks for, and what a visitor can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import camcore
from ui import controls, words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ui.map_request import MapStatus


def show(
    progress: DeltaGenerator,
    button: DeltaGenerator,
    status: MapStatus,
    fetching: bool,
    on_run: Callable[[], None],
    on_stop: Callable[[], None],
) -> DeltaGenerator | None:
    """The work under way, the price of a slow method, or what was stopped; returns the progress bar."""
    asked = status.asked
    title = camcore.METHODS[asked.query.method].title
    if status.busy and status.work.job is not None:
        if status.express or fetching:
            button.button("Stop", key="act", on_click=on_stop)
        else:
            button.empty()
        return progress.progress(*words.under_way(status.work.job.stage))
    if status.work.stopped:
        progress.caption(f"{title} was stopped at {words.percent(asked.done)}.")
        button.button("Run again", key="act", on_click=on_run, shortcut=controls.RUN_KEY)
    elif asked.cost is not None:
        progress.caption(words.price(asked.cost))
        button.button(f"Run {title}", type="primary", key="act", on_click=on_run, shortcut=controls.RUN_KEY)
    else:
        progress.empty()
        button.empty()
    return None


def retry(place: DeltaGenerator, status: MapStatus, on_retry: Callable[[], None]) -> None:
    """A button to ask again what failed."""
    if status.failure is not None:
        place.button("Try again", key="retry", on_click=on_retry)
    else:
        place.empty()
