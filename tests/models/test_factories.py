"""Networks that a Python function makes: the same maps as the flat twin, and every mistake told in words."""

import json
import subprocess
import sys
from pathlib import Path

import networks
import numpy as np
import own_models
import pytest
import whole_models

import camcore
from camcore.__main__ import main
from camcore.errors import ModelError
from camcore.models import factories, saved
from camcore.models.factories import VARIABLE, Factory

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def declare(monkeypatch, *names, **more):
    parts = [f"{name}=own_models:{name}" for name in names] + [f"{name}={target}" for name, target in more.items()]
    monkeypatch.setenv(VARIABLE, ", ".join(parts))


def picture(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (*networks.SIZE, 3)).astype(np.uint8)
    return camcore.Picture.from_array(pixels)


@pytest.mark.parametrize("name", ["nested", "sequential", "subclassed"])
def test_every_kind_of_model_gives_the_flat_twins_maps(name, monkeypatch):
    declare(monkeypatch, name)
    own = camcore.load(name)
    # The nested one says nothing of its preprocessing, and is fed 0..255.
    unit = None if name == "nested" else lambda rgb: rgb / 255
    flat = camcore.wrap(networks.flat(), preprocess=unit)
    assert own.name == name
    assert own.labels == (flat.labels if name == "nested" else tuple(own_models.LABELS))
    methods = ["cam", "gradcam", "gradcam++", "layercam", "hirescam", "eigencam", "scorecam", "ablationcam"]
    for ours, theirs in zip(
        camcore.explain(own, picture(), methods, classes=[2], framing="stretch"),
        camcore.explain(flat, picture(), methods, classes=[2], framing="stretch"),
        strict=True,
    ):
        assert ours.method == theirs.method
        np.testing.assert_allclose(ours.raw, theirs.raw, rtol=1e-5, atol=1e-6 * np.abs(theirs.raw).max())
        assert ours.logit == pytest.approx(theirs.logit, rel=1e-6)


def test_one_of_several_outputs(monkeypatch):
    declare(monkeypatch, "two_outputs")
    ours, theirs = camcore.load("two_outputs"), camcore.wrap(networks.flat())
    assert ours.predict(picture())[0].logit == pytest.approx(theirs.predict(picture())[0].logit, rel=1e-6)


def test_listed_by_name_without_importing_anything():
    code = (
        "import camcore, sys; rows = camcore.backbones(); row = [r for r in rows if r.name == 'mine'][0]; "
        "assert row.weights_state == 'own code' and row.parameters is None and row.input_size is None; "
        "assert not {'own_models', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    environment = {"CAMCORE_MODELS": "mine=own_models:flat", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_streamlits_secrets_are_read_where_the_variable_is_not_set(tmp_path, monkeypatch):
    (tmp_path / ".streamlit").mkdir()
    path = tmp_path / ".streamlit" / "secrets.toml"
    path.write_text('CAMCORE_MODELS = """\nmine=own_models:flat,\nother=own_models:nested\n"""\n')
    assert [one.name for one in factories.factories()] == ["mine", "other"]
    monkeypatch.setenv(VARIABLE, "third=own_models:flat")
    assert [one.name for one in factories.factories()] == ["third"]
    monkeypatch.delenv(VARIABLE)
    for text, said in (("CAMCORE_MODELS = 7", "it must be a text"), ("CAMCORE_MODELS = mine", "cannot be read")):
        path.write_text(text)
        assert factories.factories() == ()
        assert said in factories.problems()[0]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("mine", "'mine' is not of the form name=module:function"),
        ("mine=own_models", "is not of the form"),
        ("mine=own_models:flat()", "is not of the form"),
        ("=own_models:flat", "cannot be called ''"),
        ("../up=own_models:flat", "cannot be called '../up'"),
        ("VGG16=own_models:flat", "cannot be called 'VGG16'"),
        ("cats_vs_dogs=own_models:flat", "declares a network 'cats_vs_dogs' that cannot be reached"),
        ("good=own_models:nested", "Another network is called 'good' already"),
    ],
)
def test_a_wrong_declaration_is_told_and_the_others_stay(declared, said, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"good=own_models:flat, {declared}")
    assert [one.name for one in factories.factories()] == ["good"]
    (problem,) = factories.problems()
    assert said in problem
    assert problem.startswith(VARIABLE)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "raised RuntimeError: the weights are on <b>another</b> machine"),
        ("leaves", "raised SystemExit: usage: own_models.py FOLDER"),
        ("nothing", "returned a NoneType, no Keras 3 model"),
        ("array", "returned a ndarray, no Keras 3 model"),
        ("misspelt", "returned 'lables'.*Did you mean 'labels'"),
        ("no_model", "returned no 'model', no Keras 3 model"),
        ("short_labels", "2 labels were given, but the network has 4 classes"),
        ("odd_preprocess", "returned the preprocess 255"),
        ("unknown_preprocess", "no preprocessing 'cafe'.*Did you mean 'caffe'"),
        ("not_callable", "has no function 'not_callable'"),
        ("missing", "has no function 'missing'"),
    ],
)
def test_a_factory_that_fails_is_told_and_the_rest_stays_usable(name, said, monkeypatch):
    declare(monkeypatch, name, "flat")
    with pytest.raises(ModelError, match=said):
        camcore.load(name)
    assert camcore.load("flat").classes == networks.CLASSES


def test_a_module_that_cannot_be_imported_is_told(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "ends.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    declare(monkeypatch, a="broken_module:f", b="nowhere_at_all:f", c="ends:f")
    for name, said in (("a", "nothing_of_this_name"), ("b", "nowhere_at_all"), ("c", "SystemExit: 3")):
        with pytest.raises(ModelError, match=f"importing .* failed with .*{said}"):
            camcore.load(name)


def test_weights_and_options_belong_to_its_code(monkeypatch):
    declare(monkeypatch, "flat")
    for weights in ("random", "file.weights.h5"):
        with pytest.raises(ModelError, match=r"its own code .* decides which weights it has"):
            camcore.load("flat", weights=weights)
    with pytest.raises(ModelError, match="takes no option 'alpha'"):
        camcore.load("flat", alpha=1)


def test_labels_may_be_a_file(tmp_path, monkeypatch):
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "with_file.py").write_text(
        "import networks\ndef four(): return {'model': networks.flat(), 'labels': 'names.txt'}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    declare(monkeypatch, mine="with_file:four")
    assert camcore.load("mine").labels == ("a", "b", "c", "d")
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    with pytest.raises(ModelError, match="3 labels were given, but the network has 4 classes"):
        camcore.load("mine")


# ---- the preprocessing chosen for it


def test_a_chosen_preprocessing_is_kept_until_another_function_makes_the_network(monkeypatch, home):
    declare(monkeypatch, "nested")
    plain = factories.find("nested")
    assert "fed RGB 0..255, as nobody said otherwise" in camcore.load("nested").weights_note
    factories.keep_preprocessing(plain, "unit")
    kept = factories.find("nested")
    assert kept.chosen == "unit"
    assert kept.version != plain.version, "a page must not go on with the network as it was fed before"
    own, flat = camcore.load("nested"), camcore.wrap(networks.flat(), preprocess=lambda rgb: rgb / 255)
    assert "fed RGB 0..1, as chosen for it" in own.weights_note
    assert own.predict(picture())[0].logit == pytest.approx(flat.predict(picture())[0].logit, rel=1e-6)
    declare(monkeypatch, nested="own_models:flat")
    assert factories.find("nested").chosen == ""


def test_a_damaged_note_is_no_choice(monkeypatch, home):
    declare(monkeypatch, "nested")
    factories.keep_preprocessing(factories.find("nested"), "tf")
    (note,) = (home / "factories").iterdir()
    for text in ("{", "[]", json.dumps({"target": "own_models:nested", "preprocessing": "cafe"})):
        note.write_text(text)
        assert factories.find("nested").chosen == ""


def test_a_choice_that_cannot_be_kept_is_told(monkeypatch, home):
    home.write_text("no folder")
    with pytest.raises(ModelError, match="cannot be kept"):
        factories.keep_preprocessing(Factory("mine", "own_models:flat"), "tf")
    with pytest.raises(ModelError, match="no preprocessing 'cafe'"):
        factories.keep_preprocessing(Factory("mine", "own_models:flat"), "cafe")


# ---- the command line, and what others do with its name


def test_the_command_line_knows_it(monkeypatch, capsys):
    declare(monkeypatch, "sequential", wrong="no")
    assert main(["models"]) == 0
    told = capsys.readouterr()
    assert any(line.startswith("sequential ") and "own code" in line for line in told.out.splitlines())
    assert "is not of the form" in told.err
    assert main(["layers", "sequential"]) == 0
    assert "features" in capsys.readouterr().out


def test_no_network_is_saved_under_its_name(monkeypatch, tmp_path):
    from camcore.models.adopt import check_new_name

    declare(monkeypatch, "flat")
    with pytest.raises(ModelError, match="There is a network called 'flat' already"):
        check_new_name("flat")
    assert saved.find("flat") is None


# ---- whole models' files


@pytest.fixture
def birds(tmp_path):
    path = tmp_path / "birds.keras"
    whole_models.bare(classes=3).save(path)
    return path


def test_a_file_is_listed_and_loaded_by_its_declared_name(birds, monkeypatch):
    monkeypatch.setenv(VARIABLE, "owls=birds.keras")
    (row,) = factories.factories()
    assert (row.name, row.target, row.file, row.weights_state) == ("owls", "birds.keras", birds, "own file")
    assert (row.parameters, row.input_size) == (None, None)
    network = camcore.load("owls")
    assert (network.name, network.framing, network.classes) == ("owls", "stretch", 3)
    assert network.load_arguments.file == birds
    with pytest.raises(ModelError, match="brings its own"):
        camcore.load("owls", weights="random")


def test_what_is_declared_of_a_file_is_used(birds, tmp_path, monkeypatch):
    (tmp_path / "names.txt").write_text("owl\njay\ntit\n")
    told = {"file": "birds.keras", "labels": "names.txt", "preprocess": "tf", "framing": "crop"}
    monkeypatch.setenv(VARIABLE, json.dumps({"owls": told}))
    network = camcore.load("owls")
    assert (network.labels, network.framing) == (("owl", "jay", "tit"), "crop")
    np.testing.assert_allclose(network.preprocess(np.full((1, 16, 16, 3), 255.0)), 1.0)
    made = factories.make(factories.find("owls"))
    assert (made.labels, made.framing) == (("owl", "jay", "tit"), "crop")
    assert made.preprocess is not None
    assert camcore.load("owls", preprocess="unit").preprocess(np.full((1, 16, 16, 3), 255.0)).max() == 1.0


def test_the_preprocessing_chosen_for_a_file_is_kept_until_another_is_declared(birds, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "owls=birds.keras")
    plain = factories.find("owls")
    factories.keep_preprocessing(plain, "unit")
    kept = factories.find("owls")
    assert kept.chosen == "unit"
    assert kept.version != plain.version
    assert camcore.load("owls").preprocess(np.full((1, 16, 16, 3), 255.0)).max() == 1.0
    (tmp_path / "other.keras").write_bytes(birds.read_bytes())
    monkeypatch.setenv(VARIABLE, "owls=other.keras")
    assert factories.find("owls").chosen == ""


def test_a_file_that_changes_is_another_network(birds, monkeypatch):
    monkeypatch.setenv(VARIABLE, "owls=birds.keras")
    before = factories.find("owls").version
    whole_models.bare(classes=4).save(birds)
    assert factories.find("owls").version != before


def test_a_declared_name_that_a_saved_network_hides_is_told(birds, monkeypatch):
    monkeypatch.setenv(VARIABLE, "cats_vs_dogs=birds.keras, owls=birds.keras")
    assert [one.name for one in factories.factories()] == ["owls"]
    (problem,) = factories.problems()
    assert "declares a network 'cats_vs_dogs' that cannot be reached: a saved network is called so" in problem


def test_a_function_says_how_its_pictures_are_framed(monkeypatch):
    monkeypatch.setattr(own_models, "cropped", lambda: {"model": networks.flat(), "framing": "crop"}, raising=False)
    monkeypatch.setattr(own_models, "zoomed", lambda: {"model": networks.flat(), "framing": "zoom"}, raising=False)
    declare(monkeypatch, "cropped", "zoomed", "nested")
    assert camcore.load("cropped").framing == "crop"
    assert camcore.load("nested").framing == "stretch"
    with pytest.raises(camcore.CamcoreError, match="There is no framing 'zoom'"):
        camcore.load("zoomed")
