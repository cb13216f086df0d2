"""One place of the picture: what its cell sees, what it depends on, and what its channels add."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from camcore.features.cells import box_on_picture
from camcore.graph.layers import NO_GRID
from camcore.render.encode import to_png, with_caption
from camcore.text import decimal, with_sign
from ui import downloads, errors, rasters, words
from ui.cell import patches_view
from ui.cell import words as cell_words
from ui.cell.work import CellQuery, cells_work, field_work, sample
from ui.components.cells import SeenBy, cell
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.features.cells import Cell, Cells
    from camcore.features.effective_field import EffectiveField
    from camcore.heatmaps.cam_map import CamMap
    from camcore.network import Network

STRONGEST = 8
ALL = "all"


def show(chosen: Chosen, key: NetworkKey, net: Network, m: CamMap) -> None:
    """The cell at the chosen place of the layer that the map is of."""
    layer = m.layer or net.default_layer
    if layer is None:
        st.caption(f"{NO_GRID} So there is no place to look into.")
        return
    query = CellQuery(key, chosen.picture.sha256, m.framing, layer, m.class_index)
    status = session.section("cells", cells_work(query, chosen.picture), _waiting)
    cells = status.value
    if cells is None:
        return
    if st.session_state.get("cell_channel_of") != (query.network, layer):  # another layer's channels mean others
        st.session_state.update(cell_channel=ALL, cell_channel_of=(query.network, layer))
    place = _chosen_cell(cells)
    channel = _chosen_channel(cells)
    channels = sample(cells.A.shape[2]) if channel is None else (channel,)
    choice = (place, channel)

    def draw(now: Status[EffectiveField]) -> None:
        if (_chosen_cell(cells), _chosen_channel(cells)) != choice:
            session.rerun()  # the whole page: its address, and the patches beneath
        _draw(query, chosen, net, cells, place, channel, now)

    session.section("field", field_work(query, chosen.picture, place, channels), draw)
    strongest = cells.at(*place).strongest(1)[0] if channel is None else channel
    patches_view.show(net, query, strongest, chosen.sample)


def _waiting(status: Status[Cells]) -> None:
    if status.failure is not None:
        errors.panel(status.failure, "The places could not be looked at")
    if status.value is None:
        session.progress("cells", status)


def _chosen_cell(cells: Cells) -> tuple[int, int]:
    """The cell at the chosen place; without one, or where the network did not look, the one that adds most."""
    place, frame = st.session_state.get("place"), cells.frame
    found = None
    if place is not None:
        size = frame.picture_size
        found = cells.of((place[0] / 100 * size[0] - 0.5, place[1] / 100 * size[1] - 0.5))
    if found is None:
        found = divmod(int(cells.products.sum(axis=2).argmax()), cells.A.shape[1])
    return found


def _chosen_channel(cells: Cells) -> int | None:
    """The channel that is looked at alone; None: all."""
    channel = st.session_state.get("cell_channel")
    return channel if isinstance(channel, int) and channel < cells.A.shape[2] else None


def _draw(
    query: CellQuery,
    chosen: Chosen,
    net: Network,
    cells: Cells,
    place: tuple[int, int],
    channel: int | None,
    status: Status[EffectiveField],
) -> None:
    picture, one, field = chosen.picture, cells.at(*place), status.value
    info = cells.info
    left, right = st.columns((1.2, 1.0), gap="medium")
    name = cell_words.place_name(cells, one)

    def pick(row: int, column: int) -> None:
        top, start, bottom, end = cells.area(row, column)
        middle = ((top + bottom) / 2 / picture.height, (start + end) / 2 / picture.width)
        st.session_state["place"] = tuple(round(100 * side, 2) for side in middle)

    seen_by: SeenBy | None = None
    if info.receptive_field is not None and info.first_centre is not None and info.stride is not None:
        seen_by = {"first": [*info.first_centre], "stride": [*info.stride], "size": [*info.receptive_field]}
    effective = box_on_picture(cells.frame, field.box) if field is not None and field.box is not None else None
    lit = None
    if field is not None and effective is not None:
        lit = rasters.lit_url(picture, field, (query, place, field.channels))
    with left:
        cell(
            key="cell",
            photo=rasters.photo_url(picture),
            lit=lit,
            size=(picture.height, picture.width),
            grid=rasters.grid_geometry(cells.frame, cells.grid, cells.A.shape),
            field=seen_by,
            chosen=place,
            effective=effective,
            identity=f"{picture.sha256} {query.network} {info.path} {query.framing}",
            label=f"Places of {info.path} on {chosen.title}",
            alt=f"Photograph: {chosen.title}, {name} marked; the brighter, the more this place depends on it",
            busy=status.busy,
            on_pick=pick,
        )
    with right:
        st.markdown(cell_words.adds(cells, one))
        seen = cell_words.theory(cells, one)
        text = cell_words.measured(field, channel) if field is not None else "Measuring what it depends on …"
        st.caption(words.plain(f"{seen} {text}"))
        if status.failure is not None:
            errors.panel(status.failure, "What this place depends on could not be measured")
        _channels(cells, one, channel)
        _take_away(chosen, net, cells, one, field)


def _channels(cells: Cells, one: Cell, channel: int | None) -> None:
    """The strongest channels with what they add, and the choice of one."""
    found = one.strongest(STRONGEST)
    top = max(abs(float(one.contributions[k])) for k in found) or 1.0
    rows = []
    for k in found:
        added = float(one.contributions[k])
        side = "for" if added >= 0 else "against"
        rows.append(
            f"<tr><td>{k}</td><td>{decimal(float(one.values[k]), 3)}</td><td>{with_sign(added, 4)}</td>"
            f'<td><span class="bar {side}"><i style="width:{50 * abs(added) / top:.1f}%"></i></span></td></tr>'
        )
    label = html.escape(words.label(cells.prediction.label))
    st.html(
        f'<table class="cam-channels"><thead><tr><th>channel</th><th>value here</th><th>adds to {label}</th><th></th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    options = [ALL, *found] if channel is None or channel in found else [ALL, *found, channel]
    st.session_state["cell_channel"] = ALL if channel is None else channel
    st.pills(
        "What it depends on, for",
        options,
        key="cell_channel",
        required=True,
        wrap=True,
        format_func=lambda k: "all channels" if k == ALL else str(k),
        help="All channels are measured by an evenly drawn sample of 64; a single one exactly.",
    )


def _take_away(chosen: Chosen, net: Network, cells: Cells, one: Cell, field: EffectiveField | None) -> None:
    stem = words.file_stem(chosen.stem, net.name, cells.info.path, f"{one.row + 1}-{one.column + 1}")
    lines = [
        f"{net.name}, {net.weights_note}",
        f"{cells.info.path}, {cell_words.place_name(cells, one)}: adds {with_sign(one.adds, 4)} to "
        f"{words.label(cells.prediction.label)}",
    ]
    png: Callable[[], bytes] | bytes = b""
    npz: Callable[[], bytes] | bytes = b""
    if field is not None:
        png, npz = partial(_lit_png, chosen, field, lines), partial(cell_words.field_npz, field)
    with st.container(horizontal=True, gap="small"):
        for kind, content, about in (
            ("PNG", png, "The photograph lit by what this place depends on"),
            ("CSV", partial(cell_words.channels_csv, cells, one), "Every channel of this place"),
            ("NPZ", npz, "What it depends on, pixel by pixel of the input"),
        ):
            name = f"{stem}.{kind.lower()}"
            downloads.offer(name, content, about, key=f"save_cell_{kind}", ready=content != b"")
        with st.popover("How it adds up"):
            st.markdown(words.plain(cell_words.sums(cells)))


def _lit_png(chosen: Chosen, field: EffectiveField, lines: list[str]) -> bytes:
    return to_png(with_caption(rasters.lit(chosen.picture.rgb, field), lines))
