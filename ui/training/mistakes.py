"""The held-out pictures that a trained network gets wrong, the surest answers first, each with its map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.evaluation.held_out import held_out_pictures
from camcore.evaluation.predict import predict_folder
from camcore.models import listing
from camcore.report.drawing import jpeg_url, shrink
from camcore.text import counted
from ui import errors, figures, model_picker, words
from ui.figures import Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.networks import start

if TYPE_CHECKING:
    from camcore.evaluation.predict import Predictions
    from camcore.network import Network
    from ui.training.runs import TrainingRun

MOST = 8
"""The most mistakes that are shown."""
SIDE = 360


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The mistakes found: ``wrong`` of the pictures ``looked_at``, and the surest of them, drawn."""

    wrong: int
    looked_at: int
    shown: tuple[Figure, ...] = ()


def show(run: TrainingRun) -> None:
    """The section, once the network has looked at the pictures again; nothing where there is no network."""
    if listing.find(run.name) is None:
        return
    st.subheader("What it gets wrong", anchor="mistakes")
    with st.container(key="cam_run_mistakes"):
        session.section("mistakes", finding(run), _draw)
    start()  # which this page does not do by itself: it trains without TensorFlow in the server


def finding(run: TrainingRun) -> Work[Mistakes]:
    """Looks at the held-out pictures with the finished network."""
    model = model_picker.chosen(run.name, model_picker.AUTO)

    def steps(network: Network, _: object) -> Updates[Mistakes]:
        step, data = None, held_out_pictures(run.folder)
        for step in predict_folder(network, data, model.framing):
            yield Update(0.9 * step.done / max(step.total, 1))
        found = None if step is None else step.predictions
        if found is None or not len(found):
            yield Update(1.0, Mistakes(0, 0))
            return
        places = _surest(found)
        drawn = tuple(_figure(network, found, place, str(data.root), model.framing) for place in places[:MOST])
        yield Update(1.0, Mistakes(len(places), len(found), drawn))

    size = 1 << 20
    return Work(model.key, ("mistakes", run.folder), "Looking at the held-out pictures", steps, lambda _: size)


def _surest(p: Predictions) -> list[int]:
    """The places of the wrong answers, the most probable first."""
    said = p.predicted()
    wrong = (said != p.labels).nonzero()[0]
    return sorted(wrong.tolist(), key=lambda place: -float(p.probabilities[place, said[place]]))


def _figure(network: Network, p: Predictions, place: int, root: str, framing: str) -> Figure:
    """A wrong answer with its map for the class that was predicted."""
    said = int(p.predicted()[place])
    picture = camcore.open_picture(f"{root}/{p.files[place]}")
    (found,) = camcore.explain(network, picture, classes=[said], framing=framing)
    share = words.percent(float(p.probabilities[place, said]))
    says = f"says {words.label(p.classes[said])}, {share}"
    title = f"Labelled {words.label(p.classes[p.labels[place]])}"
    src = jpeg_url(shrink(camcore.overlay(picture, found), SIDE))
    return Figure(title, says, src, f"{p.files[place]}: {title}, {says}, with its map")


def _draw(now: Status[Mistakes]) -> None:
    if now.failure is not None:
        errors.panel(now.failure, "Its mistakes cannot be shown")
    if not now.complete:
        session.progress("mistakes", now, stoppable=False)
        return
    found = now.result
    if not found.shown:
        st.caption(f"Nothing: it is right on all {counted(found.looked_at, 'held-out picture')}.")
        return
    told = f"{counted(found.wrong, 'mistake')} on {counted(found.looked_at, 'held-out picture')}"
    which = "" if found.wrong <= MOST else f", of which the {MOST} surest are shown"
    st.caption(f"{told}{which}, each with its map for the answer that was given. A wrong label counts, too.")
    figures.row(found.shown, ratio=1.25, columns=4, tallest=30)
