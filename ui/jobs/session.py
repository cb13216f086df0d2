"""One visitor's side of background work: a part of the page asks for it, shows how far it is, and is drawn again.

A section is a fragment, so that nobody who moves a slider elsewhere has to wait: while its work runs it looks again
every TICK seconds, and when the work is done the page is drawn once more, without ticking. Where the whole page hangs
on one work, its script follows the job to the end (``follow``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import words
from ui._compat import session_id
from ui.jobs.job import Job
from ui.jobs.runner import runner
from ui.jobs.work import Work
from ui.networks import start
from ui.query import Failure

TICK = 0.5
"""Seconds between two looks of a section at its work."""
QUICK = 0.25
"""Seconds to wait before drawing: most results are there by then, and one drawing will do."""
WARM = 0.7
"""The same for an answer that the whole page is about, where its network is loaded: each drawing costs a busy server
as much as the answer itself."""
REDRAW = 0.7
"""Seconds between two drawings of a page whose value is still growing."""
PROGRESS = 0.2
"""Seconds between two steps of a progress bar."""

V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class Status(Generic[V]):
    """The state of a work when it was asked for. ``value``: in parts as long as it is ``busy`` or was ``stopped``."""

    value: V | None = None
    busy: bool = False
    stopped: bool = False
    failure: Failure | None = None
    job: Job[V] | None = None
    version: int = 0

    @property
    def complete(self) -> bool:
        """The value is whole."""
        return self.value is not None and not self.busy and not self.stopped and self.failure is None

    @property
    def result(self) -> V:
        """The value, where there is one."""
        assert self.value is not None
        return self.value


@dataclass(frozen=True, eq=False)
class _Slot(Generic[V]):
    """The last work of a name. ``renew``: do it once more."""

    work: Work[V]
    job: Job[V]
    stopped: bool = False
    renew: bool = False

    @property
    def status(self) -> Status[V]:
        job = self.job
        version = job.version  # before the value: news in between are drawn twice rather than never
        busy = not job.finished and not self.stopped
        return Status(job.value, busy, self.stopped, job.failure, job, version)


def visitor() -> str:
    """A name for this session among those who wait for jobs."""
    return str(st.session_state.setdefault("visitor", session_id() or uuid.uuid4().hex))


def ask(name: str, work: Work[V] | None, patience: float = QUICK) -> Status[V]:
    """The status of the work of this ``name``, begun if it is new; waits for a moment at most. None: no work.

    The last work of the name is left where this is another one.
    """
    slot = _slot(name)
    if slot is not None and slot.work != work:
        slot.job.leave(visitor())
        if slot.stopped:
            press(name, None)  # left after it was stopped, it is offered anew
        st.session_state[_key(name)] = slot = None
    if work is None:
        return Status()
    known = runner().known(work)
    if known is not None:
        return Status(known)
    if slot is not None and not slot.renew and (slot.stopped or slot.job.state in ("done", "failed")):
        return slot.status
    slot = st.session_state[_key(name)] = _Slot(work, runner().ask(work, visitor()))
    _pause(slot.job, patience)
    return slot.status


def _pause(job: Job[Any], patience: float) -> None:
    """Wait for the job's end, for a moment at most, or until the visitor asks for something else."""
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0 and not job.wait_for_end(min(left, PROGRESS)):
        visitor()  # see rerun


def latest(name: str) -> Any:
    """The last value of this name's work, whole or in parts; None where there is none."""
    slot = _slot(name)
    return None if slot is None else slot.job.value


def stop(name: str) -> None:
    """Stop a name's work; what it has so far stays."""
    slot = _slot(name)
    if slot is not None:
        slot.job.leave(visitor())
        st.session_state[_key(name)] = _Slot(slot.work, slot.job, stopped=True)


def retry(name: str) -> None:
    """Do stopped or failed work once more."""
    slot = _slot(name)
    if slot is not None:
        st.session_state[_key(name)] = _Slot(slot.work, slot.job, renew=True)


def press(name: str, what: Hashable) -> None:
    """Note that the visitor wants this done, knowing its price; None: no longer."""
    st.session_state[f"pressed_{name}"] = what


def pressed(name: str) -> Any:
    """The last thing that was pressed for this name."""
    return st.session_state.get(f"pressed_{name}")


def section(
    name: str,
    work: Work[V] | None,
    draw: Callable[[Status[V]], None] = lambda status: None,
    tick: float = TICK,
    patience: float = QUICK,
) -> Status[V]:
    """Draw a part of the page as a fragment that follows its work; the status it had at first.

    ``draw`` gets the status, and runs again by itself until the work has ended. ``patience``: seconds to wait for it
    before drawing.
    """
    status = ask(name, work, patience)

    def part() -> None:
        now = ask(name, work, patience=0.0)
        if status.busy != now.busy:  # it ended, or was begun anew: only the whole script starts and ends the ticking
            rerun()
        draw(now)

    st.fragment(part, run_every=tick if status.busy else None)()
    return status


def follow(status: Status[V], bar: DeltaGenerator | None, growing: Callable[[V], bool] = lambda value: True) -> None:
    """Watch running work until there is more than ``status`` had, then run the script again; at the end of a page.

    The progress ``bar`` moves a few times a second; being a Streamlit call that lets the visitor change anything.
    ``growing``: of a value, that it may wait a while to be drawn.
    """
    job = status.job
    if job is None or bar is None or not status.busy:
        return
    start()
    began, version = time.monotonic(), status.version
    while True:
        bar.progress(*words.under_way(job.stage))
        now = job.wait(visitor(), version, PROGRESS)
        waits = job.value is not None and growing(job.value)
        if job.finished or (now != version and (not waits or time.monotonic() - began >= REDRAW)):
            rerun()
        if now != version:
            time.sleep(PROGRESS)


def rerun() -> NoReturn:
    """Run the script again; where the visitor has asked for something meanwhile, that.

    ``st.rerun`` takes the place of a request that waits, and its page and address with it: a link would lead nowhere.
    """
    visitor()  # Streamlit turns to what waits whenever the session's state is read
    st.rerun()


def progress(name: str, status: Status[V], stoppable: bool = True) -> None:
    """One row: how far the work is, with a button to stop it, or to take it up again."""
    with st.container(key=f"cam_work_{name}", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        if status.busy and status.job is not None:
            st.progress(*words.under_way(status.job.stage))
            if stoppable:
                st.button("Stop", key=f"stop_{name}", on_click=stop, args=(name,))
        elif status.stopped:
            st.caption("Stopped. What was done by then is shown.")
            st.button("Go on", key=f"again_{name}", on_click=retry, args=(name,))
        elif status.failure is not None:
            st.button("Try again", key=f"again_{name}", on_click=retry, args=(name,))
        else:
            st.empty()


def _key(name: str) -> str:
    return f"work_{name}"


def _slot(name: str) -> _Slot[Any] | None:
    slot: _Slot[Any] | None = st.session_state.get(_key(name))
    return slot
