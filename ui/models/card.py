"""One network closely: its architecture and accuracy, its weights, and the buttons to fetch or remove them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

from camcore import CamcoreError
from camcore.files import read_text
from camcore.models import catalogue
from camcore.models import remove as removing
from camcore.models.catalogue import Backbone
from camcore.models.description import JSON_NAME
from camcore.models.factories import Factory
from camcore.models.hub_presets import HubPreset
from camcore.models.listing import NetworkListing
from camcore.models.preprocessing import PREPROCESSINGS, TITLES
from camcore.models.saved import SavedNetwork, is_own
from camcore.shortcuts.mended import mending_of
from ui import downloads, errors, mended, model_picker, policy, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.models import work as models_work
from ui.models.declared import declared_card
from ui.models.view import all_networks, attempt, ways_on
from ui.models.work import FactoryTrial
from ui.training import runs

_FEW = 12
"""So many class names are shown; the rest is counted."""


def show(row: NetworkListing) -> Status[FactoryTrial]:
    """The card of a catalogue's backbone, a saved network, or a declared one; the status of the last one's trial."""
    tried: Status[FactoryTrial] = Status()
    with st.container(key="cam_card", border=True):
        st.subheader(words.plain(row.name), anchor=False)
        if isinstance(row, Backbone):
            _backbone(row)
        elif isinstance(row, Factory):
            tried = declared_card(row)
        elif isinstance(row, SavedNetwork):
            _saved(row)
        elif isinstance(row, HubPreset):
            _preset(row)
        failure = st.session_state.get("card_failure")
        if failure is not None and failure[0] == row.name:
            errors.panel(failure[1], "This was not done")
    return tried


def _fed(preprocessing: str) -> str:
    """The preprocessing in words; the range alone where the name says no more."""
    title = words.plain(TITLES[preprocessing])
    return title if title.startswith("RGB") else f"{title} ({words.plain(PREPROCESSINGS[preprocessing])})"


# ---- the catalogue's


def _backbone(row: Backbone) -> None:
    st.caption(
        f"{row.family} family, {row.year} · [{words.plain(row.paper)}]({row.paper_url})  \n"
        f"{row.input_size[0]}×{row.input_size[1]} px input · {row.parameters / 1e6:.1f} M parameters · "
        f"preprocessing: {_fed(row.preprocessing)}"
    )
    host = urlsplit(row.top1_source).hostname
    st.markdown(
        f"**{row.top1:.1f} %** of ImageNet’s validation pictures classified correctly, as [{host}]({row.top1_source}) "
        "publishes it."
    )
    path = catalogue.find_weights(row.name)
    if path is not None:
        st.markdown(f":material/check_circle: **Its weights are here**, {path.stat().st_size / 1e6:.0f} MB.")
        if policy.policy().changes:
            st.code(str(path), language=None, wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            ways_on(row.name)
            if policy.policy().changes:
                _remove_weights(row)
    elif not policy.policy().changes:
        st.markdown(f":material/cloud_download: **Its weights are not on this server.** {policy.NO_DOWNLOAD}")
    else:
        server = urlsplit(catalogue.published_weights(row, {}).url).hostname
        st.markdown(
            f":material/cloud_download: **Its weights are not here.** About {words.megabytes(row.download_mb)}, "
            f"fetched from {server} once and kept. Without a network, put "
            f"`{row.name}.weights.h5` into the folder that `CAMCORE_WEIGHTS` names."
        )
    if policy.policy().changes:
        _fetch(row, missing=path is None)


def _fetch(row: Backbone, missing: bool) -> None:
    """The download: a button, then its progress, and what went wrong."""
    press = st.session_state.get("fetch_press", {}).get(row.name)
    work = models_work.download_work(row.name, press) if press and missing else None
    status = session.section("fetch", work, _fetching)
    if status.complete and status.value is not None and status.value.is_file():  # it arrived while this was being drawn
        session.rerun()
    if missing and not status.busy:
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
    policy.policy().require_changes()
    st.session_state["fetch_press"] = {name: uuid.uuid4().hex}


def _remove_weights(row: Backbone) -> None:
    reason = removing.why_kept(row.name)
    with st.popover("Remove", key="remove_weights", disabled=bool(reason), help=reason or None):
        st.markdown(
            f"Deletes the weights of **{row.name}** from this machine, for everybody who uses it. Whoever looks into "
            "it now can go on; later it has to be downloaded or put in place again."
        )
        st.button("Remove the file", key="remove_weights_really", on_click=attempt, args=(row.name, _remove_file))


def _remove_file(name: str) -> None:
    policy.policy().require_changes()
    removing.remove_weights(name)
    st.session_state.setdefault("agreed", set()).discard(name)
    st.session_state["fetch_press"] = {}


# ---- keras_hub's


def _preset(row: HubPreset) -> None:
    count = "" if row.parameters is None else f" · {row.parameters / 1e6:.1f} M parameters without its head"
    st.caption(words.plain(f"A preset of keras_hub{count}, fed by its own preprocessing"))
    if row.description:
        st.markdown(words.plain(row.description))
    if row.folder is not None and policy.policy().changes:
        st.code(str(row.folder), language=None, wrap_lines=True)
    ways_on(row.name)


# ---- saved ones


def _saved(row: SavedNetwork) -> None:
    kind = row.architecture.get("builder")
    base = _base(row.architecture)
    made = {
        "gap_classifier": "trained from scratch",
        "surgery": f"a new head on {base}",
        "grafted": f"new blocks on {base}’s first layers",
        "classifier": f"{base} with weights of your own",
        "whole": "a whole model",
    }
    st.caption(
        f"{'Comes with the project' if row.bundled else 'Your own'} · {words.plain(made.get(str(kind), str(kind)))}  \n"
        f"{row.input_size[0]}×{row.input_size[1]} px input · {row.parameters / 1e6:.2f} M parameters · "
        f"preprocessing: {_fed(row.preprocessing)}"
    )
    shown = ", ".join(words.label(label) for label in row.labels[:_FEW])
    more = f" and {len(row.labels) - _FEW:,} more" if len(row.labels) > _FEW else ""
    st.markdown(words.plain(f"{len(row.labels):,} classes: {shown}{more}."))
    if row.summary:
        st.markdown(words.plain(f"Trained on {row.summary}."))
    if row.mended:
        st.markdown(words.plain(f"It is {model_picker.copy_of(row)}."))
        record = mending_of(row)
        if record is not None:
            st.html(mended.table(record))
    accuracy = row.trained.get("val_accuracy")
    if isinstance(accuracy, int | float) and 0 <= accuracy <= 1:
        st.markdown(
            words.plain(f"{words.percent(float(accuracy))} of the held-out pictures were classified correctly.")
        )
    if policy.policy().changes:
        st.code(str(row.folder), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        ways_on(row.name)
        about = f"Its {JSON_NAME}: architecture, classes, preprocessing, and how it came about"
        downloads.offer(f"{words.file_stem(row.name)}.json", _json(row), about, key="card_json", label="Card")
        if is_own(row):
            with st.popover("Remove", key="remove_network"):
                st.markdown(
                    words.plain(
                        f"Deletes the folder {policy.shown(row.folder)} with the weights and all that training has "
                        "left there."
                    )
                    + " This cannot be undone."
                )
                st.button("Remove the network", key="remove_network_really", on_click=attempt, args=(row.name, _delete))
    with st.expander("All that is recorded"):
        st.json(json.loads(policy.veiled(json.dumps(dict(row.trained)))), expanded=1)


def _delete(name: str) -> None:
    row = next((one for one in all_networks() if one.name == name), None)
    if not isinstance(row, SavedNetwork):
        return
    if any(run.live for run in runs.listed() if run.folder == row.folder):
        raise CamcoreError(f"“{name}” is being trained further, so it stays. Stop that on the Train page first.")
    removing.remove_network(row)


def _base(architecture: Mapping[str, object]) -> str:
    """The catalogue's backbone that an architecture is built on, perhaps by way of others; "" where there is none."""
    backbone = architecture.get("backbone")
    if isinstance(backbone, Mapping):
        return _base(backbone)
    return backbone if isinstance(backbone, str) else ""


def _json(row: SavedNetwork) -> bytes:
    try:
        return policy.veiled(read_text(row.folder / JSON_NAME)).encode("utf-8")
    except (OSError, UnicodeDecodeError):  # removed meanwhile
        return json.dumps({"name": row.name}).encode()
