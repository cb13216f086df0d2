"""The evidence on a map as background work, and its price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import camcore
from ui.jobs.work import Lane, Update, Updates, Work
from ui.map_cache import map_cache
from ui.paces import EVIDENCE, MAPS, TRIED, Pace
from ui.query import Cost, NetworkKey, map_identity

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.network import Network
    from camcore.pictures.picture import Picture
    from camcore.verdict.gather import Form, Trust, TrustStep

CHEAP = 250e9
"""Multiplications that are made without asking: MobileNetV2's quick form takes a quarter of it."""


def work(network: NetworkKey, picture: Picture, m: CamMap, form: Form) -> Work[Trust]:
    """Gathers the evidence on a map."""

    def steps(net: Network, _: object) -> Updates[Trust]:
        for step in gathered(network, net, picture, m, form):
            yield Update(step.done / max(step.total, 1), step.trust, step.doing)

    key = ("trust", form, map_identity(network, picture.sha256, m))
    lane: Lane = "evidence" if form == "quick" else "work"
    return Work(network, key, "Gathering the evidence", steps, trust_bytes, lane=lane)


def gathered(network: NetworkKey, net: Network, picture: Picture, m: CamMap, form: Form) -> Iterator[TrustStep]:
    """The steps of gathering the evidence, from which the machine's pace is taken."""
    paces = map_cache().paces
    first = last = None
    remembered = 0.0
    for step in camcore.trust(net, picture, m, form, map_cache().memory):
        if first is None or last is None:
            first = step if step.done else None  # the first chunk has the time of making ready in it
        elif step.doing == first.doing:
            paces.learn(network, last.done - first.done, last.seconds - first.seconds)
            remembered = step.done - last.done  # the last step of hiding counts what was remembered, too
        last = step
        yield step
    if last is not None:
        paces.learn(network, camcore.trust_passes(net, m, form) - remembered, last.seconds, EVIDENCE)


def trust_bytes(found: Trust) -> int:
    """Bytes of the evidence."""
    values = [found.map.values, *(one.values for one in (*found.copies, *found.stages))]
    return 65536 + sum(array.nbytes + 1024 for array in values)


def is_cheap(net: Network, m: CamMap) -> bool:
    """The quick form may run without being asked for."""
    return bool(camcore.trust_passes(net, m, "quick") * net.multiplications <= CHEAP)


def price(network: NetworkKey, net: Network, m: CamMap, form: Form, remembered: bool = False) -> Cost:
    """The price of a form. ``remembered``: after that of another map of the same picture and grid."""
    return pace(network, m, EVIDENCE).cost(camcore.trust_passes(net, m, form, remembered))


def pace(network: NetworkKey, m: CamMap, kind: str = MAPS) -> Pace:
    """The pace that is known, else that of the map itself, which may be off."""
    known = map_cache().paces.known(network, kind)
    return known if known is not None else Pace(m.seconds / max(m.passes, 1.0), TRIED * TRIED)
