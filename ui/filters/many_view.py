"""Many exciting pictures side by side: offered with their cost, then growing together."""

from typing import Any

import streamlit as st

from camcore.filters import Excitation
from ui import errors, words
from ui.components import Tile, tiles
from ui.filters import export
from ui.filters.choices import name_of, pick
from ui.filters.pixels import number, tile_url
from ui.filters.work import LayerResponse, SearchPrice, SearchSpec, price_work, search_work
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status

COLUMNS = 8
TICK = 1.0


def show(looked: LayerResponse, all_: SearchSpec, selected: int, one: Status) -> None:
    """The pictures of the list: offered with their cost, then searched for, growing."""
    work = search_work(all_)
    asked = st.session_state.get("filters_asked") == all_ or runner().known(work) is not None
    beside: Excitation | None = one.value[0] if one.complete else None

    def draw(standing: Status) -> None:
        if st.session_state.pop("filters_picked", False):
            st.rerun()  # the callback ran with this fragment, and the large picture is above it
        with _row(all_):
            session.progress("filters_many", standing)
        if standing.failure is not None:
            errors.panel(standing.failure, "The pictures could not be found")
        found: tuple[Excitation | None, ...] = standing.value or (None,) * len(all_.indices)
        _tiles(looked, all_, selected, found, beside)
        export.many(looked, all_, found if standing.value else ())

    def offer(standing: Status) -> None:
        if st.session_state.pop("filters_picked", False) or st.session_state.get("filters_asked") == all_:
            st.rerun()
        priced: SearchPrice | None = standing.value
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
                st.caption("They grow together and can be stopped; what was found is kept.")
            elif standing.failure is not None:
                errors.panel(standing.failure, "These pictures cannot be searched for")
            else:
                st.caption("How long these will take is measured once the picture above is there.")
        found = priced.kept if priced is not None else (None,) * len(all_.indices)
        _tiles(looked, all_, selected, found, beside)
        export.many(looked, all_, ())

    if not asked:
        # Two searches at once would both be slow, and the price would be wrong.
        priced = session.section("filters_offer", price_work(all_) if not one.busy else None, offer)
        if priced.complete and not priced.value.seconds:
            st.session_state["filters_asked"] = all_  # everything was kept
            st.rerun()
    else:
        session.section("filters_many", work, draw, tick=TICK)


def _row(all_: SearchSpec) -> Any:
    """The title of the list, and room beside it for its cost or its progress."""
    row = st.container(key="cam_filters_row", horizontal=True, vertical_alignment="center", gap="medium", wrap=False)
    count = len(all_.indices)
    what = (
        ("channel" if all_.layer is not None else "class")
        if count == 1
        else ("channels side by side" if all_.layer is not None else "classes side by side")
    )
    row.subheader(f"{count} {what}", anchor="grid", width="content")
    return row


def _tiles(
    looked: LayerResponse,
    all_: SearchSpec,
    selected: int,
    found: tuple[Excitation | None, ...],
    beside: Excitation | None,
) -> None:
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
