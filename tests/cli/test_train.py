"""``python -m camcore train``: its recipe, and that a run killed half-way is taken up by the same command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from labelled import make_folder

import camcore
from camcore.__main__ import main
from camcore.evaluation.held_out import held_out, held_out_pictures
from camcore.models import saved
from camcore.training.runs import read_log

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """{"size": 32, "stem": 8, "widths": [8, 16], "blocks": [1, 1], "stages": [[1.0, 32]], "batch": 16,
"rate": 0.01, "warmup": 1.0, "views": 1, "held_out": 0.2, "epochs": 6, "seed": 5}"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures", {"across": 40, "down": 40})


def test_killed_half_way_the_same_command_goes_on(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.json").write_text(RECIPE)
    arguments = ["train", str(pictures), "--out", str(tmp_path / "run"), "--recipe", str(tmp_path / "recipe.json")]
    process = subprocess.Popen(
        [sys.executable, "-m", "camcore", *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 2:" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    kept = len(read_log(tmp_path / "run"))
    assert 2 <= kept < 6
    assert not (tmp_path / "run" / "network.json").exists()

    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "run: " in told.out
    assert "epoch 1:" not in told.err
    assert "epoch 6:" in told.err
    assert f"right on its held-out pictures: {held_out(saved.read(tmp_path / 'run').trained).in_words}" in told.out
    assert sorted(held_out_pictures(tmp_path / "run").counts.items()) == [("across", 8), ("down", 8)]
    assert [line.epoch for line in read_log(tmp_path / "run")] == list(range(1, 7))
    picture = next((pictures / "down").iterdir())
    assert camcore.load(tmp_path / "run").predict(camcore.open_picture(picture))[0].label == "down"

    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "finished before" in told.out
    assert "epoch" not in told.err


def test_an_interrupt_ends_with_its_own_status(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("camcore.cli.train._follow", interrupted)
    assert main(["train", str(pictures), "--out", str(tmp_path / "run"), "--epochs", "1"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "-1"], "seed is -1"),
        (["--size", "5000"], "at most 1024 pixels"),
        (["--epochs", "0"], "epochs and views must be at least 1"),
        (["--seed", "-1", "--backbone", "MobileNetV2"], "seed is -1"),
        (["--size", "20", "--backbone", "MobileNetV2"], "size is 20"),
        (["--fine-tune", "2"], "Name the backbone"),
        (["--teacher", "MobileNet", "--backbone", "MobileNetV2"], "goes with training from nothing"),
        (["--recipe", "nowhere.json"], "cannot be read"),
        (["--classes", "across", "downn"], "Did you mean 'down'"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["train", str(pictures), "--out", str(tmp_path / "run"), *options]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_seed_of_zero_is_taken_before_the_recipes(tmp_path: Path) -> None:
    from camcore.__main__ import _parser
    from camcore.cli.train import chosen_recipe

    (tmp_path / "recipe.json").write_text(RECIPE)
    given = ["train", "pictures", "--out", "run", "--recipe", str(tmp_path / "recipe.json")]
    assert chosen_recipe(_parser().parse_args(given)).seed == 5
    assert chosen_recipe(_parser().parse_args([*given, "--seed", "0"])).seed == 0
