"""What the Filters page shows: one exciting picture large, many side by side, and the first layer's kernels."""

import html
from dataclasses import dataclass
from typing import Any

import streamlit as st

from camcore.filters import Excitation, FirstKernels
from ui import errors, figures, filters_export, words, working
from ui.components import Tile, tiles
from ui.figures import Figure
from ui.filters_choices import GRIDS, pick
from ui.filters_pixels import number, png_url, response_url, seen_url, tile_url
from ui.filters_works import Looked, Offer, Wanted, offering, searching
from ui.picture_box import Chosen
from ui.questions import NetworkKey
from ui.working import Standing
from ui.works import works

COLUMNS = 8
TICK = 1.0


@dataclass(frozen=True, eq=False)
class Places:
    """The page's parts in reading order, claimed before anything slow."""

    head: Any
    choices: Any
    notes: Any
    fetch: Any
    one: Any
    many: Any
    kernels: Any


def claim() -> Places:
    """Reserve the page's parts."""
    head = st.container(key="cam_head")
    choices = st.container(key="cam_filters_choices", horizontal=True, vertical_alignment="bottom", gap="small")
    notes = st.container(key="cam_notes", gap=None)
    fetch = st.container()
    one = st.container(key="cam_filters_one", gap="xsmall")
    many = st.container(key="cam_filters_many", gap="xsmall")
    return Places(head, choices, notes, fetch, one, many, st.container(key="cam_filters_kernels", gap="xsmall"))


def name_of(looked: Looked, layer: str | None, index: int) -> str:
    """A channel or class as a title: ``channel 37`` or the class's name."""
    return f"channel {index}" if layer is not None else words.distinct(looked.labels)[index]


def head(place: Any, network: NetworkKey, looked: Looked | None, one: Wanted | None, missing: bool) -> None:
    """The headline."""
    if looked is None or one is None:
        text = f"{network.name} is not on this machine yet" if missing else f"What {network.name} responds to"
    elif one.layer is None:
        text = f"This is what {looked.name} takes for “{name_of(looked, None, one.indices[0])}”"
    else:
        text = f"This is what {name_of(looked, one.layer, one.indices[0])} of {one.layer} responds to"
    place.header(text, anchor=False)


# ---- one picture, large


def large(looked: Looked | None, one: Wanted | None, chosen: Chosen, standing: Standing) -> None:
    """The picture found, beside the photograph and the channel's activation on it."""
    with st.container(key="cam_filters_look", horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        smooth = st.segmented_control(
            "Grid",
            GRIDS,
            default=GRIDS[0],
            required=True,
            key="grid",
            bind="query-params",
            label_visibility="collapsed",
        )
        opacity = st.slider(
            "Opacity of the activation",
            0,
            100,
            50,
            5,
            key="opacity",
            bind="query-params",
            format="opacity %d %%",
            label_visibility="collapsed",
            width=260,
        )
        working.progress("filters_one", standing)
    found: Excitation | None = standing.value[0] if standing.value else None
    if standing.failure is not None:
        errors.panel(standing.failure, "The picture could not be found")
    if looked is None or one is None:
        empty = [Figure(title, "\N{NO-BREAK SPACE}", None) for title in ("What excites it most", "The photograph", "…")]
        figures.row(empty, ratio=1.0, columns=3)
        st.html('<div class="cam-figures" aria-hidden="true"></div>')
        return
    row = [_found_figure(looked, one, found), _photo_figure(looked, chosen)]
    if one.layer is not None:
        row.append(_response_figure(looked, one, chosen, opacity, smooth != GRIDS[1]))
    ratio = looked.seen.shape[1] / looked.seen.shape[0]
    figures.row(row, ratio=ratio, columns=3)
    _values(looked, one, found)
    filters_export.one(looked, one, found if standing.complete else None)


def _found_figure(looked: Looked, one: Wanted, found: Excitation | None) -> Figure:
    title = name_of(looked, one.layer, one.indices[0])
    note = "\N{NO-BREAK SPACE}" if found is None else _after(found, one.steps)
    alt = f"A picture made to excite {title} as strongly as possible"
    return Figure("What excites it most", note, None if found is None else png_url(found.rgb), alt, lead=True)


def _after(found: Excitation, steps: int) -> str:
    if found.steps == steps:
        return f"after {steps} steps"
    return f"step {found.steps} of {steps}" if found.steps else "grey noise, to begin with"


def _photo_figure(looked: Looked, chosen: Chosen) -> Figure:
    return Figure("As the network sees it", chosen.title, seen_url(looked), f"Photograph: {chosen.title}")


def _response_figure(looked: Looked, one: Wanted, chosen: Chosen, opacity: int, smooth: bool) -> Figure:
    index = one.indices[0]
    peak = float(looked.peaks[index])
    note = f"at most {number(peak)}, on {words.grid(looked.maps.shape)} cells"
    alt = f"Where channel {index} responds on {chosen.title}: at most {number(peak)}"
    return Figure("Where it responds there", note, response_url(looked, index, opacity, smooth), alt)


def _values(looked: Looked, one: Wanted, found: Excitation | None) -> None:
    index = one.indices[0]
    reached = "…" if found is None or not found.steps else number(found.reached)
    if one.layer is None:
        probability = float(looked.probabilities[index])
        place = 1 + int((looked.logits > looked.logits[index]).sum())
        parts = [
            (reached, "score that this picture reaches", "the logit of the class, shown to the network as any picture"),
            (number(looked.logits[index]), "score of the photograph", f"that is {words.percent(probability)}"),
            (f"{place}.", f"of {len(looked.labels):,} classes", "in the order of what it thinks of the photograph"),
        ]
    else:
        peaks = looked.peaks
        place = 1 + int((peaks > peaks[index]).sum())
        parts = [
            (
                reached,
                "activation that this picture reaches",
                "its strongest place, shown to the network as any picture",
            ),
            (number(peaks[index]), "strongest on the photograph", "at its strongest place"),
            (f"{place}.", f"of {len(peaks):,} channels", "in the order of their strongest place on the photograph"),
        ]
    body = "".join(
        f"<div><b>{html.escape(figure)}</b><span>{html.escape(title)}</span><small>{html.escape(note)}</small></div>"
        for figure, title, note in parts
    )
    st.html(f'<div class="cam-figures">{body}</div>')
    at_rest = found is not None and found.steps == one.steps and one.layer is not None and found.reached <= 0
    if at_rest:
        st.markdown("Nothing was found that excites this channel: it stays at rest, or the search began too far away.")


# ---- many


def many(looked: Looked, chosen: Chosen, all_: Wanted, one: Standing) -> None:
    """The pictures of the list: offered with their cost, then searched for, growing."""
    what = "channels" if all_.layer is not None else "classes"
    st.subheader(
        f"{len(all_.indices)} {what} side by side" if len(all_.indices) != 1 else "Side by side", anchor="grid"
    )
    work = searching(all_)
    asked = st.session_state.get("filters_asked") == all_ or works().known(work) is not None
    beside: Excitation | None = one.value[0] if one.complete else None

    def draw(standing: Standing) -> None:
        if st.session_state.pop("filters_picked", False):
            st.rerun()  # the callback ran with this fragment, and the large picture is above it
        with st.container(key="cam_filters_row", horizontal=True, vertical_alignment="center", gap="small"):
            working.progress("filters_many", standing)
        if standing.failure is not None:
            errors.panel(standing.failure, "The pictures could not be found")
        found: tuple[Excitation | None, ...] = standing.value or (None,) * len(all_.indices)
        _tiles(looked, all_, found, beside)
        filters_export.many(looked, all_, found if standing.value else ())

    def offer(standing: Standing) -> None:
        if st.session_state.pop("filters_picked", False) or st.session_state.get("filters_asked") == all_:
            st.rerun()
        priced: Offer | None = standing.value
        with st.container(key="cam_filters_row", horizontal=True, vertical_alignment="center", gap="small"):
            if priced is not None:
                missing = sum(kept is None for kept in priced.kept)
                st.button(
                    f"Search for {'these' if missing == len(all_.indices) else 'the other'} {missing}"
                    f" · {words.duration(priced.seconds)}",
                    key="filters_ask",
                    type="primary",
                    on_click=lambda: st.session_state.update(filters_asked=all_),
                )
                st.caption("They grow together, step by step, and can be stopped. What was found is kept on disk.")
            elif standing.failure is not None:
                errors.panel(standing.failure, "These pictures cannot be searched for")
            else:
                st.caption("How long these will take is measured once the picture above is there.")
        found = priced.kept if priced is not None else (None,) * len(all_.indices)
        _tiles(looked, all_, found, beside)
        filters_export.many(looked, all_, ())

    if not asked:
        # Two searches at once would both be slow, and the price would be wrong.
        priced = working.section("filters_offer", offering(all_) if not one.busy else None, offer)
        if priced.complete and not priced.value.seconds:
            st.session_state["filters_asked"] = all_  # everything was kept
            st.rerun()
    else:
        working.section("filters_many", work, draw, tick=TICK)


def _tiles(looked: Looked, all_: Wanted, found: tuple[Excitation | None, ...], beside: Excitation | None) -> None:
    selected = st.session_state.get("filters_selected")
    items: list[Tile] = []
    for index, picture in zip(all_.indices, found, strict=True):
        if picture is None and beside is not None and beside.index == index and beside.layer == all_.layer:
            picture = beside
        name = name_of(looked, all_.layer, index)
        ready = picture is not None and picture.steps
        items.append(
            {
                "id": str(index),
                "title": f"{index}" if all_.layer is not None else words.label(looked.labels[index]),
                "note": number(picture.reached) if picture is not None and ready else "",
                "src": tile_url(picture.rgb) if picture is not None else None,
                "alt": f"What excites {name}" + (f"; reaches {number(picture.reached)}" if picture and ready else ""),
                "selected": index == selected,
            }
        )

    def picked(identity: str) -> None:
        pick(int(identity))
        st.session_state["filters_picked"] = True

    ratio = looked.seen.shape[1] / looked.seen.shape[0]
    label = "Pictures; press one to see it large"
    tiles(items, key="filters_tiles", label=label, columns=COLUMNS, ratio=ratio, on_pick=picked)


# ---- kernels


def kernels(looked: Looked) -> None:
    """The first layer's kernels, drawn as they are."""
    st.subheader("What the first layer looks for", anchor="kernels")
    found = looked.kernels
    if found is None:
        errors.notices([looked.no_kernels])
        return
    count, height, width = found.weights.shape[:3]
    st.markdown(
        words.plain(
            f"The first convolution, {found.layer}, weighs the pixels of the photograph itself, so its {count} kernels "
            f"of {height}×{width} pixels need no search: these are they, on one scale. Grey counts for nothing, bright "
            "for a colour, dark against it."
        )
    )
    st.html(f'<div class="cam-kernels">{_kernel_images(found)}</div>')
    filters_export.kernels(looked.name, found)


def _kernel_images(found: FirstKernels) -> str:
    parts = []
    for index, rgb in enumerate(found.rgb):
        alt = html.escape(f"Kernel {index} of {found.layer}")
        parts.append(f'<img src="{png_url(rgb)}" alt="{alt}" title="{index}">')
    return "".join(parts)


def explained(looked: Looked) -> None:
    """How the pictures come about, one click below."""
    with st.expander("How these pictures are made"):
        st.markdown(
            "Nobody drew these pictures, and no photograph is in them. The search begins with grey noise, asks the "
            "network in which direction each pixel must change for the channel (or the class) to respond more, takes "
            "a small step, and repeats that: *activation maximisation* (Erhan, Bengio, Courville and Vincent, 2009). "
            "As such a search, left alone, ends in noise that only a network can see, it works with the spectrum of "
            "the picture in decorrelated colours, shifts and zooms it a little before every look, and is pulled "
            "towards smooth pictures ([Olah et al. 2017](https://distill.pub/2017/feature-visualization/)). What is "
            "made as large as possible is the channel's mean over the whole picture, so that what it looks for "
            "returns everywhere. The value reached is measured on the finished picture, in whole numbers as it "
            "is shown and saved."
        )
        st.markdown(
            "**How far to trust them.** They show what drives a channel up, not all that it is used for, and another "
            "seed may show another side of it. Pictures for classes are seldom handsome: the score of a class rises "
            "with texture as much as with shape, which is itself worth knowing. A network with *random weights* makes "
            "pictures, too: compare before reading meaning into one."
        )
