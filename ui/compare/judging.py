"""How far to trust each map of a comparison: one after the other, in the background."""

from collections.abc import Generator, Hashable, Sequence
from typing import Any

import camcore
from ui.jobs import Job
from ui.questions import Cost, NetworkKey, map_identity
from ui.trust import trusting
from ui.works import Part, Work, works

Judged = dict[Hashable, Any]
"""camcore.Trust by ``map_identity``; a map whose evidence is still gathered has no verdict."""


def work(network: NetworkKey, picture: Any, maps: Sequence[Any]) -> Work:
    """The short form for each of some maps of one network, as a Work whose value is a Judged."""
    identities = tuple(map_identity(network, picture.sha256, m) for m in maps)

    def steps(net: Any, job: Job[Work, Any]) -> Generator[Part, None, None]:
        costs = [camcore.trust_passes(net, m, "quick") for m in maps]
        judged: Judged = {}
        done = 0.0
        for identity, m, cost in zip(identities, maps, costs, strict=True):
            known = works().known(trusting.work(network, picture, m, "quick"))
            if known is not None:
                judged = {**judged, identity: known}
            else:
                job.stage.title = f"Judging {camcore.METHODS[m.method].title}"
                for step in camcore.trust(net, picture, m, "quick"):
                    job.check()
                    job.stage.reach((done + step.done) / sum(costs))
                judged = {**judged, identity: step.trust}
            done += cost
            yield Part(done / sum(costs), judged)

    return Work(network, ("judging", identities), "Judging the maps", steps, _weigh, watched=True)


def price(network: NetworkKey, net: Any, maps: Sequence[Any]) -> Cost:
    """What judging these maps costs."""
    each = [trusting.price(network, net, m, "quick") for m in maps]
    return Cost(sum(one.passes for one in each), sum(one.seconds for one in each))


def _weigh(judged: Judged) -> int:
    return sum(trusting.weigh(found) for found in judged.values())
