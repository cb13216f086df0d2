"""Whether to believe a map: the evidence, gathered in the background once the map is there, kept for everybody."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import camcore
from ui.engine import engine
from ui.jobs import Job
from ui.questions import Cost, NetworkKey, map_identity
from ui.works import Part, Work

if TYPE_CHECKING:
    from camcore.verdict.gather import Form

CHEAP = 250e9
"""Multiplications that are made without asking: MobileNetV2's quick form takes a quarter of it."""


def work(network: NetworkKey, picture: Any, m: Any, form: Form) -> Work:
    """The evidence on a map, as a Work whose value is a camcore.Trust."""

    def steps(net: Any, job: Job[Work, Any]) -> Generator[Part, None, None]:
        first = None
        for step in camcore.trust(net, picture, m, form):
            job.stage.title = step.doing
            if first is None and step.done:
                first = step  # the first chunk has the time of making ready in it
            elif first is not None and step.doing == first.doing and step.done > first.done:
                done, seconds = step.done - first.done, step.seconds - first.seconds
                engine().learn(network, replace(step, done=done, seconds=seconds))
            yield Part(step.done / max(step.total, 1), step.trust)

    key = ("trust", form, map_identity(network, picture.sha256, m))
    return Work(network, key, "Gathering the evidence", steps, weigh, watched=True)


def weigh(found: Any) -> int:
    """Bytes of a Trust."""
    maps = (found.map, *found.copies, *found.stages)
    return 65536 + sum(int(one.values.nbytes) + 1024 for one in maps)


def is_cheap(net: Any, m: Any) -> bool:
    """Whether the quick form may run without being asked for."""
    return bool(camcore.trust_passes(net, m, "quick") * net.multiplications <= CHEAP)


def price(network: NetworkKey, net: Any, m: Any, form: Form) -> Cost:
    """What a form costs; its seconds by the pace that is known, else by that of the map itself."""
    passes = camcore.trust_passes(net, m, form)
    return Cost(passes, passes * pace(network, m))


def pace(network: NetworkKey, m: Any) -> float:
    """Seconds per forward pass."""
    known = engine().known_pace(network)
    return known if known is not None else m.seconds / max(m.passes, 1.0)
