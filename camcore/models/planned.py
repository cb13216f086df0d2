"""The variables that a Keras model would have, without a number of them being allocated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelPlan:
    """A model as its structure tells it. ``weights``: path and shape of each variable, in Keras's order.

    ``nested``: one of its layers is a model itself.
    """

    name: str
    weights: tuple[tuple[str, tuple[int, ...]], ...]
    nested: bool = False

    @classmethod
    def of(cls, model: keras.Model) -> ModelPlan:
        """The plan of a model that is built."""
        weights = tuple((one.path, tuple(one.shape)) for one in model.weights)
        return cls(str(model.name), weights, any(hasattr(layer, "layers") for layer in model.layers))


def planned(build: Callable[[], keras.Model]) -> ModelPlan | None:
    """The plan of the model that ``build`` would make; None where a layer cannot do without real numbers.

    ``build`` is called without any number being allocated, in a thread of its own, with which all that Keras notes of
    such variables ends. Raises what ``build`` raises.
    """
    import keras

    made: list[ModelPlan] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                made.append(ModelPlan.of(build()))
        except Exception as error:  # whatever Keras makes of the structure, raised again below
            failed.append(error)

    thread = threading.Thread(target=run, name="plan of a model")
    thread.start()
    thread.join()
    if failed and "stateless scope" not in str(failed[0]):  # a layer that makes a variable of given values
        raise failed[0]
    return made[0] if made else None
