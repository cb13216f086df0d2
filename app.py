"""Inspect: what a network says about a picture, where it looks, and how that forms with depth."""

import streamlit as st

from ui import frame

frame.begin("Inspect")

# The page's title is on its way while the rest is imported.
from ui import (  # noqa: E402
    asking,
    errors,
    map_view,
    model_picker,
    picture_box,
    pursuit_view,
    question_view,
    sidebar,
    urls,
    words,
)
from ui.cell import view as cell_view  # noqa: E402
from ui.engine import engine  # noqa: E402
from ui.inspect import answers, export, view  # noqa: E402
from ui.questions import Question  # noqa: E402
from ui.report import basket, snapshots  # noqa: E402
from ui.trust import panel as trust_panel  # noqa: E402

state = st.session_state
parameters = view.parameters()
parameters += cell_view.PARAMETERS
urls.adopt(parameters)


def stop() -> None:
    asking.stop()
    model_picker.withdraw(model)


chosen, model = sidebar.show()

places = view.claim()
look, mode = view.look(places.controls, places.colours)
question_view.settle(engine().peek(model.key))
question = Question(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
export.compare_link(places.compare, chosen, question)
pursuit = asking.pursue(engine(), question, chosen.picture, allowed=model.fetch is None)
answer, network = pursuit.answer, pursuit.asked.network or pursuit.answer.network

with errors.guarded("The prediction"):
    answers.head(places.head, answer, model.key.name, model.fetch is not None, pursuit.failure is not None)
    answers.chips(places.chips, answer)
    answers.bars(places.scores, answer)
with errors.guarded("The picture"):
    map_view.photograph(places.picture, chosen, answer, look, mode, pursuit.busy, cell_view.picker())
    map_view.ladder(places.ladder, chosen, answer, look)
with errors.guarded("The choices"):
    question_view.show(places.choices, network, answer, question)
with errors.guarded("The caption"):
    map_view.caption(places.caption, places.warning, answer)
    export.files(places.export, chosen, answer, look)
    basket.offer(places.export, snapshots.of_answer(chosen, answer, look))
    question_view.about(places.more, network)
trust_panel.show(places.trust, pursuit, chosen)
cell_view.show(chosen, answer)

bar = pursuit_view.status(places, pursuit, model.fetching, lambda: asking.start(question), stop)
pursuit_view.notes(places, pursuit, urls.notices().values(), asking.retry)
with places.fetch:
    model_picker.offer_download(model)

urls.publish(parameters, left_out=picture_box.unnamed(chosen))
if pursuit.job is not None and pursuit.busy:
    asking.follow(engine(), pursuit.job, pursuit.asked, lambda job: bar.progress(*words.under_way(job.stage)))
