"""``load``: a backbone of the catalogue by name, ready to be looked into."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from camcore.catalogue import build
from camcore.network import Network
from camcore.wrapping import wrap


def load(
    name: str,
    weights: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Network:
    """A Network by its catalogue name, the constructor's name in ``keras.applications``.

    ``weights``: None for ImageNet weights, found on disk (``CAMCORE_WEIGHTS``, Keras's cache) or downloaded;
    a weights file; or ``"random"``. ``progress``: called with the bytes done and in all while downloading.
    ``options`` go to the constructor (``alpha=0.25``).

    Raises ModelError for an unknown name or option, and for weights that are missing, damaged or of another
    architecture.
    """
    built = build(name, weights, progress, **options)
    return wrap(
        built.model,
        labels=built.labels,
        preprocess=built.preprocess,
        input_size=built.input_size,
        name=name,
        weights_note=built.weights_note,
    )
