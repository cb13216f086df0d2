"""A question that has computed little comes before the next chunk of long work, and what gives way comes last."""

import threading
import time

import pytest

from camcore.graph import turns
from camcore.graph.priority_semaphore import PrioritySemaphore


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> PrioritySemaphore:
    places = PrioritySemaphore(1)
    monkeypatch.setattr(turns, "_SEMAPHORE", places)
    return places


def test_who_has_computed_least_comes_first(one_place: PrioritySemaphore) -> None:
    order: list[str] = []
    held, go = threading.Event(), threading.Event()

    def waiting(count: int) -> None:
        while len(one_place._waiting) < count:
            time.sleep(0.001)

    def modest() -> None:
        turns.give_way()
        with turns.turn():
            order.append("gives way")

    def long() -> None:
        with turns.turn():
            held.set()
            go.wait(5)
        with turns.turn():  # asked for before the short one, and after it in turn
            order.append("long")

    def short() -> None:
        with turns.turn():
            order.append("short")

    threads = [threading.Thread(target=work) for work in (long, modest, short)]
    threads[0].start()
    assert held.wait(5)
    for count, thread in enumerate(threads[1:], 1):
        thread.start()
        waiting(count)
    with one_place._lock:  # nobody's turn comes before the long one has asked again
        go.set()
        time.sleep(0.05)
    for thread in threads:
        thread.join(5)
    assert order == ["short", "long", "gives way"]


def test_a_turn_that_fails_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass
