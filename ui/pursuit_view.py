"""How far the map that a page asks for is, what went wrong, and what a visitor can do about either."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import camcore
from ui import errors, words
from ui.asking import Pursuit


class Places(Protocol):
    """The parts of a page that say what is under way and what went wrong."""

    @property
    def notes(self) -> Any: ...
    @property
    def retry(self) -> Any: ...
    @property
    def progress(self) -> Any: ...
    @property
    def button(self) -> Any: ...


def status(
    places: Places, pursuit: Pursuit, fetching: bool, on_run: Callable[[], None], on_stop: Callable[[], None]
) -> Any:
    """What is under way, what a slow method would take, or what was stopped; returns the progress bar."""
    asked = pursuit.asked
    title = camcore.METHODS[asked.question.method].title
    if pursuit.busy and pursuit.job is not None:
        if asked.question.expressly or fetching:
            places.button.button("Stop", key="act", on_click=on_stop)
        else:
            places.button.empty()
        return places.progress.progress(*words.under_way(pursuit.job.stage))
    if pursuit.halted:
        places.progress.caption(f"{title} was stopped at {asked.done:.0%}.")
        places.button.button("Run again", key="act", on_click=on_run)
    elif asked.cost is not None:
        places.progress.caption(words.price(asked.cost))
        places.button.button(f"Run {title}", type="primary", key="act", on_click=on_run)
    else:
        places.progress.empty()
        places.button.empty()
    return None


def notes(places: Places, pursuit: Pursuit, notices: Iterable[str], on_retry: Callable[[], None]) -> None:
    """What went wrong and which choices could not be followed."""
    if pursuit.failure is not None:
        places.retry.button("Try again", key="retry", on_click=on_retry)
    else:
        places.retry.empty()
    with places.notes:
        errors.notices(notices, pursuit.failure)
