"""Rows of pictures as plain HTML: each with a title, a line beneath and a text alternative, its space reserved."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from camcore.render.colour import DIVERGING, css_gradient

CHART = {"displaylogo": False, "modeBarButtons": [["toImage"]], "toImageButtonOptions": {"scale": 2}}
"""Plotly's settings for a chart: without its advertisement, and a picture of it to take away."""


@dataclass(frozen=True)
class Figure:
    """One picture. ``src``: a data URL, None while it is on its way. ``lead``: it stands out."""

    title: str
    note: str
    src: str | None
    alt: str = ""
    lead: bool = False


def row(figures: Sequence[Figure], *, ratio: float, columns: int, tallest: float = 48) -> None:
    """Draw a row. ``ratio``: width / height of each picture's space; ``tallest``: of a picture, in % of the screen."""
    cells = []
    for one in figures:
        picture = f'<img src="{one.src}" alt="{html.escape(one.alt)}">' if one.src else ""
        lead = " cam-fig-lead" if one.lead else ""
        cells.append(
            f'<figure class="cam-fig{lead}"><div class="cam-fig-frame">{picture}</div>'
            f"<figcaption><b>{html.escape(one.title)}</b><span>{html.escape(one.note)}</span></figcaption></figure>"
        )
    style = f"--columns:{columns};--ratio:{ratio:.4f};--tallest:{tallest:g}vh"
    st.html(f'<div class="cam-figs" style="{style}">{"".join(cells)}</div>')


def colour_bar(low: str, high: str, middle: str = "0") -> None:
    """The diverging colours from ``low`` to ``high``."""
    words = f"Colours from blue, {low}, over white, {middle}, to red, {high}"
    st.html(
        f'<div class="cam-bar"><span>{html.escape(low)}</span>'
        f'<span class="cam-bar-colours" role="img" aria-label="{html.escape(words)}" '
        f'style="background:{css_gradient(DIVERGING)}"><i></i></span>'
        f"<span>{html.escape(high)}</span></div>"
    )
