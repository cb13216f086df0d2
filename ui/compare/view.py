"""The Compare page's main area: headline, state, maps, files and the controls of how the maps are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from camcore.render.colour import COLORMAPS
from ui import controls, downloads, errors, methods, rasters, scales, words
from ui.compare import export, grid, names
from ui.compare.comparison import NONE, ONE_OF, RANKS, GridCell, GridPlan
from ui.compare.export import Take
from ui.compare.grid import DrawnGrid, GridLook
from ui.compare.parts import PART, PARTS
from ui.compare.sheets import MapSheet
from ui.components import maps
from ui.jobs.session import Status
from ui.picture_box import Chosen

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.elements.lib.mutable_tab_container import TabContainer

_HINT = "Point at a map, or use the arrow keys, to read one place in all of them"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SHARED = {scales.ONE: "shared if comparable"}
_NONE_SHARED = {scales.ONE: "each its own"}
_SHOWS = ("Differences", "Maps")
SCALE_HELP = (
    "**Shared if comparable**: maps whose values have the same unit (one method and layer; several classes or "
    "framings) share one maximum, so their brightness can be compared. Values of different methods have no common "
    "unit: such a map is marked *own scale*. "
    "**Each its own**: every map is as bright as it can be. **Density**: values as multiples of the map’s average, "
    "which can be compared across methods, too."
)
NONE_SHARED_HELP = (
    "**Each its own**: no two of these maps have values of one unit (one method at one layer), so each ends at its own "
    "maximum, and brightness cannot be compared from map to map. **Density**: values as multiples of the map’s "
    "average, which can be compared across methods."
)


def look(place: DeltaGenerator, plan: GridPlan, pinned: bool) -> tuple[GridLook, bool]:
    """The controls that change the view only, beneath the maps; and whether differences to the pinned map are shown."""
    first = place.container(key="cam_look_one", horizontal=True, vertical_alignment="center", gap="small")
    second = place.container(key="cam_look_two", horizontal=True, vertical_alignment="center", gap="medium")
    with first:
        scale = _scale(plan)
        smooth = controls.smooth()
        opacity = controls.opacity("the maps", width=190)
        by_value = controls.by_value(labelled=False)
    with second:
        colormap = st.selectbox(
            "Colour map", COLORMAPS, key="colormap", bind="query-params", label_visibility="collapsed", width=120
        )
        close = st.toggle(
            "Closer",
            key="close",
            bind="query-params",
            help="Show only what the networks saw, larger, instead of the whole photograph.",
        )
        signs = st.toggle(
            "Evidence against",
            key="signs",
            bind="query-params",
            help="Methods whose values have a sign show what speaks for the class in red, against it in blue.",
        )
        shows = _SHOWS[0]
        if pinned:
            shows = st.segmented_control(
                "Show", _SHOWS, default=_SHOWS[0], required=True, key="pin_shows", label_visibility="collapsed"
            )
    return GridLook(opacity, colormap, smooth, scale, signs, close, by_value), pinned and shows == _SHOWS[0]


def _scale(plan: GridPlan) -> str:
    """The choice of the scale: where no two maps can share one, none is offered that they would share."""
    options: Sequence[str] = scales.SCALES
    titles, about = _SHARED, SCALE_HELP
    if not plan.shares_scales:
        options = (scales.ONE, scales.DENSITY)
        titles, about = _NONE_SHARED, NONE_SHARED_HELP
        if st.session_state.get("scale") == scales.EACH:
            st.session_state["scale"] = scales.ONE
    return controls.segments("Scale", options, "scale", help=about, format_func=lambda name: titles.get(name, name))


def parts(place: DeltaGenerator) -> Sequence[TabContainer]:
    """The tabs beneath the maps."""
    return place.tabs(PARTS, key=PART.name, on_change="rerun", bind="query-params")


def head(place: DeltaGenerator, sheet: MapSheet, name: str, held: bool, failed: bool) -> None:
    """The comparison in one sentence."""
    place.header(words.plain(_headline(sheet, name, held, failed)), anchor=False)


def _headline(sheet: MapSheet, name: str, held: bool, failed: bool) -> str:
    plan = sheet.plan
    summary = sheet.networks.get(plan.lead)
    if summary is None:
        return words.unanswered(name, held, failed)
    axes = [plan.columns] + ([] if plan.rows == NONE else [plan.rows])
    counts = " × ".join(_count(len(plan.choices(axis)), axis) for axis in axes).capitalize()
    if "backbones" in axes:
        return f"{counts} on one picture"
    said = summary.predictions[plan.framing]
    if "classes" in axes or plan.classes[0] != RANKS[0]:
        about = (
            "" if "classes" in axes else f" on “{names.choice('classes', plan.classes[0], summary, plan.framing)[0]}”"
        )
        return f"{counts}{about}: where {summary.title} looks"
    return f"{counts} on {names.first_answer(summary.title, said[0])}"


def _count(number: int, axis: str) -> str:
    word = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{word} {axis if number != 1 else ONE_OF[axis]}"


def status(
    progress: DeltaGenerator,
    buttons: DeltaGenerator,
    sheet: MapSheet,
    status: Status[MapSheet],
    on_run: Callable[[], None],
    on_stop: Callable[[], None],
) -> DeltaGenerator | None:
    """The work under way, the price of slow methods, or what was stopped; returns the progress bar."""
    have, total = len(sheet.maps), len(sheet.plan.cells)
    if status.busy and status.job is not None:
        label = "Stop" if sheet.growing is None else "Good enough, stop"
        buttons.button(label, key="act_compare", on_click=on_stop)
        return progress.progress(*words.under_way(status.job.stage))
    bill = sheet.bill
    if status.stopped and sheet.missing:
        growing = sheet.growing
        kept = (
            ""
            if growing is None
            else f" The map that was growing is kept as it is, {words.percent(growing.done)} done."
        )
        progress.caption(f"Stopped with {have} of {total} maps.{kept}")
        buttons.button("Go on", key="act_compare", on_click=on_run, shortcut=controls.RUN_KEY)
    elif bill is not None:
        titles = ", ".join(bill.methods[:3]) + (f" and {len(bill.methods) - 3} more" if len(bill.methods) > 3 else "")
        progress.caption(words.plain(f"{have} of {total} maps are ready. {titles}: {words.price(bill.cost)}."))
        label = f"Run {bill.methods[0]}" if len(bill.methods) == 1 else f"Run {len(bill.methods)} slow methods"
        buttons.button(label, type="primary", key="act_compare", on_click=on_run, shortcut=controls.RUN_KEY)
    else:
        progress.caption(_done(sheet, have, total))
        buttons.empty()
    return None


def retry(place: DeltaGenerator, sheet: MapSheet, status: Status[MapSheet], on_retry: Callable[[], None]) -> None:
    """Offer to ask again what failed."""
    if status.failure is not None or (sheet.failures and not status.busy):
        place.button("Try again", key="retry_comparison", on_click=on_retry)
    else:
        place.empty()


def _done(sheet: MapSheet, have: int, total: int) -> str:
    if not have:
        return "\N{NO-BREAK SPACE}"
    missing = total - have
    text = f"{have} maps" if have != 1 else "One map"
    if missing:
        text = f"{have} of {total} maps; the {'other one says' if missing == 1 else 'others say'} why there is none"
    return f"{text}. Press the pin on a map to see how all others differ from it." if have > 1 else f"{text}."


def photograph(
    place: DeltaGenerator,
    chosen: Chosen,
    sheet: MapSheet,
    drawn: DrawnGrid,
    look: GridLook,
    reference: str | None,
    differences: bool,
    on_pin: Callable[[str], None],
    on_open: Callable[[str], None],
) -> None:
    """All maps on the photograph."""
    picture = chosen.picture
    with place:
        maps(
            drawn.lines,
            key="maps",
            photo=rasters.photo_url(picture, PHOTO_SIDE),
            size=(picture.height, picture.width),
            look=look.for_maps,
            bars=drawn.bars,
            heads=drawn.heads,
            label=f"Maps of {chosen.title}. Arrow keys move a point that is read in all maps, Escape takes it away.",
            hint=_HINT,
            group="compare",
            tallest=0.56,
            area=grid.area(sheet) if look.close else None,
            reference=reference,
            differences=differences,
            on_pin=on_pin,
            on_open=on_open,
        )


PHOTO_SIDE = 560


def files(place: DeltaGenerator, take: Take) -> None:
    """The grid as one picture and the raw maps as numbers, made when they are asked for."""
    ready = bool(take.sheet.maps)
    stem = export.stem(take)
    with place:
        for label, ending, make, about in (
            ("Grid as PNG", "png", export.png, "All maps with captions, scale and colour bar"),
            ("Raw maps, CSV", "csv", export.csv, "Every map’s raw values on its own grid"),
            ("Raw maps, NPZ", "npz", export.npz, "The same for NumPy"),
        ):
            downloads.offer(
                f"{stem}.{ending}", partial(make, take), about, key=f"save_{ending}", ready=ready, label=label
            )


def caution(place: DeltaGenerator, drawn: DrawnGrid) -> None:
    """The warnings of some of the maps."""
    with place:
        errors.notices(grid.caution_words(drawn))


def reference(sheet: MapSheet, pinned: str | None) -> GridCell | None:
    """The cell that is pinned, where it has a map."""
    return next((c for c in sheet.plan.cells if c in sheet.filled and grid.cell_id(c, sheet) == pinned), None)


def inspect_query(sheet: MapSheet, cell: GridCell | None, sample: str | None) -> dict[str, str]:
    """The address of a map on the Inspect page."""
    query = {"model": sheet.plan.lead.name if cell is None else cell.network.name}
    if sample is not None:
        query["sample"] = sample
    if cell is None:
        return query
    query["method"] = methods.key_of(cell.method)
    if cell.network.weights == "random":
        query["random"] = "true"
    if cell.framing != cell.network.framing:
        query["framing"] = cell.framing
    found = sheet.filled.get(cell)
    summary = sheet.networks.get(cell.network)
    if found is not None and summary is not None:
        if found.map.layer not in (None, summary.default_layer):
            query["layer"] = found.map.layer
        if found.map.class_index != summary.predictions[cell.framing][0].index:
            query["class"] = str(found.map.class_index)
    return query
