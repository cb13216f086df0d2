"""``python -m camcore trust``: what it prints, and that wrong input ends in a sentence."""

import re

import numpy as np
import pytest
from PIL import Image
from small import network_folder

from camcore.__main__ import main


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "<b>photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 36, 3), np.uint8)).save(path)
    return str(path)


@pytest.fixture
def small(tmp_path):
    return network_folder(tmp_path / "stripes", ["across", "down"])


def test_it_tells_the_cost_the_verdict_and_the_reasons(photo, small, capsys):
    assert main(["trust", photo, "--model", small, "--method", "gradcam", "--method", "centre"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("quick form, at most 2") == 2
    assert len(re.findall("This map beats chance|Do not trust this map", printed)) == 2
    blob = printed[printed.index("Centred blob") :]
    assert "Do not trust this map." in blob
    assert "− It stays nearly the same when the network’s weights are replaced by random ones (rank corr" in blob


def test_the_full_form_prints_its_figures(photo, small, capsys):
    assert main(["trust", photo, "--model", small, "--full", "--class", "down", "--framing", "stretch"]) == 0
    printed = capsys.readouterr().out
    assert "full form, at most" in printed
    assert re.search(r"gradcam +ROAD \(LeRF − MoRF\)/2 [+-]\d\.\d{3}, ADCC \d\.\d\d", printed)
    assert re.search(r"(\d+) of \1 layers random", printed)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--method", "gradcan"], "Did you mean 'gradcam'?"),
        (["--framing", "squash"], "There is no framing 'squash'"),
        (["--class", "5"], "no class"),
        (["--layer", "nowhere"], "There is no layer 'nowhere'"),
    ],
)
def test_wrong_input_ends_in_a_sentence(photo, small, capsys, wrong, said):
    assert main(["trust", photo, "--model", small, *wrong]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error


def test_a_file_that_is_no_picture(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    assert main(["trust", str(path)]) == 1
    assert "error: " in capsys.readouterr().err
