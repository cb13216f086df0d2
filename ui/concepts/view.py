"""The Concepts page: its choices, all concepts in their colours over each picture, and each by itself."""

from __future__ import annotations

import html
from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from camcore.features.concepts import MOST
from camcore.render.overlay import MIX_COLOURS as COLOURS
from ui import controls, downloads, errors, folder_box, layer_browser, samples, sidebar, words
from ui.concepts import pictures as drawn
from ui.concepts.work import FROM_FOLDER, ConceptQuery, FoundConcepts, concepts_work, first_layer
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.network_summary import known_summary
from ui.picture_box import Chosen
from ui.urls import Parameter, whole_number

if TYPE_CHECKING:
    from camcore import Picture

SAMPLES, THIS, FOLDER = "samples", "picture", "folder"
SETS = (SAMPLES, THIS, FOLDER)
START = 6
OTHERS = 3
"""So many more pictures of a concept are shown, small, beside the one in which it is strongest."""


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        Parameter("layer", "layer", None),
        Parameter("in", "set of pictures", SETS[0], SETS),
        Parameter("pictures", "folder of pictures", ""),
        Parameter("concepts", "number of concepts", START, parse=whole_number(1, MOST), bound=True),
        controls.GRID,
    ]


def left_out() -> tuple[str, ...]:
    """The parameters that mean nothing for the chosen set of pictures."""
    return () if st.session_state["in"] == FOLDER else ("pictures",)


def choices(chosen: Chosen, model: Model) -> tuple[ConceptQuery, list[tuple[str, Picture]]] | None:
    """Draw the choices; the query and its pictures, None where a folder has not been named yet."""
    facts = known_summary(model.key)
    st.caption(
        "A concept is a pattern that comes up again and again, such as fur or wheels. Its colour shows where it is; "
        "the line below it, which classes it supports."
    )
    with st.container(key="cam_concepts_layer"):
        if facts is None:
            layer_browser.show()
        else:
            layer_browser.show(facts.layers, facts.ladder, start=first_layer(facts.layers, facts.ladder))
    with st.container(key="cam_concepts_choices", horizontal=True, vertical_alignment="top", gap="medium"):
        mine = "The samples" if chosen.sample is not None else "Yours and the samples"
        titles = {SAMPLES: mine, THIS: "This picture", FOLDER: "A folder"}
        kind = controls.choice("Pictures", titles, "in")
        k = st.slider("Concepts", 1, MOST, START, key="concepts", bind="query-params", width=200)
    folder, pictures = "", _pictures(kind, chosen)
    if kind == FOLDER:
        folder = folder_box.ask(
            "Folder",
            key="pictures",
            placeholder="a folder on this machine",
            help=f"Up to {FROM_FOLDER} of its pictures, evenly spread, are looked at together. They are only read.",
        )
        if not folder:
            return None
    digests = tuple(picture.sha256 for _, picture in pictures)
    return ConceptQuery(model.key, digests, model.framing, st.session_state["layer"], k, folder), pictures


def _pictures(kind: str, chosen: Chosen) -> list[tuple[str, Picture]]:
    if kind == FOLDER:
        return []
    own = [(chosen.title, chosen.picture)]
    if kind == THIS:
        return own
    known = [(one.title, samples.picture(key)) for key, one in samples.samples().items()]
    return (own if chosen.sample is None else []) + known


def show(asked: tuple[ConceptQuery, list[tuple[str, Picture]]] | None, model: Model) -> Status:
    """Everything beneath the choices; the status of its work."""
    with st.container(key="cam_concepts_body", gap="small"):
        if asked is None:
            st.caption("Name a folder of pictures above.")
            return session.section("concepts", None, lambda now: None)
        question, pictures = asked
        work = concepts_work(question, pictures) if model.fetch is None else None
        titles = tuple(title for title, _ in pictures)
        return session.section("concepts", work, lambda now: _draw(question, titles, now))


def _draw(question: ConceptQuery, titles: tuple[str, ...], status: Status) -> None:
    """``titles``: of this visitor's pictures, as another may have brought the same ones; empty for a folder's."""
    found: FoundConcepts | None = status.value
    with errors.guarded("The concepts"):
        if status.failure is not None:
            errors.panel(status.failure, "Concepts could not be found here")
        session.progress("concepts", status)
        if found is None:
            if status.failure is None:
                space = "<figure><div class='frame'></div><figcaption>&nbsp;</figcaption></figure>"
                st.html(_grid([space] * max(len(titles), 1)))
            return
        found = replace(found, titles=titles or found.titles)
        # Until the factors have settled every part is another picture.
        key = (question, found.titles, round(found.concepts.error, 6), found.concepts.maps.shape)
        smooth = st.session_state.get(controls.GRID.name, controls.SMOOTH) == controls.SMOOTH
        _mixed(found, smooth, key)
        st.caption(words.plain(_summary(found)))
        errors.notices(list(filter(None, [drawn.homes_told(found)])))
        _take_away(found, smooth)
        _cards(found, smooth, key)


def _grid(figures: list[str], ratio: float = 1.0) -> str:
    columns = 2 if len(figures) == 1 else min(max(len(figures), 3), 6)
    return f'<div class="cam-mixed" style="--columns:{columns};--ratio:{ratio:g}">{"".join(figures)}</div>'


def _mixed(found: FoundConcepts, smooth: bool, key: Hashable) -> None:
    figures = []
    strongest_in = [drawn.strongest_pictures(found, k, 1) for k in range(len(found.concepts))]
    for n, title in enumerate(found.titles):
        strongest = [k for k, pictures in enumerate(strongest_in) if n in pictures]
        home = f"; strongest picture of concepts {', '.join(str(k + 1) for k in strongest)}" if strongest else ""
        name = html.escape(title)
        figures.append(
            f'<figure><div class="frame"><img src="{drawn.mixed_url(found, n, smooth, key)}" '
            f'alt="Concepts in their colours over {name}{home}"></div><figcaption title="{name}">{name}</figcaption>'
            "</figure>"
        )
    st.html(_grid(figures, drawn.ratio(found)))


def _summary(found: FoundConcepts) -> str:
    c = found.concepts
    many = f"{len(found.pictures)} pictures" if len(found.pictures) > 1 else "one picture"
    accounting = f"{len(c)} concepts account" if len(c) > 1 else "one concept accounts"
    text = (
        f"{found.network}, {c.layer} {words.grid(c.maps.shape[1:3])}: {accounting} for "
        f"{words.percent(1 - c.error**2)} of the layer’s activity in {many} (by energy)."
    )
    if c.negative > 0.0005:
        text += (
            f" {words.percent(c.negative)} of the layer’s energy is below zero and cannot be part of a concept: it was "
            "taken as zero to find the concepts, but not to measure what they add."
        )
    if found.left_out:
        text += f" {found.left_out} more could not be opened."
    return text


def _cards(found: FoundConcepts, smooth: bool, key: Hashable) -> None:
    cards = []
    for k in range(len(found.concepts)):
        pictures = drawn.strongest_pictures(found, k, 1 + OTHERS)
        figures = []
        for n in pictures:
            name = html.escape(found.titles[n])
            src = drawn.alone_url(found, n, k, smooth, key)
            alt = f"Concept {k + 1} on {name}"
            figures.append(f'<figure title="{name}"><div class="frame"><img src="{src}" alt="{alt}"></div></figure>')
        channels = ", ".join(f"{channel} ({weight:.2f})" for channel, weight in found.concepts.channels(k, 4))
        where = f"In {html.escape(found.titles[pictures[0]])} it adds" if pictures and len(found.titles) > 1 else "Adds"
        cards.append(
            f'<section class="cam-concept"><h3><i style="background:{COLOURS[k]}"></i>Concept {k + 1}</h3>'
            f'{"".join(figures[:1])}<div class="row">{"".join(figures[1:])}</div>'
            f"<p>{where}: {html.escape(drawn.adds(found, k))}<br><small>channels {channels or 'none'}</small></p>"
            "</section>"
        )
    st.html(f'<div class="cam-concepts" style="--ratio:{drawn.ratio(found):g}">{"".join(cards)}</div>')


def _take_away(found: FoundConcepts, smooth: bool) -> None:
    c = found.concepts
    stem = words.file_stem(found.network, c.layer, f"{len(c)}-concepts")
    lines = [f"{found.network}, {found.weights_note}", _summary(found)]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        controls.smooth()
        files = (
            ("png", partial(drawn.sheet_png, found, smooth, lines), "All concepts on all pictures"),
            ("csv", partial(drawn.concepts_csv, found), "Channels, and what each adds to which classes"),
            ("npz", partial(drawn.concepts_npz, found), "All maps and figures"),
        )
        downloads.offer_all(stem, files, key="save_concepts", ready=c.effects is not None)
        with st.popover("How this is computed"):
            st.markdown(_how(found))


def _how(found: FoundConcepts) -> str:
    text = (
        "Deep feature factorisation ([Collins et al., ECCV 2018](https://arxiv.org/abs/1806.10206)): the layer’s "
        "activations at all places of all pictures are written as a sum of a few non-negative parts, each a pattern of "
        "channels times a map of where it is. What a concept **adds** to a class is measured: the class’s score with "
        "the layer as it is, less the score with the concept taken out of it. "
    )
    missed = found.concepts.unexplained
    effects = found.concepts.effects
    if missed is None or effects is None:
        return text
    largest = float(abs(missed).max())
    if effects.exact:
        return text + (
            "Behind this layer everything is linear, so these figures, what lies beside the concepts and the score of "
            f"an empty layer add up to the score exactly (here to {largest:.0e})."
        )
    return text + (
        "What follows this layer is not linear: concepts act together, and the figures need not add up to the score "
        f"(here they miss it by up to {largest:.1f})."
    )
