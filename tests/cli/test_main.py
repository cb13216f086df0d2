"""The command line: what it prints and writes, and that wrong input ends in a sentence and exit code 1."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from shared_data import shared

import camcore
from camcore.__main__ import main
from camcore.report.rerun import rerun


@pytest.fixture
def photo(monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    return str(shared("photos", "zebra.jpg"))


def test_explain_names_the_class_and_writes_what_it_says(photo, tmp_path, capsys):
    out = tmp_path / "out"
    code = main(["explain", photo, "--method", "gradcam", "--method", "cam", "--out", str(out)])
    printed = capsys.readouterr().out
    assert code == 0
    assert "zebra (class 340" in printed

    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["predictions"][0]["index"] == 340
    assert [m["method"] for m in run["maps"]] == ["gradcam", "cam"]
    assert len(run["network"]["weights_sha256"]) == 64
    for entry in run["maps"]:
        raw = np.loadtxt(out / entry["csv"], delimiter=",")
        assert raw.shape == (7, 7)
        assert raw.max() == pytest.approx(entry["raw_max"], rel=1e-6)
        with Image.open(out / entry["png"]) as image, Image.open(photo) as original:
            assert image.width == original.width
            assert image.height > original.height  # the caption strip
    exact = run["maps"][1]
    raw = np.loadtxt(out / exact["csv"], delimiter=",")
    assert raw.mean() + exact["offset"] == pytest.approx(exact["logit"], abs=1e-4)
    assert not list(out.glob("*.part"))


def test_csv_holds_the_map_that_python_gives(photo, tmp_path):
    assert main(["explain", photo, "--method", "layercam", "--class", "tiger cat", "--out", str(tmp_path)]) == 0
    network = camcore.load("MobileNetV2")
    wanted = camcore.explain(network, camcore.open_picture(photo), "layercam", classes=282)[0].raw
    assert np.loadtxt(tmp_path / "zebra.layercam.out_relu.282.csv", delimiter=",") == pytest.approx(wanted, rel=1e-4)


def test_run_makes_the_same_maps_again(photo, tmp_path, capsys):
    assert main(["explain", photo, "--method", "gradcam", "--method", "fasterscorecam", "--out", str(tmp_path)]) == 0
    again = rerun(tmp_path / "run.json")
    assert [one.map.method for one in again.maps] == ["gradcam", "fasterscorecam"]
    assert max(one.difference for one in again.maps) < 1e-5
    assert not again.notes


@pytest.mark.usefixtures("reruns_share_it_too")
def test_run_tells_each_map_s_difference(photo, tmp_path, capsys):
    assert main(["explain", photo, "--method", "gradcam", "--method", "cam", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["run", str(tmp_path / "run.json")]) == 0
    assert capsys.readouterr().out.count("differs by") == 2


@pytest.mark.usefixtures("reruns_share_it_too")
def test_run_says_how_far_a_changed_map_is_away(photo, tmp_path):
    assert main(["explain", photo, "--out", str(tmp_path)]) == 0
    csv = tmp_path / "zebra.gradcam.out_relu.340.csv"
    raw = np.loadtxt(csv, delimiter=",")
    raw[raw.argmin() // 7, raw.argmin() % 7] += raw.max() / 4
    np.savetxt(csv, raw, delimiter=",")
    assert rerun(tmp_path / "run.json").maps[0].difference == pytest.approx(0.25, rel=1e-3)


@pytest.mark.usefixtures("reruns_share_it_too")
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda run: run.update(schema_version=99), "not a run record.*schema_version"),
        (lambda run: run.pop("network"), "not a run record: it lacks 'network'"),
        (lambda run: run["picture"].update(sha256="0" * 64), "no file with its hash"),
        (lambda run: run["network"].update(name="Nope"), "no backbone 'Nope'"),
        (lambda run: run["network"].update(weights_given="random"), "random weights"),
        (lambda run: run["maps"][0].update(layer="predictions"), "cannot carry a heatmap"),
        (lambda run: run["maps"][0].update(csv="gone.csv"), "nothing to compare with"),
        (lambda run: run.update(maps=None), "not a run record"),
    ],
)
def test_an_edited_record_ends_in_a_sentence(photo, tmp_path, capsys, edit, message):
    assert main(["explain", photo, "--out", str(tmp_path)]) == 0
    path = tmp_path / "run.json"
    run = json.loads(path.read_text("utf-8"))
    edit(run)
    path.write_text(json.dumps(run), "utf-8")
    capsys.readouterr()
    assert main(["run", str(path)]) == 1
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_what_is_no_record_ends_in_a_sentence(tmp_path, capsys, text):
    path = tmp_path / "run.json"
    path.write_text(text, "utf-8")
    assert main(["run", str(path)]) == 1
    assert "is not a run record" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "none.json")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_network_without_a_grid_is_explained_by_occlusion(photo, tmp_path, capsys):
    import keras

    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.save(tmp_path / "flat.keras")
    assert main(["explain", photo, "--model", str(tmp_path / "flat.keras"), "--out", str(tmp_path / "out")]) == 0
    (made,) = json.loads((tmp_path / "out" / "run.json").read_text())["maps"]
    assert (made["method"], made["layer"]) == ("occlusion", None)
    assert main(["explain", photo, "--model", str(tmp_path / "flat.keras"), "--method", "gradcam"]) == 1
    assert "no layer with a grid" in capsys.readouterr().err


def test_several_pictures_get_a_folder_each(photo, tmp_path):
    other = str(shared("photos", "goldfish.jpg"))
    assert main(["explain", photo, other, "--out", str(tmp_path)]) == 0
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rsplit("-", 1)[0] for name in folders] == ["goldfish", "zebra"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.jpg"], "nothing.jpg.*does not exist"),
        (["{photo}", "--class", "1000"], "no class 1000.*0 to 999"),
        (["{photo}", "--class", "-1"], "no class -1.*0 to 999"),
        (["{photo}", "--class", "zebr"], "no class 'zebr'.*'zebra'"),
        (["{photo}", "--class", "crane"], "2 classes are called 'crane'.*134, 517"),
        (["{photo}", "--method", "gradcm"], "no method 'gradcm'.*'gradcam'"),
        (["{photo}", "--layer", "predictions"], "'predictions' cannot carry a heatmap.*'out_relu' \\(7×7\\)"),
        (["{photo}", "--layer", "out_rel"], "no layer 'out_rel'.*'out_relu'"),
        (["{photo}", "--model", "MobilNetV2"], "no backbone 'MobilNetV2'.*'MobileNetV2'"),
        (["{photo}", "--framing", "cropp"], "no framing 'cropp'.*'crop'"),
        (["{photo}", "--option", "gradcam++"], "not of the form METHOD:NAME=VALUE"),
        (["{photo}", "--method", "fasterscorecam", "--option", "fasterscorecam:n=0"], "n=0 must be at least 1"),
        (["{photo}", "--method", "cam", "--model", "VGG16", "--weights", "random"], "CAM is not defined.*surgery"),
        (["{photo}", "--weights", "{photo}"], "zebra.jpg"),
    ],
)
def test_wrong_input_ends_in_a_sentence(photo, arguments, message, capsys):
    code = main(["explain", *(text.format(photo=photo) for text in arguments)])
    said = capsys.readouterr()
    assert code == 1
    assert said.err.startswith("error: ")
    assert re.search(message, said.err), said.err


def test_methods_table_has_a_row_for_each(capsys):
    assert main(["methods", "--markdown"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(camcore.METHODS)


def test_layers_marks_exactly_the_recommended_one(capsys):
    assert main(["layers", "MobileNetV2"]) == 0
    marked = [line for line in capsys.readouterr().out.splitlines() if line.startswith("* ")]
    assert len(marked) == 1
    assert "out_relu" in marked[0]
    assert "7×7" in marked[0]
    assert "491 px" in marked[0]


def test_models_lists_what_load_knows(capsys):
    assert main(["models"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [row.name for row in camcore.backbones()]
    assert len(set(names)) == len(names) >= 41


def test_wrong_usage_is_exit_code_2():
    done = subprocess.run([sys.executable, "-m", "camcore", "explain"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "PICTURE" in done.stderr


def test_help_teaches_by_example():
    done = subprocess.run([sys.executable, "-m", "camcore", "--help"], capture_output=True, text=True, check=True)
    assert "python -m camcore explain photo.jpg" in done.stdout
    assert "CAMCORE_WEIGHTS" in done.stdout
