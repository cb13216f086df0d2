"""Work without TensorFlow: shared, in turn, stopped when nobody waits, kept, and its failures told."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import camcore
from ui.jobs.job import Job
from ui.jobs.runner import AT_ONCE, Runner
from ui.jobs.work import Update, Updates, Work
from ui.networks import Networks
from ui.policy import JOBS_AT_ONCE
from ui.query import NetworkKey

NET = NetworkKey("Net")


def load(name: str, **_: Any) -> Any:
    return SimpleNamespace(name=name, parameters=1)


@pytest.fixture
def runner() -> Runner:
    networks = Networks(load, start=lambda: None)
    networks.start()
    return Runner(networks)


class Counting:
    """Work in three parts that waits at its ``gate`` after the first."""

    def __init__(self, key: str = "count", error: Exception | None = None) -> None:
        self.gate = threading.Event()
        self.begun = self.closed = 0
        self.work = Work(NET, key, "Counting", lambda net, _: self.steps(net, error), lambda value: 8)

    def steps(self, net: Any, error: Exception | None) -> Updates[str]:
        self.begun += 1
        try:
            for done in range(1, 4):
                yield Update(done / 3, f"{net.name} {done}")
                self.gate.wait(5)
                if error is not None:
                    raise error
        finally:
            self.closed += 1


def ended(job: Job[Any]) -> Job[Any]:
    assert job.wait_for_end(5), job.stage.title
    return job


def until(condition: Any) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_grows_and_is_kept(runner: Runner) -> None:
    counting = Counting()
    job = runner.ask(counting.work, "me")
    until(lambda: job.value is not None)
    assert job.value == "Net 1"
    assert job.stage.progress()[0] == pytest.approx(1 / 3)
    assert runner.known(counting.work) is None
    counting.gate.set()
    assert ended(job).state == "done"
    assert runner.known(counting.work) == "Net 3"


def test_is_shared_and_goes_on_until_the_last_one_leaves(runner: Runner) -> None:
    counting = Counting()
    job = runner.ask(counting.work, "me")
    assert runner.ask(counting.work, "you") is job
    job.leave("me")
    until(lambda: counting.begun == 1)
    counting.gate.set()
    assert ended(job).state == "done"


def test_stops_when_nobody_waits(runner: Runner) -> None:
    counting = Counting()
    job = runner.ask(counting.work, "me")
    until(lambda: job.value is not None)
    job.leave("me")
    counting.gate.set()
    assert ended(job).state == "stopped"
    assert counting.closed == 1
    assert runner.known(counting.work) is None
    assert ended(runner.ask(counting.work, "me")).state == "done", "it can be begun again"
    assert counting.begun == 2


def test_a_closed_tab_waits_no_longer_than_a_reload(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = {"me", "you"}
    monkeypatch.setattr("ui.jobs.job.is_connected", connected.__contains__)
    monkeypatch.setattr("ui.jobs.job.RELOAD", 0.05)
    job = Job(Counting().work)
    job.watch("me")
    job.watch("you")
    time.sleep(0.1)
    assert job.wanted()
    connected.remove("me")
    assert job.wanted(), "another one still waits"
    connected.remove("you")
    assert not job.wanted()
    assert job.watch("me"), "until a step has noticed, one can come back"
    assert job.wanted()


def test_who_comes_as_it_stops_has_it_begun_again(runner: Runner) -> None:
    stopping, gate = threading.Event(), threading.Event()
    begun: list[int] = []

    def steps(_: Any, __: Any) -> Updates[str]:
        begun.append(len(begun))
        try:
            while not gate.is_set():
                yield Update(0.5, "half")
            yield Update(1.0, "whole")
        finally:
            stopping.set()
            gate.wait(5)

    work = Work(None, "stopping", "Stopping", steps)
    first = runner.ask(work, "me")
    until(lambda: first.value is not None)
    first.leave("me")
    assert stopping.wait(5)
    second = runner.ask(work, "me")
    assert second is not first
    gate.set()
    assert ended(first).state == "stopped"
    assert (ended(second).state, second.value) == ("done", "whole")


@pytest.mark.parametrize(("error", "said"), [
    (camcore.CamcoreError("The folder is empty."), "The folder is empty."),
    (RuntimeError("a secret"), "Something unexpected"),
])  # fmt: skip
def test_failures_are_told_and_do_not_stick(runner: Runner, error: Exception, said: str) -> None:
    counting = Counting(error=error)
    counting.gate.set()
    job = ended(runner.ask(counting.work, "me"))
    assert job.failure is not None
    assert said in job.failure.message
    assert runner.known(counting.work) is None
    assert runner.ask(counting.work, "me") is not job


def test_a_network_of_another_version_is_another_work(runner: Runner) -> None:
    counting = Counting()
    counting.gate.set()
    ended(runner.ask(counting.work, "me"))
    newer = Work(NetworkKey("Net", version="2"), "count", "Counting", counting.work.steps, lambda value: 8)
    assert runner.known(newer) is None


def test_work_without_a_network_loads_none(runner: Runner) -> None:
    given: list[Any] = []

    def steps(net: Any, job: Job[str]) -> Updates[str]:
        given.append(net)
        job.check()
        yield Update(1.0, "done")

    work = Work(None, "alone", "Alone", steps, lambda value: 8)
    assert ended(runner.ask(work, "me")).value == "done"
    assert given == [None]
    assert runner.known(work) == "done"


def test_a_title_moves_and_a_share_without_a_value_publishes_nothing(runner: Runner) -> None:
    gate = threading.Event()

    def steps(_: Any, __: Any) -> Updates[str]:
        yield Update(0.25, title="The first half")
        gate.wait(5)
        yield Update(1.0, "whole")

    job = runner.ask(Work(None, "titles", "Titles", steps), "me")
    until(lambda: job.stage.fraction == 0.25)
    assert (job.stage.title, job.value, job.version) == ("The first half", None, 0)
    gate.set()
    assert ended(job).value == "whole"


def test_results_that_are_kept_elsewhere_are_not_held(runner: Runner) -> None:
    work = Work(None, "elsewhere", "Elsewhere", lambda *_: (Update(1.0, one) for one in "x"))
    assert ended(runner.ask(work, "me")).value == "x"
    assert runner.known(work) is None


def test_a_start_value_is_there_at_once_and_stays_after_a_failure(runner: Runner) -> None:
    def steps(_: Any, __: Any) -> Updates[str]:
        raise camcore.CamcoreError("Nothing comes of it.")
        yield Update()

    job = runner.ask(Work(None, "start", "Start", steps, start="known"), "me")
    assert job.value == "known"
    assert ended(job).state == "failed"
    assert job.value == "known"


def test_jobs_beyond_the_limit_take_their_turn_in_the_order_of_coming(runner: Runner) -> None:
    places = AT_ONCE["work"]
    gates = [threading.Event() for _ in range(places + 3)]
    begun: list[int] = []

    def steps(number: int) -> Updates[int]:
        begun.append(number)
        gates[number].wait(5)
        yield Update(1.0, number)

    def ask(number: int) -> Job[int]:
        return runner.ask(Work(None, number, "Waiting", lambda *_: steps(number)), "me")

    running = [ask(number) for number in range(places)]
    until(lambda: len(begun) == places)
    waiting = []
    for number in range(places, places + 3):
        waiting.append(ask(number))
        time.sleep(0.02)
    assert len(begun) == places
    waiting[0].leave("me")
    assert ended(waiting[0]).state == "stopped", "nobody waits for its turn"
    for done in (0, 1):
        gates[done].set()
        until(lambda done=done: len(begun) == places + done + 1)
    assert begun[places:] == [places + 1, places + 2]
    for gate in gates:
        gate.set()
    for job in (*running, *waiting[1:]):
        assert ended(job).state == "done"


def test_a_lane_that_is_full_holds_up_no_other(runner: Runner) -> None:
    evidence = [Counting(f"evidence {number}") for number in range(AT_ONCE["evidence"] + 1)]
    jobs = [runner.ask(replace(one.work, lane="evidence"), "me") for one in evidence]
    until(lambda: sum(one.begun for one in evidence) == AT_ONCE["evidence"])
    answer = Counting("answer")
    answer.gate.set()
    assert ended(runner.ask(replace(answer.work, lane="answer"), "me")).state == "done"
    assert sum(one.begun for one in evidence) == AT_ONCE["evidence"]
    for one in evidence:
        one.gate.set()
    assert {ended(job).state for job in jobs} == {"done"}


def test_a_visitor_of_a_public_server_takes_no_more_than_his_places(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMCORE_PUBLIC", "1")
    works = [Counting(f"work {number}") for number in range(JOBS_AT_ONCE + 2)]
    jobs = [runner.ask(one.work, "greedy") for one in works]
    until(lambda: sum(one.begun for one in works) == JOBS_AT_ONCE)
    other = Counting("other")
    job = runner.ask(other.work, "modest")
    until(lambda: other.begun == 1)
    assert sum(one.begun for one in works) == JOBS_AT_ONCE
    for one in (*works, other):
        one.gate.set()
    assert {ended(one).state for one in (*jobs, job)} == {"done"}
