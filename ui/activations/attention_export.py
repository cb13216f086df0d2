"""Files of the attention maps: the sheet as a picture, all rows as numbers."""

from __future__ import annotations

import csv as csv_files
import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from camcore.features.attention import spread
from camcore.files import to_comment, to_npz
from camcore.render.contact import Bar, ContactPrint, contact_sheet
from camcore.render.encode import to_png
from ui import downloads, words
from ui.activations import attention_sheet as sheets
from ui.activations.attention_choices import Head

if TYPE_CHECKING:
    from camcore.features.attention import AttentionLayout, AttentionRows
    from ui.activations.choices import SheetLook
    from ui.model_picker import Model
    from ui.picture_box import Chosen


def offer_files(
    rows: AttentionRows | None, chosen: Chosen, layout: AttentionLayout, look: SheetLook, model: Model
) -> None:
    """The buttons; the files are made when they are asked for."""
    about = "" if rows is None else described(rows, chosen, layout)
    token = "" if rows is None else sheets.token_name(rows.token, layout.read)
    files: list[tuple[str, Callable[[AttentionRows], bytes], str]] = [
        ("png", partial(sheet_png, about=about, colormap=look.colormap), "The maps of all blocks and heads"),
        ("csv", partial(csv, about=about), "A row for each block and head: its figures, then its attention"),
        ("npz", partial(npz, about=about, chosen=chosen, token=token), "The attention of all blocks, for NumPy"),
    ]
    made = ((ending, partial(make, rows) if rows is not None else b"", what) for ending, make, what in files)
    stem = words.file_stem(chosen.stem, model.key.name, "attention", token)
    with st.container(key="cam_attention_files", horizontal=True, gap="small"):
        downloads.offer_all(stem, made, key="save_attention", ready=rows is not None)


def described(rows: AttentionRows, chosen: Chosen, layout: AttentionLayout) -> str:
    """Picture, network and token in one line."""
    name = sheets.token_name(rows.token, layout.read)
    return f"{chosen.title} ({rows.frame.framing}) · {rows.network} · where the {name} looks"


def sheet_png(rows: AttentionRows, about: str, colormap: str) -> bytes:
    """The sheet with its caption and colour bar."""
    drawn = sheets.sheet_of(rows, colormap)
    pitch, wide = drawn.pitch[0], drawn.columns * drawn.pitch[1]
    prints = [
        (
            f"Block {block + 1} · {words.percent(float(rows.beside_of(block, None).sum()))} beside the places"
            if rows.names
            else f"Block {block + 1}",
            [ContactPrint(drawn.rgb[block * pitch : (block + 1) * pitch, :wide])],
        )
        for block in range(len(rows.rows))
    ]
    lines = [about, "First the mean over the heads of a block, then head by head; each map is on its own scale."]
    return to_png(contact_sheet(prints, bars=[Bar(colormap, "0", "each one's largest")], lines=lines))


def csv(rows: AttentionRows, about: str) -> bytes:
    """A row for each block and head, the mean as head "mean": its figures, then place by place, row by row."""
    h, w = rows.grid
    text = io.StringIO()
    text.write(f"{to_comment(about)}\n")
    table = csv_files.writer(text, lineterminator="\n")
    table.writerow(
        [
            "block",
            "head",
            "largest",
            "places",
            *rows.names,
            *(f"row{y + 1}_column{x + 1}" for y in range(h) for x in range(w)),
        ]
    )
    for head in heads(rows):
        row = rows.map_of(*head)
        figures = [float(row.max()), spread(row), *rows.beside_of(*head).tolist(), *row.ravel().tolist()]
        name = "mean" if head[1] is None else head[1] + 1
        table.writerow([head[0] + 1, name, *(f"{value:.9g}" for value in figures)])
    return text.getvalue().encode("utf-8")


def npz(rows: AttentionRows, about: str, chosen: Chosen, token: str) -> bytes:
    """The rows (heads, h, w) and what goes to the tokens beside (heads, tokens) of each block; see ``about`` there."""
    text = {
        "about": about,
        "picture": chosen.title,
        "sha256": chosen.picture.sha256,
        "framing": rows.frame.framing,
        "network": rows.network,
        "token": token,
        "beside": rows.names,
    }
    blocks = {f"block{number + 1}": np.asarray(block) for number, block in enumerate(rows.rows)}
    beside = {f"beside{number + 1}": np.asarray(block) for number, block in enumerate(rows.beside)}
    return to_npz(**blocks, **beside, about=json.dumps(text))


def heads(rows: AttentionRows) -> Iterator[Head]:
    """Every block's mean, then its heads."""
    for block, maps in enumerate(rows.rows):
        yield block, None
        for number in range(len(maps)):
            yield block, number
