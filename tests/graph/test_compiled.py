"""The clock of a map's own time: it stands while functions are built and while others have their turn."""

import threading
import time

from camcore.graph import turns
from camcore.graph.compiled import SubgraphCompiler
from camcore.graph.priority_semaphore import PrioritySemaphore

PAUSE = 0.2


def own_and_all(compiler, work):
    """The seconds of a piece of work by the compiler's clock, and by the wall's."""
    start, wall = compiler.clock(), time.perf_counter()
    work()
    return compiler.clock() - start, time.perf_counter() - wall


def test_the_clock_stands_while_functions_are_built_also_one_within_the_other():
    compiler = SubgraphCompiler(None, "a network")

    def outer():
        time.sleep(PAUSE)
        inner = compiler.cached(("inner",), lambda: time.sleep(PAUSE) or str)
        time.sleep(PAUSE)
        return inner

    own, wall = own_and_all(compiler, lambda: compiler.cached(("outer",), outer))
    assert wall >= 3 * PAUSE
    assert own < PAUSE / 2
    own, _ = own_and_all(compiler, lambda: time.sleep(PAUSE))
    assert own >= PAUSE


def test_the_clock_stands_while_another_thread_builds():
    compiler = SubgraphCompiler(None, "a network")
    begun = threading.Event()

    def slow():
        begun.set()
        time.sleep(2 * PAUSE)
        return str

    other = threading.Thread(target=compiler.cached, args=(("slow",), slow))
    other.start()
    begun.wait()
    own, wall = own_and_all(compiler, lambda: compiler.cached(("mine",), lambda: str))
    other.join()
    assert wall >= PAUSE
    assert own < PAUSE / 2


def test_the_clock_stands_while_others_have_their_turn(monkeypatch):
    places = PrioritySemaphore(1)
    monkeypatch.setattr(turns, "_SEMAPHORE", places)
    compiler = SubgraphCompiler(None, "a network")
    monkeypatch.setattr(compiler, "warm", lambda function, *arguments: function(*arguments))
    taken, done = threading.Event(), threading.Event()

    def others():
        with places.acquired():
            taken.set()
            done.wait(2 * PAUSE)

    other = threading.Thread(target=others)
    other.start()
    taken.wait()
    own, wall = own_and_all(compiler, lambda: compiler.run(lambda: time.sleep(PAUSE)))
    other.join()
    assert wall >= 3 * PAUSE - 0.05
    assert PAUSE <= own < 2 * PAUSE
