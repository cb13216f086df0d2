"""A photograph on which a box is drawn."""

from collections.abc import Callable, Sequence

from ui.components import event, register

_region = register("region")


def region(
    *,
    key: str,
    photo: str,
    overlay: str | None,
    size: tuple[int, int],
    box: Sequence[int] | None,
    seen: Sequence[float] | None,
    alt: str,
    label: str,
    hint: str,
    on_draw: Callable[[tuple[int, int, int, int] | None], None],
) -> None:
    """A picture on which a box is drawn, moved and stretched, by mouse or keyboard.

    ``photo``, ``overlay``: data URLs; ``size``: the picture's (height, width); ``box``, and what ``on_draw`` gets:
    (top, left, bottom, right) edges in whole pixels of the picture, None for no box. ``seen``: what the network sees.
    """

    def drawn(text: str) -> None:
        if text == "none":
            on_draw(None)
        else:
            top, left, bottom, right = map(int, text.split(","))
            on_draw((top, left, bottom, right))

    data = {
        "photo": photo,
        "overlay": overlay,
        "size": list(size),
        "box": None if box is None else list(box),
        "seen": None if seen is None else list(seen),
        "alt": alt,
        "label": label,
        "hint": hint,
    }
    _region(key=key, data=data, on_drawn_change=event(key, "drawn", drawn))
