"""``load``: a network by name, ready to be looked into; ``backbones``: which names there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from camcore import catalogue, saved
from camcore.catalogue import Built, build
from camcore.errors import ModelError, nearest
from camcore.network import Network
from camcore.wrapping import wrap


class Listed(Protocol):
    """What a list of networks says of each: a catalogue row, or a saved network."""

    @property
    def name(self) -> str: ...
    @property
    def input_size(self) -> tuple[int, int]: ...
    @property
    def parameters(self) -> int: ...
    @property
    def weights_state(self) -> str: ...
    @property
    def download_mb(self) -> int: ...
    @property
    def summary(self) -> str: ...


def backbones() -> tuple[Listed, ...]:
    """Every network that ``load`` knows by name: the bundled ones, one's own, then the catalogue's.

    ``weights_state``: "bundled", "on disk" or "downloads N MB" (about). ``summary``: on what it was trained, in a few
    words. Looked up anew at each call; imports no TensorFlow.
    """
    return (*saved.saved_networks(), *catalogue.backbones())


def load(
    name: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Network:
    """A Network by its catalogue name, the constructor's name in ``keras.applications``; or a saved one, by its name
    or folder: the bundled ``"cats_vs_dogs"``, or one of your own.

    ``weights``: None for ImageNet weights, found on disk (``CAMCORE_WEIGHTS``, Keras's cache) or downloaded, or for
    a saved network's own; a weights file; or ``"random"``. ``progress``: called with the bytes done and in all while
    downloading. ``options`` go to the catalogue's constructor (``alpha=0.25``).

    Raises ModelError for an unknown name or option, and for weights that are missing, damaged or of another
    architecture.
    """
    called, built = _built(name, weights, progress, options)
    return wrap(
        built.model,
        labels=built.labels,
        preprocess=built.preprocess,
        input_size=built.input_size,
        name=called,
        weights_note=built.weights_note,
        origin=built.origin,
    )


def _built(
    name: Any,
    weights: str | os.PathLike[str] | None,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> tuple[str, Built]:
    names = [row.name for row in catalogue.backbones()]
    if name in names:
        return name, build(name, weights, progress, **options)
    found = saved.find(name) if isinstance(name, str | os.PathLike) else None
    if found is None:
        names = [row.name for row in backbones()]
        near = nearest(name, names)
        hint = f"Did you mean {near!r}?" if near else f"Choose one of: {', '.join(names)}."
        raise ModelError(
            f"There is no backbone {name!r}, and no network saved under this name or in a folder of this name. The "
            f"names are those of keras.applications and of saved networks, letter for letter. {hint}"
        )
    if options:
        raise ModelError(
            f"{found.name} takes no option {next(iter(options))!r}: it is a saved network, whose architecture is "
            "settled. Leave the options away."
        )
    return found.name, saved.open_saved(found, weights)
