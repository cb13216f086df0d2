"""What methods cost on this machine, on the visitor's own picture: measured in the background, one after the other."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import camcore
from camcore.metrics.cost import MethodCost, measure
from ui.compare.comparison import class_index, layer_path
from ui.jobs import Job
from ui.questions import NetworkKey
from ui.works import Part, Work


@dataclass(frozen=True)
class Question:
    """What is measured: methods at one layer for one class of one network and picture; see ``comparison.Cell``."""

    network: NetworkKey
    picture: str
    framing: str
    methods: tuple[str, ...]
    layer: str | None
    aim: str


@dataclass(frozen=True, eq=False)
class Table:
    """What was measured by now; ``label``, ``layer``: on what; ``left_out``: methods that cannot be there, and why."""

    label: str
    layer: str
    rows: tuple[MethodCost, ...]
    left_out: tuple[str, ...]


def work(question: Question, picture: Any) -> Work:
    """The measurement, as a Work whose value is a Table."""

    def steps(net: Any, job: Job[Work, Any]) -> Generator[Part, None, None]:
        said = tuple(net.predict(picture, top=5, framing=question.framing))
        index = class_index(net, said, question.aim, net)
        layer = layer_path(net, question.layer)
        costs, left_out = {}, []
        for key in question.methods:
            try:
                costs[key] = camcore.estimate(net, [key], [layer], [index])
            except camcore.CamcoreError as error:
                left_out.append(str(error))
        total, done = sum(costs.values()), 0.0
        rows: list[MethodCost] = []
        title = job.stage.title

        def moved(key: str, step: Any) -> None:
            job.check()
            job.stage.title = f"{title}: {camcore.METHODS[key].title}"
            job.stage.reach((done + costs[key] * step.done / max(step.total, 1)) / total)

        for one in measure(net, picture, list(costs), layer, index, question.framing, on_step=moved):
            rows.append(one)
            done += costs[one.method]
            yield Part(done / total, Table(net.labels[index], layer, tuple(rows), tuple(left_out)))
        if not rows:
            yield Part(1.0, Table(net.labels[index], layer, (), tuple(left_out)))

    def weigh(table: Table) -> int:
        return sum(one.map.raw.nbytes + one.map.values.nbytes + 1024 for one in table.rows) + 1024

    return Work(question.network, ("measuring", question), "Measuring", steps, weigh, watched=True)
