"""The bundled classifiers: what their cards say holds, on real pictures, and CAM is exact on them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shared_data import shared
from skimage import data as samples

import camcore
from camcore.evaluation.measures import accuracy
from camcore.evaluation.predict import Predictions, predict_folder
from camcore.evaluation.record import read_record
from camcore.evaluation.table import read_csv
from camcore.heatmaps.evidence import evidence
from camcore.metrics.localisation import energy_share
from camcore.models.description import described
from camcore.models.pickling import weights_hash
from camcore.training.folders import balanced_sample, opened, read_folder
from camcore.training.runs import read_log

MODELS = Path(__file__).resolve().parents[1] / "models"


@pytest.fixture(scope="module", params=["cats_vs_dogs", "cats_vs_dogs_vit"])
def net(request: pytest.FixtureRequest) -> camcore.Network:
    return camcore.load(request.param)


@pytest.fixture
def home(net: camcore.Network) -> Path:
    return MODELS / net.name


def test_it_is_there_without_any_download(net: camcore.Network, home: Path) -> None:
    assert net.labels == ("cat", "dog")
    row = next(row for row in camcore.backbones() if row.name == net.name)
    assert row.weights_state == "bundled"
    assert sum(file.stat().st_size for file in home.rglob("*.weights.h5")) <= 8e6


def test_it_knows_the_first_sample(net: camcore.Network) -> None:
    assert net.predict(camcore.Picture.from_array(samples.chelsea()))[0].label == "cat"


def test_cam_adds_up_to_the_logit_on_twenty_pictures(net: camcore.Network) -> None:
    pictures = balanced_sample(read_folder(shared("cats_dogs", "test")), 10, seed=1)
    assert len(pictures) == 20
    for _, picture in opened(pictures):
        assert isinstance(picture, camcore.Picture)
        logits = net.logits(net.prepare(picture)[0])[0]
        for m in camcore.explain(net, picture, methods=["cam"], classes=[0, 1]):
            assert float(m.raw.mean(dtype=np.float64)) + m.offset == pytest.approx(logits[m.class_index], abs=1e-4)
        cat, dog = evidence(net, picture)
        np.testing.assert_allclose(cat.map, -dog.map, atol=1e-5)


def test_cam_falls_on_the_animals_more_than_their_area_would_have_it(net: camcore.Network) -> None:
    rows = list(csv.DictReader((shared("pets") / "index.csv").open(encoding="utf-8")))[1::39]
    shares = []
    for row in rows:
        mask = np.asarray(Image.open(shared("pets", "masks") / row["mask"])) == 1
        (m,) = camcore.explain(net, camcore.open_picture(shared("pets", "images") / row["file"]), "cam")
        inside, area, _ = energy_share(m.on_picture(), mask)
        shares.append((inside, area))
    inside, area = np.mean(shares, 0)
    assert len(rows) == 12
    assert inside > 1.25 * area


def test_it_is_right_on_more_than_nine_in_ten(net: camcore.Network) -> None:
    pictures = balanced_sample(read_folder(shared("cats_dogs", "test")), 60, seed=0)
    *_, last = predict_folder(net, pictures)
    assert accuracy(last.predictions).value > 0.9


def test_the_bundled_predictions_are_those_of_the_bundled_weights(net: camcore.Network, home: Path) -> None:
    told = read_csv(home / "predictions.csv")
    places = {file: index for index, file in enumerate(told.files)}
    pictures = balanced_sample(read_folder(shared("cats_dogs", "test")), 20, seed=2)
    *_, last = predict_folder(net, pictures)
    found: Predictions = last.predictions
    expected = told.probabilities[[places[file] for file in found.files]]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)


def test_the_evaluation_is_recorded_of_the_bundled_weights(net: camcore.Network, home: Path) -> None:
    recorded = read_record(home / "report.json")
    assert recorded is not None
    assert recorded.weights_sha256 == weights_hash(net)
    assert recorded.is_of(described(home))


def test_the_card_says_what_the_predictions_say(home: Path) -> None:
    told = accuracy(read_csv(home / "predictions.csv"))
    card = (home / "CARD.md").read_text(encoding="utf-8")
    interval = f"95 % interval {100 * told.low:.1f} to {100 * told.high:.1f}"
    assert f"**{100 * told.value:.1f} %** ({told.count} of 1,000; {interval}, Wilson)" in card


def test_the_log_is_the_whole_training(home: Path) -> None:
    record = json.loads((home / "network.json").read_text(encoding="utf-8"))["trained"]
    log = read_log(home)
    assert [line.epoch for line in log] == list(range(1, record["epochs"] + 1))
    assert log[-1].val_accuracy == pytest.approx(record["val_accuracy"])


def test_the_transformers_tokens_are_found_and_every_method_made_for_attention_answers() -> None:
    net = camcore.load("cats_vs_dogs_vit")
    info = net.layer(net.default_layer)
    assert (info.path, info.grid, info.tokens) == ("norm", (12, 12), True)
    assert len(net.attentions.found) == 3
    assert "what the layers up to here found at each place" in net.layer("embedding").caution
    for m in camcore.explain(
        net, camcore.Picture.from_array(samples.chelsea()), ["rollout", "attentiongrad", "legrad"]
    ):
        assert m.raw.shape == (12, 12)
        assert np.isfinite(m.raw).all()
        assert np.ptp(m.raw) > 0
