"""Stages of training: each is what the network says with that checkpoint's weights."""

from __future__ import annotations

import numpy as np
import pytest

import camcore
from camcore.features.checkpoints import CheckpointNetwork
from camcore.heatmaps.evidence import evidence
from camcore.models import saved
from camcore.models.gap_classifier import gap_classifier
from camcore.models.weights_saving import save_weights
from camcore.models.wrap import wrap
from camcore.training.runs import Run

ARCHITECTURE = {"size": 32, "stem": 4, "widths": [6, 8], "blocks": [1, 1], "outputs": 1}
PICTURE = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> saved.SavedNetwork:
    folder = tmp_path_factory.mktemp("forming") / "small"
    model, run, rng = gap_classifier(**ARCHITECTURE), Run(folder, {}), np.random.default_rng(1)
    for epoch in (1, 3):
        model.set_weights([w + rng.normal(0, 0.1, w.shape) ** 2 for w in model.get_weights()])
        save_weights(model, run.checkpoint_path(epoch), half=False)
    model.set_weights([w * 1.1 for w in model.get_weights()])
    return saved.write(
        folder,
        model,
        name="small",
        architecture={"builder": "gap_classifier", **ARCHITECTURE},
        input_size=(32, 32),
        preprocessing="tf",
        labels=["cat", "dog"],
        trained={},
    )


def test_each_stage_is_the_network_with_those_weights(network):
    forming = CheckpointNetwork(network)
    stages = list(forming.of(PICTURE, [0, 1]))
    assert [stage.epoch for stage in stages] == [1, 3, None]
    for stage, (_, weights) in zip(stages, forming.stages, strict=True):
        built = saved.open_saved(network, weights)
        more = {"labels": built.labels, "preprocess": built.preprocess, "framing": built.framing}
        alone = wrap(built.model, input_size=(32, 32), **more)
        for found, wanted in zip(stage.evidence, evidence(alone, PICTURE), strict=True):
            assert found.logit == pytest.approx(wanted.logit, abs=1e-5)
            np.testing.assert_allclose(found.map, wanted.map, atol=1e-5)
            assert found.residual == pytest.approx(0, abs=1e-4)
    assert len({round(stage.evidence[0].logit, 4) for stage in stages}) == 3, "the stages differ"


def test_another_picture_after_it(network):
    forming = CheckpointNetwork(network)
    first = [s.evidence[0].logit for s in forming.of(PICTURE, [0])]
    other = camcore.Picture.from_array(np.full((40, 40, 3), 200, np.uint8))
    list(forming.of(other, [0]))
    assert [s.evidence[0].logit for s in forming.of(PICTURE, [0])] == first
