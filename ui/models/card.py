"""One network closely: what it is, where its weights are, and what can be done with it."""

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from camcore import CamcoreError
from camcore.graph.layers import NO_GRID, WITHOUT_LAYER
from camcore.models import catalogue, factories
from camcore.models import remove as removing
from camcore.models.catalogue import Backbone
from camcore.models.description import JSON_NAME
from camcore.models.factories import Factory
from camcore.models.preprocessing import PREPROCESSINGS, TITLES
from camcore.models.saved import SavedNetwork
from ui import errors, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.models import feeding_view
from ui.models import view as models_view
from ui.models.work import FactoryTrial
from ui.query import Failure
from ui.training import runs

_FEW = 12
"""So many class names are shown; the rest is counted."""


def show(row: Any) -> Status:
    """The card of a catalogue's backbone, a saved network, or a declared one; how trying the last stands."""
    tried = Status()
    with st.container(key="cam_card", border=True):
        st.subheader(words.plain(row.name), anchor=False)
        if isinstance(row, Backbone):
            _backbone(row)
        elif isinstance(row, Factory):
            tried = _factory(row)
        else:
            _saved(row)
        failure = st.session_state.get("card_failure")
        if failure is not None and failure[0] == row.name:
            errors.panel(failure[1], "This was not done")
    return tried


def _fed(preprocessing: str) -> str:
    """How the network wants its pictures; the range alone where the name says no more."""
    title = words.plain(TITLES[preprocessing])
    return title if title.startswith("RGB") else f"{title} ({words.plain(PREPROCESSINGS[preprocessing])})"


def _open(name: str) -> None:
    st.page_link("app.py", label="Look into it", icon=":material/visibility:", query_params={"model": name})


# ---- the catalogue's


def _backbone(row: Backbone) -> None:
    st.caption(
        f"{row.family} family, {row.year} · [{words.plain(row.paper)}]({row.paper_url})  \n"
        f"{row.input_size[0]}×{row.input_size[1]} px input · {row.parameters / 1e6:.1f} M parameters · "
        f"fed {_fed(row.preprocessing)}"
    )
    host = urlsplit(row.top1_source).hostname
    st.markdown(
        f"**{row.top1:.1f} %** of ImageNet’s validation pictures named rightly, as [{host}]({row.top1_source}) "
        "publishes it."
    )
    path = catalogue.find_weights(row.name)
    if path is not None:
        st.markdown(f":material/check_circle: **Its weights are here**, {path.stat().st_size / 1e6:.0f} MB.")
        st.code(str(path), language=None, wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _open(row.name)
            _remove_weights(row)
    else:
        server = urlsplit(catalogue.published_weights(row, {}).url).hostname
        st.markdown(
            f":material/cloud_download: **Its weights are not here.** About {words.megabytes(row.download_mb)}, "
            f"fetched from {server} once and kept. Without a network, put "
            f"`{row.name}.weights.h5` into the folder that `CAMCORE_WEIGHTS` names."
        )
    _fetch(row, missing=path is None)


def _fetch(row: Backbone, missing: bool) -> None:
    """The download: a button, then its progress, and what went wrong."""
    press = st.session_state.get("fetch_press", {}).get(row.name)
    work = models_work.download_work(row.name, press) if press and missing else None
    standing = session.section("fetch", work, _fetching)
    if standing.complete and standing.value.is_file():  # it arrived while this was being drawn
        st.rerun()
    if missing and not standing.busy:
        title = f"Download {words.megabytes(row.download_mb)}"
        st.button(title, type="primary", key="fetch_it", on_click=_press, args=(row.name,))


def _fetching(now: Status) -> None:
    if now.failure is not None:
        errors.panel(now.failure, "The download broke off")
    elif now.busy:
        session.progress("fetch", now)
    else:
        st.empty()


def _press(name: str) -> None:
    st.session_state["fetch_press"] = {name: uuid.uuid4().hex}


def _remove_weights(row: Backbone) -> None:
    reason = removing.why_kept(row.name)
    with st.popover("Remove", key="remove_weights", disabled=bool(reason), help=reason or None):
        st.markdown(
            f"Deletes the weights of **{row.name}** from this machine, for everybody who uses it. Whoever looks into "
            "it now can go on; later it has to be downloaded or put in place again."
        )
        st.button("Remove the file", key="remove_weights_really", on_click=_act, args=(row.name, _forget_weights))


def _forget_weights(name: str) -> None:
    removing.remove_weights(name)
    st.session_state.setdefault("agreed", set()).discard(name)
    st.session_state["fetch_press"] = {}


def _act(name: str, act: Any) -> None:
    try:
        act(name)
        st.session_state["card_failure"] = None
    except CamcoreError as error:
        st.session_state["card_failure"] = (name, Failure.of(error))


# ---- saved ones


def _saved(row: SavedNetwork) -> None:
    kind = row.architecture.get("builder")
    base = _base(row.architecture)
    made = {
        "gap_classifier": "trained from nothing",
        "surgery": f"a new head on {base}",
        "classifier": f"{base} with weights of your own",
    }
    st.caption(
        f"{'Comes with the project' if row.bundled else 'Your own'} · {words.plain(made.get(str(kind), str(kind)))}  \n"
        f"{row.input_size[0]}×{row.input_size[1]} px input · {row.parameters / 1e6:.2f} M parameters · "
        f"fed {_fed(row.preprocessing)}"
    )
    shown = ", ".join(words.label(label) for label in row.labels[:_FEW])
    more = f" and {len(row.labels) - _FEW:,} more" if len(row.labels) > _FEW else ""
    st.markdown(words.plain(f"{len(row.labels):,} classes: {shown}{more}."))
    if row.summary:
        st.markdown(words.plain(f"Trained on {row.summary}."))
    accuracy = row.trained.get("val_accuracy")
    if isinstance(accuracy, int | float) and 0 <= accuracy <= 1:
        st.markdown(words.plain(f"{words.percent(float(accuracy))} of the pictures held out were named rightly."))
    st.code(str(row.folder), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _open(row.name)
        st.download_button(
            "Card",
            _json(row),
            f"{words.file_stem(row.name)}.json",
            "application/json",
            key="card_json",
            on_click="ignore",
            icon=":material/download:",
            help=f"Its {JSON_NAME}: architecture, classes, preprocessing, and how it came about",
        )
        if not row.bundled:
            with st.popover("Remove", key="remove_network"):
                st.markdown(
                    words.plain(
                        f"Deletes the folder {row.folder} with the weights and all that training has left there."
                    )
                    + " There is no way back."
                )
                st.button("Remove the network", key="remove_network_really", on_click=_act, args=(row.name, _delete))
    with st.expander("All that is recorded"):
        st.json(dict(row.trained), expanded=1)


def _delete(name: str) -> None:
    row = next((one for one in models_view.all_networks() if one.name == name), None)
    if not isinstance(row, SavedNetwork):
        return
    if any(run.live for run in runs.listed() if run.folder == row.folder):
        raise CamcoreError(f"“{name}” is being trained further, so it stays. Stop that on the Train page first.")
    removing.remove_network(row)


def _base(architecture: Any) -> str:
    while isinstance(architecture, dict) and not isinstance(architecture.get("backbone"), str):
        architecture = architecture.get("backbone")
    return str(architecture["backbone"]) if isinstance(architecture, dict) else ""


def _json(row: SavedNetwork) -> bytes:
    try:
        return (row.folder / JSON_NAME).read_bytes()
    except OSError:  # removed meanwhile
        return json.dumps({"name": row.name}).encode()


# ---- declared ones: functions and whole models' files


def _factory(row: Factory) -> Status:
    st.caption(words.plain(_made_of(row)))
    st.markdown(
        "Its code runs when the network is loaded, not before. Try it here first: whether it can be made, what it is, "
        "and how it wants its pictures."
        if row.file is None
        else "It is opened when somebody looks into it, not before. Try it here first: whether it can be opened, what "
        "it is, and how it wants its pictures."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Make and check it", type="primary", key="try_it", on_click=_try, args=(row.name,))
        _open(row.name)
    press = st.session_state.get("try_press", {}).get(row.name)
    work = models_work.trial_work(replace(row, chosen=""), press) if press else None
    return session.section("try", work, _tried)


def _made_of(row: Factory) -> str:
    """The source and preprocessing of a declared network, in a line; of a file's path the name alone."""
    declared = row.declaration
    if declared is None:
        chosen = f"fed {TITLES[row.chosen]}, as chosen here, unless" if row.chosen else "fed RGB 0..255 unless"
        return f"Made by {row.target} on this server · {chosen} its code says otherwise"
    if declared.preprocess is not None:
        fed = f"fed {TITLES[declared.preprocess]}, as declared"
    elif row.chosen:
        fed = f"fed {TITLES[row.chosen]}, as chosen here"
    else:
        fed = "fed RGB 0..255, as model.predict would be"
    parts = [f"The whole model {row.target} on this server", fed, f"pictures framed by {declared.framing or 'stretch'}"]
    if declared.labels is not None:
        parts.append(_named(declared.labels))
    if declared.unsafe:
        parts.append("code in it may run")
    return " · ".join(parts)


def _named(labels: Path | tuple[str, ...]) -> str:
    """How many classes were named, or where; a single label names a regression's quantity."""
    if isinstance(labels, Path):
        return f"classes named by {labels.name}"
    return f"its output is called {words.label(labels[0])}" if len(labels) == 1 else f"{len(labels)} named classes"


def _try(name: str) -> None:
    st.session_state["try_press"] = {name: uuid.uuid4().hex}


def _tried(now: Status) -> None:
    if now.failure is not None:
        errors.panel(now.failure, "This network cannot be used")
    if now.busy or now.stopped:
        session.progress("try", now)
    found: FactoryTrial | None = now.value
    if found is None:
        return
    height, width = found.input_size
    st.markdown(
        ":material/check_circle: **It can be made.** "
        + words.plain(
            f"{height}×{width} px input, {found.parameters:,} parameters, {_answers(found)}. "
            + (f"To look at: {found.default_layer}." if found.default_layer else f"{NO_GRID} {WITHOUT_LAYER}")
        )
    )
    st.caption(words.plain(words.score_told(found.score_kind, found.scored_over)))
    if found.fed:
        st.caption("It says how it wants its pictures, so nothing is left to choose.")
    if found.note:
        st.caption(words.plain(f"{found.note[:1].upper()}{found.note[1:]}."))


def _answers(found: FactoryTrial) -> str:
    """What a network answers with: its classes, the first of them by name; of a regression its quantity."""
    if found.score_kind == "value":
        return f"one number ({words.quantity(found.labels[0])})"
    shown = ", ".join(words.label(label) for label in found.labels[:3])
    return f"{len(found.labels):,} classes ({shown}{' …' if len(found.labels) > 3 else ''})"


def feeding(row: Factory, standing: Status) -> None:
    """How a factory's network wants its pictures, where its code does not say: the comparison, and the choice."""
    if not standing.complete or not standing.value.fits:
        return
    fits = standing.value.fits
    feeding_view.show(fits)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = feeding_view.choose("factory_feed", fits, row.chosen or None, "as kept")
        # Not by a callback: that would carry the choice of the run before.
        if st.button("Keep this choice", key="keep_feed", disabled=name == row.chosen):
            _act(row.name, lambda _: factories.keep_preprocessing(row, name))
            st.rerun()
