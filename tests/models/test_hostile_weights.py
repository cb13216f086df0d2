"""Weights files made to harm: each is refused by what its headers claim, before a model is built or a number read."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from camcore.errors import ModelError
from camcore.models import adopt as adopting
from camcore.models import catalogue, hdf5_arrays
from camcore.models.adopt import Candidate
from camcore.models.planned import planned
from camcore.models.weights import check_fit
from camcore.models.weights_contents import head_outputs

Make = Callable[[h5py.File, Path], None]


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of these files may come so far."""
    monkeypatch.setattr(catalogue, "_constructed", lambda *_: pytest.fail("a model was built"))


def head(file: h5py.File, classes: int, dtype: str = "float32", **options: object) -> None:
    file.create_dataset("layers/dense/vars/0", (1280, classes), dtype, **options)
    file.create_dataset("layers/dense/vars/1", (classes,), dtype, **options)
    file["layers/dense/vars"].attrs["name"] = "predictions"


def nested(file: h5py.File, _: Path) -> None:
    group = file.create_group("layers")
    for _ in range(3000):
        group = group.create_group("a")
    group["x"] = np.zeros(3, "float32")


def many_groups(file: h5py.File, _: Path) -> None:
    group = file.create_group("layers")
    for index in range(700):
        group.create_group(str(index))


def of_other_files(link: Callable[[Path], object]) -> Make:
    def make(file: h5py.File, folder: Path) -> None:
        with h5py.File(folder / "secret.h5", "w") as other:
            head(other, 10)
        file["layers"] = link(folder / "secret.h5")

    return make


def external(file: h5py.File, folder: Path) -> None:
    (folder / "secret.bin").write_bytes(bytes(64))
    file.create_dataset("layers/a/vars/0", (16,), "float32", external=[(str(folder / "secret.bin"), 0, 64)])


def virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "x", shape=(4,))
    file.create_group("layers").create_virtual_dataset("a", layout)


def bomb(file: h5py.File, _: Path) -> None:
    """A piece that claims 4 KB and unpacks to 64 MB."""
    import zlib

    dataset = file.create_dataset("layers/a/vars/0", (1024,), "float32", chunks=(1024,), compression="gzip")
    dataset.id.write_direct_chunk((0,), zlib.compress(bytes(64 << 20)))


def large_pieces(file: h5py.File, _: Path) -> None:
    file.create_dataset("layers/a/vars/0", (10,), "float32", maxshape=(None,), chunks=(1 << 28,))


def overflowing(file: h5py.File, _: Path) -> None:
    """As many numbers as wrap round to none in 64 bits."""
    file.create_dataset("layers/a/vars/0", (1 << 32, 1 << 32), "float32", chunks=(1 << 10, 1 << 10))


def texts(file: h5py.File, _: Path) -> None:
    file.create_dataset("layers/a/vars/0", (3,), h5py.string_dtype())


HOSTILE: dict[str, tuple[Make, str]] = {
    "400,000 classes": (lambda file, _: head(file, 400_000), r"claim to hold 2,04\d,\d{3},\d{3} \(layers/dense/vars/0"),
    "in pieces": (lambda file, _: head(file, 400_000, chunks=True), r"claim to hold 2,04\d,\d{3},\d{3}"),
    "compressed": (lambda file, _: head(file, 400_000, compression="gzip"), r"claim to hold 2,04\d,\d{3},\d{3}"),
    "nested": (nested, "101 levels deep"),
    "many groups": (many_groups, r"in [\d,]+ groups"),
    "external link": (of_other_files(lambda other: h5py.ExternalLink(str(other), "layers")), "links to another file"),
    "soft link": (of_other_files(lambda other: h5py.SoftLink("/elsewhere")), "is a link, which Keras does not write"),
    "external storage": (external, "lie in another file"),
    "virtual": (virtual, "lie in another file"),
    "bomb": (bomb, r"unpacks to more than the 4,096 bytes"),
    "large pieces": (large_pieces, "stored in pieces of 1,073,741,824 bytes"),
    "overflow": (overflowing, r"claim to hold 73,786,976,294,838,206,464"),
    "another filter": (
        lambda file, _: file.create_dataset("layers/a/vars/0", (64,), "float32", compression="lzf"),
        "compressed in a way",
    ),
    "texts": (texts, "holds no numbers"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_it_is_refused_from_its_headers(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_arrays, "MOST_GROUPS", 500)
    make, said = HOSTILE[kind]
    path = tmp_path / "mine.weights.h5"
    with h5py.File(path, "w") as file:
        make(file, tmp_path)
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(ModelError, match=rf"mine.weights.h5' is not opened: .*{said}.*Save the weights again"):
        next(adopting.check(Candidate(path, "MobileNetV2"), []))
    assert time.monotonic() - began < 5
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_more_classes_than_a_network_may_have(tmp_path: Path) -> None:
    path = tmp_path / "mine.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/1"] = np.zeros(200_000, "float32")
        file["layers/dense/vars"].attrs["name"] = "predictions"
    with pytest.raises(ModelError, match=r"its head claims 200,000 classes, and at most 100,000 are taken"):
        head_outputs(path)


def test_a_head_that_does_not_fit_is_told_without_a_variable(tmp_path: Path) -> None:
    """The bias alone says how many classes there are: the kernel that would go with it is never made."""
    import keras

    path = tmp_path / "mine.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/1"] = np.zeros(90_000, "float32")
        file["layers/dense/vars"].attrs["name"] = "predictions"

    def build() -> keras.Model:
        image = keras.Input((8, 8, 3))
        wide = keras.layers.Conv2D(100_000, 1)(image)
        pooled = keras.layers.GlobalAveragePooling2D()(wide)
        return keras.Model(image, keras.layers.Dense(90_000, name="predictions")(pooled))

    began = time.monotonic()
    with pytest.raises(ModelError, match=r"layer 'predictions' has 100000×90000, 90000 in the network, 90000 in the"):
        check_fit(path, build)
    assert time.monotonic() - began < 5


def test_a_plan_is_the_model_without_its_numbers() -> None:
    import keras

    def build() -> keras.Model:
        image = keras.Input((8, 8, 3))
        inner = keras.Sequential([keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()])
        return keras.Model(image, keras.layers.Dropout(0.5)(inner(image)), name="outer")

    plan, model = planned(build), build()
    assert plan is not None
    assert (plan.name, plan.nested) == ("outer", True)
    assert [shape for _, shape in plan.weights] == [tuple(one.shape) for one in model.weights]
