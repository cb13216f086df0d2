"""Networks on disk: what is written comes back, and what is damaged, changed or cut off is refused, nothing lost."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

import camcore
from camcore.errors import ModelError
from camcore.models import description, saved
from camcore.models.gap_classifier import gap_classifier
from camcore.report.exports import write_run
from camcore.report.rerun import rerun

ROOT = Path(__file__).resolve().parents[2]
SHAPE: dict[str, Any] = {"stem": 4, "widths": [6, 8], "blocks": [1, 1], "outputs": 1}


def model(seed: int = 0, **changes: Any) -> Any:
    """A tiny classifier with weights in every variable."""
    made = gap_classifier(None, **{**SHAPE, **changes})
    rng = np.random.default_rng(seed)
    for variable in made.weights:
        variable.assign(rng.uniform(0.1, 0.6, variable.shape))
    return made


def write(folder: Path, net: Any = None, **changes: Any) -> saved.SavedNetwork:
    options = {
        "name": folder.name,
        "architecture": {"builder": "gap_classifier", **SHAPE},
        "input_size": (32, 32),
        "preprocessing": "tf",
        "labels": ["cat", "dog"],
        "trained": {"pictures": {"cat": 20, "dog": 22}},
    }
    return saved.write(folder, model() if net is None else net, **{**options, **changes})


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "network.json"
    told = json.loads(path.read_text())
    told.update(changes)
    path.write_text(json.dumps({key: value for key, value in told.items() if value is not ...}))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home and no bundled networks; returns the folder for one's own."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(saved, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(description, "BUNDLED", tmp_path / "bundled")
    return saved.networks_folder()


def pixels(n: int = 2) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, (n, 32, 32, 3)).astype(np.float32)


# ---- what is written comes back


def test_the_same_scores_come_back(home):
    made = model()
    kept = write(home / "mine", made)
    built = saved.open_saved(kept)
    x = built.preprocess(pixels())
    np.testing.assert_array_equal(np.asarray(built.model(x)), np.asarray(made(x)))
    assert (built.labels, built.input_size) == (("cat", "dog"), (32, 32))
    assert kept.parameters == made.count_params()
    assert saved.read(home / "mine") == kept
    assert sorted(path.name for path in kept.folder.iterdir()) == ["network.json", "network.weights.h5"]


def test_half_precision_keeps_kernels_to_a_thousandth_and_the_rest_exactly(home):
    made = model()
    kept = write(home / "mine", made, half=True)
    built = saved.open_saved(kept)
    for before, after in zip(made.weights, built.model.weights, strict=True):
        values = np.asarray(before)
        assert np.asarray(after).dtype == np.float32
        np.testing.assert_array_equal(
            np.asarray(after), values.astype(np.float16).astype(np.float32) if values.ndim > 1 else values
        )
    found = set()
    with h5py.File(kept.weights) as file:
        file.visititems(lambda _, item: found.add((item.ndim > 1, str(item.dtype))) if hasattr(item, "ndim") else None)
    assert found == {(True, "float16"), (False, "float32")}


def test_load_by_name_and_by_folder(home, tmp_path):
    kept = write(home / "cats, mine")
    elsewhere = shutil.copytree(kept.folder, tmp_path / "else")
    by_name, by_folder = camcore.load("cats, mine"), camcore.load(elsewhere)
    x = by_name.preprocess(pixels())
    np.testing.assert_array_equal(by_name.logits(x), by_folder.logits(x))
    assert by_name.name == by_folder.name == "cats, mine"
    assert by_name.labels == ("cat", "dog")
    assert by_name.weights_note == "weights from this machine, trained on 42 pictures of cat, dog"
    assert by_name.origin.folder == kept.folder
    assert by_name.origin.sha256 == kept.sha256
    by_name.check_linear_head(by_name.default_layer)


def test_the_framing_is_kept(home):
    cropped, whole = write(home / "cropped"), write(home / "whole", framing="stretch")
    assert (camcore.load("cropped").framing, camcore.load("whole").framing) == ("crop", "stretch")
    assert cropped.version != whole.version
    edit(home / "cropped", framing=...)  # as written before framings were recorded
    assert camcore.load("cropped").framing == "crop"


def test_a_relative_folder(home, tmp_path, monkeypatch):
    write(tmp_path / "net", name="n")
    monkeypatch.chdir(tmp_path)
    assert camcore.load("./net").name == camcore.load("net").name == "n"


def test_other_weights_of_the_same_architecture(home, tmp_path):
    kept = write(home / "mine")
    other = model(seed=5)
    saved.save_weights(other, tmp_path / "epoch-001.weights.h5", half=False)
    net = camcore.load("mine", weights=tmp_path / "epoch-001.weights.h5")
    x = net.preprocess(pixels())
    np.testing.assert_allclose(net.probabilities(net.logits(x))[:, 1], np.asarray(other(x))[:, 0], atol=1e-6)
    assert net.weights_note == "weights from epoch-001.weights.h5"
    assert camcore.load("mine", weights="random").weights_note == "random weights"
    with pytest.raises(ModelError, match="does not exist"):
        camcore.load("mine", weights="imagenet")
    with pytest.raises(ModelError, match="takes no option 'alpha'"):
        camcore.load("mine", alpha=0.5)
    assert saved.read(kept.folder) == kept


# ---- lists


def test_the_list_notices_new_networks_and_puts_them_first(home):
    before = [row.name for row in camcore.backbones()]
    assert len(before) == 40
    write(home / "zebra")
    write(description.BUNDLED / "cats_vs_dogs", name="cats_vs_dogs")
    rows = camcore.backbones()
    assert [row.name for row in rows[:3]] == ["cats_vs_dogs", "zebra", before[0]]
    assert [row.weights_state for row in rows[:2]] == ["bundled", "on disk"]
    assert [row.download_mb for row in rows[:2]] == [0, 0]
    assert rows[1].summary == "42 pictures of cat, dog"
    shutil.rmtree(home / "zebra")
    assert "zebra" not in [row.name for row in camcore.backbones()]


def test_what_cannot_be_read_is_left_out_of_the_list_and_told_by_load(home):
    write(home / "good")
    write(home / "bad")
    (home / "bad" / "network.json").write_text("{")
    write(home / "gone").weights.unlink()
    (home / "training").mkdir()
    (home / "a file").write_text("x")
    assert [row.name for row in saved.saved_networks()] == ["good"]
    with pytest.raises(ModelError, match=r"bad/network\.json' does not describe a network: it is not JSON"):
        camcore.load("bad")
    with pytest.raises(ModelError, match=r"no network in .*training': it has no network\.json"):
        camcore.load(home / "training")


def test_the_bundled_one_counts_where_two_have_a_name(home):
    write(home / "twin", name="twin")
    write(description.BUNDLED / "twin", model(3), name="twin")
    assert [row.weights_state for row in saved.saved_networks()] == ["bundled"]
    assert camcore.load("twin").weights_note.startswith("weights bundled with camcore")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zebr", "Did you mean 'zebra'"),
        ("MobilNetV2", "Did you mean 'MobileNetV2'"),
        ("/no/such/folder", "no network saved under this name or in a folder"),
        ("", "`python -m camcore models` lists the names"),
        ("x" * 5000, "There is no backbone"),
        ("a\0b", "There is no backbone"),
        (None, "name=None cannot be used. It must be a name or a path"),
        (3, "name=3 cannot be used. It must be a name or a path"),
    ],
)
def test_an_unknown_name(home, name, said):
    write(home / "zebra")
    with pytest.raises(ModelError, match=said):
        camcore.load(name)


def test_listing_imports_no_tensorflow(home):
    write(home / "mine")
    code = (
        "import sys, camcore\n"
        "print([row.name for row in camcore.backbones() if row.weights_state == 'on disk' and not row.download_mb])\n"
        "print(sorted({'tensorflow', 'keras', 'h5py'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["['mine']", "[]"]


# ---- damaged, changed, foreign


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, r"has the format 2; this version of camcore reads format 1"),
        ({"format": True}, "format True"),
        ({"format": ...}, "format None"),
        ({"name": "../up"}, r"cannot be called '\.\./up'"),
        ({"name": ...}, "cannot be called None"),
        ({"name": "VGG16"}, "a backbone is"),
        ({"architecture": None}, "architecture is None: it must be a JSON object"),
        ({"architecture": {"builder": "os.system"}}, "builder is 'os.system': camcore can build gap_classifier"),
        ({"architecture": {"builder": ["x"]}}, "camcore can build"),
        ({"architecture": {"builder": "gap_classifier", **SHAPE, "stem": 10**9}}, "stem is 1000000000"),
        ({"architecture": {"builder": "gap_classifier", **SHAPE, "stem": {"a": {"b": 1}}}}, "stem is"),
        ({"architecture": {"builder": "backbone", "backbone": "VGG61"}}, "no backbone 'VGG61'"),
        ({"architecture": {"builder": "surgery", "backbone": 3}}, "layer is None"),
        ({"preprocessing": "tff"}, "no preprocessing 'tff'.*Did you mean 'tf'"),
        ({"input_size": [32]}, r"input_size is \[32\], not \[height, width\]"),
        ({"input_size": [32, 1e9]}, "input_size"),
        ({"input_size": [True, 32]}, "input_size"),
        ({"labels": ["cat"]}, "not a list of at least two names"),
        ({"labels": "cat"}, "not a list of at least two names"),
        ({"labels": ["cat", ""]}, "one of its labels is empty"),
        ({"labels": ["cat", 3]}, "one of its labels is empty, no text"),
        ({"parameters": "many"}, "parameters are 'many'"),
        ({"weights": "../x.weights.h5"}, r"weights are '\.\./x\.weights\.h5', not the name of a \.weights\.h5 file"),
        ({"weights": "/etc/passwd"}, "not the name of"),
        ({"weights": "..weights.h5"}, "not the name of"),
        ({"weights": 1}, "not the name of"),
        ({"sha256": "ab"}, "not 64 hexadecimal digits"),
        ({"framing": "zoom"}, "framing is 'zoom', not one of crop, centre, stretch, letterbox"),
        ({"framing": ["crop"]}, "framing is"),
        ({"trained": []}, "record 'trained' is"),
    ],
)
def test_a_json_that_is_not_right(home, changes, said):
    kept = write(home / "mine")
    edit(kept.folder, **changes)
    with pytest.raises(ModelError, match=said):
        saved.read(kept.folder)
    assert kept.weights.exists()


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b'{"format": NaN}', b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20)]
)
def test_a_file_that_is_no_json_object(home, text):
    kept = write(home / "mine")
    (kept.folder / "network.json").write_bytes(text)
    with pytest.raises(ModelError, match="does not describe a network"):
        saved.read(kept.folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["a", "b", "c"]}, "1 outputs, the file names 3 classes"),
        ({"parameters": 7}, "parameters, the file says 7"),
        (
            {"architecture": {"builder": "gap_classifier", **SHAPE, "size": 64}},
            r"input of \(64, 64, 3\), the file says",
        ),
        ({"architecture": {"builder": "gap_classifier", **SHAPE, "blocks": [1]}}, "its options do not go together"),
        ({"architecture": {"builder": "gap_classifier", **SHAPE, "colour": 1}}, "unexpected keyword argument 'colour'"),
        ({"architecture": {"builder": "gap_classifier"}}, "missing .* required positional arguments"),
    ],
)
def test_a_json_that_does_not_fit_itself(home, changes, said):
    kept = write(home / "mine")
    edit(kept.folder, **changes)
    with pytest.raises(ModelError, match=said):
        camcore.load(kept.folder)


def test_a_json_that_does_not_fit_its_weights(home):
    kept, other = write(home / "mine"), write(home / "other", model(stem=5), architecture=_shaped(stem=5))
    shutil.copy(other.weights, kept.weights)
    with pytest.raises(ModelError, match=r"are not those that were saved as 'mine': their SHA-256"):
        camcore.load("mine")
    edit(kept.folder, sha256=other.sha256)
    with pytest.raises(ModelError, match=r"not for this network .*layer 'stem_conv' has 3×3×3×4 in the network"):
        camcore.load("mine")


def _shaped(**changes: Any) -> dict[str, Any]:
    return {"builder": "gap_classifier", **SHAPE, **changes}


def test_weights_cut_off_or_gone(home):
    kept = write(home / "mine")
    kept.weights.write_bytes(kept.weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="are not those that were saved"):
        camcore.load("mine")
    kept.weights.unlink()
    with pytest.raises(ModelError, match="is missing"):
        camcore.load(kept.folder)


# ---- writing


def test_a_network_written_anew_replaces_the_earlier_one(home):
    folder = home / "mine"
    names = []
    for seed in range(4):
        made = model(seed)
        kept = write(folder, made)
        names.append(kept.weights.name)
        x = pixels() / 255
        np.testing.assert_array_equal(np.asarray(saved.open_saved(saved.read(folder)).model(x)), np.asarray(made(x)))
        assert len(list(folder.iterdir())) == 2
    assert names[0] == names[2] == "network.weights.h5"
    assert names[1] != names[0]  # so that at every moment the description is that of a whole file


@pytest.mark.parametrize("moment", ["weights", "json"])
def test_killed_while_writing_the_earlier_network_stays(home, moment, monkeypatch):
    kept = write(home / "mine")
    real, calls = os.replace, []

    def dies(source: Any, target: Any) -> None:
        if str(target).endswith("network.json") == (moment == "json") and "whole" not in str(source):
            calls.append(target)
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        write(home / "mine", model(7))
    monkeypatch.undo()
    monkeypatch.setenv("CAMCORE_HOME", str(home.parent))
    assert calls
    assert saved.read(home / "mine") == kept
    again = write(home / "mine", model(7))
    assert again != kept
    assert sorted(path.name for path in again.folder.iterdir()) == sorted(["network.json", again.weights.name])


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system's own limit on a file's size stands in for a full disk: writing fails half-way in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_the_earlier_network_stays(home):
    kept, made = write(home / "mine"), model(9)
    for half in (False, True):
        with pytest.raises(ModelError) as told, files_of_at_most(30_000):
            write(home / "mine", made, half=half)
        assert "cannot be saved in" in str(told.value)
        assert "The network that was there before is as it was." in str(told.value)
    assert saved.read(home / "mine") == kept
    assert sorted(path.name for path in kept.folder.iterdir()) == ["network.json", "network.weights.h5"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match=r"cannot be saved in .*Free space, allow writing, or choose another folder"):
        write(tmp_path / "file" / "net")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "a/b"}, "cannot be called 'a/b'"),
        ({"name": "MobileNet"}, "a backbone is"),
        ({"labels": ["a", "b", "c"]}, "names 3 classes"),
        ({"input_size": (4, 4)}, "input_size"),
        ({"preprocessing": "x"}, "no preprocessing 'x'"),
        ({"architecture": {"builder": "none"}}, "camcore can build"),
        ({"trained": {"loss": float("nan")}}, "cannot be described in JSON"),
        ({"trained": {"model": object()}}, "cannot be described in JSON"),
    ],
)
def test_what_write_refuses(home, changes, said):
    with pytest.raises(ModelError, match=said):
        write(home / "mine", **changes)
    assert not (home / "mine").exists()


def test_weights_that_are_no_numbers_are_not_saved(home):
    broken = model()
    broken.get_layer("stem_conv").kernel.assign(np.full((3, 3, 3, 4), np.nan))
    with pytest.raises(ModelError, match="'stem_conv/kernel' holds values that are no finite numbers"):
        write(home / "mine", broken)
    large = model()
    large.get_layer("stem_conv").kernel.assign(np.full((3, 3, 3, 4), 1e5))
    with pytest.raises(ModelError, match="holds 1e\\+05, and half precision ends at 65504"):
        write(home / "mine", large, half=True)
    assert write(home / "mine", large).parameters == large.count_params()


# ---- records of runs


def test_a_run_on_a_saved_network_can_be_made_again(home, tmp_path):
    kept = write(home / "mine")
    photo = tmp_path / "noise.png"
    Image.fromarray(pixels(1)[0].astype(np.uint8)).save(photo)
    net, pic = camcore.load("mine"), camcore.open_picture(photo)
    write_run(tmp_path / "out", net, pic, camcore.explain(net, pic, "cam"), source=photo)
    record = tmp_path / "out" / "run.json"
    told = json.loads(record.read_text())["network"]
    assert (told["folder"], told["file_sha256"]) == (str(kept.folder), kept.sha256)
    again = rerun(record)
    assert again.maps[0].difference < 1e-6
    assert not again.notes

    write(home / "mine", model(8))
    assert "are not those of the record" in rerun(record).notes[0]

    shutil.move(kept.folder, home / "moved")  # not where it was, but still called so
    assert rerun(record).maps[0].map.network == "mine"
    shutil.rmtree(home / "moved")
    with pytest.raises(ModelError, match="There is no backbone 'mine'"):
        rerun(record)
