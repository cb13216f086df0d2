"""The page's own widgets: Python wrappers that take and return plain values, HTML, CSS and JS beside them.

Each is registered once, when this module is imported. Components are not sandboxed, so nothing from outside
(labels, file names) reaches their HTML: JavaScript sets text with ``textContent`` only.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import streamlit as st

_HERE = Path(__file__).parent


def _register(name: str) -> Callable[..., Any]:
    def text(kind: str) -> str | None:
        path = _HERE / name / f"{name}.{kind}"
        return path.read_text("utf-8") if path.exists() else None

    return st.components.v2.component(f"cam_{name}", html=text("html"), css=text("css"), js=text("js"))


_compare, _scores, _tiles = _register("compare"), _register("scores"), _register("tiles")
_paste, _copy_link = _register("paste"), _register("copy_link")
_schematic, _scroll = _register("schematic"), _register("scroll")


class ScoreRow(TypedDict):
    """One bar: what a click returns, the name, the share in 0..1 and the words for it."""

    id: int
    label: str
    share: float
    text: str
    selected: bool


class Tile(TypedDict, total=False):
    """One picture button. ``src`` is a data URL, or None while the picture is on its way."""

    id: str
    title: str
    note: str
    src: str | None
    alt: str
    selected: bool
    starred: bool


def compare(
    *,
    key: str,
    original: str,
    overlay: str | None,
    size: tuple[int, int],
    view: Literal["compare", "side by side"] | str,
    alt: tuple[str, str],
    grid: dict[str, Any] | None,
    gradient: str,
    maximum: str,
    busy: bool,
) -> None:
    """The photograph against its overlay: one under the other with a handle, or side by side.

    ``original``, ``overlay``: data URLs; ``size``: the photograph's (height, width), which reserves the
    space before anything is computed; ``grid``: ``rasters.hover`` of the map, for the value under the
    pointer; ``maximum``: the words for the colour bar's upper end.
    """
    data = {
        "original": original,
        "overlay": overlay,
        "height": size[0],
        "width": size[1],
        "mode": view,
        "alt": list(alt),
        "grid": grid,
        "gradient": gradient,
        "maximum": maximum,
        "busy": busy,
    }
    _compare(key=key, data=data)


def scores(rows: Sequence[ScoreRow], *, key: str, on_pick: Callable[[int], None]) -> None:
    """Bars that are buttons; ``on_pick`` gets the id of the one pressed, before the script runs again."""
    data = {"rows": list(rows)}
    _scores(key=key, data=data, on_picked_change=lambda: on_pick(int(st.session_state[key]["picked"])))


def tiles(
    items: Sequence[Tile], *, key: str, label: str, columns: int, ratio: float, on_pick: Callable[[str], None]
) -> None:
    """A row of picture buttons; ``ratio``: width / height of every picture's space."""
    data = {"items": list(items), "label": label, "columns": columns, "ratio": ratio}
    _tiles(key=key, data=data, on_picked_change=lambda: on_pick(str(st.session_state[key]["picked"])))


def paste(*, key: str, limit: int, on_paste: Callable[[str], None]) -> None:
    """Listens for a picture pasted anywhere on the page; ``on_paste`` gets its bytes in base64.

    ``limit``: bytes above which the browser does not send it at all.
    """
    _paste(
        key=key,
        data={"limit": limit},
        on_pasted_change=lambda: on_paste(str(st.session_state[key]["pasted"])),
    )


def copy_link(*, key: str) -> None:
    """A button that copies the page's address, which carries every choice."""
    _copy_link(key=key, data={})


def schematic(texts: dict[str, str], *, key: str, alt: str) -> None:
    """The drawing of how a classifier comes to its score; ``texts``: the words for its places, by name."""
    _schematic(key=key, data={"texts": texts, "alt": alt})


def scroll(to: str, *, key: str, count: int) -> None:
    """Bring the part that the CSS selector ``to`` names into view whenever ``count`` goes up."""
    _scroll(key=key, data={"to": to, "count": count})
