"""The page on a classifier as a whole: its choices, and its sections in reading order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from camcore.errors import CamcoreError
from camcore.evaluation.table import read_csv
from camcore.models import saved as networks
from camcore.models.saved import SavedNetwork
from ui import controls, errors, picture_box, words
from ui.classifier import bias, evidence, gallery, learning, quality
from ui.classifier.work import FolderResults, PictureEvidence, beside, evidence_work, folder_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen
from ui.picture_folders import root_of
from ui.query import Failure
from ui.urls import Parameter, whole_number

BUNDLED = "cats_vs_dogs"


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    names = tuple(one.name for one in networks.saved_networks())
    default = BUNDLED if BUNDLED in names or not names else names[0]
    return [
        picture_box.SAMPLE,
        Parameter("network", "network", default, names or (BUNDLED,)),
        Parameter("folder", "folder", ""),
        Parameter("threshold", "threshold", 50, parse=whole_number(0, 100), bound=True),
        Parameter("show", "choice of pictures", gallery.WRONG, gallery.KINDS),
        controls.OPACITY,
        controls.GRID,
    ]


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


def folder() -> Path | None:
    """The sidebar's folder of test pictures; None for the results that come with the network."""
    path = st.text_input(
        "Test pictures",
        key="folder",
        persist_state="session",
        placeholder="a folder on this machine",
        help="One folder for each class, named as the class. It is only read, on the machine that this app runs on. "
        "Without it the results that come with the network are shown.",
    ).strip()
    return root_of(path) if path else None


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


def quality_section(
    saved: SavedNetwork, root: Path | None, ready: bool, publish: Callable[[], None]
) -> FolderResults | None:
    """Test results and gallery; the results that are shown, for the sections below. ``publish``: the page's address."""
    with st.container(key="cam_quality"):
        st.subheader("How good is it?", anchor="how-good")
        evaluated = _bundled(saved) if root is None else _folder(saved, root, ready)
        if evaluated is not None:
            st.fragment(_results)(saved, evaluated, publish)
    return evaluated


def _results(saved: SavedNetwork, evaluated: FolderResults, publish: Callable[[], None]) -> None:
    """Charts and gallery, which the threshold moves together."""
    with errors.guarded("The figures"):
        quality.show(saved, evaluated)
    with errors.guarded("The gallery"):
        st.subheader("Where does it fail?", anchor="where-it-fails")
        if evaluated.root is None:
            st.markdown(
                "The photographs behind these results are not shipped with the project, only their names and what was "
                "said about them. To see them with their maps, put a folder of test pictures on this machine and give "
                "its path on the left (or as `?folder=…` in the address)."
            )
        else:
            st.markdown("Press a picture to look at it above.")
        two = len(evaluated.predictions.classes) == 2
        gallery.show(saved, evaluated, quality.threshold() if two else 0.5)
    publish()


def _bundled(saved: SavedNetwork) -> FolderResults | None:
    try:
        stored = beside(saved, "predictions.csv", read_csv)
    except CamcoreError as error:
        errors.panel(Failure.of(error), "The results beside this network cannot be shown")
        return None
    if stored is None:
        st.markdown(
            "No results lie beside this network. Give a folder of labelled test pictures on the left: one folder for "
            f"each class ({words.plain(', '.join(saved.labels[:6]))}), with pictures that it has not learned from."
        )
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
    return FolderResults(stored, None)


def _folder(saved: SavedNetwork, root: Path, ready: bool) -> FolderResults | None:
    def draw(now: Status) -> None:
        session.progress("evaluating", now)
        if now.failure is not None:
            errors.panel(now.failure, "This folder could not be used")
        if now.complete:
            p = now.result.predictions
            skipped = f"; {len(p.skipped):,} files could not be used" if p.skipped else ""
            st.caption(words.plain(f"On the {len(p):,} pictures in {root}{skipped}."))

    if not ready:
        st.caption(words.plain(f"The pictures in {root} come next."))
    status = session.section("evaluating", folder_work(saved, root) if ready else None, draw)
    return status.value if status.complete else None


def learning_sections(
    saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None, evaluated: FolderResults | None
) -> None:
    """Average maps, learning, and the bias study."""
    if evaluated is not None:
        with st.container(key="cam_average"), errors.guarded("The average maps"):
            st.subheader("Where does it look on average?", anchor="on-average")
            learning.averages(saved, evaluated)
    with st.container(key="cam_learned"), errors.guarded("The training"):
        st.subheader("How did it learn?", anchor="how-it-learned")
        learning.curves(saved)
        learning.attention(saved, chosen, seen)
    with st.container(key="cam_bias"), errors.guarded("The bias study"):
        st.subheader("Would we notice if it had learned a shortcut?", anchor="bias")
        bias.show(saved)
