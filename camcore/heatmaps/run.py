"""Methods × layers × classes of one picture, planned so that all share what they can.

All gradient methods, layers and classes come out of one forward pass and one backward pass per class. Methods that
ask for the scores of perturbed inputs share the answers over classes and methods, and give partial maps. Results
arrive as they are ready, cheapest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked
from camcore.errors import MethodError
from camcore.framing import Frame
from camcore.graph.gradients import TOP_CLASS
from camcore.graph.targets import LOGIT
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap, normalised, warning_for
from camcore.heatmaps.compute import RawMap, Task, answer, cells_of, final, score_of
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import Classes, Keys, Layers, Options, Request, check_request, total_passes
from camcore.heatmaps.session import Look
from camcore.network import Network, check_picture
from camcore.pictures.picture import Picture

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Step:
    """What one step of the work brought.

    ``maps``: newly finished. ``partial``: the best so far of those still in work. ``done`` of ``total``: in
    forward passes. ``seconds``: since the start. ``change``: how far the partial maps moved since the last step,
    mean |Δvalues| in 0..1; None where there is nothing to compare.
    """

    maps: tuple[CamMap, ...]
    partial: tuple[CamMap, ...]
    done: float
    total: float
    seconds: float
    change: float | None = None


@checked(network=a_network, pic=a_picture, framing=a_framing, memory=a_memory)
def explain(
    network: Network,
    pic: Picture,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    framing: str | None = None,
    options: Options | None = None,
    refine: str | Sequence[str] = (),
    memory: Memory | None = None,
) -> tuple[CamMap, ...]:
    """Maps of every method at every layer for every class, in that order.

    ``methods``: keys of ``camcore.METHODS``. ``layers``: paths or Keras layers, None for the default layer.
    ``classes``: indices, None for the class the network says. ``framing``: ``crop``, ``stretch`` or
    ``letterbox``, None for the network's own. ``options``: by method, such as ``{"gradcam++": {"variant":
    "authors"}}``. ``refine``: ``aug`` and ``eigen``, see ``camcore.heatmaps.refine``. ``memory``: where to find and
    keep what was computed of this picture.

    A method that is defined at one layer only (``cam``) is left out at the others with a Python warning, and
    refused where none of the layers asked for is its own. A method on the input's own grid (``fullgrad``) gives one
    map per class, whatever the layers.

    Raises MethodError, LayerError, ModelError (a class the network lacks) or CamcoreError (an unknown framing).
    """
    request = check_request(network, methods, layers, classes, options, refine)
    found = {
        (m.method, m.layer, m.class_index): m
        for step in _steps(network, pic, request, framing, memory)
        for m in step.maps
    }
    asked = request.classes
    if asked == (TOP_CLASS,):
        asked = (next(iter(found))[2],)
    return tuple(found[task.info.key, task.path, index] for task in request.tasks for index in asked)


@checked(network=a_network, pic=a_picture, framing=a_framing, memory=a_memory)
def stream(
    network: Network,
    pic: Picture,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    framing: str | None = None,
    options: Options | None = None,
    refine: str | Sequence[str] = (),
    memory: Memory | None = None,
) -> Iterator[Step]:
    """As ``explain``, a Step at a time: finished maps as they are ready, partial ones of long work.

    The request is checked at the call, before the first step. Closing the generator stops the work; no more
    than the chunk in hand is computed. With a ``memory``, the same call later goes on where it stopped.
    """
    request = check_request(network, methods, layers, classes, options, refine)
    check_picture(pic)
    return _steps(network, pic, request, network.framing_for(framing), memory)


@checked(network=a_network)
def estimate(
    network: Network,
    methods: Keys = "gradcam",
    layers: Layers = None,
    classes: Classes = None,
    options: Options | None = None,
    refine: str | Sequence[str] = (),
) -> float:
    """The cost of a request in forward passes of one image; an upper bound for the Score-CAM family."""
    return total_passes(network, check_request(network, methods, layers, classes, options, refine))


def _steps(
    network: Network, pic: Picture, request: Request, framing: str | None, memory: Memory | None
) -> Iterator[Step]:
    start = perf_counter()
    x, frame = network.prepare(pic, framing)
    look = Look(network, network.check_input(x), memory, (pic.sha256, frame.framing))
    total = total_passes(network, request)
    classes = _shared_pass(look, request)
    facts = Facts(look, frame)

    at_once = [task for task in request.tasks if task.info.source in ("gradients", "activations", "nothing")]
    at_once = [task for task in at_once if "aug" not in task.refine]
    maps = [facts.map(task, index, one) for task in at_once for index, one in final(look, task, classes).items()]
    if maps:
        yield Step(tuple(maps), (), min(look.passes, total), total, perf_counter() - start)

    later = [task for task in request.tasks if task not in at_once]
    later.sort(key=lambda task: task.info.passes(network.site(task.path), task.options))
    for number, task in enumerate(later):
        before: list[Array] = []
        last = number == len(later) - 1
        for progress in answer(look, task, classes):
            found = [facts.map(task, index, one) for index, one in progress.maps.items()]
            now = [m.values for m in found]
            change = _mean_change(before, now) if before and len(before) == len(now) else None
            before = now or before
            done = total if progress.final and last else min(look.passes, total)
            finished, partial = (tuple(found), ()) if progress.final else ((), tuple(found))
            yield Step(finished, partial, done, total, perf_counter() - start, change)


def _shared_pass(look: Look, request: Request) -> tuple[int, ...]:
    """Have what the tasks share: activations at all layers, and the logits' gradients. Returns the classes."""
    sharing = [task for task in request.tasks if task.info.source == "gradients"]
    paths = [task.path for task in request.tasks if task.path is not None and task.info.source != "nothing"]
    with_gradient = {task.path for task in sharing if task.path is not None}
    classes = request.classes
    if with_gradient:
        # Layers that no gradient is wanted at ride along: their activations are there anyway.
        classes = look.tap([path for path in paths if path in with_gradient], classes, LOGIT)
    look.tap([path for path in paths if path not in with_gradient])
    if classes == (TOP_CLASS,):
        classes = (look.network.top_class(look.logits),)
    for task in request.tasks:
        against = score_of(task.info, task.options).against
        if set(against) & set(classes):
            label = look.network.labels[classes[0]]
            raise MethodError(
                f"{task.info.title}: the network says {label!r}, which cannot be compared with itself. Leave it out of "
                "'against', or name the class to explain."
            )
    return classes


@dataclass(frozen=True, eq=False)
class Facts:
    """What every map of one picture carries."""

    look: Look
    frame: Frame

    @cached_property
    def probabilities(self) -> Array:
        return self.look.probabilities

    @cached_property
    def overflow(self) -> str | None:
        if np.isfinite(self.look.logits).all():
            return None
        return "The network's scores are not finite numbers: it overflows on this picture."

    def map(self, task: Task, index: int, one: RawMap) -> CamMap:
        """The map with all that goes with it."""
        network, info = self.look.network, task.info
        idle = task.path is None or info.source == "nothing"
        state = "lively" if idle else self.look.state(str(task.path))
        values = normalised(one.raw, info.min_max)
        warning = warning_for(info, one.raw, values, one.broken, state, one.gradient_vanished)
        return CamMap(
            method=info.key,
            layer=task.path,
            class_index=index,
            label=network.labels[index],
            probability=float(self.probabilities[index]),
            logit=float(self.look.logits[index]),
            raw=one.raw,
            values=values,
            warning=" ".join(filter(None, (self.overflow, warning, one.caution))) or None,
            seconds=one.seconds,
            offset=one.offset,
            network=network.name,
            frame=self.frame,
            cells=cells_of(self.look, task, one.raw.shape),
            options=dict(task.options),
            evidence=one.evidence,
            passes=one.passes,
            refine=task.refine,
            score_kind=network.score_kind,
        )


def _mean_change(before: list[Array], now: list[Array]) -> float:
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(before, now, strict=True)]))
