"""Models: every network there is, where its weights are, and how to bring one's own."""

import streamlit as st

from ui.page import page

with page("Models", style="models") as p:
    from ui.components import copy_link
    from ui.models import card, declared, own_view, view

    view.follow(p.address(view.parameters()))
    with st.sidebar:
        copy_link(key="copy_link")
        st.caption("The link names the network that is looked at.")

    networks = view.all_networks()
    view.head(networks)
    left, right = st.columns((1.62, 1.0), gap="medium")
    beneath = st.container(key="cam_feeding")
    with p.section("The list", left):
        about = view.choose(networks)
        view.take_away(networks)
    with p.section("The network", right):
        tried = card.show(about)
        with beneath:
            declared.preprocessing(about, tried)
    with p.section("Networks of your own", st.container(key="cam_own")):
        own_view.show()
