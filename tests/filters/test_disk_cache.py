"""Pictures on disk: whole or not at all, bounded, damaged ones forgotten."""

import os
from pathlib import Path

import numpy as np
import pytest

from camcore.filters import disk_cache


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMCORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "filters"


def test_what_is_put_is_taken_bit_for_bit(cache: Path) -> None:
    path = disk_cache.path_for("net", 3, (1.5, "x"))
    assert path.parent == cache
    assert path == disk_cache.path_for("net", 3, (1.5, "x")) != disk_cache.path_for("net", 4, (1.5, "x"))
    assert disk_cache.get(path) is None
    rgb = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
    disk_cache.put(path, {"rgb": rgb, "reached": 1 / 3})
    found = disk_cache.get(path)
    assert found is not None
    np.testing.assert_array_equal(found["rgb"], rgb)
    assert float(found["reached"]) == 1 / 3
    assert [file.name for file in cache.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:100], lambda b: b"", lambda b: b[:-40] + bytes(40), lambda b: b"no zip"]
)
def test_a_damaged_file_is_forgotten(damage) -> None:
    path = disk_cache.path_for("net")
    disk_cache.put(path, {"rgb": np.zeros((8, 8, 3), np.uint8)})
    path.write_bytes(damage(path.read_bytes()))
    assert disk_cache.get(path) is None
    assert not path.exists()


def test_a_pickle_is_not_loaded() -> None:
    path = disk_cache.path_for("net")
    path.parent.mkdir(parents=True)
    np.savez(path, rgb=np.array([{"a": 1}], object))
    assert disk_cache.get(path) is None


def test_what_cannot_be_finished_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    disk_cache.put(disk_cache.path_for("net"), {"rgb": np.zeros(3)})
    assert list(cache.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_borne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("CAMCORE_CACHE", str(tmp_path / "file"))
    disk_cache.put(disk_cache.path_for("net"), {"rgb": np.zeros(3)})
    assert disk_cache.get(disk_cache.path_for("net")) is None
    disk_cache.evict()


def test_the_ones_not_used_for_longest_go(cache: Path) -> None:
    paths = [disk_cache.path_for(number) for number in range(4)]
    for age, path in enumerate(paths):
        disk_cache.put(path, {"rgb": np.zeros(1000, np.uint8)})
        os.utime(path, (1000 + age, 1000 + age))
    size = paths[0].stat().st_size
    assert disk_cache.get(paths[0]) is not None, "which makes it the youngest"
    disk_cache.evict(2 * size)
    assert {path for path in paths if path.exists()} == {paths[0], paths[3]}


def test_the_folder_follows_the_convention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAMCORE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert disk_cache.folder() == tmp_path / "camcore" / "filters"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert disk_cache.folder() == Path.home() / ".cache" / "camcore" / "filters"
