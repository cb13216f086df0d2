"""A declared network closely: its source, a trial of it, and the choice of its preprocessing."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import streamlit as st

from camcore.graph.layers import NO_GRID, WITHOUT_LAYER
from camcore.models import factories
from camcore.models.factories import Factory
from camcore.models.listing import NetworkListing
from camcore.models.preprocessing import TITLES
from ui import errors, policy, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.models import work as models_work
from ui.models.feeding import preprocessing_choice, preprocessing_table
from ui.models.view import attempt, ways_on
from ui.models.work import FactoryTrial


def declared_card(row: Factory) -> Status:
    """Its source and the button to try it; the status of the trial."""
    if not policy.policy().changes:  # what it is made of, and how it is fed, is the operator's to see and to say
        st.caption("A network that the operator of this server has added.")
        ways_on(row.name)
        return Status()
    st.caption(words.plain(_made_of(row)))
    st.markdown(
        "Its code runs when the network is loaded, not before. Try it here first: whether it can be made, what it is, "
        "and which preprocessing it needs."
        if row.file is None
        else "It is opened when somebody looks into it, not before. Try it here first: whether it can be opened, what "
        "it is, and which preprocessing it needs."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Make and check it", type="primary", key="try_it", on_click=_try, args=(row.name,))
        ways_on(row.name)
    press = st.session_state.get("try_press", {}).get(row.name)
    work = models_work.trial_work(replace(row, chosen=""), press) if press else None
    return session.section("try", work, _result)


def _made_of(row: Factory) -> str:
    """The source and preprocessing of a declared network, in a line; of a file's path the name alone."""
    declared = row.declaration
    if declared is None:
        chosen = (
            f"preprocessing {TITLES[row.chosen]}, as chosen here, unless" if row.chosen else "pixels RGB 0..255 unless"
        )
        return f"Made by {row.target} on this server · {chosen} its code says otherwise"
    if declared.preprocess is not None:
        fed = f"preprocessing {TITLES[declared.preprocess]}, as declared"
    elif row.chosen:
        fed = f"preprocessing {TITLES[row.chosen]}, as chosen here"
    else:
        fed = "pixels RGB 0..255, as for model.predict"
    parts = [f"The whole model {row.target} on this server", fed, f"pictures framed by {declared.framing or 'stretch'}"]
    if declared.labels is not None:
        parts.append(_named(declared.labels))
    if declared.unsafe:
        parts.append("code in it may run")
    return " · ".join(parts)


def _named(labels: Path | tuple[str, ...]) -> str:
    """The number of named classes, or the file that names them; a single label names a regression's quantity."""
    if isinstance(labels, Path):
        return f"classes named by {labels.name}"
    return f"its output is called {words.label(labels[0])}" if len(labels) == 1 else f"{len(labels)} named classes"


def _try(name: str) -> None:
    st.session_state["try_press"] = {name: uuid.uuid4().hex}


def _result(now: Status) -> None:
    if now.failure is not None:
        errors.panel(now.failure, "This network cannot be used")
    if now.busy or now.stopped:
        session.progress("try", now)
    trial: FactoryTrial | None = now.value
    if trial is None:
        return
    height, width = trial.input_size
    st.markdown(
        ":material/check_circle: **It can be made.** "
        + words.plain(
            f"{height}×{width} px input, {trial.parameters:,} parameters, {_answers(trial)}. "
            + (f"To look at: {trial.default_layer}." if trial.default_layer else f"{NO_GRID} {WITHOUT_LAYER}")
        )
    )
    st.caption(words.plain(words.score_clause(trial.score_kind, trial.scored_over)))
    if trial.fed:
        st.caption("It names its preprocessing, so there is nothing to choose.")
    if trial.note:
        st.caption(words.plain(f"{trial.note[:1].upper()}{trial.note[1:]}."))


def _answers(trial: FactoryTrial) -> str:
    """A network's classes, the first of them by name; of a regression its quantity."""
    if trial.score_kind == "value":
        return f"one number ({words.quantity(trial.labels[0])})"
    shown = ", ".join(words.label(label) for label in trial.labels[:3])
    return f"{len(trial.labels):,} classes ({shown}{' …' if len(trial.labels) > 3 else ''})"


def preprocessing(row: NetworkListing, status: Status[FactoryTrial]) -> None:
    """The comparison of preprocessings, where a declared network names none, and the choice."""
    trial = status.value
    if not isinstance(row, Factory) or not status.complete or trial is None or not trial.fits:
        return
    fits = trial.fits
    preprocessing_table(fits)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = preprocessing_choice("factory_feed", fits, row.chosen or None, "as kept")
        # Not by a callback: that would carry the choice of the run before.
        if st.button("Keep this choice", key="keep_feed", disabled=name == row.chosen):
            attempt(row.name, lambda _: factories.keep_preprocessing(row, name))
            st.rerun()
