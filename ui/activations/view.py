"""The Activations page's main parts: what the layer holds, the sheet of its channels, and one of them large."""

import html
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from camcore.report.captions import geometry
from numpy.typing import NDArray

from camcore.features.channels import Channels
from camcore.framing import CellGrid, Frame
from camcore.graph.layers import LayerInfo
from camcore.render.colour import DIVERGING
from ui import controls, errors, grids, rasters, words
from ui.activations import choices
from ui.activations import sheet as sheets
from ui.activations.choices import Look
from ui.activations.sheet import figure, signed_figure
from ui.components import MapCell, MapsLook, maps
from ui.components.channels import contact_sheet, stepper
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen

COLUMNS = (1.35, 1.0)
BUS = "channels"
ORDERED = {"contribution": "by contribution", "mean": "by mean", "variance": "by variance", "number": "by number"}


@dataclass(frozen=True, eq=False)
class ChannelMap:
    """One channel with the place of its cells on the picture, as ``ui.grids`` takes a map."""

    raw: NDArray[np.float32]
    frame: Frame
    cells: CellGrid

    @property
    def levels(self) -> NDArray[np.float32]:
        """The values as they are put on a scale."""
        return self.raw


def head(place: Any, name: str, info: LayerInfo | None, missing: bool, failed: bool, loaded: bool = False) -> None:
    """A sentence on the layer's contents. ``loaded``: the network is loaded; without a layer it has no grid."""
    if missing or info is None or info.grid is None:
        state = "has no layer with a grid" if loaded else "is being loaded"
        state = "needs its weights first" if missing else "could not be loaded" if failed else state
        place.header(f"{words.plain(name)} {state}", anchor=False)
        return
    said = f"{info.channels:,} channels, each a map of its pattern on {words.grid(info.grid)} places"
    place.header(words.plain(f"{info.path}: {said}"), anchor=False)


def status(standing: Status) -> None:
    """How far the work is; once it is done, how many channels say nothing or are at their end."""
    with st.container(key="cam_channels_status"):
        found = standing.value
        if not standing.complete or not isinstance(found, Channels):
            if standing.failure is not None:
                errors.panel(standing.failure, "This layer could not be looked at")
            session.progress("channels", standing, stoppable=False)
            return
        st.markdown(counts(found))


def counts(found: Channels) -> str:
    """How many channels say nothing, and how many are at an end of their function; Markdown."""
    total, dead, saturated = len(found), int(found.dead.sum()), int(found.saturated.sum())
    none = "Every channel responds somewhere in this picture"
    parts = [f"**{dead:,} of {total:,}** channels are dead: zero everywhere in this picture" if dead else none]
    ends = found.layer.saturation_values
    if ends:
        at = " or ".join(f"{end:g}".replace("-", "\N{MINUS SIGN}") for end in ends)
        parts.append(f"**{saturated:,}** saturated: at {at} for half of their places or more")
    else:
        parts.append("this layer’s function has no upper end, so none can saturate")
    if found.broken:
        parts.append(f"{found.broken:,} values overflowed and count as 0")
    return words.plain("; ".join(parts) + ".").replace("\\*\\*", "**")


def whole_sheet(found: Channels | None, key: Hashable, info: LayerInfo | None, look: Look) -> None:
    """The contact sheet, or the space for it."""
    if found is None:
        grid, count = (info.grid, info.channels) if info is not None else (None, None)
        space = sheets.space(grid or sheets.WAITING[:2], count or sheets.WAITING[2])
        contact_sheet(
            space, None, key="sheet", label="Channels", hint="", ids=[], tips=[], bus=BUS, bar=sheets.waiting_bar(look)
        )
        return
    drawn = sheets.drawn(found, key, look)
    contact_sheet(
        drawn.sheet,
        drawn.src,
        key="sheet",
        label=f"Contact sheet of the {len(found):,} channels of {found.layer.path}, {_ordered(found, look)}",
        hint="Press a channel to see it large; arrow keys step through",
        ids=drawn.order.tolist(),
        tips=drawn.tips,
        bus=BUS,
        bar=drawn.bar,
    )


def viewer(found: Channels | None, key: Hashable, chosen: Chosen, look: Look, publish: Callable[[], None]) -> None:
    """One channel large over the picture. A fragment: a step draws this part only."""
    order = [] if found is None else found.order(look.order).tolist()
    number = None if found is None else choices.channel(found, order)
    stepper(
        order,
        number,
        key="stepper",
        bus=BUS,
        label="Channel",
        ordered=ORDERED[look.order],
        on_pick=choices.pick_channel,
    )
    opacity, smooth = _controls()
    cell = _cell(found, key, number, look, chosen)
    maps(
        [{"title": "", "note": "", "cells": [cell]}],
        key="channel_map",
        photo=rasters.photo_url(chosen.picture, rasters.SIDE),
        size=(chosen.picture.height, chosen.picture.width),
        look=MapsLook(opacity / 100, smooth, grids.colours(look.colormap), grids.colours(DIVERGING)),
        bars=[sheets.waiting_bar(look) if found is None else sheets.bar(found, look, number)],
        label="The channel on the picture",
        hint="Point to read values",
        group="channel",
        tallest=0.42,
        most=1,
        raw=True,
    )
    _facts(found, number)
    publish()


def _ordered(found: Channels | None, look: Look) -> str:
    to = f" to {words.label(found.label)}" if found is not None and look.order == "contribution" else ""
    return ORDERED[look.order] + to


def _controls() -> tuple[int, bool]:
    with st.container(key="cam_channel_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        smooth = controls.smooth()
        opacity = controls.opacity("the channel")
    return opacity, smooth


def _cell(found: Channels | None, key: Hashable, number: int | None, look: Look, chosen: Chosen) -> MapCell:
    cell: MapCell = {
        "id": "channel",
        "name": "Here",
        "title": "",
        "note": "",
        "alt": f"Photograph: {chosen.title}",
        "grid": None,
        "tags": [],
        "message": "",
        "busy": found is None,
        "share": None,
        "figures": "",
    }
    if found is None or number is None:
        return cell
    high, signed = sheets.top(found, look, number)
    raw = np.ascontiguousarray(found.activations[..., number])
    row, column = divmod(int(np.abs(raw).argmax()), raw.shape[1])
    cell |= {
        "grid": grids.of_map(ChannelMap(raw, found.frame, found.cells), (key, number)),
        "top": high,
        "signed": signed,
        "title": f"Channel {number} of {found.layer.path}",
        "note": geometry(found.layer),
        "tags": ["dead: 0 everywhere"] if found.dead[number] else ["saturated"] if found.saturated[number] else [],
        "alt": (
            f"Channel {number} of {found.layer.path} on {chosen.title}: strongest in row {row + 1}, "
            f"column {column + 1} of {words.grid(raw.shape)}"
        ),
    }
    return cell


def _facts(found: Channels | None, number: int | None) -> None:
    """The channel in figures."""
    if found is None or number is None:
        st.html('<div class="cam-facts" aria-hidden="true"></div>')
        return
    parts = [
        (figure(found.mean[number]), "mean", "over all places"),
        (figure(found.high[number]), "highest", f"lowest {figure(found.low[number])}"),
        (figure(found.variance[number]), "variance", "over all places"),
        (
            signed_figure(found.contribution[number]),
            f"adds to “{words.label(found.label)}”",
            f"of a score of {found.logit:.2f}".replace("-", "\N{MINUS SIGN}"),
        ),
    ]
    made = "".join(
        f"<div><b>{html.escape(value)}</b><span>{html.escape(name)}</span><small>{html.escape(note)}</small></div>"
        for value, name, note in parts
    )
    st.html(f'<div class="cam-facts" role="group" aria-label="Channel {number} in figures">{made}</div>')


def exact(found: Channels | None) -> None:
    """All channels in figures, and what these mean."""
    box = st.expander("The exact figures", key="channels_exact", on_change="rerun")
    if found is None or not box.open:
        return
    with box:
        st.dataframe(table(found), hide_index=True, height=360)
        st.caption(
            words.plain(
                f"Contribution: Grad-CAM’s weight of the channel (the mean over places of the gradient of "
                f"“{words.label(found.label)}”’s score) times the sum of its activations, in units of the score. "
                "Behind a global average and a linear head these add up to the score without its bias; elsewhere they "
                "are a first-order estimate. Dead: 0 at every place. Saturated: within 1 % of an end of the layer’s "
                "own function (ReLU6, sigmoid, tanh, …) at half of the places or more, where it has no slope to learn "
                "by."
            )
        )


def table(found: Channels) -> dict[str, Any]:
    """The figures of all channels, by column."""
    return {
        "channel": np.arange(len(found)),
        "mean": found.mean,
        "variance": found.variance,
        "lowest": found.low,
        "highest": found.high,
        "weight": found.weights,
        "contribution": found.contribution,
        "dead": found.dead,
        "saturated": found.saturated,
    }
