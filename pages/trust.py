"""Trust: whether to believe a map, what if a part of the picture were not there, and whether it falls on the object."""

import streamlit as st

from ui import frame

frame.begin("Trust")

# The page's title is on its way while the rest is imported.

from ui import (  # noqa: E402  # noqa: E402
    errors,
    map_request,
    map_status,
    map_view,
    model_picker,
    page_style,
    picture_box,
    query_form,
    rasters,
    sidebar,
    urls,
)
from ui.networks import networks, start  # noqa: E402
from ui.query import Query  # noqa: E402
from ui.trust import evidence_view as evidence  # noqa: E402
from ui.trust import locating_view as where  # noqa: E402
from ui.trust import view  # noqa: E402
from ui.trust import what_if_view as what_if  # noqa: E402

page_style.add("trust")
state = st.session_state
parameters = view.parameters()
urls.adopt(parameters)


def stop() -> None:
    map_request.stop()
    model_picker.withdraw(model)


chosen, model = sidebar.show(also=" or mask")

what_if.settle(chosen)
places = view.claim()
query_form.settle(networks().peek(model.key))
query = Query(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
request = map_request.ask(query, chosen.picture, allowed=model.fetch is None)
answer, network = request.answer, request.asked.network or request.answer.network

with errors.guarded("The picture"):
    map_view.photograph(places.picture, chosen, answer, rasters.MapLook(), "compare", request.busy, on_pick=None)
    map_view.caption(places.caption, places.warning, answer)
with errors.guarded("The choices"):
    query_form.show(places.choices, network, answer, query)
quick = None
with errors.guarded("The verdict"):
    quick = view.verdict(places.head, places.verdict, request, chosen, model)
with places.evidence, errors.guarded("The evidence"):
    evidence.show(request, chosen, quick)
with places.what_if, errors.guarded("The question what if"):
    what_if.show(request, chosen)
with places.where, errors.guarded("The place of the map"):
    where.show(request, chosen, model)

bar = map_status.show(places.progress, places.button, request, model.fetching, lambda: map_request.run(query), stop)
map_status.retry(places.retry, request, map_request.retry)
with places.notes:
    errors.notices(urls.notices().values(), request.failure)
with places.fetch:
    model_picker.offer_download(model)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
map_request.follow(request, bar)
start()
