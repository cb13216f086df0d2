"""Weight randomisation: which layers, what is compared, and that the user's network is left alone."""

from dataclasses import replace

import numpy as np
import pytest
from networks import flat, images, nested
from scipy.stats import spearmanr

import camcore
from camcore.errors import CamcoreError, MethodError
from camcore.heatmaps.refine import on_input
from camcore.metrics.sanity import copies, counted_spearman, estimate, randomisation, randomised, stages

_PIC = camcore.Picture.from_array(np.random.default_rng(3).integers(0, 256, (16, 14, 3), np.uint8))


def wrapped(model=None):
    return camcore.wrap(model or flat(), preprocess=lambda rgb: np.asarray(rgb, np.float64) / 128 - 1)


def test_layers_are_randomised_from_the_output_downwards():
    net = wrapped()
    x = images(1)
    A = net.tap(x, ["features"]).activations["features"]
    head_only, deeper = randomised(net, 1), randomised(net, 2)
    assert np.array_equal(head_only.tap(x, ["features"]).activations["features"], A)
    assert not np.array_equal(deeper.tap(x, ["features"]).activations["features"], A)
    assert np.array_equal(deeper.tap(x, ["conv1"]).activations["conv1"], net.tap(x, ["conv1"]).activations["conv1"])
    # Cascading: the fresh head is the same one, whatever else is fresh.
    zeros = np.zeros_like(A)
    assert np.array_equal(head_only.head("features")(x, zeros + 1), deeper.head("features")(x, zeros + 1))
    assert np.array_equal(randomised(net, 0).logits(x), net.logits(x))


def test_seeds_differ_and_repeat():
    net = wrapped()
    x = images(1)
    assert np.array_equal(randomised(net, seed=1).logits(x), randomised(net, seed=1).logits(x))
    assert not np.array_equal(randomised(net, seed=1).logits(x), randomised(net, seed=2).logits(x))


def test_the_figures_compare_the_two_maps():
    net = wrapped(nested())
    (m,) = camcore.explain(net, _PIC, "hirescam", classes=2, framing="stretch")
    *_, last = randomisation(net, _PIC, m)
    assert [one.layers for one in last.results] == [1, 2, 3]
    for one in last.results:
        (again,) = camcore.explain(randomised(net, one.layers), _PIC, "hirescam", classes=2, framing="stretch")
        assert one.values == pytest.approx(again.values, abs=1e-6)
        if again.values.any():
            wanted = spearmanr(on_input(m).ravel(), on_input(again).ravel()).statistic
            assert one.spearman == pytest.approx(wanted, abs=1e-6)
        assert one.probability == pytest.approx(again.probability, abs=1e-9)
        assert one.sureness >= one.probability
    assert [one.layer for one in last.results] == ["scores", "features", "conv1"]


def test_a_map_that_does_not_look_survives():
    net = wrapped()
    (m,) = camcore.explain(net, _PIC, "centre", classes=2)
    *_, last = copies(net, _PIC, m, 2)
    assert [one.spearman for one in last.results] == pytest.approx([1, 1])
    assert [one.layers for one in last.results] == [3, 3]


def test_flat_maps_count():
    flat_map, ramp = np.zeros((3, 3)), np.arange(9.0).reshape(3, 3)
    assert counted_spearman(flat_map, flat_map + 1) == 1
    assert counted_spearman(flat_map, ramp) == counted_spearman(ramp, flat_map) == 0
    assert counted_spearman(ramp, -ramp) == pytest.approx(-1)


@pytest.mark.parametrize("method", ["gradcam", "scorecam", "reciprocam", "fullgrad", "eigencam", "smoothgradcam++"])
def test_every_family_can_be_randomised_and_the_model_stays(method):
    model = flat()
    net = wrapped(model)
    before = [value.copy() for value in model.get_weights()]
    options = {"smoothgradcam++": {"n": 3}} if method == "smoothgradcam++" else None
    (m,) = camcore.explain(net, _PIC, method, classes=1, options=options)
    *_, last = copies(net, _PIC, m, 1)
    assert last.results[0].values.shape == m.values.shape
    assert last.done == last.total == estimate(net, m, 1)
    (after,) = camcore.explain(net, _PIC, method, classes=1, options=options)
    assert np.array_equal(after.raw, m.raw)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_closing_stops_and_leaves_everything_as_it_was():
    net = wrapped()
    (m,) = camcore.explain(net, _PIC, "gradcam", classes=1)
    wanted = net.logits(images(1))
    steps = randomisation(net, _PIC, m)
    next(steps)
    steps.close()
    assert np.array_equal(net.logits(images(1)), wanted)


def test_stages_are_even():
    assert stages(105, 8)[0] == 1
    assert stages(105, 8)[-1] == 105
    assert len(stages(105, 8)) == 8
    assert stages(3, 8) == (1, 2, 3) == stages(3, None)


def test_what_cannot_be_is_refused():
    net = wrapped()
    with pytest.raises(CamcoreError, match="it has 3 with weights"):
        randomised(net, 4)
    (m,) = camcore.explain(net, _PIC, "gradcam", classes=1)
    with pytest.raises(CamcoreError, match="cannot be judged with"):
        randomisation(net, _PIC, replace(m, network="another"))
    for run in (randomisation, copies):
        with pytest.raises(MethodError, match="fused from several layers"):
            run(net, _PIC, camcore.fuse([m]))
