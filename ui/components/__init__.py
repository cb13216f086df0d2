"""The page's own widgets: Python wrappers that take and return plain values, HTML, CSS and JS beside them.

Each is registered once, when this module is imported. Components are not sandboxed, so nothing from outside
(labels, file names) reaches their HTML: JavaScript sets text with ``textContent`` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import streamlit as st

_HERE = Path(__file__).parent


def register(name: str) -> Callable[..., object]:
    """Register the component in the folder of that name."""

    def text(kind: str) -> str | None:
        path = _HERE / name / f"{name}.{kind}"
        return path.read_text("utf-8") if path.exists() else None

    return st.components.v2.component(f"cam_{name}", html=text("html"), css=text("css"), js=text("js"))


def event(key: str, name: str, call: Callable[[str], object] | None) -> Callable[[], None]:
    """A callback for the event ``name`` of the component ``key`` that hands its value to ``call``."""

    def changed() -> None:
        value = st.session_state[key].get(name)
        if call is not None and value is not None:
            call(str(value))

    return changed


_compare, _scores, _tiles = register("compare"), register("scores"), register("tiles")
_paste, _copy_link = register("paste"), register("copy_link")
_schematic, _scroll, _maps = register("schematic"), register("scroll"), register("maps")


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


class MapCell(TypedDict, total=False):
    """One map of many. ``name``: all that tells it from the others; ``grid``: of ``ui.grids``, None where it has none.

    ``top``: the raw value of the last colour; ``signed``: drawn with both signs; ``tags``: marks on the picture;
    ``message``: why there is no map, ``why``: at length; ``share``: how much of a growing one is done; ``figures``:
    how it agrees with the reference.
    """

    id: str
    name: str
    title: str
    note: str
    alt: str
    grid: Mapping[str, Any] | None
    top: float
    signed: bool
    tags: list[str]
    message: str
    why: str
    busy: bool
    share: float | None
    figures: str


class MapLine(TypedDict):
    """A row of maps and its title."""

    title: str
    note: str
    cells: list[MapCell]


class ColourBar(TypedDict):
    """The colours and what stands at their ends."""

    low: str
    high: str
    gradient: str


@dataclass(frozen=True)
class MapsLook:
    """Drawing of many maps: opacity in 0..1; ``colours``, ``diverging``: tables of 256 RGB colours in base64.

    ``by_value``: the opacity goes with the map's value, else it is the same everywhere.
    """

    opacity: float
    smooth: bool
    colours: str
    diverging: str
    by_value: bool = True


def maps(
    lines: Sequence[MapLine],
    *,
    key: str,
    photo: str,
    size: tuple[int, int],
    look: MapsLook,
    bars: Sequence[ColourBar],
    label: str,
    hint: str,
    heads: Sequence[tuple[str, str]] = (),
    group: str = "maps",
    tallest: float = 0.6,
    most: int = 6,
    summary: bool = True,
    area: Sequence[float] | None = None,
    reference: str | None = None,
    differences: bool = False,
    raw: bool = False,
    on_pin: Callable[[str], None] | None = None,
    on_open: Callable[[str], None] | None = None,
) -> None:
    """Many maps on one photograph, read together: a place pointed at in one is read in all of the same ``group``.

    ``photo``: data URL; ``size``: the photograph's (height, width). With ``heads`` the columns are fixed, else the
    maps flow into at most ``most`` columns. ``tallest``: share of the screen's height. ``area``: the part
    of the photograph to show, (top, left, bottom, right) in its pixels. ``reference``: the id of the
    map that all others are compared with; with ``differences`` they show how they differ from it. ``raw``: what is
    read is the raw value, not its share of the scale.
    """

    data = {
        "lines": list(lines),
        "heads": [{"title": title, "note": note} for title, note in heads],
        "flow": not heads,
        "columns": len(lines[0]["cells"]) if lines else 1,
        "most": most,
        "photo": photo,
        "size": list(size),
        "look": asdict(look),
        "bars": list(bars),
        "label": label,
        "hint": hint,
        "group": group,
        "tallest": tallest,
        "summary": summary,
        "area": None if area is None else list(area),
        "reference": reference,
        "differences": differences,
        "raw": raw,
        "pins": on_pin is not None,
        "opens": on_open is not None,
    }
    _maps(
        key=key,
        data=data,
        on_pinned_change=event(key, "pinned", on_pin),
        on_opened_change=event(key, "opened", on_open),
    )


def compare(
    *,
    key: str,
    original: str,
    overlay: str | None,
    size: tuple[int, int],
    view: Literal["compare", "side by side"] | str,
    alt: tuple[str, str],
    grid: Mapping[str, object] | None,
    gradient: str,
    maximum: str,
    busy: bool,
    tag: str = "Where it looks",
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """The photograph against its overlay: one under the other with a handle, or side by side.

    ``original``, ``overlay``: data URLs; ``size``: the photograph's (height, width), which reserves the
    space before anything is computed; ``grid``: ``rasters.hover`` of the map, for the value under the
    pointer; ``maximum``: the words for the colour bar's upper end; ``tag``: those on the overlay. ``on_pick``
    gets a place that was pressed, "40.5-55", in percent of the photograph from the top and from the left; without
    it nothing can be chosen.
    """

    data = {
        "picks": on_pick is not None,
        "original": original,
        "overlay": overlay,
        "height": size[0],
        "width": size[1],
        "mode": view,
        "alt": list(alt),
        "grid": grid,
        "gradient": gradient,
        "maximum": maximum,
        "tag": tag,
        "busy": busy,
    }
    st.html(f"<style>.st-key-{key} {{ --ratio: {(2 if view != 'compare' else 1) * size[1] / size[0]:.4f}; }}</style>")
    _compare(key=key, data=data, on_picked_change=event(key, "picked", on_pick))


def scores(rows: Sequence[ScoreRow], *, key: str, on_pick: Callable[[int], None]) -> None:
    """Bars that are buttons; ``on_pick`` gets the id of the one pressed, before the script runs again."""
    data = {"rows": list(rows)}
    _scores(key=key, data=data, on_picked_change=event(key, "picked", lambda index: on_pick(int(index))))


def tiles(
    items: Sequence[Tile], *, key: str, label: str, columns: int, ratio: float, on_pick: Callable[[str], None]
) -> None:
    """A row of picture buttons; ``ratio``: width / height of every picture's space."""
    data = {"items": list(items), "label": label, "columns": columns, "ratio": ratio}
    st.html(f"<style>.st-key-{key} {{ --ratio: {ratio:.4f}; }}</style>")
    _tiles(key=key, data=data, on_picked_change=event(key, "picked", on_pick))


def paste(*, key: str, limit: int, on_paste: Callable[[str], None]) -> None:
    """Listens for a picture pasted anywhere on the page; ``on_paste`` gets its bytes in base64.

    ``limit``: bytes above which the browser does not send it at all.
    """
    _paste(key=key, data={"limit": limit}, on_pasted_change=event(key, "pasted", on_paste))


def copy_link(*, key: str) -> None:
    """A button that copies the page's address, which carries every choice."""
    _copy_link(key=key, data={})


def schematic(texts: dict[str, str], *, key: str, alt: str) -> None:
    """The drawing of how a classifier comes to its score; ``texts``: the words for its places, by name."""
    _schematic(key=key, data={"texts": texts, "alt": alt})


def scroll(to: str, *, key: str, count: int) -> None:
    """Bring the part that the CSS selector ``to`` names into view whenever ``count`` goes up."""
    _scroll(key=key, data={"to": to, "count": count})
