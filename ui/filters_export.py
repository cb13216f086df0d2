"""What the Filters page gives away: pictures as PNG, values as CSV, everything as NPZ."""

import csv
import io
from functools import partial

import cv2
import numpy as np
import streamlit as st

from camcore.filters import Excitation, FirstKernels
from camcore.render.contact import Print, contact_sheet
from camcore.render.encode import to_png, with_caption
from ui import words
from ui.filters_works import Looked, Wanted

COLUMNS = 8
KERNEL_SIDE = 96
"""Least side of a kernel on the sheet, in pixels."""

_DOWNLOAD = ":material/download:"


def one(looked: Looked, wanted: Wanted, found: Excitation | None) -> None:
    """The large picture."""
    with st.container(key="cam_filters_save_one", horizontal=True, gap="small", vertical_alignment="center"):
        st.download_button(
            "PNG",
            partial(picture_png, looked, wanted, found),
            f"{_stem(looked, wanted, str(wanted.indices[0]))}.png",
            "image/png",
            key="save_filter_png",
            on_click="ignore",
            disabled=found is None,
            icon=_DOWNLOAD,
            help="The picture at the size of the network's input, with a caption",
        )


def many(looked: Looked, wanted: Wanted, found: tuple[Excitation | None, ...]) -> None:
    """The grid."""
    there = tuple(one for one in found if one is not None)
    stem = _stem(looked, wanted, "filters" if wanted.layer is not None else "classes")
    kinds = (
        ("PNG", sheet_png, "image/png", "All pictures on one sheet"),
        ("CSV", values_csv, "text/csv", "What each picture reaches, and the photograph beside it"),
        ("NPZ", arrays_npz, "application/octet-stream", "The pictures and values as NumPy arrays"),
    )
    with st.container(key="cam_filters_save_many", horizontal=True, gap="small", vertical_alignment="center"):
        for title, make, kind, what in kinds:
            st.download_button(
                title,
                partial(make, looked, wanted, there),
                f"{stem}.{title.lower()}",
                kind,
                key=f"save_filters_{title.lower()}",
                on_click="ignore",
                disabled=not there,
                icon=_DOWNLOAD,
                help=what,
            )


def kernels(name: str, found: FirstKernels) -> None:
    """The first layer's kernels."""
    with st.container(key="cam_filters_save_kernels", horizontal=True, gap="small"):
        st.download_button(
            "PNG",
            partial(kernels_png, name, found),
            f"{words.file_stem(name, found.layer, 'kernels')}.png",
            "image/png",
            key="save_kernels_png",
            on_click="ignore",
            icon=_DOWNLOAD,
            help="All kernels on one sheet",
        )


def picture_png(looked: Looked, wanted: Wanted, found: Excitation | None) -> bytes:
    """The picture with what it is beneath."""
    assert found is not None
    return to_png(with_caption(found.rgb, lines(looked, wanted, found)))


def lines(looked: Looked, wanted: Wanted, found: Excitation) -> list[str]:
    """What a picture is, for its caption."""
    what = f"class {looked.labels[found.index]}" if found.layer is None else f"{found.layer}, channel {found.index}"
    return [
        f"{looked.name} · {what} · reaches {found.reached:.4g}",
        f"activation maximisation, {found.steps} steps, seed {wanted.seed}",
    ]


def sheet_png(looked: Looked, wanted: Wanted, found: tuple[Excitation, ...]) -> bytes:
    """All pictures with their numbers and values."""
    prints = [
        Print(
            one.rgb,
            words.label(looked.labels[one.index]) if one.layer is None else f"channel {one.index}",
            f"reaches {one.reached:.4g}",
        )
        for one in found
    ]
    rows = [("", prints[i : i + COLUMNS]) for i in range(0, len(prints), COLUMNS)]
    what = "classes" if wanted.layer is None else f"channels of {wanted.layer}"
    steps = sorted({one.steps for one in found})
    taken = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    foot = f"{looked.name}: what excites these {what}. Activation maximisation, {taken} steps, seed {wanted.seed}."
    return to_png(contact_sheet(rows, lines=[foot]))


def values_csv(looked: Looked, wanted: Wanted, found: tuple[Excitation, ...]) -> bytes:
    """One row for each picture."""
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["network", "layer", "index", "label", "steps", "seed", "reached", "mean", "on_photograph"])
    for one in found:
        label = looked.labels[one.index] if one.layer is None else ""
        here = looked.logits[one.index] if one.layer is None else looked.peaks[one.index]
        numbers = [repr(float(value)) for value in (one.reached, one.mean, here)]
        out.writerow([looked.name, one.layer or "logits", one.index, label, one.steps, wanted.seed, *numbers])
    return text.getvalue().encode("utf-8")


def arrays_npz(looked: Looked, wanted: Wanted, found: tuple[Excitation, ...]) -> bytes:
    """``rgb`` uint8 (n, H, W, 3), ``index``, ``reached`` and ``mean`` (n,), ``steps`` and ``seed``."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        rgb=np.stack([one.rgb for one in found]),
        index=np.array([one.index for one in found]),
        reached=np.array([one.reached for one in found]),
        mean=np.array([one.mean for one in found]),
        steps=np.array([one.steps for one in found]),
        seed=wanted.seed,
        layer=wanted.layer or "",
        network=looked.name,
    )
    return file.getvalue()


def kernels_png(name: str, found: FirstKernels) -> bytes:
    """All kernels with their numbers, enlarged by a whole number."""
    height, width = found.weights.shape[1:3]
    times = -(-KERNEL_SIDE // max(height, width))
    size = (width * times, height * times)
    prints = [
        Print(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST), np.uint8), str(index))
        for index, rgb in enumerate(found.rgb)
    ]
    rows = [("", prints[i : i + COLUMNS]) for i in range(0, len(prints), COLUMNS)]
    foot = (
        f"{name}: the kernels of {found.layer}, one scale; white and black are ±{found.scale:.4g} on colours in 0..1."
    )
    return to_png(contact_sheet(rows, lines=[foot]))


def _stem(looked: Looked, wanted: Wanted, last: str) -> str:
    return words.file_stem(looked.name, wanted.layer or "class", last)
