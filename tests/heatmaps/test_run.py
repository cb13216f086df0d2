"""explain, stream and estimate: what is asked, in which order it comes, what it costs, and how it stops."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
from cheap import CHEAP, GENERAL
from networks import GRID, SIZE, TWINS, conv1, conv2, dense, flat, gap, settle, shared_twice, weights

import camcore
from camcore.methods import METHODS

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
K = {"conv1": 4, "features": 6}


def prepared(x: np.ndarray) -> np.ndarray:
    return x / 127.5 - 1


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=prepared)


@pytest.fixture
def two_at_a_time(monkeypatch):
    """Chunks of two masked passes."""
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])


@pytest.fixture
def passes(network, monkeypatch) -> list[int]:
    """How many masked pictures each call of the network took."""
    counted: list[int] = []
    real = network.masked_logits

    def counting(x: Any, maps: Any, *more: Any) -> Any:
        counted.append(len(maps))
        return real(x, maps, *more)

    monkeypatch.setattr(network, "masked_logits", counting)
    return counted


def by_question(maps: Any) -> dict[tuple[str, str, int], Any]:
    return {(m.method, m.layer, m.class_index): m for m in maps}


# ---- explain


def test_every_method_at_every_layer_for_every_class_in_that_order(network):
    methods = [key for key in GENERAL if key != "cam"]
    found = camcore.explain(network, PIC, methods, layers=["conv1", "features"], classes=[3, 0], options=CHEAP)
    wanted = [
        (k, path, c)
        for k in methods
        for path in ((None,) if METHODS[k].layer_free else ("conv1", "features"))
        for c in (3, 0)
    ]
    assert [(m.method, m.layer, m.class_index) for m in found] == wanted


def test_each_map_is_what_it_is_alone(network):
    methods = [key for key in GENERAL if key != "cam"]
    both = ["conv1", "features"]
    together = by_question(camcore.explain(network, PIC, methods, layers=both, classes=range(4), options=CHEAP))
    for (key, path, c), m in together.items():
        (alone,) = camcore.explain(network, PIC, key, layers=path, classes=c, options={key: CHEAP.get(key, {})})
        np.testing.assert_allclose(m.raw, alone.raw, rtol=0, atol=1e-6 * np.abs(alone.raw).max())
        np.testing.assert_allclose(m.values, alone.values, atol=1e-6)
        assert (m.warning, m.logit, m.probability) == (alone.warning, alone.logit, alone.probability)


def test_what_a_map_carries(network):
    x, frame = network.prepare(PIC, "letterbox")
    logits = network.logits(x)[0]
    p = np.asarray(network.model(x.astype(np.float64)))[0]
    (m,) = camcore.explain(network, PIC, ["hirescam"], classes=2, framing="letterbox")
    assert (m.method, m.layer, m.class_index, m.label) == ("hirescam", "features", 2, "c")
    assert m.logit == pytest.approx(logits[2], rel=1e-9)
    assert m.probability == pytest.approx(p[2], rel=1e-9)
    assert m.raw.shape == m.values.shape == GRID
    assert m.raw.dtype == m.values.dtype == np.float32
    assert m.seconds > 0
    assert m.evidence == pytest.approx(m.raw.sum(dtype=np.float64))
    assert m.evidence + m.offset == pytest.approx(m.logit, rel=1e-6)
    assert (m.passes, m.refine) == (2, ())
    assert m.network == "flat"
    assert (m.framing, m.frame) == ("letterbox", frame)
    assert m.cells == network.layer("features").cells(SIZE)
    assert m.options == {}
    found = network.tap(x, ["features"], [2])
    wanted = (found.activations["features"] * found.gradients[0]["features"]).sum(axis=-1)[0]
    np.testing.assert_allclose(m.raw, wanted, rtol=1e-5, atol=1e-7)
    drawn = m.on_picture()
    assert drawn.shape == (40, 60)
    assert drawn.dtype == np.float32


def test_on_picture_is_nan_exactly_where_nothing_was_seen(network):
    for framing in ("crop", "stretch", "letterbox"):
        (m,) = camcore.explain(network, PIC, framing=framing)
        top, left, bottom, right = m.frame.seen
        seen = ~np.isnan(m.on_picture())
        y, x = np.arange(40) + 0.5, np.arange(60) + 0.5
        np.testing.assert_array_equal(
            seen, ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right)), err_msg=framing
        )


def test_defaults(network):
    """Grad-CAM, the default layer, the class the network says, its own framing."""
    (m,) = camcore.explain(network, PIC)
    top = network.predict(PIC)[0]
    assert (m.method, m.layer, m.class_index, m.framing) == ("gradcam", "features", top.index, "stretch")
    assert (m.logit, m.probability, m.label) == (top.logit, top.probability, top.label)
    for methods in (["scorecam"], ["gradcam", "scorecam"], "cam"):
        for found in camcore.explain(network, PIC, methods):
            assert found.class_index == top.index


def test_repetitions_are_asked_once(network):
    found = camcore.explain(
        network, PIC, ["gradcam", "gradcam"], layers=["features", "features"], classes=[1, 1, np.int64(1)]
    )
    assert len(found) == 1


def test_layers_as_objects_and_names(network):
    layer = network.model.get_layer("conv1")
    for asked in ("conv1", layer, ["conv1"], (layer,), [layer, "conv1"]):
        assert [m.layer for m in camcore.explain(network, PIC, layers=asked)] == ["conv1"]


def test_options_reach_their_method(network):
    options = {"gradcam++": {"variant": "authors"}, "fasterscorecam": {"n": 2}}
    found = {
        m.method: m for m in camcore.explain(network, PIC, ["gradcam++", "fasterscorecam"], classes=1, options=options)
    }
    assert found["gradcam++"].options == {"variant": "authors"}
    assert found["fasterscorecam"].options == {"n": 2, "variant": "paper"}
    x, _ = network.prepare(PIC)
    np.testing.assert_allclose(
        found["gradcam++"].raw, camcore.GradCAMPlusPlus(network, variant="authors").compute_heatmap(x, 1, raw=True)
    )
    np.testing.assert_allclose(
        found["fasterscorecam"].raw, camcore.FasterScoreCAM(network, n=2).compute_heatmap(x, 1, raw=True), rtol=1e-5
    )


def test_cam_comes_with_its_offset(network):
    w = weights()
    for m in camcore.explain(network, PIC, "cam", classes=range(4)):
        assert m.offset == pytest.approx(w.b[m.class_index], rel=1e-6)


def test_cam_is_left_out_where_it_is_not_defined(network):
    with pytest.warns(UserWarning, match=r"CAM is defined only at 'features'; left out at 'conv1'"):
        found = camcore.explain(network, PIC, ["cam", "gradcam"], layers=["conv1", "features"])
    assert [(m.method, m.layer) for m in found] == [
        ("cam", "features"), ("gradcam", "conv1"), ("gradcam", "features"),
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        camcore.explain(network, PIC, ["cam", "gradcam"])
    with pytest.raises(camcore.MethodError, match="CAM is not defined for flat at 'conv1'"):
        camcore.explain(network, PIC, ["cam", "gradcam"], layers="conv1")


def test_a_signed_map_that_speaks_against_says_so(network):
    found = camcore.explain(network, PIC, ["hirescam"], classes=range(4))
    for m in found:
        against = np.maximum(-m.raw, 0).sum() > np.maximum(m.raw, 0).sum()
        assert ("against the class" in (m.warning or "")) == (against and m.values.any())


@pytest.mark.parametrize(
    "name", ["two outputs, dict, by name", "shared layer called twice", "one sigmoid unit, class 0"]
)
def test_other_networks(name):
    """Of a picture as of an input: what tests/graph/test_twins.py says of all methods and networks."""
    twin = TWINS[name]
    methods = ["gradcam", "hirescam", "scorecam"]
    one = camcore.explain(
        camcore.wrap(twin.build(), **twin.options, preprocess=prepared), PIC, methods, classes=twin.class_index
    )
    other = camcore.explain(
        camcore.wrap(twin.reference(), preprocess=prepared), PIC, methods, classes=twin.reference_class
    )
    for m, wanted in zip(one, other, strict=True):
        np.testing.assert_allclose(m.raw, wanted.raw, rtol=0, atol=1e-6 * np.abs(wanted.raw).max(), err_msg=m.method)


def test_both_calls_of_a_shared_layer():
    network = camcore.wrap(shared_twice(), preprocess=prepared)
    flat_twin = camcore.wrap(shared_twice(False), preprocess=prepared)
    for call, layer in [("mid#1", "mid"), ("mid#2", "mid_b"), ("mid", "mid_b")]:
        (m,) = camcore.explain(network, PIC, layers=call, classes=1)
        (wanted,) = camcore.explain(flat_twin, PIC, layers=layer, classes=1)
        np.testing.assert_allclose(m.raw, wanted.raw, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "reciprocam", "fullgrad"])
def test_a_network_that_was_trained_in_between_is_explained_as_it_is_now(method):
    x = keras.Input((*SIZE, 3))
    skipped = conv1("float32")(x)
    y = keras.layers.Activation("tanh", name="t")(skipped)
    y = conv2("float32")(keras.layers.Add()([skipped, y]))
    model = settle(keras.Model(x, dense("float32")(gap("float32")(y))))
    network = camcore.wrap(model, preprocess=prepared)
    layers = ["t", "features"]
    camcore.explain(network, PIC, method, layers, classes=1)
    model.set_weights([weight * 1.5 + 0.1 for weight in model.get_weights()])
    again = camcore.explain(network, PIC, method, layers, classes=1)
    anew = camcore.explain(camcore.wrap(model, preprocess=prepared), PIC, method, layers, classes=1)
    for one, other in zip(again, anew, strict=True):
        np.testing.assert_allclose(one.raw, other.raw, rtol=1e-4, atol=1e-6, err_msg=one.layer)


# ---- refusals


@pytest.mark.parametrize("ask", [camcore.explain, camcore.stream])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"methods": "gradcamm"}, camcore.MethodError, "no method 'gradcamm'. Did you mean 'gradcam"),
        ({"methods": ["gradcam", "zzz"]}, camcore.MethodError, "no method 'zzz'. The methods: cam, "),
        ({"methods": []}, camcore.MethodError, "No method was asked for. Name at least one, such as 'gradcam'"),
        ({"methods": [["gradcam"]]}, camcore.MethodError, "no method"),
        ({"layers": "featurs"}, camcore.LayerError, "no layer 'featurs'.*Did you mean 'features'"),
        ({"layers": ["features", "scores"]}, camcore.LayerError, r"'scores' .*no spatial grid.*Try 'features' \(6×5\)"),
        ({"layers": []}, camcore.LayerError, "No layer was asked for. Name at least one, such as 'features'"),
        ({"layers": 3}, camcore.LayerError, "not part of this network"),
        ({"classes": -1}, camcore.ModelError, "no class -1 in flat: it has 4 classes, 0 to 3"),
        ({"classes": 1000}, camcore.ModelError, "no class 1000 in flat: it has 4 classes, 0 to 3"),
        ({"classes": [0, 4]}, camcore.ModelError, "no class 4"),
        ({"classes": 1.5}, camcore.ModelError, "no class 1.5"),
        ({"classes": True}, camcore.ModelError, "no class True"),
        ({"classes": "z"}, camcore.ModelError, "no class 'z'"),
        ({"classes": ["z"]}, camcore.ModelError, "no class 'z'"),
        ({"classes": []}, camcore.CamcoreError, "No class was asked for"),
        ({"framing": "zoom"}, camcore.CamcoreError, "zoom.*crop.*stretch.*letterbox"),
        ({"framing": "cropp"}, camcore.CamcoreError, "cropp.*crop"),
        ({"options": {"gradcam": {"n": 3}}}, camcore.MethodError, "Grad-CAM has no option 'n'"),
        ({"options": {"scorecam": {}}}, camcore.MethodError, "'scorecam', which is not among the methods asked for"),
        ({"options": {"scorcam": {}}}, camcore.MethodError, "no method 'scorcam'"),
        ({"options": {"gradcam": None}}, camcore.MethodError, "not options by method.*Give a dictionary"),
        ({"options": "variant"}, camcore.MethodError, "'variant' are not options by method"),
        ({"methods": camcore.GradCAM}, camcore.MethodError, "does not name a method.*keys in camcore.METHODS"),
        ({"methods": 3}, camcore.MethodError, "3 does not name a method"),
    ],
)
def test_wrong_questions(network, ask, wrong, error, message):
    """Refused at the call, also by stream: no tensor has been computed then."""
    with pytest.raises(error, match=message):
        ask(network, PIC, **wrong)


@pytest.mark.parametrize("value", [None, "x", 0, 2.5])
def test_wrong_option_values(network, value):
    with pytest.raises(camcore.MethodError, match="Faster Score-CAM: n="):
        camcore.explain(network, PIC, "fasterscorecam", options={"fasterscorecam": {"n": value}})


def test_a_picture_that_is_none(network):
    with pytest.raises(camcore.CamcoreError):
        camcore.explain(network, np.zeros((30, 30, 3), np.uint8))


@pytest.mark.parametrize("other", ["MobileNetV2", None])
def test_a_network_that_is_none(network, other):
    for given in (network.model, other):
        with pytest.raises(camcore.ModelError, match=r"is not a Network.*camcore\.load.*camcore\.wrap"):
            camcore.explain(given, PIC)


# ---- estimate


def counted_cost(network, methods, layers=None, classes=None, options=None) -> tuple[float, float]:
    steps = list(camcore.stream(network, PIC, methods, layers, classes, options=options))
    return camcore.estimate(network, methods, layers, classes, options), steps[-1].done


@pytest.mark.parametrize(
    ("methods", "layers", "classes", "options", "cost"),
    [
        ("gradcam", None, None, None, 2),
        (["gradcam", "layercam", "hirescam"], ["conv1", "features"], None, None, 2),
        (["gradcam", "layercam"], None, [0, 1, 2], None, 4),
        ("scorecam", None, [0, 1, 2], None, 1 + 6),
        ("scorecam", ["conv1", "features"], None, None, 1 + 4 + 6),
        (["scorecam", "fasterscorecam"], None, None, None, 1 + 6),
        ("fasterscorecam", None, None, {"fasterscorecam": {"n": 2}}, 1 + 2),
        (["gradcam", "fasterscorecam"], None, [1, 2], {"fasterscorecam": {"n": 2}}, 1 + 2 + 2),
    ],
)
def test_estimates(network, passes, methods, layers, classes, options, cost):
    estimated, done = counted_cost(network, methods, layers, classes, options)
    assert estimated == cost
    assert done <= estimated
    assert sum(passes) + 1 <= estimated


def test_an_estimate_refuses_what_explain_refuses(network):
    with pytest.raises(camcore.MethodError):
        camcore.estimate(network, "zzz")
    with pytest.raises(camcore.LayerError):
        camcore.estimate(network, layers="scores")
    with pytest.raises(camcore.ModelError):
        camcore.estimate(network, classes=4)


# ---- stream

QUESTION = {
    "methods": ["scorecam", "gradcam", "fasterscorecam"],
    "layers": ["conv1", "features"],
    "classes": [1, 3],
    "options": {"fasterscorecam": {"n": 3}},
}


def test_all_that_explain_gives_each_once(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, **QUESTION))
    maps = [m for step in steps for m in step.maps]
    wanted = by_question(camcore.explain(network, PIC, **QUESTION))
    assert len(maps) == len(wanted) == 12
    for question, m in by_question(maps).items():
        np.testing.assert_allclose(m.raw, wanted[question].raw, rtol=1e-6)


def test_the_cheapest_first(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, **QUESTION))
    assert {m.method for m in steps[0].maps} == {"gradcam"}
    assert len(steps[0].maps) == 4
    finished = {}
    for number, step in enumerate(steps):
        for m in step.maps:
            finished[m.method, m.layer, m.class_index] = number
    for path in ("conv1", "features"):
        for c in (1, 3):
            assert finished["gradcam", path, c] < finished["fasterscorecam", path, c]
    # 3 of 6 channels are done after the second chunk of two, all 6 after the third.
    assert finished["fasterscorecam", "features", 1] < finished["scorecam", "features", 1]


def test_progress(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, **QUESTION))
    total = camcore.estimate(network, **QUESTION)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert all(step.total == total for step in steps)
    assert all(0 < step.done <= step.total for step in steps)
    assert done[-1] == total
    seconds = [step.seconds for step in steps]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_partial_maps_at_each_chunk(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, "scorecam", classes=[1, 3]))
    assert [len(step.maps) for step in steps] == [0, 0, 2]
    assert [[(m.method, m.class_index) for m in step.partial] for step in steps] == [
        [("scorecam", 1), ("scorecam", 3)], [("scorecam", 1), ("scorecam", 3)], [],
    ]  # fmt: skip
    for step in steps:
        for m in (*step.maps, *step.partial):
            assert np.isfinite(m.raw).all()
            assert m.raw.shape == GRID


def test_a_partial_map_is_score_cam_over_the_channels_so_far(network, two_at_a_time):
    """The prefix law: after 2 and 4 channels, Faster Score-CAM with n = 2 and n = 4."""
    steps = list(camcore.stream(network, PIC, "scorecam", classes=1))
    for step, n in zip(steps, (2, 4), strict=False):
        (wanted,) = camcore.explain(network, PIC, "fasterscorecam", classes=1, options={"fasterscorecam": {"n": n}})
        np.testing.assert_allclose(step.partial[0].raw, wanted.raw, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(step.partial[0].values, wanted.values, atol=1e-6)


def test_change_is_how_far_the_values_moved(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, "scorecam", classes=[1, 3]))
    assert steps[0].change is None
    moved = [
        np.abs(now.values - before.values).mean()
        for before, now in zip(steps[0].partial, steps[1].partial, strict=True)
    ]
    assert steps[1].change == pytest.approx(np.mean(moved), rel=1e-5)


def test_passes_are_shared_by_methods_and_classes(network, passes, two_at_a_time):
    list(camcore.stream(network, PIC, ["scorecam", "fasterscorecam"], ["conv1", "features"], range(4)))
    assert passes == [2, 2, 2, 2, 2]


def test_gradient_methods_cost_no_masked_pass(network, passes):
    list(camcore.stream(network, PIC, ["gradcam", "layercam"], ["conv1", "features"], range(4)))
    assert passes == []


def test_one_pass_for_all_gradient_methods(network, monkeypatch):
    taps = []
    real = network.tap
    monkeypatch.setattr(network, "tap", lambda *a, **k: taps.append(a) or real(*a, **k))
    methods = [key for key, info in METHODS.items() if info.input.shares_backward and key != "cam"]
    camcore.explain(network, PIC, [*methods, "scorecam"], ["conv1", "features"], [0, 1, 2])
    assert len(taps) == 1


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_closing_stops_the_work(network, passes, two_at_a_time, steps):
    work = camcore.stream(network, PIC, ["gradcam", "scorecam"], ["features", "conv1"])
    for _ in range(steps):
        next(work)
    work.close()
    assert len(passes) == steps - 1  # the first step is the gradient pass; no chunk is begun ahead
    with pytest.raises(StopIteration):
        next(work)


def test_the_turn_is_free_after_a_stop(network, two_at_a_time):
    """A stopped stream leaves no lock behind: the next question is answered."""
    for _ in range(6):
        work = camcore.stream(network, PIC, "scorecam")
        next(work)
        work.close()
    assert camcore.explain(network, PIC)


def test_nothing_is_computed_before_the_first_step(network, passes, monkeypatch):
    prepared_pictures = []
    real = network.prepare
    monkeypatch.setattr(network, "prepare", lambda *a, **k: prepared_pictures.append(a) or real(*a, **k))
    work = camcore.stream(network, PIC, "scorecam")
    assert not prepared_pictures
    next(work)
    assert prepared_pictures


def test_an_even_number_of_channels_ends_without_an_empty_step(network, two_at_a_time):
    steps = list(camcore.stream(network, PIC, "scorecam"))
    assert len(steps) == 3
    assert steps[-1].maps
    assert not steps[-1].partial


def test_cam_stays_exact_when_the_model_learns_on():
    """Weights are read when a map is made: a bias that has changed since the last map is in the next one."""
    model = flat()
    network = camcore.wrap(model)
    before = camcore.explain(network, PIC, "cam", classes=1)[0]
    bias = model.get_layer("scores").bias
    bias.assign(bias + 2.5)
    after = camcore.explain(network, PIC, "cam", classes=1)[0]
    assert after.offset == pytest.approx(before.offset + 2.5)
    assert after.raw.mean(dtype=np.float64) + after.offset == pytest.approx(after.logit, rel=1e-6)
