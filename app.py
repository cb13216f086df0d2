"""Inspect: what a network says about a picture, where it looks, and how that forms with depth."""

import streamlit as st

from ui import frame

frame.begin("Inspect")

# The page's title is on its way while the rest is imported.

from ui import (  # noqa: E402
    errors,
    map_request,
    map_status,
    map_view,
    model_picker,
    picture_box,
    query_form,
    sidebar,
    urls,
)
from ui.cell import view as cell_view  # noqa: E402
from ui.inspect import answers, export, view  # noqa: E402
from ui.networks import networks  # noqa: E402
from ui.query import Query  # noqa: E402
from ui.report import basket, snapshots  # noqa: E402
from ui.trust import panel as trust_panel  # noqa: E402

state = st.session_state
parameters = view.parameters()
parameters += cell_view.PARAMETERS
urls.adopt(parameters)


def stop() -> None:
    map_request.stop()
    model_picker.withdraw(model)


chosen, model = sidebar.show()

places = view.claim()
look, mode = view.look(places.controls, places.colours)
query_form.settle(networks().peek(model.key))
query = Query(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
export.compare_link(places.compare, chosen, query)
request = map_request.ask(query, chosen.picture, allowed=model.fetch is None)
answer, network = request.answer, request.asked.network or request.answer.network

with errors.guarded("The prediction"):
    answers.head(places.head, answer, model.key.name, model.fetch is not None, request.failure is not None)
    answers.chips(places.chips, answer)
    answers.bars(places.scores, answer)
with errors.guarded("The picture"):
    map_view.photograph(places.picture, chosen, answer, look, mode, request.busy, cell_view.picker())
    map_view.ladder(places.ladder, chosen, answer, look)
with errors.guarded("The choices"):
    query_form.show(places.choices, network, answer, query)
with errors.guarded("The caption"):
    map_view.caption(places.caption, places.warning, answer)
    export.files(places.export, chosen, answer, look)
    basket.offer(places.export, snapshots.of_answer(chosen, answer, look))
    query_form.about(places.more, network)
trust_panel.show(places.trust, request, chosen)
cell_view.show(chosen, answer)

bar = map_status.show(places.progress, places.button, request, model.fetching, lambda: map_request.run(query), stop)
map_status.retry(places.retry, request, map_request.retry)
with places.notes:
    errors.notices(urls.notices().values(), request.failure)
with places.fetch:
    model_picker.offer_download(model)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
map_request.follow(request, bar)
