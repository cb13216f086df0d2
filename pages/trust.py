"""Trust: whether to believe a map, what if a part of the picture were not there, and whether it falls on the object."""

from functools import partial

import streamlit as st

from ui.page import page

with page("Trust", style="trust") as p:
    from ui.query import Question

    from ui import asking, map_view, model_picker, pursuit_view, query_form, rasters, sidebar, words
    from ui.trust import evidence_view, locating_view, view, what_if_view

    def stop() -> None:
        asking.stop()
        model_picker.withdraw(model)

    state = st.session_state
    p.address(view.parameters())
    chosen, model = sidebar.show(also=" or mask")
    with p.offer:
        model_picker.offer_download(model)

    what_if_view.settle(chosen)
    head = st.container(key="cam_head")
    row = st.container(key="cam_trust_row", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    progress = row.container(key="cam_trust_progress")
    button = row.container(key="cam_trust_button", width="content")
    left, right = st.columns((1.0, 1.3), gap="medium")
    picture = left.container(key="cam_picture", gap="xsmall")
    foot = left.container(key="cam_caption", gap="xsmall")
    caption, warning = foot.container(), foot.container()
    choices = left.container(key="cam_choices", gap="small")
    verdict = right.container(key="cam_trust", gap="small")
    evidence, what_if, where = (st.container(key=f"cam_{name}") for name in ("evidence", "what_if", "where"))

    query_form.settle(engine().peek(model.key))
    question = Question(
        model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"]
    )
    pursuit = asking.pursue(engine(), question, chosen.picture, allowed=model.fetch is None)
    answer, network = pursuit.answer, pursuit.asked.network or pursuit.answer.network

    with p.section("The picture"):
        map_view.photograph(picture, chosen, answer, rasters.MapLook(), "compare", pursuit.busy, on_pick=None)
        map_view.caption(caption, warning, answer)
    with p.section("The choices"):
        query_form.show(choices, network, answer, question)
    quick = None
    with p.section("The verdict"):
        quick = view.verdict(head, verdict, pursuit, chosen, model)
    with p.section("The evidence", evidence):
        evidence_view.show(pursuit, chosen, quick)
    with p.section("The question what if", what_if):
        what_if_view.show(pursuit, chosen)
    with p.section("The place of the map", where):
        locating_view.show(pursuit, chosen, model)

    bar = pursuit_view.status(progress, button, pursuit, model.fetching, lambda: asking.start(question), stop)
    pursuit_view.retry(p.retry, pursuit, asking.retry)
    p.notify(failure=pursuit.failure)
    if pursuit.busy and (job := pursuit.job) is not None:
        watch = partial(asking.follow, engine(), job, pursuit.asked)
        p.follow = lambda: watch(lambda running: bar.progress(*words.under_way(running.stage)))
