"""The facts of a network that pages need, in frozen values without the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui.jobs.runner import runner
from ui.jobs.work import Update, Updates, Work
from ui.networks import networks
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.features.attention import AttentionLayout
    from camcore.graph.layers import LayerInfo
    from camcore.network import Network
    from camcore.predictions import Prediction


@dataclass(frozen=True, eq=False)
class NetworkSummary:
    """The facts of a loaded network. ``title``: its name; ``predictions``: its first answers, by framing.

    ``scored_over``: as Network has it. ``attention``: of a transformer. ``refusals``: by method that is not defined
    for the network, the reason. ``legible``: the path of the layer where the Filters page begins, None for the
    recommended one.
    """

    title: str
    weights_note: str
    labels: tuple[str, ...]
    layers: tuple[LayerInfo, ...]
    default_layer: str | None
    ladder: tuple[str, ...]
    predictions: Mapping[str, tuple[Prediction, ...]] = field(default_factory=dict)
    scored_over: str = ""
    attention: AttentionLayout | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    legible: str | None = None

    @classmethod
    def of(cls, net: Network, predictions: Mapping[str, tuple[Prediction, ...]] | None = None) -> NetworkSummary:
        """The facts of a loaded network."""
        from camcore.features.attention import attention_layout  # here: networks are behind it
        from camcore.filters.legible import legible_layer
        from camcore.heatmaps.offered import refusals

        legible = legible_layer(net.layers, net.input_size)
        return cls(
            net.name,
            net.weights_note,
            tuple(net.labels),
            tuple(net.layers),
            net.default_layer,
            tuple(net.ladder),
            predictions or {},
            net.scored_over,
            attention_layout(net),
            refusals(net),
            None if legible is None else legible.path,
        )

    def layer(self, path: str) -> LayerInfo:
        """The LayerInfo of a path."""
        return next(info for info in self.layers if info.path == path)


def summary_work(key: NetworkKey) -> Work[NetworkSummary]:
    """Loads the network, and no more: its layers have to be known before one is chosen."""

    def steps(net: Network, _: object) -> Updates[NetworkSummary]:
        yield Update(1.0, NetworkSummary.of(net))

    return Work(key, "summary", f"Loading {key.title}", steps, lambda summary: 1024 * len(summary.layers))


def known_summary(key: NetworkKey) -> NetworkSummary | None:
    """The facts of a network that is loaded, or was once."""
    net = networks().peek(key)
    return runner().known(summary_work(key)) if net is None else NetworkSummary.of(net)
