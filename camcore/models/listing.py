"""``backbones``: the names that ``load`` knows. Loads nothing of what a network is made of."""

from __future__ import annotations

from typing import Protocol

from camcore.models import catalogue, factories, hub_presets, saved


class NetworkListing(Protocol):
    """An entry of the list of networks: a catalogue row, a saved network, or a factory that makes one.

    ``input_size``, ``parameters``: None where they are not known before the network is made. ``version``: tells it
    from another network of the same name. ``framing``: how pictures are framed for it.
    """

    @property
    def name(self) -> str: ...
    @property
    def input_size(self) -> tuple[int, int] | None: ...
    @property
    def parameters(self) -> int | None: ...
    @property
    def weights_state(self) -> str: ...
    @property
    def download_mb(self) -> int: ...
    @property
    def summary(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def framing(self) -> str: ...


def backbones() -> tuple[NetworkListing, ...]:
    """Every network that ``load`` knows by name: the bundled ones, one's own, presets of keras_hub that have been
    downloaded, then the catalogue's.

    ``weights_state``: "bundled", "on disk", "downloads N MB" (about), "own code" for what a function of one's own
    makes, or "own file" for a whole model.
    ``summary``: on what it was trained, in a few words. Looked up anew at each call; imports no TensorFlow and no
    factory's module.

    >>> [row.weights_state for row in camcore.backbones() if row.name == "cats_vs_dogs"]
    ['bundled']
    """
    return (*saved.saved_networks(), *factories.factories(), *hub_presets.downloaded(), *catalogue.backbones())


def find(name: str) -> NetworkListing | None:
    """The network of that name, among them any preset ``hub:NAME`` of keras_hub; None where there is none."""
    return next((row for row in backbones() if row.name == name), None) or hub_presets.find(name)
