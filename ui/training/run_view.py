"""One training run as it is now: its progress, its curves, and the buttons to stop, resume or delete it."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

import streamlit as st

from camcore import CamcoreError
from camcore.text import counted
from camcore.training.runs import Epoch
from ui import errors, figures, policy, words
from ui.jobs import session
from ui.query import Failure
from ui.training import mistakes, runs
from ui.training.form import NEW, command_line
from ui.training.runs import TrainingRun

TICK = 1.0
"""Seconds between two looks at a run's files."""


def show(run: TrainingRun) -> None:
    """One run, drawn anew by itself as long as it is at work."""
    st.fragment(_show, run_every=TICK if run.live else None)(run.name, run.kind)
    if run.kind == "done":
        mistakes.show(run)


def _show(name: str, kind: str) -> None:
    run = runs.find(name)
    if run is None or run.kind != kind:
        session.rerun()  # the list of runs and the buttons change, too
    with st.container(key="cam_head"):
        st.header(words.plain(_headline(run)), anchor=False)
    _status(run)
    _notes(run)
    last = len(run.log) if run.kind == "done" else max(run.epochs, len(run.log))
    curves = figures.training_log(run.log, last=last)
    figures.chart(curves, key="curves", alt=_described(run), buttons=["resetScale2d"])
    _facts(run)
    _details(run)


def _headline(run: TrainingRun) -> str:
    name, done = f"“{run.name}”", len(run.log)
    at = f" after {counted(done, 'epoch')} of {run.epochs}" if run.epochs and done else ""
    match run.kind:
        case "starting":
            return f"{name} is about to train"
        case "running" if run.progress.state == "preparing":
            return f"{name} is being prepared"
        case "running":
            return f"{name} is training: epoch {max(run.progress.epoch, 1)} of {run.epochs}"
        case "stopping":
            return f"{name} is stopping"
        case "silent":
            return f"{name} does not answer"
        case "interrupted":
            return f"{name} was interrupted{at}"
        case "stopped":
            return f"{name} was stopped{at}"
        case "failed":
            return f"{name} failed{at}"
    if run.outcome is None:
        return f"{name} is ready"
    right = run.outcome
    between = f"95 % interval {100 * right.low:.0f} to {100 * right.high:.0f} %"
    return (
        f"{name} is ready, right on {words.percent(right.value)} of {counted(right.n, 'held-out picture')} ({between})"
    )


def _status(run: TrainingRun) -> None:
    """One row that is always there: the progress, and the buttons."""
    with st.container(key="cam_run_row", horizontal=True, vertical_alignment="center", gap="medium", wrap=False):
        if run.kind == "done":
            st.page_link(  # looks like a button, by frame.css
                "app.py",
                label=f"See where {words.plain(run.name)} looks",
                icon=":material/center_focus_strong:",
                query_params={"model": run.name},
            )
            st.page_link(
                "pages/cats_vs_dogs.py",
                label="How it learned, and where it fails",
                icon=":material/analytics:",
                query_params={"model": run.name},
            )
            st.page_link(
                "pages/audit.py",
                label="Audit it on other pictures",
                icon=":material/fact_check:",
                query_params={"model": run.name},
            )
            st.page_link(
                "pages/decision.py", label="May we use it?", icon=":material/gavel:", query_params={"model": run.name}
            )
            return
        st.progress(run.share, _progress_text(run))
        if run.kind in ("starting", "running", "stopping"):
            st.button(
                "Stop",
                key="stop_run",
                on_click=_act,
                args=(runs.stop, run),
                disabled=run.kind != "running",
                help="What it has learned is kept, and it can be taken up again.",
            )
        elif run.kind == "silent":
            st.button("End the process", key="end_run", on_click=_act, args=(runs.end, run))
        else:
            st.button(
                "Resume",
                type="primary",
                key="resume_run",
                on_click=_act,
                args=(_resume, run),
                disabled=not run.resumable,
            )
            with st.popover("Delete", key="delete_run"):
                st.caption(
                    words.plain(f"Deletes the folder {policy.shown(run.folder)} with all that this run has learned.")
                )
                st.button("Delete it", key="delete_run_really", on_click=_act, args=(_discard, run))


def _progress_text(run: TrainingRun) -> str:
    p = run.progress
    match run.kind:
        case "starting":
            return "Starting TensorFlow"
        case "stopping":
            return "Stopping after this step; what it has learned is kept"
        case "silent":
            return f"Nothing heard for {words.duration(time.time() - p.updated)}"
        case "interrupted" | "stopped" | "failed":
            kept = f"{counted(len(run.log), 'epoch')} kept; Resume goes on from there"
            return kept if run.log else "Nothing learned yet"
    left = f" · {words.duration(p.seconds_left)} left" if p.seconds_left is not None else ""
    if p.state == "preparing":
        return words.plain(policy.veiled(p.message) or "Preparing") + left
    step = f", step {p.step:,} of {p.steps:,}" if p.steps else ""
    activity = f"{words.plain(p.message)}, epoch" if p.message else "Epoch"
    return f"{activity} {p.epoch} of {p.epochs}{step}{left}"


def _notes(run: TrainingRun) -> None:
    """The reason why it stopped, in words; one element, empty where all is well."""
    with st.container(key="cam_run_notes"):
        failure: Failure | None = st.session_state.get("train_failure")
        why = runs.reason(run) if run.kind in ("failed", "interrupted") else ""
        if failure is not None:
            errors.panel(failure, "This did not work")
        elif run.kind == "failed":
            message = policy.veiled(why or "The process ended without saying why. Its output is below.")
            st.html(
                f'<div class="cam-note cam-error" role="alert"><b>It could not go on.</b> {html.escape(message)}</div>'
            )
        elif run.kind == "interrupted":
            errors.notices(
                ["Its process was killed, or the machine was restarted. What it had learned in whole epochs is kept."]
            )
        elif run.kind == "silent":
            errors.notices(["The machine may be asleep or overloaded. If it stays so, end the process and resume."])
        else:
            st.empty()


def _facts(run: TrainingRun) -> None:
    """Pictures, classes and the best result, in one quiet line."""
    recipe = run.recipe or {}
    parts = []
    if recipe.get("pictures"):
        parts.append(policy.veiled(f"Pictures: {recipe['pictures']}"))
    if recipe.get("classes"):
        classes = recipe["classes"]
        parts.append(f"classes: {', '.join(map(str, classes[:6]))}{' …' if len(classes) > 6 else ''}")
    if run.log:
        best = max(run.log, key=lambda line: line.val_accuracy)
        parts.append(_best(run, best))
        parts.append(f"{words.duration(run.log[-1].seconds).removeprefix('about ')} an epoch")
    st.caption(words.plain(" · ".join(parts)) or "\N{NO-BREAK SPACE}")


def _best(run: TrainingRun, best: Epoch) -> str:
    """The best epoch; of a finished run only where it did better than the weights that were kept."""
    share = words.percent(best.val_accuracy)
    if run.outcome is None:
        return f"best {'so far ' * run.live}{share}, epoch {best.epoch}"
    kept = words.percent(run.outcome.value)
    same = f"the weights that were kept are right on {kept}"
    return same if share == kept else f"{same}; epoch {best.epoch} reached {share}"


def _details(run: TrainingRun) -> None:
    with st.expander("Output of the process", expanded=run.kind == "failed" and not runs.reason(run)):
        st.code(policy.veiled(runs.tail(run.folder)) or "Nothing yet.", language=None, height=220)
        if policy.policy().public:
            return
        st.caption(words.plain(f"Everything is in {run.folder}"))
        if run.arguments is not None:
            st.code(command_line(run.arguments, run.folder), language="bash", wrap_lines=True)


def _described(run: TrainingRun) -> str:
    if not run.log:
        return "Loss and accuracy by epoch; nothing finished yet"
    last = run.log[-1]
    return (
        f"Loss and accuracy by epoch. After epoch {last.epoch}: loss {last.loss:.3f} on training and "
        f"{last.val_loss:.3f} on validation pictures, accuracy {words.percent(last.accuracy)} and "
        f"{words.percent(last.val_accuracy)}"
    )


def _resume(run: TrainingRun) -> None:
    runs.resume(run, shared=policy.policy().public)


def _discard(run: TrainingRun) -> None:
    runs.discard(run)
    st.session_state["run"] = NEW


def _act(do: Callable[[TrainingRun], object], run: TrainingRun) -> None:
    """Do what a button says; a refusal is kept for the page to show."""
    state = st.session_state
    state["train_failure"] = None
    try:
        do(run)
    except CamcoreError as error:
        state["train_failure"] = Failure.of(error)
