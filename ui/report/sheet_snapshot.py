"""The maps on the Compare page as an entry of the report: frozen, whole maps only, each on the scale it is shown on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ui import picture_box
from ui.report.basket import Draft
from ui.report.map_snapshot import verdict

if TYPE_CHECKING:
    from camcore.report.document import Item
    from camcore.report.facts import NetworkFacts
    from ui.compare.export import Take
    from ui.picture_box import Chosen
    from ui.query import NetworkKey


def draft(chosen: Chosen, take: Take) -> Draft | None:
    """Everything that is whole; None where there is none yet."""
    sheet, look = take.sheet, take.look
    cells = {cell: m for cell, m in sheet.maps.items() if cell in take.drawn.shown}
    if not cells:
        return None
    data = picture_box.file_of(chosen)
    scales = {cell: take.drawn.shown[cell] for cell in cells}

    def build(facts: Mapping[NetworkKey, NetworkFacts]) -> Item:
        from camcore.report.document import DrawStyle, Finding, Item, PictureFile, Scale

        findings = tuple(
            Finding(
                m,
                None if m.layer is None else sheet.networks[cell.network].layer(m.layer),
                facts[cell.network],
                sheet.networks[cell.network].predictions[cell.framing],
                Scale(scales[cell].top, scales[cell].signed, scales[cell].mark),
                verdict(cell.network, chosen, m),
            )
            for cell, m in cells.items()
        )
        drawn = DrawStyle(look.opacity / 100, look.colormap, look.smooth, look.by_value)
        return Item(PictureFile.of(chosen.picture, data, chosen.title), findings, style=drawn)

    drawn = (look.opacity, look.colormap, look.smooth, look.by_value)
    key = (chosen.picture.sha256, tuple(cells), tuple(scales.values()), drawn)
    return Draft(key, tuple(dict.fromkeys(cell.network for cell in cells)), build)
