"""The attention maps of the Activations page: addresses, the sheet's places, and the files read back."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from transformers import GRID, HEADS, SIZE, vit

import camcore
from camcore.features.attention import AttentionLayout, AttentionRows, attention_layout, attention_rows, spread
from camcore.render.sheet import PAPER
from ui.activations import attention_export, attention_sheet
from ui.activations.attention_choices import HEAD, TOKEN
from ui.picture_box import Chosen

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
CHOSEN = Chosen(PIC, "a <b> picture.png", None)


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(vit("class", 2), name="small vit")


@pytest.fixture(scope="module")
def rows(network: camcore.Network) -> AttentionRows:
    return attention_rows(network, PIC, (2, 4))


@pytest.fixture(scope="module")
def layout(network: camcore.Network) -> AttentionLayout:
    found = attention_layout(network)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "value"), [("3-12", (2, 11)), ("class-token", "class token"), ("register-2", "register 2")]
)
def test_a_token_in_the_address(text: str, value: object) -> None:
    assert TOKEN.read(text) == (value, None)
    assert TOKEN.write(value) == text


@pytest.mark.parametrize(("text", "value"), [("3", (2, None)), ("12.1", (11, 0))])
def test_a_head_in_the_address(text: str, value: object) -> None:
    assert HEAD.read(text) == (value, None)
    assert HEAD.write(value) == text


@pytest.mark.parametrize(("parameter", "text"), [(TOKEN, "0-3"), (HEAD, "0"), (HEAD, "3.0"), (HEAD, "first")])
def test_what_the_address_cannot_mean(parameter: object, text: str) -> None:
    value, problem = parameter.read(text)  # type: ignore[attr-defined]
    assert value is None
    assert problem


def test_the_sheet_has_a_place_for_each_head(rows: AttentionRows) -> None:
    drawn = attention_sheet.drawn(rows, "key", "viridis")
    assert drawn.ids == ["1", "1.1", "1.2", "2", "2.1", "2.2"]
    assert drawn.sheet.columns == 1 + HEADS
    assert [label["id"] for label in drawn.labels] == ["1", "2"]
    height, width = drawn.sheet.cell
    pitch = drawn.sheet.pitch
    for number, head in enumerate([(0, None), (0, 0), (0, 1), (1, None), (1, 0), (1, 1)]):
        top, left = number // 3 * pitch[0], number % 3 * pitch[1]
        shown = drawn.sheet.index[top : top + height, left : left + width]
        small = shown[:: height // GRID[0], :: width // GRID[1]]
        wanted = rows.map_of(*head)
        np.testing.assert_array_equal(small, np.rint(wanted.astype(np.float32) * (123 / wanted.max())))
    assert attention_sheet.tip(rows, (1, 0)).startswith("Block 2, head 1 · most to row ")


def test_a_block_with_fewer_heads_leaves_places_empty(rows: AttentionRows) -> None:
    fewer = AttentionRows(
        rows.network, None, (rows.rows[0][:1], rows.rows[1]), (rows.beside[0][:1], rows.beside[1]), rows.names,
        rows.frame, rows.cells,
    )  # fmt: skip
    drawn = attention_sheet.drawn(fewer, "fewer", "viridis")
    assert drawn.ids == ["1", "1.1", None, "2", "2.1", "2.2"]
    height, width = drawn.sheet.cell
    left = 2 * drawn.sheet.pitch[1]
    assert (drawn.sheet.index[:height, left : left + width] == PAPER).all()


def test_the_csv_holds_all_rows(rows: AttentionRows, layout: AttentionLayout) -> None:
    about = attention_export.described(rows, CHOSEN, layout)
    assert about.endswith("small vit · where the place in row 3, column 5 looks")
    first, *lines = attention_export.csv(rows, about).decode("utf-8").splitlines()
    assert first == f"# {about}"
    table = list(csv.DictReader(lines))
    assert [(one["block"], one["head"]) for one in table] == [
        (block, head) for block in "12" for head in ("mean", "1", "2")
    ]
    for one, head in zip(table, attention_export.heads(rows), strict=True):
        values = [float(one[f"row{y + 1}_column{x + 1}"]) for y in range(GRID[0]) for x in range(GRID[1])]
        np.testing.assert_allclose(values, rows.map_of(*head).ravel(), rtol=1e-8)
        beside = float(one["class token"]) + float(one["register"])
        assert sum(values) + beside == pytest.approx(1, rel=1e-5)
        assert float(one["places"]) == pytest.approx(spread(rows.map_of(*head)))


def test_the_npz_holds_all_rows(rows: AttentionRows) -> None:
    back = np.load(io.BytesIO(attention_export.npz(rows, "about", CHOSEN, "class token")))
    np.testing.assert_array_equal(back["block2"], rows.rows[1])
    np.testing.assert_array_equal(back["beside1"], rows.beside[0])
    assert json.loads(str(back["about"]))["sha256"] == PIC.sha256


def test_the_picture_of_the_sheet(rows: AttentionRows) -> None:
    data = attention_export.sheet_png(rows, "about it", "viridis")
    assert Image.open(io.BytesIO(data)).size[0] > attention_sheet.sheet_of(rows, "viridis").index.shape[1] - 10
