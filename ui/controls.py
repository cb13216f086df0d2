"""Controls of a map's drawing on a photograph, which many pages have, and their parameters in an address."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

import streamlit as st

from camcore.render.colour import COLORMAPS
from ui.urls import Parameter, whole_number

RUN_KEY = "Ctrl+Enter"
"""The shortcut of the one button on a page that begins what takes long."""

SMOOTH, NATIVE = GRIDS = ("smooth", "native")
GRID = Parameter("grid", "grid view", SMOOTH, GRIDS, bound=True)
OPACITY = Parameter("opacity", "opacity", 70, parse=whole_number(0, 100), bound=True)
BY_VALUE, UNIFORM = BLENDS = ("by value", "uniform")
BLEND = Parameter("blend", "kind of opacity", BY_VALUE, BLENDS, bound=True)
COLORMAP = Parameter("colormap", "colour map", COLORMAPS[0], COLORMAPS, bound=True)


class Mirrored(TypedDict):
    """Arguments for a widget of a choice that other parts of the page make, too."""

    key: str
    on_change: Callable[[], None]


def mirrored(name: str, value: Any, take: Callable[[Any], None]) -> Mirrored:
    """Put ``value`` into the state of a widget that shows a choice which other parts of the page make, too.

    ``take``: gets what somebody chooses in the widget itself.

    Each message of the browser brings the states of all widgets. One that was under way while a press elsewhere was
    answered, of a section's clock for instance, still brings the old state, and Streamlit would take it for a choice
    and undo the press. So whenever something else has changed the value the widget gets a new key, and what comes for
    an older one is passed over.
    """
    state = st.session_state
    turn, last = state.get(f"{name}_turn", (0, value))
    if state.get(f"{name}_{turn}", last) != value:
        turn += 1
    key = f"{name}_{turn}"
    state[f"{name}_turn"], state[key] = (turn, value), value

    def changed() -> None:
        if state[f"{name}_turn"][0] == turn:
            take(state[key])

    return Mirrored(key=key, on_change=changed)


def segments(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    labelled: bool = False,
    help: str | None = None,
    format_func: Callable[[Any], str] = str,
) -> str:
    """One of a few words, bound to the address; the first one is the default."""
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="visible" if labelled else "collapsed",
        help=help,
        format_func=format_func,
    )
    return str(chosen or options[0])


def choice(label: str, titles: Mapping[str, str], key: str) -> str:
    """One of a few, by its title, kept from page to page; the page's address carries the key of ``titles``."""
    chosen = st.segmented_control(
        label, list(titles), required=True, key=key, persist_state="session", format_func=titles.__getitem__
    )
    return str(chosen or next(iter(titles)))


def smooth() -> bool:
    """Draw the choice of a smooth map or one of cells; True for smooth."""
    return segments("Grid", GRIDS, GRID.name) == SMOOTH


def by_value(labelled: bool = True) -> bool:
    """Draw the choice between an opacity that goes with the map's value and a uniform one; True for the first."""
    help = "**by value**: the photograph shows through where the map has little. **uniform**: equally everywhere."
    if not labelled:
        return segments("Opacity", BLENDS, BLEND.name) == BY_VALUE
    return bool(st.selectbox("Opacity", BLENDS, key=BLEND.name, bind="query-params", help=help) == BY_VALUE)


def opacity(of: str, width: int | Literal["stretch"] = "stretch") -> int:
    """The opacity of what lies on the photograph, in percent; ``of``: its name, for screen readers."""
    return st.slider(
        f"Opacity of {of}",
        0,
        100,
        OPACITY.default,
        5,
        key=OPACITY.name,
        bind="query-params",
        format="opacity %d %%",
        label_visibility="collapsed",
        width=width,
    )
