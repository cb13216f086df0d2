"""Several people at once: the same answers as one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest
import shared_data
from cheap import GENERAL
from networks import SIZE, flat, images, nested

import camcore

PEOPLE = 6


def tiny() -> list[camcore.Network]:
    return [camcore.wrap(model, preprocess=lambda x: x / 127.5 - 1) for model in (flat(), nested())]


def real() -> list[camcore.Network]:
    size = {"input_shape": (96, 96, 3)}  # as many steps as at full size, and shorter ones
    return [
        camcore.load("MobileNet", shared_data.shared("weights", "MobileNet.weights.h5"), **size),
        camcore.load("MobileNet", shared_data.shared("weights", "MobileNet_alpha0.25.weights.h5"), alpha=0.25, **size),
    ]


def pictures() -> list[camcore.Picture]:
    r = np.random.default_rng(0)
    return [camcore.Picture.from_array(r.integers(0, 256, (60 + 9 * i, 90, 3), dtype=np.uint8)) for i in range(3)]


def together(work: list[Callable[[], Any]]) -> list[Any]:
    """Each piece of work in a thread of its own, all let go at the same moment."""
    gate = threading.Barrier(len(work))

    def run(piece: Callable[[], Any]) -> Any:
        gate.wait(60)
        return piece()

    with ThreadPoolExecutor(len(work)) as pool:
        return [one.result(timeout=300) for one in [pool.submit(run, piece) for piece in work]]


@pytest.mark.parametrize("make", [tiny, real])
def test_six_threads_on_two_networks_see_what_one_does(make):
    networks = make()
    alone = make()
    methods = ["gradcam", "layercam", "fasterscorecam", "cam"]
    options = {"fasterscorecam": {"n": 3}}
    pics = pictures()
    questions = [(i % 2, pics[i % 3], [3 * i % 4, (i + 1) % 4]) for i in range(PEOPLE)]
    wanted = [
        camcore.explain(alone[which], pic, methods, classes=classes, options=options)
        for which, pic, classes in questions
    ]

    def ask(which: int, pic: camcore.Picture, classes: list[int]) -> Callable[[], Any]:
        return lambda: [
            camcore.explain(networks[which], pic, methods, classes=classes, options=options) for _ in range(2)
        ]

    found = together([ask(*question) for question in questions])
    for answers, right in zip(found, wanted, strict=True):
        for answer in answers:
            for m, w in zip(answer, right, strict=True):
                assert (m.method, m.layer, m.class_index) == (w.method, w.layer, w.class_index)
                assert m.logit == pytest.approx(w.logit, rel=1e-4, abs=1e-5)
                np.testing.assert_allclose(m.raw, w.raw, rtol=0, atol=1e-4 * np.abs(w.raw).max())
                np.testing.assert_allclose(m.values, w.values, atol=1e-4)


def test_everybody_asks_something_else_of_a_fresh_network():
    """All that is built on demand is built by several threads at once."""
    network = camcore.wrap(flat())
    known = camcore.wrap(flat())
    x = images(2)
    paths = [info.path for info in network.layers if info.usable]

    def classed(n: int) -> Callable[[Any], Any]:
        return lambda net: net.tap(x, paths[: 1 + n % 2], list(range(n)))

    work: list[Callable[[Any], Any]] = [classed(n) for n in (1, 2, 3, 4)]
    work += [
        lambda net: net.logits(x),
        lambda net: net.head("features")(x, net.tap(x, ["features"]).activations["features"]),
        lambda net: camcore.ScoreCAM(net).compute_heatmap(x, 1),
        lambda net: camcore.CAM(net).compute_heatmap(x, 2),
    ]
    found = together([lambda piece=piece: piece(network) for piece in work])
    for piece, answer in zip(work, found, strict=True):
        right = piece(known)
        if hasattr(right, "gradients"):
            for one, other in zip(answer.gradients, right.gradients, strict=True):
                for path in other:
                    np.testing.assert_allclose(one[path], other[path], rtol=1e-9, atol=1e-14)
        else:
            np.testing.assert_allclose(answer, right, rtol=1e-6, atol=1e-9)


def test_a_short_question_gets_its_turn_between_chunks(monkeypatch):
    """While one thread streams Score-CAM, another's Grad-CAM comes between two of its steps."""
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", SIZE[0] * SIZE[1])
    network = tiny()[0]
    pic = pictures()[0]
    camcore.explain(network, pic)
    steps = camcore.stream(network, pic, "scorecam")
    next(steps)
    done = together([lambda: camcore.explain(network, pic)])  # no lock is held between the steps
    assert done[0][0].method == "gradcam"
    assert sum(len(step.maps) for step in steps) == 1


def test_streams_closed_half_way_do_not_disturb_others(monkeypatch):
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", SIZE[0] * SIZE[1])
    network = tiny()[0]
    pic = pictures()[1]
    (wanted,) = camcore.explain(network, pic, "scorecam", classes=1)

    def impatient() -> None:
        for _ in range(5):
            work = camcore.stream(network, pic, "scorecam")
            next(work)
            work.close()

    def patient() -> Any:
        return camcore.explain(network, pic, "scorecam", classes=1)[0]

    found = together([impatient, patient, impatient, patient])
    for m in (found[1], found[3]):
        np.testing.assert_allclose(m.raw, wanted.raw, rtol=1e-5, atol=1e-9)


def test_the_model_serves_its_owner_meanwhile():
    """Keras' own predict on the same model, while it is being explained."""
    model = flat(dtype="float32")
    network = camcore.wrap(model, preprocess=lambda x: x / 127.5 - 1)
    x = images(4).astype(np.float32)
    wanted = np.asarray(model(x))
    pic = pictures()[0]
    work = [lambda: np.asarray(model(x)), lambda: camcore.explain(network, pic, list(GENERAL))] * 3
    for answer in together(work)[::2]:
        np.testing.assert_allclose(answer, wanted, rtol=1e-5)
    assert isinstance(model, keras.Model)
