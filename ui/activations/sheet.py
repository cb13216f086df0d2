"""The contact sheet of a layer's channels: drawn once for each look, with a line about each cell."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.features.channels import Channels
from camcore.render.colour import DIVERGING, css_gradient
from camcore.render.encode import to_data_url
from camcore.render.sheet import Scale, Sheet, sheet
from ui import scales, words
from ui.activations.choices import Look
from ui.components import ColourBar

WAITING = (7, 7, 256)
"""The layer whose space is kept before the network is known."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A sheet with all that the browser needs: channel numbers in order, a line about each, the colour bar."""

    sheet: Sheet
    src: str
    order: NDArray[np.intp]
    tips: list[str]
    bar: ColourBar


_drawn: ByteLRU[Drawn] = ByteLRU(96 << 20, lambda one: one.sheet.index.nbytes + len(one.src) + 96 * len(one.tips))


def drawn(found: Channels, key: Hashable, look: Look) -> Drawn:
    """The sheet of a layer. ``key`` tells its channels from all others."""
    known = _drawn.get((key, look))
    if known is not None:
        return known
    order = found.order(look.order)
    made = sheet_of(found, look, order)
    url = to_data_url(made.png(transparent=True))
    return _drawn.put((key, look), Drawn(made, url, order, [tip(found, k) for k in order], bar(found, look)))


def sheet_of(found: Channels, look: Look, order: NDArray[np.intp]) -> Sheet:
    """The channels in this order, with their numbers."""
    return sheet(found.activations[..., order], numbers=order, scale=scale_name(look), colormap=look.colormap)


def space(grid: tuple[int, int], count: int) -> Sheet:
    """An empty sheet of the same size as that of a layer with so many channels."""
    return sheet(np.zeros((*grid, count), np.float32), numbers=np.arange(count))


def scale_name(look: Look) -> Scale:
    """The scale in the renderer's words."""
    return "each" if look.scale == scales.EACH else "shared"


def top(found: Channels, look: Look, number: int | None = None) -> tuple[float, bool]:
    """The value of the last colour, and whether both signs are shown; of one channel, or of the shared scale."""
    own = look.scale == scales.EACH and number is not None
    low, high = (found.low[number], found.high[number]) if own else (found.low.min(), found.high.max())
    return float(max(high, -low)) or 1.0, found.signed


def bar(found: Channels, look: Look, number: int | None = None) -> ColourBar:
    """The colours with what stands at their ends, for the sheet or for one channel."""
    high, signed = top(found, look, number)
    gradient = css_gradient(DIVERGING if signed else look.colormap)
    if look.scale == scales.EACH and number is None:
        own = "each channel’s own largest"
        return {"low": f"\N{MINUS SIGN}{own}" if signed else "0", "high": own, "gradient": gradient}
    return {"low": f"\N{MINUS SIGN}{figure(high)}" if signed else "0", "high": figure(high), "gradient": gradient}


def waiting_bar(look: Look) -> ColourBar:
    """The colours before their scale is known."""
    return {"low": "0", "high": "…", "gradient": css_gradient(look.colormap)}


def tip(found: Channels, number: int) -> str:
    """A channel in one line."""
    k = int(number)
    mark = " · dead" if found.dead[k] else " · saturated" if found.saturated[k] else ""
    return (
        f"Channel {k} · mean {figure(found.mean[k])} · highest {figure(found.high[k])} · "
        f"adds {signed_figure(found.contribution[k])} to {words.label(found.label)}{mark}"
    )


def figure(value: float) -> str:
    """Three digits, with a real minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def signed_figure(value: float) -> str:
    """Hundredths with their sign; tiny ones to two digits."""
    text = f"{value:+.2f}" if abs(value) >= 0.005 or value == 0 else f"{value:+.1e}"
    return text.replace("-", "\N{MINUS SIGN}")
