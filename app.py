"""Inspect: what a network says about a picture, where it looks, and how that forms with depth."""

from functools import partial

import streamlit as st

from ui.page import page

with page("Inspect") as p:
    from ui import map_request, map_status, map_view, model_picker, query_form, sidebar
    from ui.cell import toggle as cell
    from ui.inspect import answers, export, view
    from ui.networks import networks
    from ui.query import Query
    from ui.report import basket, map_snapshot
    from ui.trust import panel as trust_panel

    def stop() -> None:
        map_request.stop()
        model_picker.withdraw(model)

    state = st.session_state
    p.address([*view.parameters(), *cell.PARAMETERS])
    chosen, model = sidebar.show()
    with p.offer:
        model_picker.offer_download(model)

    # While a script waits for a worker, Streamlit leaves what the last run drew and this one has not drawn yet. So each
    # part of the page has a container, made before anything slow, and every run gives it one element, if an empty one.
    row = st.container(key="cam_row", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    head = row.container(key="cam_head")
    status = row.container(key="cam_status", horizontal=True, vertical_alignment="center", wrap=False)
    progress, button = status.container(key="cam_progress"), status.container(key="cam_button", width="content")
    trust = st.container(key="cam_trust", gap="xsmall")
    ways = st.container(key="cam_ways", horizontal=True, gap="small")
    left, right = st.columns((1.62, 1.0), gap="medium")
    picture = left.container(key="cam_picture", gap="xsmall")
    controls = left.container(key="cam_controls")
    ladder = left.container(key="cam_ladder", gap="xsmall")
    foot = left.container(key="cam_caption", gap="xsmall")
    caption, warning = foot.container(), foot.container()
    scores = right.container(key="cam_scores", gap="xsmall")
    choices = right.container(key="cam_choices", gap="small")
    colours = right.container(key="cam_colours")
    files = right.container(key="cam_export", horizontal=True, gap="small", wrap=False)
    more = right.container(key="cam_more")

    look, mode = view.look(controls, colours)
    query_form.settle(networks().peek(model.key))
    query = Query(model.key, chosen.picture.sha256, model.framing, state["method"], state["layer"], state["class"])
    export.compare_link(ways, chosen, query)
    trust_panel.link(ways, chosen, query)
    export.audit_link(ways, query)
    request = map_request.ask(query, chosen.picture, allowed=model.fetch is None)
    answer, network = request.answer, request.asked.network or request.answer.network

    with p.section("The prediction"):
        answers.head(head, answer, model.key.name, model.fetch is not None, request.failure is not None)
        answers.bars(scores, answer, model.key.name)
    with p.section("The picture"):
        map_view.photograph(picture, chosen, answer, look, mode, request.busy, cell.picker())
        map_view.ladder(ladder, chosen, answer, look)
    with p.section("The choices"):
        query_form.show(choices, network, answer, query, [p.index for p in answer.predictions])
    with p.section("The caption"):
        map_view.caption(caption, warning, answer)
        export.files(files, chosen, answer, look)
        basket.offer(files, map_snapshot.draft(chosen, answer, look))
        query_form.about(more, network)
    trust_panel.show(trust, request, chosen)
    cell.show(chosen, answer)
    p.left_out = cell.left_out()

    bar = map_status.show(progress, button, request, model.fetching, lambda: map_request.run(query), stop)
    map_status.retry(p.retry, request, map_request.retry)
    p.notify(failure=request.failure)
    p.follow = partial(map_request.follow, request, bar)
