"""What is compared: cells from axes, and the names of layers and classes in one network and in another."""

from types import SimpleNamespace
from typing import Any

import pytest

import camcore
from ui.compare.axis_options import others
from ui.compare.comparison import NONE, GridCell, GridPlan, class_index, known_index, layer_path
from ui.query import NetworkKey

A, B = NetworkKey("A"), NetworkKey("B")


def plan(**given: Any) -> GridPlan:
    values: dict[str, Any] = {
        "picture": "p",
        "columns": "methods",
        "rows": NONE,
        "methods": ("gradcam", "layercam"),
        "layers": (None,),
        "classes": ("first",),
        "backbones": (A,),
        "framings": ("crop",),
    }
    return GridPlan(**(values | given))


def test_without_rows_the_columns_are_one_line():
    assert plan().grid == ((GridCell(A, "crop", "gradcam"), GridCell(A, "crop", "layercam")),)


def test_two_axes_span_a_grid_in_the_order_chosen():
    found = plan(rows="classes", classes=("second", "7"))
    assert [[(c.aim, c.method) for c in row] for row in found.grid] == [
        [("second", "gradcam"), ("second", "layercam")],
        [("7", "gradcam"), ("7", "layercam")],
    ]
    assert len(found.cells) == 4


@pytest.mark.parametrize(
    ("axis", "values", "attribute"),
    [
        ("layers", ("a", "last"), "layer"),
        ("backbones", (A, B), "network"),
        ("framings", ("crop", "stretch"), "framing"),
        ("classes", ("first", "3"), "aim"),
    ],
)
def test_every_axis_can_be_columns(axis, values, attribute):
    found = plan(columns=axis, **{axis: values})
    assert tuple(getattr(cell, attribute) for cell in found.cells) == values
    assert {cell.method for cell in found.cells} == {"gradcam"}


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        ({}, False),
        ({"columns": "layers", "layers": ("a", "b")}, False),
        ({"columns": "backbones", "backbones": (A, B)}, False),
        ({"columns": "classes", "classes": ("first", "3")}, True),
        ({"columns": "framings", "framings": ("crop", "stretch")}, True),
        ({"rows": "classes", "classes": ("first", "3")}, True),
    ],
)
def test_maps_of_one_method_at_one_layer_of_one_network_share_a_scale(given, shares):
    assert plan(**given).shares_scales is shares


def test_a_place_among_the_answers_stands_for_an_index_once_they_are_known():
    answers = [SimpleNamespace(index=4), SimpleNamespace(index=9)]
    assert [known_index(aim, answers) for aim in ("first", "second", "third", "7")] == [4, 9, None, 7]
    assert known_index("first", []) is None
    assert others(10, answers) == [str(i) for i in range(10) if i not in (4, 9)]
    assert others(3, []) == ["0", "1", "2"]


def test_each_network_is_fed_in_its_own_framing_unless_one_is_chosen():
    own = NetworkKey("own", framing="stretch")
    beside = plan(columns="backbones", backbones=(A, own), framings=(None,))
    assert [cell.framing for cell in beside.cells] == ["crop", "stretch"]
    assert (beside.framings_of(A), beside.framings_of(own), beside.framing) == (("crop",), ("stretch",), "crop")
    chosen = plan(columns="backbones", backbones=(A, own), framings=("letterbox",))
    assert [cell.framing for cell in chosen.cells] == ["letterbox", "letterbox"]


def network(name: str, labels: tuple[str, ...], ladder: tuple[str, ...] = ("s", "m", "d")) -> Any:
    def check(index: int) -> int:
        if not 0 <= index < len(labels):
            raise camcore.ModelError(f"There is no class {index}.")
        return index

    def grid(layer: str | None) -> Any:
        path = layer or ladder[-1]
        if path not in ladder:
            raise camcore.LayerError(f"There is no layer {path!r}.")
        return SimpleNamespace(path=path)

    return SimpleNamespace(name=name, labels=labels, ladder=ladder, check_class=check, layer_with_grid=grid)


SAID = (SimpleNamespace(index=2), SimpleNamespace(index=0))
PETS = network("pets", ("cat", "dog", "owl"))


def test_a_place_among_the_answers_is_the_networks_own():
    assert class_index(PETS, SAID, "first", PETS) == 2
    assert class_index(PETS, SAID, "second", PETS) == 0
    with pytest.raises(camcore.ModelError, match="knows 2 classes, so there is no third answer"):
        class_index(PETS, SAID, "third", PETS)


def test_an_index_means_the_same_label_in_another_network():
    other = network("other", ("owl", "fox", "cat"))
    assert class_index(other, SAID, "0", PETS) == 2  # cat
    assert class_index(other, SAID, "2", PETS) == 0  # owl
    with pytest.raises(camcore.ModelError, match="other does not know the class “dog”"):
        class_index(other, SAID, "1", PETS)
    with pytest.raises(camcore.ModelError, match="no class 9"):
        class_index(other, SAID, "9", PETS)


def test_a_layer_by_path_by_depth_and_recommended():
    assert [layer_path(PETS, name) for name in (None, "m", "last", "last-2")] == ["d", "m", "d", "s"]
    with pytest.raises(camcore.LayerError, match="3 grid sizes"):
        layer_path(PETS, "last-3")
    with pytest.raises(camcore.LayerError, match="nowhere"):
        layer_path(PETS, "nowhere")
