"""Filling a comparison without TensorFlow: cheapest first, priced, stopped within a chunk, one failure alone."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import camcore
from camcore.predictions import Prediction
from ui.compare.comparison import NONE, GridPlan
from ui.compare.fill import HELD
from ui.compare.sheets import MapSheet
from ui.compare.work import sheet_work
from ui.jobs.job import Job
from ui.jobs.runner import Runner
from ui.map_cache import MapCache
from ui.networks import Networks
from ui.query import NetworkKey, Query

PICTURE: Any = SimpleNamespace(sha256="a" * 64)
A, B = NetworkKey("A"), NetworkKey("B")
CHANNELS = 64


def info(title: str, **given: Any) -> Any:
    return SimpleNamespace(title=title, **({"at_own_layer": False, "layer_free": False} | given))


class NoAttentions:
    """The attentions of a network that has none."""

    found = ()
    blocks = ()

    def checked(self, title: str) -> None:
        raise camcore.MethodError(f"{title} is not defined.")


@dataclass(eq=False)
class FakeNetwork:
    """Two layers, ten classes; says 3 first, then 4 and 5."""

    name: str
    parameters: int = 1000
    default_layer: str = "deep"
    scored_over: str = ""
    ladder: tuple[str, ...] = ("shallow", "deep")
    labels: tuple[str, ...] = tuple(f"class {i}" for i in range(10))
    layers: tuple[Any, ...] = ()
    input_size: tuple[int, int] = (8, 8)
    weights_note: str = "made up"
    classes: int = 10
    score_kind: str = "logit"
    attentions: NoAttentions = field(default_factory=NoAttentions)

    def predict(self, pic: Any, top: int = 5, framing: str = "crop") -> tuple[Any, ...]:
        return tuple(Prediction(3 + i, self.labels[3 + i], 0.5, 0.0) for i in range(top))

    def layer_with_grid(self, layer: str | None) -> Any:
        path = layer or self.default_layer
        if path not in self.ladder:
            raise camcore.LayerError(f"There is no layer {path!r}.")
        return SimpleNamespace(path=path)

    def check_class(self, index: int) -> int:
        if not 0 <= index < len(self.labels):
            raise camcore.ModelError(f"There is no class {index}.")
        return index

    def check_linear_head(self, path: str) -> None:
        if path != self.default_layer:
            raise camcore.MethodError(f"CAM is not defined at {path!r}.")


@dataclass
class FakeCore:
    """Notes every call. ``gate``: chunks of Score-CAM wait for it."""

    gate: threading.Event = field(default_factory=threading.Event)
    broken: dict[str, Exception] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    chunks: int = 0
    closed: int = 0
    METHODS: Mapping[str, Any] = field(
        default_factory=lambda: {
            "gradcam": info("Grad-CAM"),
            "layercam": info("LayerCAM"),
            "cam": info("CAM", at_own_layer=True),
            "fullgrad": info("FullGrad", layer_free=True),
            "scorecam": info("Score-CAM"),
        }
    )

    def load(self, name: str, weights: Any = None, progress: Any = None, **options: Any) -> FakeNetwork:
        if name in self.broken:
            raise self.broken[name]
        return FakeNetwork(name)

    Memory = staticmethod(lambda limit_bytes: None)

    def estimate(self, net: Any, methods: Any, layers: Any = None, classes: Any = None) -> float:
        slow = CHANNELS * len(layers or [1]) if "scorecam" in methods else 0
        return 1 + len(classes or [1]) + slow

    def stream(
        self, net: Any, pic: Any, methods: Any, layers: Any, classes: Any, framing: str, **more: Any
    ) -> Iterator[Any]:
        self.calls.append((net.name, framing, tuple(methods), layers and tuple(layers), tuple(classes)))
        for name in methods:
            if name in self.broken:
                raise self.broken[name]
        maps = tuple(
            made(name, None if self.METHODS[name].layer_free else layer, index)
            for name in methods
            for layer in layers or [None]
            for index in classes
        )
        if methods != ["scorecam"]:
            yield SimpleNamespace(maps=maps, partial=(), done=2, total=2, seconds=0.1, change=None)
            return
        try:
            for done in range(8, CHANNELS + 1, 8):
                self.chunks += 1
                last = done == CHANNELS
                yield SimpleNamespace(
                    maps=maps if last else (), partial=() if last else maps, done=done, total=CHANNELS,
                    seconds=0.1 * done, change=0.25 if done > 8 else None,
                )  # fmt: skip
                self.gate.wait(5)
        finally:
            self.closed += 1


def made(method: str, layer: str | None, index: int) -> Any:
    raw = np.full((7, 7), float(index), np.float32)
    return SimpleNamespace(method=method, layer=layer, class_index=index, raw=raw, values=raw / 10)


@pytest.fixture
def core() -> FakeCore:
    return FakeCore()


class Server:
    """The parts of a server that fill comparisons."""

    def __init__(self, core: FakeCore) -> None:
        networks = Networks(core.load, start=lambda: None)
        networks.start()
        self.cache = MapCache(core, networks)
        self.cache._seconds_per_pass = lambda *given: 1.0  # type: ignore[method-assign]
        self.runner = Runner(networks)

    def ask(
        self, plan: GridPlan, visitor: str, earlier: MapSheet | None = None, express: bool = False
    ) -> Job[MapSheet]:
        return self.runner.ask(sheet_work(self.cache, plan, PICTURE, express, earlier), visitor)


@pytest.fixture
def server(core: FakeCore) -> Server:
    return Server(core)


def plan(**given: Any) -> GridPlan:
    values: dict[str, Any] = {
        "picture": PICTURE.sha256,
        "columns": "methods",
        "rows": NONE,
        "methods": ("gradcam", "layercam"),
        "layers": (None,),
        "classes": ("first",),
        "backbones": (A,),
        "framings": ("crop",),
    }
    return GridPlan(**(values | given))


def ended(job: Job[MapSheet]) -> Job[MapSheet]:
    assert job.wait_for_end(5), job.stage.title
    return job


def until(condition: Any) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def test_cheap_methods_of_all_classes_come_out_of_one_call(server: Server, core: FakeCore) -> None:
    asked = plan(rows="classes", classes=("first", "second", "7"))
    job = ended(server.ask(asked, "me"))
    assert job.state == "done"
    assert core.calls == [("A", "crop", ("gradcam", "layercam"), ("deep",), (3, 4, 7))]
    assert [(c.method, c.aim, m.class_index) for c, m in job.value.maps.items()] == [
        ("gradcam", "first", 3),
        ("layercam", "first", 3),
        ("gradcam", "second", 4),
        ("layercam", "second", 4),
        ("gradcam", "7", 7),
        ("layercam", "7", 7),
    ]
    assert not job.value.missing


def test_adding_one_method_computes_only_that(server: Server, core: FakeCore) -> None:
    ended(server.ask(plan(), "me"))
    job = ended(server.ask(plan(methods=("gradcam", "layercam", "cam")), "you"))
    assert core.calls[1:] == [("A", "crop", ("cam",), ("deep",), (3,))]
    assert len(job.value.maps) == 3


def test_maps_are_shared_with_inspect(server: Server, core: FakeCore) -> None:
    ended(server.ask(plan(), "me"))
    known = server.cache.known(Query(A, PICTURE.sha256, method="layercam"), PICTURE)
    assert known.map.method == "layercam"


def test_a_cell_that_cannot_be_says_why_and_the_others_go_on(server: Server) -> None:
    asked = plan(rows="layers", methods=("gradcam", "cam"), layers=("last-1", "last", "nowhere", "last-3"))
    job = ended(server.ask(asked, "me"))
    said = {(c.layer, c.method): why for c, why in job.value.refused.items()}
    assert said["last-1", "cam"] == "CAM is not defined at 'shallow'."
    assert said["nowhere", "gradcam"] == said["nowhere", "cam"] == "There is no layer 'nowhere'."
    assert "2 grid sizes" in said["last-3", "gradcam"]
    assert {(c.layer, c.method) for c in job.value.maps} == {
        ("last-1", "gradcam"), ("last", "gradcam"), ("last", "cam"),
    }  # fmt: skip


def test_a_method_without_layers_is_computed_once_for_all_of_them(server: Server, core: FakeCore) -> None:
    asked = plan(columns="layers", layers=("last-1", "last"), methods=("fullgrad",))
    job = ended(server.ask(asked, "me"))
    assert [call[2:4] for call in core.calls] == [(("fullgrad",), None)]
    assert [m.layer for m in job.value.maps.values()] == [None, None]


def test_a_dear_method_is_priced_and_runs_when_told_to(server: Server, core: FakeCore) -> None:
    asked = plan(methods=("gradcam", "scorecam"))
    priced = ended(server.ask(asked, "me")).value
    assert priced.bill is not None
    assert (priced.bill.methods, priced.bill.cost.passes, priced.bill.cost.seconds) == (("Score-CAM",), 66.0, 66.0)
    assert [c.method for c in priced.bill.cells] == ["scorecam"]
    assert [c.method for c in priced.maps] == ["gradcam"]
    assert core.chunks == 0
    core.gate.set()
    job = ended(server.ask(asked, "me", express=True))
    assert job.value.bill is None
    assert len(job.value.maps) == 2


def test_what_is_affordable_runs_at_once(server: Server, core: FakeCore) -> None:
    server.cache._seconds_per_pass = lambda *given: 0.01  # type: ignore[method-assign]
    core.gate.set()
    job = ended(server.ask(plan(methods=("gradcam", "scorecam")), "me"))
    assert job.value.bill is None
    assert len(job.value.maps) == 2


def test_a_growing_map_tells_its_share_and_how_far_it_moved(server: Server, core: FakeCore) -> None:
    job = server.ask(plan(methods=("gradcam", "scorecam")), "me", express=True)
    until(lambda: job.value.growing is not None)
    growing = job.value.growing
    assert growing is not None
    assert (growing.map.method, growing.done, growing.change) == ("scorecam", 8 / CHANNELS, None)
    assert [c.method for c in job.value.maps] == ["gradcam"], "the cheap one came first"
    core.gate.set()
    ended(job)


def test_stopping_ends_within_a_chunk_and_the_partial_map_stays(server: Server, core: FakeCore) -> None:
    asked = plan(methods=("gradcam", "scorecam"))
    job = server.ask(asked, "me", express=True)
    until(lambda: job.value.growing is not None)
    chunks = core.chunks
    job.leave("me")
    core.gate.set()
    assert ended(job).state == "stopped"
    assert core.chunks <= chunks + 1
    assert core.closed == 1
    assert job.value.growing is not None
    later = server.ask(plan(methods=("gradcam", "scorecam", "layercam")), "me", job.value)
    assert ended(later).value.growing is not None, "and goes over into the next plan"


def test_another_visitor_keeps_the_job_running(server: Server, core: FakeCore) -> None:
    asked = plan(methods=("scorecam",))
    job = server.ask(asked, "me", express=True)
    assert server.ask(asked, "you", express=True) is job
    until(lambda: job.value.growing is not None)
    job.leave("me")
    core.gate.set()
    assert ended(job).state == "done"


def test_a_network_that_fails_or_is_held_stops_no_other(server: Server, core: FakeCore) -> None:
    core.broken["B"] = camcore.ModelError("The weights are damaged.")
    held = NetworkKey("C")
    asked = plan(columns="backbones", methods=("gradcam",), backbones=(A, B, held), held=(held,))
    job = ended(server.ask(asked, "me"))
    assert job.state == "done"
    assert {c.network.name: why for c, why in job.value.refused.items()} == {
        "B": "The weights are damaged.",
        "C": HELD,
    }
    assert [c.network for c in job.value.maps] == [A]
    assert job.value.failures[B].kind == "ModelError"


def test_a_method_that_breaks_is_told_calmly_in_its_cell(server: Server, core: FakeCore) -> None:
    core.broken["cam"] = RuntimeError("a secret path")
    job = ended(server.ask(plan(methods=("gradcam", "cam")), "me"))
    assert job.state == "done"
    (why,) = job.value.refused.values()
    assert "Something unexpected went wrong" in why
    assert "secret" not in why
    assert [c.method for c in job.value.maps] == ["gradcam"]


def test_each_framing_has_answers_and_maps_of_its_own(server: Server, core: FakeCore) -> None:
    job = ended(server.ask(plan(columns="framings", framings=("crop", "stretch")), "me"))
    assert set(job.value.networks[A].predictions) == {"crop", "stretch"}
    assert [call[1] for call in core.calls] == ["crop", "stretch"]
