"""One method at one place for some classes: what it needs, asked of the network, and what its function makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.framing import CellGrid
from camcore.graph.targets import LOGIT, Score
from camcore.heatmaps.cam_map import as_float32
from camcore.heatmaps.perturbation import Plan, plan_for
from camcore.heatmaps.refine import augmented
from camcore.heatmaps.session import Look
from camcore.methods import MethodInfo
from camcore.methods.control import square_side, square_starts
from camcore.methods.decomposition import main_component
from camcore.methods.info import Asked

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Task:
    """A method with its options at a layer's path; None: on the input's own grid. ``refine``: see refining."""

    info: MethodInfo
    options: Mapping[str, Any]
    path: str | None
    refine: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RawMap:
    """What a method's function gave: ``raw`` float32 (h, w), and what goes with it; see CamMap."""

    raw: NDArray[np.float32]
    broken: int
    seconds: float
    passes: float
    caution: str | None = None
    gradient_vanished: bool = False
    evidence: float | None = None
    offset: float | None = None


@dataclass(frozen=True, eq=False)
class Progress:
    """``maps`` by class index; ``final``: no better ones will come. ``members``: how many answers they stand on."""

    maps: dict[int, RawMap]
    final: bool
    members: int = 0


def score_of(info: MethodInfo, options: Mapping[str, Any]) -> Score:
    """What a gradient method differentiates."""
    if info.source == "contrast":
        return Score("finer", tuple(options["against"]), options["alpha"])
    if info.source == "curvature" and options["variant"] == "rest":
        return Score("rest")
    return LOGIT


def answer(look: Look, task: Task, classes: Sequence[int]) -> Iterator[Progress]:
    """The raw maps of a task for some classes; those that ask for many scores come in pieces, the best so far."""
    if "aug" in task.refine:
        yield _augmented(look, task, classes)
    elif task.info.asks:
        yield from _asked(look, task, classes)
    else:
        yield Progress({index: _at_once(look, task, index) for index in classes}, True)


def final(look: Look, task: Task, classes: Sequence[int]) -> dict[int, RawMap]:
    """The finished maps of a task, by class."""
    *_, last = answer(look, task, classes)
    return last.maps


def _augmented(look: Look, task: Task, classes: Sequence[int]) -> Progress:
    plain = Task(task.info, task.options, task.path, tuple(name for name in task.refine if name != "aug"))
    start = perf_counter()
    found: dict[int, list[RawMap]] = {index: [] for index in classes}
    for number, (x, mirrored) in enumerate(augmented(look.network, look.x)):
        changed = look if number == 0 else Look(look.network, x)
        for index, one in final(changed, plain, classes).items():
            found[index].append(_mirrored(one) if mirrored else one)
        if changed is not look:
            look.passes += changed.passes
    seconds = perf_counter() - start
    return Progress({index: _mean(maps, seconds) for index, maps in found.items()}, True)


def _mirrored(one: RawMap) -> RawMap:
    return RawMap(one.raw[:, ::-1], one.broken, one.seconds, one.passes, one.caution, one.gradient_vanished)


def _mean(maps: list[RawMap], seconds: float) -> RawMap:
    raw: NDArray[np.float32] = np.stack([one.raw for one in maps]).mean(axis=0, dtype=np.float64).astype(np.float32)
    vanished = all(one.gradient_vanished for one in maps)
    passes = sum(one.passes for one in maps)
    return RawMap(raw, max(one.broken for one in maps), seconds, passes, maps[0].caution, vanished)


def _at_once(look: Look, task: Task, index: int) -> RawMap:
    """The map of a method that needs no series of answers."""
    info, options, path = task.info, task.options, task.path
    pass_seconds, passes = 0.0, 1.0
    given: tuple[Any, ...]
    evidence: float | None = None
    offset: float | None = None
    start = perf_counter()
    if info.source == "nothing":
        given, passes = (look.network.site(path).grid,), 0.0
    elif info.source == "bias gradients":
        found = look.biases(index)
        given, passes = (found.input, found.layers), 3.0
        pass_seconds, start = found.seconds, perf_counter()
        evidence = float(found.input.sum(dtype=np.float64))
        evidence += sum(float(layer.sum(dtype=np.float64)) for layer in found.layers)
        offset = found.rest
    elif info.source == "input gradients":
        G, pass_seconds = look.input_gradient(index)
        given, passes, start = (G,), 3.0, perf_counter()
    else:
        assert path is not None
        A = look.activations(path)
        if info.source == "activations":
            given = (A,)
        elif info.source == "noise":
            given = (A, *look.noisy_moments(path, index, options["n"], options["sigma"], options["seed"]))
            passes = 1 + 2.0 * options["n"]
        elif info.source == "curvature":
            G, HA, pass_seconds = look.curvature(path, index, score_of(info, options))
            given, passes, start = (A, G, HA), 3.0, perf_counter()
        else:
            G, pass_seconds = look.gradient(path, index, score_of(info, options))
            given, passes, start = (A, G), 2.0, perf_counter()
    raw, broken = raw_map(info, given, options, "eigen" in task.refine)
    caution = info.caution(*given, **info.formula_options(options)) if info.caution is not None else None
    seconds = pass_seconds + perf_counter() - start
    if info.adds_up and not task.refine:
        assert path is not None
        offset = look.offset(path, index)
        if offset is not None:
            evidence = float(raw.sum(dtype=np.float64)) / (raw.size if info.adds_up == "mean" else 1)
    vanished = (
        info.source not in ("activations", "nothing")
        and raw.max(initial=0) <= 0
        and not any(part.any() for part in _gradients(given))
    )
    return RawMap(raw, broken, seconds, passes, caution, vanished, evidence, offset)


def _gradients(given: tuple[Any, ...]) -> list[Array]:
    arrays: list[Array] = []
    for part in given[1:] or given:
        arrays += list(part) if isinstance(part, tuple) else [part]
    return arrays


def _asked(look: Look, task: Task, classes: Sequence[int]) -> Iterator[Progress]:
    """The map of a method that asks for the scores of perturbed inputs, a chunk at a time."""
    info, path = task.info, task.path
    plan = plan_for(info.source, look, path, task.options)
    A = look.activations(path) if path is not None else None
    compiler = look.network.traced.compiler
    start = compiler.clock()
    logits = look.logits
    probabilities = look.probabilities
    columns: dict[int, list[tuple[Array, Array]]] = {index: [] for index in classes}
    shown = 0
    for stop in [*range(plan.chunk, len(plan.members), plan.chunk), len(plan.members)]:
        first = stop - plan.chunk if stop % plan.chunk == 0 else stop - stop % plan.chunk
        new = _answers(look, plan, max(first, 0), stop)
        likely = [_probabilities(look, info, part) for part in new]
        for index in classes:
            columns[index].append(
                (
                    np.stack([part[:, index] for part in new], axis=1),
                    np.stack([part[:, index] for part in likely], axis=1),
                )
            )
        final = stop == len(plan.members)
        # A map of random masks takes as long as its masks: drawn anew only when twice as many have been seen.
        if not final and info.source == "random masks" and stop < 2 * shown:
            yield Progress({}, False, stop)
            continue
        shown = stop
        maps = {}
        for index in classes:
            parts = columns[index]
            asked = Asked(
                plan.members[:stop],
                np.concatenate([z for z, _ in parts]),
                np.concatenate([p for _, p in parts]),
                float(logits[index]),
                float(probabilities[index]),
                look.network.input_size,
            )
            given = (A, asked)
            raw, broken = raw_map(info, given, task.options, "eigen" in task.refine)
            caution = info.caution(*given, **info.formula_options(task.options)) if info.caution else None
            passes = 1 + stop * len(plan.series) * plan.cost
            seconds = compiler.clock() - start
            maps[index] = RawMap(raw, broken, seconds, passes, caution)
        yield Progress(maps, final, stop)


def _probabilities(look: Look, info: MethodInfo, logits: Array) -> Array:
    """Probabilities of logits (m, classes); unknown, NaN, where the method works with logits alone."""
    if info.source == "ablations":
        return np.broadcast_to(np.float64(np.nan), logits.shape)
    return look.network.probabilities(logits)


def _answers(look: Look, plan: Plan, start: int, stop: int) -> list[Array]:
    """The logits (stop − start, classes) of these members in every series; asks for what is not known."""
    found = []
    for series in plan.series:
        parts = list(look.known(series.key) or ())
        count = sum(len(part) for part in parts)
        if count < stop:
            parts.append(series.ask(plan.members[count:stop]))
            look.passes += (stop - count) * plan.cost
            look.keep(series.key, *parts)
        found.append(_rows(parts, start, stop, look.network.classes))
    return found


def _rows(parts: list[Array], start: int, stop: int, classes: int) -> Array:
    """Rows start to stop of arrays that lie one after the other."""
    chosen, first = [], 0
    for part in parts:
        low, high = max(start - first, 0), min(stop - first, len(part))
        if low < high:
            chosen.append(part[low:high])
        first += len(part)
    if len(chosen) == 1:
        return chosen[0]
    return np.concatenate(chosen) if chosen else np.empty((0, classes))


def raw_map(
    info: MethodInfo, given: tuple[Any, ...], options: Mapping[str, Any], eigen: bool = False
) -> tuple[NDArray[np.float32], int]:
    """The raw map (h, w) that a method's function makes of what it is given, and how many cells were not finite.

    ``eigen``: the main component of the weighted activations instead.
    """
    formula = info.formula_options(options)
    with np.errstate(all="ignore"):  # what overflows is counted and reported
        if eigen and info.weights is not None:
            return as_float32(main_component(given[0], info.weights(*given, **formula)))
        return as_float32(info.compute(*given, **formula))


def cells_of(look: Look, task: Task, shape: tuple[int, ...]) -> CellGrid:
    """Where a map's cells lie on the network's input."""
    network = look.network
    if task.path is not None:
        return network.layer(task.path).cells(network.input_size)
    if task.info.source == "squares":
        size, stride = task.options["size"], task.options["stride"]
        starts = square_starts(network.input_size, size, stride)
        middle = (square_side(network.input_size, size) - 1) / 2
        steps = [float(one[-1] - one[0]) / (len(one) - 1) if len(one) > 1 else 1.0 for one in starts]
        return CellGrid((middle, middle), (steps[0], steps[1]))
    return CellGrid.uniform((shape[0], shape[1]), network.input_size)
