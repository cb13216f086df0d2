"""Inspect: what a network says about a picture, where it looks, and how that forms with depth."""

import streamlit as st

from ui import frame

frame.begin("Inspect")

# The page's title is on its way while the rest is imported.
from ui import (  # noqa: E402
    asking,
    basket,
    cell_view,
    errors,
    model_picker,
    picture_box,
    sidebar,
    snapshots,
    trust_panel,
    urls,
    words,
)
from ui import inspect_view as view  # noqa: E402
from ui.engine import engine  # noqa: E402
from ui.questions import Question  # noqa: E402

state = st.session_state
parameters = view.parameters()
parameters += cell_view.PARAMETERS
urls.adopt(parameters)


def pick_class(index: int | None) -> None:
    state["class"] = index


def pick_layer(path: str | None) -> None:
    state["layer"] = path


def stop() -> None:
    asking.stop()
    model_picker.withdraw(model)


chosen, model = sidebar.show()

places = view.claim()
look, mode = view.look(places.controls, places.colours)
question = Question(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
view.compare_link(places.compare, chosen, question)
pursuit = asking.pursue(engine(), question, chosen.picture, allowed=model.fetch is None)
answer, network = pursuit.answer, pursuit.asked.network or pursuit.answer.network

with errors.guarded("The prediction"):
    view.head(places.head, answer, model.key.name, model.fetch is not None, pursuit.failure is not None)
    view.chips(places.chips, answer, pick_class)
    view.bars(places.scores, answer, pick_class)
with errors.guarded("The picture"):
    view.photograph(places.picture, chosen, answer, look, mode, pursuit.busy, cell_view.picker())
    view.ladder(places.ladder, chosen, answer, look, pick_layer)
with errors.guarded("The choices"):
    view.choices(places.choices, network, answer, question, pick_class, pick_layer)
with errors.guarded("The caption"):
    view.caption(places, answer)
    view.files(places.export, chosen, answer, look)
    basket.offer(places.export, snapshots.of_answer(chosen, answer, look))
    view.more(places.more, network)
trust_panel.show(places.trust, pursuit, chosen)
cell_view.show(chosen, answer)

bar = view.status(places, pursuit, model.fetching, lambda: asking.start(question), stop)
view.notes(places, pursuit, urls.notices().values(), asking.retry)
with places.fetch:
    model_picker.offer_download(model)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
if pursuit.job is not None and pursuit.busy:
    asking.follow(engine(), pursuit.job, pursuit.asked, lambda job: bar.progress(*words.under_way(job.stage)))
