"""Removing: what this program put there, and what lies in its own folders; nothing else, whatever the name."""

import io
import os
import urllib.request
from pathlib import Path
from typing import ClassVar

import h5py
import pytest
from small import network_folder

from camcore.errors import ModelError
from camcore.models import catalogue, saved, weights_files
from camcore.models.remove import remove_network, remove_weights, why_kept

OWN = "MobileNetV2.weights.h5"


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    for folder in (tmp_path / "weights", tmp_path / "keras" / "models"):
        folder.mkdir(parents=True)
    return tmp_path


def cached(folders: Path) -> Path:
    return folders / "keras" / "models" / catalogue.backbone("MobileNetV2").weights.name


def test_a_file_in_the_folder_of_weights_goes_and_no_other(folders):
    mine, cache, other = folders / "weights" / OWN, cached(folders), folders / "weights" / "VGG16.weights.h5"
    for path in (mine, cache, other):
        path.write_bytes(b"x")
    assert remove_weights("MobileNetV2") == mine
    assert (mine.exists(), cache.exists(), other.exists()) == (False, True, True)


def test_keras_cache_keeps_what_others_put_there(folders):
    path = cached(folders)
    path.write_bytes(b"x")
    assert "put there by another program" in why_kept("MobileNetV2")
    with pytest.raises(ModelError, match="by another program"):
        remove_weights("MobileNetV2")
    assert path.exists()


def test_a_download_goes_unless_another_program_wrote_it_again(folders):
    path = cached(folders)
    path.write_bytes(b"x")
    weights_files.remember(path)
    assert why_kept("MobileNetV2") == ""
    path.write_bytes(b"another one")
    os.utime(path, ns=(1, 1))
    assert "by another program" in why_kept("MobileNetV2")
    weights_files.remember(path)
    assert remove_weights("MobileNetV2") == path
    assert not path.exists()
    assert not weights_files.is_ours(path)
    path.write_bytes(b"x")
    assert "by another program" in why_kept("MobileNetV2"), "the note went with the file"


def test_a_download_through_the_program_is_noted(folders, monkeypatch):
    whole = io.BytesIO()
    h5py.File(whole, "w").close()

    class Response(io.BytesIO):
        headers: ClassVar = {"Content-Length": str(len(whole.getvalue()))}

    response = Response(whole.getvalue())
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: response)
    row = catalogue.backbone("MobileNetV2")
    monkeypatch.setattr(catalogue, "published_weights", lambda *_: type(row.weights)(row.weights.name, "http://x/", ""))
    seen = []
    path = catalogue.fetch_weights("MobileNetV2", lambda done, total: seen.append((done, total)))
    assert path == cached(folders)
    assert seen[-1] == (len(whole.getvalue()),) * 2
    assert why_kept("MobileNetV2") == ""
    assert catalogue.fetch_weights("MobileNetV2") == path, "what is here is not fetched again"


def test_a_link_goes_and_what_it_leads_to_stays(folders):
    outside = folders / "outside.h5"
    outside.write_bytes(b"x")
    (folders / "weights" / OWN).symlink_to(outside)
    remove_weights("MobileNetV2")
    assert outside.exists()
    assert not (folders / "weights" / OWN).is_symlink()


def test_what_is_not_here_and_what_is_no_backbone(folders):
    with pytest.raises(ModelError, match="not on this machine"):
        remove_weights("MobileNetV2")
    for name in ("../../outside", "cats_vs_dogs"):
        with pytest.raises(ModelError, match="There is no backbone"):
            remove_weights(name)


def test_a_network_of_ones_own_goes_with_its_folder(folders):
    for name in ("one", "two"):
        network_folder(saved.networks_folder() / name, ["cat", "dog"])
    remove_network(saved.find("one"))
    assert [path.name for path in saved.networks_folder().iterdir()] == ["two"]
    assert saved.find("one") is None


def test_bundled_networks_and_those_elsewhere_stay(folders):
    with pytest.raises(ModelError, match="it comes with the project"):
        remove_network(saved.find("cats_vs_dogs"))
    network_folder(folders / "elsewhere", ["cat", "dog"])
    with pytest.raises(ModelError, match="does not lie in"):
        remove_network(saved.read(folders / "elsewhere"))
    assert (folders / "elsewhere" / "network.json").exists()


def test_of_a_linked_network_only_the_link_goes(folders):
    network_folder(folders / "elsewhere", ["cat", "dog"])
    saved.networks_folder().mkdir(parents=True)
    (saved.networks_folder() / "linked").symlink_to(folders / "elsewhere")
    found = next(one for one in saved.saved_networks() if one.folder.name == "linked")
    remove_network(found)
    assert (folders / "elsewhere" / "network.json").exists()
    assert not (saved.networks_folder() / "linked").exists()
