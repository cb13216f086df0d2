"""Contact sheets: of a layer's channels, drawn once for each look; and of the strongest channels of many layers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.features.channels import Channels
from camcore.features.strongest_channels import StrongestChannels
from camcore.render.colour import DIVERGING, css_gradient
from camcore.render.encode import to_data_url
from camcore.render.sheet import PAPER, Scale, Sheet, cells, lay_out, sheet
from camcore.text import MINUS, minus
from ui import scales, words
from ui.activations.choices import SheetLook
from ui.activations.work import PER_LAYER
from ui.components import ColourBar
from ui.components.channels import Id, RowLabel

WAITING = (7, 7, 256)
"""The layer whose space is kept before the network is known."""
SIDE = 48
"""Height and width of a cell of the overview in pixels, whatever the layer's grid."""


@dataclass(frozen=True, eq=False)
class DrawnSheet:
    """A sheet with all that the browser needs: what each cell stands for, a line about each, its bar, its rows' names.

    ``ids``: channel numbers in order, or with their layers; None for a cell without a channel.
    """

    sheet: Sheet
    src: str
    ids: list[Id]
    tips: list[str]
    bar: ColourBar | None = None
    labels: tuple[RowLabel, ...] = ()

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        return self.sheet.index.nbytes + len(self.src) + 128 * len(self.tips)


_drawn: ByteLRU[DrawnSheet] = ByteLRU(96 << 20, lambda one: one.nbytes)


def drawn(channels: Channels, key: Hashable, look: SheetLook) -> DrawnSheet:
    """The sheet of a layer. ``key`` tells its channels from all others."""
    known = _drawn.get((key, look))
    if known is not None:
        return known
    order = channels.order(look.order)
    made = sheet_of(channels, look, order)
    tips = [tip(channels, k) for k in order]
    url = to_data_url(made.png(transparent=True))
    return _drawn.put((key, look), DrawnSheet(made, url, [*order.tolist()], tips, bar(channels, look)))


def sheet_of(channels: Channels, look: SheetLook, order: NDArray[np.intp]) -> Sheet:
    """The channels in this order, with their numbers."""
    scale: Scale = "each" if look.scale == scales.EACH else "shared"
    return sheet(channels.activations[..., order], numbers=order, scale=scale, colormap=look.colormap)


def space(grid: tuple[int, int], count: int) -> Sheet:
    """An empty sheet of the same size as that of a layer with so many channels."""
    return sheet(np.zeros((*grid, count), np.float32), numbers=np.arange(count))


def top(channels: Channels, look: SheetLook, number: int | None = None) -> tuple[float, bool]:
    """The value of the last colour, and whether both signs are shown; of one channel, or of the shared scale."""
    own = look.scale == scales.EACH and number is not None
    low, high = (channels.low[number], channels.high[number]) if own else (channels.low.min(), channels.high.max())
    return float(max(high, -low)) or 1.0, channels.signed


def bar(channels: Channels, look: SheetLook, number: int | None = None) -> ColourBar:
    """The colours with the words at their ends, for the sheet or for one channel."""
    high, signed = top(channels, look, number)
    own = look.scale == scales.EACH and number is None
    end = "each channel’s own largest" if own else figure(high)
    gradient = css_gradient(DIVERGING if signed else look.colormap)
    return {"low": f"{MINUS}{end}" if signed else "0", "high": end, "gradient": gradient}


def waiting_bar(look: SheetLook) -> ColourBar:
    """The colours before their scale is known."""
    return {"low": "0", "high": "…", "gradient": css_gradient(look.colormap)}


def tip(channels: Channels, number: int) -> str:
    """A channel in one line."""
    k = int(number)
    mark = " · dead" if channels.dead[k] else " · saturated" if channels.saturated[k] else ""
    return (
        f"Channel {k} · mean {figure(channels.mean[k])} · highest {figure(channels.high[k])} · "
        f"adds {signed_figure(channels.contribution[k])} to {words.label(channels.label)}{mark}"
    )


def overview_sheet(rows: Sequence[StrongestChannels], colormap: str) -> Sheet:
    """A row for each layer, its strongest channels on scales of their own, all cells of one size."""
    drawn = np.full((len(rows), PER_LAYER, SIDE, SIDE), PAPER, np.uint8)
    numbers = np.full((len(rows), PER_LAYER), -1)
    for row, one in enumerate(rows):
        count = len(one.numbers)
        drawn[row, :count] = cells(one.activations, (SIDE, SIDE), "each")
        numbers[row, :count] = one.numbers
    return lay_out(drawn.reshape(-1, SIDE, SIDE), PER_LAYER, numbers.ravel(), colormap)


def size_of(one: StrongestChannels) -> str:
    """A layer's grid and its number of channels."""
    assert one.layer.grid is not None
    return f"{words.grid(one.layer.grid)} · {one.layer.channels:,} channels"


def figure(value: float) -> str:
    """Three digits, with a real minus sign."""
    return minus(f"{value:.3g}")


def signed_figure(value: float) -> str:
    """Hundredths with their sign; tiny ones to two digits."""
    return minus(f"{value:+.2f}" if abs(value) >= 0.005 or value == 0 else f"{value:+.1e}")
