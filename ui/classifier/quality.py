"""Quality of the network on the test pictures whose results come with it: figures, charts, and their threshold."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from camcore.errors import CamcoreError
from camcore.evaluation import measures
from camcore.evaluation.average_maps import AVERAGES, read_averages
from camcore.evaluation.predict import Predictions
from camcore.evaluation.record import REPORT, EvaluatedNetwork, read_record, summary
from camcore.evaluation.table import PREDICTIONS, write_csv
from camcore.models.saved import SavedNetwork
from camcore.render.chart_page import chart_page
from camcore.text import counted
from ui import downloads, errors, figures, quality_charts, words
from ui.classifier.work import beside
from ui.quality_charts import Chart, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from camcore.report.document import AuditItem, ReportItem

    Add = Callable[[Hashable, ReportItem], str]
    """Takes an entry for the report, which the key tells from all others; the message to the visitor."""

MEANS = 12
"""The most average maps of an entry."""


def of_other_weights(saved: SavedNetwork) -> bool:
    """Tell whether the results were recorded for other weights than the network has now."""
    recorded = beside(saved, REPORT, read_record)
    return recorded is not None and recorded.is_of(saved) is False


def about(saved: SavedNetwork, p: Predictions) -> str:
    """The pictures of the results, and whether the network learned from them; or that its weights were others."""
    if of_other_weights(saved):
        return (
            f"On {counted(len(p), 'labelled picture')}, by other weights than {saved.name} has now: it was trained "
            "anew or replaced since. Evaluate it again: python -m camcore evaluate."
        )
    if saved.bundled:
        return f"On the {len(p):,} test pictures whose results come with the network; it never learned from them."
    return (
        f"On {counted(len(p), 'labelled picture')}, as python -m camcore evaluate left the results beside the network. "
        "Whether it learned from them is not recorded."
    )


def show(saved: SavedNetwork, p: Predictions, add: Add) -> None:
    """The figures and charts, with their threshold; a fragment of its own."""
    with errors.guarded("The figures"):
        at = quality_charts.threshold(p.classes)
        figures.numbers(quality_charts.numbers(p, at))
        columns = st.columns(2, gap="medium")
        for place, chart in enumerate(chart_list(p, at)):
            with columns[place % 2]:
                figures.chart(chart.make(), key=f"chart_{chart.key}", alt=chart.alt)
        _take_away(saved, p, at, add)


def chart_list(p: Predictions, at: float) -> list[Chart]:
    """The charts of these predictions, two by two."""
    made = (quality_charts.scores, quality_charts.confusion, quality_charts.roc, quality_charts.reliability)
    return [chart for make in made if (chart := make(p, at)) is not None]


def _take_away(saved: SavedNetwork, p: Predictions, at: float, add: Add) -> None:
    files = (
        ("csv", partial(predictions_csv, p), "Every picture with its label and the probabilities given"),
        ("json", partial(figures_json, saved, p, at), "The figures above at this threshold"),
        ("html", partial(report, saved, p, at), "The charts as one page that needs no network"),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        downloads.offer_all(words.file_stem(saved.name, "quality"), files, key="save_quality")
        st.button(
            "Add to report",
            key="quality_to_report",
            icon=":material/bookmark_add:",
            on_click=_add,
            args=(saved, p, at, add),
            help="Adds these figures, at this threshold, and the average maps to the Report page",
        )
        st.page_link(
            "pages/decision.py", label="May we use it?", icon=":material/gavel:", query_params={"model": saved.name}
        )


def _add(saved: SavedNetwork, p: Predictions, at: float, add: Add) -> None:
    st.toast(add(("evaluation", saved.version, p, at), entry(saved, p, at)), icon=":material/bookmark_added:")


def entry(saved: SavedNetwork, p: Predictions, at: float) -> AuditItem:
    """The results at this threshold as an entry of a report."""
    from camcore.audits.averages import means_of
    from camcore.audits.report_sections import mean_print
    from camcore.report.evaluation import Evaluated, evaluation_item

    facts = (
        ("Network", f"{saved.name}, input {words.grid(saved.input_size)}, {len(saved.labels):,} classes"),
        ("Trained on", saved.summary or "not recorded"),
        *_hashes(saved),
        ("Framing", saved.framing),
    )
    try:
        stored = beside(saved, AVERAGES, read_averages)
    except CamcoreError:  # the section of average maps says so
        stored = None
    drawn = () if stored is None else tuple(map(mean_print, means_of(stored, saved.labels)))
    files = {PREDICTIONS: predictions_csv(p), "figures.json": figures_json(saved, p, at)}
    return evaluation_item(Evaluated(saved.name, p, at, about(saved, p), facts, drawn[:MEANS], files))


def _hashes(saved: SavedNetwork) -> Iterator[tuple[str, str]]:
    """The recorded hashes of the weights that the results are of; where there are none, that of the network's file."""
    recorded = beside(saved, REPORT, read_record)
    if recorded is not None and recorded.weights_sha256:
        yield "SHA-256 over the weights", recorded.weights_sha256
    file = saved.sha256 if recorded is None or recorded.is_of(saved) is None else recorded.file_sha256
    if file:
        yield "SHA-256 of the weights’ file", file


def predictions_csv(p: Predictions) -> bytes:
    """The table as camcore writes it."""
    with tempfile.TemporaryDirectory() as folder:
        return write_csv(Path(folder) / PREDICTIONS, p).read_bytes()


def figures_json(saved: SavedNetwork, p: Predictions, at: float) -> bytes:
    """All figures at this threshold, as ``python -m camcore evaluate --json`` prints them."""
    recorded = beside(saved, REPORT, read_record)
    values = summary(recorded or EvaluatedNetwork(saved.name, saved.summary, saved.framing), p, at)
    return json.dumps(values, indent=2, ensure_ascii=False).encode("utf-8")


def report(saved: SavedNetwork, p: Predictions, at: float) -> bytes:
    """The charts as one HTML page that needs no network."""
    right = measures.accuracy(p, at)
    where = f" at the threshold {words.percent(at)}" if len(p.classes) == 2 else ""
    line = f"{words.percent(right.value)} are right{where} ({interval(right)})."
    shown = [(chart.make(), chart.alt) for chart in chart_list(p, at)]
    return chart_page(f"{saved.name} on {len(p):,} pictures", line, shown)
