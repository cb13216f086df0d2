"""The Activations page's main parts: the layer in a sentence, the sheet of its channels, and one of them large."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from camcore.features.channels import Channels
from camcore.framing import CellGrid, Frame
from camcore.graph.layers import LayerInfo
from camcore.render.colour import DIVERGING
from camcore.report.captions import geometry
from camcore.text import decimal, minus
from ui import controls, errors, figures, grids, layer_browser, rasters, words
from ui.activations import choices
from ui.activations import sheet as sheets
from ui.activations.choices import SheetLook
from ui.activations.sheet import figure, signed_figure
from ui.activations.work import channels_work
from ui.components import MapCell, MapsLook, maps
from ui.components.channels import contact_sheet, stepper
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.model_picker import Model
from ui.network_summary import summary_work
from ui.picture_box import Chosen

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore import Picture

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


def next_work(model: Model, picture: Picture, info: LayerInfo | None) -> Work | None:
    """The work to do next: load the network, then read the layer. None: its weights are not agreed upon."""
    if model.fetch is not None:
        return None
    if info is None:
        return summary_work(model.key)
    layer_browser.settle_channel(model.key.name, info.path)
    return channels_work(model.key, picture, model.framing, info.path, st.session_state["class"])


def channels_of(status: Status) -> Channels | None:
    """The layer's channels once they are there."""
    return status.value if status.complete and isinstance(status.value, Channels) else None


def head(
    place: DeltaGenerator, name: str, info: LayerInfo | None, missing: bool, failed: bool, loaded: bool = False
) -> None:
    """A sentence on the layer's contents. ``loaded``: the network is loaded; without a layer it has no grid."""
    if missing or info is None or info.grid is None:
        state = "has no layer with a grid" if loaded else "is being loaded"
        state = "needs its weights first" if missing else "could not be loaded" if failed else state
        place.header(f"{words.plain(name)} {state}", anchor=False)
        return
    contents = f"{info.channels:,} channels on a {words.grid(info.grid)} grid"
    place.header(words.plain(f"{info.path}: {contents}"), anchor=False)


def show_status(status: Status) -> None:
    """Progress of the work; once it is done, the counts of dead and saturated channels."""
    with st.container(key="cam_channels_status"):
        channels = channels_of(status)
        if channels is not None:
            st.markdown(counts(channels))
            return
        if status.failure is not None:
            errors.panel(status.failure, "This layer could not be looked at")
        session.progress("channels", status, stoppable=False)


def counts(channels: Channels) -> str:
    """Counts of the channels that say nothing, and of those at an end of their function; Markdown."""
    total, dead, saturated = len(channels), int(channels.dead.sum()), int(channels.saturated.sum())
    none = "Every channel responds somewhere in this picture"
    parts = [f"**{dead:,} of {total:,}** channels are dead: zero everywhere in this picture" if dead else none]
    ends = channels.layer.saturation_values
    if ends:
        at = " or ".join(minus(f"{end:g}") for end in ends)
        has = "has" if saturated == 1 else "have"
        parts.append(f"**{saturated:,}** {has} saturated: at {at} in at least half of the places")
    else:
        parts.append("this layer’s function has no upper end, so none can saturate")
    if channels.broken:
        parts.append(f"{channels.broken:,} values overflowed and count as 0")
    return words.plain("; ".join(parts) + ".").replace("\\*\\*", "**")


def whole_sheet(channels: Channels | None, key: Hashable, info: LayerInfo | None, look: SheetLook) -> None:
    """The contact sheet, or the space for it."""
    if channels is None:
        grid, count = (info.grid, info.channels) if info is not None else (None, None)
        space = sheets.space(grid or sheets.WAITING[:2], count or sheets.WAITING[2])
        contact_sheet(
            space, None, key="sheet", label="Channels", hint="", ids=[], tips=[], bus=BUS, bar=sheets.waiting_bar(look)
        )
        return
    drawn = sheets.drawn(channels, key, look)
    contact_sheet(
        drawn.sheet,
        drawn.src,
        key="sheet",
        label=f"Contact sheet of the {len(channels):,} channels of {channels.layer.path}, {_ordered(channels, look)}",
        hint="Press a channel to see it large; arrow keys step through",
        ids=drawn.ids,
        tips=drawn.tips,
        bus=BUS,
        bar=drawn.bar,
    )


def viewer(
    channels: Channels | None, key: Hashable, chosen: Chosen, look: SheetLook, publish: Callable[[], None]
) -> None:
    """One channel large over the picture. A fragment: a step draws this part only."""
    order = [] if channels is None else channels.order(look.order).tolist()
    number = None if channels is None else choices.channel(channels, order)
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
    cell = _cell(channels, key, number, look, chosen)
    maps(
        [{"title": "", "note": "", "cells": [cell]}],
        key="channel_map",
        photo=rasters.photo_url(chosen.picture, rasters.SIDE),
        size=(chosen.picture.height, chosen.picture.width),
        look=MapsLook(opacity / 100, smooth, grids.colours(look.colormap), grids.colours(DIVERGING)),
        bars=[sheets.waiting_bar(look) if channels is None else sheets.bar(channels, look, number)],
        label="The channel on the picture",
        hint="Point to read values",
        group="channel",
        tallest=0.42,
        most=1,
        raw=True,
    )
    _figures(channels, number)
    publish()


def _ordered(channels: Channels, look: SheetLook) -> str:
    to = f" to {words.label(channels.label)}" if look.order == "contribution" else ""
    return ORDERED[look.order] + to


def _controls() -> tuple[int, bool]:
    with st.container(key="cam_channel_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        smooth = controls.smooth()
        opacity = controls.opacity("the channel")
    return opacity, smooth


def _cell(channels: Channels | None, key: Hashable, number: int | None, look: SheetLook, chosen: Chosen) -> MapCell:
    cell: MapCell = {
        "id": "channel",
        "name": "Here",
        "title": "",
        "note": "",
        "alt": f"Photograph: {chosen.title}",
        "grid": None,
        "tags": [],
        "message": "",
        "busy": channels is None,
        "share": None,
        "figures": "",
    }
    if channels is None or number is None:
        return cell
    high, signed = sheets.top(channels, look, number)
    raw = np.ascontiguousarray(channels.activations[..., number])
    path = channels.layer.path
    row, column = divmod(int(np.abs(raw).argmax()), raw.shape[1])
    cell |= {
        "grid": grids.of_map(ChannelMap(raw, channels.frame, channels.cells), (key, number)),
        "top": high,
        "signed": signed,
        "title": f"Channel {number} of {path}",
        "note": geometry(channels.layer),
        "tags": ["dead: 0 everywhere"]
        if channels.dead[number]
        else ["saturated"]
        if channels.saturated[number]
        else [],
        "alt": (
            f"Channel {number} of {path} on {chosen.title}: strongest in row {row + 1}, "
            f"column {column + 1} of {words.grid(raw.shape)}"
        ),
    }
    return cell


def _figures(channels: Channels | None, number: int | None) -> None:
    """The channel in figures."""
    if channels is None or number is None:
        figures.numbers(())
        return
    mean, variance = figure(channels.mean[number]), figure(channels.variance[number])
    added = signed_figure(channels.contribution[number])
    parts = (
        (mean, "mean", "over all places"),
        (figure(channels.high[number]), "highest", f"lowest {figure(channels.low[number])}"),
        (variance, "variance", "over all places"),
        (added, f"adds to “{words.label(channels.label)}”", f"of a score of {decimal(channels.logit)}"),
    )
    figures.numbers(parts, f"Channel {number} in figures")


def exact(channels: Channels | None) -> None:
    """All channels in figures, and the meaning of these."""
    box = st.expander("The exact figures", key="channels_exact", on_change="rerun")
    if channels is None or not box.open:
        return
    with box:
        st.dataframe(table(channels), hide_index=True, height=360)
        st.caption(
            words.plain(
                f"Contribution: Grad-CAM’s weight of the channel (the mean over places of the gradient of "
                f"“{words.label(channels.label)}”’s score) times the sum of its activations, in units of the score. "
                "Behind a global average and a linear head these add up to the score without its bias; elsewhere they "
                "are a first-order estimate. Dead: 0 at every place. Saturated: within 1 % of an end of the layer’s "
                "own function (ReLU6, sigmoid, tanh, …) at half of the places or more, where it has no slope to learn "
                "by."
            )
        )


def table(channels: Channels) -> dict[str, object]:
    """The figures of all channels, by column."""
    return {
        "channel": np.arange(len(channels)),
        "mean": channels.mean,
        "variance": channels.variance,
        "lowest": channels.low,
        "highest": channels.high,
        "weight": channels.weights,
        "contribution": channels.contribution,
        "dead": channels.dead,
        "saturated": channels.saturated,
    }
