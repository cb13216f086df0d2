"""Concepts as pictures and words: which pictures are theirs, what is cut, what is said."""

import csv
import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from camcore.features.concepts import Concepts, Effects
from camcore.framing import CellGrid, frame_for
from ui.concepts import pictures as drawn
from ui.concepts.work import FoundConcepts, first_layer


@pytest.fixture
def found() -> FoundConcepts:
    """Two concepts on three pictures of 40 × 60, cropped; the first lives in the second picture, in its corner."""
    maps = np.zeros((3, 2, 2, 2))
    maps[1, 0, 0, 0], maps[2, 0, 0, 0], maps[0, 1, 1, 1] = 4.0, 0.7, 1.0
    effects = np.zeros((3, 2, 3))
    effects[1, 0], effects[0, 1] = (0.5, -1.0, 2.0), (-1.0, -2.0, -3.0)
    frames = tuple(frame_for((40, 60), (8, 8), "crop") for _ in range(3))
    concepts = Concepts(
        layer="conv", maps=maps, parts=np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), error=0.5, negative=0.0,
        logits=np.zeros((3, 3)), frames=frames, grid=CellGrid.uniform((2, 2), (8, 8)), done=1.0,
        effects=Effects(effects, np.zeros((3, 3)), np.zeros((3, 3)), True),
    )  # fmt: skip
    pictures = tuple(np.full((40, 60, 3), 100, np.uint8) for _ in range(3))
    return FoundConcepts(concepts, pictures, ("a", "b", "c"), ("cat_one", "dog", "owl"), "Net", "random weights")


def test_a_concept_is_shown_where_it_is_strong(found: FoundConcepts) -> None:
    assert drawn.strongest_pictures(found, 0, 3) == [1], "0.7 of 4 is less than a fifth"
    assert drawn.strongest_pictures(found, 1, 3) == [0]


def test_what_it_adds_is_said_of_the_picture_where_it_is_strongest(found: FoundConcepts) -> None:
    assert drawn.adds(found, 0) == "owl +2.00, cat one +0.50"
    assert drawn.adds(found, 1) == "nothing to any class"
    assert drawn.title(found, 0) == "Concept 1: owl +2.00, cat one +0.50"


def test_concepts_that_are_the_pictures_are_not_sold_as_shared_ones(found: FoundConcepts) -> None:
    assert found.concepts.homes == pytest.approx([16 / (16 + 0.49), 1.0])
    assert drawn.homes_told(found).startswith("All 2 concepts are each found in one picture only")
    shared = found.concepts.maps.copy()
    shared[..., 0] = 1.0
    some = replace(found, concepts=replace(found.concepts, maps=shared))
    assert some.concepts.homes == pytest.approx([1 / 3, 1.0])
    assert drawn.homes_told(some) == "Concept 2 is found in one picture only."
    shared[..., 1] = 1.0
    assert drawn.homes_told(replace(found, concepts=replace(found.concepts, maps=shared))) == ""
    one = replace(found.concepts, maps=found.concepts.maps[:1])
    assert drawn.homes_told(replace(found, concepts=one, pictures=found.pictures[:1])) == "", "there is no other"


def test_it_begins_one_grid_before_the_last() -> None:
    def layers(*channels: int) -> list[Any]:
        return [SimpleNamespace(path=f"layer{i}", channels=count) for i, count in enumerate(channels)]

    assert first_layer(layers(16, 32, 64), ("layer0", "layer1", "layer2")) == "layer1"
    assert first_layer(layers(64), ("layer0",)) is None, "the recommended one"
    assert first_layer(layers(4, 64), ("layer0", "layer1")) is None, "four channels are no twelve concepts"


def test_pictures_are_cut_to_what_the_network_saw(found: FoundConcepts) -> None:
    side = round(40 * 224 / 256)
    for rgb in (drawn.mixed(found, 1, False), drawn.alone(found, 1, 0, False)):
        assert rgb.shape == (side, side, 3)
    lit = drawn.alone(found, 1, 0, smooth=False)
    assert (lit[: side // 2, : side // 2] == 100).all(), "its corner"
    assert (lit[side // 2 + 1 :, side // 2 + 1 :] == 100 * drawn.DARK).all()


def test_one_shape_for_all_pictures_or_a_square(found: FoundConcepts) -> None:
    assert drawn.ratio(found) == 1
    wide = tuple(frame_for((40, 60), (8, 8), "stretch") for _ in range(3))
    concepts = replace(found.concepts, frames=wide)
    assert drawn.ratio(replace(found, concepts=concepts)) == 1.5
    mixed = replace(concepts, frames=(*wide[:2], frame_for((60, 40), (8, 8), "stretch")))
    assert drawn.ratio(replace(found, concepts=mixed)) == 1


def test_the_table_names_everything(found: FoundConcepts) -> None:
    rows = list(csv.reader(io.StringIO(drawn.concepts_csv(found).decode())))
    assert rows[1:4] == [["1", "1", "0.8"], ["1", "0", "0.6"], ["2", "2", "1"]]
    assert ["1", "b", "owl", "2"] in rows
    assert ["2", "a", "cat_one", "-1"] in rows


def test_a_sheet_holds_pictures_of_any_shape(found: FoundConcepts) -> None:
    sheet: Any = np.frombuffer(drawn.sheet_png(found, True, ["what it is"]), np.uint8)
    assert sheet[:8].tobytes() == b"\x89PNG\r\n\x1a\n"
