"""The choices of a comparison: which axes, what along each, what is the same everywhere; and how a link names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

import camcore
from camcore.framing import FRAMINGS
from camcore.models.saved import SavedNetwork
from ui import controls, layer_browser, methods, model_picker, sidebar, urls, words
from ui.compare import names
from ui.compare.axis_options import LAYERS, forms, meant, of_axis, others, remember, with_chosen
from ui.compare.comparison import (
    AXES,
    MOST_BACKBONES,
    MOST_CELLS,
    NONE,
    ONE_OF,
    RANKS,
    GridPlan,
    known_index,
)
from ui.model_picker import Model
from ui.network_summary import NetworkSummary
from ui.scales import SCALES
from ui.urls import ListParameter, Parameter, whole_number

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

CLASSES = RANKS[:2]
_TITLES = {NONE: "Nothing", **{axis: axis.capitalize() for axis in AXES}}
_class_number = whole_number(-(10**9))


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        *sidebar.parameters(),
        Parameter("columns", "choice of columns", AXES[0], AXES),
        Parameter("rows", "choice of rows", NONE, (NONE, *AXES)),
        ListParameter("methods", "method", list(methods.COMPARED), tuple(methods.forms())),
        ListParameter("layers", "layer", list(LAYERS)),
        ListParameter("classes", "class", list(CLASSES), parse=_aim),
        ListParameter("beside", "backbone", [], model_picker.names()),
        ListParameter("framings", "framing", list(FRAMINGS), FRAMINGS),
        Parameter("method", "method", "gradcam", tuple(methods.forms())),
        Parameter("layer", "layer", None),
        Parameter("class", "class", None, parse=_class_number),
        Parameter("pin", "reference", None),
        Parameter("why", "class to explain", RANKS[0], parse=_aim),
        Parameter("why_not", "class to set against it", RANKS[1], parse=_aim),
        Parameter("scale", "scale", SCALES[0], SCALES, bound=True),
        controls.OPACITY,
        controls.BLEND,
        controls.COLORMAP,
        controls.GRID,
        Parameter("signs", "evidence against", "false", ("true", "false"), bound=True),
        Parameter("close", "closer view", "false", ("true", "false"), bound=True),
    ]


def _aim(text: str) -> str:
    """A word for a place among the answers, or a class's index."""
    return text if text in RANKS else str(_class_number(text))


def left_out() -> tuple[str, ...]:
    """The parameters that mean nothing with these axes: several choices of what is no axis, a single one of what is."""
    on_axes = (st.session_state["columns"], st.session_state["rows"])
    names_of = {axis: ("beside" if axis == "backbones" else axis, ONE_OF[axis]) for axis in AXES}
    return tuple(one if axis in on_axes else several for axis, (several, one) in names_of.items())


def settle() -> None:
    """Bring choices together that exclude each other; before any widget is drawn."""
    state = st.session_state
    for axis in ("methods", "layers", "classes"):
        state[axis] = list(dict.fromkeys(map(meant, state[axis])))
    if state["rows"] == state["columns"]:
        urls.object_to("rows", f"Columns and rows cannot both be {state['columns']}. Showing columns only.", NONE)
    state["axes"] = (state["columns"], state["rows"])


def show(place: DeltaGenerator, summary: NetworkSummary | None, framing: str, lead: str) -> None:
    """Draw the bar of choices. ``summary``: of the first network, once it is loaded; ``lead``: its name."""
    state = st.session_state
    with place:
        st.selectbox(
            "Columns",
            AXES,
            key="columns",
            format_func=_TITLES.__getitem__,
            on_change=_swapped,
            persist_state="session",
            width=130,
        )
        _several(state["columns"], summary, framing, lead)
        st.selectbox(
            "Rows",
            (NONE, *(axis for axis in AXES if axis != state["columns"])),
            key="rows",
            format_func=_TITLES.__getitem__,
            persist_state="session",
            width=130,
        )
        if state["rows"] != NONE:
            _several(state["rows"], summary, framing, lead)
        for axis in ("methods", "layers", "classes"):
            if axis not in (state["columns"], state["rows"]):
                _single(axis, summary, framing)


def plan(picture: str, model: Model, summary: NetworkSummary | None) -> tuple[GridPlan, list[str]]:
    """The chosen comparison, and notes on what had to be left out. ``summary``: as in ``show``."""
    state = st.session_state
    columns, rows = state["columns"], state["rows"]
    notes: list[str] = []

    def chosen(axis: str, single: str | None) -> tuple[Any, ...]:
        if axis not in (columns, rows):
            return (single,)
        if not state[axis]:
            notes.append(f"No {ONE_OF[axis]} is chosen. Showing “{_word(axis, single)}”.")
        return tuple(state[axis]) or (single,)

    networks = (model, *_beside(model)) if "backbones" in (columns, rows) else (model,)
    index = state["class"]
    framing = None if state.get("framing", model_picker.AUTO) == model_picker.AUTO else model.framing
    values: dict[str, tuple[Any, ...]] = {
        "methods": chosen("methods", state["method"]),
        "layers": chosen("layers", state["layer"]),
        "classes": chosen("classes", RANKS[0] if index is None else str(index)),
        "backbones": tuple(one.key for one in networks),
        "framings": chosen("framings", framing),
    }
    if summary is not None and not {"backbones", "framings"} & {columns, rows}:
        values["classes"] = _once(values["classes"], summary, model.framing, notes)
    lines = 1 if rows == NONE else len(values[rows])
    if lines > MOST_CELLS:
        values[rows], lines = values[rows][:MOST_CELLS], MOST_CELLS
    fits = max(1, MOST_CELLS // lines)
    if (asked := len(values[columns])) > fits or lines == MOST_CELLS:
        values[columns] = values[columns][:fits]
        notes.append(
            f"That would be {lines * asked} maps. At most {MOST_CELLS} are shown at once, so that they can be read: "
            f"showing the first {fits} {columns}."
        )
    held = tuple(one.key for one in networks if one.fetch is not None)
    chosen_methods, layers, classes, backbones, framings = (values[axis] for axis in AXES)
    return GridPlan(picture, columns, rows, chosen_methods, layers, classes, backbones, framings, held), notes


def _once(classes: tuple[str, ...], summary: NetworkSummary, framing: str, notes: list[str]) -> tuple[str, ...]:
    """The classes without those that are chosen a second time: by name what is also the network's own answer."""
    predictions = summary.predictions.get(framing, ())
    kept: dict[int | str, str] = {}
    for aim in classes:
        index = known_index(aim, predictions)
        if index is not None and index in kept:
            notes.append(f"“{names.class_title(aim, summary, framing)}” is chosen twice. It is shown once.")
        kept.setdefault(aim if index is None else index, aim)
    return tuple(kept.values())


def missing(model: Model) -> Model | None:
    """The first network of the comparison whose weights have to be fetched, to be offered."""
    networks = (
        (model, *_beside(model)) if "backbones" in (st.session_state["columns"], st.session_state["rows"]) else (model,)
    )
    return next((one for one in networks if one.fetch is not None), None)


def _beside(model: Model) -> tuple[Model, ...]:
    """The other networks. Without a choice: one that is on this machine, the most alike first."""
    known = {row.name: row for row in camcore.backbones()}
    names_chosen = [name for name in st.session_state["beside"] if name in known and name != model.key.name]
    if not names_chosen:
        here = [n for n, row in known.items() if row.weights_state in ("on disk", "bundled") and n != model.key.name]
        names_chosen = sorted(here, key=lambda n: isinstance(known[n], SavedNetwork))[:1]
    return tuple(model_picker.chosen(name, model.framing) for name in names_chosen[: MOST_BACKBONES - 1])


def _several(axis: str, summary: NetworkSummary | None, framing: str, lead: str) -> None:
    """The choices along an axis, behind a button that says how many there are."""
    state = st.session_state
    count = 1 + max(1, len(state["beside"])) if axis == "backbones" else len(state[axis])
    what = axis if count != 1 else ONE_OF[axis]
    with st.popover(f"{count} {what}", key=f"choose_{axis}", width="content"):
        if axis == "backbones":
            st.caption(f"Next to {words.plain(lead)}, which is chosen in the sidebar")
            options = [row.name for row in camcore.backbones() if row.name != lead]
            state["beside"] = [name for name in state["beside"] if name in options]
            st.multiselect(
                "Backbones beside it",
                options,
                key="beside",
                max_selections=MOST_BACKBONES - 1,
                placeholder="One that is on this machine",
                persist_state="session",
            )
            return
        options, title = of_axis(axis, summary, framing)
        options += [value for value in state[axis] if value not in options]
        remember(options, title)
        st.multiselect(
            axis.capitalize(), options, key=axis, format_func=title, filter_mode="contains", persist_state="session"
        )
        if axis == "methods":
            st.caption("In the order in which they are chosen. Methods that take long are priced before they run.")


def _single(axis: str, summary: NetworkSummary | None, framing: str) -> None:
    """One choice that holds for every map."""
    state = st.session_state
    if axis == "methods":
        st.selectbox(
            "Method",
            with_chosen(forms(summary), state["method"]),
            key="method",
            format_func=methods.title,
            persist_state="session",
            width=170,
        )
        return
    if axis == "layers":
        with st.container(width=260):
            layer_browser.show(*((summary.layers, summary.ladder) if summary is not None else ()), compact=True)
        return
    _, title = of_axis(axis, summary, framing)
    state["class_one"] = RANKS[0] if state["class"] is None else str(state["class"])
    first = RANKS[:1]
    known = others(len(summary.labels), summary.predictions.get(framing, ()), first) if summary is not None else []
    options = with_chosen([*first, *known], state["class_one"])

    def chosen() -> None:
        aim = meant(state["class_one"])
        if aim in options:
            state["class"] = None if aim == RANKS[0] else int(aim)

    remember(options, title)

    st.selectbox(
        "Class", options, key="class_one", format_func=title, filter_mode="contains", on_change=chosen, width=170
    )


def _swapped() -> None:
    """Columns that take what the rows were hand their own over."""
    state = st.session_state
    if state["columns"] == state["rows"]:
        state["rows"] = state["axes"][0]


def _word(axis: str, value: str | None) -> str:
    if axis == "methods":
        return methods.short(str(value))
    if axis == "framings":
        return value or model_picker.AUTO
    return "the recommended layer" if value is None else "the first answer" if value == RANKS[0] else str(value)
