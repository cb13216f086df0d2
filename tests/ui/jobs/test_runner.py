"""Long work without TensorFlow: shared, stopped when nobody waits, kept, and its failures told."""

import threading
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

import camcore
from ui.engine import Engine
from ui.jobs.job import Job
from ui.query import NetworkKey
from ui.jobs.work import Update, Work, Works

NET = NetworkKey("Net")


@pytest.fixture
def works() -> Works:
    core: Any = SimpleNamespace(load=lambda name, **_: SimpleNamespace(name=name, parameters=1), METHODS={})
    engine = Engine(core, start=lambda: None)
    engine.start()
    return Works(engine)


class Counting:
    """Work in three parts that waits at its ``gate`` after the first."""

    def __init__(self, key: str = "count", error: Exception | None = None) -> None:
        self.gate = threading.Event()
        self.begun = self.closed = 0
        self.work = Work(NET, key, "Counting", lambda net: self.steps(net, error), lambda value: 8)

    def steps(self, net: Any, error: Exception | None) -> Generator[Update, None, None]:
        self.begun += 1
        try:
            for done in range(1, 4):
                yield Update(done / 3, f"{net.name} {done}")
                self.gate.wait(5)
                if error is not None:
                    raise error
        finally:
            self.closed += 1


def ended(job: Job[Work, Any]) -> Job[Work, Any]:
    assert job.wait_for_end(5), job.stage.title
    return job


def until(condition: Any) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_grows_and_is_kept(works: Works) -> None:
    counting = Counting()
    job = works.ask(counting.work, "me")
    until(lambda: job.answer is not None)
    assert job.answer == "Net 1"
    assert job.stage.progress()[0] == pytest.approx(1 / 3)
    assert works.known(counting.work) is None
    counting.gate.set()
    assert ended(job).state == "done"
    assert works.known(counting.work) == "Net 3"


def test_is_shared_and_goes_on_until_the_last_one_leaves(works: Works) -> None:
    counting = Counting()
    job = works.ask(counting.work, "me")
    assert works.ask(counting.work, "you") is job
    job.leave("me")
    until(lambda: counting.begun == 1)
    counting.gate.set()
    assert ended(job).state == "done"


def test_stops_when_nobody_waits(works: Works) -> None:
    counting = Counting()
    job = works.ask(counting.work, "me")
    until(lambda: job.answer is not None)
    job.leave("me")
    counting.gate.set()
    assert ended(job).state == "stopped"
    assert counting.closed == 1
    assert works.known(counting.work) is None
    assert ended(works.ask(counting.work, "me")).state == "done", "it can be begun again"
    assert counting.begun == 2


@pytest.mark.parametrize(("error", "said"), [
    (camcore.CamcoreError("The folder is empty."), "The folder is empty."),
    (RuntimeError("a secret"), "Something unexpected"),
])  # fmt: skip
def test_failures_are_told_and_do_not_stick(works: Works, error: Exception, said: str) -> None:
    counting = Counting(error=error)
    counting.gate.set()
    job = ended(works.ask(counting.work, "me"))
    assert job.failure is not None
    assert said in job.failure.message
    assert works.known(counting.work) is None
    assert works.ask(counting.work, "me") is not job


def test_a_network_of_another_version_is_another_work(works: Works) -> None:
    counting = Counting()
    counting.gate.set()
    ended(works.ask(counting.work, "me"))
    newer = Work(NetworkKey("Net", version="2"), "count", "Counting", counting.work.steps, lambda value: 8)
    assert works.known(newer) is None


def test_work_without_a_network_loads_none(works: Works) -> None:
    given: list[Any] = []

    def steps(net: Any, job: Job[Any, Any]) -> Generator[Update, None, None]:
        given.append(net)
        job.check()
        yield Update(1.0, "done")

    work = Work(None, "alone", "Alone", steps, lambda value: 8, watched=True)
    assert ended(works.ask(work, "me")).answer == "done"
    assert given == [None]
    assert works.known(work) == "done"
