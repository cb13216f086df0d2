"""Trust: whether to believe a map, what if a part of the picture were not there, and whether it falls on the object."""

from functools import partial

import streamlit as st

from ui.page import page

with page("Trust", style="trust") as p:
    from ui import map_request, map_status, map_view, model_picker, query_form, rasters, sidebar
    from ui.networks import networks
    from ui.query import Query
    from ui.trust import evidence_view, locating_view, view, what_if_view

    def stop() -> None:
        map_request.stop()
        model_picker.withdraw(model)

    state = st.session_state
    p.address(view.parameters())
    chosen, model = sidebar.show(also="an uploaded mask")
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

    query_form.settle(networks().peek(model.key))
    query = Query(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
    request = map_request.ask(query, chosen.picture, allowed=model.fetch is None)
    answer, network = request.answer, request.asked.network or request.answer.network

    with p.section("The picture"):
        map_view.photograph(picture, chosen, answer, rasters.MapLook(), "compare", request.busy, on_pick=None)
        map_view.caption(caption, warning, answer)
    with p.section("The choices"):
        query_form.show(choices, network, answer, query)
    quick = None
    with p.section("The verdict"):
        quick = view.verdict(head, verdict, request, chosen, model)
    with p.section("The evidence", evidence):
        evidence_view.show(request, chosen, quick)
    with p.section("The question what if", what_if):
        what_if_view.show(request, chosen)
    with p.section("The place of the map", where):
        locating_view.show(request, chosen, model)

    bar = map_status.show(progress, button, request, model.fetching, lambda: map_request.run(query), stop)
    map_status.retry(p.retry, request, map_request.retry)
    p.notify(failure=request.failure)
    p.follow = partial(map_request.follow, request, bar)
