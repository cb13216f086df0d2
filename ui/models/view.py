"""The list of all networks, and the choice of the one to look at closely."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

import streamlit as st

import camcore
from camcore import CamcoreError
from camcore.files import to_csv
from camcore.models import factories
from camcore.models.catalogue import Backbone
from camcore.models.listing import NetworkListing
from camcore.models.saved import SavedNetwork, is_own
from camcore.render.trade_off import TradeOffPoint, front, trade_off
from ui import controls, downloads, errors, model_picker, policy
from ui.query import Failure
from ui.urls import Parameter

WAYS = ("Weights file", "Training", "Whole model", "Python function", "keras_hub")
"""The ways in which a network of one's own comes in."""
VIEWS = ("List", "Accuracy by size")
ABOUT = "about"
"""The page's choice in the session: whoever looks through the list does not change the network of the other pages."""
_READY = ("bundled", "on disk", "own file")  # whether own code works is known once it has run
_STATES = {"bundled": 0, "on disk": 1, "own file": 2, "own code": 2}  # the order of the list; the rest is not here
_HEIGHT = 430
_ROW = 35


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        Parameter("model", "network", model_picker.default(), model_picker.names(), own_key=ABOUT, former=("about",)),
        Parameter("here", "filter", "false", ("true", "false"), bound=True),
        Parameter("list", "view", VIEWS[0], VIEWS, bound=True),
        Parameter("way", "way of bringing a network", WAYS[0], WAYS, bound=True),
    ]


def follow(named: Collection[str]) -> None:
    """Turn to the network that the other pages look at, where it has changed since and the address names no other."""
    state = st.session_state
    model = state.get("model")
    if model != state.get("about_followed"):
        state["about_followed"] = model
        if "model" not in named and model in model_picker.names():
            state[ABOUT] = model


def head(rows: tuple[NetworkListing, ...]) -> None:
    """Counts of all networks and of those that are ready, and what is wrong with the declared ones."""
    ready = sum(row.weights_state in _READY for row in rows)
    with st.container(key="cam_head"):
        st.header(f"{len(rows)} networks, {ready} ready to use on this machine", anchor=False)
    st.caption(
        "Choose any of them on every page that has a list of backbones. The catalogue has the classifiers of "
        "keras.applications; their accuracy is the share of ImageNet’s 50,000 validation pictures that their "
        "first answer classifies correctly, as their makers publish it."
    )
    errors.notices(factories.problems() if policy.policy().changes else ())


def choose(rows: tuple[NetworkListing, ...]) -> NetworkListing:
    """The list or the chart; the network that is looked at."""
    state = st.session_state
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        view = controls.segments("View", VIEWS, "list")
        only = st.toggle("Only what is on this machine", key="here", bind="query-params")
    shown = [row for row in rows if not only or row.weights_state in _STATES]
    names = [row.name for row in shown]
    if state.get(ABOUT) not in names:
        state[ABOUT] = model_picker.default() if model_picker.default() in names else names[0]
    if state.get("table_says") != state[ABOUT]:  # chosen elsewhere: another table, whose selection is given anew
        state.update(table_says=state[ABOUT], tables=state.get("tables", 0) + 1)
    key = f"networks_{state['tables']}_{hashlib.sha256(repr(names).encode()).hexdigest()[:8]}"
    if view == VIEWS[1]:
        _chart(shown, state[ABOUT])
    else:
        _table(shown, names, key)
    return next(row for row in shown if row.name == state[ABOUT])


def _table(shown: list[NetworkListing], names: list[str], key: str) -> None:
    st.dataframe(
        [_entry(row) for row in shown],
        hide_index=True,
        height=min(_HEIGHT, _ROW * (len(shown) + 1) + 3),
        key=key,
        on_select=lambda: _selected(key, names),
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [names.index(st.session_state[ABOUT])]}},
        placeholder="–",
        column_config={
            "Top-1": st.column_config.NumberColumn("Top-1", format="%.1f %%", help="Published accuracy on ImageNet"),
            "Parameters": st.column_config.NumberColumn("Parameters", format="%.1f M"),
            "Size": st.column_config.NumberColumn("Size", format="%d MB", help="Of the weights: four bytes each"),
            "Input": st.column_config.TextColumn("Input", help="Height × width in pixels"),
            "Weights": st.column_config.TextColumn("Weights"),
        },
        alt="All networks with published accuracy, parameters, size, input and where their weights are",
    )


def _chart(shown: list[NetworkListing], about: str) -> None:
    """The catalogue's networks, accuracy against parameters; a click chooses one."""
    points = [
        TradeOffPoint(row.name, row.parameters / 1e6, row.top1, row.weights_state in _READY)
        for row in shown
        if isinstance(row, Backbone)
    ]
    best = ", ".join(f"{point.name} {point.gain:.1f} %" for point in front(points))
    st.plotly_chart(
        trade_off(
            points, cost="parameters, millions", gain="published top-1 accuracy, %", chosen=about, height=_HEIGHT
        ),
        key="trade_off",
        on_select=_clicked,
        selection_mode="points",
        config={"displayModeBar": False},
        height=_HEIGHT,
        alt=f"Published accuracy against the number of parameters. None smaller is as accurate as these: {best}",
    )


def _clicked() -> None:
    points = st.session_state["trade_off"]["selection"]["points"]
    if points:
        name = points[0].get("customdata")
        st.session_state[ABOUT] = name[0] if isinstance(name, list) else name


def take_away(rows: tuple[NetworkListing, ...]) -> None:
    """The whole list as CSV."""
    downloads.offer("networks.csv", as_csv(rows), key="networks_csv")


def as_csv(rows: tuple[NetworkListing, ...]) -> bytes:
    """Everything in the list, with the sources of its figures."""
    table: list[tuple[object, ...]] = [
        ("network", "top1_percent", "top1_source", "parameters", "height", "width", "weights", "paper")
    ]
    for row in rows:
        published = (row.top1, row.top1_source) if isinstance(row, Backbone) else ("", "")
        size = row.input_size or ("", "")
        paper = row.paper_url if isinstance(row, Backbone) else ""
        table.append((row.name, *published, row.parameters or "", *size, row.weights_state, paper))
    return to_csv(table)


def _selected(key: str, names: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(names):
        st.session_state.update({ABOUT: names[rows[0]], "table_says": names[rows[0]]})


def _entry(row: NetworkListing) -> dict[str, object]:
    size = row.input_size
    return {
        "Network": row.name,
        "Top-1": row.top1 if isinstance(row, Backbone) else None,
        "Parameters": row.parameters / 1e6 if row.parameters else None,
        "Size": max(1, round(row.parameters * 4 / 1e6)) if row.parameters else None,
        "Input": f"{size[0]}×{size[1]}" if size else "",
        "Weights": _where(row),
    }


def _where(row: NetworkListing) -> str:
    if isinstance(row, SavedNetwork) and not row.bundled:
        return "mended" if row.mended else "your own" if is_own(row) else "on disk"
    return str(row.weights_state) if row.weights_state in _STATES else "not here"


def all_networks() -> tuple[NetworkListing, ...]:
    """Every network that can be loaded by name, those that are on this machine first."""
    return tuple(sorted(camcore.backbones(), key=lambda row: _STATES.get(row.weights_state, len(_STATES))))


def ways_on(name: str) -> None:
    """The ways on with a network: to look into it, and to decide."""
    st.page_link("app.py", label="Look into it", icon=":material/visibility:", query_params={"model": name})
    st.page_link("pages/decision.py", label="May we use it?", icon=":material/gavel:", query_params={"model": name})


def attempt(name: str, act: Callable[[str], object]) -> None:
    """Do what a button of a network's card says; a refusal is kept for the card to show."""
    try:
        act(name)
        st.session_state["card_failure"] = None
    except CamcoreError as error:
        st.session_state["card_failure"] = (name, Failure.of(error))
