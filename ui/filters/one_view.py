"""One exciting picture, large, beside the photograph and the channel's response to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.filters import Excitation
from ui import controls, errors, figures, words
from ui.figures import NO_NOTE, Figure
from ui.filters import export
from ui.filters.choices import name_of
from ui.filters.pixels import number, png_url, response_url, seen_url
from ui.filters.work import LayerResponse, SearchSpec, search_work
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.picture_box import Chosen

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

LABEL = "The picture and the photograph in figures"


def waiting(look: Work | None) -> Status:
    """The section before the network has seen the photograph: its space, and the progress of the look."""

    def draw(status: Status) -> None:
        with _row():
            session.progress("filters_look", status, stoppable=False)
        if status.failure is not None:
            errors.panel(status.failure, "The network could not look at this picture")
        titles = ("What excites it most", "As the network sees it", "Where it responds")
        figures.row([Figure(title, NO_NOTE, None) for title in titles], ratio=1.0, columns=3)
        figures.numbers(())

    return session.section("filters_look", look, draw)


def show(response: LayerResponse, chosen: Chosen, all_: SearchSpec, one: SearchSpec) -> Status:
    """The section: out of the list where the picture is there, else searched for; its status."""
    known: tuple[Excitation, ...] = runner().known(search_work(all_)) or ()
    excitation = next((picture for picture in known if picture.index == one.indices[0]), None)
    if excitation is None:
        return session.section("filters_one", search_work(one), lambda now: _draw(response, one, chosen, now))
    status = Status((excitation,))
    _draw(response, one, chosen, status)
    return status


def _draw(response: LayerResponse, one: SearchSpec, chosen: Chosen, status: Status) -> None:
    """The picture found, beside the photograph and the channel's activation on it."""
    with _row():
        opacity, smooth = _controls() if one.layer is not None else (0, True)
        session.progress("filters_one", status)
    if status.failure is not None:
        errors.panel(status.failure, "The picture could not be found")
    excitation: Excitation | None = status.value[0] if status.value else None
    shown = [
        _excitation_figure(response, one, excitation),
        Figure("As the network sees it", chosen.title, seen_url(response), f"Photograph: {chosen.title}"),
    ]
    if one.layer is not None:
        shown.append(_response_figure(response, one, chosen, opacity, smooth))
    figures.row(shown, ratio=response.seen.shape[1] / response.seen.shape[0], columns=3)
    if one.layer is None:
        _class_values(response, one.indices[0], excitation)
    else:
        _channel_values(response, one, excitation)
    export.one(response, one, excitation if status.complete else None)


def _row() -> DeltaGenerator:
    return st.container(key="cam_filters_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False)


def _controls() -> tuple[int, bool]:
    """The opacity of the activation over the photograph in percent, and whether it is drawn smoothly."""
    smooth = controls.smooth()
    return controls.opacity("the activation", width=260), smooth


def _excitation_figure(response: LayerResponse, one: SearchSpec, excitation: Excitation | None) -> Figure:
    alt = f"A picture made to excite {name_of(response, one.layer, one.indices[0])} as strongly as possible"
    if excitation is None:
        note, url = NO_NOTE, None
    else:
        note, url = _step(excitation.steps, one.steps), png_url(excitation.rgb)
    return Figure("What excites it most", note, url, alt, lead=True)


def _step(done: int, steps: int) -> str:
    if done == steps:
        return f"after {steps} steps"
    return f"step {done} of {steps}" if done else "grey noise, to begin with"


def _response_figure(response: LayerResponse, one: SearchSpec, chosen: Chosen, opacity: int, smooth: bool) -> Figure:
    index = one.indices[0]
    peak = float(response.peaks[index])
    note = f"at most {number(peak)}, on {words.grid(response.maps.shape)} cells"
    alt = f"Where channel {index} responds on {chosen.title}: at most {number(peak)}"
    return Figure("Where it responds", note, response_url(response, index, opacity, smooth), alt)


def _class_values(response: LayerResponse, index: int, excitation: Excitation | None) -> None:
    logits = response.logits
    rank = 1 + int((logits > logits[index]).sum())
    shown = "the logit of the class, shown to the network as any picture"
    share = f"that is {words.percent(float(response.probabilities[index]))}"
    figures.numbers(
        (
            (_reached(excitation), "score that this picture reaches", shown),
            (number(logits[index]), "score of the photograph", share),
            (f"no. {rank:,}", f"of {len(logits):,} classes", "in the order of what it thinks of the photograph"),
        ),
        LABEL,
    )


def _channel_values(response: LayerResponse, one: SearchSpec, excitation: Excitation | None) -> None:
    index, peaks = one.indices[0], response.peaks
    rank = 1 + int((peaks > peaks[index]).sum())
    shown = "at its strongest place, measured on the finished picture"
    ceiling = excitation is not None and excitation.steps and excitation.reached == peaks[index] > 0
    here = "at its strongest place; both reach this layer’s ceiling" if ceiling else "at its strongest place"
    order = "in the order of their strongest place on the photograph"
    figures.numbers(
        (
            (_reached(excitation), "activation reached by this picture", shown),
            (number(peaks[index]), "activation on the photograph", here),
            (f"no. {rank:,}", f"of {len(peaks):,} channels", order),
        ),
        LABEL,
    )
    if excitation is not None and excitation.steps == one.steps and excitation.reached <= 0:
        st.markdown("Nothing was found that excites this channel: it stays at rest, or the search began too far away.")


def _reached(excitation: Excitation | None) -> str:
    return "…" if excitation is None or not excitation.steps else number(excitation.reached)
