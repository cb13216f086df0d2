"""What was asked, checked before any work: methods with their options, layers, classes, and what it will cost."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from camcore.checks import shown
from camcore.errors import CamcoreError, LayerError, MethodError
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.compute import Task
from camcore.heatmaps.refine import BRIGHTNESS, check_refinements, check_weighted
from camcore.methods import MethodInfo, find_method
from camcore.network import Network, check_network

Options = Mapping[str, Mapping[str, Any]]
Keys = str | Sequence[str] | None
Layers = Any  # a path, a Keras layer, a sequence of them, or None for the default layer
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
    for info, given in chosen:
        if "eigen" in refinements:
            check_weighted(info)
        on_input = info.layer_free or (without and info.source == "nothing")
        places = (None,) if on_input else _layers_for(network, info, paths or _paths(network, layers))
        tasks += [Task(info, given, path, refinements) for path in places]
    return Request(tuple(tasks), indices)


def total_passes(network: Network, request: Request) -> float:
    """The cost of a request in forward passes of one image: an upper bound where channels may turn out constant."""
    count = len(request.classes)
    total = 1.0 + (count if any(_shares_backward(task) for task in request.tasks) else 0)
    masks: dict[Any, float] = {}  # Score-CAM and its prefix share their passes
    for task in request.tasks:
        info, site = task.info, network.site(task.path)
        cost = info.passes(site, task.options) * (count if info.per_class else 1)
        if "aug" in task.refine:
            total += 2 * len(BRIGHTNESS) * (cost + 1 + count) - cost
        if info.source == "channel masks":
            masks[task.path] = max(masks.get(task.path, 0.0), cost)
        else:
            total += cost
    return total + sum(masks.values())


def _shares_backward(task: Task) -> bool:
    return task.info.source == "gradients"


def _methods(
    network: Network, methods: Keys, options: Options | None, classes: Sequence[int]
) -> list[tuple[MethodInfo, dict[str, Any]]]:
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
        check_compared(network, info, values, classes)
    return chosen


def method_keys(methods: Any) -> list[Any]:
    """The requested methods as a list, None as Grad-CAM. Raises MethodError for a name that is no method."""
    if methods is None:
        return ["gradcam"]
    if isinstance(methods, str):
        return [methods]
    try:
        return list(methods)
    except TypeError:
        raise MethodError(
            f"{shown(methods)} does not name a method. Methods are named by their keys in camcore.METHODS. Give one, "
            "such as 'gradcam', or a list of them."
        ) from None


def options_by_method(options: Any) -> dict[str, Mapping[str, Any]]:
    """``options`` as a dictionary, None as none. Raises MethodError where they are not options by method."""
    options = {} if options is None else options
    if isinstance(options, Mapping) and all(isinstance(given, Mapping) for given in options.values()):
        return dict(options)
    raise MethodError(
        f"options={shown(options)} are not options by method: each method has options of its own. Give a dictionary "
        "such as {'gradcam++': {'variant': 'authors'}}."
    )


def by_index(network: Network, info: MethodInfo, options: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options with every class that is given by its name as its index. Raises ModelError for no such class."""
    named = [name for name, option in info.options.items() if isinstance(option.default, tuple)]
    return {**options, **{name: tuple(network.check_class(one) for one in options[name]) for name in named}}


def check_compared(network: Network, info: MethodInfo, options: Mapping[str, Any], classes: Sequence[int]) -> None:
    """Raise MethodError or ModelError where a method that compares classes has none to compare with."""
    if info.source != "contrast":
        return
    if network.classes < 2 or network.score_kind == "value":
        raise MethodError(
            f"{info.title} compares classes, and {network.name} has "
            + ("one only" if network.classes < 2 else "none: its output is one number")
            + ". Use 'gradcam'."
        )
    for index in options["against"]:
        if network.check_class(index) in classes:
            raise MethodError(
                f"{info.title}: class {index} ({network.labels[index]}) cannot be compared with itself. Leave it out "
                "of 'against', or explain another class."
            )


def _paths(network: Network, layers: Layers) -> tuple[str, ...]:
    many = isinstance(layers, (list, tuple))
    if many and not layers:
        raise LayerError(f"No layer was asked for. {network.traced.table.advice('Name at least one, such as')}")
    asked = list(layers) if many else [layers]
    return tuple(dict.fromkeys(network.layer_with_grid(layer).path for layer in asked))


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
    if not info.at_own_layer:
        return paths
    fits, refusal = [], None
    for path in paths:
        try:
            network.check_linear_head(path)
            fits.append(path)
        except MethodError as error:
            refusal = error
    if refusal is not None:
        if not fits:
            raise refusal
        left_out = ", ".join(repr(path) for path in paths if path not in fits)
        warnings.warn(f"{info.title} is defined only at {fits[0]!r}; left out at {left_out}.", stacklevel=5)
    return tuple(fits)
