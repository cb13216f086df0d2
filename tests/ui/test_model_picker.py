"""The network that a page begins with, and saved ones in the list."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import visit

from camcore.models import description, saved
from camcore.models.gap_classifier import gap_classifier
from ui import model_picker

SHAPE: dict[str, Any] = {"stem": 4, "widths": [6, 8], "blocks": [1, 1], "outputs": 1}


def write(folder: Path, **trained: Any) -> saved.SavedNetwork:
    model = gap_classifier(None, **SHAPE)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.4, variable.shape))
    return saved.write(
        folder,
        model,
        name=folder.name,
        architecture={"builder": "gap_classifier", **SHAPE},
        input_size=(32, 32),
        preprocessing="tf",
        labels=["cat", "dog"],
        trained=trained,
    )


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights on this machine, no bundled network, none of one's own; returns an empty folder of weights."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    for module in (saved, description):
        monkeypatch.setattr(module, "BUNDLED", tmp_path / "bundled")
    return tmp_path / "weights"


def test_which_network_comes_first(nothing: Path) -> None:
    assert model_picker.default() == "MobileNetV2"  # nothing is here: its download is offered
    write(saved.networks_folder() / "mine")
    assert model_picker.default() == "MobileNetV2"
    write(description.BUNDLED / "cats_vs_dogs")
    assert model_picker.default() == "cats_vs_dogs"
    for name, first in (("VGG16", "cats_vs_dogs"), ("MobileNet", "MobileNet"), ("MobileNetV2", "MobileNetV2")):
        (nothing / f"{name}.weights.h5").touch()  # the first one is too large to begin with
        assert model_picker.default() == first
    (nothing / "EfficientNetB0.weights.h5").touch()
    assert model_picker.default() == "EfficientNetB0", "the most accurate of those that start quickly"


def test_the_network_named_at_the_start_comes_first(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nothing / "MobileNetV2.weights.h5").touch()
    monkeypatch.setenv("CAMCORE_MODELS", "birds=my_models:birds")
    for named, first in (("birds", "birds"), ("ResNet50", "ResNet50"), ("gone", "MobileNetV2"), ("", "MobileNetV2")):
        monkeypatch.setenv("CAMCORE_DEFAULT_MODEL", named)
        assert model_picker.default() == first


def test_a_newcomer_begins_with_the_bundled_network_on_the_cat(nothing: Path) -> None:
    kept = write(description.BUNDLED / "cats_vs_dogs", pictures={"cat": 1000, "dog": 1200})
    at = visit()
    assert at.header[0].value.startswith("cats_vs_dogs says “")
    box = at.selectbox(key="model")
    assert box.value == "cats_vs_dogs"
    assert box.options[:2] == ["cats_vs_dogs · bundled", "Xception · downloads 92 MB"]
    captions = " ".join(caption.value.replace("\\", "") for caption in at.sidebar.caption)
    assert "32×32 px input, knows only cat and dog, no download, trained on 2,200 pictures of cat, dog" in captions
    assert not [button for button in at.button if button.label.startswith("Download")]
    assert not at.query_params.get("model")

    write(saved.networks_folder() / "mine")  # trained meanwhile, in another process
    at.run()
    assert at.selectbox(key="model").options[:2] == ["cats_vs_dogs · bundled", "mine · your own"]
    at.selectbox(key="model").set_value("mine").run()
    assert at.header[0].value.startswith("mine says “")
    assert at.query_params["model"] == "mine"
    assert kept.folder.is_dir()


def test_with_nothing_at_all_the_page_offers_the_download(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The process's networks may hold this one from another test.
    monkeypatch.setattr("ui.networks.Networks.peek", lambda *_: None)
    at = visit()
    assert at.header[0].value == "MobileNetV2 needs its weights first"


def test_the_folder_of_a_preset_is_named_by_whoever_may_name_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("task.json", "config.json"):
        (tmp_path / name).write_text("{}")
    name = f"hub:{tmp_path}"
    found = model_picker.preset(name)
    assert found is not None
    assert found.name == name
    assert model_picker.chosen(name, model_picker.AUTO).key.title == tmp_path.name
    monkeypatch.setenv("CAMCORE_PUBLIC", "1")
    assert model_picker.preset(name) is None
