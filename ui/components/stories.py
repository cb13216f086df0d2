"""A presentation over the whole window."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ui.components import register

_story = register("story")


def story(steps: Sequence[Mapping[str, Any]], *, key: str, token: str, on_leave: Callable[[], None]) -> None:
    """A presentation over the whole window, moved by the arrow keys; Escape calls ``on_leave``.

    ``steps``: see ``ui.story.StoryStep``. ``token``: tells one presentation from another, so that a reload comes back
    to the step that was shown.
    """
    _story(key=key, data={"steps": [dict(step) for step in steps], "token": token}, on_left_change=on_leave)
