"""The controls of how a map lies on a photograph, which many pages have; and how an address names them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from camcore.render.colour import COLORMAPS
from ui.urls import Parameter, whole_number

SMOOTH, NATIVE = GRIDS = ("smooth", "native")
GRID = Parameter("grid", "grid view", SMOOTH, GRIDS, bound=True)
OPACITY = Parameter("opacity", "opacity", 50, parse=whole_number(0, 100), bound=True)
COLORMAP = Parameter("colormap", "colour map", COLORMAPS[0], COLORMAPS, bound=True)


def segments(label: str, options: Sequence[str], key: str, *, labelled: bool = False, **more: Any) -> str:
    """One of a few words, bound to the address; the first one is the default. ``more``: as Streamlit takes it."""
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="visible" if labelled else "collapsed",
        **more,
    )
    return str(chosen or options[0])


def choice(label: str, titles: Mapping[str, str], key: str) -> str:
    """One of a few, by its title, kept from page to page; the page's address carries the key of ``titles``."""
    chosen = st.segmented_control(
        label, list(titles), required=True, key=key, persist_state="session", format_func=titles.__getitem__
    )
    return str(chosen or next(iter(titles)))


def smooth() -> bool:
    """Whether maps are drawn smoothly, or cell by cell."""
    return segments("Grid", GRIDS, GRID.name) == SMOOTH


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
