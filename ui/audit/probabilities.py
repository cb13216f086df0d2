"""Probabilities of an audit's answers: calibration, ROC, and for two classes the effect of each threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from camcore.audits import probabilities
from camcore.audits.summary import calibration
from camcore.evaluation.measures import Calibration
from camcore.evaluation.predict import Predictions
from camcore.render.charts import COLOURS
from ui import errors, figures, quality_charts, words
from ui.audit.opened import OpenAudit
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.quality_charts import Chart
from ui.urls import Parameter

CLASS = Parameter("roc", "class of the ROC", None)
FEW = len(COLOURS)
"""The ROC of so many classes goes into one chart; of more one is chosen."""


@dataclass(frozen=True, eq=False)
class Probabilities:
    """``answers``: of all classes where they are few, else of the class chosen and the others; None: not known."""

    calibration: Calibration
    answers: Predictions | None


def show(opened: OpenAudit, publish: Callable[[], None]) -> None:
    """The section; a fragment, so that the threshold draws nothing else anew. ``publish``: the page's address."""
    st.subheader("Are its probabilities reliable?", anchor="probabilities")
    with errors.guarded("The probabilities"):
        chosen = _choice(opened)

        def draw(now: Status[Probabilities]) -> None:
            if now.failure is not None:
                errors.panel(now.failure, "These probabilities cannot be shown")
            if now.complete:
                _show(opened, now.result, chosen)
            else:
                session.progress("audit_probabilities", now)

        session.section("audit_probabilities", read(opened, chosen), draw)
    publish()


def read(opened: OpenAudit, label: str | None) -> Work[Probabilities]:
    """Reads the probabilities; ``label``: of this class against the rest."""

    def steps(_: object, __: object) -> Updates[Probabilities]:
        bins = calibration(opened.audit)
        assert bins is not None
        answers = None
        if label is not None:
            answers = probabilities.against_rest(opened.audit, label)
        elif probabilities.are_known(opened.manifest.network) and _few(opened):
            answers = probabilities.of_all(opened.audit)
        if answers is not None:
            quality_charts.threshold_free(answers)  # kept; of a million pictures it takes seconds
        yield Update(1.0, Probabilities(bins, answers))

    def size(one: Probabilities) -> int:
        return 4096 + (0 if one.answers is None else one.answers.probabilities.nbytes + 16 * len(one.answers))

    return Work(None, ("probabilities", opened.key, label), "Reading the probabilities", steps, size)


def chart_list(found: Probabilities, chosen: str | None, at: float) -> list[Chart]:
    """The charts, two by two. ``chosen``: the class against the rest."""
    answers = found.answers
    if answers is not None and chosen is None and len(answers.classes) == 2:
        makers = (quality_charts.reliability, quality_charts.roc, quality_charts.scores, quality_charts.sweep)
        return [chart for make in makers if (chart := make(answers, at)) is not None]
    charts = [quality_charts.calibration(found.calibration)]
    if answers is not None:
        curve = quality_charts.roc(answers, at) if chosen is None else _roc_of(answers, chosen)
        charts += [curve] if curve is not None else []
    return charts


def _roc_of(answers: Predictions, chosen: str) -> Chart | None:
    """The ROC of one class against the rest; None where there are pictures of this class only."""
    curve = quality_charts.threshold_free(answers).roc[0]
    name = words.label(chosen)
    title = f"ROC of {name} against the rest: area {curve.auc:.4f}"
    return None if np.isnan(curve.auc) else quality_charts.against_rest({name: curve}, title)


def _few(opened: OpenAudit) -> bool:
    return len(opened.manifest.network.labels) <= FEW


def _choice(opened: OpenAudit) -> str | None:
    """The class whose ROC is asked for, of many; None where all are drawn, or none can be."""
    if _few(opened) or not probabilities.are_known(opened.manifest.network):
        return None
    return st.selectbox(
        "ROC of a class against the rest",
        [one.name for one in opened.classes if one.found.n],
        key=CLASS.name,
        index=None,  # the scores of all pictures are read for it, so that it has to be asked for
        placeholder="none",
        format_func=words.label,
        persist_state="session",
        width=320,
        filter_mode="contains",
    )


def _show(opened: OpenAudit, found: Probabilities, chosen: str | None) -> None:
    two = found.answers if chosen is None and found.answers is not None and len(found.answers.classes) == 2 else None
    at = 0.5
    if two is None:
        st.markdown(_calibrated(found.calibration))
    else:
        at = quality_charts.threshold(two.classes)
        figures.numbers(quality_charts.numbers(two, at))
    columns = st.columns(2, gap="medium")
    for place, chart in enumerate(chart_list(found, chosen, at)):
        with columns[place % 2]:
            figures.chart(chart.make(), key=f"audit_{chart.key}", alt=chart.alt)
    if two is not None:
        st.caption(
            "The best threshold is fitted to these pictures; expect less on others. The gallery and the figures above "
            f"keep the answers of the audit: {words.plain(words.label(two.classes[1]))} from 50 % on."
        )
    elif not probabilities.are_known(opened.manifest.network):
        st.caption("This audit has no probabilities of all classes, so there is no ROC.")


def _calibrated(bins: Calibration) -> str:
    return f"Its confidence is off by {100 * bins.ece:.1f} points on average (expected calibration error)."
