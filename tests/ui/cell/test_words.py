"""The sentences about one place: what they say is what the figures say."""

import csv
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from camcore.features.cells import Cells
from camcore.framing import CellGrid, frame_for
from camcore.predictions import Prediction
from ui.cell import words as cell_words


def cells(products: np.ndarray, offset: float | None = 0.5, field: Any = (5, 7), gate: bool = False) -> Cells:
    info: Any = SimpleNamespace(path="conv", grid=products.shape[:2], receptive_field=field, first_centre=(0, 0),
                                stride=(2, 2), whole_picture=gate)  # fmt: skip
    frame = frame_for((20, 20), (10, 10), "stretch")
    logit = float(products.sum()) + (offset or 0)
    A = np.abs(products) + 1
    said = Prediction(3, "tabby_cat", 0.5, logit)
    return Cells(info, said, A, products, offset, frame, CellGrid.uniform((2, 2), (10, 10)))


PRODUCTS = np.array([[[1.0, 0.5], [0.25, 0]], [[-2.0, 0], [0, 0]]])


@pytest.mark.parametrize(("place", "kind", "figure", "order"), [
    ((0, 0), "speaks for", "+1.500", "1 of 4 places carry more"),
    ((1, 0), "speaks against", "−2.000", "more than any other"),
    ((1, 1), "adds nothing to", "0.000", "3 of 4 places carry more"),
])  # fmt: skip
def test_what_a_place_adds(place: tuple[int, int], kind: str, figure: str, order: str) -> None:
    found = cells(PRODUCTS)
    text = cell_words.adds(found, found.at(*place)).replace("\\", "")
    assert kind in text
    assert "tabby cat" in text
    assert f"{figure} of a score of 0.25" in text
    assert order in text


def test_nothing_anywhere() -> None:
    found = cells(np.zeros((2, 2, 2)))
    assert "No place of this layer adds anything" in cell_words.adds(found, found.at(0, 0))


def test_the_identity_is_named_only_where_it_holds() -> None:
    exact = cell_words.sums(cells(PRODUCTS))
    assert "the sum is exact: all 4 places add −0.2500" in exact
    assert "+0.5000 without them, together 0.2500; the network’s own score is 0.2500" in exact
    other = cell_words.sums(cells(PRODUCTS, offset=None))
    assert "not linear" in other
    assert "HiResCAM" in other


def test_the_theoretical_field() -> None:
    """5 × 7 px around pixel (0, 0) of an input of 10 × 10: rows −2 to 2 and columns −3 to 3, of which 3 × 4 exist."""
    found = cells(PRODUCTS)
    said = cell_words.theory(found, found.at(0, 0))
    assert said == "It can see 5×7 px of the input, 12 % of what the network was shown."
    whole = cells(PRODUCTS, field=(41, 41))
    assert "100 % of what" in cell_words.theory(whole, whole.at(1, 1))
    unknown, gated = cells(PRODUCTS, field=None), cells(PRODUCTS, gate=True)
    assert "not known" in cell_words.theory(unknown, unknown.at(0, 0))
    assert "know of the rest" in cell_words.theory(gated, gated.at(0, 0))


def test_the_effective_field() -> None:
    field = SimpleNamespace(box=(1, 2, 5, 9), deviation=(1.4, 2.6), total=64)
    assert cell_words.measured(field, None) == (
        "What 64 channels, evenly drawn, really depend on: 95 % lies in 4×7 px (σ 1 × 3 px)."
    )
    assert "channel 7 really depends on" in cell_words.measured(field, 7)
    assert "switched off" in cell_words.measured(SimpleNamespace(box=None, deviation=None, total=3), None)


def test_the_table_holds_every_channel() -> None:
    found = cells(PRODUCTS)
    rows = list(csv.reader(io.StringIO(cell_words.channels_csv(found, found.at(0, 0)).decode())))
    assert rows == [["channel", "activation", "adds to tabby cat"], ["0", "2", "1"], ["1", "1.5", "0.5"]]


def test_the_field_as_arrays() -> None:
    field = SimpleNamespace(strength=np.ones((4, 5), np.float32), cell=(1, 2), channels=(0, 3), box=(0, 1, 2, 3))
    kept = np.load(io.BytesIO(cell_words.field_npz(field)))
    assert kept["strength"].shape == (4, 5)
    assert (tuple(kept["cell"]), tuple(kept["channels"]), tuple(kept["box"])) == ((1, 2), (0, 3), (0, 1, 2, 3))
