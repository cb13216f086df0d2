"""The map on the Inspect page as an entry of the report: frozen, a whole map only, drawn as it was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ui import picture_box
from ui.jobs.runner import runner
from ui.query import NetworkKey, map_identity
from ui.report.basket import Draft
from ui.trust import evidence

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.report.document import Item, VerdictSummary
    from camcore.report.facts import NetworkFacts
    from ui.picture_box import Chosen
    from ui.query import Answer
    from ui.rasters import MapLook


def draft(chosen: Chosen, answer: Answer, look: MapLook) -> Draft | None:
    """The map with its answers and its ladder; None while it is not whole."""
    m, net = answer.whole_map, answer.network
    if m is None or net is None or not answer.predictions or not answer.ladder:
        return None
    key = answer.query.network
    data = picture_box.file_of(chosen)

    def build(facts: Mapping[NetworkKey, NetworkFacts]) -> Item:
        from camcore.report.document import DrawStyle, Finding, Item, PictureFile

        info = None if m.layer is None else net.layer(m.layer)
        finding = Finding(m, info, facts[key], answer.predictions, verdict=verdict(key, chosen, m))
        drawn = DrawStyle(look.opacity / 100, look.colormap, look.smooth, look.by_value)
        return Item(PictureFile.of(chosen.picture, data, chosen.title), (finding,), answer.ladder, drawn)

    return Draft((*map_identity(key, chosen.picture.sha256, m), look), (key,), build)


def verdict(network: NetworkKey, chosen: Chosen, m: CamMap) -> VerdictSummary | None:
    """The verdict on a map, where the evidence has been gathered."""
    from camcore.report.document import verdict_summary

    trust = runner().known(evidence.work(network, chosen.picture, m, "quick"))
    return None if trust is None or trust.verdict is None else verdict_summary(trust.verdict)
