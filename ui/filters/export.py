"""What the Filters page gives away: pictures as PNG, values as CSV, everything as NPZ."""

import io
from functools import partial

import cv2
import numpy as np
import streamlit as st
from camcore.files import to_csv

from camcore.filters import Excitation, FirstKernels
from camcore.render.contact import Print, contact_sheet
from camcore.render.encode import to_png, with_caption
from ui import downloads, words
from ui.filters.work import LayerResponse, SearchSpec

COLUMNS = 8
KERNEL_SIDE = 96
"""Least side of a kernel on the sheet, in pixels."""


def one(looked: LayerResponse, wanted: SearchSpec, found: Excitation | None) -> None:
    """The large picture."""
    with st.container(key="cam_filters_save_one", horizontal=True, gap="small", vertical_alignment="center"):
        downloads.offer(
            f"{_stem(looked, wanted, str(wanted.indices[0]))}.png",
            partial(picture_png, looked, wanted, found),
            "The picture at the size of the network's input, with a caption",
            key="save_filter_png",
            ready=found is not None,
        )


def many(looked: LayerResponse, wanted: SearchSpec, found: tuple[Excitation | None, ...]) -> None:
    """The grid."""
    there = tuple(one for one in found if one is not None)
    stem = _stem(looked, wanted, "filters" if wanted.layer is not None else "classes")
    with st.container(key="cam_filters_save_many", horizontal=True, gap="small", vertical_alignment="center"):
        for ending, make, about in (
            ("png", sheet_png, "All pictures on one sheet"),
            ("csv", values_csv, "What each picture reaches, and the photograph beside it"),
            ("npz", arrays_npz, "The pictures and values as NumPy arrays"),
        ):
            downloads.offer(
                f"{stem}.{ending}",
                partial(make, looked, wanted, there),
                about,
                key=f"save_filters_{ending}",
                ready=bool(there),
            )


def kernels(name: str, found: FirstKernels) -> None:
    """The first layer's kernels."""
    with st.container(key="cam_filters_save_kernels", horizontal=True, gap="small"):
        downloads.offer(
            f"{words.file_stem(name, found.layer, 'kernels')}.png",
            partial(kernels_png, name, found),
            "All kernels on one sheet",
            key="save_kernels_png",
        )


def picture_png(looked: LayerResponse, wanted: SearchSpec, found: Excitation | None) -> bytes:
    """The picture with what it is beneath."""
    assert found is not None
    return to_png(with_caption(found.rgb, lines(looked, wanted, found)))


def lines(looked: LayerResponse, wanted: SearchSpec, found: Excitation) -> list[str]:
    """What a picture is, for its caption."""
    what = f"class {looked.labels[found.index]}" if found.layer is None else f"{found.layer}, channel {found.index}"
    return [
        f"{looked.name} · {what} · reaches {found.reached:.4g}",
        f"activation maximisation, {found.steps} steps, seed {wanted.seed}",
    ]


def sheet_png(looked: LayerResponse, wanted: SearchSpec, found: tuple[Excitation, ...]) -> bytes:
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


def values_csv(looked: LayerResponse, wanted: SearchSpec, found: tuple[Excitation, ...]) -> bytes:
    """One row for each picture."""
    rows: list[list[object]] = [
        ["network", "layer", "index", "label", "steps", "seed", "reached", "mean", "on_photograph"]
    ]
    for one in found:
        label = looked.labels[one.index] if one.layer is None else ""
        here = looked.logits[one.index] if one.layer is None else looked.peaks[one.index]
        numbers = [repr(float(value)) for value in (one.reached, one.mean, here)]
        rows.append([looked.name, one.layer or "logits", one.index, label, one.steps, wanted.seed, *numbers])
    return to_csv(rows)


def arrays_npz(looked: LayerResponse, wanted: SearchSpec, found: tuple[Excitation, ...]) -> bytes:
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


def _stem(looked: LayerResponse, wanted: SearchSpec, last: str) -> str:
    return words.file_stem(looked.name, wanted.layer or "class", last)
