"""An audit begun, stopped, taken up again and refused, in the process itself."""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import keras
import pyarrow as pa
import pytest
from keras import layers
from labelled import make_folder
from numpy.typing import NDArray
from pyarrow import parquet
from small import network_folder

import camcore
from camcore.audits import engine, processes, schema
from camcore.audits.engine import AuditStep
from camcore.audits.manifest import read_manifest, write_manifest
from camcore.audits.nearest import most_alike
from camcore.errors import CamcoreError
from camcore.models.pickling import weights_hash

CHUNK = 4


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> camcore.Network:
    return camcore.load(network_folder(tmp_path_factory.mktemp("networks") / "small", ["across", "down"]))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = make_folder(tmp_path_factory.mktemp("data"), {"across": 5, "down": 6})
    (root / "down" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (root / "notes.txt").write_text("notes")
    return root


@pytest.fixture(scope="module")
def whole(network, pictures, tmp_path_factory) -> Path:
    """An audit that ran through."""
    out = tmp_path_factory.mktemp("audits") / "whole"
    run(network, pictures, out)
    return out


def run(network: camcore.Network, pictures: Path, out: Path, **options: object) -> list[AuditStep]:
    return list(camcore.audit(network, pictures, out, chunk=CHUNK, batch=2, **options))


def stages(steps: list[AuditStep]) -> list[str]:
    """The stages that an audit went through."""
    return [stage for stage, _ in itertools.groupby(step.stage for step in steps)]


def rows(out: Path) -> pa.Table:
    return parquet.read_table(out / schema.PARTS).sort_by("index")


def refused(*given: object, **options: object) -> str:
    with pytest.raises(CamcoreError) as caught:
        camcore.audit(*given, **options)
    return str(caught.value)


# ---- from beginning to end


def test_the_parts_hold_every_picture_once(network, pictures, whole):
    names = sorted(path.name for path in (whole / schema.PARTS).iterdir())
    assert names == [schema.part_name(number) for number in range(3)]
    table = rows(whole)
    assert table.column("index").to_pylist() == list(range(12))
    assert table.column("path").to_pylist() == sorted(
        path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png")
    )
    assert table.column("error").null_count == 11


def test_the_manifest_says_of_what_the_audit_is(network, pictures, whole):
    manifest = read_manifest(whole)
    assert manifest.complete
    assert (manifest.total, manifest.done, manifest.failed, manifest.left_out) == (12, 12, 1, 1)
    assert (manifest.network.name, manifest.network.labels) == ("small", ("across", "down"))
    assert manifest.network.weights_sha256 == weights_hash(network)
    assert (manifest.method, manifest.layer, manifest.framing) == ("gradcam", network.default_layer, network.framing)
    info = network.layer(manifest.layer)
    assert (manifest.grid, manifest.channels) == (info.grid, info.channels)
    assert manifest.cells == info.cells(network.input_size)
    assert (manifest.pictures, manifest.base, manifest.labelled) == (str(pictures), str(pictures), True)
    assert manifest.seconds > 0


def test_steps_count_up_to_the_end(network, pictures, tmp_path):
    steps = run(network, pictures, tmp_path)
    assert [step.done for step in steps][:7] == [0, 2, 4, 6, 8, 10, 12]
    assert {step.done for step in steps[7:]} == {12}
    assert [step.failed for step in steps] == [0] * 6 + [1] * (len(steps) - 6)
    assert stages(steps) == ["pictures", "groups", "court", "report", "done"]
    trials = [step for step in steps if step.stage == "court"]
    assert [step.tried for step in trials] == sorted(step.tried for step in trials)
    assert trials[-1].tried == trials[-1].trials
    made = rows(tmp_path)
    for step in steps:
        correct = [right for right in made.column("correct")[: step.done].to_pylist() if right is not None]
        assert (step.labelled, step.right) == (len(correct), sum(correct))
        newest = step.latest.column("path").to_pylist()
        assert newest == made.column("path")[: step.done].to_pylist()[step.done - len(newest) :]
    assert steps[0].pictures_per_second != steps[0].pictures_per_second
    assert all(step.seconds_left > 0 for step in steps[1:6])
    assert all(step.seconds_left == 0 for step in steps[6:])
    assert steps[3].pictures_per_second == pytest.approx(steps[3].done / steps[3].seconds)


def test_a_complete_audit_is_left_as_it_is_and_gets_back_what_it_lacks(network, pictures, tmp_path):
    run(network, pictures, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert {"audit.json", "groups.json", "groups.parquet", "report.html"} <= {path.name for path in before}
    assert [step.stage for step in run(network, pictures, tmp_path)] == ["pictures", "done"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before
    (tmp_path / "groups.json").unlink()
    assert stages(run(network, pictures, tmp_path)) == ["pictures", "groups", "court", "report", "done"]
    (tmp_path / "report.html").unlink()
    run(network, pictures, tmp_path)
    after = {path: path.read_bytes() for path in before}
    for path, content in before.items():
        if path.name not in ("audit.json", "report.html"):  # which tell the seconds
            assert after[path] == content, path.name


def test_the_pace_counts_what_was_computed_only():
    step = AuditStep(done=150, total=250, failed=0, seconds=10.0, kept=100)
    assert (step.pictures_per_second, step.seconds_left) == (5.0, 20.0)


def test_an_audit_without_labels(network, pictures, tmp_path):
    other = make_folder(tmp_path / "others", {"hen": 2, "cow": 2})
    said = refused(network, other, tmp_path / "out")
    assert "'cow', 'hen'" in said
    run(network, other, tmp_path / "out", labelled=False)
    assert rows(tmp_path / "out").column("label").null_count == 4
    assert not read_manifest(tmp_path / "out").labelled
    assert "no labels" in refused(network, other / "hen", tmp_path / "flat", labelled=True)


# ---- taken up again


def test_a_complete_one_returns_at_once(network, pictures, whole):
    *_, step = run(network, pictures, whole)
    assert (step.done, step.kept, step.total, step.failed) == (12, 12, 12, 1)


def test_closing_stops_and_the_same_call_goes_on(network, pictures, whole, tmp_path):
    steps = camcore.audit(network, pictures, tmp_path, chunk=CHUNK, batch=2)
    while next(steps).done < 6:
        pass
    steps.close()
    assert [path.name for path in (tmp_path / schema.PARTS).iterdir()] == [schema.part_name(0)]
    half = read_manifest(tmp_path)
    assert (half.done, half.complete) == (4, False)
    first, *_, last = run(network, pictures, tmp_path)
    assert (first.done, first.kept, last.done) == (4, 4, 12)
    assert rows(tmp_path).equals(rows(whole))
    assert read_manifest(tmp_path).seconds > half.seconds


@pytest.mark.parametrize(
    "harm",
    [
        lambda part: part.unlink(),
        lambda part: part.write_bytes(b""),
        lambda part: part.write_bytes(part.read_bytes()[:-9]),
        lambda part: part.write_bytes(part.read_bytes()[:400] + bytes(8) + part.read_bytes()[408:]),
        lambda part: parquet.write_table(parquet.read_table(part).slice(1), part),
        lambda part: parquet.write_table(parquet.read_table(part).drop_columns(["map"]), part),
    ],
    ids=["gone", "empty", "cut off", "zeros inside", "a row less", "a column less"],
)
def test_a_damaged_part_is_done_again(harm, network, pictures, whole, tmp_path):
    run(network, pictures, tmp_path)
    harm(tmp_path / schema.PARTS / schema.part_name(1))
    first, *_ = run(network, pictures, tmp_path)
    assert first.kept == 8
    assert rows(tmp_path).equals(rows(whole))


def test_pictures_that_moved_as_they_are_go_on(network, pictures, tmp_path):
    run(network, pictures, tmp_path / "out")
    moved = tmp_path / "moved"
    moved.symlink_to(pictures)
    *_, step = run(network, moved, tmp_path / "out")
    assert step.done == 12
    assert read_manifest(tmp_path / "out").base == str(moved)


def test_pictures_changed_between_runs_are_computed_again(network, pictures, tmp_path):
    root = Path(shutil.copytree(pictures, tmp_path / "pictures"))
    out = tmp_path / "out"
    run(network, root, out)
    before = {row["path"]: row for row in rows(out).to_pylist()}
    later = time.time() + 10  # file systems count in steps of some milliseconds
    os.utime(root / "across" / "000.png", (later, later))  # touched only
    (root / "down" / "bad.png").write_bytes((root / "down" / "000.png").read_bytes())  # mended
    (root / "down" / "001.png").write_bytes((root / "across" / "001.png").read_bytes())
    for name in ("bad", "001"):
        os.utime(root / "down" / f"{name}.png", (later, later))
    steps = camcore.audit(network, root, out, chunk=CHUNK, batch=2)
    while (step := next(steps)).stage == "pictures":
        first = step
    steps.close()  # before the groups are made anew: those of the earlier rows must not be taken for them
    assert (first.kept, first.done, first.failed) == (4, 12, 0)
    assert not camcore.open_audit(out).groups()
    assert stages(run(network, root, out)) == ["pictures", "groups", "court", "report", "done"]
    after = {row["path"]: row for row in rows(out).to_pylist()}
    changed = {path for path, row in after.items() if row["sha256"] != before[path]["sha256"]}
    assert changed == {"down/bad.png", "down/001.png"}
    for one, other in (("down/bad.png", "down/000.png"), ("down/001.png", "across/001.png")):
        assert after[one]["sha256"] == after[other]["sha256"]
        assert after[one]["evidence"] == pytest.approx(after[other]["evidence"], rel=2e-3, abs=1e-4)
    assert sum(one.size for one in camcore.open_audit(out).groups()) == 12


# ---- refused at the call


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "layercam"}, "with method 'gradcam', not 'layercam'"),
        ({"framing": "letterbox"}, "not 'letterbox'"),
        ({"limit": 5}, "with limit None, not 5"),
        ({"labelled": False}, "of other pictures or labels"),
        ({"chunk": 5}, "with chunk 4, not 5"),
    ],
)
def test_a_folder_of_another_audit_is_refused(options, said, network, pictures, whole):
    assert said in refused(network, pictures, whole, **{"chunk": CHUNK, **options})


def test_a_folder_of_another_network_is_refused(network, pictures, whole, tmp_path):
    home = read_manifest(whole).network.source
    *_, step = run(camcore.load(shutil.copytree(home, tmp_path / "copied")), pictures, whole)
    assert step.done == 12
    named = camcore.load(home, labels=["down", "across"])
    assert "other names of its classes" in refused(named, pictures, whole, chunk=CHUNK)
    for name, said in (("small", "of small, with other weights"), ("large", "of the network small, not large")):
        other = camcore.load(network_folder(tmp_path / name, ["across", "down"]))
        assert said in refused(other, pictures, whole, chunk=CHUNK)


def test_another_preprocessing_is_another_audit(network, pictures, tmp_path):
    def wrapped(preprocess: Callable[[NDArray], NDArray]) -> camcore.Network:
        return camcore.wrap(network.model, labels=network.labels, preprocess=preprocess)

    run(wrapped(lambda x: x / 255), pictures, tmp_path)
    assert [step.stage for step in run(wrapped(lambda x: x * (1 / 255)), pictures, tmp_path)] == ["pictures", "done"]
    for other in (lambda x: x / 127.5 - 1, lambda x: x[..., ::-1] / 255):
        assert "with another preprocessing" in refused(wrapped(other), pictures, tmp_path, chunk=CHUNK)
    manifest = read_manifest(tmp_path)  # of a version that did not write it
    write_manifest(tmp_path, replace(manifest, network=replace(manifest.network, preprocessed=())))
    assert run(wrapped(lambda x: x / 127.5 - 1), pictures, tmp_path)[-1].kept == 12


def test_rows_that_nobody_knows_are_refused(network, pictures, tmp_path):
    run(network, pictures, tmp_path)
    (tmp_path / "audit.json").unlink()
    assert "holds rows of an audit, but no audit.json" in refused(network, pictures, tmp_path)
    (tmp_path / "audit.json").write_text("{")
    assert "no manifest" in refused(network, pictures, tmp_path)


def test_a_folder_that_cannot_be_written(network, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(network, pictures, tmp_path / "file")
    assert "cannot be written" in refused(network, pictures, tmp_path / "file" / "out")


def test_a_full_disk_ends_in_a_sentence_and_what_is_done_stays(network, pictures, whole, tmp_path, monkeypatch):
    write = parquet.write_table

    def full(table: pa.Table, where: Path, **options: object) -> None:
        if len(list(where.parent.glob("part-*"))):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(table, where, **options)

    monkeypatch.setattr(schema.pq, "write_table", full)
    with pytest.raises(CamcoreError, match="No space left on device"):
        run(network, pictures, tmp_path)
    monkeypatch.undo()
    first, *_ = run(network, pictures, tmp_path)
    assert first.kept == 4
    assert rows(tmp_path).equals(rows(whole))


def test_arguments_that_cannot_be_used(network, pictures, tmp_path):
    for options, said in (
        ({"method": "scorecam"}, "many passes"),
        ({"method": "none"}, "no method"),
        ({"layer": "none"}, "no layer"),
        ({"framing": "none"}, "no framing"),
        ({"limit": 0}, "limit=0"),
        ({"chunk": 0}, "chunk=0"),
        ({"batch": 0}, "batch=0"),
        ({"workers": -1}, "workers=-1"),
        ({"cluster": "here"}, "cluster='here'"),
    ):
        assert re.search(said, refused(network, pictures, tmp_path / "out", **options), re.IGNORECASE), options
    assert not (tmp_path / "out").exists()


def test_networks_that_cannot_be_audited(pictures, tmp_path):
    x = keras.Input((12, 12, 3))
    flat = keras.Model(x, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))
    assert "no layer with a grid" in refused(camcore.wrap(flat), pictures, tmp_path)
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, activation="relu")(x))
    value = camcore.wrap(keras.Model(x, layers.Dense(1)(y)))
    assert "a regression" in refused(value, pictures, tmp_path)


def test_maps_that_are_zero_everywhere_are_an_audit_without_evidence(pictures, tmp_path):
    x = keras.Input((12, 12, 3))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, activation="relu")(x))
    head = layers.Dense(2, activation="softmax", kernel_initializer="zeros")
    run(camcore.wrap(keras.Model(x, head(y)), labels=["across", "down"]), pictures, tmp_path)
    audit = camcore.open_audit(tmp_path)
    assert [(one.size, one.evidence) for one in audit.groups()] == [(11, False)]
    assert not audit.maps([row["path"] for row in audit.table(["path"]).to_pylist()]).any()
    assert most_alike(tmp_path, [1.0, 0.0]) == ()


# ---- processes


def test_few_pictures_take_no_processes():
    few = [engine.Chunk(n, 256 * n, ("a",) * 256, (0,) * 256) for n in range(3)]
    assert processes.worker_count(few, None) == 0
    assert processes.worker_count(few, 8) == 3
    assert processes.worker_count(few * 3, None) >= 1


def test_a_script_that_would_run_again_takes_none(network, pictures, tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    main = ModuleType("__main__")
    main.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", main)
    script.write_text("import camcore\n")
    many = [engine.Chunk(n, 256 * n, ("a",) * 256, (0,) * 256) for n in range(9)]
    assert processes.worker_count(many, None) == 0
    assert 'if __name__ == "__main__"' in refused(network, pictures, tmp_path / "out", workers=2)
    script.write_text('import camcore\nif __name__ == "__main__":\n    pass\n')
    assert processes.worker_count(many, None) >= 1
    processes.check_workers(2)
