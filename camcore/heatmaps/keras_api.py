"""The methods as classes, in the style that Keras users know: ``GradCAM(model).compute_heatmap(x, class_idx)``.

Here x is already preprocessed, as for ``model.predict``. Each class is one row of the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, flag
from camcore.errors import ModelError
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.cam_map import normalised
from camcore.heatmaps.compute import Task, final, raw_map
from camcore.heatmaps.refine import check_refinements, check_weighted
from camcore.heatmaps.request import by_index, check_compared
from camcore.heatmaps.session import Look
from camcore.methods import METHODS, MethodInfo
from camcore.models.network_cache import network_of
from camcore.network import Network

Array = NDArray[Any]


class HeatmapMethod:
    """One method at one layer of one model.

    ``model``: a Keras model or a Network. A model is traced at its first use, and its Network is kept with it for the
    next object; see ``camcore.models.network_cache``. ``target_layer``: path, name or layer object; None for the
    recommended layer, and of no account to methods on the input's own grid, which serve a network without a grid, too.
    ``refine``: ``aug`` and ``eigen``, see ``camcore.heatmaps.refine``. Options of the method by keyword.

    Raises LayerError, MethodError or ModelError, each saying what fits instead.
    """

    method: ClassVar[str]

    def __init__(
        self, model: Any, target_layer: Any = None, *, refine: str | Sequence[str] = (), **options: Any
    ) -> None:
        self.info: MethodInfo = METHODS[self.method]
        given = self.info.checked(options)
        self.refine = check_refinements(refine)
        if "eigen" in self.refine:
            check_weighted(self.info)
        self.network = model if isinstance(model, Network) else network_of(model)
        self.options = by_index(self.network, self.info, given)
        # A network without a grid has no layer to look at, and methods on the input's own grid need none.
        free = self.info.layer_free and target_layer is None and self.network.default_layer is None
        self.target_layer: str | None = None if free else self.network.layer_with_grid(target_layer).path
        if self.info.at_own_layer:
            self.network.check_linear_head(self.target_layer)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.network.name!r}, target_layer={self.target_layer!r})"

    @checked(raw=flag)
    def compute_heatmap(
        self, x: ArrayLike, class_idx: int | str | Sequence[int | str] | None = None, raw: bool = False
    ) -> NDArray[np.float32]:
        """The heatmap of each image, at the layer's own grid, rows from the top of the picture, columns from the left.

        ``x``: preprocessed, (H, W, 3) or (1, H, W, 3) → float32 (h, w); (n, H, W, 3) → (n, h, w).
        ``class_idx``: None (each image's top class), one index or name, or one per image. ``raw``: the un-normalised
        map instead of values in 0..1; in the layer's own directions, where that sees the picture mirrored. Raises
        ModelError where x or a class does not fit.
        """
        batch = self.network.check_input(x)
        single = len(batch) == 1
        classes = self._classes(class_idx, len(batch))
        if self.info.source == "gradients" and not self.refine:
            maps = self._from_gradients(batch, classes)
        else:
            maps = [self._from_look(batch[i : i + 1], classes[i]) for i in range(len(batch))]
        result = np.stack(maps if raw else [self._on_picture(one) for one in maps])
        return result[0] if single else result

    def _on_picture(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        values = normalised(raw, self.info.min_max)
        if self.info.layer_free:
            return values
        return np.ascontiguousarray(self.network.layer(self.target_layer).upright(values))

    def _classes(self, class_idx: Any, n: int) -> list[int]:
        if class_idx is None:
            return [TOP_CLASS] * n
        array = np.array(class_idx, object)  # of numbers and names side by side
        given = array.ravel().tolist() * (1 if array.ndim else n)
        if len(given) != n:
            raise ModelError(f"{len(given)} class indices were given for {n} images. Give one, or one per image.")
        return [self.network.check_class(index) for index in given]

    def _from_gradients(self, batch: Array, classes: list[int]) -> list[NDArray[np.float32]]:
        path = self.target_layer
        assert path is not None
        found = self.network.tap(batch, [path], [classes])
        activations, gradients = found.activations[path], found.gradients[0][path]
        pairs = zip(activations, gradients, strict=True)
        return [raw_map(self.info, (A, G), self.options)[0] for A, G in pairs]

    def _from_look(self, x: Array, index: int) -> NDArray[np.float32]:
        look = Look(self.network, x)
        if index == TOP_CLASS:
            index = self.network.top_class(look.logits)
        check_compared(self.network, self.info, self.options, [index])
        path = None if self.info.layer_free else self.target_layer
        return final(look, Task(self.info, self.options, path, self.refine), [index])[index].raw


def _class_for(info: MethodInfo) -> type[HeatmapMethod]:
    doc = f"{info.title}: {info.summary}\n\n    {info.paper}, {info.equation}.\n    "
    return type(info.class_name, (HeatmapMethod,), {"method": info.key, "__doc__": doc, "__module__": __name__})


CLASSES: dict[str, type[HeatmapMethod]] = {info.class_name: _class_for(info) for info in METHODS.values()}
