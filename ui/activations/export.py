"""What leaves the Activations page: a layer's sheet and its numbers, and many layers as one picture."""

import io
import json
from collections.abc import Sequence

import numpy as np
from camcore.report.captions import geometry

from camcore.features.channels import Channels
from camcore.features.strongest_channels import StrongestChannels
from camcore.render.colour import DIVERGING
from camcore.render.contact import Bar, Print, contact_sheet
from camcore.render.encode import to_png
from ui import scales, words
from ui.activations import sheet as sheets
from ui.activations.choices import Look
from ui.activations.overview import overview_sheet, size_of
from ui.picture_box import Chosen


def stem(found: Channels, chosen: Chosen, *more: str) -> str:
    """A file's name, without its ending."""
    return words.file_stem(chosen.stem, found.network, found.layer.name, *more)


def sheet_png(found: Channels, chosen: Chosen, look: Look, framing: str) -> bytes:
    """The contact sheet with its caption and colour bar."""
    drawn = sheets.sheet_of(found, look, found.order(look.order))
    bar = sheets.bar(found, look)
    _, signed = sheets.top(found, look)
    shared = f"One scale for all channels, {bar['low']} to {bar['high']}."
    lines = [
        about(found, chosen, framing),
        f"{len(found):,} channels by {look.order}; numbers are counted from 0, crossed out: 0 everywhere. "
        + ("Each channel is on its own scale." if look.scale == scales.EACH else shared),
    ]
    bars = [Bar(DIVERGING if signed else look.colormap, bar["low"], bar["high"])]
    return to_png(contact_sheet([("", [Print(drawn.rgb)])], bars=bars, lines=lines))


def about(found: Channels, chosen: Chosen, framing: str) -> str:
    """Picture, network and layer in one line."""
    return (
        f"{chosen.title} ({framing}) · {found.network} · {found.layer.path} {geometry(found.layer)} · "
        f"contributions to {words.label(found.label)} {words.percent(found.probability)}"
    )


def npz(found: Channels, chosen: Chosen, framing: str) -> bytes:
    """The activations (h, w, K) with all figures of the channels; ``numpy.load(file)`` reads it."""
    text = {
        "picture": chosen.title,
        "sha256": chosen.picture.sha256,
        "framing": framing,
        "network": found.network,
        "layer": found.layer.path,
        "class_index": found.class_index,
        "label": found.label,
        "logit": found.logit,
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        activations=found.activations,
        mean=found.mean,
        variance=found.variance,
        low=found.low,
        high=found.high,
        weights=found.weights,
        contribution=found.contribution,
        dead=found.dead,
        saturated=found.saturated,
        about=np.array(json.dumps(text)),
    )
    return file.getvalue()


def csv(found: Channels, chosen: Chosen, framing: str) -> bytes:
    """A row for each channel: its figures, then its activations place by place, row by row of the grid."""
    h, w = found.activations.shape[:2]
    names = ["channel", "mean", "variance", "lowest", "highest", "weight", "contribution", "dead", "saturated"]
    names += [f"row{y}_column{x}" for y in range(h) for x in range(w)]
    values = found.activations.reshape(h * w, -1).T
    line = ",".join(["%.9g"] * (h * w))
    text = io.StringIO()
    text.write(f"# {about(found, chosen, framing)}\n{','.join(names)}\n")
    for k in range(len(found)):
        figures = (found.mean, found.variance, found.low, found.high, found.weights, found.contribution)
        text.write(
            f"{k},{','.join(f'{one[k]:.9g}' for one in figures)},{int(found.dead[k])},{int(found.saturated[k])},"
        )
        text.write(line % tuple(values[k].tolist()) + "\n")
    return text.getvalue().encode("utf-8")


def stacked_png(found: Sequence[StrongestChannels], name: str, chosen: Chosen, colormap: str) -> bytes:
    """The strongest channels of all these layers, stacked: a titled row of pictures for each layer."""
    drawn = overview_sheet(found, colormap)
    rgb, high, wide = drawn.rgb, drawn.pitch[0], drawn.columns * drawn.pitch[1]
    rows = [
        (f"{one.layer.path} · {one.layer.kind} · {size_of(one)}", [Print(rgb[i * high : (i + 1) * high, :wide])])
        for i, one in enumerate(found)
    ]
    lines = [
        f"{chosen.title} · {name}: the {drawn.columns} channels of each layer that respond most (largest mean of |A|), "
        "each on its own scale; numbers are counted from 0."
    ]
    bars = [Bar(colormap, "0", "the channel’s own largest")]
    if any((one.activations < 0).any() for one in found):
        bars.append(Bar(DIVERGING, "minus its largest", "its largest, in layers with values below 0"))
    return to_png(contact_sheet(rows, bars=bars, lines=lines))
