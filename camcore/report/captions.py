"""A map in words: its caption, the same in exports, on the page and in the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.methods import METHODS
from camcore.predictions import Prediction
from camcore.text import Scored, duration, percent, readable, score_text, strength

if TYPE_CHECKING:
    from camcore.graph.layers import LayerInfo
    from camcore.heatmaps.cam_map import CamMap


def headline(network: str, weights: str, first: Prediction) -> str:
    """A network's answer, as surely as it says it. ``weights``: where they came from, in words; ``first``: its top."""
    if first.score_kind == "value":
        begins = "has learned nothing yet:" if "random" in weights else "says"
        return f"{network} {begins} {answer_name(first)} is {strength(first)}"
    answer = f"“{readable(first.label)}”, {percent(first.probability)}"
    if "random" in weights:
        return f"{network} has learned nothing yet and guesses {answer}"
    if first.probability < 0.3:
        return f"{network} is not sure: its best guess is {answer}"
    return f"{network} says {answer}"


def answer_name(one: Scored) -> str:
    """The name of a prediction: the class; of a regression its quantity, or "the output"."""
    if one.score_kind != "value":
        return readable(one.label)
    return quantity(one.label)


def quantity(label: str) -> str:
    """The quantity that a regression gives, from the label of either of its classes; "the output" where it has no name.

    ``raises brightness`` → ``brightness``.
    """
    text = readable(label)
    return text.removeprefix("raises").removeprefix("lowers").strip() or "the output"


def map_title(one: Scored, quoted: bool = False) -> str:
    """A map's subject as a title: ``Where it looks for cat``, of a regression ``What raises brightness``."""
    if one.score_kind == "value":
        return f"What {'lowers' if one.lowers else 'raises'} {quantity(one.label)}"
    return f"Where it looks for {f'“{readable(one.label)}”' if quoted else readable(one.label)}"


def explained(one: Scored) -> str:
    """The class that a map explains and how strongly the network says it: ``cat 94 %``.

    Of a regression the value, and which of its two sides: ``brightness 119.5, what raises it``.
    """
    if one.score_kind == "value":
        return f"{quantity(one.label)} {strength(one)}, what {'lowers' if one.lowers else 'raises'} it"
    return f"{readable(one.label)} {strength(one)}"


def geometry(info: LayerInfo) -> str:
    """A layer's grid in words: ``7×7, one cell = 32×32 px of the input, receptive field 491 px``."""
    if info.grid is None:
        return "no grid"
    h, w = info.grid
    if info.stride is None:
        return f"{h}×{w}, which place of the picture a cell belongs to is not known"
    high, wide = (_pixels(abs(step)) for step in info.stride)
    text = f"{h}×{w}, one cell = {high}×{wide} px of the input"
    if min(info.stride) < 0:
        text += ", mirrored"
    if info.receptive_field is not None:
        rows, columns = info.receptive_field
        text += f", receptive field {rows if rows == columns else f'{rows}×{columns}'} px"
    if info.whole_picture:
        text += f", {'attention sees' if info.tokens else 'gates see'} the whole picture"
    return text


def _pixels(size: float) -> str:
    return f"{round(size, 1):g}"


def location(m: CamMap, info: LayerInfo | None) -> str:
    """A map's location in words: its layer and the layer's geometry, or the method's own grid."""
    if info is None:
        return f"on {METHODS[m.method].own_grid}, {m.raw.shape[0]}×{m.raw.shape[1]}"
    return f"{info.path} {geometry(info)}"


def peak_position(values: NDArray[np.floating]) -> str:
    """The position of the largest value of a grid in words: ``top left`` to ``bottom right``, by thirds."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    rows, columns = ("top", "middle", "bottom"), ("left", "centre", "right")
    return f"{rows[3 * row // values.shape[0]]} {columns[3 * column // values.shape[1]]}"


def method_title(m: CamMap) -> str:
    """The method of a map, with the variant where it is not the paper's form."""
    variants = METHODS[m.method].variants
    variant = m.options.get("variant")
    return METHODS[m.method].title + (f" ({variant})" if variants and variant not in (None, variants[0]) else "")


def caption(m: CamMap, info: LayerInfo | None) -> tuple[str, str]:
    """Two lines that say all of a map: network, method and layer, then class, framing and time."""
    return (
        f"{m.network} · {method_title(m)} · {location(m, info)}",
        f"{explained(m)} (class {m.class_index}, {score_text(m)}) · {m.framing} · {duration(m.seconds)}",
    )
