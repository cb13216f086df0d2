"""One visitor's side of a comparison: what is asked, what to draw meanwhile, and when to draw again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from ui.asking import QUICK, REDRAW, TICK, visitor
from ui.compare.comparing import SheetJob, comparer
from ui.compare.comparison import Plan
from ui.compare.sheets import Sheet
from ui.engine import engine
from ui.facts import Facts
from ui.questions import Failure, NetworkKey

WARM = 0.7
"""Seconds to wait before drawing where the network is loaded: most grids are full by then, and one drawing will do."""


@dataclass(frozen=True, eq=False)
class Pursuit:
    """What to draw now. ``busy``: a worker is at it; ``halted``: stopped by the visitor, with what was done by then."""

    sheet: Sheet
    busy: bool = False
    halted: bool = False
    failure: Failure | None = None
    job: SheetJob | None = None


def last() -> Sheet | None:
    """What was shown last."""
    pursuit: Pursuit | None = st.session_state.get("comparison")
    return None if pursuit is None else pursuit.job.answer if pursuit.job is not None else pursuit.sheet


def facts(network: NetworkKey) -> Facts | None:
    """What is known of a network from what was shown last."""
    sheet = last()
    return None if sheet is None else sheet.facts.get(network)


def pursue(plan: Plan, picture: Any, allowed: bool = True) -> Pursuit:
    """How far this plan is, begun if it is new; waits for a moment at most. ``allowed`` False: nothing is begun."""
    state = st.session_state
    before: Pursuit | None = state.get("comparison")
    earlier = last()
    same = before is not None and before.sheet.plan == plan
    if before is not None and same and before.job is None:  # ended, one way or the other
        return before
    if before is not None and before.job is not None and not same and _wanted(plan) != before.job.question:
        before.job.leave(visitor())
    if not allowed:
        return _note(Pursuit(Sheet(plan)))
    asked = _wanted(plan)
    job = before.job if before is not None and same and before.job is not None else None
    if job is None or job.question != asked or job.state == "stopped":
        job = comparer().ask(asked, picture, visitor(), earlier)
        job.wait_for_end(QUICK if engine().peek(plan.lead) is None else WARM)
    return _note(_standing(plan, job))


def run(plan: Plan) -> None:
    """Run what waited, now that its price is known, or go on with what was stopped."""
    st.session_state["run_comparison"] = plan
    st.session_state["comparison"] = _open_again()


def again() -> None:
    """Ask once more what failed."""
    st.session_state["comparison"] = _open_again()


def stop() -> None:
    """Stop; what is there stays."""
    state = st.session_state
    before: Pursuit | None = state.get("comparison")
    if before is not None and before.job is not None:
        before.job.leave(visitor())
        state["run_comparison"] = None
        state["comparison"] = Pursuit(replace(before.job.answer, plan=before.sheet.plan), halted=True)


def follow(pursuit: Pursuit, show: Callable[[SheetJob], None]) -> None:
    """Watch the job until there is more to draw, then run the script again; ``show`` moves the progress bar."""
    job = pursuit.job
    if job is None:
        return
    engine().start()
    began, version = time.monotonic(), job.version
    while True:
        show(job)
        now = job.wait(visitor(), version, TICK)
        if job.finished or (now != version and time.monotonic() - began >= REDRAW):
            st.rerun()
        if now != version:
            time.sleep(TICK)


def _wanted(plan: Plan) -> Plan:
    return replace(plan, expressly=True) if st.session_state.get("run_comparison") == plan else plan


def _standing(plan: Plan, job: SheetJob) -> Pursuit:
    sheet = replace(job.answer, plan=plan)
    if not job.finished:
        return Pursuit(sheet, busy=True, job=job)
    if job.state == "stopped":  # by another script run of this visitor
        return Pursuit(sheet, halted=True)
    return Pursuit(sheet, failure=job.failure)


def _note(pursuit: Pursuit) -> Pursuit:
    st.session_state["comparison"] = pursuit
    return pursuit


def _open_again() -> Pursuit | None:
    """The last sheet, for its maps, under a plan that no page asks for."""
    sheet = last()
    return None if sheet is None else Pursuit(replace(sheet, plan=replace(sheet.plan, columns="")))
