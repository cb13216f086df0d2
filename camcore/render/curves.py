"""Training curves as a Plotly figure: loss and accuracy, each for the training and the validation pictures."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import TYPE_CHECKING

from camcore.render.figure import COLOURS, QUIET, Part

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TRAINING_COLOUR, VALIDATION_COLOUR = QUIET, COLOURS[0]


def training_curves(
    epochs: Sequence[int],
    loss: tuple[Sequence[float], Sequence[float]],
    accuracy: tuple[Sequence[float], Sequence[float]],
    *,
    last: int,
    sizes: Sequence[int] = (),
    height: int = 320,
) -> Figure:
    """Two plots side by side.

    loss, accuracy: (training, validation), as many values as epochs; accuracies 0..1. last: the epoch at which
    training is to end, so that the axis stands still while points arrive. sizes: the pictures' side in each
    epoch; a dotted line marks where it changes.
    """
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("Loss", "Accuracy"), horizontal_spacing=0.09)
    mode = "lines+markers" if len(epochs) < 25 else "lines"
    looks = (("training pictures", TRAINING_COLOUR, 1.75), ("validation pictures", VALIDATION_COLOUR, 2.5))
    for column, (values, digits) in enumerate(((loss, ".3f"), (accuracy, ".1%")), 1):
        for (name, colour, width), line in zip(looks, values, strict=True):
            figure.add_trace(
                Scatter(
                    x=list(epochs),
                    y=list(line),
                    name=name,
                    legendgroup=name,
                    showlegend=column == 1,
                    mode=mode,
                    line={"color": colour, "width": width},
                    marker={"size": 5},
                    hovertemplate=f"%{{y:{digits}}}",
                ),
                row=1,
                col=column,
            )
    for epoch, size in _changes(epochs, sizes):
        for column in (1, 2):
            mark: Part = {"annotation_text": f"{size} px", "annotation_position": "bottom right"} if column == 1 else {}
            figure.add_vline(
                epoch - 0.5, line={"color": TRAINING_COLOUR, "width": 1, "dash": "dot"}, row=1, col=column, **mark
            )
    apart = max(1, -(-last // 8))
    figure.update_xaxes(
        title={"text": "epoch", "standoff": 14},
        range=[0.5, max(last, 1) + 0.5],
        tick0=apart,
        dtick=apart,
        unifiedhovertitle_text="epoch %{x}",
    )
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", row=1, col=2)
    lowest = min((*accuracy[0], *accuracy[1]), default=0.0)
    figure.update_yaxes(range=[floor(10 * lowest - 0.1) / 10, 1.005], row=1, col=2)
    if not epochs:  # an empty axis would count from -1 to 6
        figure.update_yaxes(range=[0, 1], row=1, col=1)
    figure.update_layout(
        height=height,
        margin={"l": 48, "r": 12, "t": 40, "b": 84},
        hovermode="x unified",
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.27, "yanchor": "top"},
        uirevision="curves",  # a zoom outlives the next point
    )
    return figure


def _changes(epochs: Sequence[int], sizes: Sequence[int]) -> list[tuple[int, int]]:
    """(epoch, size) where an epoch's pictures have another size than the one's before."""
    return [
        (epoch, size) for epoch, size, before in zip(epochs[1:], sizes[1:], sizes[:-1], strict=False) if size != before
    ]
