"""The compact classifier: its grid, its head, and that CAM is exact on it."""

import numpy as np
import pytest

import camcore
from camcore.models.gap_classifier import gap_classifier


@pytest.mark.parametrize(("size", "widths", "grid"), [(32, (8, 16), 4), (64, (8, 16, 24), 4), (48, (8,), 12)])
def test_every_stage_halves_the_grid(size: int, widths: tuple[int, ...], grid: int) -> None:
    model = gap_classifier(size, 8, widths, (1,) * len(widths), outputs=1)
    net = camcore.wrap(model)
    assert net.layer(net.default_layer).grid == (grid, grid)


@pytest.mark.parametrize("outputs", [1, 3])
def test_cam_adds_up_to_the_logit(outputs: int) -> None:
    rng = np.random.default_rng(0)
    model = gap_classifier(32, 8, (8, 16), (1, 2), outputs)
    for variable in model.weights:  # also the statistics of the normalisation: none is what it begins with
        sign = 1 if "variance" in variable.path else rng.choice([-1, 1], variable.shape)
        variable.assign(sign * rng.uniform(0.2, 0.6, variable.shape))
    net = camcore.wrap(model)
    picture = camcore.Picture.from_array(rng.integers(0, 255, (32, 32, 3), np.uint8))
    classes = range(net.classes)
    logits = net.logits(net.prepare(picture)[0])[0]
    for m in camcore.explain(net, picture, methods=["cam"], classes=list(classes)):
        assert float(m.raw.mean()) + m.offset == pytest.approx(float(logits[m.class_index]), rel=1e-4, abs=1e-4)
