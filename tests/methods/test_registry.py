"""The registry: its rows, and its option checks."""

from __future__ import annotations

import numpy as np
import pytest

import camcore
from camcore.graph.layers import Site
from camcore.methods import METHODS, find_method

CONTRACT = {
    "cam": "CAM",
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "hirescam": "HiResCAM",
    "elementwise": "ElementWiseGradCAM",
    "xgradcam": "XGradCAM",
    "layercam": "LayerCAM",
    "smoothgradcam++": "SmoothGradCAMPlusPlus",
    "eigencam": "EigenCAM",
    "eigengradcam": "EigenGradCAM",
    "kpcacam": "KPCACAM",
    "fem": "FEM",
    "fullgrad": "FullGrad",
    "scorecam": "ScoreCAM",
    "fasterscorecam": "FasterScoreCAM",
    "sscam": "SSCAM",
    "iscam": "ISCAM",
    "ablationcam": "AblationCAM",
    "reciprocam": "ReciproCAM",
    "shapleycam": "ShapleyCAM",
    "finercam": "FinerCAM",
}
# Where each method's published form can be looked up: the year of the paper and a word of its authors.
PAPERS = {
    "cam": (2016, "Zhou"),
    "gradcam": (2017, "Selvaraju"),
    "gradcam++": (2018, "Chattopadhay"),
    "hirescam": (2020, "Draelos"),
    "elementwise": (2021, "Pillai"),
    "xgradcam": (2020, "Fu"),
    "layercam": (2021, "Jiang"),
    "scorecam": (2020, "Wang"),
    "fasterscorecam": (2020, "tabayashi"),
    "rollout": (2020, "Abnar"),
    "attentiongrad": (2021, "Chefer"),
    "legrad": (2024, "Bousselham"),
}

SITE = Site(512, (7, 7), (224, 224), 0.25)


@pytest.mark.parametrize("key", METHODS)
def test_rows_are_whole(key):
    info = METHODS[key]
    assert info.key == key
    assert CONTRACT.get(key, info.class_name) == info.class_name
    for words in (info.title, info.paper, info.equation, info.cost, info.summary):
        assert words == words.strip()
        assert words
    assert info.url.startswith("https://")
    assert info.needs
    assert info.passes(SITE, info.checked({})) >= 0
    assert info.strengths
    assert info.weaknesses
    for name, option in info.options.items():
        assert info.checked({})[name] == option.default
        assert option.help


@pytest.mark.parametrize("key", PAPERS)
def test_papers(key):
    year, author = PAPERS[key]
    assert METHODS[key].year == year
    assert str(year) in METHODS[key].paper
    assert author.lower() in METHODS[key].paper.lower()


def test_the_required_methods_are_there():
    assert set(PAPERS) <= set(METHODS)
    assert len({info.class_name for info in METHODS.values()}) == len(METHODS)
    assert len({info.title for info in METHODS.values()}) == len(METHODS)


def test_costs_in_passes():
    def passes(key, **given):
        return METHODS[key].passes(SITE, METHODS[key].checked(given))

    assert passes("gradcam") == passes("eigencam") == passes("centre") == 0
    assert passes("scorecam") == 512
    assert passes("fasterscorecam") == 10
    assert passes("fasterscorecam", n=600) == 512
    assert passes("sscam", n=4) == passes("iscam", n=4) == 2048
    assert passes("ablationcam") == 512 * 0.25
    assert passes("reciprocam") == 49 * 0.25
    assert passes("occlusion") == 13 * 13  # squares of 32, 16 apart
    assert passes("rise") == 2000
    assert passes("smoothgradcam++", n=5) == 10


def test_signs():
    assert {key for key, info in METHODS.items() if info.signed} >= {"cam", "hirescam"}
    assert not {"gradcam", "gradcam++", "layercam", "scorecam"} & {k for k, i in METHODS.items() if i.signed}


def test_the_registry_cannot_be_changed():
    with pytest.raises(TypeError):
        METHODS["gradcam"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        METHODS["gradcam"].title = "mine"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("grad-cam", "gradcam"),
        ("GradCAM", "gradcam"),
        ("GradCAMPlusPlus", "gradcam\\+\\+"),
        ("Score-CAM", "scorecam"),
        ("layer_cam", "layercam"),
        ("Faster Score-CAM", "fasterscorecam"),
    ],
)
def test_unknown_method_names_the_nearest(wrong, near):
    with pytest.raises(camcore.MethodError, match=f"no method '.*Did you mean '{near}'.*The methods: cam"):
        find_method(wrong)


@pytest.mark.parametrize("wrong", ["zzz", "", 3, None, ("gradcam",), ["gradcam"]])
def test_unknown_method_lists_all(wrong):
    with pytest.raises(camcore.MethodError, match="The methods: cam, gradcam"):
        find_method(wrong)


@pytest.mark.parametrize(
    ("key", "options", "message"),
    [
        ("gradcam", {"variant": "authors"}, "Grad-CAM has no option 'variant'. Its options: none"),
        ("gradcam++", {"varient": "authors"}, r"no option 'varient'.*variant.*Did you mean 'variant'"),
        ("gradcam++", {"variant": "author"}, r"variant='author' is not one of 'paper', 'authors'.*Did you mean"),
        ("gradcam++", {"variant": None}, "variant=None is not one of 'paper', 'authors'"),
        ("gradcam++", {"variant": ["paper"]}, "is not one of 'paper', 'authors'"),
        ("scorecam", {"n": 3}, "no option 'n'"),
        ("fasterscorecam", {"n": 0}, "n=0 must be at least 1"),
        ("fasterscorecam", {"n": -5}, "n=-5 must be at least 1"),
        ("fasterscorecam", {"n": 2.5}, "n=2.5 must be a whole number"),
        ("fasterscorecam", {"n": True}, "n=True must be a whole number"),
        ("fasterscorecam", {"n": "10"}, "n='10' must be a whole number"),
        ("fasterscorecam", {"n": 10**9}, "at most 10000"),
    ],
)
def test_wrong_options(key, options, message):
    with pytest.raises(camcore.MethodError, match=message):
        METHODS[key].checked(options)


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert METHODS["fasterscorecam"].checked({"n": np.int64(7)})["n"] == 7


def test_options_are_filled_in():
    assert METHODS["fasterscorecam"].checked({}) == {"n": 10, "variant": "paper"}
    assert METHODS["fasterscorecam"].checked({"n": 3}) == {"n": 3, "variant": "paper"}
    assert METHODS["gradcam"].checked({}) == {}
