"""One exciting picture, large, beside the photograph and what responds there."""

import html
from typing import Any

import streamlit as st

from camcore.filters import Excitation
from ui import controls, errors, figures, words
from ui.figures import Figure
from ui.filters import export
from ui.filters.choices import name_of
from ui.filters.pixels import number, png_url, response_url, seen_url
from ui.filters.work import LayerResponse, SearchSpec, search_work
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.picture_box import Chosen


def waiting(look: Work | None) -> Status:
    """The section before the network has looked at the photograph: its space, and how far the look is."""

    def draw(standing: Status) -> None:
        with _row():
            session.progress("filters_look", standing, stoppable=False)
        if standing.failure is not None:
            errors.panel(standing.failure, "The network could not look at this picture")
        titles = ("What excites it most", "As the network sees it", "Where it responds there")
        figures.row([Figure(title, "\N{NO-BREAK SPACE}", None) for title in titles], ratio=1.0, columns=3)
        st.html('<div class="cam-figures" aria-hidden="true"></div>')

    return session.section("filters_look", look, draw)


def show(looked: LayerResponse, chosen: Chosen, all_: SearchSpec, one: SearchSpec) -> Status:
    """The section: out of the list where the picture is there, else searched for; its standing."""
    known: tuple[Excitation, ...] = runner().known(search_work(all_)) or ()
    found = next((picture for picture in known if picture.index == one.indices[0]), None)
    if found is None:
        return session.section("filters_one", search_work(one), lambda now: _draw(looked, one, chosen, now))
    standing = Status((found,))
    _draw(looked, one, chosen, standing)
    return standing


def _draw(looked: LayerResponse, one: SearchSpec, chosen: Chosen, standing: Status) -> None:
    """The picture found, beside the photograph and the channel's activation on it."""
    with _row():
        opacity, smooth = _look() if one.layer is not None else (0, True)
        session.progress("filters_one", standing)
    if standing.failure is not None:
        errors.panel(standing.failure, "The picture could not be found")
    found: Excitation | None = standing.value[0] if standing.value else None
    row = [_found_figure(looked, one, found), _photo_figure(looked, chosen)]
    if one.layer is not None:
        row.append(_response_figure(looked, one, chosen, opacity, smooth))
    figures.row(row, ratio=looked.seen.shape[1] / looked.seen.shape[0], columns=3)
    _values(looked, one, found)
    export.one(looked, one, found if standing.complete else None)


def _row() -> Any:
    return st.container(key="cam_filters_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False)


def _look() -> tuple[int, bool]:
    """How the activation is laid over the photograph: opacity in percent, and whether smoothly."""
    smooth = controls.smooth()
    return controls.opacity("the activation", width=260), smooth


def _found_figure(looked: LayerResponse, one: SearchSpec, found: Excitation | None) -> Figure:
    title = name_of(looked, one.layer, one.indices[0])
    note = "\N{NO-BREAK SPACE}" if found is None else _after(found, one.steps)
    alt = f"A picture made to excite {title} as strongly as possible"
    return Figure("What excites it most", note, None if found is None else png_url(found.rgb), alt, lead=True)


def _after(found: Excitation, steps: int) -> str:
    if found.steps == steps:
        return f"after {steps} steps"
    return f"step {found.steps} of {steps}" if found.steps else "grey noise, to begin with"


def _photo_figure(looked: LayerResponse, chosen: Chosen) -> Figure:
    return Figure("As the network sees it", chosen.title, seen_url(looked), f"Photograph: {chosen.title}")


def _response_figure(looked: LayerResponse, one: SearchSpec, chosen: Chosen, opacity: int, smooth: bool) -> Figure:
    index = one.indices[0]
    peak = float(looked.peaks[index])
    note = f"at most {number(peak)}, on {words.grid(looked.maps.shape)} cells"
    alt = f"Where channel {index} responds on {chosen.title}: at most {number(peak)}"
    return Figure("Where it responds there", note, response_url(looked, index, opacity, smooth), alt)


def _values(looked: LayerResponse, one: SearchSpec, found: Excitation | None) -> None:
    index = one.indices[0]
    reached = "…" if found is None or not found.steps else number(found.reached)
    if one.layer is None:
        probability = float(looked.probabilities[index])
        place = 1 + int((looked.logits > looked.logits[index]).sum())
        parts = [
            (reached, "score that this picture reaches", "the logit of the class, shown to the network as any picture"),
            (number(looked.logits[index]), "score of the photograph", f"that is {words.percent(probability)}"),
            (
                f"no. {place:,}",
                f"of {len(looked.labels):,} classes",
                "in the order of what it thinks of the photograph",
            ),
        ]
    else:
        peaks = looked.peaks
        place = 1 + int((peaks > peaks[index]).sum())
        ceiling = found is not None and found.steps and found.reached == peaks[index] > 0
        here = "its strongest place; both are at this layer’s ceiling" if ceiling else "its strongest place"
        parts = [
            (
                reached,
                "activation that this picture reaches",
                "its strongest place, shown to the network as any picture",
            ),
            (number(peaks[index]), "activation on the photograph", here),
            (
                f"no. {place:,}",
                f"of {len(peaks):,} channels",
                "in the order of their strongest place on the photograph",
            ),
        ]
    body = "".join(
        f"<div><b>{html.escape(figure)}</b><span>{html.escape(title)}</span><small>{html.escape(note)}</small></div>"
        for figure, title, note in parts
    )
    st.html(f'<div class="cam-figures">{body}</div>')
    at_rest = found is not None and found.steps == one.steps and one.layer is not None and found.reached <= 0
    if at_rest:
        st.markdown("Nothing was found that excites this channel: it stays at rest, or the search began too far away.")
