"""Where the network looks on average, how it learned, how its attention formed, and whether it learned a shortcut."""

from typing import Any

import numpy as np
import streamlit as st
from camcore.files import to_csv
from PIL import Image

import camcore
from camcore.bias.files import StoredStudy, read_study
from camcore.errors import CamcoreError
from camcore.evaluation.average_maps import Averages, GroupMean, read_averages
from camcore.features.checkpoints import EpochEvidence
from camcore.heatmaps.evidence import common_scale
from camcore.models.saved import SavedNetwork
from camcore.render import charts
from camcore.render.curves import training_curves
from camcore.render.encode import to_data_url, to_png, with_caption
from camcore.training import runs
from ui import downloads, errors, figures, signed, words
from ui.classifier.work import THUMB_SIDE, FolderResults, PictureEvidence, averages_work, beside, checkpoints_work
from ui.figures import CHART, Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import Chosen
from ui.query import Failure

STAGES = 7
"""So many stages stand in a row."""
STUDY_COMMAND = "python -m camcore bias study PICTURES/train PICTURES/test --out models/cats_vs_dogs/bias"


# ---- on average


def averages(saved: SavedNetwork, evaluated: FolderResults) -> None:
    """The mean maps, as they lie beside the network or computed for the folder when asked."""
    p = evaluated.predictions
    if evaluated.root is None:
        try:
            found = beside(saved, "average_maps.json", read_averages)
        except CamcoreError as error:
            errors.panel(Failure.of(error), "The average maps cannot be shown")
            return
        if found is None:
            st.caption("There are no average maps beside this network. Give a folder of test pictures to compute them.")
            return
        _means(found, p.classes, saved)
        return
    work = averages_work(saved, evaluated)
    wanted = st.session_state.setdefault("averages_wanted", set())
    if work not in wanted:
        many = len(p)
        time = f", {words.duration(2 * evaluated.seconds)}" if evaluated.seconds else ""
        st.button(f"Average the maps of all {many:,} pictures{time}", key="average", on_click=wanted.add, args=(work,))
        return

    def draw(standing: Status) -> None:
        session.progress("average", standing)
        if standing.failure is not None:
            errors.panel(standing.failure, "The maps could not be averaged")
        if standing.value is not None:
            _means(standing.value, p.classes, saved)

    session.section("average", work, draw)


def _means(found: Averages, classes: tuple[str, ...], saved: SavedNetwork) -> None:
    groups = [group for group in found.groups if group.label < len(classes)][:8]
    scale = max((float(np.abs(group.evidence).max(initial=0)) for group in groups), default=0.0) or 1.0
    shown = [
        Figure(
            _group(group, classes),
            f"{group.count:,} picture{'s' * (group.count != 1)}",
            signed.grid_url(group.evidence, scale) if group.count else None,
            f"Average map of {_group(group, classes)}: {_where(group.evidence)}" if group.count else "",
        )
        for group in groups
    ]
    if not shown:
        return
    height, width = groups[0].evidence.shape
    figures.row(shown, ratio=width / height, columns=min(4, len(shown)), tallest=30)
    figures.colour_bar(f"\N{MINUS SIGN}{scale:.2f} against what it said", f"+{scale:.2f} for it")
    what = "Evidence" if found.method == "cam" else camcore.METHODS[found.method].title
    st.caption(
        words.plain(
            f"{what} for the class that was said, averaged over the pictures as the network sees them, on the "
            f"{height}×{width} grid of {found.layer}. All on one scale."
        )
    )
    stem = words.file_stem(saved.name, "average_maps")
    with st.container(horizontal=True, gap="small"):
        downloads.offer(f"{stem}.png", lambda: _means_png(groups, classes, scale, saved), key="save_average_png")
        downloads.offer(f"{stem}.csv", lambda: _means_csv(groups, classes), key="save_average_csv")


def _group(group: GroupMean, classes: tuple[str, ...]) -> str:
    label = words.label(classes[group.label])
    if len(classes) == 2:
        said = label if group.correct else words.label(classes[1 - group.label])
        return f"{label} called {said}"
    return f"{label}, {'right' if group.correct else 'wrong'}"


def _where(values: Any) -> str:
    """Where a map is largest, in words."""
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    vertical = ("upper", "middle", "lower")[min(2, 3 * int(row) // values.shape[0])]
    horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // values.shape[1])]
    return f"strongest in the {vertical} {horizontal}"


def _means_png(groups: list[GroupMean], classes: tuple[str, ...], scale: float, saved: SavedNetwork) -> bytes:
    panes = []
    for group in groups:
        pane = signed.grid_picture(group.evidence, scale)
        pane = with_caption(pane, [f"{_group(group, classes)}", f"{group.count} pictures"])
        panes += [pane, np.full((pane.shape[0], 12, 3), 255, np.uint8)]
    tallest = max(pane.shape[0] for pane in panes)
    padded = [np.pad(p, ((0, tallest - p.shape[0]), (0, 0), (0, 0)), constant_values=255) for p in panes[:-1]]
    line = f"{saved.name}: average evidence, blue -{scale:.2f} to red +{scale:.2f}"
    return to_png(with_caption(np.hstack(padded), [line]))


def _means_csv(groups: list[GroupMean], classes: tuple[str, ...]) -> bytes:
    columns = (f"column {j}" for j in range(groups[0].evidence.shape[1]))
    rows = (
        [classes[group.label], int(group.correct), group.count, i, *(f"{v:.6g}" for v in row)]
        for group in groups
        for i, row in enumerate(group.evidence.tolist())
    )
    return to_csv([["class", "right", "pictures", "row", *columns], *rows])


# ---- learning


def curves(saved: SavedNetwork) -> None:
    """The training log."""
    log = runs.read_log(saved.folder)
    if not log:
        st.caption(f"There is no training log beside this network (log.csv in {words.plain(str(saved.folder))}).")
        return
    last, best = log[-1], max(log, key=lambda line: line.val_accuracy)
    minutes = words.duration(sum(line.seconds for line in log)).removeprefix("about ")
    st.markdown(
        f"{last.epoch} times over the training pictures, {minutes} in all. On pictures it did not learn from it was "
        f"right for {words.percent(log[0].val_accuracy)} after the first time and for "
        f"{words.percent(best.val_accuracy)} at its best."
    )
    figure = training_curves(
        [line.epoch for line in log],
        ([line.loss for line in log], [line.val_loss for line in log]),
        ([line.accuracy for line in log], [line.val_accuracy for line in log]),
        last=last.epoch,
        sizes=[line.size for line in log],
    )
    alt = (
        f"Loss and accuracy for {len(log)} epochs; at the end accuracy {words.percent(last.accuracy)} on training and "
        f"{words.percent(last.val_accuracy)} on validation pictures"
    )
    st.plotly_chart(figure, key="chart_learning", height=figure.layout.height, config=CHART, alt=alt)
    downloads.offer(
        f"{words.file_stem(saved.name, 'training')}.csv",
        lambda: (saved.folder / "log.csv").read_bytes(),
        key="save_log_csv",
    )


def attention(saved: SavedNetwork, chosen: Chosen, seen: PictureEvidence | None) -> None:
    """The present picture at each checkpoint."""
    kept = runs.checkpoints(saved.folder)
    if not kept:
        st.caption("No checkpoints of its training are kept beside this network, so how its maps formed is not known.")
        return
    st.markdown(
        "**How attention forms.** The same picture, seen with the weights as they were after each of these epochs."
    )
    if seen is not None and not seen.evidence:
        st.caption("This network's head is not linear, so there is no evidence to follow.")
        return
    work = checkpoints_work(saved, chosen.picture, [seen.said.class_index]) if seen is not None else None

    def draw(standing: Status) -> None:
        stages: tuple[EpochEvidence, ...] = standing.value or ()
        found = [stage.evidence[0] for stage in stages]
        scale = common_scale(found)
        names = [f"epoch {epoch}" for epoch, _ in kept] + ["finished"]
        shown = []
        for place, name in enumerate(names):
            if place >= len(found):
                shown.append(Figure(name, "\N{NO-BREAK SPACE}", None))
                continue
            one = found[place]
            src = signed.overlay_url(
                chosen.picture.rgb,
                chosen.picture.sha256,
                one,
                (saved.sha256, "stage", name),
                scale,
                60,
                side=THUMB_SIDE,
            )
            note = f"{words.label(one.label)} {words.percent(one.probability)}"
            shown.append(Figure(name, note, src, f"Evidence at {name}: {note}, score {one.logit:+.2f}"))
        ratio = chosen.picture.width / chosen.picture.height
        figures.row(shown, ratio=ratio, columns=min(STAGES, max(4, len(shown))), tallest=24)
        if found:
            label = words.label(found[0].label)
            figures.colour_bar(f"\N{MINUS SIGN}{scale:.2f} against {label}", f"+{scale:.2f} for {label}")
        else:
            figures.colour_bar("against", "for")
        if standing.failure is not None:
            errors.panel(standing.failure, "The checkpoints could not be used")
        session.progress("forming", standing)
        _stages_file(saved, chosen, stages)

    session.section("forming", work, draw)


def _stages_file(saved: SavedNetwork, chosen: Chosen, stages: tuple[EpochEvidence, ...]) -> None:
    def table() -> bytes:
        rows: list[list[object]] = [["epoch", "class", "mean of the map", "bias", "logit", "probability"]]
        for stage in stages:
            one = stage.evidence[0]
            numbers = (one.sum - one.bias, one.bias, one.logit, one.probability)
            rows.append([stage.epoch or "finished", one.label, *(repr(float(v)) for v in numbers)])
        return to_csv(rows)

    downloads.offer(
        f"{words.file_stem(chosen.stem, saved.name, 'epochs')}.csv",
        table,
        key="save_stages_csv",
        ready=bool(stages),
    )


# ---- the bias study


def bias(saved: SavedNetwork) -> None:
    """The study that lies beside the network."""
    try:
        report = beside(saved, "bias/study.json", lambda path: read_study(path.parent))
    except CamcoreError as error:
        errors.panel(Failure.of(error), "The bias study cannot be shown")
        return
    if report is None:
        st.markdown("There is no study beside this network yet. This command makes one:")
        st.code(STUDY_COMMAND, language="bash")
        return
    _study(report)


_HEAD_NAMES = {
    "clean": "clean<br>no marks",
    "planted": "planted<br>every {} marked",
    "mended": "mended<br>marks on both",
}


def _study(report: StoredStudy) -> None:
    study = report.study
    label = words.label(study.classes[study.marked])
    names = [_HEAD_NAMES.get(head.name, head.name).format(label) for head in study.heads]
    trials = {"without": "no marks", "with": f"{label}s marked", "swapped": "the others marked"}
    right = {
        text: [(h.accuracy[key].value, h.accuracy[key].low, h.accuracy[key].high) for h in study.heads]
        for key, text in trials.items()
    }
    energy = {
        text: [(h.energy[key].value, h.energy[key].low, h.energy[key].high) for h in study.heads]
        for key, text in (("without", "without the mark"), ("with", "with the mark"))
    }
    area = study.heads[0].energy["with"].area if study.heads else 0.0
    by = {head.name: head for head in study.heads}
    if set(by) >= {"clean", "planted", "mended"}:
        p, m = by["planted"], by["mended"]
        text = (
            f"Three networks learned from the same {study.training:,} pictures. In one lesson every "
            f"{words.plain(label)} carried a striped mark in a corner, a shortcut. On marked test pictures that "
            f"network looks fine ({words.percent(p.accuracy['with'].value)} right); put the mark on the others "
            "instead, and it falls to "
            f"**{words.percent(p.accuracy['swapped'].value)}**. Its maps had given it away: "
            f"**{words.percent(p.energy['with'].value)}** of their energy lies on the mark, which covers "
            f"{words.percent(area)} of the picture. With marks on both classes alike, the mended lesson, it is "
            f"{words.percent(m.energy['with'].value)}, and with the mark swapped it is right for "
            f"{words.percent(m.accuracy['swapped'].value)}."
        )
        st.markdown(text.replace(" %", "\N{NO-BREAK SPACE}%"))  # a figure and its sign stay on one line
    left, rest = st.columns(2, gap="medium")
    first = charts.grouped_bars(names, right, title="Right, by where the mark is", axis="pictures right")
    left.plotly_chart(first, key="chart_bias_right", height=charts.HEIGHT, config=CHART, alt=_bars(names, right))
    second = charts.grouped_bars(
        names,
        energy,
        title=f"Energy of the {label} map on the mark’s place",
        axis="share of the energy",
        level=(area, "its share of the area"),
    )
    rest.plotly_chart(second, key="chart_bias_energy", height=charts.HEIGHT, config=CHART, alt=_bars(names, energy))
    samples = [one for one in report.samples if one.cue][:3]
    shown, ratio = [], 1.0
    for one in samples:
        path = report.folder / one.file
        if path.parent == report.folder and path.is_file():
            note = (
                f"says {words.label(one.said)}; {words.percent(one.energy)} of the evidence for {label} is on the mark"
            )
            with Image.open(path) as drawn:  # its caption is part of the picture
                ratio = drawn.width / drawn.height
            shown.append(Figure(one.head, "", to_data_url(path.read_bytes()), f"{one.head}: {note}"))
    if shown:
        figures.row(shown, ratio=ratio, columns=3, tallest=48)
    csv_file = report.folder / "energies.csv"
    downloads.offer(
        "bias_energies.csv",
        lambda: csv_file.read_bytes(),
        "The energy on the mark's place, picture by picture",
        key="save_bias_csv",
        ready=csv_file.is_file(),
    )


def _bars(names: list[str], series: dict[str, list[tuple[float, float, float]]]) -> str:
    return "; ".join(
        f"{name.replace('<br>', ', ')}: "
        + ", ".join(f"{text} {words.percent(found[i][0])}" for text, found in series.items())
        for i, name in enumerate(names)
    )
