"""A map in words: its caption, the same in exports, on the page and in the command line."""

from __future__ import annotations

from camcore.layers import LayerInfo
from camcore.maps import CamMap
from camcore.methods import METHODS
from camcore.predictions import Prediction


def readable(label: str) -> str:
    """A label as people write it: ``Egyptian_cat`` → ``Egyptian cat``."""
    return label.replace("_", " ")


def percent(probability: float) -> str:
    """A probability for reading: ``71 %``, ``0.4 %``, ``< 0.1 %``, ``> 99.9 %``; a dash where there is none."""
    if probability != probability:
        return "–"
    share = 100 * probability
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %" if 0 < share < 9.95 or 99 < share < 100 else f"{share:.0f} %"


def headline(network: str, weights: str, first: Prediction) -> str:
    """What a network says, as surely as it says it. ``weights``: where they came from, in words; ``first``: its top."""
    said = f"“{readable(first.label)}”, {percent(first.probability)}"
    if "random" in weights:
        return f"{network} has learned nothing yet and guesses {said}"
    if first.probability < 0.3:
        return f"{network} is not sure: at most {said}"
    return f"{network} says {said}"


def duration(seconds: float) -> str:
    """A time for reading: ``31 ms``, ``5.6 s``; what took next to nothing is ``< 1 ms``, not none."""
    if 0 <= seconds < 0.0005:
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def geometry(info: LayerInfo) -> str:
    """A layer's grid in words: ``7×7, one cell = 32×32 px of the input, receptive field 491 px``."""
    if info.grid is None or info.stride is None:
        return "no grid"
    h, w = info.grid
    text = f"{h}×{w}, one cell = {_pixels(info.stride[0])}×{_pixels(info.stride[1])} px of the input"
    if info.receptive_field is not None:
        rows, columns = info.receptive_field
        text += f", receptive field {rows if rows == columns else f'{rows}×{columns}'} px"
    if info.whole_picture:
        text += ", gates see the whole picture"
    return text


def _pixels(size: float) -> str:
    return f"{round(size, 1):g}"


def place(m: CamMap, info: LayerInfo | None) -> str:
    """Where a map lies, in words: its layer and the layer's geometry, or the input's own grid."""
    if info is None:
        return f"on the input's own grid, {m.raw.shape[0]}×{m.raw.shape[1]}"
    return f"{info.path} {geometry(info)}"


def method_title(m: CamMap) -> str:
    """The method of a map, with the variant where it is not the paper's form."""
    variants = METHODS[m.method].variants
    variant = m.options.get("variant")
    return METHODS[m.method].title + (f" ({variant})" if variants and variant not in (None, variants[0]) else "")


def caption(m: CamMap, info: LayerInfo | None) -> tuple[str, str]:
    """Two lines that say all of a map: what was asked, and how it was made."""
    return (
        f"{m.network} · {method_title(m)} · {place(m, info)}",
        f"{readable(m.label)} {percent(m.probability)} (class {m.class_index}, logit {m.logit:.2f}) · "
        f"{m.framing} · {duration(m.seconds)}",
    )
