"""Each method measured alone: the map is explain's, the passes are those done, and it can be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from networks import FEATURES, SIZE, flat

import camcore
from camcore.heatmaps.run import Step
from camcore.metrics import cost as measuring
from camcore.metrics.cost import measure

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
METHODS = ["scorecam", "gradcam", "fasterscorecam"]


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=lambda x: x / 127.5 - 1)


@pytest.fixture
def two_at_a_time(monkeypatch):
    """Chunks of two masked passes."""
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])


@pytest.fixture
def log(monkeypatch) -> list[tuple[str, str]]:
    """What was asked of ``stream``, and each step that it gave."""
    events: list[tuple[str, str]] = []
    real = measuring.stream

    def watched(network: Any, pic: Any, key: str, *rest: Any) -> Iterator[Step]:
        steps = real(network, pic, key, *rest)

        def each() -> Iterator[Step]:
            events.append((key, "start"))
            for step in steps:
                events.append((key, "map" if step.maps else "partial"))
                yield step
            events.append((key, "end"))

        return each()

    monkeypatch.setattr(measuring, "stream", watched)
    return events


def test_the_maps_are_those_of_explain_in_the_order_asked(network):
    options = {"fasterscorecam": {"n": 3}, "scorecam": {"variant": "authors"}}
    found = list(measure(network, PIC, METHODS, "conv1", 2, "stretch", options))
    wanted = camcore.explain(network, PIC, METHODS, "conv1", 2, "stretch", options)
    assert [one.method for one in found] == METHODS
    for one, m in zip(found, wanted, strict=True):
        assert (one.map.method, one.map.layer, one.map.class_index) == (m.method, "conv1", 2)
        assert one.map.framing == "stretch"
        assert one.map.options == m.options
        np.testing.assert_allclose(one.map.raw, m.raw, rtol=1e-6)


def test_without_a_class_it_is_the_networks_own(network):
    (one,) = measure(network, PIC, "gradcam")
    assert one.map.class_index == network.predict(PIC)[0].index
    assert one.map.layer == network.default_layer


def test_passes_are_those_that_were_done(network):
    x, _ = network.prepare(PIC)
    A = network.tap(x, ["features"]).activations["features"][0]
    varying = int((np.ptp(A, axis=(0, 1)) > 0).sum())
    assert 3 < varying <= FEATURES
    found = measure(network, PIC, [*METHODS, "layercam"], options={"fasterscorecam": {"n": 3}})
    assert [one.passes for one in found] == [1 + varying, 2, 1 + 3, 2]


@pytest.mark.usefixtures("two_at_a_time")
def test_each_runs_alone_after_a_warm_up_that_ends_with_its_first_result(network, log):
    list(measure(network, PIC, ["scorecam", "gradcam"], class_index=0))
    warm = [("scorecam", "start"), ("scorecam", "partial")]
    scorecam = log[2 : log.index(("gradcam", "start"))]
    assert log[:2] == warm
    assert scorecam[0] == ("scorecam", "start")
    assert scorecam[-2:] == [("scorecam", "map"), ("scorecam", "end")]
    assert len(scorecam) == 2 + (FEATURES + 1) // 2
    gradcam = [("gradcam", "start"), ("gradcam", "map")]
    assert log[2 + len(scorecam) :] == [*gradcam, *gradcam, ("gradcam", "end")]


def test_seconds_are_those_of_the_timed_run_only(network, monkeypatch):
    """A clock that goes on by what each piece of work says: warm-up 1000, each step 10, the caller's part 100."""
    now = [0.0]
    real = measuring.stream
    runs: list[str] = []

    def slow(*given: Any) -> Iterator[Step]:
        runs.append("run")
        warm = len(runs) == 1
        for step in real(*given):
            now[0] += 1000 if warm else 10
            yield step

    def waste(key: str, step: Step) -> None:
        now[0] += 100

    monkeypatch.setattr(measuring, "stream", slow)
    monkeypatch.setattr(measuring, "perf_counter", lambda: now[0])
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])
    (one,) = measure(network, PIC, ["scorecam"], class_index=0, on_step=waste)
    assert one.seconds == 10 * ((FEATURES + 1) // 2)


@pytest.mark.usefixtures("two_at_a_time")
def test_closing_stops(network, log):
    work = measure(network, PIC, ["gradcam", "scorecam"])
    next(work)
    work.close()
    assert {key for key, _ in log} == {"gradcam"}
    with pytest.raises(StopIteration):
        next(work)


@pytest.mark.usefixtures("two_at_a_time")
def test_what_on_step_raises_stops_within_a_step(network, log):
    seen: list[tuple[str, float]] = []

    def stop(key: str, step: Step) -> None:
        seen.append((key, step.done))
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(measure(network, PIC, ["scorecam", "gradcam"], on_step=stop))
    assert seen == [("scorecam", 3), ("scorecam", 5)]
    assert log[2:] == [("scorecam", "start"), ("scorecam", "partial"), ("scorecam", "partial")]


def test_the_peak_of_memory_is_that_of_the_method(network, monkeypatch):
    if measuring.memory.begin().resident is None:
        pytest.skip("this system counts no resident memory")
    real = measuring.stream

    def hungry(*given: Any) -> Iterator[Step]:
        np.ones(150 << 20, np.uint8)
        yield from real(*given)

    (modest,) = measure(network, PIC, "gradcam")
    monkeypatch.setattr(measuring, "stream", hungry)
    (greedy,) = measure(network, PIC, "gradcam")
    assert greedy.peak_bytes > 140 << 20 > modest.peak_bytes


def test_no_count_no_figure(network, monkeypatch, tmp_path):
    monkeypatch.setattr(measuring.memory, "_PROCESS", tmp_path / "absent")
    monkeypatch.setattr(measuring.memory, "_tensors", lambda what, forget=False: None)
    (one,) = measure(network, PIC, "gradcam")
    assert one.peak_bytes is None


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"methods": ["gradcam", "gradcamm"]}, camcore.MethodError, "no method 'gradcamm'"),
        ({"methods": []}, camcore.MethodError, "No method"),
        ({"methods": ["gradcam"], "layer": "scores"}, camcore.LayerError, "scores"),
        ({"methods": ["gradcam"], "class_index": 4}, camcore.ModelError, "no class 4"),
        ({"methods": ["gradcam"], "framing": "cropp"}, camcore.CamcoreError, "no framing"),
        ({"methods": ["gradcam"], "options": {"scorecam": {}}}, camcore.MethodError, "not among"),
        ({"methods": ["fasterscorecam"], "options": {"fasterscorecam": {"n": 0}}}, camcore.MethodError, "at least 1"),
        ({"methods": ["gradcam", "cam"], "layer": "conv1"}, camcore.MethodError, "CAM is not defined"),
    ],
)
def test_what_cannot_be_is_refused_at_the_call(network, log, given, error, match):
    with pytest.raises(error, match=match):
        measure(network, PIC, **given)
    assert not log
    with pytest.raises(camcore.PictureError):
        measure(network, "photo.jpg", ["gradcam"])
