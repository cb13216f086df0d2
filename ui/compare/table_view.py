"""The differences table: what each method costs here, where it may look, how its map came out, and its character."""

import html
from collections.abc import Sequence

import streamlit as st

import camcore
from camcore.metrics.differences import Difference, as_csv, as_markdown, differences
from camcore.text import decimal
from ui import downloads, errors, methods, words
from ui.compare.comparison import RANKS, GridPlan
from ui.compare.work import CostQuery, CostTable, cost_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.map_cache import map_cache
from ui.network_summary import known_summary
from ui.networks import networks
from ui.picture_box import Chosen

SECTION = "differences"
ALWAYS = ("gradcam", "gradcam++", "scorecam", "fasterscorecam")
_HEADS = (
    ("Method", ""),
    ("Time", "from the prepared picture to the map, with everything compiled"),
    ("Passes", "the work done, in forward passes of one picture"),
    ("Memory", "how far the memory in use rose meanwhile"),
    ("Layers", "where it may look"),
    ("Own map per class", "whether another class has another map"),
    ("Peaked", "0: spread evenly, 1: all on one cell (Gini coefficient)"),
    ("Like Score-CAM", "rank correlation with Score-CAM’s map"),
)


def show(plan: GridPlan, chosen: Chosen, busy: bool) -> None:
    """The whole section. ``busy``: the grid is still filling, so that a measurement would be disturbed."""
    st.caption(
        "Measured now, on this machine with your picture, each method by itself. The maps above share their passes, so "
        "one more method costs less there."
    )
    state = st.session_state
    wanted = list(dict.fromkeys((*ALWAYS, *map(methods.key_of, plan.methods))))
    if state.get("measured_for") != plan.methods:
        state["measured_for"], state["measured"] = plan.methods, wanted
    summary = known_summary(plan.lead)
    defined = methods.keys(summary.refusals if summary is not None else ())
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    chosen_methods = row.multiselect(
        "Methods to measure",
        [*defined, *(key for key in state["measured"] if key not in defined)],
        key="measured",
        format_func=methods.title,
        persist_state="session",
    )
    query = CostQuery(
        plan.lead,
        plan.picture,
        plan.framing,
        tuple(chosen_methods),
        plan.layers[0] if "layers" not in (plan.columns, plan.rows) else None,
        plan.classes[0] if "classes" not in (plan.columns, plan.rows) else RANKS[0],
    )

    def press() -> None:
        session.press(SECTION, query)

    pressed = session.pressed(SECTION) == query
    row.button(
        "Measure",
        key="measure_them",
        type="primary" if chosen_methods else "secondary",
        disabled=not chosen_methods or busy or pressed or plan.lead in plan.held,
        on_click=press,
        help="Once the grid is filled: at the same time both would take longer." if busy else _price(query),
    )
    work = cost_work(query, chosen.picture) if pressed else None
    session.section(SECTION, work, lambda status: _section(status, chosen))


def _price(query: CostQuery) -> str | None:
    """The price of the measurement, as far as it is known."""
    net = networks().peek(query.network)
    if net is None or not query.methods:
        return None
    passes = 0.0
    for key in query.methods:
        try:
            passes += camcore.estimate(net, [key])
        except camcore.CamcoreError:
            continue
    pace = map_cache().paces.known(query.network)
    return f"{passes:,.0f} passes" if pace is None else words.price(pace.cost(passes))


def _section(status: Status, chosen: Chosen) -> None:
    with errors.guarded("The table"):
        _filled(status, chosen)


def _filled(status: Status, chosen: Chosen) -> None:
    if status.failure is not None:
        errors.panel(status.failure, "The methods could not be measured")
    session.progress(SECTION, status)
    table: CostTable | None = status.value
    if table is None:
        return
    errors.notices(table.left_out)
    rows = differences(table.rows)
    if not rows:
        return
    st.html(_table(rows))
    about = f"“{words.label(table.label)}” at {table.layer}"
    st.caption(words.plain(f"For {about}. An empty field: Score-CAM was not measured, or there is nothing to compare."))
    stem = words.file_stem(chosen.stem, "differences")
    with st.container(horizontal=True, gap="small"):
        for kind, ending, make in (("CSV", "csv", as_csv), ("Markdown", "md", as_markdown)):
            data = make(rows).encode("utf-8")
            downloads.offer(f"{stem}.{ending}", data, key=f"save_table_{ending}", label=f"Table as {kind}")


def _table(rows: Sequence[Difference]) -> str:
    slowest = max(row.seconds for row in rows) or 1.0
    heads = "".join(f'<th scope="col" title="{html.escape(about)}">{html.escape(name)}</th>' for name, about in _HEADS)
    body = "".join(_row(row, slowest) for row in rows)
    table = f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="cam-scroll"><table class="cam-table">{table}</table></div>'


def _row(row: Difference, slowest: float) -> str:
    memory = "" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:,.0f} MB"
    like = "" if row.spearman is None else decimal(row.spearman)
    share = max(0.01, row.seconds / slowest)
    cells = (
        f'<span class="cam-spark" style="--share:{share:.3f}">{words.milliseconds(row.seconds)}</span>',
        f"{row.passes:,.0f}",
        memory,
        html.escape(row.layers),
        "yes" if row.class_specific else "no: one map for all classes",
        f"{row.peakedness:.2f}",
        like,
    )
    figures = "".join(f"<td>{cell}</td>" for cell in cells)
    notes = (("+", "for", row.strengths), ("\N{MINUS SIGN}", "against", row.weaknesses))
    said = "".join(
        f'<p class="cam-{kind}"><span aria-hidden="true">{sign}</span> {html.escape(text)}</p>'
        for sign, kind, text in notes
        if text
    )
    paper, url = html.escape(words.citation(row.paper)), html.escape(row.url, quote=True)
    source = f'<a href="{url}" target="_blank" rel="noopener">{paper}</a>'
    return (
        f'<tr><th scope="row">{html.escape(row.title)}</th>{figures}</tr>'
        f'<tr class="cam-said"><td colspan="{len(_HEADS)}">{said}<p>{source}</p></td></tr>'
    )
