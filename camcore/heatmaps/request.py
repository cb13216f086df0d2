"""A request, checked before any work: methods with their options, layers, classes, and the cost."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from camcore.checks import shown
from camcore.errors import CamcoreError, LayerError, MethodError
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.compute import Task
from camcore.heatmaps.refine import BRIGHTNESS, check_refinements, check_weighted
from camcore.methods import MethodInfo, find_method
from camcore.methods.info import OptionValues
from camcore.network import Network, check_network

if TYPE_CHECKING:
    import keras

Options = Mapping[str, OptionValues]
Keys = str | Sequence[str] | None
Layer = Union[str, "keras.Layer"]  # a path, a name, or a Keras layer
Layers = Layer | Sequence[Layer] | None  # None: the default layer
Classes = int | str | Sequence[int | str] | None  # indices or names


@dataclass(frozen=True, eq=False)
class Request:
    """A checked request: ``tasks`` in the order asked, ``classes`` (TOP_CLASS: what the network says)."""

    tasks: tuple[Task, ...]
    classes: tuple[int, ...]


def check_request(
    network: Network,
    methods: Keys,
    layers: Layers,
    classes: Classes,
    options: Options | None,
    refine: str | Sequence[str] = (),
) -> Request:
    """A request as tasks and classes. Raises MethodError, LayerError, ModelError or CamcoreError."""
    check_network(network)
    refinements = check_refinements(refine)
    indices = _classes(network, classes)
    chosen = _methods(network, methods, options, indices)
    without = network.default_layer is None and layers is None
    # Also looked up where no method has a use for it: a layer that does not exist is refused in any case.
    paths = () if without else _paths(network, layers)
    tasks: list[Task] = []
    for info, values in chosen:
        if "eigen" in refinements:
            check_weighted(info)
        on_input = info.layer_free or (without and not info.input.reads_network)
        sites = (None,) if on_input else _layers_for(network, info, paths or _paths(network, layers))
        tasks += [Task(info, values, path, refinements) for path in sites]
    return Request(tuple(tasks), indices)


def total_passes(network: Network, request: Request) -> float:
    """The cost of a request in forward passes of one image: an upper bound where channels may turn out constant."""
    count = len(request.classes)
    total = 1.0 + (count if any(task.info.input.shares_backward for task in request.tasks) else 0)
    nested: dict[tuple[type, str | None], float] = {}  # Score-CAM and its prefix share their passes
    for task in request.tasks:
        kind = task.info.input
        cost = kind.passes(network.site(task.path), task.options) * (count if kind.per_class else 1)
        if "aug" in task.refine:
            total += 2 * len(BRIGHTNESS) * (cost + 1 + count) - cost
        if kind.nested:
            key = type(kind), task.path
            nested[key] = max(nested.get(key, 0.0), cost)
        else:
            total += cost
    return total + sum(nested.values())


def _methods(
    network: Network, methods: Keys, options: Options | None, classes: Sequence[int]
) -> list[tuple[MethodInfo, OptionValues]]:
    keys = method_keys(methods)
    given = options_by_method(options)
    if not keys:
        raise MethodError("No method was asked for. Name at least one, such as 'gradcam'.")
    infos: list[MethodInfo] = []
    for key in keys:
        info = find_method(key)
        if info not in infos:
            infos.append(info)
    for key in given:
        if find_method(key) not in infos:
            raise MethodError(
                f"Options were given for {key!r}, which is not among the methods asked for. They would change nothing. "
                f"Ask for {key!r}, too, or leave its options away."
            )
    chosen = [(info, by_index(network, info, info.checked(given.get(info.key, {})))) for info in infos]
    for info, values in chosen:
        info.input.check_classes(network, info.title, values, classes)
    return chosen


def method_keys(methods: object) -> list[str]:
    """The requested methods as a list, None as Grad-CAM. Raises MethodError for a name that is no method."""
    if methods is None:
        return ["gradcam"]
    if isinstance(methods, str):
        return [methods]
    try:
        return list(methods)  # type: ignore[call-overload]
    except TypeError:
        raise MethodError(
            f"{shown(methods)} does not name a method. Methods are named by their keys in camcore.METHODS. Give one, "
            "such as 'gradcam', or a list of them."
        ) from None


def options_by_method(options: object) -> dict[str, OptionValues]:
    """``options`` as a dictionary, None as none. Raises MethodError where they are not options by method."""
    options = {} if options is None else options
    if isinstance(options, Mapping) and all(isinstance(given, Mapping) for given in options.values()):
        return dict(options)
    raise MethodError(
        f"options={shown(options)} are not options by method: each method has options of its own. Give a dictionary "
        "such as {'gradcam++': {'variant': 'authors'}}."
    )


def by_index(network: Network, info: MethodInfo, options: OptionValues) -> OptionValues:
    """Checked options with every class that is given by its name as its index. Raises ModelError for no such class."""
    named = [name for name, option in info.options.items() if isinstance(option.default, tuple)]
    return {**options, **{name: tuple(network.check_class(one) for one in options[name]) for name in named}}


def _paths(network: Network, layers: Layers) -> tuple[str, ...]:
    named = list(layers) if isinstance(layers, (list, tuple)) else [layers]
    if not named:
        raise LayerError(f"No layer was asked for. {network.traced.table.advice('Name at least one, such as')}")
    return tuple(dict.fromkeys(network.layer_with_grid(layer).path for layer in named))


def _classes(network: Network, classes: Classes) -> tuple[int, ...]:
    if classes is None:
        return (TOP_CLASS,)
    if isinstance(classes, (list, tuple, range)) or (isinstance(classes, np.ndarray) and classes.ndim):
        indices = tuple(dict.fromkeys(network.check_class(index) for index in classes))
        if not indices:
            raise CamcoreError("No class was asked for. Name at least one, or None for the network's own answer.")
        return indices
    return (network.check_class(classes),)


def _layers_for(network: Network, info: MethodInfo, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``paths`` at which a method is defined; refused where there are none."""
    fits, refusal = [], None
    for path in paths:
        try:
            info.input.check_layer(network, path)
            fits.append(path)
        except MethodError as error:
            refusal = error
    if refusal is not None:
        if not fits:
            raise refusal
        left_out = ", ".join(repr(path) for path in paths if path not in fits)
        warnings.warn(f"{info.title} is defined only at {fits[0]!r}; left out at {left_out}.", stacklevel=5)
    return tuple(fits)
