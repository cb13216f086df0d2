"""The Filters page without a page: what is looked up, drawn and given away, by hand-made values."""

import csv
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import camcore
from camcore.files import from_cell
from camcore.filters import Excitation, FirstKernels
from camcore.graph.layers import LayerInfo
from camcore.render.overlay import blend
from ui.filters import export as filters_export
from ui.filters import work as filters_work
from ui.filters.pixels import number, png_url, response_overlay, tile_url
from ui.filters.work import LayerResponse, SearchSpec, price_work, response_work, search_work
from ui.query import NetworkKey

NET = NetworkKey("Net")
SIZE = (8, 12)
RNG = np.random.default_rng(0)


def info(**changes: Any) -> LayerInfo:
    values: dict[str, Any] = {
        "path": "conv",
        "kind": "convolution",
        "class_name": "Conv2D",
        "shape": (2, 3, 4),
        "grid": (2, 3),
        "channels": 4,
        "stride": (4.0, 4.0),
        "receptive_field": (4, 4),
        "first_centre": (1.5, 1.5),
        "whole_picture": False,
        "usable": True,
        "recommended": True,
        "reason": "",
    }
    return LayerInfo(**{**values, **changes})


def looked(maps: np.ndarray | None = None) -> LayerResponse:
    found = np.zeros((2, 3, 4), np.float32) if maps is None else maps
    logits = np.array([0.5, 2.0, -1.0])
    chances = np.exp(logits) / np.exp(logits).sum()
    seen = np.full((*SIZE, 3), 100, np.uint8)
    layer = info()
    return LayerResponse(
        ("key",), "Net", (layer,), ("cat", "=dog", "owl"), "conv", layer, found, seen, logits, chances, None
    )


def excitation(index: int, layer: str | None = "conv", steps: int = 32) -> Excitation:
    rgb = np.random.default_rng(index).integers(0, 256, (*SIZE, 3), np.uint8)
    return Excitation(layer, index, rgb, 1.25 + index, 0.5 * index, steps)


WANTED = SearchSpec(NET, "conv", (2, 0), 32, 7)


def test_the_strongest_come_first_and_their_mean_settles_a_draw() -> None:
    maps = np.zeros((2, 3, 4), np.float32)
    maps[0, 0] = (6, 1, 6, 7)
    maps[1, 1, 2] = 5
    assert looked(maps).strongest(4) == (3, 2, 0, 1)
    assert looked(maps).strongest(2) == (3, 2)
    assert looked(maps).likeliest(2) == (1, 0)


def test_the_response_is_the_rectified_channel_from_nothing_to_its_maximum() -> None:
    maps = np.zeros((2, 3, 4), np.float32)
    maps[0, 1, 3], maps[1, 2, 3], maps[1, 0, 3] = 4.0, 2.0, -9.0
    drawn = response_overlay(looked(maps), 3, 100, smooth=False)
    shares = np.array([[0, 1, 0], [0, 0, 0.5]], np.float32)
    mixed = blend(np.full((2, 3, 3), looked().seen[0, 0, 0]), shares, 1.0, by_value=True)
    np.testing.assert_array_equal(drawn, mixed.repeat(4, axis=0).repeat(4, axis=1))
    np.testing.assert_array_equal(response_overlay(looked(maps), 3, 0, smooth=True), looked().seen)
    assert response_overlay(looked(), 0, 50, smooth=True).shape == (*SIZE, 3), "a channel at rest is drawn, too"


@pytest.mark.parametrize(("value", "text"), [
    (1.234, "1.23"), (-1.234, "−1.23"), (0.0, "0.00"), (34.96, "35.0"), (np.float32(12345.6), "1.23e+04"),
    (-3.21e-6, "−3.2e−06"), (0.0049, "0.0049"),
])  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_pictures_are_addressed_by_their_pixels() -> None:
    one, other = excitation(0).rgb, excitation(1).rgb
    assert png_url(one) == png_url(one.copy()) != png_url(other)
    assert tile_url(one).startswith("data:image/jpeg")


# ---- what is given away


def test_the_csv_has_the_exact_values() -> None:
    found = (excitation(2), excitation(0))
    maps = np.zeros((2, 3, 4), np.float32)
    maps[1, 1, 2] = 0.75
    rows = list(csv.DictReader(io.StringIO(filters_export.values_csv(looked(maps), WANTED, found).decode())))
    assert [row["index"] for row in rows] == ["2", "0"]
    assert [(float(row["reached"]), float(row["mean"])) for row in rows] == [(3.25, 1.0), (1.25, 0.0)]
    assert [float(row["on_photograph"]) for row in rows] == [0.75, 0.0]
    assert (rows[0]["layer"], rows[0]["seed"], rows[0]["steps"]) == ("conv", "7", "32")
    classes = SearchSpec(NET, None, (1,), 32, 7)
    (row,) = csv.DictReader(io.StringIO(filters_export.values_csv(looked(), classes, (excitation(1, None),)).decode()))
    assert (row["layer"], from_cell(row["label"]), float(row["on_photograph"])) == ("logits", "=dog", 2.0)


def test_the_npz_has_every_pixel() -> None:
    found = (excitation(2), excitation(0))
    with np.load(io.BytesIO(filters_export.arrays_npz(looked(), WANTED, found)), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["rgb"], [one.rgb for one in found])
        np.testing.assert_array_equal(file["index"], [2, 0])
        np.testing.assert_array_equal(file["reached"], [3.25, 1.25])
        assert str(file["layer"]) == "conv"


def test_the_png_is_the_picture_with_its_caption() -> None:
    one = excitation(3)
    image = np.asarray(Image.open(io.BytesIO(filters_export.picture_png(looked(), WANTED, one))))
    left = (image.shape[1] - SIZE[1]) // 2
    np.testing.assert_array_equal(image[: SIZE[0], left : left + SIZE[1]], one.rgb)
    first, second = filters_export.lines(looked(), WANTED, one)
    assert "conv, channel 3 · reaches 4.25" in first
    assert second == "activation maximisation, 32 steps, seed 7"


def test_the_sheet_holds_every_picture_as_it_is() -> None:
    found = tuple(excitation(index) for index in range(4))
    sheet = np.asarray(Image.open(io.BytesIO(filters_export.sheet_png(looked(), WANTED, found))))
    for one in found:
        windows = np.lib.stride_tricks.sliding_window_view(sheet, one.rgb.shape)[..., 0, :, :, :]
        assert (windows == one.rgb).all(axis=(-3, -2, -1)).any()


def test_kernels_are_enlarged_without_smoothing() -> None:
    weights = RNG.normal(0, 1, (3, 5, 5, 3)).astype(np.float32)
    found = FirstKernels("first", weights, float(np.abs(weights).max()))
    sheet = np.asarray(Image.open(io.BytesIO(filters_export.kernels_png("Net", found))))
    times = -(-filters_export.KERNEL_SIDE // 5)
    enlarged = found.rgb[2].repeat(times, axis=0).repeat(times, axis=1)
    rows = [y for y in range(sheet.shape[0] - 5 * times) if (sheet[y] == enlarged[0, 0]).all(axis=1).any()]
    width = sheet.shape[1] - 5 * times + 1
    assert any(
        np.array_equal(sheet[y : y + 5 * times, x : x + 5 * times], enlarged) for y in rows for x in range(width)
    )


# ---- the works


def states(steps: int, kept: bool = False) -> list[Any]:
    """What a search of two pictures yields, shown every second step."""
    if kept:
        return [SimpleNamespace(done=0, total=0, excitations=(excitation(2), excitation(0)))]
    shown = [2 * (step // 2) for step in range(steps + 1)]
    return [
        SimpleNamespace(done=2 * step, total=2 * steps, excitations=tuple(excitation(i, steps=at) for i in (2, 0)))
        for step, at in enumerate(shown)
    ]


def test_a_search_publishes_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters_work, "excite", lambda *_: iter(states(6)))
    parts = list(search_work(WANTED).steps(None, None))
    assert [part.share for part in parts] == [step / 6 for step in range(7)]
    assert [part.value is not None for part in parts] == [True, False, True, False, True, False, True]
    assert parts[-1].value[0].steps == 6


def test_what_is_kept_is_whole_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters_work, "excite", lambda *_: iter(states(6, kept=True)))
    (part,) = search_work(WANTED).steps(None, None)
    assert part.share == 1.0
    assert [one.index for one in part.value] == [2, 0]


def test_an_offer_takes_no_step_and_counts_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def excite(*_: Any) -> Any:
        for state in states(32):
            taken.append(state.done)
            yield state

    monkeypatch.setattr(filters_work, "excite", excite)
    monkeypatch.setattr(filters_work, "step_seconds", lambda *_: 0.25)
    (part,) = price_work(WANTED).steps(None, None)
    price = part.value
    assert taken == [0]
    assert price.seconds == 64 * 0.25
    assert price.kept == (None, None)


def test_works_of_other_terms_are_others() -> None:
    others = [
        SearchSpec(NET, "conv", (2, 0), 32, 8),
        SearchSpec(NET, None, (2, 0), 32, 7),
        SearchSpec(NET, "conv", (0, 2), 32, 7),
    ]
    assert len({search_work(wanted) for wanted in (WANTED, *others)}) == 4
    assert search_work(WANTED) == search_work(SearchSpec(NET, "conv", (2, 0), 32, 7))
    picture = camcore.Picture.from_array(np.zeros((9, 9, 3), np.uint8))
    assert response_work(NET, picture, "crop", None) != response_work(NET, picture, "stretch", None)
