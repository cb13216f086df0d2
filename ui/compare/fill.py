"""Fills a comparison's cells: cheapest first, expensive methods when told to, one failure alone.

The maps are those of the process's cache, so that what Inspect has computed is there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from camcore import CamcoreError
from ui import map_cache, paces
from ui.compare.comparison import GridCell, GridPlan, class_index, layer_path
from ui.compare.sheets import Bill, GridMap, MapSheet
from ui.jobs.job import Job, Stage, StoppedError
from ui.jobs.work import Update, Updates
from ui.map_cache import CHEAP_PASSES, MapCache
from ui.methods import key_of, layer_free, options_of
from ui.network_summary import NetworkSummary
from ui.query import Cost, Failure, MapKey, NetworkKey

if TYPE_CHECKING:
    from types import ModuleType

    from camcore.heatmaps.cam_map import CamMap
    from camcore.heatmaps.run import Step
    from camcore.network import Network
    from camcore.pictures.picture import Picture
    from camcore.predictions import Prediction

HELD = "Needs its weights first"

_LOG = logging.getLogger(__name__)

CellsByMap: TypeAlias = dict[MapKey, list[GridCell]]
_FREE = Cost(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of the core: ``cells`` by the key of the map that they show.

    ``methods``: forms (see ``ui.methods``), a variant by itself. ``alone``: it takes so long that it has its own call,
    price and partial maps.
    """

    network: NetworkKey
    framing: str
    methods: tuple[str, ...]
    layers: tuple[str | None, ...]
    classes: tuple[int, ...]
    cells: CellsByMap = field(repr=False)
    alone: bool = False
    cost: Cost = _FREE


Calls: TypeAlias = Generator[Update[MapSheet], None, list[_Call]]


def begun(plan: GridPlan, earlier: MapSheet | None) -> MapSheet:
    """The sheet to begin with: what an earlier one of the same picture has of it."""
    if earlier is None or earlier.plan.picture != plan.picture:
        return MapSheet(plan)
    cells = set(plan.cells)
    filled = {cell: one for cell, one in earlier.filled.items() if cell in cells}
    networks = {key: summary for key, summary in earlier.networks.items() if key in plan.backbones}
    return MapSheet(plan, networks, filled)


def fill(cache: MapCache, job: Job[MapSheet], plan: GridPlan, picture: Picture, express: bool) -> Updates[MapSheet]:
    """Fill the job's sheet. ``express``: slow methods run, too; without it what takes too long is priced."""
    slow: list[_Call] = []
    for key in plan.backbones:
        slow += yield from _one_network(cache, job, plan, key, picture)
    yield from _slow(cache, job, picture, slow, express)


def _one_network(cache: MapCache, job: Job[MapSheet], plan: GridPlan, key: NetworkKey, picture: Picture) -> Calls:
    """One network's answers and cheap maps; the slow calls are left. A network that fails stops no other."""
    if key in plan.held:
        yield Update(value=_sheet(job).with_refused({c: HELD for c in plan.cells if c.network == key}))
        return []
    try:
        net = cache.networks.get(job, key)
        predictions = {f: cache.predictions(job, key, net, picture, f) for f in plan.framings_of(key)}
    except StoppedError:
        raise
    except Exception as error:
        if not isinstance(error, CamcoreError):
            _LOG.exception("%s could not take part in a comparison", key.name)
        failure = Failure.of(error)
        sheet = _sheet(job).with_refused({cell: failure.message for cell in plan.cells if cell.network == key})
        yield Update(value=replace(sheet, failures={**sheet.failures, key: failure}))
        return []
    yield Update(value=_sheet(job).with_network(key, NetworkSummary.of(net, predictions)))
    calls: list[_Call] = []
    for framing in plan.framings_of(key):
        missing = yield from _missing(cache, job, plan, key, net, framing, predictions[framing])
        calls += _calls(cache, key, net, framing, picture, missing)
    for call in calls:
        if not call.alone:
            job.enter(Stage(f"{net.name}: {_titles(cache.core, call)}", expected=1.0))
            yield from _run(cache, job, net, picture, call, lambda step: None)
    return [call for call in calls if call.alone]


def _missing(
    cache: MapCache,
    job: Job[MapSheet],
    plan: GridPlan,
    key: NetworkKey,
    net: Network,
    framing: str,
    predictions: Sequence[Prediction],
) -> Generator[Update[MapSheet], None, CellsByMap]:
    """The cells of one network and framing whose maps have to be computed; the known ones are filled."""
    lead = (net if key == plan.lead else cache.networks.peek(plan.lead)) or net
    missing: CellsByMap = {}
    filled: dict[GridCell, GridMap] = {}
    refused: dict[GridCell, str] = {}
    for cell in plan.cells:
        if (cell.network, cell.framing) != (key, framing):
            continue
        try:
            info = cache.core.METHODS[key_of(cell.method)]
            path = None if layer_free(info) else layer_path(net, cell.layer)
            if info.at_own_layer:
                net.check_linear_head(path)
            index = class_index(net, predictions, cell.aim, lead)
        except CamcoreError as error:
            refused[cell] = str(error)
            continue
        target = MapKey(key, plan.picture, framing, cell.method, path, index)
        known = cache.maps.get(target)
        if known is not None:
            filled[cell] = GridMap(known)
        else:
            missing.setdefault(target, []).append(cell)
    yield Update(value=_sheet(job).with_filled(filled).with_refused(refused))
    return missing


def _calls(
    cache: MapCache, key: NetworkKey, net: Network, framing: str, picture: Picture, missing: CellsByMap
) -> list[_Call]:
    """The calls that make the missing maps: the cheap methods together, each slow one alone at each layer."""
    by_method: dict[str, CellsByMap] = {}
    for target, cells in missing.items():
        by_method.setdefault(target.method, {})[target] = cells
    groups: dict[tuple[object, ...], CellsByMap] = {}
    for method, part in by_method.items():
        info = cache.core.METHODS[key_of(method)]
        call = _call(key, framing, part)
        # What the method adds to the passes that all gradient methods share.
        alone = cache.core.estimate(net, **_request(call)) - 1 - len(call.classes) > CHEAP_PASSES
        apart = alone or info.at_own_layer or layer_free(info) or bool(options_of(method))
        for target, cells in part.items():
            groups.setdefault((alone, method, target.layer) if apart else (False,), {})[target] = cells
    calls = []
    for group, part in groups.items():
        call = replace(_call(key, framing, part), alone=bool(group[0]))
        if call.alone:
            passes = float(cache.core.estimate(net, **_request(call)))
            call = replace(call, cost=cache.pace(key, net, picture, framing).cost(passes))
        calls.append(call)
    return calls


def _slow(
    cache: MapCache, job: Job[MapSheet], picture: Picture, calls: Sequence[_Call], express: bool
) -> Updates[MapSheet]:
    """The methods that take many passes: at once as long as patience lasts, the rest when told to."""
    calls = sorted(calls, key=lambda call: call.cost.seconds)
    spent = 0.0
    run: list[_Call] = []
    rest: list[_Call] = []
    for call in calls:
        spent += call.cost.seconds
        (run if express or spent <= map_cache.PATIENCE_SECONDS else rest).append(call)
    total = sum(call.cost.passes for call in run)
    done = 0.0
    for number, call in enumerate(run):
        net = cache.networks.get(job, call.network)
        stage = Stage(_titles(cache.core, call), expected=sum(one.cost.seconds for one in run[number:]))
        job.enter(stage)

        def learn(step: Step, call: _Call = call, stage: Stage = stage, before: float = done) -> None:
            stage.reach((before + step.done / max(step.total, 1) * call.cost.passes) / total)
            if step.partial:  # the last step counts passes that were remembered, too
                cache.paces.learn(call.network, step.done, step.seconds)

        yield from _run(cache, job, net, picture, call, learn)
        done += call.cost.passes
    if rest:
        cells = tuple(cell for call in rest for part in call.cells.values() for cell in part)
        titles = tuple(dict.fromkeys(_titles(cache.core, call) for call in rest))
        bill = Bill(titles, paces.total([call.cost for call in rest]), cells)
        yield Update(value=replace(_sheet(job), bill=bill))


def _run(
    cache: MapCache,
    job: Job[MapSheet],
    net: Network,
    picture: Picture,
    call: _Call,
    on_step: Callable[[Step], None],
) -> Updates[MapSheet]:
    """One call, step by step. An error of its own is told in its cells; the others go on."""
    try:
        steps = cache.core.stream(net, picture, **_request(call), framing=call.framing, memory=cache.memory)
        with contextlib.closing(steps):
            for step in steps:
                on_step(step)
                share = step.done / max(step.total, 1)
                filled = _placed(cache, call, step.partial, share, step.change) if call.alone else {}
                filled |= _placed(cache, call, step.maps)
                yield Update(value=_sheet(job).with_filled(filled) if filled else None)
    except StoppedError:
        raise
    except Exception as error:
        if not isinstance(error, CamcoreError):
            _LOG.exception("%s failed in a comparison", call.methods)
        why = Failure.of(error).message
        sheet = _sheet(job)
        cells = [cell for part in call.cells.values() for cell in part]
        yield Update(value=sheet.with_refused({cell: why for cell in cells if cell in sheet.missing}))


def _placed(
    cache: MapCache, call: _Call, maps: Sequence[CamMap], done: float = 1.0, change: float | None = None
) -> dict[GridCell, GridMap]:
    """Maps by their cells; whole ones are kept for everybody."""
    filled: dict[GridCell, GridMap] = {}
    forms = {key_of(form): form for form in call.methods}
    picture = next(iter(call.cells)).picture
    for m in maps:
        target = MapKey(call.network, picture, call.framing, forms[m.method], m.layer, m.class_index)
        cells = call.cells.get(target)
        if cells is None:
            continue
        if done >= 1.0:
            cache.maps.put(target, m)
        filled |= dict.fromkeys(cells, GridMap(m, done, change))
    return filled


def _sheet(job: Job[MapSheet]) -> MapSheet:
    """The sheet as it was published last."""
    assert job.value is not None
    return job.value


def _call(key: NetworkKey, framing: str, part: CellsByMap) -> _Call:
    methods = tuple(dict.fromkeys(target.method for target in part))
    layers = tuple(dict.fromkeys(target.layer for target in part))
    classes = tuple(dict.fromkeys(target.class_index for target in part))
    return _Call(key, framing, methods, layers, classes, part)


def _request(call: _Call) -> dict[str, Any]:
    """A call as the arguments of camcore's estimate and stream."""
    request: dict[str, Any] = {
        "methods": [key_of(form) for form in call.methods],
        "layers": [path for path in call.layers if path is not None] or None,
        "classes": list(call.classes),
    }
    options = options_of(call.methods[0])  # a variant is asked for by itself
    return {**request, "options": options} if options else request


def _titles(core: Any | ModuleType, call: _Call) -> str:
    titles = [core.METHODS[key_of(form)].title for form in call.methods]
    return str(titles[0]) if len(titles) == 1 else f"{len(titles)} methods at once"
