"""Audit: a network on many pictures: how good it is, where it looks, because of what, and where it fails."""

import streamlit as st

from ui.page import page

with page("Audit", style="audit") as p:
    from ui.audit import choices, to_pages, view
    from ui.components import copy_link

    p.address(choices.parameters())
    to_pages.go()
    with st.sidebar:
        root = view.folder()
        copy_link(key="copy_link")
    if root is None:
        view.welcome()
    else:
        with p.section("The audit"):
            p.notify(*view.show(root, p.publish))
