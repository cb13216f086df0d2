"""The sentences on the page: what a network says, and the line beneath a map."""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ui.questions import Answer, Cost

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:-])")


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it stands."""
    return _MARKDOWN.sub(r"\\\1", text)


def label(text: str) -> str:
    """A class's name as people write it: catalogues put underscores between words."""
    return text.replace("_", " ")


@functools.lru_cache(maxsize=16)
def distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The names for a list to choose from: those that occur twice (ImageNet has two cranes) carry their index."""
    often = Counter(labels)
    return tuple(label(text) + (f" ({i})" if often[text] > 1 else "") for i, text in enumerate(labels))


def percent(probability: float) -> str:
    """A share as people write it: 71 %, 0.4 %, under 0.1 %."""
    value = 100 * probability
    if value >= 99.5:
        return "100 %" if value >= 99.95 else f"{value:.1f} %"
    if value >= 9.95:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.1 else "under 0.1 %"


def headline(network: Any, predictions: Sequence[Any]) -> str:
    """One sentence: what the network says, as surely as it says it."""
    first = predictions[0]
    said = f"“{label(first.label)}”, {percent(first.probability)}"
    if "random" in network.weights_note:
        return f"{network.name} has learned nothing yet and guesses {said}"
    if first.probability < 0.3:
        return f"{network.name} is not sure: at most {said}"
    return f"{network.name} says {said}"


def milliseconds(seconds: float) -> str:
    """A duration: 31 ms, 2.4 s."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def duration(seconds: float) -> str:
    """A rough duration for an estimate: under a second, about 9 s, about 3 min."""
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"


def price(cost: Cost) -> str:
    """What a method takes, before it is run."""
    return f"{cost.passes:,.0f} passes, {duration(cost.seconds)}"


def megabytes(size: float) -> str:
    """A download's size."""
    return f"{size:,.0f} MB"


def grid(size: Sequence[int]) -> str:
    """A layer's grid, height × width."""
    return f"{size[0]}×{size[1]}"


def geometry(layer: Any) -> str:
    """What one cell of a layer stands for on the network's input."""
    parts = [f"{layer.name} {grid(layer.grid)}"]
    sy, sx = layer.stride
    parts.append(f"one cell = {_number(sy)}×{_number(sx)} px of the input")
    if layer.receptive_field:
        height, width = layer.receptive_field
        field = f"{height:.0f}" if height == width else f"{height:.0f}×{width:.0f}"
        parts.append(f"receptive field {field} px")
    return ", ".join(parts)


def caption(answer: Answer, title: str) -> str:
    """The line beneath a map: method, layer, class, time."""
    m = answer.map
    place = geometry(answer.network.layer(m.layer)) if m.layer else "the input's own grid"
    return f"{title} · {place} · {label(m.label)} {percent(m.probability)} · {milliseconds(m.seconds)}"


def citation(paper: str) -> str:
    """Authors and venue of a reference, "Zhou et al., CVPR 2016", with spaces that do not break."""
    parts = paper.split(", ")
    short = f"{parts[0]}, {parts[-1]}" if len(parts) > 2 else paper
    return short.replace(" ", "\N{NO-BREAK SPACE}")


def file_stem(*parts: str) -> str:
    """A file name made of these words that every system takes."""
    words = (re.sub(r"[^A-Za-z0-9.+]+", "-", part).strip("-.") for part in parts)
    return "_".join(word[:40] for word in words if word) or "map"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"
