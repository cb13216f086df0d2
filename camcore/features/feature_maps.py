"""Feature maps of any layers of a network for one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked
from camcore.errors import LayerError
from camcore.heatmaps.arguments import a_framing, a_network, a_picture
from camcore.heatmaps.request import Layer
from camcore.network import Network
from camcore.pictures.picture import Picture


@checked(network=a_network, pic=a_picture, framing=a_framing)
def activations(
    network: Network, pic: Picture, layers: Layer | Sequence[Layer], framing: str | None = None
) -> dict[str, NDArray[np.float32]]:
    """The feature maps of ``layers``, from one pass: path → float32 (h, w, K), at each layer's own grid.

    ``layers``: a path, a Keras layer, or a sequence of them.
    Raises LayerError for a layer that does not exist or has no grid, CamcoreError for an unknown framing.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> {layer: A.shape for layer, A in camcore.activations(net, pic, ["Conv1_relu", "block2"]).items()}
    {'Conv1_relu': (96, 96, 32), 'block2': (12, 12, 96)}
    """
    named = layers if isinstance(layers, (list, tuple)) else [layers]
    if not named:
        raise LayerError(f"No layer was asked for. Name at least one, such as {network.default_layer!r}.")
    infos = [network.layer(layer) for layer in named]
    for info in infos:
        if info.grid is None:
            raise LayerError(
                f"Layer {info.path!r} has no feature maps: its output has the shape {info.shape}, without a "
                f"spatial grid. {network.traced.table.advice()}"
            )
    x, _ = network.prepare(pic, framing)
    tapped = network.tap(x, [info.path for info in infos]).activations
    return {path: array[0].astype(np.float32) for path, array in tapped.items()}
