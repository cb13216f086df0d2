"""Turns go by rank, equals in the order of coming, and none is lost."""

import threading
import time

import pytest

from camcore.graph.priority_semaphore import PrioritySemaphore


def wait_until(met, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_whoever_waits_comes_before_the_next_turn_of_long_work() -> None:
    turns, order = PrioritySemaphore(1), []

    def short(name: str) -> None:
        with turns.acquired():
            order.append(name)

    waiting = []
    with turns.acquired():
        order.append("long 1")
        for name in ("first", "second", "third"):
            waiting.append(threading.Thread(target=short, args=(name,)))
            waiting[-1].start()
            wait_until(lambda: len(turns._waiting) == len(waiting))
    with turns.acquired():  # asked for at once, and yet after those who waited
        order.append("long 2")
    for thread in waiting:
        thread.join()
    assert order == ["long 1", "first", "second", "third", "long 2"]


def test_never_more_at_once_than_there_are_places() -> None:
    turns, now, most, lock = PrioritySemaphore(2), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal now, most
        for _ in range(20):
            with turns.acquired():
                with lock:
                    now += 1
                    most = max(most, now)
                time.sleep(0.0005)
                with lock:
                    now -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    with turns.acquired(), turns.acquired():
        assert not turns._free


def test_a_failure_and_an_interrupted_wait_give_their_places_on(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = PrioritySemaphore(1)
    with pytest.raises(ZeroDivisionError), turns.acquired():
        raise ZeroDivisionError
    with turns.acquired(), monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", lambda self, timeout=None: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt), turns.acquired():
            pytest.fail("it had no turn")
    with turns.acquired():
        pass


def test_the_lowest_rank_comes_first_and_the_highest_is_not_forgotten() -> None:
    turns, order = PrioritySemaphore(1), []
    waiting = []

    def work(rank: float) -> None:
        with turns.acquired(rank=rank):
            order.append(rank)

    with turns.acquired():
        for rank in (9.0, 3.0, 1.0, 2.0, 4.0, 5.0):
            waiting.append(threading.Thread(target=work, args=(rank,)))
            waiting[-1].start()
            wait_until(lambda: len(turns._waiting) == len(waiting))
    for thread in waiting:
        thread.join()
    assert order == [1.0, 2.0, 3.0, 9.0, 4.0, 5.0], "every fourth turn is that of whoever waits longest"
