"""Weights files of one's own: those that fit become networks, all others are refused in words and leave nothing."""

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from shared_data import shared

import camcore
from camcore.errors import ModelError
from camcore.models import adopt as adopting
from camcore.models import catalogue, saved
from camcore.models.adopt import Candidate, adopt, check, loose_files
from camcore.models.preprocessing_check import Fit

SIZE = (32, 32)
LABELS = ("cat", "dog", "fox", "hen", "owl")
FIT = Fit("tf", 0.51234, 1.5, 0.75, ())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "home"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """MobileNets of width 0.25, one of five classes and one of a single unit, with weights in every variable."""
    folder = tmp_path_factory.mktemp("written")
    for classes, activation in ((5, "softmax"), (1, "sigmoid")):
        options = {"classes": classes, "classifier_activation": activation}
        model = keras.applications.MobileNet(weights=None, alpha=0.25, **options)
        random = np.random.default_rng(classes)
        for variable in model.weights:
            variable.assign(random.uniform(0.2, 0.6, variable.shape))
        model.save_weights(folder / f"{classes}.weights.h5")
        model.save(folder / f"{classes}.keras")
        model.save(folder / f"{classes}-whole.h5")
    return folder


def pictures(count=2):
    random = np.random.default_rng(0)
    return [camcore.Picture.from_array(random.integers(0, 256, (40, 40, 3)).astype(np.uint8)) for _ in range(count)]


def five(written, **changes):
    return Candidate(**{"path": written / "5.weights.h5", "backbone": "MobileNet", "alpha": 0.25, **changes})


def test_a_file_that_fits_is_known_by_its_classes_and_tried_in_every_way(written):
    steps = list(check(five(written, labels=LABELS), pictures()))
    assert [len(step.fits) for step in steps] == [0, 1, 2, 3, 4, 5]
    model = catalogue.build("MobileNet", written / "5.weights.h5", alpha=0.25, classes=5).model
    assert steps[-1].parameters == model.count_params()
    assert steps[-1].labels == LABELS
    assert next(check(five(written), pictures())).labels == tuple(f"class {i}" for i in range(5))


@pytest.fixture(scope="module")
def pets(written, tmp_path_factory):
    """The five classes' file, kept as "my pets"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMCORE_HOME", str(tmp_path_factory.mktemp("home")))
        kept = adopt(five(written, labels=LABELS), "my pets", "unit", [FIT], "pets.weights.h5")
        assert kept.folder == saved.networks_folder() / "my pets"
    return kept


@pytest.fixture
def pets_at_home(pets, home):
    """The same in this test's home."""
    return shutil.copytree(pets.folder, home / "networks" / "my pets")


def test_what_is_kept_is_the_same_network(written, pets, pets_at_home):
    kept, net = pets, camcore.load("my pets")
    options = {"alpha": 0.25, "classes": 5}
    model = catalogue.build("MobileNet", written / "5.weights.h5", **options).model
    given = camcore.wrap(model, LABELS, lambda rgb: rgb / 255)
    (pic,) = pictures(1)
    assert [p.label for p in net.predict(pic)] == [p.label for p in given.predict(pic)]
    np.testing.assert_allclose(net.logits(net.prepare(pic)[0]), given.logits(given.prepare(pic)[0]), rtol=1e-6)
    assert net.default_layer == given.default_layer
    ours, theirs = (camcore.explain(one, pic, "gradcam")[0].raw for one in (net, given))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)
    assert kept.preprocessing == "unit"
    assert kept.trained["weights_file"] == "pets.weights.h5"
    assert kept.trained["preprocessing_check"] == [
        {"preprocessing": "tf", "confidence": 0.5123, "entropy_bits": 1.5, "information_bits": 0.75}
    ]
    assert (written / "5.weights.h5").is_file()


def test_one_sigmoid_unit_is_told_from_the_file(written):
    kept = adopt(five(written, path=written / "1.weights.h5", labels=("no", "yes")), "one unit", "tf")
    assert kept.labels == ("no", "yes")
    net = camcore.load("one unit")
    assert (net.classes, net.activation) == (2, "sigmoid")
    with pytest.raises(ModelError, match=r"names 5 classes.*one sigmoid unit tells two apart"):
        next(check(five(written, path=written / "1.weights.h5", labels=LABELS), pictures()))


def test_a_head_can_be_trained_on_it(pets_at_home):
    from camcore.training.new_head import replace_head

    operated = replace_head("my pets", labels=["a", "b", "c"])
    saved.write(
        saved.networks_folder() / "on it",
        operated.model,
        name="on it",
        architecture=operated.origin.architecture,
        input_size=operated.input_size,
        preprocessing=operated.origin.preprocessing,
        labels=operated.labels,
        trained={},
    )
    (pic,) = pictures(1)
    again = camcore.load("on it")
    np.testing.assert_allclose(again.prepare(pic)[0], operated.prepare(pic)[0])
    layer = operated.default_layer
    ours, theirs = (camcore.activations(one, pic, layers=[layer])[layer] for one in (again, operated))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alpha": None}, r"not for this network \(mobilenet_1.00_224\): layer 'conv1' has 3×3×3×32 in the network, "),
        ({"backbone": "MobileNetV2"}, r"is not for this network .*(layer|no layer)"),
        ({"labels": ("a", "b")}, "names 2 classes, from 'a' to 'b'; the network has 5"),
        ({"backbone": "MobileNet9"}, "There is no backbone 'MobileNet9'"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(changes, said, written, home):
    candidate = five(written, **changes)
    with pytest.raises(ModelError, match=said):
        next(check(candidate, pictures()))
    with pytest.raises(ModelError, match=said):
        adopt(candidate, "mine", "tf")
    assert not (home / "networks").exists()


@pytest.mark.parametrize("name", ["5.keras", "5-whole.h5"])
def test_whole_models_are_refused_with_the_safe_way(name, written):
    with pytest.raises(
        ModelError, match=r"holds a whole model.*can run code.*--model FILE.*CAMCORE_MODELS.*save_weights"
    ):
        next(check(five(written, path=written / name), pictures()))


def test_damaged_and_foreign_files_are_refused(written, tmp_path):
    whole = (written / "5.weights.h5").read_bytes()
    files = {
        "cut.h5": (whole[: len(whole) // 2], "is damaged"),
        "words.h5": (b"no weights", "is not an HDF5 file"),
        "empty.h5": (b"", "it is empty"),
        "head only.h5": (whole[:8], "is damaged"),
    }
    for name, (data, said) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ModelError, match=said):
            next(check(five(written, path=tmp_path / name), pictures()))
    with pytest.raises(ModelError, match="does not exist"):
        next(check(five(written, path=tmp_path / "none.h5"), pictures()))


def test_names_that_are_taken_or_are_none_are_refused(written, pets_at_home):
    before = sorted(path.name for path in pets_at_home.iterdir())
    for name, said in (
        ("my pets", "called 'my pets' already"),
        ("VGG16", "for a backbone is"),
        ("../x", "cannot be called"),
    ):
        with pytest.raises(ModelError, match=said):
            adopt(five(written), name, "caffe")
    assert sorted(path.name for path in pets_at_home.iterdir()) == before
    assert saved.find("my pets").preprocessing == "unit"


def test_loose_files_are_those_that_no_backbone_takes_for_its_own(written, tmp_path):
    folder = tmp_path / "weights"
    assert loose_files() == ()
    for name in ("MobileNet.weights.h5", "pets.weights.h5", "old.hdf5", "notes.txt", "MobileNet_alpha0.25.weights.h5"):
        shutil.copy(written / "5.weights.h5", folder / name)
    found = [path.name for path in loose_files()]
    assert found == ["MobileNet_alpha0.25.weights.h5", "old.hdf5", "pets.weights.h5"]


def test_a_network_fed_or_read_otherwise_is_another_version(pets, pets_at_home):
    one = pets
    assert one.version == saved.find("my pets").version
    for changes in ({"preprocessing": "tf"}, {"labels": LABELS[::-1]}, {"sha256": "0" * 64}, {"input_size": SIZE}):
        assert replace(one, **changes).version != one.version


def test_the_figures_of_a_real_file():
    """What was trained on −1..1 fits so, and 0..255 and caffe do not."""
    from ui import samples

    path = shared("weights", "MobileNet_alpha0.25.weights.h5")
    candidate = Candidate(path, "MobileNet", 0.25)
    *_, last = check(candidate, [samples.picture(key) for key in samples.samples()])
    fits = {fit.name: fit for fit in last.fits}
    assert fits["tf"].predictions[0].label == "Egyptian_cat"
    assert min(fits[name].information for name in ("tf", "unit", "torch")) > 2.0
    assert max(fits[name].information for name in ("caffe", "raw")) < 1.5
    assert adopting.options_of(candidate) == {"classes": 1000, "alpha": 0.25}


def test_a_path_as_text_is_taken(written):
    adopt(Candidate(str(written / "5.weights.h5"), "MobileNet", 0.25, LABELS), "birds", "tf")
    assert camcore.load("birds").labels == LABELS


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("classes", [5, 4])
def test_a_base_within_another_model_is_told_and_not_called_damaged(tmp_path, classes):
    base = keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25, input_shape=(64, 64, 3))
    image = keras.Input((64, 64, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base(image))
    keras.Model(image, keras.layers.Dense(classes)(pooled)).save_weights(tmp_path / "mine.weights.h5")
    with pytest.raises(ModelError) as told:
        adopt(Candidate(tmp_path / "mine.weights.h5", "MobileNet", 0.25, LABELS), "birds", "tf")
    text = str(told.value)
    assert "holds the weights of 'mobilenet_0.25_224' without its head, within another model" in text
    assert f"({len(base.weights)} arrays of the inner one, 2 of the layers around it)" in text
    assert "The file is sound" in text
    assert "--model my_model.keras" in text
    assert "damaged" not in text
    other = Candidate(tmp_path / "mine.weights.h5", "MobileNetV2", None, LABELS)
    with pytest.raises(ModelError, match=r"holds the weights of a model within another one"):
        adopt(other, "birds", "tf")
