"""TensorFlow and Keras, imported at the first use of one of their names: that takes seconds.

``from camcore.lazy import keras, tf`` at the top of a module costs nothing; annotations may name their types.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras as keras
    import tensorflow as tf
else:

    class _Lazy(ModuleType):
        """Stands for the module of its name."""

        def __getattr__(self, name: str) -> object:
            return getattr(importlib.import_module(self.__name__), name)

    keras, tf = _Lazy("keras"), _Lazy("tensorflow")
