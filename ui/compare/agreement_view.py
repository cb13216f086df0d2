"""Do the maps agree: a sentence, what they say together and where they contradict each other, and pair by pair."""

from collections.abc import Sequence

import streamlit as st

from camcore.render.colour import css_gradient
from ui import grids, rasters, words
from ui.compare import agreement, names
from ui.compare.agreement import SheetRasters
from ui.compare.comparison import NONE, GridCell
from ui.compare.grid import GridLook
from ui.compare.pair_table import pair_table
from ui.compare.sheets import MapSheet
from ui.components import MapCell, maps
from ui.picture_box import Chosen

_MOST_ALIKE = 24
"""SSIM is compared pair by pair; for more maps than this the table would keep the page waiting."""
_MOST_BESIDE = 8
"""A larger table takes the whole width, with the words on it above."""


def show(sheet: MapSheet, together: SheetRasters | None, chosen: Chosen, look: GridLook, busy: bool) -> None:
    """The whole section; while the grid is filling its place is kept."""
    if together is None or len(together.cells) < 2:
        waits = busy and together is None
        st.caption(
            "Available once the maps are ready." if waits else "At least two maps that are not empty are needed."
        )
        return
    if not together.some_seen:
        st.caption("The networks looked at no common part of the picture, so there is nothing to compare.")
        return
    titles = [names.full(sheet, cell) for cell in together.cells]
    # Networks name things differently: their own answers are taken for one class, by their place.
    several = "backbones" in (sheet.plan.columns, sheet.plan.rows)
    classes = [cell.aim if several else sheet.filled[cell].map.label for cell in together.cells]
    st.markdown(words.plain(agreement.verdict(agreement.matrix(together, "spearman"), titles, classes)))
    cells = _over(sheet, together)
    if len(cells) > 1:
        _pictures(together, cells, chosen, look)
    _table(together, titles)


def _over(sheet: MapSheet, together: SheetRasters) -> list[GridCell]:
    """The maps that are put together: all, or those of one row; where columns are classes, those of one column."""
    plan = sheet.plan
    by_column = plan.columns == "classes"
    axis = plan.columns if by_column else plan.rows
    if plan.rows == NONE:
        return [] if by_column else list(together.cells)
    lines = zip(*plan.grid, strict=True) if by_column else plan.grid
    rows = [[cell for cell in line if cell in together.cells] for line in lines]
    titles = ["All maps", *(title for title, _ in names.headings(sheet, axis))]
    # Maps of different classes should differ: together they are asked for one class at a time.
    start = 1 if axis == "classes" else 0
    at = st.segmented_control(
        "Over which maps",
        range(len(titles)),
        default=start,
        required=True,
        key=f"consensus_{axis}_{len(titles)}",
        format_func=lambda i: titles[i],
        label_visibility="collapsed",
    )
    return list(together.cells) if not at else rows[at - 1]


def _pictures(together: SheetRasters, cells: Sequence[GridCell], chosen: Chosen, look: GridLook) -> None:
    """Consensus and disagreement, large."""
    picture = chosen.picture
    size = (picture.height, picture.width)
    both = agreement.consensus(together, cells)
    key = (together.key, tuple(together.cells.index(cell) for cell in cells))
    made: list[MapCell] = []
    for title, note, values, top in (
        ("What the maps have in common", f"mean rank of each place over {len(cells)} maps", both.mean, 1.0),
        ("Where they contradict each other", "spread of the ranks", both.spread, 0.5),
    ):
        grid = grids.of_raster(values, size, (key, title))
        made.append(
            {
                "id": title,
                "name": title,
                "title": title,
                "note": note,
                "alt": f"{title}: {note}, on {chosen.title}",
                "grid": grid,
                "top": top,
                "signed": False,
                "tags": [],
            }
        )
    gradient = css_gradient(look.colormap)
    maps(
        [{"title": "", "note": "", "cells": made}],
        key="consensus",
        photo=rasters.photo_url(picture),
        size=size,
        look=look.for_maps,
        bars=[
            {"low": "low in all maps", "high": "high in all maps", "gradient": gradient},
            {"low": "all agree", "high": "half rank it first, half last", "gradient": gradient},
        ],
        label="What the maps have in common, and where they contradict each other",
        hint="The same place is read in all the maps above",
        group="compare",
        tallest=0.66,
        most=2,
        summary=False,
        area=grids.seen(made[0]["grid"]) if look.close else None,
    )


def _table(together: SheetRasters, titles: Sequence[str]) -> None:
    """Every pair."""
    measures = [m for m in agreement.TITLES if m != "ssim" or len(together.cells) <= _MOST_ALIKE]
    if len(titles) > _MOST_BESIDE:
        right, left = st.container(), st.container()
    else:
        left, right = st.columns((1.9, 1.0), gap="large")
    measure = right.segmented_control(
        "Pair by pair",
        measures,
        default=measures[0],
        required=True,
        key="measure",
        format_func=agreement.TITLES.__getitem__,
    )
    measure = measure or measures[0]
    right.markdown(agreement.EXPLAINED[measure])
    right.caption(
        "Agreement is no proof: methods that use the same gradients agree because they compute nearly the same thing. "
        "Agreement between methods of different kinds means more."
    )
    values = agreement.matrix(together, measure)
    left.html(pair_table(values, titles, agreement.TITLES[measure]))
