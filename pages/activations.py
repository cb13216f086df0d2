"""Activations: what each channel of a layer responds to in a picture, and the whole network on one page."""

import streamlit as st

from ui.page import page

with page("Activations", style="activations") as p:
    from ui import layer_browser, model_picker, sidebar
    from ui.activations import attention_view, choices, export, overview, view
    from ui.components import scroll
    from ui.jobs import session
    from ui.network_summary import known_summary

    p.address(choices.parameters())
    chosen, model = sidebar.show()
    with p.offer:
        model_picker.offer_download(model)

    facts = known_summary(model.key)
    with st.container(key="cam_activations_head"):
        head = st.empty()
    with st.container(key="cam_browser"):
        layers, ladder = (facts.layers, facts.ladder) if facts is not None else ((), ())
        settled = layer_browser.settle(layers)
        view.head(head, model.key.title, settled, model.fetch is not None, failed=False, loaded=facts is not None)
        info = layer_browser.show(layers, ladder)
    look = choices.show(facts)
    work = view.next_work(model, chosen.picture, info)
    status = session.section("channels", work, view.show_status)
    found = view.channels_of(status)
    if status.failure is not None:
        view.head(head, model.key.title, info, model.fetch is not None, failed=True)

    left, right = st.columns(view.COLUMNS, gap="medium")
    with p.section("The sheet", left):
        view.whole_sheet(found, work, info, look)
        export.offer_files(found, chosen, look, model.framing)
    with p.section("The channel", right):
        st.fragment(view.viewer)(found, work, chosen, look, p.publish)
    with p.section("The figures"):
        view.exact(found)
    with p.section("The attention"):
        attention_view.section(model, chosen, facts if status.complete else None, look)
    with p.section("The whole network"):
        overview.section(model, chosen, facts, look, ready=status.complete)
    scroll(".st-key-cam_activations_head", key="scroll", count=st.session_state.get("times_picked", 0))
