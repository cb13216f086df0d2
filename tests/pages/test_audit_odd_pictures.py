"""The Audit page on pictures and networks of which little can be said: it says so, and accuses nobody."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from app_pages import html, run, text, until, visit
from planted import LABELS, colour_network, planted_folder
from streamlit.testing.v1 import AppTest

import camcore

EACH = 20


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    planted_folder(root, EACH)
    return root


@pytest.fixture(autouse=True)
def at_home(pets: Path) -> None:
    """A small network is here, and no weights have to be downloaded."""


def opened(network: camcore.Network, pictures: Path, out: Path, labelled: bool | None = None) -> AppTest:
    """The page on an audit, once its groups are there, with patches where they have some."""
    list(camcore.audit(network, pictures, out, layer="cells", workers=0, labelled=labelled))
    return until(visit("pages/audit.py", audit=out), lambda at: "review_begin" in [one.key for one in at.button])


def test_a_class_of_three_pictures_and_a_group_of_one(pictures: Path, tmp_path: Path) -> None:
    for label, count in zip(LABELS, (1, 3), strict=True):
        for number in range(count):
            (tmp_path / "few" / label).mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures / label / f"{number:02d}.png", tmp_path / "few" / label)
    at = opened(colour_network(magenta=0), tmp_path / "few", tmp_path / "audit")
    assert "No class divides into groups of different evidence." in text(at)
    assert "Suspected" not in text(at)
    at.text_input(key="review_name").set_value("Ada")
    at.selectbox(key="review_said").set_value("leaf")
    until(run(at.button(key="review_begin").click().run()), lambda at: "3 pictures with a map are called" in text(at))


@pytest.mark.parametrize("one_class", [True, False], ids=["pictures of one class", "a network that says one class"])
def test_without_pictures_of_other_classes_nothing_is_accused(pictures: Path, tmp_path: Path, one_class: bool) -> None:
    network, folder = colour_network(magenta=400), pictures
    if one_class:
        folder = tmp_path / "pictures"
        planted_folder(folder, 2 * EACH)  # enough to be divided
        shutil.rmtree(folder / "sky")
    else:
        scores = network.model.get_layer("scores")
        scores.set_weights([scores.get_weights()[0], np.array([-1e4, 1e4])])
    at = opened(network, folder, tmp_path / "audit")
    assert "There are no pictures of other classes to paste its patches into." in html(at)
    assert "Suspected" not in text(at)


def test_without_labels_a_suspect_is_named_all_the_same(pictures: Path, tmp_path: Path) -> None:
    at = opened(colour_network(magenta=400), pictures, tmp_path / "audit", labelled=False)
    assert f"on {2 * EACH} pictures without labels" in at.header[0].value.replace("\N{NO-BREAK SPACE}", " ")
    assert "**Suspected of a shortcut:** leaf" in text(at)
    assert "became “leaf”" in html(at)
