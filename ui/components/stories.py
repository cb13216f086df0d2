"""A presentation over the whole window."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ui.components import register

_story = register("story")


def story(steps: Sequence[Mapping[str, Any]], *, key: str, token: str, on_leave: Callable[[], None]) -> None:
    """A presentation over the whole window, moved by the arrow keys; Escape calls ``on_leave``.

    ``steps``: see ``ui.report.story``. ``token``: tells one presentation from another, so that a reload comes back
    to the step that was shown.
    """
    images: dict[str, int] = {}  # a picture that several steps show is sent once
    sent = [
        {**step, "pictures": [{**one, "src": images.setdefault(one["src"], len(images))} for one in step["pictures"]]}
        if "pictures" in step
        else dict(step)
        for step in steps
    ]
    _story(key=key, data={"steps": sent, "images": list(images), "token": token}, on_left_change=on_leave)
