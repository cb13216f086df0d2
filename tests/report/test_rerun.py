"""Runs made again from their record, in this process and in another one; what was edited ends in a sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import network_folder

import camcore
from camcore.__main__ import main
from camcore.errors import CamcoreError
from camcore.report.archive import to_zip
from camcore.report.document import Item, PictureFile, Report, findings_of
from camcore.report.exports import write_run
from camcore.report.facts import NetworkFacts
from camcore.report.recorded import read_runs
from camcore.report.rerun import _recorded, rerun

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A network of one's own, a photograph, and a run of several maps with variants and refinements."""
    folder = tmp_path_factory.mktemp("rerun")
    net = camcore.load(network_folder(folder / "mine", ("cat", "dog", "horse")))
    rgb = np.random.default_rng(3).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(folder / "photo.png")
    pic = camcore.open_picture(folder / "photo.png")
    options = {"gradcam++": {"variant": "authors"}, "fasterscorecam": {"n": 3}, "finercam": {"against": (0,)}}
    keys = ["gradcam", "gradcam++", "fasterscorecam", "finercam", "fullgrad"]
    maps = camcore.explain(net, pic, keys, classes=[1, 2], framing="letterbox", options=options)
    maps += camcore.explain(net, pic, "layercam", classes=2, framing="letterbox", refine=("aug", "eigen"))
    write_run(folder / "out", net, pic, maps, source=folder / "photo.png")
    return folder


def edited(home, tmp_path, edit):
    shutil.copytree(home / "out", tmp_path / "out")
    path = tmp_path / "out" / "run.json"
    run = json.loads(path.read_text("utf-8"))
    edit(run)
    path.write_text(json.dumps(run), "utf-8")
    return path


def command(path: Path) -> list[str]:
    """What ``python -m camcore run`` prints in a process of its own."""
    call = [sys.executable, "-m", "camcore", "run", str(path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_variants_options_and_refinements_are_the_same_in_another_process(home):
    lines = command(home / "out" / "run.json")
    assert len(lines) == 11
    differences = [float(re.search(r"differs by (\S+)", line)[1]) for line in lines]
    assert max(differences) < 1e-5


def test_a_report_s_zip_is_repeated_from_where_it_was_unpacked(home, tmp_path):
    net = camcore.load(str(home / "mine"))
    items = []
    for framing in ("crop", "stretch"):
        pic = camcore.open_picture(home / "photo.png")
        maps = camcore.explain(net, pic, ["gradcam", "layercam"], framing=framing)
        file = PictureFile.of(pic, (home / "photo.png").read_bytes())
        items.append(Item(file, findings_of(net, pic, maps)))
    zipped = tmp_path / "report.zip"
    zipped.write_bytes(to_zip(Report(tuple(items), "Both")))
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path / "elsewhere")
    again = rerun(tmp_path / "elsewhere" / "run.json")
    assert [one.map.framing for one in again.maps] == ["crop", "crop", "stretch", "stretch"]
    assert max(one.difference for one in again.maps) < 1e-5
    assert not again.notes


def test_the_options_of_a_map_matter(home, tmp_path):
    def edit(run):
        run["maps"] = [one for one in run["maps"] if one["method"] == "gradcam++"]
        run["maps"][0]["options"]["variant"] = "paper"

    first, second = rerun(edited(home, tmp_path, edit)).maps
    assert first.difference > 1e-3
    assert second.difference < 1e-5


def test_of_several_runs_those_that_can_be_had_are_repeated(home, tmp_path):
    def edit(run):
        run["maps"] = run["maps"][:2]
        lost = {**run, "picture": {**run["picture"], "sha256": "0" * 64}}
        runs = [lost, dict(run)]
        run.clear()
        run.update(schema_version=1, runs=runs)

    again = rerun(edited(home, tmp_path, edit))
    assert len(again.maps) == 2
    assert len(again.notes) == 1
    assert "run 1 of 2 cannot be made again: The picture" in again.notes[0]


def test_a_backbone_s_options_are_kept_and_used(tmp_path):
    net = camcore.load("MobileNetV2", weights="random", alpha=0.35)
    assert NetworkFacts.of(net, "random").options == {"alpha": 0.35}
    assert NetworkFacts.of(net, "random").weights_given == "random"


def change(*path, to):
    def edit(run):
        for step in path[:-1]:
            run = run[step]
        run[path[-1]] = to

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change("runs", to=[]), "'runs' holds no run"),
        (change("runs", to=5), "'runs' holds no run"),
        (change("runs", to=[5]), "a run is 5, not an object"),
        (change("maps", to=[]), "'maps' holds no map"),
        (change("maps", 0, to="x"), "a map is 'x', not an object"),
        (change("maps", 0, "class_index", to="one"), "class_index is 'one', not a whole number"),
        (change("maps", 0, "class_index", to=99), "99"),
        (change("maps", 0, "method", to=["gradcam"]), "the method is .*, not text"),
        (change("maps", 0, "method", to="gradcamm"), "Did you mean 'gradcam'"),
        (change("maps", 0, "layer", to="nowhere"), "nowhere"),
        (change("maps", 0, "options", to={"nothing": 1}), "no option 'nothing'"),
        (change("maps", 0, "options", to=[]), "options is .*, not an object"),
        (change("maps", 0, "refine", to="aug"), "refine is 'aug', not a list"),
        (change("maps", 0, "refine", to=["augg"]), "no refinement 'augg'"),
        (change("maps", 0, "csv", to=None), "cannot be read"),
        (change("framing", "name", to="croop"), "Choose 'crop', perhaps"),
        (change("picture", "path", to="x" * 5000), "is not to be found"),
        (change("picture", "path", to=7), "the picture's path is 7, not text"),
        (change("picture", "name", to="a\0b"), "zero byte"),
        (change("network", to=[]), "network is .*, not an object"),
        (change("network", "options", to={"alhpa": 1}), "cannot be loaded as recorded|alhpa"),
        (change("network", "options", to={"progress": 1}), "no option of a backbone"),
        (change("network", "weights_given", to="/nowhere/file.weights.h5"), "file.weights.h5"),
    ],
)  # fmt: skip
def test_an_edited_record_ends_in_a_sentence(home, tmp_path, capsys, edit, message):
    path = edited(home, tmp_path, edit)
    assert main(["run", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert re.search(message, error), error


def test_a_recorded_map_without_numbers_is_no_measure(home, tmp_path):
    path = edited(home, tmp_path, lambda run: None)
    csv = path.parent / json.loads(path.read_text("utf-8"))["maps"][0]["csv"]
    for text in ("nan,nan\n", "", "a,b\n"):
        csv.write_text(text)
        with pytest.raises(CamcoreError, match="nothing to compare with"):
            rerun(path)


def test_deeply_nested_text_is_no_record(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("[" * 100_000)
    with pytest.raises(CamcoreError, match="it is not JSON"):
        rerun(path)


def test_only_plain_files_are_records(tmp_path: Path) -> None:
    """A device would fill the memory, a pipe hang."""
    os.mkfifo(tmp_path / "run.json")
    for path in (Path("/dev/zero"), tmp_path / "run.json"):
        with pytest.raises(CamcoreError, match="cannot be read: it is no plain file"):
            read_runs(path)
    for csv in ("/dev/zero", "run.json", "a\0b"):
        with pytest.raises(CamcoreError, match="so there is nothing to compare with"):
            _recorded(tmp_path / "other.json", csv)
