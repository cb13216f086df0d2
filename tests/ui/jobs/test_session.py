"""A visitor's side of background work, run by Streamlit's own test runner."""

import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from app_pages import AppTest

from ui.jobs.work import Update, Updates, Work


class Server:
    """Work in two parts, of which the second waits.

    ``asked``: the work that the page asks for; ``last``: called just before the work ends.
    """

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex  # results are kept for the whole process
        self.gate = threading.Event()
        self.begun: list[str] = []
        self.ended = queue.SimpleQueue[str]()
        self.asked: str | None = "a"
        self.broken = False
        self.last: Callable[[], object] = bool

    def work(self) -> Work[str] | None:
        key = self.asked
        return None if key is None else Work(None, (self.token, key), "Counting", lambda *_: self.steps(key), len)

    def steps(self, key: str) -> Updates[str]:
        self.begun.append(key)
        try:
            yield Update(0.5, f"half of {key}")
            self.gate.wait(10)
            self.last()
            if self.broken:
                raise RuntimeError("a secret")
            yield Update(1.0, f"all of {key}")
        finally:
            self.ended.put(key)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.gate.set()


def one_section() -> None:
    import streamlit as st

    from ui.jobs import session

    def draw(status: session.Status[str]) -> None:
        st.text(f"{status.value}, busy {status.busy}, stopped {status.stopped}, failed {status.failure is not None}")
        session.progress("count", status)

    session.section("count", st.session_state["server"].work(), draw)
    st.button("Press", key="press", on_click=session.press, args=("count", "this"))
    st.caption(str(session.pressed("count")))


def whole_page() -> None:
    import streamlit as st

    from ui.jobs import session

    status = session.ask("count", st.session_state["server"].work(), patience=0.0)
    st.text(f"{status.value}, busy {status.busy}, stopped {status.stopped}, failed {status.failure is not None}")
    bar = st.progress(0.0) if status.busy else None
    session.follow(status, bar)
    st.caption("followed")


def linked_page() -> None:
    """A page whose visitor follows a link just before its work ends: the request waits as the script runs again."""
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from ui.jobs import session

    run, server = get_script_run_ctx(), st.session_state["server"]
    server.last = lambda: run.script_requests.request_rerun(
        RerunData("to=there", page_script_hash=run.page_script_hash)
    )
    st.text(st.query_params.get("to", "here"))
    status = session.ask("count", server.work(), patience=0.0)
    session.follow(status, st.progress(0.0) if status.busy else None)


def page(server: Server, script: Callable[[], None] = one_section) -> AppTest:
    at = AppTest.from_function(script, default_timeout=20)
    at.session_state["server"] = server
    return at


def until(at: AppTest, text: str) -> None:
    """Run the page, as its section does by itself in a browser, until it says this."""
    end = time.monotonic() + 10
    at.run()
    while text not in [one.value for one in at.text]:
        assert time.monotonic() < end, [one.value for one in at.text]
        time.sleep(0.02)
        at.run()
        assert not at.exception


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


GROWING = "half of a, busy True, stopped False, failed False"
WHOLE = "all of a, busy False, stopped False, failed False"
STOPPED = "half of a, busy False, stopped True, failed False"


def test_a_section_grows_and_ends(server: Server) -> None:
    at = page(server)
    until(at, GROWING)
    server.gate.set()
    until(at, WHOLE)
    assert server.begun == ["a"]
    other = page(server)
    until(other, WHOLE)
    assert server.begun == ["a"], "the result is kept for the next visitor"


def test_what_was_stopped_stays_and_goes_on_when_told_to(server: Server) -> None:
    at = page(server)
    until(at, GROWING)
    press(at, "stop_count")
    until(at, STOPPED)
    server.gate.set()
    time.sleep(0.1)
    until(at, STOPPED)
    press(at, "again_count")
    until(at, WHOLE)
    assert server.begun == ["a", "a"]


def test_a_failure_stays_until_it_is_tried_again(server: Server) -> None:
    server.broken = True
    server.gate.set()
    at = page(server)
    until(at, "half of a, busy False, stopped False, failed True")
    server.broken = False
    at.run()
    assert server.begun == ["a"], "it is not tried again unasked"
    press(at, "again_count")
    until(at, WHOLE)


def test_other_work_leaves_the_first(server: Server) -> None:
    at = page(server)
    until(at, GROWING)
    server.asked = "b"
    until(at, "half of b, busy True, stopped False, failed False")
    server.asked = None
    until(at, "None, busy False, stopped False, failed False")
    server.gate.set()
    assert {server.ended.get(timeout=10), server.ended.get(timeout=10)} == {"a", "b"}
    server.asked = "a"
    until(at, WHOLE)
    assert server.begun == ["a", "b", "a"], "the first was stopped"


def test_what_was_pressed_holds_until_it_is_left_stopped(server: Server) -> None:
    at = page(server)
    until(at, GROWING)
    press(at, "press")
    server.asked = "b"
    until(at, "half of b, busy True, stopped False, failed False")
    assert at.caption[0].value == "this", "left as it ran"
    press(at, "stop_count")
    server.asked = "a"
    at.run()
    assert at.caption[0].value == "None", "left stopped, it is offered anew"


def test_a_whole_page_is_drawn_again_until_its_work_has_ended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []

    def start() -> None:
        begun.append(True)
        threading.Timer(0.1, server.gate.set).start()

    monkeypatch.setattr("ui.jobs.session.start", start)
    at = page(server, whole_page)
    at.run()  # follows, and draws itself anew
    assert not at.exception
    assert at.text[0].value == WHOLE
    assert at.caption[0].value == "followed"
    assert begun, "what waits for TensorFlow would wait for ever"


def test_a_link_that_is_followed_as_the_work_ends_is_not_lost(server: Server) -> None:
    threading.Timer(0.1, server.gate.set).start()
    at = page(server, linked_page).run()
    assert not at.exception
    assert at.text[0].value == "there"
