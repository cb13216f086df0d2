"""One visitor's side of the engine: what to ask next, what to draw meanwhile, and when to draw again."""

import time
import uuid
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from ui import urls
from ui.engine import Engine
from ui.jobs import Job
from ui.questions import Answer, Failure, Question

REDRAW = 0.7
"""Seconds between two drawings of a map that is still growing."""
TICK = 0.2
QUICK = 0.25
"""Seconds to wait before drawing where the network is there: most maps are, too, and one drawing will do."""


@dataclass(frozen=True, eq=False)
class Pursuit:
    """What to draw now, and what is still under way.

    ``answer``: the fullest thing that can be shown for this picture, maybe the last question's.
    ``asked``: how far this very question is answered. ``busy``: whether a worker was at it when this was
    looked up; asked only once, as the page must be drawn again if it ends while it is being drawn.
    """

    answer: Answer
    asked: Answer
    job: Job | None
    failure: Failure | None
    busy: bool
    halted: bool


@dataclass(frozen=True, eq=False)
class _Halt:
    question: Question
    map: Any
    done: float


def visitor() -> str:
    """A name for this session among those who wait for jobs."""
    return str(st.session_state.setdefault("visitor", uuid.uuid4().hex))


def pursue(engine: Engine, question: Question, picture: Any, *, allowed: bool = True) -> Pursuit:
    """Ask what is not known yet; waits for a moment at most. ``allowed`` False: only look up what is known."""
    state = st.session_state
    if state.get("pressed") == question:
        question = replace(question, expressly=True)
    halt: _Halt | None = state.get("halt")
    failed: tuple[Question, Failure] | None = state.get("failed")
    job: Job | None = None
    busy = False
    failure = failed[1] if failed is not None and failed[0] == question else None
    halted = halt is not None and halt.question == question
    if halted or failure is not None or not allowed:
        asked = engine.known(question, picture)
        if halted and halt is not None and asked.network is not None:
            asked = replace(asked, map=halt.map, done=halt.done, cost=None)
    else:
        job = engine.ask(question, picture, visitor())
        if job.answer.network is not None:
            job.wait_for_end(QUICK)
        # A job that has failed in the meantime is followed too: that is where its failure is taken up.
        busy = not job.finished or job.failure is not None
        asked = job.answer
    _let_go(job)
    answer = asked if asked.map is not None else _earlier(engine, asked)
    if asked.map is not None and asked.done >= 1.0:
        state["shown"] = question
    return Pursuit(answer, asked, job, failure, busy, halted)


def start(question: Question) -> None:
    """Run a slow method now that its price is known."""
    st.session_state.update(pressed=question, halt=None)


def stop() -> None:
    """Stop the job that this visitor waits for and keep what it has."""
    state = st.session_state
    job: Job | None = state.get("job")
    if job is None:
        return
    job.leave(visitor())
    answer = job.answer
    state["pressed"] = None
    if answer.map is not None and answer.done < 1.0:
        state["halt"] = _Halt(replace(job.question, expressly=False), answer.map, answer.done)


def retry() -> None:
    """Ask again what failed."""
    st.session_state["failed"] = None


def settle(job: Job) -> None:
    """Note how a job ended, so that the next run draws it and does not ask the same again."""
    state = st.session_state
    failure = job.failure
    if failure is None:
        return
    question = job.question
    if failure.kind == "LayerError" and question.layer is not None:
        urls.object_to("layer", f"{failure.message} Showing the recommended layer instead.")
    elif failure.kind == "ModelError" and failure.step == "map" and question.class_index is not None:
        urls.object_to("class", f"{failure.message} Showing the network's first choice instead.")
    else:
        state["failed"] = (question, failure)


def follow(engine: Engine, job: Job, drawn: Answer, show: Any) -> None:
    """Watch the job until there is more to draw than ``drawn``, then run the script again.

    ``show(job)`` is called a few times a second; being a Streamlit call it lets the visitor change anything.
    """
    engine.start()
    began = time.monotonic()
    version = job.version if job.answer is drawn else -1
    while True:
        show(job)
        now = job.wait(visitor(), version, TICK)
        if job.finished:
            settle(job)
            st.rerun()
        growing = job.answer.done < 1.0
        if now != version and (not growing or time.monotonic() - began >= REDRAW):
            st.rerun()
        if now != version:
            time.sleep(TICK)


def _let_go(job: Job | None) -> None:
    """Stop waiting for the last question when another one is asked."""
    state = st.session_state
    last: Job | None = state.get("job")
    if last is not None and last is not job:
        last.leave(visitor())
    state["job"] = job if job is not None and not job.finished else None


def _earlier(engine: Engine, asked: Answer) -> Answer:
    """The last result of the same picture, to stay on the page until the next is there."""
    shown: Question | None = st.session_state.get("shown")
    if shown is None or shown.picture != asked.question.picture:
        return asked
    earlier = engine.known(shown, asked.picture)
    return earlier if earlier.map is not None else asked
