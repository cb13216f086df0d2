"""A figure for every pair, as a heat table that is a real table: read by eye, by pointing, and by a screen reader."""

import functools
import html
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camcore.text import decimal

_MOST_FIGURES = 16
"""With more rows than this the figures are read by pointing; they would not fit into the fields."""

# Brown for opposite orders, pale for none, teal for the same: told apart by colour-blind eyes, readable on both themes.
_STOPS = ((-1.0, (140, 81, 10)), (0.0, (242, 242, 238)), (1.0, (23, 118, 111)))

# The luminance on which black and white can be read equally well.
_MIDDLE = (1.05 * 0.05) ** 0.5 - 0.05


def pair_table(values: NDArray[np.float64], names: Sequence[str], what: str) -> str:
    """HTML for values (n, n) in −1..1, NaN where a pair has no figure; names: of the rows; what: its name."""
    return _table(tuple(tuple(float(v) for v in row) for row in values), tuple(names), what)


@functools.lru_cache(maxsize=64)
def _table(values: tuple[tuple[float, ...], ...], names: tuple[str, ...], what: str) -> str:
    shown = len(names) <= _MOST_FIGURES
    safe = [html.escape(name) for name in names]
    heads = "".join(f'<th scope="col"><span>{name}</span></th>' for name in safe)
    rows = []
    for name, row in zip(safe, values, strict=True):
        cells = "".join(_cell(value, f"{name} and {other}", shown) for other, value in zip(safe, row, strict=True))
        rows.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    caption = f"<caption>{html.escape(what)}, pair by pair</caption>"
    kind = "cam-pairs" if shown else "cam-pairs cam-pairs-many"
    return (
        f'<div class="cam-scroll"><table class="{kind}">{caption}<thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(value: float, pair: str, shown: bool) -> str:
    if value != value:
        return f'<td title="{pair}: not defined">–</td>'
    text = decimal(value)
    red, green, blue = colour(value)
    ink = "#000" if luminance((red, green, blue)) > _MIDDLE else "#fff"
    inner = text if shown else f'<span class="cam-hidden">{text}</span>'
    return f'<td style="background:rgb({red},{green},{blue});color:{ink}" title="{pair}: {text}">{inner}</td>'


def colour(value: float) -> tuple[int, int, int]:
    """The colour of a figure in −1..1."""
    value = min(1.0, max(-1.0, value))
    (low, dark), (high, light) = (_STOPS[0], _STOPS[1]) if value < 0 else (_STOPS[1], _STOPS[2])
    share = (value - low) / (high - low)
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(dark, light, strict=True))
    return red, green, blue


def luminance(rgb: tuple[int, int, int]) -> float:
    """The relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2 defines it."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (one / 255 for one in rgb))
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
