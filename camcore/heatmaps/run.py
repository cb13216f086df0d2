"""Methods × layers × classes of one picture, planned so that all share what they can.

All gradient methods, layers and classes come out of one forward pass and one backward pass per class. Methods that
ask for the scores of perturbed inputs share the answers over classes and methods, and give partial maps. Results
arrive as they are ready, cheapest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked
from camcore.errors import MethodError
from camcore.graph.class_score import LOGIT
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap, normalised, warning_for
from camcore.heatmaps.compute import RawMap, Task, final_maps, raw_maps
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import Classes, Keys, Layers, Options, Request, check_request, total_passes
from camcore.heatmaps.session import InputSession, open_session
from camcore.network import Network, check_picture
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import Frame

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Step:
    """The maps of one step of the work.

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
    ``classes``: indices, None for the class the network says. ``framing``: one of
    ``camcore.framing.FRAMINGS``, None for the network's own. ``options``: by method, such as ``{"gradcam++":
    {"variant": "authors"}}``. ``refine``: ``aug`` and ``eigen``, see ``camcore.heatmaps.refine``. ``memory``: where to
    find and keep what was computed of this picture.

    A method that is defined at one layer only (``cam``) is left out at the others with a Python warning, and
    refused where none of the layers asked for is its own. A method on the input's own grid (``fullgrad``) gives one
    map per class, whatever the layers.

    Raises MethodError, LayerError, ModelError (a class the network lacks) or CamcoreError (an unknown framing).

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> (m,) = camcore.explain(net, pic, "gradcam++", options={"gradcam++": {"variant": "authors"}})
    >>> m.layer, m.label, m.raw.shape, m.raw.dtype, m.values.max()
    ('block2', 'cat', (12, 12), dtype('float32'), np.float32(1.0))
    >>> m.on_picture().shape
    (48, 64)
    >>> [(m.method, m.label) for m in camcore.explain(net, pic, ["layercam", "hirescam"], classes=["dog", "cat"])]
    [('layercam', 'dog'), ('layercam', 'cat'), ('hirescam', 'dog'), ('hirescam', 'cat')]
    """
    request = check_request(network, methods, layers, classes, options, refine)
    steps = _steps(network, pic, request, framing, memory)
    maps = {(m.method, m.layer, m.class_index): m for step in steps for m in step.maps}
    classes = request.classes
    if classes == (TOP_CLASS,):
        classes = (next(iter(maps))[2],)
    return tuple(maps[task.info.key, task.path, index] for task in request.tasks for index in classes)


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

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> memory = camcore.Memory()
    >>> for step in camcore.stream(net, pic, ["gradcam", "scorecam"], memory=memory):
    ...     for m in step.maps:
    ...         print(f"{m.method}: {step.done:.0f} of {step.total:.0f} passes")
    gradcam: 2 of 98 passes
    scorecam: 98 of 98 passes
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
    """The cost of a request in forward passes of one image; an upper bound for the Score-CAM family.

    Raises as ``explain`` does. With ``net = camcore.load("cats_vs_dogs")``, whose default layer has 96 channels:

    >>> camcore.estimate(net, "gradcam")
    2.0
    >>> camcore.estimate(net, ["gradcam", "scorecam", "fasterscorecam"])
    98.0
    """
    return total_passes(network, check_request(network, methods, layers, classes, options, refine))


def _steps(
    network: Network, pic: Picture, request: Request, framing: str | None, memory: Memory | None
) -> Iterator[Step]:
    start = perf_counter()
    session, frame = open_session(network, pic, framing, memory)
    total = total_passes(network, request)
    classes = _shared_pass(session, request)

    at_once = [task for task in request.tasks if task.info.input.in_shared_pass and "aug" not in task.refine]
    maps = [
        finished(session, frame, task, index, raw)
        for task in at_once
        for index, raw in final_maps(session, task, classes).items()
    ]
    if maps:
        yield Step(tuple(maps), (), min(session.passes, total), total, perf_counter() - start)

    later = [task for task in request.tasks if task not in at_once]
    later.sort(key=lambda task: task.info.passes(network.site(task.path), task.options))
    for number, task in enumerate(later):
        before: list[Array] = []
        last = number == len(later) - 1
        for part in raw_maps(session, task, classes):
            maps = [finished(session, frame, task, index, raw) for index, raw in part.maps.items()]
            now = [m.values for m in maps]
            change = _mean_change(before, now) if before and len(before) == len(now) else None
            before = now or before
            done = total if part.final and last else min(session.passes, total)
            whole, partial = (tuple(maps), ()) if part.final else ((), tuple(maps))
            yield Step(whole, partial, done, total, perf_counter() - start, change)


def _shared_pass(session: InputSession, request: Request) -> tuple[int, ...]:
    """Compute what the tasks share: activations at all layers, and the logits' gradients. Returns the classes."""
    reading = [task for task in request.tasks if task.path is not None and task.info.input.reads_network]
    paths = [str(task.path) for task in reading]
    with_gradient = {str(task.path) for task in reading if task.info.input.shares_backward}
    classes = request.classes
    if with_gradient:
        # Layers that no gradient is wanted at ride along: their activations are there anyway.
        classes = session.tap([path for path in paths if path in with_gradient], classes, LOGIT)
    session.tap([path for path in paths if path not in with_gradient])
    if classes == (TOP_CLASS,):
        classes = (session.network.top_class(session.logits),)
    for task in request.tasks:
        against = task.info.input.score(task.options).against
        if set(against) & set(classes):
            label = session.network.labels[classes[0]]
            raise MethodError(
                f"{task.info.title}: the network says {label!r}, which cannot be compared with itself. Leave it out of "
                "'against', or name the class to explain."
            )
    return classes


def finished(session: InputSession, frame: Frame, task: Task, class_index: int, raw_map: RawMap) -> CamMap:
    """The map that a raw map becomes, with all that goes with it."""
    network, info, raw = session.network, task.info, raw_map.raw
    prediction = session.prediction(class_index)
    reads_layer = task.path is not None and info.input.reads_network
    state = session.state(str(task.path)) if reads_layer else "lively"
    values = normalised(raw, info.min_max)
    caution = network.layer(task.path).caution if reads_layer else ""
    warning = warning_for(info, raw, values, raw_map.broken, state, raw_map.gradient_vanished, caution)
    overflow = None if np.isfinite(session.logits).all() else _OVERFLOW
    if task.path is None:
        cells = info.input.cells(network, task.options, (raw.shape[0], raw.shape[1]))
    else:
        cells = network.layer(task.path).cells(network.input_size)
    return CamMap(
        method=info.key,
        layer=task.path,
        class_index=class_index,
        label=prediction.label,
        probability=prediction.probability,
        logit=prediction.logit,
        raw=raw,
        values=values,
        warning=" ".join(filter(None, (overflow, warning, raw_map.caution))) or None,
        seconds=raw_map.seconds,
        offset=raw_map.offset,
        network=network.name,
        frame=frame,
        cells=cells,
        options=dict(task.options),
        evidence=raw_map.evidence,
        passes=raw_map.passes,
        refine=task.refine,
        score_kind=network.score_kind,
    )


_OVERFLOW = "The network's scores are not finite numbers: it overflows on this picture."


def _mean_change(before: list[Array], now: list[Array]) -> float:
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(before, now, strict=True)]))
