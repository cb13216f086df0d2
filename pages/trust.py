"""Trust: whether to believe a map, what if a part of the picture were not there, and whether it falls on the object."""

import streamlit as st

from ui import frame

frame.begin("Trust")

# The page's title is on its way while the rest is imported.
from ui.query import Question  # noqa: E402

from ui import (  # noqa: E402  # noqa: E402
    asking,
    errors,
    map_view,
    model_picker,
    page_style,
    picture_box,
    pursuit_view,
    query_form,
    rasters,
    sidebar,
    urls,
    words,
)
from ui.networks import start  # noqa: E402
from ui.trust import evidence_view as evidence  # noqa: E402
from ui.trust import locating_view as where  # noqa: E402
from ui.trust import view  # noqa: E402
from ui.trust import what_if_view as what_if  # noqa: E402

page_style.add("trust")
state = st.session_state
parameters = view.parameters()
urls.adopt(parameters)


def stop() -> None:
    asking.stop()
    model_picker.withdraw(model)


chosen, model = sidebar.show(also=" or mask")

what_if.settle(chosen)
places = view.claim()
query_form.settle(engine().peek(model.key))
question = Question(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
pursuit = asking.pursue(engine(), question, chosen.picture, allowed=model.fetch is None)
answer, network = pursuit.answer, pursuit.asked.network or pursuit.answer.network

with errors.guarded("The picture"):
    map_view.photograph(places.picture, chosen, answer, rasters.MapLook(), "compare", pursuit.busy, on_pick=None)
    map_view.caption(places.caption, places.warning, answer)
with errors.guarded("The choices"):
    query_form.show(places.choices, network, answer, question)
quick = None
with errors.guarded("The verdict"):
    quick = view.verdict(places, pursuit, chosen, model)
with places.evidence, errors.guarded("The evidence"):
    evidence.show(pursuit, chosen, quick)
with places.what_if, errors.guarded("The question what if"):
    what_if.show(pursuit, chosen)
with places.where, errors.guarded("The place of the map"):
    where.show(pursuit, chosen, model)

bar = pursuit_view.status(places, pursuit, model.fetching, lambda: asking.start(question), stop)
pursuit_view.notes(places, pursuit, urls.notices().values(), asking.retry)
with places.fetch:
    model_picker.offer_download(model)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
if pursuit.job is not None and pursuit.busy:
    asking.follow(engine(), pursuit.job, pursuit.asked, lambda job: bar.progress(*words.under_way(job.stage)))
start()
