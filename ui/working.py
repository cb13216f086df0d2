"""One visitor's side of long work: a section of the page asks for it, shows how far it is, and draws itself again.

A section is a fragment, so that nobody who moves a slider elsewhere has to wait: while its work runs it looks
again every TICK seconds, and when the work is done the page is drawn once more, without ticking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui import words
from ui.asking import QUICK, visitor
from ui.jobs import Job
from ui.questions import Failure
from ui.works import Work, works

TICK = 0.5


@dataclass(frozen=True, eq=False)
class Standing:
    """How far a section's work is. ``value``: what it has, in parts as long as it is ``busy`` or was ``stopped``."""

    value: Any = None
    busy: bool = False
    stopped: bool = False
    failure: Failure | None = None
    job: Job[Work, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether the value is whole."""
        return self.value is not None and not self.busy and not self.stopped and self.failure is None


@dataclass(frozen=True, eq=False)
class _Slot:
    """What a section asked last."""

    work: Work
    job: Job[Work, Any]
    stopped: bool = False


def pursue(section: str, work: Work | None, patience: float = QUICK) -> Standing:
    """The standing of a section's work, begun if it is new; waits for a moment at most. None: no work."""
    state = st.session_state
    name = f"work_{section}"
    slot: _Slot | None = state.get(name)
    if slot is not None and slot.work != work:
        slot.job.leave(visitor())
        state[name] = slot = None
    if work is None:
        return Standing()
    known = works().known(work)
    if known is not None:
        return Standing(known)
    if slot is not None and (slot.stopped or slot.job.state in ("done", "failed")):
        return Standing(slot.job.answer, stopped=slot.stopped, failure=slot.job.failure, job=slot.job)
    job = works().ask(work, visitor())
    state[name] = _Slot(work, job)
    job.wait_for_end(patience)
    return Standing(job.answer, busy=not job.finished, failure=job.failure, job=job)


def stop(section: str) -> None:
    """Stop a section's work; what it has so far stays."""
    slot: _Slot | None = st.session_state.get(f"work_{section}")
    if slot is not None:
        slot.job.leave(visitor())
        st.session_state[f"work_{section}"] = _Slot(slot.work, slot.job, stopped=True)


def again(section: str) -> None:
    """Do stopped or failed work once more."""
    st.session_state[f"work_{section}"] = None


def section(
    name: str, work: Work | None, draw: Callable[[Standing], None], tick: float = TICK, patience: float = QUICK
) -> Standing:
    """Draw a part of the page as a fragment that follows its work; the standing it had at first.

    ``draw`` gets the standing, and runs again by itself until the work has ended. ``patience``: seconds to wait for it
    before drawing.
    """
    standing = pursue(name, work, patience)

    def part() -> None:
        now = pursue(name, work, patience=0.0)
        if standing.busy != now.busy:  # it ended, or was begun anew: only the whole script starts and ends the ticking
            st.rerun()
        draw(now)

    st.fragment(part, run_every=tick if standing.busy else None)()
    return standing


def progress(name: str, standing: Standing, stoppable: bool = True) -> None:
    """One row: how far the work is, with a button to stop it, or to take it up again."""
    with st.container(key=f"cam_work_{name}", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        if standing.busy and standing.job is not None:
            st.progress(*words.under_way(standing.job.stage))
            if stoppable:
                st.button("Stop", key=f"stop_{name}", on_click=stop, args=(name,))
        elif standing.stopped:
            st.caption("Stopped; what is shown is what was done by then.")
            st.button("Go on", key=f"again_{name}", on_click=again, args=(name,))
        elif standing.failure is not None:
            st.button("Try again", key=f"again_{name}", on_click=again, args=(name,))
        else:
            st.empty()
