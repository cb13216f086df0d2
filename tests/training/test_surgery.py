"""Architecture surgery: the trunk to the last bit, CAM exact on the new head, and training that can be stopped."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest
from labelled import make_folder
from shared_data import shared

import camcore
from camcore.errors import CamcoreError, LayerError, ModelError
from camcore.evaluation.measures import accuracy
from camcore.evaluation.predict import predict_folder
from camcore.models.gap_classifier import gap_classifier
from camcore.models.saved import read, write
from camcore.training.fine_tuning import last_blocks
from camcore.training.folders import LabelledFolder, balanced_sample, read_folder
from camcore.training.head_fit import fit_head, measured
from camcore.training.new_head import replace_head
from camcore.training.recipe import HeadRecipe
from camcore.training.runs import Epoch, ask_to_stop, read_log, read_progress
from camcore.training.surgery import train_head

ROOT = Path(__file__).resolve().parents[2]


def noise(net: Any, n: int = 2, seed: int = 0) -> np.ndarray:
    return net.preprocess(np.random.default_rng(seed).uniform(0, 255, (n, *net.input_size, 3)).astype(np.float32))


def teach(net: Any, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Give a head some weights."""
    head = net.model.get_layer("cam_head")
    rng = np.random.default_rng(seed)
    kernel, bias = (rng.normal(0, 1, weight.shape) for weight in head.get_weights())
    head.set_weights([kernel, bias])
    return kernel, bias


@cache
def flat() -> camcore.Network:
    """The reference network; surgery leaves it as it is."""
    return camcore.wrap(networks.flat())


@cache
def mobilenet_v2() -> camcore.Network:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
        return camcore.load("MobileNetV2")


# ---- the operation


@pytest.mark.parametrize(
    ("make", "outputs"),
    [("flat", 1), ("flat", 2), ("flat", 3), ("nested", 3), ("sequential", 1), ("normalised", 2), ("open_size", 3),
     ("grey", 1)],
)  # fmt: skip
def test_cam_is_exact_on_the_new_head(make, outputs):
    """float64: the logit is Σ_k W_kc mean(A_k) + b_c with the backbone's own activations, and so is the map's mean."""
    net = flat() if make == "flat" else camcore.wrap(getattr(networks, make)(), input_size=networks.SIZE)
    layer = net.default_layer
    labels = ["a", "b", "c"][: max(outputs, 2)]
    operated = replace_head(net, labels, activation="sigmoid" if outputs == 1 else "softmax")
    kernel, bias = teach(operated)
    x = networks.images(3)[..., : net.channels]
    before, after = net.tap(x, [layer]).activations[layer], operated.tap(x, [operated.default_layer])
    np.testing.assert_array_equal(after.activations[operated.default_layer], before)
    z = before.mean((1, 2)) @ kernel + bias
    wanted = np.concatenate([-z, z], 1) if outputs == 1 else z
    np.testing.assert_allclose(operated.logits(x), wanted, atol=1e-12)
    assert operated.check_linear_head(operated.default_layer) == operated.default_layer
    assert operated.labels == tuple(labels)
    pic = camcore.Picture.from_array(np.random.default_rng(4).integers(0, 256, (30, 26, 3)).astype(np.uint8))
    for m in camcore.explain(operated, pic, "cam", classes=list(range(operated.classes))):
        assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)


def test_channels_may_come_first():
    """Only built: not every processor can run such a network."""
    operated = replace_head(camcore.wrap(networks.channels_first()), ["a", "b", "c"])
    assert operated.model.get_layer("cam_pool").data_format == "channels_first"
    assert operated.model.get_layer("cam_head").kernel.shape == (networks.FEATURES, 3)
    operated.check_linear_head(operated.default_layer)


def test_before_training_every_class_is_as_likely():
    net = replace_head(flat(), ["a", "b", "c"])
    np.testing.assert_array_equal(net.logits(networks.images(2)), 0)
    assert "the head is untrained" in net.weights_note


def test_the_backbone_stays_as_it_is():
    base = camcore.wrap(networks.flat())
    x = networks.images(2)
    before = base.logits(x)
    net = replace_head(base, ["a", "b"])
    for weight in net.model.weights:
        weight.assign(weight * 0 + 1)
    np.testing.assert_array_equal(base.logits(x), before)
    np.testing.assert_array_equal(np.asarray(base.model(x)), np.asarray(networks.flat()(x)))
    assert all(layer.trainable for layer in base.model.layers)


def test_an_earlier_layer_can_be_the_last_one_kept():
    net = replace_head(flat(), ["a", "b"], layer="conv1")
    assert net.default_layer == "conv1"
    assert net.layer("conv1").channels == 4


@pytest.mark.parametrize(
    ("labels", "options", "said"),
    [
        (["a"], {}, "do not name at least two different classes"),
        (["a", "a"], {}, "at least two different classes"),
        ("ab", {}, "at least two different classes"),
        (["a", "b", "c"], {"activation": "sigmoid"}, "two classes apart, not 3"),
        (["a", "b"], {"activation": "relu"}, "activation 'relu' is unknown"),
        (["a", "b"], {"dropout": 1.0}, "dropout 1.0 must be a share"),
        (["a", "b"], {"input_size": (20, 20)}, "input size of flat is settled at 12×10"),
    ],
)
def test_what_operate_refuses(labels, options, said):
    with pytest.raises(ModelError, match=said):
        replace_head(flat(), labels, **options)


def test_layers_and_networks_that_cannot_be_cut():
    with pytest.raises(LayerError, match="scores"):
        replace_head(flat(), ["a", "b"], layer="scores")
    with pytest.raises(ModelError, match="no functional Keras model"):
        replace_head(camcore.wrap(networks.built(networks.Subclassed()), input_size=networks.SIZE), ["a", "b"])
    with pytest.raises(ModelError, match="no backbone 'MobilNet'"):
        replace_head("MobilNet", ["a", "b"])


# One of each kind of trunk: plain, gated, fused, branched, densely joined, with layer normalisation; long ones are cut
# where each kind of block has been.
KINDS = {
    "MobileNet": None,
    "MobileNetV3Small": None,
    "EfficientNetV2B0": "block4c_add",
    "InceptionV3": "mixed4",
    "DenseNet121": "conv3_block12_concat",
    "ConvNeXtTiny": None,
}


@pytest.mark.parametrize(
    ("name", "layer"),
    [pytest.param(*kind, marks=[pytest.mark.slow] * (kind[0][:3] != "Mob")) for kind in KINDS.items()],
)
def test_every_kind_of_backbone_after_surgery_and_once_more_from_its_description(name, layer, tmp_path):
    base = camcore.load(name, "random", input_shape=(96, 96, 3))
    net = replace_head(base, ["a", "b", "c"], layer=layer)
    teach(net)
    last = net.default_layer
    ours, theirs = net.tap(noise(net, 1), [last]), base.tap(noise(base, 1), [layer or base.default_layer])
    np.testing.assert_array_equal(ours.activations[last], theirs.activations[layer or base.default_layer])
    net.check_linear_head(last)
    options = {"architecture": net.origin.architecture, "preprocessing": net.origin.preprocessing}
    write(tmp_path / "n", net.model, name="n", input_size=net.input_size, labels=list("abc"), trained={}, **options)
    del base
    again = camcore.load(tmp_path / "n")
    np.testing.assert_array_equal(again.tap(noise(again, 1), [again.default_layer]).logits, ours.logits)


def test_another_input_size_keeps_the_weights(monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    base = mobilenet_v2()
    net = replace_head("MobileNetV2", ["a", "b"], input_size=(96, 128))
    assert net.input_size == (96, 128)
    assert net.layer(net.default_layer).grid == (3, 4)
    for ours, theirs in zip(net.model.layers[1:-3], base.model.layers[1:], strict=False):
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert net.origin.architecture["backbone"]["options"] == {"input_shape": [96, 128, 3]}


def test_mobilenet_v2_with_real_weights_on_real_photographs():
    """mean(CAM) + b = logit to 1e-4, the trunk's activations to the last bit."""
    base = mobilenet_v2()
    net = replace_head(base, ["cat", "dog"])
    teach(net)
    for photo in sorted(shared("photos").glob("*.jpg"))[:3]:
        pic = camcore.open_picture(photo)
        x, _ = net.prepare(pic)
        np.testing.assert_array_equal(
            net.tap(x, ["out_relu"]).activations["out_relu"], base.tap(x, ["out_relu"]).activations["out_relu"]
        )
        for m in camcore.explain(net, pic, "cam", classes=[0, 1]):
            assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)


# ---- the head's fitting


def clouds(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    centres = np.random.default_rng(99).normal(0, 1, (classes, 20))
    return (centres[labels] + rng.normal(0, 0.7, (n, 20))).astype(np.float32) * np.geomspace(1e-3, 1e3, 20), labels


def test_measures_by_hand():
    loss, accuracy = measured(np.array([[np.log(3.0)], [-np.log(3.0)]]), np.array([1, 1]))
    assert loss == pytest.approx((-np.log(0.75) - np.log(0.25)) / 2)
    assert accuracy == 0.5
    loss, accuracy = measured(np.log([[0.2, 0.5, 0.3]]), np.array([1]))
    assert (loss, accuracy) == (pytest.approx(-np.log(0.5)), 1.0)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_head_comes_close_to_the_best_there_is(classes):
    """Against the optimum of the same convex problem, found by scikit-image's own dependency SciPy."""
    from scipy.optimize import minimize

    (x, y), (held, held_y) = clouds(400, classes, 0), clouds(400, classes, 1)
    outputs = 1 if classes == 2 else classes
    heads = list(fit_head(x, y, held, held_y, outputs, epochs=150, rate=3e-3, dropout=0.1))
    best = min(heads, key=lambda head: head.val_loss)
    np.testing.assert_allclose(measured(held @ best.kernel + best.bias, held_y), (best.val_loss, best.val_accuracy))
    z = (x - x.mean(0)) / x.std(0)

    def loss(w: np.ndarray) -> float:
        w = w.reshape(21, classes)
        return measured(z @ w[:-1] + w[-1], y)[0] + 1e-2 * float((w[:-1] ** 2).sum()) / 2

    w = minimize(loss, np.zeros(21 * classes), method="L-BFGS-B").x.reshape(21, classes)
    optimum = measured((held - x.mean(0)) / x.std(0) @ w[:-1] + w[-1], held_y)
    assert best.val_loss < optimum[0] + 0.02
    assert best.val_accuracy > optimum[1] - 0.02


def test_the_same_seed_gives_the_same_head():
    (x, y), (held, held_y) = clouds(60, 3, 0), clouds(30, 3, 1)
    first, second, other = (
        list(fit_head(x, y, held, held_y, 3, epochs=3, rate=1e-2, dropout=0.2, seed=seed))[-1] for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.kernel, second.kernel)
    assert np.abs(first.kernel - other.kernel).max() > 0


# ---- runs


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a small saved network of random weights."""
    folder = tmp_path_factory.mktemp("home")
    shape: dict[str, Any] = {"stem": 8, "widths": [8, 16, 24], "blocks": [1, 1, 1], "outputs": 1}
    model = gap_classifier(None, **shape)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if len(variable.shape) == 4:
            variable.assign(rng.normal(0, np.sqrt(2 / np.prod(variable.shape[:3])), variable.shape))
    write(
        folder / "networks" / "small",
        model,
        name="small",
        architecture={"builder": "gap_classifier", **shape},
        input_size=(48, 48),
        preprocessing="tf",
        labels=["x", "y"],
        trained={},
    )
    return folder


@pytest.fixture
def trunk(home, monkeypatch) -> str:
    """The small network's name."""
    monkeypatch.setenv("CAMCORE_HOME", str(home))
    return "small"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> LabelledFolder:
    return read_folder(make_folder(tmp_path_factory.mktemp("stripes"), {"across": 30, "down": 30}))


def followed(work: Iterator[Any]) -> tuple[list[Any], Any]:
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as finished:
            return events, finished.value


QUICK = HeadRecipe(epochs=60, patience=10, rate=3e-3, dropout=0.0)
SHORT = HeadRecipe(epochs=2)  # where it does not matter how well the head was taught


@pytest.fixture(scope="module")
def whole(home, pictures, tmp_path_factory) -> tuple[list[Any], Path]:
    """A run from end to end: its events and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMCORE_HOME", str(home))
        events, kept = followed(train_head("small", pictures, folder, recipe=QUICK))
    assert kept == read(folder)
    return events, folder


def test_a_head_on_a_saved_network(trunk, pictures, whole):
    events, folder = whole
    kept = read(folder)
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert epochs[-1].loss < epochs[0].loss / 2
    assert min(epochs, key=lambda e: e.val_loss).val_accuracy > 0.9
    assert epochs[-1].epoch - min(epochs, key=lambda e: e.val_loss).epoch in (10, 0)
    assert [line.epoch for line in read_log(folder)] == [line.epoch for line in epochs]
    assert read_progress(folder).state == "done"
    assert kept.trained["pictures"] == {"across": 24, "down": 24}
    assert kept.trained["held_out"] == {"across": 6, "down": 6}
    assert kept.summary == "48 pictures of across, down: a new head on small"
    assert not (folder / "cache").exists()

    net = camcore.load(folder)
    assert (net.name, net.labels) == ("run", ("across", "down"))
    pic = camcore.open_picture(pictures.files[0])
    assert net.predict(pic)[0].label == "across"
    (m,) = camcore.explain(net, pic, "cam")
    assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)
    base = camcore.load(trunk)
    x, _ = base.prepare(pic)
    np.testing.assert_array_equal(
        net.tap(x, [base.default_layer]).activations[base.default_layer],
        base.tap(x, [base.default_layer]).activations[base.default_layer],
    )


def test_checkpoints_show_how_attention_forms(pictures, whole):
    _, folder = whole
    found = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert found[:3] == [f"epoch-{epoch:03d}.weights.h5" for epoch in (1, 2, 4)]
    first = camcore.load(folder, weights=folder / "checkpoints" / found[0])
    last = camcore.load(folder)
    pic = camcore.open_picture(pictures.files[0])
    assert first.predict(pic)[0].probability < last.predict(pic)[0].probability


def test_three_classes_and_mirrored_copies(trunk, tmp_path):
    data = read_folder(make_folder(tmp_path / "p", {"across": 16, "down": 16, "zebra": 16}))
    recipe = HeadRecipe(epochs=40, rate=3e-3, mirrored=True)
    events, kept = followed(train_head(trunk, data, tmp_path / "run", "three kinds", recipe))
    assert kept.name == "three kinds"
    assert kept.architecture["outputs"] == 3
    assert camcore.load(tmp_path / "run").activation == "softmax"
    assert max(event.val_accuracy for event in events if isinstance(event, Epoch)) > 0.7


def test_fine_tuning_changes_the_last_blocks_only_and_never_the_statistics(trunk, pictures, tmp_path):
    recipe = HeadRecipe(epochs=5, rate=1e-3, fine_tune=2, fine_tune_epochs=4, fine_tune_rate=1e-3)
    events, kept = followed(train_head(trunk, pictures, tmp_path / "run", recipe=recipe))
    epochs = [event for event in events if isinstance(event, Epoch)]
    tuned = [line for line in epochs if line.epoch > 5]
    assert tuned
    assert tuned[-1].loss < epochs[4].loss
    assert "and its last 2 blocks" in kept.summary
    before, after = camcore.load(trunk).model, camcore.load(tmp_path / "run").model
    changed = {
        layer.name
        for layer in after.layers
        if layer.name in {other.name for other in before.layers}
        for new, old in zip(layer.get_weights(), before.get_layer(layer.name).get_weights(), strict=True)
        if (new != old).any()
    }
    assert changed == {f"stage{s}_block1_{part}_conv" for s in (2, 3) for part in ("1", "2", "widen")}


@pytest.mark.parametrize(
    ("count", "fed_by"), [(1, "stage2_block1"), (2, "stage1_block1"), (3, "stem_relu"), (99, "image")]
)
def test_blocks_are_what_every_path_passes(trunk, count, fed_by):
    model = replace_head(trunk, ["a", "b"]).model
    start, layers = last_blocks(model, count)
    assert start is model.get_layer(fed_by).output
    names = {layer.name for layer in layers}
    assert "cam_head" not in names
    assert ("stage3_block1_1_conv" in names, "stage3_block1_widen_conv" in names) == (True, True)
    assert ("stage2_block1_1_conv" in names) == (count > 1)
    assert ("stem_conv" in names) == (count == 99)


def test_an_asked_for_stop_keeps_what_was_seen(trunk, pictures, tmp_path, monkeypatch):
    from camcore.training.runs import Stopped

    work = train_head(trunk, pictures, tmp_path / "run", recipe=SHORT)
    next(event for event in work if isinstance(event, Epoch))
    ask_to_stop(tmp_path / "run")
    with pytest.raises(Stopped):
        followed(work)
    assert read_progress(tmp_path / "run").state == "stopped"
    assert not (tmp_path / "run" / "network.json").exists()

    def fails(*_: Any) -> Any:
        raise AssertionError("the pictures are looked at again")

    monkeypatch.setattr("camcore.training.trunk_features.frame_picture", fails)
    _, kept = followed(train_head(trunk, pictures, tmp_path / "run", recipe=SHORT))
    assert kept == read(tmp_path / "run")


def test_a_killed_fine_tuning_goes_on_as_if_nothing_had_been(trunk, pictures, tmp_path):
    recipe = HeadRecipe(epochs=2, rate=1e-3, dropout=0.0, fine_tune=1, fine_tune_epochs=3, fine_tune_rate=1e-3)
    followed(train_head(trunk, pictures, tmp_path / "whole", recipe=recipe))
    work = train_head(trunk, pictures, tmp_path / "cut", recipe=recipe)
    next(event for event in work if isinstance(event, Epoch) and event.epoch == 4)
    work.close()  # as far as its files tell, this process is dead now
    rest, _ = followed(train_head(trunk, pictures, tmp_path / "cut", recipe=recipe))
    assert [event.epoch for event in rest if isinstance(event, Epoch)] == [5]
    lines, expected = read_log(tmp_path / "cut"), read_log(tmp_path / "whole")
    assert [line.epoch for line in lines] == [line.epoch for line in expected] == list(range(1, 6))
    assert [line.val_loss for line in lines] == pytest.approx([line.val_loss for line in expected], rel=1e-3)
    cut, straight = camcore.load(tmp_path / "cut"), camcore.load(tmp_path / "whole")
    x = noise(cut)
    np.testing.assert_allclose(cut.logits(x), straight.logits(x), rtol=1e-3, atol=1e-3)


def test_another_recipe_does_not_take_the_folder_over(trunk, pictures, whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / "run")
    kept = read(tmp_path / "run")
    with pytest.raises(CamcoreError, match="holds a run of another recipe"):
        followed(train_head(trunk, pictures, tmp_path / "run", recipe=HeadRecipe(epochs=3)))
    assert read(tmp_path / "run") == kept


def test_damaged_pictures_are_left_out_and_counted(trunk, tmp_path):
    data = read_folder(make_folder(tmp_path / "p", {"across": 30, "down": 30}))
    for index in (0, 7, 40):
        data.files[index].write_bytes(data.files[index].read_bytes()[:60])
    _, kept = followed(train_head(trunk, data, tmp_path / "run", recipe=SHORT))
    counts = [sum(kept.trained[key].values()) for key in ("pictures", "held_out")]
    assert sum(counts) == 57
    assert kept.trained["skipped"] == 3


def test_a_class_of_damaged_pictures_only(trunk, tmp_path):
    data = read_folder(make_folder(tmp_path / "p", {"across": 8, "down": 4}))
    for file in data.files[8:]:
        file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(CamcoreError, match=r"pictures of 'down' .*: none is left to learn from"):
        followed(train_head(trunk, data, tmp_path / "run", recipe=SHORT))
    assert read_progress(tmp_path / "run").state == "failed"
    assert "Replace the damaged files" in read_progress(tmp_path / "run").message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"size": 8}, "size is 8, and must be from 32 to 1024, or 0"),
        ({"rate": 2.0}, "between 0 and 1"),
        ({"held_out": 0.0}, "between 0 and 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"fine_tune": -1}, "fine_tune"),
    ],
)
def test_recipes_that_cannot_be_followed(changes, said):
    with pytest.raises(CamcoreError, match=f"cannot be followed: .*{said}"):
        HeadRecipe(**changes)


def test_what_train_head_refuses(trunk, pictures, tmp_path):
    with pytest.raises(ModelError, match="cannot be called 'VGG16'"):
        followed(train_head(trunk, pictures, tmp_path / "a", "VGG16", QUICK))
    with pytest.raises(ModelError, match="no backbone 'nothing'"):
        followed(train_head("nothing", pictures, tmp_path / "b", recipe=QUICK))
    with pytest.raises(ModelError, match="does not know how to build this trunk"):
        followed(train_head(camcore.wrap(networks.flat(dtype="float32")), pictures, tmp_path / "c", recipe=QUICK))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CamcoreError, match="cannot be written"):
        followed(train_head(trunk, pictures, tmp_path / "file" / "d", recipe=QUICK))
    for name in "abc":
        assert not (tmp_path / name / "network.json").exists()


def test_a_killed_process_leaves_a_run_that_goes_on(trunk, pictures, tmp_path, monkeypatch):
    """kill -9 while the pictures are looked at; the same command then ends with a network."""
    code = (
        "import os, sys\n"
        "from camcore.training.surgery import train_head, HeadRecipe\n"
        "from camcore.training.folders import read_folder\n"
        "import camcore.training.trunk_features as f\n"
        "f._PART = 16\n"
        "seen = 0\n"
        "real = f.write_arrays\n"
        "def counted(path, content):\n"
        "    global seen\n"
        "    real(path, content)\n"
        "    seen += path.suffix == '.npz'\n"
        "    if seen == 2: os.kill(os.getpid(), 9)\n"
        "f.write_arrays = counted\n"
        f"pictures, folder = read_folder({str(pictures.root)!r}), {str(tmp_path / 'run')!r}\n"
        "list(train_head('small', pictures, folder, recipe=HeadRecipe(epochs=2)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=300)
    assert done.returncode == -9, done.stderr[-1000:]
    assert len(list((tmp_path / "run" / "cache").glob("*.npz"))) == 2
    assert not (tmp_path / "run" / "network.json").exists()
    assert not read_progress(tmp_path / "run").alive
    monkeypatch.setattr("camcore.training.trunk_features._PART", 16)
    _, kept = followed(train_head(trunk, pictures, tmp_path / "run", recipe=SHORT))
    assert kept == read(tmp_path / "run")


@pytest.mark.slow
def test_a_head_on_mobilenet_v2_learned_from_400_pictures_passes_95_percent_on_400_others(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    both = balanced_sample(read_folder(shared("cats_dogs", "train")), 400, seed=1)
    order = np.random.default_rng(2).permutation(len(both))
    learned, others = both.take(np.sort(order[:400])), both.take(np.sort(order[400:]))
    assert not set(learned.files) & set(others.files)
    _, kept = followed(train_head("MobileNetV2", learned, tmp_path / "run", "cats and dogs"))
    *_, last = predict_folder(camcore.load(kept.folder), others)
    assert accuracy(last.predictions).value > 0.95
