"""Filters: pictures that excite a channel of a layer, or a class, as strongly as possible; and the first kernels."""

import streamlit as st

from ui.page import page

with page("Filters", style="filters") as p:
    from ui import model_picker, sidebar, urls
    from ui.filters import choices, many_view, one_view, view
    from ui.filters.work import response_work
    from ui.jobs import session

    state = st.session_state
    p.address(choices.parameters())
    chosen, model = sidebar.show()
    network = model.key
    with p.offer:
        model_picker.offer_download(model)

    head = st.container(key="cam_head")
    choices.settle(network)
    p.left_out = choices.left_out()
    choices.layers(st.container(key="cam_filters_layers"), network)
    chooser = st.container(key="cam_filters_choices", horizontal=True, vertical_alignment="bottom", gap="small")
    pictures, more, kernels = (st.container(key=f"cam_filters_{k}", gap="xsmall") for k in ("one", "many", "kernels"))

    look = response_work(network, chosen.picture, model.framing, state["layer"]) if model.fetch is None else None
    status = session.ask("filters_look", look)
    if status.failure is not None and status.failure.kind == "LayerError" and state["layer"] is not None:
        urls.object_to("layer", f"{status.failure.message} Showing the usual layer instead.")
        session.rerun()
    response = status.value
    choices.show(chooser, response)
    all_, one = choices.wanted(network, response) if response is not None else (None, None)
    view.head(head, network, response, one, model.fetch is not None)

    with p.section("The picture", pictures):
        if response is None or all_ is None or one is None:
            if one_view.waiting(look).value is not None:
                session.rerun()  # it came between asking and drawing
        else:
            single = one_view.show(response, chosen, all_, one)
            with p.section("The pictures", more):
                many_view.show(response, all_, one.indices[0], single)
            with p.section("The kernels", kernels):
                view.kernels(response)
                view.explained(response)
