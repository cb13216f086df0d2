"""The page on a classifier as a whole: its choices, and its sections in reading order."""

from __future__ import annotations

import streamlit as st

from camcore.errors import CamcoreError
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import read_csv
from camcore.models import saved as networks
from camcore.models.saved import SavedNetwork
from ui import controls, errors, folder_box, picture_box, words
from ui.classifier import bias, evidence, learning, quality
from ui.classifier.work import PictureEvidence, beside, evidence_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen
from ui.quality_charts import THRESHOLD
from ui.query import Failure
from ui.urls import Parameter

BUNDLED = "cats_vs_dogs"
FOLDER = Parameter("folder", "folder of test pictures", "")


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    names = tuple(one.name for one in networks.saved_networks())
    default = BUNDLED if BUNDLED in names or not names else names[0]
    return [
        *picture_box.PARAMETERS,
        Parameter("network", "network", default, names or (BUNDLED,)),
        FOLDER,
        THRESHOLD,
        controls.OPACITY,
        controls.GRID,
    ]


def follow() -> None:
    """Turn to the network that the other pages look at, where it has changed since and can be shown here."""
    state = st.session_state
    model = state.get("model")
    if model is not None and model != state.get("network_followed"):
        state["network_followed"] = model
        if any(one.name == model for one in networks.saved_networks()):
            state["network"] = model


def pick() -> SavedNetwork | None:
    """The sidebar's network; None where there is none."""
    by_name = {one.name: one for one in networks.saved_networks()}
    if not by_name:
        return None
    if st.session_state.get("network") not in by_name:
        st.session_state["network"] = BUNDLED if BUNDLED in by_name else next(iter(by_name))
    name = st.selectbox(
        "Network",
        list(by_name),
        key="network",
        persist_state="session",
        format_func=lambda name: f"{name} · {by_name[name].weights_state}",
        filter_mode="contains",
    )
    chosen = by_name[name]
    labels = ", ".join(words.label(label) for label in chosen.labels[:4]) + (" …" if len(chosen.labels) > 4 else "")
    st.caption(
        words.plain(
            f"Tells {labels} apart; {chosen.parameters / 1e6:.1f} M parameters, "
            f"{chosen.input_size[0]}×{chosen.input_size[1]} px input"
        )
    )
    return chosen


def missing() -> None:
    """The notice where there is no network at all."""
    st.header("There is no network to show yet", anchor=False)
    errors.notices(
        [
            "The network that comes with this project is missing: models/cats_vs_dogs has no network.json. Fetch the "
            "whole repository, large files included; or train a network of your own."
        ]
    )
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")


def picture_section(saved: SavedNetwork, chosen: Chosen) -> Status:
    """The evidence in one picture; the status of its work."""
    work = evidence_work(saved, chosen.picture)
    with st.container(key="cam_sees"):
        return session.section("seen", work, lambda now: evidence.show(saved, chosen, now))


def quality_section(saved: SavedNetwork) -> None:
    """The results on the test pictures, and the way to an audit of other ones."""
    with st.container(key="cam_quality"):
        st.subheader("How good is it?", anchor="how-good")
        stored = _results(saved)
        if stored is not None:
            st.fragment(quality.show)(saved, stored)
        st.subheader("Where does it fail?", anchor="where-it-fails")
        _audit(saved, stored is not None)


def _results(saved: SavedNetwork) -> Predictions | None:
    """The results beside the network."""
    try:
        stored = beside(saved, "predictions.csv", read_csv)
    except CamcoreError as error:
        errors.panel(Failure.of(error), "The results beside this network cannot be shown")
        return None
    if stored is None:
        st.markdown("No results lie beside this network. An audit of labelled test pictures tells how good it is.")
        return None
    if stored.classes != saved.labels:
        errors.notices(
            [
                f"The results beside this network are of other classes ({', '.join(stored.classes[:6])}), so they "
                "are not shown."
            ]
        )
        return None
    note = f"On the {len(stored):,} test pictures whose results come with the network; it never learned from them."
    st.caption(words.plain(note))
    return stored


def _audit(saved: SavedNetwork, known: bool) -> None:
    """The field for a folder of test pictures, and the link to their audit. ``known``: there are results above."""
    not_shipped = "The photographs behind these results are not shipped with the project. " if known else ""
    st.markdown(
        f"{not_shipped}An **audit** shows the pictures that a network gets wrong with their maps, sorts them by what "
        "the answers rest on, and averages their maps. Put test pictures on this machine, one folder for each class "
        f"({words.plain(', '.join(saved.labels[:6]))}), with pictures that it has not learned from."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        folder = folder_box.ask(
            "Test pictures",
            key=FOLDER.name,
            placeholder="a folder on the machine that this app runs on",
            width=420,
        )
        st.page_link(
            "pages/audit.py",
            label="Audit them",
            icon=":material/fact_check:",
            query_params={"model": saved.name, "pictures": folder} if folder else {"model": saved.name},
        )


def learning_sections(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None) -> None:
    """Average maps, learning, and the bias study."""
    with st.container(key="cam_average"), errors.guarded("The average maps"):
        st.subheader("Where does it look on average?", anchor="on-average")
        learning.averages(saved)
    with st.container(key="cam_learned"), errors.guarded("The training"):
        st.subheader("How did it learn?", anchor="how-it-learned")
        learning.curves(saved)
        learning.attention(saved, chosen, seen)
    with st.container(key="cam_bias"), errors.guarded("The bias study"):
        st.subheader("Would we notice if it had learned a shortcut?", anchor="bias")
        bias.show(saved)
