"""The rows of an audit are what predict and explain say of each picture by itself."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
from keras import layers
from labelled import make_folder
from small import network_folder

import camcore
from camcore.audits.rows import Chunk, Plan, computed, evidence
from camcore.audits.schema import SCHEMA
from camcore.audits.sources import NO_LABEL, class_indices, list_pictures

LABELS = {"sigmoid": ("across", "down"), "softmax": ("across", "down", "dots")}


@pytest.fixture(scope="module", params=LABELS)
def network(request, tmp_path_factory) -> camcore.Network:
    folder = tmp_path_factory.mktemp("networks") / request.param
    return camcore.load(network_folder(folder, LABELS[request.param]))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = make_folder(tmp_path_factory.mktemp("data"), {"across": 5, "down": 6}, (40, 56))
    (root / "across" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (root / "down" / "000.png").write_bytes(b"")
    return root


def audited(network: camcore.Network, root: Path, method: str, batch: int, labelled: bool = True) -> pa.Table:
    listing = list_pictures(str(root))
    classes = class_indices(network.labels, network.name, listing).tolist()
    chunk = Chunk(3, 30, listing.paths, tuple(classes if labelled else [NO_LABEL] * len(listing)))
    plan = Plan(str(root), method, network.default_layer, "crop", batch)
    parts = list(computed(network, plan, [chunk]))
    assert {one.number for one, _ in parts} == {3}
    return pa.concat_tables([table for _, table in parts])


@pytest.mark.parametrize("method", ["gradcam", "layercam"])
def test_rows_are_what_predict_and_explain_say(method, network, pictures):
    table = audited(network, pictures, method, batch=4)
    assert table.schema.equals(SCHEMA)
    assert table.column("index").to_pylist() == list(range(30, 30 + len(table)))
    seen = 0
    for row in table.to_pylist():
        if row["error"] is not None:
            continue
        pic = camcore.open_picture(pictures / row["path"])
        said = network.predict(pic, top=network.classes, framing="crop")
        (m,) = camcore.explain(network, pic, method, framing="crop")
        A = camcore.activations(network, pic, layers=[m.layer], framing="crop")[m.layer]
        by_index = {one.index: one for one in said}
        label = network.labels.index(row["label"])
        assert (row["sha256"], row["height"], row["width"]) == (pic.sha256, pic.height, pic.width)
        assert row["predicted"] == said[0].label == m.label
        assert row["correct"] == (said[0].label == row["label"]) == row["path"].startswith(row["predicted"])
        assert row["probability"] == pytest.approx(said[0].probability, abs=1e-6)
        assert row["label_probability"] == pytest.approx(by_index[label].probability, abs=1e-6)
        assert row["logits"] == pytest.approx([by_index[i].logit for i in range(network.classes)], rel=2e-3, abs=1e-4)
        assert row["map"] == pytest.approx(m.values.ravel().tolist(), abs=1e-3)
        weighed = (m.values[..., None].astype(np.float64) * A).sum((0, 1)) / max(m.values.sum(), 1e-30)
        assert row["evidence"] == pytest.approx(weighed.tolist(), rel=2e-3, abs=1e-4)
        seen += 1
    assert seen == 10


def test_a_damaged_picture_is_a_row_with_its_error(network, pictures):
    table = audited(network, pictures, "gradcam", batch=2)
    failed = {row["path"]: row for row in table.to_pylist() if row["error"] is not None}
    assert set(failed) == {"across/broken.png", "down/000.png"}
    assert "0 bytes" in failed["down/000.png"]["error"]
    for path, row in failed.items():
        empty = {name for name, value in row.items() if value is None}
        assert empty == set(SCHEMA.names) - {"index", "path", "label", "error"}
        assert path.startswith(row["label"])


def test_the_size_of_batches_makes_no_difference(network, pictures):
    one, other = (audited(network, pictures, "gradcam", batch) for batch in (1, 13))
    figures = ["map", "evidence", "logits", "probability", "label_probability"]
    assert one.drop_columns(figures).equals(other.drop_columns(figures))
    for name in figures:
        a, b = (table.column(name).drop_null().to_numpy() for table in (one, other))
        np.testing.assert_allclose(np.stack(a), np.stack(b), rtol=2e-3, atol=1e-3)


def test_without_labels_nothing_is_right_or_wrong(network, pictures):
    table = audited(network, pictures, "gradcam", batch=32, labelled=False)
    for name in ("label", "correct", "label_probability"):
        assert table.column(name).null_count == len(table)
    assert table.column("predicted").null_count == table.column("probability").null_count == 2


def test_evidence_by_hand():
    A = np.array([[[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0], [4.0, -40.0]]]] * 2, np.float32)
    maps = np.array([[[1.0, 0.0], [0.5, 0.5]], np.zeros((2, 2))], np.float32)
    expected = [[(1 * 1 + 0.5 * 3 + 0.5 * 4) / 2, (1 * 10 + 0.5 * 30 - 0.5 * 40) / 2], [0.0, 0.0]]
    assert evidence(A, maps).tolist() == expected


def tiny(preprocess=None, scale: float = 1.0) -> camcore.Network:
    keras.utils.set_random_seed(2)
    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    head = layers.Dense(2, activation="softmax", name="head")
    model = keras.Model(x, head(layers.GlobalAveragePooling2D()(y)))
    kernel, bias = head.get_weights()
    head.set_weights([kernel * np.float32(scale), bias])
    return camcore.wrap(model, labels=["across", "down"], preprocess=preprocess)


def test_pictures_that_overflow_are_rows_with_an_error(pictures):
    table = audited(tiny(scale=1e38), pictures, "gradcam", batch=4)
    errors = [row["error"] for row in table.to_pylist() if row["path"] == "across/001.png"]
    assert "not finite" in errors[0]
    assert table.column("predicted").null_count == len(table)


def test_only_the_picture_whose_preprocessing_fails_has_an_error(tmp_path):
    root = make_folder(tmp_path, {"across": 2, "down": 2})
    from PIL import Image

    Image.new("RGB", (40, 48), (9, 9, 9)).save(root / "across" / "001.png")

    def standardised(x):
        with np.errstate(all="ignore"):
            return (x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True)

    rows = audited(tiny(standardised), root, "gradcam", batch=4).to_pylist()
    assert [row["error"] is not None for row in rows] == [False, True, False, False]
    assert "preprocessing" in rows[1]["error"]


def test_large_values_are_kept_within_half_precision(pictures):
    table = audited(tiny(lambda x: x * 1e4), pictures, "gradcam", batch=4)
    usable = [row for row in table.to_pylist() if row["error"] is None]
    assert usable
    assert all(np.isfinite(row["evidence"]).all() and np.isfinite(row["logits"]).all() for row in usable)
