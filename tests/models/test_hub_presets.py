"""The list of keras_hub's presets, held against keras_hub itself; and where their weights are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from camcore.models import hub_presets, listing
from camcore.models.hub_presets import HubPreset

keras_hub = pytest.importorskip("keras_hub") if not os.environ.get("CI") else __import__("keras_hub")

VIT = "vit_base_patch16_224_imagenet"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    return tmp_path


def row(source: str) -> HubPreset:
    found = hub_presets.find(f"hub:{source}")
    assert found is not None
    return found


def test_the_list_is_keras_hubs_own() -> None:
    theirs = keras_hub.models.ImageClassifier.presets
    ours = hub_presets.presets()
    assert len({one.source for one in ours}) == len(ours) > 40
    for one in ours:
        facts = theirs[one.source]
        assert one.parameters == facts["metadata"]["params"]
        assert one.handle == facts["kaggle_handle"]
        assert one.description.split() == facts["metadata"]["description"].split()
    left_out = set(theirs) - {one.source for one in ours}
    assert all(any(word in name for word in ("21k", "ade20k", "cityscapes", "gemma")) for name in left_out), left_out
    assert {"vit", "deit", "swin_transformer", "resnet"} <= {one.family for one in ours}


def test_one_that_is_not_here_and_then_is(cache: Path) -> None:
    one = row(VIT)
    assert (one.weights_state, one.download_mb, one.framing) == ("downloads 343 MB", 343, "centre")
    assert hub_presets.downloaded() == ()
    folder = cache / "models" / "keras" / "vit" / "keras" / VIT / one.handle.rsplit("/", 1)[1]
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert one.weights_state == "downloads 343 MB"  # its weights are still on the way
    (folder / "task.weights.h5").write_bytes(b"")
    (folder / "image_converter.json").write_text(json.dumps({"config": {"crop_to_aspect_ratio": False}}))
    assert (one.weights_state, one.framing) == ("on disk", "stretch")
    assert hub_presets.downloaded() == (one,)
    assert listing.find(one.name) == one
    assert one in listing.backbones()


def test_a_folder(tmp_path: Path) -> None:
    assert hub_presets.find(f"hub:{tmp_path}") is None
    for name in ("task.json", "config.json"):
        (tmp_path / name).write_text("{}")
    one = row(str(tmp_path))
    assert (one.parameters, one.summary, one.folder) == (None, "", None)
    (tmp_path / "model.weights.h5").write_bytes(b"")
    assert (one.weights_state, one.folder) == ("on disk", tmp_path)
    version = one.version
    os.utime(tmp_path / "config.json", ns=(5, 2**62))
    assert one.version != version


@pytest.mark.parametrize("name", ["hub:", "hub:vit_base_patch16_224_imagenet21k", VIT, "hub:\0", "hub:" + "x" * 5000])
def test_what_is_no_classifiers_preset(name: str) -> None:
    assert hub_presets.find(name) is None


@pytest.mark.parametrize(
    ("options", "framing"),
    [({}, "centre"), ({"crop_to_aspect_ratio": False}, "stretch"),
     ({"crop_to_aspect_ratio": False, "pad_to_aspect_ratio": True}, "letterbox"), ([], "centre")],
)  # fmt: skip
def test_the_framing_of_a_folder(tmp_path: Path, options: object, framing: str) -> None:
    (tmp_path / "image_converter.json").write_text(json.dumps({"config": options}))
    assert hub_presets.framing_of(tmp_path) == framing
