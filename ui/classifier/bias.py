"""The bias study beside a network: would a shortcut that it learned be noticed in its maps?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from camcore.bias.files import StoredStudy, read_study
from camcore.errors import CamcoreError
from camcore.models.catalogue import backbones
from camcore.models.saved import SavedNetwork
from camcore.render import charts
from camcore.render.encode import to_data_url
from ui import downloads, errors, figures, policy, words
from ui.classifier import bias_court
from ui.classifier.work import beside
from ui.figures import Figure
from ui.query import Failure

if TYPE_CHECKING:
    from camcore.bias.study import Study

STUDY_COMMAND = "python -m camcore bias study PICTURES --backbone {backbone} --out {folder}/bias"
"""PICTURES: a folder with a folder of pictures for each class."""
SAMPLES = 3
_HEAD_NAMES = {
    "clean": "clean\nno marks",
    "planted": "planted\nevery {} marked",
    "mended": "mended\nmarks on both",
}
Series = dict[str, list[tuple[float, float, float]]]
"""For each name in the legend (value, low, high) of each head."""


def show(saved: SavedNetwork) -> None:
    """The study that lies beside the network, or the command that makes one."""
    try:
        report = beside(saved, "bias/study.json", lambda path: read_study(path.parent))
    except CamcoreError as error:
        errors.panel(Failure.of(error), "The bias study cannot be shown")
        return
    if report is None:
        _missing(saved)
        return
    _study(saved, report)


def _missing(saved: SavedNetwork) -> None:
    st.markdown(
        "That has not been tried with pictures of its classes. An **audit** looks for shortcuts of this network itself."
    )
    backbone = backbone_of(saved)
    if not policy.policy().changes or backbone is None:
        return
    with st.expander("Plant one on purpose"):
        classes = words.plain(", ".join(saved.labels[:6]) + (" …" if len(saved.labels) > 6 else ""))
        st.markdown(
            f"This command trains three heads on {words.plain(backbone)}, one of them on pictures with a planted mark, "
            f"and shows whether its maps give that away and an audit finds it. PICTURES holds a folder for each class "
            f"({classes})."
        )
        folder = shlex.quote(str(saved.folder))
        st.code(STUDY_COMMAND.format(backbone=shlex.quote(backbone), folder=folder), language="bash", wrap_lines=True)


def backbone_of(saved: SavedNetwork) -> str | None:
    """The backbone of the catalogue that a saved network stands on; None for one that was trained from nothing."""
    trunk = saved.architecture.get("backbone")
    name = trunk.get("backbone") if isinstance(trunk, dict) else trunk
    return name if isinstance(name, str) and any(row.name == name for row in backbones()) else None


def _study(saved: SavedNetwork, report: StoredStudy) -> None:
    study = report.study
    label = words.label(study.classes[study.marked])
    names = [_HEAD_NAMES.get(head.name, head.name).format(label) for head in study.heads]
    trials = {"without": "no marks", "with": f"{label}s marked", "swapped": "the others marked"}
    right: Series = {
        text: [(head.accuracy[key].value, head.accuracy[key].low, head.accuracy[key].high) for head in study.heads]
        for key, text in trials.items()
    }
    energy: Series = {
        text: [(head.energy[key].value, head.energy[key].low, head.energy[key].high) for head in study.heads]
        for key, text in (("without", "without the mark"), ("with", "with the mark"))
    }
    area = study.heads[0].energy["with"].area if study.heads else 0.0
    if {head.name for head in study.heads} >= set(_HEAD_NAMES):
        # A figure and its sign stay on one line.
        st.markdown(words.together(_conclusion(study, label, area)))
    left, rest = st.columns(2, gap="medium")
    with left:
        bars = charts.grouped_bars(names, right, title="Right, by where the mark is", axis="pictures right")
        figures.chart(bars, key="chart_bias_right", alt=_in_words(names, right))
    with rest:
        bars = charts.grouped_bars(
            names,
            energy,
            title=f"Energy of the {label} map on the mark’s place",
            axis="share of the energy",
            level=(area, "its share of the area"),
        )
        figures.chart(bars, key="chart_bias_energy", alt=_in_words(names, energy))
    _samples(report, label)
    bias_court.show(study, saved, trials)
    csv_file = report.folder / "energies.csv"
    downloads.offer(
        "bias_energies.csv",
        lambda: csv_file.read_bytes(),
        "The energy on the mark's place, picture by picture",
        key="save_bias_csv",
        ready=csv_file.is_file(),
    )


def _conclusion(study: Study, label: str, area: float) -> str:
    by_name = {head.name: head for head in study.heads}
    planted, mended = by_name["planted"], by_name["mended"]
    return (
        f"Three networks were trained on the same {study.training:,} pictures. In one training every "
        f"{words.plain(label)} carried a striped mark in a corner, a shortcut. On marked test pictures that "
        f"network looks fine ({words.percent(planted.accuracy['with'].value)} right); put the mark on the others "
        "instead, and it falls to "
        f"**{words.percent(planted.accuracy['swapped'].value)}**. Its maps had given it away: "
        f"**{words.percent(planted.energy['with'].value)}** of their energy lies on the mark, which covers "
        f"{words.percent(area)} of the picture. Trained with marks on both classes alike, the mended network has "
        f"{words.percent(mended.energy['with'].value)} there, and with the marks swapped it is right on "
        f"{words.percent(mended.accuracy['swapped'].value)}."
    )


def _samples(report: StoredStudy, label: str) -> None:
    shown, ratio = [], 1.0
    for one in [sample for sample in report.samples if sample.cue][:SAMPLES]:
        path = report.folder / one.file
        if path.parent == report.folder and path.is_file():
            note = (
                f"says {words.label(one.said)}; {words.percent(one.energy)} of the evidence for {label} is on the mark"
            )
            with Image.open(path) as drawn:  # its caption is part of the picture
                ratio = drawn.width / drawn.height
            shown.append(Figure(one.head, "", to_data_url(path.read_bytes()), f"{one.head}: {note}"))
    if shown:
        figures.row(shown, ratio=ratio, columns=SAMPLES, tallest=48)


def _in_words(names: list[str], series: Series) -> str:
    return "; ".join(
        f"{', '.join(name.splitlines())}: "
        + ", ".join(f"{text} {words.percent(values[i][0])}" for text, values in series.items())
        for i, name in enumerate(names)
    )
