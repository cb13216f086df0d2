"""Compare: methods, layers, classes, backbones and framings side by side, and how far they agree."""

import streamlit as st

from ui import frame

frame.begin("Compare")

# The page's title is on its way while the rest is imported.
from ui import errors, model_picker, page_style, picture_box, sidebar, urls, words  # noqa: E402
from ui.compare import (  # noqa: E402
    agreeing,
    agreement_view,
    asking,
    choices,
    contrast_view,
    grid,
    table_view,
    trust_view,
    view,
)
from ui.compare.export import Take  # noqa: E402
from ui.report import basket, snapshots  # noqa: E402

page_style.add("compare")
state = st.session_state
parameters = choices.parameters()
urls.adopt(parameters)
choices.settle()


def pin(cell: str) -> None:
    state["pin"] = None if state["pin"] == cell else cell


def open_in_inspect(cell: str) -> None:
    state["open_in_inspect"] = cell


chosen, model = sidebar.show(framings="framings" not in (state["columns"], state["rows"]))

places = view.claim()
known = asking.facts(model.key)
choices.show(places.choices, known, model.framing, model.key.name)
plan, notes = choices.plan(chosen.picture.sha256, model)
pursuit = asking.pursue(plan, chosen.picture, allowed=model.fetch is None)
sheet = pursuit.sheet
if not pursuit.busy and asking.facts(model.key) is not known:  # the choices can now be called by their names
    st.rerun()
target = state.pop("open_in_inspect", None)
if target is not None:
    st.switch_page("app.py", query_params=view.inspect_query(sheet, view.reference(sheet, target), chosen.sample))

reference = view.reference(sheet, state["pin"])
look, differences = view.look(places.look, reference is not None)
with errors.guarded("The headline"):
    failed = pursuit.failure is not None or model.key in sheet.failures
    view.head(places.head, sheet, model.key.name, model.fetch is not None, failed)
together = None
with errors.guarded("The maps"):
    together = agreeing.aligned(sheet, filling=pursuit.busy)
    figures = {} if reference is None or together is None else agreeing.to_reference(together, reference)
    drawn = grid.draw(sheet, look, pursuit.busy, reference if differences else None, figures)
    view.photograph(places.grid, chosen, sheet, drawn, look, state["pin"], differences, pin, open_in_inspect)
    view.caution(places.caution, drawn)
    shown_reference = reference if differences else None
    take = Take(sheet, drawn, look, chosen.picture, chosen.title, shown_reference)
    view.files(places.downloads, take)
    basket.offer(places.downloads, None if pursuit.busy else snapshots.of_take(chosen, take))

bar = view.status(places, pursuit, lambda: asking.run(plan), asking.stop)
view.retry(places.retry, pursuit, asking.again)
with places.notes:
    errors.notices([*urls.notices().values(), *notes], pursuit.failure)
with places.fetch:
    model_picker.offer_download(choices.missing(model) or model)

with errors.guarded("The agreement"), places.agreement:
    agreement_view.show(sheet, together, chosen, look, pursuit.busy)

with errors.guarded("The verdicts"), places.trust:
    trust_view.show(sheet, plan, chosen, pursuit.busy)
with errors.guarded("The contrast"), places.contrast:
    contrast_view.show(sheet, plan, chosen, look)
with errors.guarded("The table"), places.table:
    table_view.show(plan, chosen, pursuit.busy)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
if pursuit.busy:
    asking.follow(pursuit, lambda job: bar.progress(*words.under_way(job.stage)))
