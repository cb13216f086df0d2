"""The files of the results that come with a network hold what is shown."""

import json
from types import SimpleNamespace

import numpy as np

from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import read_csv
from ui.classifier import quality


def test_files_hold_the_same(tmp_path) -> None:
    rng = np.random.default_rng(1)
    second = rng.random(200)
    files = tuple(f"{i}.jpg" for i in range(200))
    p = Predictions(files, rng.integers(0, 2, 200), np.stack([1 - second, second], 1), ("cat", "dog"))
    assert [chart.key for chart in quality.chart_list(p, 0.3)] == ["scores", "confusion", "roc", "calibration"]
    path = tmp_path / "p.csv"
    path.write_bytes(quality.predictions_csv(p))
    again = read_csv(path)
    assert (again.files, again.probabilities.tolist()) == (p.files, p.probabilities.tolist())
    pets = SimpleNamespace(name="pets", summary="200 pictures", framing="stretch", folder=tmp_path)
    shown = json.loads(quality.figures_json(pets, p, 0.3))
    assert (shown["network"], shown["framing"], shown["pictures"], shown["threshold"]) == ("pets", "stretch", 200, 0.3)
