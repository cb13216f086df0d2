"""Why one class and not another: asked in the background, kept for everybody."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import camcore
from ui.compare.comparison import class_index, layer_path
from ui.engine import engine
from ui.questions import NetworkKey
from ui.works import Part, Work


@dataclass(frozen=True)
class Question:
    """Class ``first`` against class ``second`` (see ``ui.compare.comparison.Cell.aim``) at one layer of one network."""

    network: NetworkKey
    picture: str
    framing: str
    layer: str | None
    first: str
    second: str


def work(question: Question, picture: Any) -> Work:
    """The contrast, as a Work whose value is a camcore.Contrast."""

    def steps(net: Any) -> Generator[Part, None, None]:
        said = tuple(net.predict(picture, top=5, framing=question.framing))
        first, second = (class_index(net, said, aim, net) for aim in (question.first, question.second))
        layer = layer_path(net, question.layer)
        yield Part(1.0, camcore.contrast(net, picture, first, second, layer, question.framing, engine().memory))

    def weigh(found: Any) -> int:
        return int(found.difference.nbytes + found.finer.raw.nbytes + found.finer.values.nbytes + 4096)

    return Work(question.network, ("contrast", question), "Weighing both classes", steps, weigh, expected=1.5)
