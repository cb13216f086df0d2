"""The work on a map without Streamlit and without TensorFlow: sharing, pricing, stopping, failing, keeping."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import camcore
from ui.jobs.job import Job
from ui.jobs.runner import Runner
from ui.map_cache import MapCache
from ui.map_work import work
from ui.networks import Networks
from ui.query import Answer, NetworkKey, Query

PICTURE: Any = SimpleNamespace(sha256="a" * 64)
NET = NetworkKey("Net")
ASK = Query(NET, PICTURE.sha256)
SLOW = replace(ASK, method="scorecam")


CHANNELS = 64


@dataclass
class FakeNetwork:
    """A network with two layers and ten classes."""

    name: str
    parameters: int = 1000
    default_layer: str = "deep"
    scored_over: str = ""
    ladder: tuple[str, ...] = ("shallow", "deep")
    predicted: int = 0

    def predict(self, pic: Any, top: int = 5, framing: str = "crop") -> tuple[Any, ...]:
        self.predicted += 1
        return tuple(SimpleNamespace(index=3 + i, label=f"class {3 + i}", probability=0.5) for i in range(top))

    def prepare(self, pic: Any, framing: str) -> tuple[np.ndarray, None]:
        return np.zeros((1, 2, 2, 3), np.float32), None

    def answer(self, x: np.ndarray) -> None:
        assert len(x) > 1, "methods make their passes in batches"

    def layer_with_grid(self, layer: str | None) -> Any:
        path = layer or self.default_layer
        if path not in self.ladder:
            raise camcore.LayerError(f"There is no layer {path!r}.")
        return SimpleNamespace(path=path)

    def check_class(self, index: int) -> int:
        if not 0 <= index < 10:
            raise camcore.ModelError(f"There is no class {index}.")
        return index


@dataclass
class FakeCore:
    """Counts its calls. ``gate``: held steps of a stream wait for it; ``broken``: network names that fail."""

    gate: threading.Event = field(default_factory=threading.Event)
    broken: dict[str, Exception] = field(default_factory=dict)
    pass_seconds: float = 0.1
    loads: list[str] = field(default_factory=list)
    explained: list[tuple[str, str, int]] = field(default_factory=list)
    steps: int = 0
    closed: int = 0
    download: tuple[tuple[int, int], ...] = ()
    METHODS: Mapping[str, Any] = field(
        default_factory=lambda: {
            key: SimpleNamespace(title=key.title(), at_own_layer=key == "cam", layer_free=False)
            for key in ("gradcam", "layercam", "cam", "scorecam")
        }
    )

    def load(self, name: str, weights: Any = None, progress: Any = None, **options: Any) -> FakeNetwork:
        self.loads.append(name)
        for done, total in self.download:
            progress(done, total)
            self.gate.wait(5)
        if name in self.broken:
            raise self.broken[name]
        return FakeNetwork(name)

    def estimate(self, net: Any, methods: Any, layers: Any = None, classes: Any = None) -> float:
        return (CHANNELS if "scorecam" in methods else 1) * len(layers or [1])

    Memory = staticmethod(lambda limit_bytes: None)

    def explain(
        self, net: Any, pic: Any, methods: Any, layers: Any, classes: Any, framing: str, memory: Any
    ) -> tuple[Any, ...]:
        found = tuple(self._map(m, layer, c) for m in methods for layer in layers for c in classes)
        self.explained += [(m.method, m.layer, m.class_index) for m in found]
        return found

    def stream(
        self, net: Any, pic: Any, methods: Any, layers: Any, classes: Any, framing: str, memory: Any
    ) -> Iterator[Any]:
        def steps() -> Iterator[Any]:
            try:
                for done in range(8, CHANNELS + 1, 8):
                    self.steps += 1
                    m = self._map(methods[0], layers[0], classes[0])
                    last = done == CHANNELS
                    yield SimpleNamespace(
                        maps=(m,) if last else (), partial=() if last else (m,), done=done, total=CHANNELS,
                        seconds=done * self.pass_seconds,
                    )  # fmt: skip
                    self.gate.wait(5)
            finally:
                self.closed += 1

        return steps()

    @staticmethod
    def _map(method: str, layer: str, index: int) -> Any:
        raw = np.full((7, 7), float(index), np.float32)
        return SimpleNamespace(method=method, layer=layer, class_index=index, raw=raw, values=raw / 10)


@pytest.fixture
def core() -> FakeCore:
    return FakeCore()


class Server:
    """The parts of a server that answer queries."""

    def __init__(self, core: FakeCore, start: Callable[[], None] = lambda: None) -> None:
        self.networks = Networks(core.load, start)
        self.cache = MapCache(core, self.networks)
        self.runner = Runner(self.networks)

    def known(self, query: Query, express: bool = False) -> Answer:
        return self.cache.known(query, PICTURE, express)

    def ask(self, query: Query, visitor: str, express: bool = False) -> Job[Answer]:
        return self.runner.ask(work(self.cache, self.known(query, express), express), visitor)


def started(core: FakeCore) -> Server:
    server = Server(core)
    server.networks.start()
    return server


def finished(job: Job[Any], visitor: str = "me", timeout: float = 5.0) -> Job[Any]:
    end = time.monotonic() + timeout
    while not job.finished and time.monotonic() < end:
        job.wait(visitor, -1, 0.01)
        time.sleep(0.005)
    assert job.finished, f"still running: {job.stage.title}"
    return job


def until(condition: Any, timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def test_answers_with_predictions_map_and_ladder(core: FakeCore) -> None:
    job = finished(started(core).ask(ASK, "me"))
    answer = job.value
    assert job.state == "done"
    assert answer.complete
    assert [p.index for p in answer.predictions] == [3, 4, 5, 6, 7]
    assert (answer.map.method, answer.map.layer, answer.map.class_index) == ("gradcam", "deep", 3)
    assert [m.layer for m in answer.ladder] == ["shallow", "deep"]


def test_nothing_is_computed_twice(core: FakeCore) -> None:
    server = started(core)
    finished(server.ask(ASK, "me"))
    calls = list(core.explained)
    assert server.known(replace(ASK, class_index=3, layer="deep")).complete
    assert core.explained == calls
    assert core.loads == ["Net"]


def test_equal_queries_share_one_job(core: FakeCore) -> None:
    server = Server(core, start=lambda: None)
    first, second = server.ask(ASK, "me"), server.ask(ASK, "you")
    assert first is second
    server.networks.start()
    finished(first)


def test_waits_for_start_and_says_what_it_waits_for(core: FakeCore) -> None:
    release = threading.Event()
    server = Server(core, start=lambda: release.wait(5) and None)
    server.networks.start()
    job = server.ask(ASK, "me")
    until(lambda: job.stage.title == "Starting TensorFlow")
    share, remaining = job.stage.progress()
    assert 0 <= share < 1
    assert remaining is not None
    assert remaining > 0
    release.set()
    assert finished(job).state == "done"


def test_a_failing_start_is_told_to_everybody(core: FakeCore) -> None:
    def fail() -> None:
        raise ImportError("no module named tensorflow")

    server = Server(core, start=fail)
    server.networks.start()
    for visitor in ("me", "you"):
        job = finished(server.ask(ASK, visitor), visitor)
        assert job.failure is not None
        assert (job.failure.kind, job.value.predictions) == ("ImportError", ())
        assert "no module named tensorflow" in job.failure.details
        assert "tensorflow" not in job.failure.message


def test_camcore_errors_keep_their_words_and_leave_what_was_known(core: FakeCore) -> None:
    job = finished(started(core).ask(replace(ASK, layer="nowhere"), "me"))
    assert job.state == "failed"
    assert job.failure is not None
    assert (job.failure.kind, job.failure.message) == ("LayerError", "There is no layer 'nowhere'.")
    assert job.value.predictions


@pytest.mark.parametrize("index", [-1, 10, 1000])
def test_a_class_that_does_not_exist_fails_at_the_map(core: FakeCore, index: int) -> None:
    server = started(core)
    for _ in range(2):  # also when the network and the predictions are known already
        job = finished(server.ask(replace(ASK, class_index=index), "me"))
        assert job.failure is not None
        assert job.failure.kind == "ModelError"
        assert job.value.predictions, "the network has answered, so it is the class"


def test_one_failure_disturbs_nobody_else(core: FakeCore) -> None:
    core.broken["Bad"] = camcore.ModelError("The weights are damaged.")
    server = started(core)
    bad = server.ask(replace(ASK, network=NetworkKey("Bad")), "me")
    good = server.ask(ASK, "you")
    assert finished(bad).state == "failed"
    assert finished(good, "you").state == "done"
    core.broken.clear()
    assert finished(server.ask(replace(ASK, network=NetworkKey("Bad")), "me")).state == "done", (
        "a failure must not stick"
    )


def test_a_slow_method_runs_when_told_to_and_shows_partial_maps(core: FakeCore) -> None:
    server = started(core)
    server.cache._seconds_per_pass = lambda *given: 1.0  # type: ignore[method-assign]
    priced = finished(server.ask(SLOW, "me"))
    assert priced.value.map.method == "gradcam"
    assert priced.value.cost is not None
    assert priced.value.cost.passes == CHANNELS
    assert priced.value.cost.seconds == pytest.approx(CHANNELS * 1.0)
    assert priced.value.cost.spread > 1, "a few passes that were tried are not sure"
    assert core.steps == 0

    job = server.ask(SLOW, "me", express=True)
    until(lambda: job.value.map is not None)
    assert job.value.done == pytest.approx(8 / CHANNELS)
    assert job.value.map.method == "scorecam"
    core.gate.set()
    assert finished(job).value.done == 1.0
    learnt = server.cache.paces.known(NET)
    assert learnt is not None
    assert (learnt.seconds, learnt.spread) == (pytest.approx(core.pass_seconds), 1.0), "the pace of real work is sure"
    assert server.known(SLOW).map.method == "scorecam", "kept for everybody"


def test_the_ladder_of_a_slow_method_is_drawn_by_gradcam(core: FakeCore) -> None:
    server = started(core)
    server.cache._seconds_per_pass = lambda *given: 1.0  # type: ignore[method-assign]
    for method in ("scorecam", "cam"):
        job = finished(server.ask(replace(ASK, method=method), "me"))
        assert {m.method for m in job.value.ladder} == {"gradcam"}
    assert {m.method for m in finished(server.ask(replace(ASK, method="layercam"), "me")).value.ladder} == {"layercam"}


def test_stopping_ends_within_one_step_and_keeps_the_partial_map(core: FakeCore) -> None:
    server = started(core)
    job = server.ask(SLOW, "me", express=True)
    until(lambda: job.value.map is not None)
    steps = core.steps
    job.leave("me")
    core.gate.set()
    assert finished(job).state == "stopped"
    assert core.steps <= steps + 1
    assert core.closed == 1, "the generator was closed"
    assert job.value.done < 1
    assert job.value.map.method == "scorecam"


def test_one_visitor_stopping_leaves_the_other_ones_run(core: FakeCore) -> None:
    server = started(core)
    job = server.ask(SLOW, "me", express=True)
    assert server.ask(SLOW, "you", express=True) is job
    until(lambda: job.value.map is not None)
    job.leave("me")
    core.gate.set()
    assert finished(job, "you").state == "done"
    assert job.value.done == 1.0


def test_a_closed_tab_counts_no_longer(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.jobs.job.PATIENCE", 0.05)
    job = started(core).ask(SLOW, "gone", express=True)
    until(lambda: job.value.map is not None)
    time.sleep(0.1)
    core.gate.set()
    until(lambda: job.finished)
    assert job.state == "stopped"


def test_asking_again_after_stopping_starts_afresh(core: FakeCore) -> None:
    server = started(core)
    job = server.ask(SLOW, "me", express=True)
    until(lambda: job.value.map is not None)
    job.leave("me")
    core.gate.set()
    finished(job)
    assert finished(server.ask(SLOW, "me", express=True)).value.done == 1.0


def test_a_download_reports_bytes_and_can_be_left(core: FakeCore) -> None:
    core.download = ((10, 100_000_000), (50_000_000, 100_000_000), (99_000_000, 100_000_000))
    server = started(core)
    job = server.ask(ASK, "me")
    until(lambda: job.stage.title == "Downloading Net, 100 MB")
    job.leave("me")
    assert finished(job).state == "stopped"
    core.gate.set()
    until(lambda: not server.networks.loading)
    assert finished(server.ask(ASK, "me")).state == "done", "the next one downloads anew"


def test_many_visitors_many_queries(core: FakeCore) -> None:
    server = started(core)
    queries = [
        replace(ASK, network=NetworkKey(name), class_index=index, method=method)
        for name in ("A", "B")
        for index in range(5)
        for method in ("gradcam", "layercam")
    ]
    jobs: list[tuple[Query, Job[Any]]] = []
    lock = threading.Lock()

    def visit(visitor: str) -> None:
        for query in queries:
            job = finished(server.ask(query, visitor), visitor, 20)
            with lock:
                jobs.append((query, job))

    threads = [threading.Thread(target=visit, args=(f"v{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(jobs) == 6 * len(queries)
    for query, job in jobs:
        assert job.state == "done"
        m = job.value.map
        assert (m.class_index, m.method) == (query.class_index, query.method)
        assert job.value.network.name == query.network.name
    assert sorted(core.loads) == ["A", "B"], "one load per network, however many wait"


def test_networks_are_let_go_beyond_the_limit(core: FakeCore) -> None:
    server = started(core)
    for name in "ABCDE":
        finished(server.ask(replace(ASK, network=NetworkKey(name)), "me"))
    assert len(server.networks.held) == 4
    finished(server.ask(replace(ASK, network=NetworkKey("A"), class_index=1), "me"))
    assert core.loads == list("ABCDEA")
