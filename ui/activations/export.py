"""Files of the Activations page: a layer's sheet and its numbers, and many layers as one picture."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import streamlit as st

from camcore.features.channels import Channels
from camcore.features.strongest_channels import StrongestChannels
from camcore.files import to_comment, to_npz
from camcore.render.colour import DIVERGING
from camcore.render.contact import Bar, ContactPrint, contact_sheet
from camcore.render.encode import to_png
from camcore.report.captions import geometry
from ui import downloads, scales, words
from ui.activations import sheet as sheets
from ui.activations.choices import SheetLook
from ui.picture_box import Chosen

_FIGURES = ("mean", "variance", "low", "high", "weights", "contribution", "dead", "saturated")


def offer_files(channels: Channels | None, chosen: Chosen, look: SheetLook, framing: str) -> None:
    """The sheet as a picture; figures and activations as numbers; made when they are asked for."""
    stem = "activations" if channels is None else words.file_stem(chosen.stem, channels.network, channels.layer.name)
    files: list[tuple[str, Callable[[Channels], bytes], str]] = [
        ("png", partial(sheet_png, chosen=chosen, look=look, framing=framing), "The contact sheet"),
        ("csv", partial(csv, chosen=chosen, framing=framing), "A row for each channel: its figures, then its values"),
        ("npz", partial(npz, chosen=chosen, framing=framing), "The activations with all figures, for NumPy"),
    ]
    with st.container(key="cam_activations_files", horizontal=True, gap="small"):
        made = (
            (ending, partial(make, channels) if channels is not None else b"", about) for ending, make, about in files
        )
        downloads.offer_all(stem, made, key="save", ready=channels is not None)


def sheet_png(channels: Channels, chosen: Chosen, look: SheetLook, framing: str) -> bytes:
    """The contact sheet with its caption and colour bar."""
    drawn = sheets.sheet_of(channels, look, channels.order(look.order))
    bar = sheets.bar(channels, look)
    _, signed = sheets.top(channels, look)
    shared = f"One scale for all channels, {bar['low']} to {bar['high']}."
    lines = [
        about(channels, chosen, framing),
        f"{len(channels):,} channels by {look.order}; numbers are counted from 0, crossed out: 0 everywhere. "
        + ("Each channel is on its own scale." if look.scale == scales.EACH else shared),
    ]
    bars = [Bar(DIVERGING if signed else look.colormap, bar["low"], bar["high"])]
    return to_png(contact_sheet([("", [ContactPrint(drawn.rgb)])], bars=bars, lines=lines))


def about(channels: Channels, chosen: Chosen, framing: str) -> str:
    """Picture, network and layer in one line."""
    return (
        f"{chosen.title} ({framing}) · {channels.network} · {channels.layer.path} {geometry(channels.layer)} · "
        f"contributions to {words.label(channels.label)} {words.percent(channels.probability)}"
    )


def npz(channels: Channels, chosen: Chosen, framing: str) -> bytes:
    """The activations (h, w, K) with all figures of the channels; ``numpy.load(file)`` reads it."""
    text = {
        "picture": chosen.title,
        "sha256": chosen.picture.sha256,
        "framing": framing,
        "network": channels.network,
        "layer": channels.layer.path,
        "class_index": channels.class_index,
        "label": channels.label,
        "logit": channels.logit,
    }
    figures = {name: getattr(channels, name) for name in _FIGURES}
    return to_npz(activations=channels.activations, **figures, about=json.dumps(text))


def csv(channels: Channels, chosen: Chosen, framing: str) -> bytes:
    """A row for each channel: its figures, then its activations place by place, row by row of the grid."""
    h, w = channels.activations.shape[:2]
    names = ["channel", "mean", "variance", "lowest", "highest", "weight", "contribution", "dead", "saturated"]
    names += [f"row{y}_column{x}" for y in range(h) for x in range(w)]
    figures = [getattr(channels, name) for name in _FIGURES]
    values = channels.activations.reshape(h * w, -1).T
    text = io.StringIO()
    text.write(f"{to_comment(about(channels, chosen, framing))}\n{','.join(names)}\n")
    table = np.column_stack([np.arange(len(channels)), *figures, values])
    np.savetxt(text, table, "%.9g", ",")
    return text.getvalue().encode("utf-8")


def stacked_png(rows: Sequence[StrongestChannels], name: str, chosen: Chosen, colormap: str) -> bytes:
    """The strongest channels of all these layers, stacked: a titled row of pictures for each layer."""
    drawn = sheets.overview_sheet(rows, colormap)
    rgb, high, wide = drawn.rgb, drawn.pitch[0], drawn.columns * drawn.pitch[1]
    prints = [
        (
            f"{one.layer.path} · {one.layer.kind} · {sheets.size_of(one)}",
            [ContactPrint(rgb[i * high : (i + 1) * high, :wide])],
        )
        for i, one in enumerate(rows)
    ]
    lines = [
        f"{chosen.title} · {name}: the {drawn.columns} channels of each layer that respond most (largest mean of |A|), "
        "each on its own scale; numbers are counted from 0."
    ]
    bars = [Bar(colormap, "0", "the channel’s own largest")]
    if any((one.activations < 0).any() for one in rows):
        bars.append(Bar(DIVERGING, "minus its largest", "its largest, in layers with values below 0"))
    return to_png(contact_sheet(prints, bars=bars, lines=lines))
