"""Classes by name where indices are taken; labels as people give them."""

from __future__ import annotations

import numpy as np
import pytest
from networks import flat

import camcore
from camcore.class_names import class_named, generic_labels, given_labels, index_of

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (20, 24, 3)).astype(np.uint8))
LABELS = ["Egyptian_cat", "tiger cat", "dog", "Dog"]


@pytest.fixture(scope="module")
def network():
    return camcore.wrap(flat(), labels=LABELS, preprocess=lambda x: x / 127.5 - 1)


@pytest.mark.parametrize(
    ("name", "index"),
    [("Egyptian_cat", 0), ("egyptian cat", 0), ("TIGER_CAT", 1), ("dog", 2), ("Dog", 3), (np.str_("tiger cat"), 1)],
)
def test_exactly_or_as_it_is_read(network, name, index):
    assert index_of(LABELS, name, "it") == index
    assert network.check_class(name) == index
    assert class_named(network, name) == index


def test_the_command_line_takes_digits_as_an_index(network):
    assert class_named(network, "3") == 3
    with pytest.raises(camcore.ModelError, match="0 to 3"):
        class_named(network, "4")


def test_names_that_mean_none_or_several(network):
    with pytest.raises(camcore.ModelError, match="Did you mean 'tiger cat'"):
        network.check_class("tigercat")
    with pytest.raises(camcore.ModelError, match=r"2 classes are called 'DOG'. Give one by index: 2, 3"):
        network.check_class("DOG")
    with pytest.raises(camcore.ModelError, match=r"2 classes are called 'a'. Give one by index: 0, 2"):
        index_of(["a", "b", "a"], "a", "it")


def test_every_way_to_ask_takes_names(network):
    by_name = camcore.explain(network, PIC, "gradcam", classes=["tiger cat", "dog"])
    by_index = camcore.explain(network, PIC, "gradcam", classes=[1, 2])
    for one, other in zip(by_name, by_index, strict=True):
        assert one.class_index == other.class_index
        np.testing.assert_array_equal(one.raw, other.raw)
    assert camcore.explain(network, PIC, classes="egyptian cat")[0].class_index == 0
    assert camcore.contrast(network, PIC, "Egyptian cat", "tiger cat").second.index == 1
    assert camcore.look_at_cells(network, PIC, class_index="dog").prediction.index == 2
    assert camcore.estimate(network, classes=["dog", 1]) == camcore.estimate(network, classes=[2, 1])


def test_finer_cam_takes_names(network):
    named = {"finercam": {"against": ("tiger cat", 2)}}
    numbered = {"finercam": {"against": (1, 2)}}
    (one,) = camcore.explain(network, PIC, "finercam", classes="Egyptian_cat", options=named)
    (other,) = camcore.explain(network, PIC, "finercam", classes=0, options=numbered)
    np.testing.assert_array_equal(one.raw, other.raw)
    assert one.options["against"] == (1, 2)
    assert camcore.FinerCAM(network, against="tiger cat").options["against"] == (1,)
    with pytest.raises(camcore.ModelError, match="There is no class 'wolf'"):
        camcore.explain(network, PIC, "finercam", options={"finercam": {"against": "wolf"}})


def test_the_keras_style_takes_names(network):
    x = np.random.default_rng(1).normal(size=(2, *network.input_size, 3))
    cam = camcore.GradCAM(network)
    np.testing.assert_array_equal(cam.compute_heatmap(x, "tiger cat"), cam.compute_heatmap(x, 1))
    np.testing.assert_array_equal(cam.compute_heatmap(x, ["dog", 0]), cam.compute_heatmap(x, [2, 0]))


# ---- labels


@pytest.mark.parametrize(
    "given",
    [
        ["a", "b", "c"], ("a", "b", "c"), (letter for letter in "abc"), np.array(["a", "b", "c"]),
        {0: "a", 1: "b", 2: "c"}, {"2": "c", "0": "a", "1": "b"}, {"b": 1, "a": 0, "c": 2}, {2: "c", 0: "a", 1: "b"},
        dict.fromkeys(["a", "b", "c"]).keys(), {"0": ["n01", "a"], "1": ["n02", "b"], "2": ["n03", "c"]},
    ],
)  # fmt: skip
def test_labels_in_every_form(given):
    assert given_labels(given) == ("a", "b", "c")


def test_numbers_are_names_and_doubles_are_allowed():
    assert given_labels(range(3)) == ("0", "1", "2")
    assert given_labels(["a", "a"]) == ("a", "a")
    assert given_labels({"7": 1, "3": 0}) == ("3", "7")
    assert given_labels({"0": 1, "1": 0}) == ("1", "0")
    assert given_labels(None) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("abc", "not a list of names"), (b"abc", "not a list of names"), (5, "not a list of names"),
        ({"a", "b"}, "a set has no order"), ({0: "a", 2: "b"}, "indices are not 0, 1, 2"),
        ({0: "a", "x": "b"}, "indices are not"), ({"a": 0, "b": 0}, "indices are not"), ({}, "indices are not"),
        (np.zeros((2, 2)), "not a list of names"), (["a", None], "label of class 1 is None"),
        (["a", ""], "label of class 1 is ''"), ([b"a", "b"], "label of class 0"), ([0.5, "b"], "label of class 0"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_understood(given, words):
    with pytest.raises(camcore.ModelError, match=words):
        camcore.wrap(flat(), labels=given)


def test_a_wrong_number_of_labels_is_counted():
    with pytest.raises(camcore.ModelError, match="2 labels were given, but the network has 4 classes"):
        camcore.wrap(flat(), labels={0: "a", 1: "b"})


def test_generic_labels():
    assert generic_labels(3) == ("class 0", "class 1", "class 2")
