"""Memory: a further method, layer or class of the same picture costs only what is new."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from networks import CLASSES, FEATURES, SIZE, flat, images

import camcore
from camcore.heatmaps.memory import Memory


def picture(seed: int = 0) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8))


def wrapped(scale: float = 127.5) -> camcore.Network:
    return camcore.wrap(flat(), preprocess=lambda x: x / scale - 1)


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return wrapped()


class Counted:
    """How often the network was asked: taps with their layers and classes, masks with their scale, ablations."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taps: list[tuple[tuple[str, ...], tuple[Any, ...]]] = []
        self.masks: list[tuple[int, float]] = []
        self.altered: list[int] = []
        tap, masked = camcore.Network.tap, camcore.Network.masked_logits

        def counted_tap(network: Any, x: Any, layers: Any, classes: Any = (), *more: Any, **options: Any) -> Any:
            self.taps.append((tuple(layers), tuple(classes)))
            return tap(network, x, layers, classes, *more, **options)

        def counted_masks(network: Any, x: Any, maps: Any, scale: float = 1.0, noise: Any = None) -> Any:
            self.masks.append((len(maps), scale))
            return masked(network, x, maps, scale, noise)

        monkeypatch.setattr(camcore.Network, "tap", counted_tap)
        monkeypatch.setattr(camcore.Network, "masked_logits", counted_masks)
        for name in ("ablated_logits", "placed_logits"):
            self._count(monkeypatch, name)

    def _count(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(camcore.Network, name)

        def counted(network: Any, x: Any, layer: str, members: Any, *more: Any) -> Any:
            self.altered.append(len(members))
            return real(network, x, layer, members, *more)

        monkeypatch.setattr(camcore.Network, name, counted)

    def reset(self) -> None:
        for one in (self.taps, self.masks, self.altered):
            one.clear()

    @property
    def masked(self) -> int:
        return sum(count for count, _ in self.masks)

    @property
    def nothing(self) -> bool:
        return not (self.taps or self.masks or self.altered)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def same(found: tuple[camcore.CamMap, ...], wanted: tuple[camcore.CamMap, ...]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one.method, one.layer, one.class_index) == (other.method, other.layer, other.class_index)
        np.testing.assert_allclose(one.raw, other.raw, rtol=0, atol=1e-6 * max(np.abs(other.raw).max(), 1e-30))
        assert (one.logit, one.warning) == (pytest.approx(other.logit), other.warning)


# ---- what a further question costs


def test_asked_again_nothing_is_computed(network, counted):
    memory, pic = Memory(), picture()
    methods = ["gradcam", "layercam", "scorecam", "ablationcam", "reciprocam", "eigencam"]
    first = camcore.explain(network, pic, methods, ["features", "conv1"], [0, 2], memory=memory)
    assert counted.masked == FEATURES + 4
    counted.reset()
    same(camcore.explain(network, pic, methods, ["features", "conv1"], [0, 2], memory=memory), first)
    assert counted.nothing


def test_a_further_gradient_method_costs_no_pass(network, counted):
    memory, pic = Memory(), picture()
    camcore.explain(network, pic, "gradcam", classes=1, memory=memory)
    assert len(counted.taps) == 1
    counted.reset()
    found = camcore.explain(network, pic, ["hirescam", "xgradcam", "eigencam", "cam"], classes=1, memory=memory)
    assert counted.nothing
    same(found, camcore.explain(network, pic, ["hirescam", "xgradcam", "eigencam", "cam"], classes=1))


def test_a_further_class_costs_its_own_backward_pass(network, counted):
    memory, pic = Memory(), picture()
    camcore.explain(network, pic, "gradcam", classes=[1, 3], memory=memory)
    counted.reset()
    found = camcore.explain(network, pic, "gradcam", classes=[1, 2, 3], memory=memory)
    assert counted.taps == [(("features",), (2,))]
    same(found, camcore.explain(network, pic, "gradcam", classes=[1, 2, 3]))


def test_a_further_layer_costs_its_own_pass(network, counted):
    memory, pic = Memory(), picture()
    camcore.explain(network, pic, ["gradcam", "scorecam"], "features", 1, memory=memory)
    counted.reset()
    found = camcore.explain(network, pic, ["gradcam", "scorecam"], ["features", "conv1"], 1, memory=memory)
    assert counted.taps == [(("conv1",), (1,))]
    assert counted.masked == 4
    same(found, camcore.explain(network, pic, ["gradcam", "scorecam"], ["features", "conv1"], 1))


@pytest.mark.parametrize("method", ["scorecam", "sscam", "iscam", "ablationcam", "reciprocam", "occlusion", "rise"])
def test_a_further_class_costs_no_perturbed_pass(network, counted, monkeypatch, method):
    asked: list[int] = []
    real = camcore.Network.logits
    monkeypatch.setattr(camcore.Network, "logits", lambda self, x: asked.append(len(x)) or real(self, x))
    options = {"sscam": {"n": 2}, "iscam": {"n": 3}, "rise": {"n": 20}}
    given = {method: options[method]} if method in options else {}
    memory, pic = Memory(), picture()
    camcore.explain(network, pic, method, classes=0, options=given, memory=memory)
    counted.reset()
    asked.clear()
    found = camcore.explain(network, pic, method, classes=list(range(CLASSES)), options=given, memory=memory)
    assert counted.nothing
    assert not asked
    same(found, camcore.explain(network, pic, method, classes=list(range(CLASSES)), options=given))


def test_methods_share_their_masks(network, counted):
    """Faster Score-CAM is a prefix of Score-CAM; IS-CAM's last step is Score-CAM's; a variant asks nothing new."""
    memory, pic = Memory(), picture()

    def ask(method: str, **options: Any) -> int:
        counted.reset()
        found = camcore.explain(network, pic, method, classes=1, options={method: options}, memory=memory)
        masked = counted.masked
        same(found, camcore.explain(network, pic, method, classes=1, options={method: options}))
        return masked

    assert ask("fasterscorecam", n=2) == 2
    assert ask("fasterscorecam", n=4) == 2
    assert ask("scorecam") == FEATURES - 4
    assert ask("scorecam", variant="authors") == 0
    assert ask("fasterscorecam", n=5) == 0
    assert ask("iscam", n=4) == 3 * FEATURES
    assert ask("iscam", n=2) == 0
    assert ask("sscam", n=2, sigma=0.5) == 2 * FEATURES
    assert ask("sscam", n=3, sigma=0.5) == FEATURES
    assert ask("sscam", n=2, sigma=0.5, seed=1) == 2 * FEATURES
    assert ask("sscam", n=2, sigma=0.0) == 0


@pytest.mark.parametrize("stopped", [1, 2])
def test_stopped_work_goes_on_where_it_was(network, counted, monkeypatch, stopped):
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])
    memory, pic = Memory(), picture()
    steps = camcore.stream(network, pic, "scorecam", classes=2, memory=memory)
    for _ in range(stopped):
        assert next(steps).partial
    steps.close()
    assert counted.masked == 2 * stopped
    counted.reset()
    found = camcore.explain(network, pic, "scorecam", classes=[2, 0], memory=memory)
    assert counted.masked == FEATURES - 2 * stopped
    same(found, camcore.explain(network, pic, "scorecam", classes=[2, 0]))


def test_it_goes_on_in_chunks_of_another_size(network, counted, monkeypatch):
    memory, pic = Memory(), picture()
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 1 * SIZE[0] * SIZE[1])
    steps = camcore.stream(network, pic, "scorecam", classes=2, memory=memory)
    for _ in range(3):
        next(steps)
    steps.close()
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 4 * SIZE[0] * SIZE[1])
    counted.reset()
    found = camcore.explain(network, pic, "scorecam", classes=2, memory=memory)
    assert counted.masked == FEATURES - 3
    same(found, camcore.explain(network, pic, "scorecam", classes=2))


# ---- nothing is mixed up


def test_two_networks_do_not_mix(network):
    other, memory, pic = wrapped(60.0), Memory(), picture()
    methods = ["gradcam", "scorecam", "ablationcam"]
    mine = camcore.explain(network, pic, methods, classes=1, memory=memory)
    theirs = camcore.explain(other, pic, methods, classes=1, memory=memory)
    same(theirs, camcore.explain(other, pic, methods, classes=1))
    assert np.abs(mine[0].raw - theirs[0].raw).max() > 1e-3
    same(camcore.explain(network, pic, methods, classes=1, memory=memory), mine)


def test_framings_and_pictures_do_not_mix(network):
    memory = Memory()
    methods = ["gradcam", "scorecam", "occlusion"]
    questions = [(seed, framing) for seed in (0, 1) for framing in ("crop", "stretch", "letterbox")]
    for seed, framing in questions * 2:
        found = camcore.explain(network, picture(seed), methods, classes=1, framing=framing, memory=memory)
        same(found, camcore.explain(network, picture(seed), methods, classes=1, framing=framing))


def test_the_same_picture_opened_twice_is_one(network, counted):
    memory = Memory()
    camcore.explain(network, picture(), "scorecam", classes=1, memory=memory)
    counted.reset()
    camcore.explain(network, picture(), "scorecam", classes=1, memory=memory)
    assert counted.nothing


# ---- the memory itself


def test_the_bound_is_kept(network):
    methods, pics = ["gradcam", "scorecam"], [picture(seed) for seed in range(6)]
    whole = Memory()
    camcore.explain(network, pics[0], methods, ["features", "conv1"], [0, 1], memory=whole)
    memory = Memory(2 * whole.bytes)
    for pic in pics * 2:
        found = camcore.explain(network, pic, methods, ["features", "conv1"], [0, 1], memory=memory)
        assert 0 < memory.bytes <= 2 * whole.bytes
        same(found, camcore.explain(network, pic, methods, ["features", "conv1"], [0, 1]))


def test_without_room_every_answer_is_still_right(network):
    memory, pic = Memory(1), picture()
    for _ in range(2):
        found = camcore.explain(network, pic, ["gradcam", "scorecam", "ablationcam"], classes=[0, 1], memory=memory)
        same(found, camcore.explain(network, pic, ["gradcam", "scorecam", "ablationcam"], classes=[0, 1]))


def test_bytes_are_counted_and_the_oldest_go_first():
    memory = Memory(3 * (800 + 256))
    for key in "abc":
        memory.put(key, (np.zeros(60), np.zeros(40)))
    assert memory.bytes == 3 * (800 + 256)
    assert memory.get("a") is not None
    memory.put("d", (np.zeros(100),))
    assert memory.get("b") is None
    assert all(memory.get(key) is not None for key in "acd")
    assert memory.bytes == 3 * (800 + 256)


def test_what_is_kept_is_read_only(network):
    memory, array = Memory(), np.zeros(3)
    memory.put("key", (array,))
    kept = memory.get("key")
    assert kept is not None
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0] = 1
    look = camcore.heatmaps.session.InputSession(network, images(1), memory, "picture")
    G, _ = look.gradient("features", 1)
    for one in (look.activations("features"), G, look.logits):
        with pytest.raises(ValueError, match="read-only"):
            one[...] = 0


def test_two_threads_share_one(network, monkeypatch):
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])
    methods, pics = ["gradcam", "scorecam", "ablationcam", "reciprocam"], [picture(seed) for seed in range(2)]
    wanted = [camcore.explain(network, pic, methods, classes=list(range(CLASSES))) for pic in pics]
    memory, gate = Memory(), Barrier(2)

    def work(first: int) -> list[Any]:
        gate.wait(30)
        found = []
        for turn in range(6):
            which = (first + turn // 2) % 2
            found.append((which, camcore.explain(network, pics[which], methods, None, range(CLASSES), memory=memory)))
        return found

    with ThreadPoolExecutor(2) as pool:
        for answers in [one.result(120) for one in [pool.submit(work, i) for i in range(2)]]:
            for which, found in answers:
                same(found, wanted[which])
