"""Every command with a network takes a whole model's file, and says how the network is fed."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image
from whole_models import bare, sequential, with_lambda

import camcore
from camcore.__main__ import main
from camcore.report.rerun import rerun


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CAMCORE_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for kind in ("owl", "jay", "tit"):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for number in range(2):
            pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / kind / f"{number}.png")
    (tmp_path / "names.txt").write_text("owl\njay\ntit\n")
    sequential().save(tmp_path / "birds.keras")


PHOTO = "pictures/owl/0.png"
OWN = ["birds.keras", "--labels", "names.txt"]


def test_explain_of_a_file_is_what_model_predict_says(tmp_path, capsys):
    assert main(["explain", PHOTO, "--model", *OWN, "--out", "out"]) == 0
    printed = capsys.readouterr().out
    assert "birds, whole model birds.keras, saved by Keras 3" in printed
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["framing"]["name"] == "stretch"
    picture = camcore.open_picture(PHOTO)
    squeezed, _ = camcore.framing.frame_picture(picture, (24, 24), "stretch")
    want = sequential().predict(squeezed[np.newaxis], verbose=0)[0]
    said = {one["label"]: one["probability"] for one in run["predictions"]}
    np.testing.assert_allclose([said[name] for name in ("owl", "jay", "tit")], want, atol=1e-6)


def test_run_makes_the_same_maps_again_and_tells_a_changed_file(tmp_path, capsys):
    main(["explain", PHOTO, "--model", *OWN, "--preprocess", "unit", "--framing", "letterbox", "--out", "out"])
    told = json.loads((tmp_path / "out" / "run.json").read_text())["network"]
    assert (told["file"], told["given"]["preprocess"]) == (str(tmp_path / "birds.keras"), "unit")
    assert told["given"]["labels"] == ["owl", "jay", "tit"]
    again = rerun(tmp_path / "out" / "run.json")
    assert (again.maps[0].map.framing, again.maps[0].difference < 1e-5, again.notes) == ("letterbox", True, ())
    (tmp_path / "birds.keras").rename(tmp_path / "out" / "birds.keras")  # beside the record it is found, too
    assert rerun(tmp_path / "out" / "run.json").maps[0].difference < 1e-5
    bare(classes=3, side=24).save(tmp_path / "out" / "birds.keras")
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    run["maps"][0]["layer"] = None
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
    assert main(["run", "out/run.json"]) == 0
    assert "note: the file birds.keras is not the one of the record" in capsys.readouterr().out


def test_a_record_cannot_have_code_run(tmp_path, capsys):
    with_lambda(tmp_path / "code.keras")
    assert main(["explain", PHOTO, "--model", "code.keras"]) == 1
    assert "which runs code that lies in the file" in capsys.readouterr().err
    assert main(["explain", PHOTO, "--model", "code.keras", "--unsafe", "--out", "out"]) == 0
    assert main(["run", "out/run.json"]) == 1
    assert "If you trust the file, run it again with --unsafe" in capsys.readouterr().err
    assert main(["run", "out/run.json", "--unsafe"]) == 0


def test_what_was_given_as_a_function_cannot_be_recorded(tmp_path):
    from camcore.report.exports import write_run

    network = camcore.load("birds.keras", preprocess=np.negative)
    pic = camcore.open_picture(PHOTO)
    write_run(tmp_path / "out", network, pic, camcore.explain(network, pic, framing="stretch"), source=PHOTO)
    with pytest.raises(camcore.ModelError, match=r"made in Python with a 'preprocess' that a file cannot hold"):
        rerun(tmp_path / "out" / "run.json")
    assert pickle.loads(pickle.dumps(network)).predict(pic)[0].probability == network.predict(pic)[0].probability


def test_layers_trust_and_evaluate_take_a_file(capsys):
    assert main(["layers", "birds.keras"]) == 0
    assert "* normed" in capsys.readouterr().out
    assert main(["trust", PHOTO, "--model", *OWN, "--framing", "letterbox"]) == 0
    assert "birds, Grad-CAM" in capsys.readouterr().out
    assert main(["evaluate", "birds.keras", "pictures", "--labels", "names.txt", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    right = 0
    for index, kind in enumerate(("owl", "jay", "tit")):
        for number in range(2):
            pic = camcore.open_picture(f"pictures/{kind}/{number}.png")
            right += camcore.load("birds.keras").predict(pic, 1, "stretch")[0].index == index
    assert report["accuracy"]["correct"] == right


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--preprocess", "tff"], "There is no preprocessing 'tff'"),
        (["--framing", "zoom"], "There is no framing 'zoom'"),
        (["--labels", "no.txt"], "labels file 'no.txt' cannot be read"),
        (["--custom", "no_such_module"], "'no_such_module' of custom classes cannot be imported"),
        (["--input-size", "big"], "The input size 'big' is no size in pixels"),
        (["--input-size", "30"], "does not fit the model"),
        (["--output", "age"], "no output 'age'"),
        (["--fixed", "age"], "--fixed 'age' does not hold an input at a value"),
        (["--fixed", "age=old"], "--fixed 'age=old' does not hold an input at a value"),
        (["--fixed", "age=54"], "fixed names 'age', which the model 'sequential"),
    ],
)
def test_wrong_options_end_in_a_sentence(more, message, capsys):
    assert main(["explain", PHOTO, "--model", "birds.keras", *more]) == 1
    assert message in capsys.readouterr().err


def test_names_and_ways_can_be_given_to_a_network_of_any_kind(capsys, monkeypatch):
    monkeypatch.setenv("CAMCORE_MODELS", "owls=birds.keras")
    assert main(["explain", PHOTO, "--model", "owls", "--labels", "names.txt", "--preprocess", "tf"]) == 0
    printed = capsys.readouterr().out
    assert "owls, whole model birds.keras" in printed
    assert "fed RGB −1..1, as named" in printed
    assert main(["models"]) == 0
    assert any(line.startswith("owls ") and "own file" in line for line in capsys.readouterr().out.splitlines())


def test_inputs_that_are_no_picture_are_held_at_values(tmp_path, capsys):
    import keras

    image, age, doses = (
        keras.Input((24, 24, 3), name="image"),
        keras.Input((1,), name="age"),
        keras.Input((2,), name="doses"),
    )
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, activation="relu")(image))
    scores = keras.layers.Dense(3, "softmax")(keras.layers.Concatenate()([pooled, age, doses]))
    model = keras.Model([image, age, doses], scores)
    model.save(tmp_path / "patients.keras")
    assert main(["explain", PHOTO, "--model", "patients.keras"]) == 1
    assert "--fixed NAME=VALUE" in capsys.readouterr().err
    held = ["--fixed", "age=0.5", "--fixed", "doses=1,-2"]
    assert main(["explain", PHOTO, "--model", "patients.keras", *held, "--out", "out"]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    squeezed, _ = camcore.framing.frame_picture(camcore.open_picture(PHOTO), (24, 24), "stretch")
    given = [squeezed[np.newaxis], np.array([[0.5]]), np.array([[1.0, -2.0]])]
    want = sorted(model.predict(given, verbose=0)[0], reverse=True)
    np.testing.assert_allclose([one["probability"] for one in run["predictions"]], want, atol=1e-6)
    assert rerun(tmp_path / "out" / "run.json").maps[0].difference < 1e-5
