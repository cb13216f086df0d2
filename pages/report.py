"""Report: what was pinned on the other pages, in order, with comments; to take away and to present."""

import streamlit as st

from ui.page import page

with page("Report", style="report") as p:
    from ui.components import copy_link
    from ui.report import basket, store, view

    state = st.session_state
    p.address(view.parameters())
    problem = store.adopt(state["report"])
    state["report"] = store.save()
    if state["present"] == "1" and basket.entries():
        with p.section("The presentation"):
            view.present()
    else:
        state["present"] = "0"
        p.notify(*filter(None, [problem]))
        with st.sidebar:
            copy_link(key="copy_link")
        with p.section("The report"):
            if basket.entries():
                view.show()
            else:
                view.empty()
