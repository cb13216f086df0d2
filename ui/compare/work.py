"""The work of the Compare page: its maps, two classes weighed, methods measured, and the verdicts on its maps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import camcore
from camcore.heatmaps.contrast import Contrast
from camcore.metrics.cost import MethodCost, measure
from camcore.verdict.gather import Trust
from ui import paces
from ui.compare.comparison import GridPlan, class_index, layer_path
from ui.compare.fill import begun, fill
from ui.compare.sheets import MapSheet
from ui.jobs.job import Job
from ui.jobs.runner import runner
from ui.jobs.work import Lane, Update, Updates, Work
from ui.map_cache import MapCache, map_cache
from ui.query import Cost, NetworkKey, map_identity
from ui.trust import evidence

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.heatmaps.run import Step
    from camcore.network import Network
    from camcore.pictures.picture import Picture

# ---- the maps


def sheet_work(
    cache: MapCache,
    plan: GridPlan,
    picture: Picture,
    express: bool = False,
    earlier: MapSheet | None = None,
) -> Work[MapSheet]:
    """Fills a plan's cells. ``express``: slow methods run, too.

    ``earlier``: a sheet of the same picture, whose maps are there at once where the plan has them too.
    """

    def steps(_: object, job: Job[MapSheet]) -> Updates[MapSheet]:
        return fill(cache, job, plan, picture, express)

    lane: Lane = "work" if express else "answer"
    return Work(None, ("sheet", plan, express), "Comparing", steps, start=begun(plan, earlier), lane=lane)


# ---- two classes


@dataclass(frozen=True)
class ContrastQuery:
    """Class ``first`` against ``second``, see ``GridCell.aim``, at one layer of one network."""

    network: NetworkKey
    picture: str
    framing: str
    layer: str | None
    first: str
    second: str


def contrast_work(query: ContrastQuery, picture: Picture) -> Work[Contrast]:
    """Weighs two classes against each other."""

    def steps(net: Network, _: object) -> Updates[Contrast]:
        predictions = tuple(net.predict(picture, top=5, framing=query.framing))
        first, second = (class_index(net, predictions, aim, net) for aim in (query.first, query.second))
        layer = layer_path(net, query.layer)
        memory = map_cache().memory
        yield Update(1.0, camcore.contrast(net, picture, first, second, layer, query.framing, memory))

    def size(found: Contrast) -> int:
        return int(found.difference.nbytes + found.finer.raw.nbytes + found.finer.values.nbytes + 4096)

    return Work(query.network, ("contrast", query), "Weighing both classes", steps, size, expected=1.5)


# ---- the costs


@dataclass(frozen=True)
class CostQuery:
    """Methods at one layer for one class of one network and picture; see ``comparison.GridCell``."""

    network: NetworkKey
    picture: str
    framing: str
    methods: tuple[str, ...]
    layer: str | None
    aim: str


@dataclass(frozen=True, eq=False)
class CostTable:
    """The measurements so far; ``label``, ``layer``: on what; ``left_out``: the reasons why a method is missing."""

    label: str
    layer: str
    rows: tuple[MethodCost, ...]
    left_out: tuple[str, ...]


def cost_work(query: CostQuery, picture: Picture) -> Work[CostTable]:
    """Measures methods, one after the other."""

    def steps(net: Network, job: Job[CostTable]) -> Updates[CostTable]:
        predictions = tuple(net.predict(picture, top=5, framing=query.framing))
        index = class_index(net, predictions, query.aim, net)
        layer = layer_path(net, query.layer)
        costs, left_out = {}, []
        for key in query.methods:
            try:
                costs[key] = camcore.estimate(net, [key], [layer], [index])
            except camcore.CamcoreError as error:
                left_out.append(str(error))
        total, done = sum(costs.values()), 0.0
        rows: list[MethodCost] = []
        title = job.stage.title

        def moved(key: str, step: Step) -> None:
            job.check()
            job.stage.title = f"{title}: {camcore.METHODS[key].title}"
            job.stage.reach((done + costs[key] * step.done / max(step.total, 1)) / total)

        for one in measure(net, picture, list(costs), layer, index, query.framing, on_step=moved):
            rows.append(one)
            done += costs[one.method]
            yield Update(done / total, CostTable(net.labels[index], layer, tuple(rows), tuple(left_out)))
        if not rows:
            yield Update(1.0, CostTable(net.labels[index], layer, (), tuple(left_out)))

    def size(table: CostTable) -> int:
        return sum(one.map.raw.nbytes + one.map.values.nbytes + 1024 for one in table.rows) + 1024

    return Work(query.network, ("costs", query), "Measuring", steps, size)


# ---- the verdicts

Verdicts = Mapping[Hashable, Trust]
"""The evidence by ``map_identity``; a map whose evidence is still gathered has no verdict."""


def verdicts_work(network: NetworkKey, picture: Picture, maps: Sequence[CamMap]) -> Work[Verdicts]:
    """Gathers the short form of the evidence for each of some maps of one network."""
    identities = tuple(map_identity(network, picture.sha256, m) for m in maps)

    def steps(net: Network, _: object) -> Updates[Verdicts]:
        costs = [camcore.trust_passes(net, m, "quick") for m in maps]
        total, done = sum(costs), 0.0
        verdicts: dict[Hashable, Trust] = {}
        for identity, m, cost in zip(identities, maps, costs, strict=True):
            known = runner().known(evidence.work(network, picture, m, "quick"))
            if known is None:
                title = f"Judging {camcore.METHODS[m.method].title}"
                for step in evidence.gathered(network, net, picture, m, "quick"):
                    yield Update((done + step.done) / total, title=title)
                known = step.trust
            verdicts = {**verdicts, identity: known}
            done += cost
            yield Update(done / total, verdicts)

    def size(verdicts: Verdicts) -> int:
        return sum(map(evidence.trust_bytes, verdicts.values()))

    return Work(network, ("verdicts", identities), "Judging the maps", steps, size)


def verdicts_price(network: NetworkKey, net: Network, maps: Sequence[CamMap]) -> Cost:
    """The price of judging these maps of one picture, one after the other."""
    grids = [m.values.shape for m in maps]
    return paces.total(
        [
            evidence.price(network, net, m, "quick", remembered=m.values.shape in grids[:place])
            for place, m in enumerate(maps)
        ]
    )
