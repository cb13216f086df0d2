"""The methods as classes, in the style that Keras users know: ``GradCAM(model).compute_heatmap(x, class_idx)``.

Here x is already preprocessed, as for ``model.predict``. Each class is one row of the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import Parameter, Signature, signature
from textwrap import fill, indent
from typing import TYPE_CHECKING, ClassVar, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, flag
from camcore.errors import ModelError
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.cam_map import normalised
from camcore.heatmaps.compute import Task, final_maps, raw_map
from camcore.heatmaps.refine import check_refinements, check_weighted
from camcore.heatmaps.request import Layer, by_index
from camcore.heatmaps.session import InputSession
from camcore.methods import METHODS, MethodInfo
from camcore.models.network_cache import network_of
from camcore.network import Network

if TYPE_CHECKING:
    import keras

Array = NDArray[np.floating]

Model = Union["keras.Model", Network]


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
        self,
        model: Model,
        target_layer: Layer | None = None,
        *,
        refine: str | Sequence[str] = (),
        **options: object,
    ) -> None:
        self.info: MethodInfo = METHODS[self.method]
        values = self.info.checked(options)
        self.refine = check_refinements(refine)
        if "eigen" in self.refine:
            check_weighted(self.info)
        self.network = model if isinstance(model, Network) else network_of(model)
        self.options = by_index(self.network, self.info, values)
        # A network without a grid has no layer to look at, and methods on the input's own grid need none.
        free = self.info.layer_free and target_layer is None and self.network.default_layer is None
        self.target_layer: str | None = None if free else self.network.layer_with_grid(target_layer).path
        if self.target_layer is not None:
            self.info.input.check_layer(self.network, self.target_layer)

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
        if self.info.input.shares_backward and not self.refine:
            maps = self._from_gradients(batch, classes)
        else:
            maps = [self._of_one(batch[i : i + 1], classes[i]) for i in range(len(batch))]
        result = np.stack(maps if raw else [self._on_picture(one) for one in maps])
        return result[0] if single else result

    def _on_picture(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        values = normalised(raw, self.info.min_max)
        if self.info.layer_free:
            return values
        return np.ascontiguousarray(self.network.layer(self.target_layer).upright(values))

    def _classes(self, class_idx: int | str | Sequence[int | str] | None, n: int) -> list[int]:
        if class_idx is None:
            return [TOP_CLASS] * n
        array = np.array(class_idx, object)  # of numbers and names side by side
        indices = array.ravel().tolist() * (1 if array.ndim else n)
        if len(indices) != n:
            raise ModelError(f"{len(indices)} class indices were given for {n} images. Give one, or one per image.")
        return [self.network.check_class(index) for index in indices]

    def _from_gradients(self, batch: Array, classes: list[int]) -> list[NDArray[np.float32]]:
        path = self.target_layer
        assert path is not None
        tapped = self.network.tap(batch, [path], [classes])
        activations, gradients = tapped.activations[path], tapped.gradients[0][path]
        pairs = zip(activations, gradients, strict=True)
        return [raw_map(self.info, (A, G), self.options)[0] for A, G in pairs]

    def _of_one(self, x: Array, index: int) -> NDArray[np.float32]:
        session = InputSession(self.network, x)
        if index == TOP_CLASS:
            index = self.network.top_class(session.logits)
        self.info.input.check_classes(self.network, self.info.title, self.options, [index])
        path = None if self.info.layer_free else self.target_layer
        return final_maps(session, Task(self.info, self.options, path, self.refine), [index])[index].raw


def class_for(info: MethodInfo) -> type[HeatmapMethod]:
    """The class of a method; its signature and help show the method's options."""
    members = {
        "method": info.key,
        "__doc__": _help(info),
        "__module__": __name__,
        "__signature__": _signature(info),
    }
    return type(info.class_name, (HeatmapMethod,), members)


def _signature(info: MethodInfo) -> Signature:
    own = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=option.default, annotation=option.annotation)
        for name, option in info.options.items()
    ]
    common = list(signature(HeatmapMethod).parameters.values())[:-1]  # all but **options
    return Signature([*common, *own])


def _help(info: MethodInfo) -> str:
    paragraphs = [f"{info.title}: {info.summary}", f"{info.paper}, {info.equation}. {info.url}"]
    paragraphs.append(f"Needs {', '.join(info.needs)}. Costs {info.cost}.")
    paragraphs += [
        f"``{name}``: {'; '.join(filter(None, (option.help, option.range)))}. Default {option.default!r}."
        for name, option in info.options.items()
    ]
    body = "\n\n".join(fill(one, 110, break_long_words=False, break_on_hyphens=False) for one in paragraphs)
    return indent(body + "\n\nFor the other arguments see ``HeatmapMethod``.\n", "    ").lstrip() + "    "


CLASSES: dict[str, type[HeatmapMethod]] = {info.class_name: class_for(info) for info in METHODS.values()}
