"""The Train page's logic, run by Streamlit's own test runner, with a small stand-in for the process that trains."""

import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import app_pages
import numpy as np
import pytest
from app_pages import headline, html, run, text, visit
from labelled import make_folder
from PIL import Image
from small import network_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.evaluation.held_out import held_out_pictures
from camcore.evaluation.predict import predict_folder
from camcore.text import counted
from camcore.training.runs import Run, RunProgress
from ui.training import runs as training_runs

STAND_IN = """
import sys, time
from camcore.training.runs import Epoch, RunProgress, Run, Stopped, read_log
folder = sys.argv[sys.argv.index("--out") + 1]
if "refuse" in folder:
    sys.exit("error: Something <b>is wrong</b> with *this*.")
run = Run(folder, {"pictures": sys.argv[1], "classes": ["cat", "dog"], "epochs": 3})
try:
    for epoch in range(len(read_log(run.folder)) + 1, 4):
        for step in range(1, 5):
            run.report(RunProgress("training", "", epoch, 3, step, 4, 20.0))
            for _ in range(100 if "slow" in folder else 1):
                run.check_stop()
                time.sleep(0.05)
        run.log(Epoch(epoch, 64, 1e-3, 1 / epoch, 0.5, 1 / epoch, 0.5 + epoch / 10, 0.2))
    run.report(RunProgress("done", "", 3, 3))
except Stopped:
    run.report(RunProgress("stopped"))
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CAMCORE_WEIGHTS", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(training_runs, "PROGRAM", (sys.executable, "-c", STAND_IN))
    yield tmp_path / "home"
    for left in training_runs.listed():
        training_runs.end(left)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return fill(tmp_path / "pets", cat=6, dog=5, rare=3)


def fill(root: Path, **classes: int) -> Path:
    for name, number in classes.items():
        (root / name).mkdir(parents=True)
        for i in range(number):
            Image.fromarray(np.full((16, 16, 3), i, np.uint8)).save(root / name / f"{i}.png")
    return root


page = partial(visit, "pages/train.py")


def until(at: AppTest, there: Callable[[AppTest], Any]) -> AppTest:
    """Run the script at least once, as after a press, and on until what is waited for is there."""
    return app_pages.until(run(at), there)


def start_button(at: AppTest) -> Any:
    return at.button(key="start")


def ready(at: AppTest) -> bool:
    return not start_button(at).disabled


def started(pictures: Path, name: str) -> AppTest:
    at = until(page(data=pictures, name=name), ready)
    start_button(at).click()
    return run(at)


def test_opens_with_what_a_folder_looks_like() -> None:
    at = page()
    assert headline(at) == "Train a network on pictures of your own"
    assert "daisy" in at.code[0].value
    assert start_button(at).disabled
    assert "Name the folder" in text(at)
    assert at.selectbox(key="backbone").value == "scratch", "no other one has its weights here"


def test_a_folder_is_counted_and_small_classes_are_left_out(pictures: Path) -> None:
    at = page()
    at.text_input(key="data").set_value(str(pictures))
    until(at, lambda at: "3 classes, 14 pictures. Every one can be opened." in text(at).replace("*", ""))
    assert at.multiselect[0].value == ["cat", "dog"]
    assert "fewer than 4 pictures: rare" in text(at)
    assert at.query_params["data"] == str(pictures)
    at.multiselect[0].set_value(["cat", "dog", "rare"])
    assert "“rare” has 3 pictures" in text(run(at))
    assert start_button(at).disabled
    at.multiselect[0].set_value(["cat"])
    assert "at least two" in text(run(at))


def test_damaged_files_are_named(pictures: Path) -> None:
    (pictures / "cat" / "<b>cut.png").write_bytes((pictures / "cat" / "0.png").read_bytes()[:40])
    (pictures / "dog" / "notes.txt").write_text("words")
    at = until(page(data=pictures), lambda at: "will be left out" in text(at))
    assert "1 damaged file will be left out" in text(at)
    assert "1 other file will be left out" in text(at)
    assert "cut.png" in text(at)


@pytest.mark.parametrize("make", ["nothing", "empty", "one class", "file"])
def test_a_wrong_folder_is_told_in_words(make: str, tmp_path: Path) -> None:
    root = tmp_path / "wrong"
    if make == "empty":
        root.mkdir()
    elif make == "one class":
        fill(root, cat=9)
    elif make == "file":
        root.write_text("words")
    at = until(page(data=root), lambda at: "This folder cannot be used" in text(at))
    assert start_button(at).disabled


@pytest.mark.parametrize(("name", "said"), [("../x", "cannot be a folder"), ("vgg16", "is taken"), ("new", "is taken")])
def test_a_wrong_name_is_told_in_words(name: str, said: str, pictures: Path) -> None:
    at = until(page(data=pictures, name=name), lambda at: said in text(at))
    assert start_button(at).disabled


def test_a_link_with_wrong_choices_says_so() -> None:
    at = page(run="nowhere", backbone="MobileNet9", epochs="many")
    assert "There is no run “nowhere”" in text(at)
    assert "“MobileNet9”" in text(at)
    assert "“many”" in text(at)


def test_from_start_to_end(pictures: Path) -> None:
    at = started(pictures, "quick")
    assert at.query_params["run"] == "quick"
    until(at, lambda at: headline(at).startswith("“quick” is ready"))
    assert at.radio(key="run_list").options == ["Train a new network", "quick"]
    assert "best 80 %, epoch 3" in text(at)
    assert "model=quick" in [link.proto.query_string for link in at.get("page_link")]
    again = page(run="quick")
    assert headline(again).startswith("“quick” is ready")
    again.radio(key="run_list").set_value("new")
    assert headline(run(again)) == "Train a network on pictures of your own"


def test_stop_resume_and_reload(pictures: Path) -> None:
    at = until(started(pictures, "slow"), lambda at: "is training" in headline(at))
    assert "about 20 s left" in at.get("progress")[0].proto.text
    at = page()
    assert "“slow” is training" in headline(at), "without a choice, the page opens on the run that is at work"
    at.radio(key="run_list").set_value("new")
    assert "“slow” is training. One at a time" in text(until(at, lambda at: "One at a time" in text(at)))
    assert start_button(at).disabled
    at.radio(key="run_list").set_value("slow")
    run(at).button(key="stop_run").click()
    until(at, lambda at: "was stopped" in headline(at))
    at.button(key="resume_run").click()
    until(at, lambda at: "is training" in headline(at))


def test_an_interrupted_run_can_be_resumed(pictures: Path) -> None:
    at = until(started(pictures, "slow"), lambda at: "is training" in headline(at))
    (found,) = training_runs.listed()
    training_runs.end(found)
    until(at, lambda at: "was interrupted" in headline(at))
    assert "was killed, or the machine was restarted" in text(at)
    at.button(key="resume_run").click()
    until(at, lambda at: "is training" in headline(at))


def test_a_failure_is_told_escaped_and_can_be_cleared_away(pictures: Path) -> None:
    at = until(started(pictures, "refuse"), lambda at: "failed" in headline(at))
    assert "Something &lt;b&gt;is wrong" in html(at)
    at.button(key="delete_run_really").click()
    assert headline(run(at)) == "Train a network on pictures of your own"
    assert training_runs.listed() == ()


def test_a_home_that_cannot_be_written_is_told(pictures: Path, home: Path) -> None:
    home.write_text("no folder")
    at = started(pictures, "quick")
    assert "It did not start" in text(at)
    assert "cannot be written" in text(at)


def test_a_zip_file_becomes_the_folder(pictures: Path, home: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in pictures.rglob("*.png"):
            archive.write(path, path.relative_to(pictures))
    at = page()
    at.file_uploader[0].upload("my pets.zip", file.getvalue())
    run(at)
    assert at.text_input(key="data").value == str(home / "pictures" / "my-pets")
    until(at, ready)
    at.file_uploader[0].upload("bad.zip", b"words")
    assert "This ZIP file was not taken" in text(run(at))
    assert at.text_input(key="data").value == str(home / "pictures" / "my-pets")


def test_a_finished_network_shows_the_held_out_pictures_that_it_gets_wrong(home: Path, tmp_path: Path) -> None:
    pictures = make_folder(tmp_path / "pictures", {"across": 10, "down": 10})
    folder = Path(network_folder(home / "networks" / "lines", ["across", "down"]))
    done = Run(folder, {"pictures": str(pictures), "classes": ["across", "down"], "held_out": 0.5, "seed": 1})
    done.report(RunProgress("done", "", 1, 1))
    *_, step = predict_folder(camcore.load("lines"), held_out_pictures(folder))
    wrong = int((step.predictions.predicted() != step.predictions.labels).sum())
    told = f"{counted(wrong, 'mistake')} on 10 held-out pictures" if wrong else "right on all 10 held-out pictures"
    at = app_pages.until(page(run="lines"), lambda at: told in text(at), 40)
    assert html(at).count("with its map") == min(wrong, 8)
