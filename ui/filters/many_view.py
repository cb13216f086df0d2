"""Many exciting pictures side by side: offered with their cost, then growing together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from camcore.filters import Excitation
from camcore.text import counted
from ui import errors, words
from ui.components import Tile, tiles
from ui.filters import export
from ui.filters.choices import name_of, pick
from ui.filters.pixels import number, tile_url
from ui.filters.work import LayerResponse, SearchPrice, SearchSpec, price_work, search_work
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

COLUMNS = 8
TICK = 1.0


def show(response: LayerResponse, all_: SearchSpec, selected: int, one: Status) -> None:
    """The pictures of the list: offered with their cost, then searched for, growing."""
    work = search_work(all_)
    asked = st.session_state.get("filters_asked") == all_ or runner().known(work) is not None
    beside: Excitation | None = one.value[0] if one.complete and one.value is not None else None

    def draw(status: Status) -> None:
        if st.session_state.pop("filters_picked", False):
            session.rerun()  # the callback ran with this fragment, and the large picture is above it
        with _row(all_):
            session.progress("filters_many", status)
        if status.failure is not None:
            errors.panel(status.failure, "The pictures could not be found")
        _tiles(response, all_, selected, status.value, beside)
        export.many(response, all_, status.value or ())

    def offer(status: Status) -> None:
        if st.session_state.pop("filters_picked", False) or st.session_state.get("filters_asked") == all_:
            session.rerun()
        priced: SearchPrice | None = status.value
        with _row(all_):
            if priced is not None:
                missing = sum(kept is None for kept in priced.kept)
                st.button(
                    f"Search for {'these' if missing == len(all_.indices) else 'the other'} {missing}"
                    f" · {words.duration(priced.seconds)}",
                    key="filters_ask",
                    type="primary",
                    on_click=lambda: st.session_state.update(filters_asked=all_),
                )
                st.caption("They improve together and can be stopped at any time; what was found is kept.")
            elif status.failure is not None:
                errors.panel(status.failure, "These pictures cannot be searched for")
            else:
                st.caption("How long these will take is measured once the picture above is there.")
        _tiles(response, all_, selected, priced.kept if priced is not None else None, beside)
        export.many(response, all_, ())

    if not asked:
        # Two searches at once would both be slow, and the price would be wrong.
        priced = session.section("filters_offer", price_work(all_) if not one.busy else None, offer)
        if priced.complete and priced.value is not None and not priced.value.seconds:
            st.session_state["filters_asked"] = all_  # everything was kept
            session.rerun()
    else:
        session.section("filters_many", work, draw, tick=TICK)


def _row(all_: SearchSpec) -> DeltaGenerator:
    """The title of the list, and room beside it for its cost or its progress."""
    row = st.container(key="cam_filters_row", horizontal=True, vertical_alignment="center", gap="medium", wrap=False)
    count = counted(len(all_.indices), "channel" if all_.layer is not None else "class")
    row.subheader(count if len(all_.indices) == 1 else f"{count} side by side", anchor="grid", width="content")
    return row


def _tiles(
    response: LayerResponse,
    all_: SearchSpec,
    selected: int,
    pictures: tuple[Excitation | None, ...] | None,
    beside: Excitation | None,
) -> None:
    """``pictures``: of the list so far, None where there is none; ``beside``: the one that is shown large."""
    items: list[Tile] = []
    for index, picture in zip(all_.indices, pictures or (None,) * len(all_.indices), strict=True):
        if picture is None and beside is not None and beside.index == index and beside.layer == all_.layer:
            picture = beside
        name = name_of(response, all_.layer, index)
        reached = number(picture.reached) if picture is not None and picture.steps else ""
        items.append(
            {
                "id": str(index),
                "title": f"{index}" if all_.layer is not None else words.label(response.labels[index]),
                "note": reached,
                "src": tile_url(picture.rgb) if picture is not None else None,
                "alt": f"What excites {name}" + (f"; reaches {reached}" if reached else ""),
                "selected": index == selected,
            }
        )

    def picked(identity: str) -> None:
        pick(int(identity))
        st.session_state["filters_picked"] = True

    ratio = response.seen.shape[1] / response.seen.shape[0]
    label = "Pictures; press one to see it large"
    tiles(items, key="filters_tiles", label=label, columns=COLUMNS, ratio=ratio, on_pick=picked)
