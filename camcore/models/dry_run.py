"""A model's size before it is built: its configuration can claim more numbers than any machine holds."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from camcore.errors import ModelError
from camcore.models.archives import WholeModel

_FREE = 256 << 20  # bytes that a model may have beyond its file
_MOST_GROWTH = 4  # times the file's own numbers: narrower types, and what is not saved


def check_size(whole: WholeModel, build: Callable[[], Any]) -> None:
    """Raise ModelError where a model would have far more numbers than its file.

    ``build`` makes the keras.Model from the configuration. It is called without any number being allocated, in a
    thread of its own, with which all that Keras notes of such variables ends. Raises what ``build`` raises.
    """
    import keras

    found: list[int] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                found.extend(4 * math.prod(one.shape) for one in build().variables)
        except Exception as error:  # whatever Keras makes of the configuration, raised again below
            failed.append(error)

    thread = threading.Thread(target=run, name="size of a model")
    thread.start()
    thread.join()
    if failed and "stateless scope" not in str(failed[0]):  # a layer that makes a variable of given values
        raise failed[0]
    if sum(found) > _FREE + _MOST_GROWTH * whole.stored:
        raise ModelError(
            f"'{whole.path}' is not opened: its configuration describes a model of {sum(found):,} bytes, and the file "
            f"has numbers for {whole.stored:,}. No file that Keras wrote does that. Get the model from where it was "
            "made."
        )
