"""Pictures, figures and charts on the page: rows of pictures with their captions, tiles of numbers, colour bars."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from camcore.render.colour import DIVERGING, css_gradient
from camcore.render.curves import training_curves
from camcore.text import MINUS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from camcore.training.runs import Epoch

CHART = {"displaylogo": False, "modeBarButtons": [["toImage"]], "toImageButtonOptions": {"scale": 2}}
"""Plotly's settings for a chart: without its advertisement, and a picture of it to take away."""
NO_NOTE = "\N{NO-BREAK SPACE}"
"""A note that keeps its line where there is nothing to say yet."""


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


def numbers(parts: Sequence[tuple[str, str, str]], label: str = "") -> None:
    """A row of large numbers: (number, its name, a note beneath) each; without any, the space for them.

    ``label``: the row's name for screen readers.
    """
    if not parts:
        st.html('<div class="cam-figures" aria-hidden="true"></div>')
        return
    cells = "".join(
        f"<div><b>{html.escape(number)}</b><span>{html.escape(name)}</span><small>{html.escape(note)}</small></div>"
        for number, name, note in parts
    )
    named = f'role="group" aria-label="{html.escape(label)}"' if label else 'role="status"'
    st.html(f'<div class="cam-figures" {named}>{cells}</div>')


def colour_bar(low: str, high: str, middle: str = "0") -> None:
    """The diverging colours from ``low`` to ``high``."""
    words = f"Colours from blue, {low}, over white, {middle}, to red, {high}"
    st.html(
        f'<div class="cam-bar"><span>{html.escape(low)}</span>'
        f'<span class="cam-bar-colours" role="img" aria-label="{html.escape(words)}" '
        f'style="background:{css_gradient(DIVERGING)}"><i></i></span>'
        f"<span>{html.escape(high)}</span></div>"
    )


def evidence_bar(scale: str, against: str = "against", in_favour: str = "for") -> None:
    """The colours of evidence that end at ± ``scale``, with the words for both ends."""
    colour_bar(f"{MINUS}{scale} {against}", f"+{scale} {in_favour}")


def chart(figure: go.Figure, *, key: str, alt: str, buttons: Sequence[str] = ()) -> None:
    """A Plotly figure at its own height, with a picture of it to take away. ``alt``: its content in words.

    ``buttons``: of Plotly's own, beside that for the picture.
    """
    config = {**CHART, "modeBarButtons": [["toImage", *buttons]]}
    st.plotly_chart(figure, key=key, height=figure.layout.height, config=config, alt=alt)


def training_log(log: Sequence[Epoch], *, last: int) -> go.Figure:
    """Loss and accuracy of a training run by epoch. ``last``: the epoch at which it is to end."""
    return training_curves(
        [line.epoch for line in log],
        ([line.loss for line in log], [line.val_loss for line in log]),
        ([line.accuracy for line in log], [line.val_accuracy for line in log]),
        last=last,
        sizes=[line.size for line in log],
    )
