"""A figure for every pair, as a heat table that is a real table: read by eye, by pointing, and by a screen reader."""

import functools
import html
from collections.abc import Sequence
from typing import Any

_MOST_FIGURES = 16
"""With more rows than this the figures are read by pointing; they would not fit into the fields."""

# Brown for opposite orders, pale for none, teal for the same: told apart by colour-blind eyes, readable on both themes.
_STOPS = ((-1.0, (140, 81, 10)), (0.0, (242, 242, 238)), (1.0, (23, 118, 111)))


def pair_table(values: Any, names: Sequence[str], what: str) -> str:
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
    text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
    red, green, blue = colour(value)
    ink = "#fff" if abs(value) > 0.55 else "#1a2322"
    inner = text if shown else f'<span class="cam-hidden">{text}</span>'
    return f'<td style="background:rgb({red},{green},{blue});color:{ink}" title="{pair}: {text}">{inner}</td>'


def colour(value: float) -> tuple[int, int, int]:
    """The colour of a figure in −1..1."""
    value = min(1.0, max(-1.0, value))
    (low, dark), (high, light) = (_STOPS[0], _STOPS[1]) if value < 0 else (_STOPS[1], _STOPS[2])
    share = (value - low) / (high - low)
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(dark, light, strict=True))
    return red, green, blue
