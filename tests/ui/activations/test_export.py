"""What the Activations page draws and hands out: figures and activations read back, sheets pixel by pixel."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from networks import flat
from PIL import Image

import camcore
from camcore.features.channels import ORDERS, Channels, channels
from camcore.features.strongest_channels import StrongestChannels, strongest_channels
from camcore.render.colour import DIVERGING, table
from camcore.render.sheet import PAPER, sheet
from ui import scales
from ui.activations import export, overview
from ui.activations import sheet as sheets
from ui.activations.choices import SheetLook
from ui.activations.work import PER_LAYER
from ui.picture_box import Chosen

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8))
CHOSEN = Chosen(PIC, "a <b> picture.png", None)
LOOK = SheetLook("mean", scales.ONE, "viridis")


@pytest.fixture(scope="module")
def net() -> camcore.Network:
    return camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1, name="small net")


@pytest.fixture(scope="module")
def found(net: camcore.Network) -> Channels:
    return channels(net, PIC, "features", 1)


@pytest.fixture(scope="module")
def rows(net: camcore.Network) -> tuple[StrongestChannels, ...]:
    return tuple(one for part in strongest_channels(net, PIC, ["conv1", "features"], PER_LAYER) for one in part)


def test_the_csv_holds_figures_and_activations(found: Channels) -> None:
    text = export.csv(found, CHOSEN, "crop").decode("utf-8")
    lines = text.splitlines()
    assert lines[0].startswith("# a <b> picture.png (crop) · small net · features")
    names = lines[1].split(",")
    values = np.array([[float(v) for v in line.split(",")] for line in lines[2:]])
    assert values.shape == (len(found), len(names))
    by_name = dict(zip(names, values.T, strict=True))
    np.testing.assert_array_equal(by_name["channel"], np.arange(len(found)))
    for name, wanted in (("mean", found.mean), ("contribution", found.contribution), ("dead", found.dead)):
        np.testing.assert_allclose(by_name[name], wanted, rtol=1e-8)
    np.testing.assert_allclose(by_name["row1_column2"], found.activations[1, 2], rtol=1e-8)


def test_the_npz_holds_everything(found: Channels) -> None:
    back = np.load(io.BytesIO(export.npz(found, CHOSEN, "crop")))
    np.testing.assert_array_equal(back["activations"], found.activations)
    np.testing.assert_array_equal(back["contribution"], found.contribution)
    about = json.loads(str(back["about"]))
    assert about["layer"] == "features"
    assert about["sha256"] == PIC.sha256
    assert about["class_index"] == 1


def test_the_picture_holds_the_sheet(found: Channels) -> None:
    """The sheet stands on the page with its margin, unaltered."""
    drawn = sheets.sheet_of(found, LOOK, found.order("mean")).rgb
    saved = np.asarray(Image.open(io.BytesIO(export.sheet_png(found, CHOSEN, LOOK, "crop"))))
    h, w = drawn.shape[:2]
    places = [(y, x) for y in range(20) for x in range(20) if (saved[y : y + h, x : x + w] == drawn).all()]
    assert len(places) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_a_line_about_each_cell_in_its_order(found: Channels, order: str) -> None:
    drawn = sheets.drawn(found, ("test", order), SheetLook(order, scales.EACH, "magma"))
    assert [int(tip.split()[1]) for tip in drawn.tips] == found.order(order).tolist() == drawn.ids
    assert drawn is sheets.drawn(found, ("test", order), SheetLook(order, scales.EACH, "magma")), "drawn once"


def test_where_the_scale_ends(found: Channels) -> None:
    assert sheets.top(found, LOOK, 2) == (pytest.approx(found.activations.max()), False)
    own = SheetLook("mean", scales.EACH, "viridis")
    assert sheets.top(found, own, 2)[0] == pytest.approx(found.activations[..., 2].max() or 1.0)
    assert sheets.bar(found, LOOK)["high"] == sheets.figure(float(found.activations.max()))
    assert "own" in sheets.bar(found, own)["high"]
    assert "own" not in sheets.bar(found, own, 2)["high"]


def test_figures_in_words() -> None:
    assert sheets.figure(-0.12345) == "−0.123"
    assert sheets.signed_figure(0.347) == "+0.35"
    assert sheets.signed_figure(-0.00012) == "−1.2e−04"
    assert sheets.signed_figure(0.0) == "+0.00"


def test_a_row_for_each_layer(rows: tuple[StrongestChannels, ...]) -> None:
    drawn = sheets.overview_sheet(rows, "viridis")
    assert drawn.columns == PER_LAYER
    assert drawn.count == PER_LAYER * len(rows)
    for row, one in enumerate(rows):
        # Each row holds its layer's channels as a sheet of its own would draw them, and paper behind the last.
        alone = sheet(one.activations, scale="each", columns=len(one.numbers), width=4000)
        for place in range(len(one.numbers)):
            cell = drawn.rgb[row * drawn.pitch[0], place * drawn.pitch[1]]
            assert (cell == alone.rgb[0, place * alone.pitch[1]]).all()
        rest = drawn.index[row * drawn.pitch[0] :][: drawn.cell[0], len(one.numbers) * drawn.pitch[1] :]
        assert (rest == PAPER).all()


def test_the_stacked_picture_holds_all_rows(rows: tuple[StrongestChannels, ...]) -> None:
    drawn = sheets.overview_sheet(rows, "viridis")
    saved = np.asarray(Image.open(io.BytesIO(export.stacked_png(rows, "small net", CHOSEN, "viridis"))))
    assert saved.shape[0] > drawn.index.shape[0]
    first = drawn.rgb[: drawn.cell[0], : drawn.cell[1]]
    h, w = first.shape[:2]
    assert any((saved[y : y + h, x : x + w] == first).all() for y in range(60) for x in range(20))


def test_layers_of_some_kinds(net: camcore.Network) -> None:
    assert [info.path for info in overview.layers_of(net.layers, "convolution, pooling")] == ["conv1", "features"]
    assert overview.layers_of(net.layers, "merge") == []


def test_colours_of_both_signs_are_told_at_the_bar(net: camcore.Network) -> None:
    one = channels(net, PIC, "features", 1)
    negative = Channels(**{**vars(one), "activations": -one.activations, "low": -one.high, "high": -one.low})
    shown = sheets.bar(negative, LOOK)
    assert shown["low"] == "−" + shown["high"]
    assert f"#{bytes(table(DIVERGING)[255]).hex()}" in shown["gradient"]
