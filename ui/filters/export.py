"""Files of the Filters page: pictures as PNG, values as CSV, everything as NPZ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
import streamlit as st

from camcore.files import to_csv, to_npz
from camcore.filters import Excitation, FirstKernels
from camcore.render.contact import ContactPrint, contact_sheet
from camcore.render.encode import to_png, with_caption
from ui import downloads, words
from ui.filters.work import LayerResponse, SearchSpec

COLUMNS = 8
KERNEL_SIDE = 96
"""Least side of a kernel on the sheet, in pixels."""


def one(response: LayerResponse, wanted: SearchSpec, excitation: Excitation | None) -> None:
    """The large picture."""
    with st.container(key="cam_filters_save_one", horizontal=True, gap="small", vertical_alignment="center"):
        downloads.offer(
            f"{_stem(response, wanted, str(wanted.indices[0]))}.png",
            partial(picture_png, response, wanted, excitation),
            "The picture at the size of the network's input, with a caption",
            key="save_filter_png",
            ready=excitation is not None,
        )


def many(response: LayerResponse, wanted: SearchSpec, excitations: tuple[Excitation | None, ...]) -> None:
    """The grid."""
    there = tuple(one for one in excitations if one is not None)
    stem = _stem(response, wanted, "filters" if wanted.layer is not None else "classes")
    with st.container(key="cam_filters_save_many", horizontal=True, gap="small", vertical_alignment="center"):
        files = (
            ("png", partial(sheet_png, response, wanted, there), "All pictures on one sheet"),
            ("csv", partial(values_csv, response, wanted, there), "Each picture's value, and that of the photograph"),
            ("npz", partial(arrays_npz, response, wanted, there), "The pictures and values as NumPy arrays"),
        )
        downloads.offer_all(stem, files, key="save_filters", ready=bool(there))


def kernels(name: str, first: FirstKernels) -> None:
    """The first layer's kernels."""
    with st.container(key="cam_filters_save_kernels", horizontal=True, gap="small"):
        downloads.offer(
            f"{words.file_stem(name, first.layer, 'kernels')}.png",
            partial(kernels_png, name, first),
            "All kernels on one sheet",
            key="save_kernels_png",
        )


def picture_png(response: LayerResponse, wanted: SearchSpec, excitation: Excitation | None) -> bytes:
    """The picture with its caption beneath."""
    assert excitation is not None
    return to_png(with_caption(excitation.rgb, lines(response, wanted, excitation)))


def lines(response: LayerResponse, wanted: SearchSpec, one: Excitation) -> list[str]:
    """The caption of a picture."""
    what = f"class {response.labels[one.index]}" if one.layer is None else f"{one.layer}, channel {one.index}"
    return [
        f"{response.name} · {what} · reaches {one.reached:.4g}",
        f"activation maximisation, {one.steps} steps, seed {wanted.seed}",
    ]


def sheet_png(response: LayerResponse, wanted: SearchSpec, excitations: tuple[Excitation, ...]) -> bytes:
    """All pictures with their numbers and values."""
    prints = [
        ContactPrint(
            one.rgb,
            words.label(response.labels[one.index]) if one.layer is None else f"channel {one.index}",
            f"reaches {one.reached:.4g}",
        )
        for one in excitations
    ]
    what = "classes" if wanted.layer is None else f"channels of {wanted.layer}"
    steps = sorted({one.steps for one in excitations})
    taken = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    foot = f"{response.name}: what excites these {what}. Activation maximisation, {taken} steps, seed {wanted.seed}."
    return _sheet(prints, foot)


def _sheet(prints: Sequence[ContactPrint], foot: str) -> bytes:
    rows = [("", prints[i : i + COLUMNS]) for i in range(0, len(prints), COLUMNS)]
    return to_png(contact_sheet(rows, lines=[foot]))


def values_csv(response: LayerResponse, wanted: SearchSpec, excitations: tuple[Excitation, ...]) -> bytes:
    """One row for each picture."""
    rows: list[list[object]] = [
        ["network", "layer", "index", "label", "steps", "seed", "reached", "mean", "on_photograph"]
    ]
    for one in excitations:
        label = response.labels[one.index] if one.layer is None else ""
        here = response.logits[one.index] if one.layer is None else response.peaks[one.index]
        numbers = [repr(float(value)) for value in (one.reached, one.mean, here)]
        rows.append([response.name, one.layer or "logits", one.index, label, one.steps, wanted.seed, *numbers])
    return to_csv(rows)


def arrays_npz(response: LayerResponse, wanted: SearchSpec, excitations: tuple[Excitation, ...]) -> bytes:
    """``rgb`` uint8 (n, H, W, 3), ``index``, ``reached`` and ``mean`` (n,), ``steps`` and ``seed``."""
    return to_npz(
        rgb=np.stack([one.rgb for one in excitations]),
        index=np.array([one.index for one in excitations]),
        reached=np.array([one.reached for one in excitations]),
        mean=np.array([one.mean for one in excitations]),
        steps=np.array([one.steps for one in excitations]),
        seed=wanted.seed,
        layer=wanted.layer or "",
        network=response.name,
    )


def kernels_png(name: str, first: FirstKernels) -> bytes:
    """All kernels with their numbers, enlarged by a whole number."""
    height, width = first.weights.shape[1:3]
    times = -(-KERNEL_SIDE // max(height, width))
    size = (width * times, height * times)
    prints = [
        ContactPrint(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST), np.uint8), str(index))
        for index, rgb in enumerate(first.rgb)
    ]
    ends = f"white and black are ±{first.scale:.4g} on colours in 0..1"
    return _sheet(prints, f"{name}: the kernels of {first.layer}, one scale; {ends}.")


def _stem(response: LayerResponse, wanted: SearchSpec, last: str) -> str:
    return words.file_stem(response.name, wanted.layer or "class", last)
