"""The Train page's address and its list of runs."""

from __future__ import annotations

import streamlit as st

from camcore.models.catalogue import backbones
from ui import urls, words
from ui.jobs import session
from ui.training import form, runs
from ui.training.form import NEW, SCRATCH
from ui.training.form_view import usual_backbone
from ui.training.runs import TrainingRun
from ui.urls import Parameter, whole_number

TICK = 2.0
"""Seconds between two looks at whether a run has begun or ended."""

_STATES = {
    "starting": "starting",
    "running": "training",
    "stopping": "stopping",
    "silent": "does not answer",
    "interrupted": "interrupted",
    "stopped": "stopped",
    "failed": "failed",
    "done": "ready",
}


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    starts = (SCRATCH, *(row.name for row in backbones()))
    return [
        Parameter("run", "run", None),
        Parameter("data", "folder", ""),
        Parameter("backbone", "backbone", usual_backbone(), starts),
        Parameter("epochs", "number of epochs", None, parse=whole_number(*form.EPOCHS)),
        Parameter("size", "input size", None, parse=whole_number(*form.SIZES)),
        Parameter("seed", "seed", None, parse=whole_number(*form.SEEDS)),
        Parameter("fine_tune", "number of blocks", None, parse=whole_number(*form.FINE_TUNE)),
        Parameter("name", "name", ""),
    ]


def pick(listed: tuple[TrainingRun, ...]) -> str:
    """The list of runs; the name of the chosen one, or NEW. Without a choice, the one that is at work."""
    state = st.session_state
    names = [run.name for run in listed]
    chosen = state["run"]
    if chosen not in (None, NEW, *names):
        urls.object_to("run", f"There is no run “{chosen[:60]}” here: it may be on another machine, or deleted.")
        chosen = None
    if chosen is None:
        chosen = next((run.name for run in listed if run.live), NEW)
    if not names:
        st.caption("Networks that you train are listed here.")
        return NEW
    state["run_list"] = chosen
    by_name = {run.name: run for run in listed}
    st.radio(
        "Networks of your own",
        [NEW, *names],
        key="run_list",
        format_func=lambda name: "Train a new network" if name == NEW else words.plain(name),
        captions=["", *(_state(by_name[name]) for name in names)],
        on_change=lambda: state.update(run=state["run_list"], train_failure=None),
    )
    st.fragment(_watch, run_every=TICK if any(run.live for run in listed) else None)(_kinds(listed))
    return str(chosen)


def _watch(drawn: dict[str, str]) -> None:
    """Draw the page anew when a run begins or ends, whichever part of the page is looked at."""
    if _kinds(runs.listed()) != drawn:
        session.rerun()


def _kinds(listed: tuple[TrainingRun, ...]) -> dict[str, str]:
    return {run.name: run.kind for run in listed}


def _state(run: TrainingRun) -> str:
    if run.outcome is not None:
        return f"{_STATES['done']}, {words.percent(run.outcome.value)} right"
    return _STATES[run.kind]
