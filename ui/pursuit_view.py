"""How far the map that a page asks for is, what went wrong, and what a visitor can do about either."""

from collections.abc import Callable
from typing import Any

import camcore
from ui import controls, words
from ui.asking import Pursuit


def status(
    progress: Any,
    button: Any,
    pursuit: Pursuit,
    fetching: bool,
    on_run: Callable[[], None],
    on_stop: Callable[[], None],
) -> Any:
    """What is under way, what a slow method would take, or what was stopped; returns the progress bar."""
    asked = pursuit.asked
    title = camcore.METHODS[asked.question.method].title
    if pursuit.busy and pursuit.job is not None:
        if asked.question.expressly or fetching:
            button.button("Stop", key="act", on_click=on_stop)
        else:
            button.empty()
        return progress.progress(*words.under_way(pursuit.job.stage))
    if pursuit.halted:
        progress.caption(f"{title} was stopped at {asked.done:.0%}.")
        button.button("Run again", key="act", on_click=on_run, shortcut=controls.RUN_KEY)
    elif asked.cost is not None:
        progress.caption(words.price(asked.cost))
        button.button(f"Run {title}", type="primary", key="act", on_click=on_run, shortcut=controls.RUN_KEY)
    else:
        progress.empty()
        button.empty()
    return None


def retry(place: Any, pursuit: Pursuit, on_retry: Callable[[], None]) -> None:
    """Offer to ask again what failed."""
    if pursuit.failure is not None:
        place.button("Try again", key="retry", on_click=on_retry)
    else:
        place.empty()
