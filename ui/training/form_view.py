"""The form of a new training run: pictures on the left, network on the right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from camcore.models.catalogue import Backbone, backbones, find_weights
from camcore.text import counted, one_line
from camcore.training.folders import MIN_PER_CLASS
from camcore.training.recipe import Recipe
from ui import errors, folder_box, policy, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_folders import root_of
from ui.training import form as training_form
from ui.training import runs, zip_box
from ui.training.form import SCRATCH, Form
from ui.training.runs import TRAINING_SECONDS, TrainingRun
from ui.training.work import Survey, survey_work

MANY = 24
"""So many classes are chosen one by one; more would fill the page."""

_LAYOUT = """\
flowers/
    daisy/   1.jpg  2.jpg  3.jpg …
    rose/    any name.jpg …
    tulip/   …"""


def show(busy: TrainingRun | None, taken: tuple[str, ...], on_start: Callable[[Form], None]) -> None:
    """The form: pictures on the left, network on the right."""
    with st.container(key="cam_head"):
        st.header("Train a network on pictures of your own", anchor=False)
    st.caption(
        "It learns to tell your classes apart, and ends in global average pooling and one layer, so that its class "
        "activation map is exact. When it is done, it is among the backbones of every page."
    )
    left, right = st.columns(2, gap="large")
    with left:
        status, classes = _pictures()
    with right:
        _network(status, classes, busy, taken, on_start)


def _pictures() -> tuple[Status[Survey], tuple[str, ...]]:
    st.subheader("Pictures", anchor=False)
    path = folder_box.ask(
        "Folder on this machine" if policy.policy().changes else "Folder",
        key="data",
        own=zip_box.PICTURES,
        placeholder="/home/you/pictures/flowers",
        on_change=_other_folder,
        help="The machine that this app runs on. The folder is only read.",
    )
    if not path:
        st.caption("One folder for each class, named as the class, with its pictures in it:")
        st.code(_LAYOUT, language=None)
        st.caption("Some hundred pictures a class are a good start for a ready backbone, some thousand from scratch.")
        zip_box.show(_other_folder)
        return session.ask("survey", None), ()
    work = survey_work(path)
    status = session.ask("survey", work)

    def draw(now: Status[Survey]) -> None:
        _survey_line(now)
        if (status.value is None) != (now.value is None):
            session.rerun()  # the classes are known

    session.section("survey", work, draw, patience=0.0)
    classes = _classes(status.value) if status.value is not None else ()
    zip_box.show(_other_folder)
    return status, classes


def _classes(survey: Survey) -> tuple[str, ...]:
    """Which classes to learn: all that have enough pictures, until something else is chosen."""
    usable = survey.usable
    enough = [name for name, number in usable.items() if number >= MIN_PER_CLASS]
    if len(usable) > MANY and st.toggle(f"All {len(enough):,} classes", value=True, key="all_classes"):
        return tuple(enough)
    classes = st.multiselect(
        "Classes to tell apart",
        list(usable),
        default=enough if len(usable) <= MANY else [],
        # Another list of classes is another widget: what was chosen from the one says nothing about the other.
        key=f"classes_{hashlib.sha256(repr(list(usable)).encode()).hexdigest()[:8]}",
        persist_state="session",
        format_func=lambda name: f"{one_line(name)} · {usable[name]:,}",
        placeholder="Choose at least two" if usable else "Once the pictures are counted",
        disabled=not usable,
    )
    few = [name for name in usable if name not in (*enough, *classes)]
    if few:
        listed = f"{', '.join(few[:8])}{' …' * (len(few) > 8)}"
        st.caption(words.plain(f"Left out, with fewer than {MIN_PER_CLASS} pictures: {listed}"))
    return tuple(sorted(classes))


def _survey_line(status: Status[Survey]) -> None:
    """The progress of reading the folder."""
    survey = status.value
    place = st.container(key="cam_survey")
    if status.failure is not None:
        with place:
            errors.panel(status.failure, "This folder cannot be used")
        return
    if survey is None:
        place.progress(0.0, "Counting the pictures")
        return
    text = f"{counted(len(survey.counts), 'class')}, {counted(survey.total, 'picture')}"
    if status.busy:
        share = survey.checked / max(survey.total, 1)
        place.progress(share, f"{text}. Opened {survey.checked:,} to see if all are whole")
        return
    place.markdown(f":material/check_circle: **{text}.** {_left_out(survey)}")
    if survey.damaged:
        with place.expander(f"{counted(len(survey.damaged), 'file')} cannot be opened"):
            for skipped in survey.damaged[:50]:
                st.caption(words.plain(f"{skipped.file.parent.name}/{skipped.file.name}: {skipped.reason}"))


def _left_out(survey: Survey) -> str:
    parts = []
    if survey.damaged:
        parts.append(f"{counted(len(survey.damaged), 'damaged file')} will be left out.")
    if survey.others:
        parts.append(f"{counted(survey.others, 'other file')} will be left out: no pictures.")
    return " ".join(parts) or "Every one can be opened."


def _other_folder() -> None:
    st.session_state["train_failure"] = None


def _network(
    status: Status[Survey],
    classes: tuple[str, ...],
    busy: TrainingRun | None,
    taken: tuple[str, ...],
    on_start: Callable[[Form], None],
) -> None:
    state = st.session_state
    st.subheader("Network", anchor=False)
    everything = policy.policy().changes  # else what is not on the server stays there
    rows = {row.name: row for row in backbones() if everything or row.weights_state == "on disk"}
    if state.get("backbone") not in (SCRATCH, *rows):
        state["backbone"] = usual_backbone()
    backbone = st.selectbox(
        "Start from",
        [SCRATCH, *rows],
        key="backbone",
        persist_state="session",
        format_func=lambda name: (
            "None: a compact network from scratch" if name == SCRATCH else f"{name} · {rows[name].weights_state}"
        ),
        filter_mode="contains",
    )
    st.container(key="cam_start_about").caption(_about(rows.get(backbone)))
    values = _numbers(rows.get(backbone))
    path = (state["data"] or "").strip()
    suggestion = training_form.suggested_name(path, backbone, taken)
    name = st.text_input(
        "Name of the network", key="name", persist_state="session", placeholder=suggestion or "flowers", max_chars=60
    ).strip()
    data = str(root_of(path)) if path else ""
    form = Form(data, name or suggestion, classes, backbone, **values)
    survey = status.value
    usable = survey.usable if survey is not None else {}
    problem = training_form.problem(form, usable, taken) if survey is not None or not data else ""
    if busy is not None:
        problem = f"“{busy.name}” is training. One at a time, as two would slow each other down: wait, or stop it."
    ready = problem is None and status.failure is None
    st.button("Start training", type="primary", key="start", disabled=not ready, on_click=on_start, args=(form,))
    _start_note(form, problem, status, ready)


class _Number(NamedTuple):
    """A number to type: its key, name and range, the value that is meant where nothing is typed, and its meaning."""

    key: str
    label: str
    range: tuple[int, int]
    usual: object
    about: str


_EPOCHS = "Passes over all pictures. A new head ends by itself once it learns no more."
_SIZE = "The side of the square that the network sees."
_SEED = "The same seed, pictures and choices give the same network."
_FINE_TUNE = "How many of the backbone's last blocks learn too, after the new head has. 0: the backbone stays as it is."


def _numbers(row: Backbone | None) -> dict[str, int | None]:
    """Epochs, size, seed and blocks to fine-tune; None where nothing is typed, as the shown usual value is meant."""
    from camcore.training.surgery import HeadRecipe

    recipe = Recipe()
    epochs = recipe.epochs if row is None else f"to {HeadRecipe().epochs}"
    size = recipe.size if row is None else row.input_size[0]
    numbers = (
        _Number("epochs", "Epochs", training_form.EPOCHS, epochs, _EPOCHS),
        _Number("size", "Input, px", training_form.SIZES, size, _SIZE),
        _Number("seed", "Seed", training_form.SEEDS, 0, _SEED),
        _Number("fine_tune", "Fine-tune", training_form.FINE_TUNE, 0, _FINE_TUNE),
    )
    return {
        one.key: column.number_input(
            one.label,
            *one.range,
            value=None,
            step=1,
            key=one.key,
            persist_state="session",
            placeholder=str(one.usual),
            help=one.about,
            disabled=one.key == "fine_tune" and row is None,
        )
        for column, one in zip(st.columns(4, gap="small"), numbers, strict=True)
    }


def _start_note(form: Form, problem: str | None, status: Status[Survey], ready: bool) -> None:
    failure = st.session_state.get("train_failure")
    if failure is not None:
        errors.panel(failure, "It did not start")
    folder = runs.home() / (form.name or "…")
    if ready and policy.policy().public:
        st.caption(
            f"It runs on this server for at most {TRAINING_SECONDS // 60} minutes, and is yours alone. It ends, and "
            "its network goes, when you leave."
        )
    elif ready:
        st.caption(
            words.plain(f"It runs by itself on this machine, also when you close this page, and is kept in {folder}.")
        )
        with st.expander("The same in a terminal"):
            st.code(training_form.command_line(form.arguments(), folder), language="bash", wrap_lines=True)
    elif problem:
        st.caption(words.plain(problem))
    elif status.failure is None:
        st.caption("Once the pictures are counted.")


def _about(row: Backbone | None) -> str:
    if row is None:
        return (
            "A small residual network that learns everything from your pictures alone. That takes thousands of them, "
            "and a while: minutes for a thousand, an hour or more for ten thousand."
        )
    size = words.megabytes(row.download_mb)
    fetch = "" if row.weights_state == "on disk" else f" Its weights are fetched first: {size}."
    return (
        f"{words.plain(row.name)} knows ImageNet’s pictures already. It stays as it is and a new head learns your "
        f"classes: a minute or so, and good with some hundred pictures.{fetch}"
    )


def usual_backbone() -> str:
    """A small ready backbone where its weights are here, else none."""
    return "MobileNetV2" if find_weights("MobileNetV2") else SCRATCH
