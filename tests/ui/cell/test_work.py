"""Looking through a folder goes on where it was stopped, and channels are sampled evenly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small import network_folder

import camcore
from ui.cell.work import CHANNELS, patches_work, sample
from ui.jobs.job import Job
from ui.query import NetworkKey

KEY = NetworkKey("pets")


@pytest.mark.parametrize("channels", [1, 5, CHANNELS, CHANNELS + 1, 320, 1280])
def test_the_sample_is_even(channels: int) -> None:
    drawn = np.array(sample(channels))
    assert len(set(drawn)) == min(channels, CHANNELS)
    assert drawn.max() < channels
    gaps = np.diff([*drawn, channels])
    assert gaps.max() - gaps.min() <= 1


def test_stopped_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camcore.features.patches.BATCH", 2)
    net = camcore.load(network_folder(tmp_path / "pets", ["cat", "dog"]))
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(6):
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(folder / f"{n}.png")
    asked: list[Any] = []
    seen = net.tap
    monkeypatch.setattr(net, "tap", lambda x, *more, **options: asked.append(len(x)) or seen(x, *more, **options))
    work = patches_work(KEY, net.default_layer, "crop", str(folder))
    first = work.steps(net, Job(work))
    next(first)
    next(first)
    first.close()
    again = [
        part.value.done for part in patches_work(KEY, net.default_layer, "crop", str(folder)).steps(net, Job(work))
    ]
    assert again == [6]
    assert asked == [2, 2, 2], "no picture twice"
    known = list(work.steps(net, Job(work)))
    assert [part.value.done for part in known] == [6]
    assert asked == [2, 2, 2]
    assert work == patches_work(KEY, net.default_layer, "crop", str(folder))
    assert work != patches_work(KEY, net.default_layer, "stretch", str(folder))
