"""All figures together: against hand-made ones, on every kind of network, with cost, sharing and cancelling."""

from dataclasses import replace

import numpy as np
import pytest
from bright import a_map, counter, picture, probability, shades
from networks import SIZE, TWINS, flat

import camcore
from camcore.errors import CamcoreError, MethodError
from camcore.metrics.faithfulness import METRICS, Settings, case_of, estimate, measure
from camcore.metrics.faithfulness.masking import adcc
from camcore.metrics.faithfulness.stability import noisy

FEW = Settings(METRICS, steps=4, levels=(0.5,), draws=2, randoms=2)


def figures(net, pic, maps, settings=FEW):
    *_, last = measure(net, pic, maps, settings)
    return last.results


def plain(one):
    """All numbers of a result in a row."""
    road = [*one.road.morf, *one.road.lerf] if one.road is not None else []
    curves = [*one.deletion.scores, *one.insertion.scores] if one.deletion is not None else []
    return np.array([one.score, one.complexity, one.masked, one.drop, one.gain, *curves, *road])


def test_masked_figures_by_hand():
    net, grey = counter(), shades()
    pic = picture(grey)
    values = np.random.default_rng(0).random((8, 10)).astype(np.float32)
    first, *_ = figures(net, pic, [a_map(net, pic, values)])
    x = grey / 255
    y, o = probability(x.mean()), probability((x * values).mean())
    assert (first.score, first.masked) == pytest.approx((y, o), abs=1e-6)
    assert first.drop == pytest.approx((y - o) / y, abs=1e-6)
    assert (first.increase, first.gain) == (False, 0)
    # Grad-CAM of the counter is the picture: of the masked picture, the masked picture.
    coherent = (1 + np.corrcoef(values.ravel(), (x * values).ravel())[0, 1]) / 2
    assert first.coherency == pytest.approx(coherent, abs=1e-6)
    assert first.adcc == pytest.approx(adcc(coherent, values.mean(), (y - o) / y), abs=1e-6)


def test_maps_are_compared_as_they_lie_on_the_input():
    """Coherency and sensitivity are of maps upsampled to the input, not of their few cells."""
    net = camcore.wrap(flat(), preprocess=prepared)
    pic = camcore.Picture.from_array(np.random.default_rng(2).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    (m,) = camcore.explain(net, pic, "layercam", classes=2, framing="stretch")
    first, *_ = figures(net, pic, [m], Settings(("masked", "coherency", "sensitivity"), draws=3))
    case = case_of(net, pic, 2, "stretch")

    def drawn(x):
        return replace(m, values=camcore.LayerCAM(net).compute_heatmap(x, 2)).on_picture()

    lit = m.on_picture()
    assert lit.shape == SIZE != m.values.shape
    again = drawn(case.x[0] * lit[..., np.newaxis])
    assert first.coherency == pytest.approx((1 + np.corrcoef(lit.ravel(), again.ravel())[0, 1]) / 2, abs=1e-6)
    moves = [np.linalg.norm(lit - drawn(noisy(case, seed))) / np.linalg.norm(lit) for seed in range(3)]
    assert first.sensitivity == pytest.approx(max(moves), abs=1e-6)


def test_a_map_that_lights_more_gains():
    """A counter of darkness: less light, more score."""
    net, grey = counter(), shades()
    pic = picture(grey)
    (dark,) = camcore.explain(net, pic, "gradcam", classes=0, framing="stretch")
    first, *_ = figures(net, pic, [replace(dark, values=np.full((8, 10), 0.5, np.float32))])
    y, o = 1 - probability(grey.mean() / 255), 1 - probability(grey.mean() / 510)
    assert first.increase
    assert first.drop == 0
    assert first.gain == pytest.approx((o - y) / (1 - y), abs=1e-6)


def test_controls_always_come():
    net, pic = counter(), picture(shades())
    m = a_map(net, pic, np.eye(8, 10))
    found = figures(net, pic, [m])
    assert [(one.name, one.seed, one.control) for one in found] == [
        ("gradcam", None, False),
        ("centre", None, True),
        ("random", 0, True),
        ("random", 1, True),
    ]
    assert [one.sensitivity for one in found[1:]] == [0, 0, 0]  # they do not look at the picture
    assert [one.coherency for one in found[1:]] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_maps_that_are_the_same_everywhere_count(value):
    net, pic = counter(), picture(shades())
    first, *_ = figures(net, pic, [a_map(net, pic, np.full((8, 10), value))])
    assert first.empty == (value == 0)
    assert first.complexity == value
    assert np.isfinite([*plain(first), first.coherency, first.adcc, first.sensitivity]).all()
    if not value:
        assert first.masked == pytest.approx(probability(0), abs=1e-9)  # nothing is left
        assert first.drop == pytest.approx(1 - probability(0) / first.score, abs=1e-6)


def test_a_regression_has_plain_scores_and_no_gain():
    net, pic = counter(activation="linear"), picture(shades())
    first, *_ = figures(net, pic, [a_map(net, pic, shades() / 255)])
    assert first.gain is None
    assert first.deletion.scores[-1] == pytest.approx(-3, abs=1e-9)


def test_only_what_was_asked():
    net, pic = counter(), picture(shades())
    first, *_ = figures(net, pic, [a_map(net, pic, np.eye(8, 10))], Settings(("deletion",), steps=2))
    assert first.deletion is not None
    assert first.masked is first.insertion is first.road is first.coherency is first.sensitivity is first.adcc is None


def prepared(rgb):
    return np.asarray(rgb, np.float64) / 128 - 1


def of_twin(model, index, framing, metrics, **options):
    """The figures of Grad-CAM on a picture that is grey."""
    net = camcore.wrap(model, preprocess=prepared, **options)
    pic = picture(np.random.default_rng(4).integers(0, 256, (20, 14), np.uint8))
    (m,) = camcore.explain(net, pic, "gradcam", classes=index, framing=framing)
    return figures(net, pic, [m], replace(FEW, metrics=metrics))


@pytest.mark.parametrize(
    ("name", "framing"),
    [
        *((name, framing) for name in ("channels first", "logits", "subclassed") for framing in ("crop", "letterbox")),
        ("float32", "stretch"),
        ("grey", "stretch"),  # a letterbox's padding has a colour
    ],
)
def test_every_kind_of_network_gives_the_figures_of_its_reference(name, framing):
    twin = TWINS[name]
    # ROAD's noise is drawn for each colour, so a grey network has another.
    metrics = METRICS[:3] if name == "grey" else METRICS[:4]
    own = of_twin(twin.build(), twin.class_index, framing, metrics, **twin.options)
    other = of_twin(twin.reference(), twin.reference_class, framing, metrics)
    for one, reference in zip(own, other, strict=True):
        assert plain(one) == pytest.approx(plain(reference), abs=30 * max(twin.tolerance, 1e-6))


@pytest.mark.parametrize("name", ["one sigmoid unit, class 0", "multi-label sigmoid", "mixed float16"])
def test_sigmoids_and_half_precision(name):
    twin = TWINS[name]
    for one in of_twin(twin.build(), twin.class_index, "stretch", METRICS, **twin.options):
        assert np.isfinite([*plain(one), one.coherency, one.adcc, one.sensitivity]).all()
    (first, *_) = of_twin(twin.build(), twin.class_index, "stretch", ("masked",), **twin.options)
    assert first.score == pytest.approx(first.map.probability, abs=1e-3 if "mixed" in name else 1e-9)


def test_cost_is_told_and_never_more():
    net, pic = counter(), picture(shades())
    maps = [a_map(net, pic, shades(seed=seed) / 255) for seed in range(2)]
    asked = []
    logits = net.logits
    net.logits = lambda x: asked.append(len(x)) or logits(x)  # type: ignore[method-assign]
    settings = Settings(steps=6, levels=(0.3, 0.6), randoms=2)
    *_, last = measure(net, pic, maps, settings)
    # the picture, black and blurred once; each of five maps: masked, five steps of each curve, two levels of ROAD
    assert estimate(net, maps, settings) == last.done == last.total == 3 + 5 * (1 + 2 * 5 + 4)
    assert sum(asked) == last.total


def test_equal_maps_are_measured_once():
    net, pic = counter(), picture(shades())
    m = a_map(net, pic, shades() / 255)
    asked = []
    logits = net.logits
    net.logits = lambda x: asked.append(len(x)) or logits(x)  # type: ignore[method-assign]
    *_, last = measure(net, pic, [m, replace(m, method="cam")], Settings(steps=6, randoms=1))
    assert np.array_equal(last.results[0].deletion.scores, last.results[1].deletion.scores)
    assert sum(asked) == estimate(net, [m], Settings(steps=6, randoms=1))


def test_closing_stops_the_work():
    net, pic = counter((64, 64)), picture(shades((64, 64)))
    asked = []
    logits = net.logits
    net.logits = lambda x: asked.append(len(x)) or logits(x)  # type: ignore[method-assign]
    steps = measure(net, pic, [a_map(net, pic, shades((64, 64)) / 255)], Settings(("deletion",), steps=1000))
    assert not asked
    next(steps)
    steps.close()
    assert len(asked) == 1


def test_what_cannot_be_measured_is_refused_at_the_call():
    net, pic = counter(), picture(shades())
    m = a_map(net, pic, np.eye(8, 10))
    with pytest.raises(CamcoreError, match="no map to judge"):
        measure(net, pic, [])
    with pytest.raises(CamcoreError, match=r"no figure 'delition'.*'deletion', perhaps"):
        measure(net, pic, [m], Settings(("delition",)))
    with pytest.raises(CamcoreError, match="randoms=0"):
        measure(net, pic, [m], Settings(randoms=0))
    with pytest.raises(MethodError, match="fused from several layers"):
        measure(net, pic, [camcore.fuse([m])], Settings(("coherency",)))
    *_, last = measure(net, pic, [camcore.fuse([m])], Settings(("deletion",), steps=2))
    assert last.results[0].deletion is not None
