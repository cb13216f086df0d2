"""The network's average maps, its training, and the forming of its attention."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import camcore
from camcore.errors import CamcoreError
from camcore.evaluation.average_maps import AVERAGES, Averages, GroupMean, read_averages
from camcore.evaluation.held_out import held_out
from camcore.features.checkpoints import EpochEvidence
from camcore.files import to_csv
from camcore.heatmaps.evidence import common_scale
from camcore.models.saved import SavedNetwork
from camcore.render.colour import DIVERGING
from camcore.render.contact import Bar, ContactPrint, contact_sheet
from camcore.render.encode import to_png
from camcore.text import counted, with_sign
from camcore.training import runs
from ui import downloads, errors, figures, policy, signed, words
from ui.classifier.work import THUMB_SIDE, PictureEvidence, beside, checkpoints_work
from ui.figures import NO_NOTE, Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen
from ui.query import Failure

STAGES = 7
"""So many stages stand in a row."""
MOST_GROUPS = 8
OPACITY = 60


# ---- on average


def averages(saved: SavedNetwork) -> None:
    """The mean maps that lie beside the network."""
    try:
        stored = beside(saved, AVERAGES, read_averages)
    except CamcoreError as error:
        errors.panel(Failure.of(error), "The average maps cannot be shown")
        return
    if stored is None:
        st.caption("There are no average maps beside this network. An audit of test pictures shows them.")
    else:
        _means(stored, saved.labels, saved)


def _means(means: Averages, classes: tuple[str, ...], saved: SavedNetwork) -> None:
    groups = [group for group in means.groups if group.label < len(classes)][:MOST_GROUPS]
    if not groups:
        return
    scale = max(float(np.abs(group.evidence).max(initial=0)) for group in groups) or 1.0
    shown = []
    for group in groups:
        name = _group_name(group, classes)
        url = signed.grid_url(group.evidence, scale) if group.count else None
        alt = f"Average map of {name}: {_strongest_place(group.evidence)}" if group.count else ""
        shown.append(Figure(name, counted(group.count, "picture"), url, alt))
    height, width = groups[0].evidence.shape
    figures.row(shown, ratio=width / height, columns=min(4, len(shown)), tallest=30)
    figures.evidence_bar(f"{scale:.2f}", "against what it said", "for it")
    kind = "Evidence" if means.method == "cam" else camcore.METHODS[means.method].title
    st.caption(
        words.plain(
            f"{kind} for the class that was said, averaged over the pictures as the network sees them, on the "
            f"{height}×{width} grid of {means.layer}. All on one scale."
        )
    )
    stem = words.file_stem(saved.name, "average_maps")
    with st.container(horizontal=True, gap="small"):
        png, csv = partial(_means_png, groups, classes, scale, saved), partial(_means_csv, groups, classes)
        downloads.offer_all(stem, [("png", png, None), ("csv", csv, None)], key="save_average")


def _group_name(group: GroupMean, classes: tuple[str, ...]) -> str:
    label = words.label(classes[group.label])
    if len(classes) == 2:
        answer = label if group.correct else words.label(classes[1 - group.label])
        return f"{label} called {answer}"
    return f"{label}, {'right' if group.correct else 'wrong'}"


def _strongest_place(values: NDArray[np.float64]) -> str:
    """The place where a map is largest, in words."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    vertical = ("upper", "middle", "lower")[min(2, 3 * row // values.shape[0])]
    horizontal = ("left", "centre", "right")[min(2, 3 * column // values.shape[1])]
    return f"strongest in the {vertical} {horizontal}"


def _means_png(groups: list[GroupMean], classes: tuple[str, ...], scale: float, saved: SavedNetwork) -> bytes:
    prints = [
        ContactPrint(signed.grid_picture(one.evidence, scale), _group_name(one, classes), counted(one.count, "picture"))
        for one in groups
    ]
    bar = Bar(DIVERGING, f"-{scale:.2f}", f"+{scale:.2f}")
    return to_png(contact_sheet([("", prints)], bars=[bar], lines=[f"{saved.name}: average evidence"]))


def _means_csv(groups: list[GroupMean], classes: tuple[str, ...]) -> bytes:
    columns = (f"column {j}" for j in range(groups[0].evidence.shape[1]))
    rows = (
        [classes[group.label], int(group.correct), group.count, i, *(f"{value:.6g}" for value in row)]
        for group in groups
        for i, row in enumerate(group.evidence.tolist())
    )
    return to_csv([["class", "right", "pictures", "row", *columns], *rows])


# ---- training


def curves(saved: SavedNetwork) -> None:
    """The training log."""
    log = runs.read_log(saved.folder)
    if not log:
        st.caption(
            f"There is no training log beside this network (log.csv in {words.plain(policy.shown(saved.folder))})."
        )
        return
    last = log[-1]
    minutes = words.duration(sum(line.seconds for line in log)).removeprefix("about ")
    st.markdown(
        words.together(
            f"{counted(last.epoch, 'pass', 'passes')} over the training pictures, {minutes} in all. {_kept(saved)}"
        )
    )
    alt = (
        f"Loss and accuracy for {len(log)} epochs; at the end accuracy {words.percent(last.accuracy)} on training and "
        f"{words.percent(last.val_accuracy)} on validation pictures"
    )
    figures.chart(figures.training_log(log, last=last.epoch), key="chart_learning", alt=alt)
    downloads.offer(
        f"{words.file_stem(saved.name, 'training')}.csv",
        lambda: (saved.folder / "log.csv").read_bytes(),
        key="save_log_csv",
    )


def _kept(saved: SavedNetwork) -> str:
    """The accuracy of the weights that were kept, on the pictures held out."""
    right = held_out(saved.trained, saved.framing)
    if right is None:
        return "How good the weights are that were kept is not recorded."
    return (
        f"The weights that were kept are right on {words.percent(right.value)} of "
        f"{counted(right.n, 'held-out picture')} (95 % interval {words.percent(right.low)} to "
        f"{words.percent(right.high)})."
    )


def attention(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None) -> None:
    """The present picture at each checkpoint."""
    kept = runs.checkpoints(saved.folder)
    if not kept:
        st.caption("No checkpoints of its training are kept beside this network, so how its maps formed is not known.")
        return
    st.markdown("**How its maps form.** The same picture, with the weights as they were after each of these epochs.")
    if seen is not None and not seen.evidence:
        st.caption("This network's head is not linear, so there is no evidence to follow.")
        return
    names = [f"epoch {epoch}" for epoch, _ in kept] + ["finished"]
    work = checkpoints_work(saved, chosen.picture, [seen.said.class_index]) if seen is not None else None

    def draw(status: Status) -> None:
        stages: tuple[EpochEvidence, ...] = status.value or ()
        _stages(saved, chosen, names, stages)
        if status.failure is not None:
            errors.panel(status.failure, "The checkpoints could not be used")
        session.progress("forming", status)
        downloads.offer(
            f"{words.file_stem(chosen.stem, saved.name, 'epochs')}.csv",
            lambda: _stages_csv(stages),
            key="save_stages_csv",
            ready=bool(stages),
        )

    session.section("forming", work, draw)


def _stages(saved: SavedNetwork, chosen: Chosen, names: list[str], stages: tuple[EpochEvidence, ...]) -> None:
    picture, evidence = chosen.picture, [stage.evidence[0] for stage in stages]
    scale = common_scale(evidence)
    shown = []
    for name, one in zip(names, evidence, strict=False):
        key = (saved.sha256, "stage", name)
        src = signed.overlay_url(picture.rgb, picture.sha256, one, key, scale, OPACITY, side=THUMB_SIDE)
        note = f"{words.label(one.label)} {words.percent(one.probability)}"
        shown.append(Figure(name, note, src, f"Evidence at {name}: {note}, score {with_sign(one.logit)}"))
    shown += [Figure(name, NO_NOTE, None) for name in names[len(shown) :]]
    figures.row(shown, ratio=picture.width / picture.height, columns=min(STAGES, max(4, len(shown))), tallest=24)
    if evidence:
        label = words.label(evidence[0].label)
        figures.evidence_bar(f"{scale:.2f}", f"against {label}", f"for {label}")
    else:
        figures.colour_bar("against", "for")


def _stages_csv(stages: tuple[EpochEvidence, ...]) -> bytes:
    rows: list[list[object]] = [["epoch", "class", "mean of the map", "bias", "logit", "probability"]]
    for stage in stages:
        one = stage.evidence[0]
        numbers = (one.sum - one.bias, one.bias, one.logit, one.probability)
        rows.append([stage.epoch or "finished", one.label, *(repr(float(number)) for number in numbers)])
    return to_csv(rows)
