"""The page on a classifier as a whole: its choices, and its sections in reading order."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from camcore.errors import CamcoreError
from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import PREDICTIONS, read_csv
from camcore.models import saved as networks
from camcore.models.saved import SavedNetwork
from camcore.text import counted
from ui import controls, errors, folder_box, model_picker, picture_box, words
from ui.classifier import bias, evidence, learning, quality
from ui.classifier.work import beside, evidence_work
from ui.jobs import session
from ui.picture_box import Chosen
from ui.quality_charts import THRESHOLD
from ui.query import Failure
from ui.urls import Parameter

if TYPE_CHECKING:
    from ui.classifier.quality import Add

BUNDLED = "cats_vs_dogs"
NETWORK = "network"
"""The page's choice in the session: the other pages may look at networks that it cannot show."""
NOTHING_KEPT = "No folder of its own is kept of it, so there is nothing of it to show here."
FOLDER = Parameter("folder", "folder of test pictures", "")


class _Saved(Parameter):
    """The network of the page, which can show those only that a folder of their own is kept of."""

    def read(self, text: str) -> tuple[Any, str | None]:
        if text in self.options or text not in model_picker.names():
            return super().read(text)
        return self.default, self._sorry(f"names {text}. {NOTHING_KEPT} ")


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    names = tuple(one.name for one in networks.saved_networks())
    default = BUNDLED if BUNDLED in names or not names else names[0]
    return [
        *picture_box.PARAMETERS,
        _Saved("model", "network", default, names or (BUNDLED,), own_key=NETWORK, former=("network",)),
        FOLDER,
        THRESHOLD,
        controls.OPACITY,
        controls.GRID,
    ]


def follow(named: Collection[str]) -> None:
    """Turn to the network that the other pages look at, where it has changed since and can be shown here.

    ``named``: the choices that the address made. The other pages follow a network that is among these.
    """
    state = st.session_state
    model = state.get("model")
    if "model" in named:
        _carry()
    elif model is not None and model != state.get("network_followed"):
        state["network_followed"] = model
        if any(one.name == model for one in networks.saved_networks()):
            state[NETWORK] = model


def pick() -> SavedNetwork | None:
    """The sidebar's network; None where there is none."""
    by_name = {one.name: one for one in networks.saved_networks()}
    if not by_name:
        return None
    if st.session_state.get(NETWORK) not in by_name:
        st.session_state[NETWORK] = BUNDLED if BUNDLED in by_name else next(iter(by_name))
    name = st.selectbox(
        "Network",
        list(by_name),
        key=NETWORK,
        persist_state="session",
        format_func=lambda name: f"{name} · {by_name[name].weights_state}",
        filter_mode="contains",
        on_change=_carry,
    )
    chosen = by_name[name]
    looked_at = st.session_state.get("model")
    if looked_at is not None and looked_at not in by_name:
        st.caption(words.plain(f"The other pages look at {looked_at}. {NOTHING_KEPT}"))
    labels = ", ".join(words.label(label) for label in chosen.labels[:4]) + (" …" if len(chosen.labels) > 4 else "")
    st.caption(
        words.plain(
            f"Tells {labels} apart; {chosen.parameters / 1e6:.1f} M parameters, "
            f"{chosen.input_size[0]}×{chosen.input_size[1]} px input"
        )
    )
    return chosen


def _carry() -> None:
    """Let the other pages look at the network that was chosen here."""
    state = st.session_state
    state["model"] = state["network_followed"] = state[NETWORK]


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


def quality_section(saved: SavedNetwork, add: Add) -> None:
    """The results on the test pictures, and the way to an audit of other ones."""
    stored, problem = _results(saved)
    with st.container(key="cam_head"):
        st.header(words.plain(words.together(_headline(saved, stored))), anchor=False)
    with st.container(key="cam_quality"):
        if problem is not None:
            problem()
        if stored is not None:
            note = quality.about(saved, stored)
            if quality.of_other_weights(saved):
                errors.notices([note])
            else:
                st.caption(words.plain(note))
            st.fragment(quality.show)(saved, stored, add)
        st.subheader("Where does it fail?", anchor="where-it-fails")
        _audit(saved, stored is not None)


def _headline(saved: SavedNetwork, stored: Predictions | None) -> str:
    if stored is None:
        return f"How good is {saved.name}? No test results are kept"
    right = measures.accuracy(stored)
    if quality.of_other_weights(saved):
        return f"How good is {saved.name}? The results kept beside it are of other weights"
    return f"{saved.name} is right on {words.percent(right.value)} of {counted(right.n, 'test picture')}"


def _results(saved: SavedNetwork) -> tuple[Predictions | None, Callable[[], object] | None]:
    """The results beside the network; where there are none, what says so."""
    try:
        stored = beside(saved, PREDICTIONS, read_csv)
    except CamcoreError as error:
        return None, partial(errors.panel, Failure.of(error), "The results beside this network cannot be shown")
    if stored is None:
        missing = "No results are kept beside this network. An audit of labelled test pictures tells how good it is."
        return None, partial(st.markdown, missing)
    if stored.classes != saved.labels:
        others = (
            f"The results beside this network are of other classes ({', '.join(stored.classes[:6])}), so they are not "
            "shown."
        )
        return None, partial(errors.notices, [others])
    return stored, None


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


def learning_sections(saved: SavedNetwork, chosen: Chosen | None) -> None:
    """Average maps, training, one picture with its lesson, and the bias study."""
    with st.container(key="cam_average"), errors.guarded("The average maps"):
        st.subheader("Where does it look on average?", anchor="on-average")
        learning.averages(saved)
    with st.container(key="cam_learned"), errors.guarded("The training"):
        st.subheader("How did it learn?", anchor="how-it-learned")
        learning.curves(saved)
    if chosen is None:
        st.caption("Choose a picture in the sidebar to see what this network sees in it.")
    else:
        _picture(saved, chosen)
    with st.container(key="cam_bias"), errors.guarded("The bias study"):
        st.subheader("Would we notice if it had learned a shortcut?", anchor="bias")
        bias.show(saved)


def _picture(saved: SavedNetwork, chosen: Chosen) -> None:
    """The evidence in one picture, how the map comes about, and how it formed in training."""
    work = evidence_work(saved, chosen.picture)
    with st.container(key="cam_sees"):
        status = session.section("seen", work, lambda now: evidence.show(saved, chosen, now))
    with errors.guarded("The lesson"):
        evidence.lesson(saved, status.value)
    with st.container(key="cam_formed"), errors.guarded("The checkpoints"):
        learning.attention(saved, chosen, status.value if status.complete else None)
