"""The raw maps of one method at one layer for some classes: its arguments had of the network, its function applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.heatmaps.cam_map import as_float32
from camcore.heatmaps.refine import augmented
from camcore.heatmaps.session import InputSession
from camcore.methods.decomposition import main_component
from camcore.methods.inputs import MethodCall, PerturbedScores
from camcore.methods.perturbations import PerturbationPlan, Perturbations

if TYPE_CHECKING:
    from camcore.methods.info import MethodInfo, OptionValues
    from camcore.methods.inputs import Array


@dataclass(frozen=True, eq=False)
class Task:
    """A method with its options at a layer's path; None: on the input's own grid. ``refine``: see ``refine``."""

    info: MethodInfo
    options: OptionValues
    path: str | None
    refine: tuple[str, ...] = ()

    def call(self, session: InputSession) -> MethodCall:
        """The task for one picture."""
        return MethodCall(session, self.path, self.options)


@dataclass(frozen=True, eq=False)
class RawMap:
    """The result of a method's function: ``raw`` float32 (h, w), and what goes with it; see CamMap."""

    raw: NDArray[np.float32]
    broken: int
    seconds: float
    passes: float
    caution: str | None = None
    gradient_vanished: bool = False
    evidence: float | None = None
    offset: float | None = None


@dataclass(frozen=True, eq=False)
class RawMaps:
    """``maps`` by class index; ``final``: no better ones will come. ``members``: the perturbations they rest on."""

    maps: dict[int, RawMap]
    final: bool
    members: int = 0


def raw_maps(session: InputSession, task: Task, classes: Sequence[int]) -> Iterator[RawMaps]:
    """The raw maps of a task for some classes; those of perturbed inputs come in pieces, the best so far."""
    if "aug" in task.refine:
        yield _augmented(session, task, classes)
    elif isinstance(task.info.input, Perturbations):
        yield from _growing(session, task, task.info.input, classes)
    else:
        yield RawMaps({index: _at_once(session, task, index) for index in classes}, True)


def final_maps(session: InputSession, task: Task, classes: Sequence[int]) -> dict[int, RawMap]:
    """The finished maps of a task, by class."""
    *_, last = raw_maps(session, task, classes)
    return last.maps


def _augmented(session: InputSession, task: Task, classes: Sequence[int]) -> RawMaps:
    plain = replace(task, refine=tuple(name for name in task.refine if name != "aug"))
    start = perf_counter()
    by_class: dict[int, list[RawMap]] = {index: [] for index in classes}
    for number, (x, mirrored) in enumerate(augmented(session.network, session.x)):
        changed = session if number == 0 else InputSession(session.network, x)
        for index, one in final_maps(changed, plain, classes).items():
            by_class[index].append(_mirrored(one) if mirrored else one)
        if changed is not session:
            session.passes += changed.passes
    seconds = perf_counter() - start
    return RawMaps({index: _mean(maps, seconds) for index, maps in by_class.items()}, True)


def _mirrored(one: RawMap) -> RawMap:
    return replace(one, raw=one.raw[:, ::-1], evidence=None, offset=None)


def _mean(maps: list[RawMap], seconds: float) -> RawMap:
    raw = np.stack([one.raw for one in maps]).mean(axis=0, dtype=np.float64).astype(np.float32)
    vanished = all(one.gradient_vanished for one in maps)
    passes = sum(one.passes for one in maps)
    return RawMap(raw, max(one.broken for one in maps), seconds, passes, maps[0].caution, vanished)


def _at_once(session: InputSession, task: Task, index: int) -> RawMap:
    """The map of a method that needs no series of scores."""
    info = task.info
    start, before = perf_counter(), 0.0
    arguments = info.input.arguments(task.call(session), index)
    if arguments.seconds is not None:
        start, before = perf_counter(), arguments.seconds
    raw, broken, caution = _apply(task, arguments.values)
    seconds = before + perf_counter() - start
    evidence, offset = arguments.evidence, arguments.offset
    if info.adds_up and not task.refine:
        assert task.path is not None
        offset = session.offset(task.path, index)
        if offset is not None:
            evidence = float(raw.sum(dtype=np.float64)) / (raw.size if info.adds_up == "mean" else 1)
    vanished = (
        info.input.derivative_order > 0
        and raw.max(initial=0) <= 0
        and not any(part.any() for part in arguments.gradients)
    )
    return RawMap(raw, broken, seconds, arguments.passes, caution, vanished, evidence, offset)


def _growing(session: InputSession, task: Task, kind: Perturbations, classes: Sequence[int]) -> Iterator[RawMaps]:
    """The maps of a method of perturbed inputs, a chunk at a time."""
    network, path = session.network, task.path
    plan = kind.plan(task.call(session))
    A = session.activations(path) if path is not None else None
    clock = network.traced.compiler.clock
    start = clock()
    logits, probabilities = session.logits, session.probabilities
    scores: dict[int, list[tuple[Array, Array]]] = {index: [] for index in classes}
    total, drawn, first = len(plan.members), 0, 0
    for stop in [*range(plan.chunk, total, plan.chunk), total]:
        new = _answers(session, plan, first, stop)
        likely = [network.probabilities(part) if kind.with_probabilities else _unknown(part) for part in new]
        for index in classes:
            columns = [np.stack([part[:, index] for part in parts], axis=1) for parts in (new, likely)]
            scores[index].append((columns[0], columns[1]))
        first = stop
        if stop < total and stop < kind.redraw * drawn:
            yield RawMaps({}, False, stop)
            continue
        drawn = stop
        maps = {}
        for index in classes:
            perturbed = PerturbedScores(
                plan.members[:stop],
                np.concatenate([z for z, _ in scores[index]]),
                np.concatenate([p for _, p in scores[index]]),
                float(logits[index]),
                float(probabilities[index]),
                network.input_size,
            )
            raw, broken, caution = _apply(task, (A, perturbed))
            passes = 1 + stop * len(plan.series) * plan.cost
            maps[index] = RawMap(raw, broken, clock() - start, passes, caution)
        yield RawMaps(maps, stop == total, stop)


def _unknown(logits: Array) -> Array:
    """Probabilities that nobody needs, NaN."""
    return np.broadcast_to(np.float64(np.nan), logits.shape)


def _answers(session: InputSession, plan: PerturbationPlan, start: int, stop: int) -> list[Array]:
    """The logits (stop − start, classes) of these members in every series; computes what is not known."""
    answers = []
    for series in plan.series:
        parts = list(session.known(series.key) or ())
        count = sum(len(part) for part in parts)
        if count < stop:
            parts.append(series.ask(plan.members[count:stop]))
            session.passes += (stop - count) * plan.cost
            session.keep(series.key, *parts)
        answers.append(_rows(parts, start, stop, session.network.classes))
    return answers


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


def _apply(task: Task, values: tuple[object, ...]) -> tuple[NDArray[np.float32], int, str | None]:
    """The raw map, how many of its cells were not finite, and the method's caution."""
    info = task.info
    raw, broken = raw_map(info, values, task.options, "eigen" in task.refine)
    caution = info.caution(*values, **info.formula_options(task.options)) if info.caution is not None else None
    return raw, broken, caution


def raw_map(
    info: MethodInfo, values: tuple[object, ...], options: OptionValues, eigen: bool = False
) -> tuple[NDArray[np.float32], int]:
    """The raw map (h, w) that a method's function makes of its arguments, and how many cells were not finite.

    ``eigen``: the main component of the weighted activations instead.
    """
    formula = info.formula_options(options)
    with np.errstate(all="ignore"):  # what overflows is counted and reported
        if eigen and info.weights is not None:
            A = values[0]
            assert isinstance(A, np.ndarray)
            return as_float32(main_component(A, info.weights(*values, **formula)))
        return as_float32(info.compute(*values, **formula))
