"""What is on a page becomes an entry of the report: frozen, whole maps only, drawn as it was looked at."""

from typing import Any

from camcore.report.document import DrawStyle, Finding, Item, PictureFile, Scale, VerdictSummary, verdict_summary
from ui import picture_box, rasters
from ui.compare import export as compare_export
from ui.jobs.runner import runner
from ui.picture_box import Chosen
from ui.query import Answer, NetworkKey, map_identity
from ui.report.basket import Draft
from ui.trust import evidence


def of_answer(chosen: Chosen, answer: Answer, look: rasters.MapLook) -> Draft | None:
    """The map on the Inspect page with its answers and its ladder; None while it is not whole."""
    m, net = answer.map, answer.network
    if m is None or answer.done < 1.0 or not answer.predictions or not answer.ladder:
        return None
    key = answer.query.network
    data = picture_box.file_of(chosen)
    info = None if m.layer is None else net.layer(m.layer)
    drawn = DrawStyle(look.opacity / 100, look.colormap, look.smooth)
    return Draft(
        key=(*map_identity(key, chosen.picture.sha256, m), drawn),
        networks=(key,),
        build=lambda facts: Item(
            PictureFile.of(chosen.picture, data, chosen.title),
            (Finding(m, info, facts[key], answer.predictions, verdict=_verdict(key, chosen, m)),),
            answer.ladder,
            drawn,
        ),
    )


def of_take(chosen: Chosen, take: compare_export.Take) -> Draft | None:
    """The whole maps on the Compare page, each on the scale it is shown on; None where there is none yet."""
    sheet, look = take.sheet, take.look
    cells = {cell: m for cell, m in sheet.maps.items() if cell in take.drawn.shown}
    if not cells:
        return None
    data = picture_box.file_of(chosen)
    drawn = DrawStyle(look.opacity / 100, look.colormap, look.smooth)
    scales = {cell: take.drawn.shown[cell] for cell in cells}
    networks = tuple(dict.fromkeys(cell.network for cell in cells))

    def build(facts: Any) -> Item:
        return Item(
            PictureFile.of(chosen.picture, data, chosen.title),
            tuple(
                Finding(
                    m,
                    None if m.layer is None else sheet.networks[cell.network].layer(m.layer),
                    facts[cell.network],
                    sheet.networks[cell.network].predictions[cell.framing],
                    Scale(scales[cell].top, scales[cell].signed, scales[cell].mark),
                    _verdict(cell.network, chosen, m),
                )
                for cell, m in cells.items()
            ),
            style=drawn,
        )

    key = (chosen.picture.sha256, tuple(cells), tuple(scales.values()), drawn)
    return Draft(key, networks, build)


def _verdict(network: NetworkKey, chosen: Chosen, m: Any) -> VerdictSummary | None:
    """How far to trust a map, where that has been found out."""
    found = runner().known(evidence.work(network, chosen.picture, m, "quick"))
    return None if found is None or found.verdict is None else verdict_summary(found.verdict)
