"""Audit: a network on many pictures: how good it is, where it looks, because of what, and where it fails."""

import streamlit as st

from ui.page import page

with page("Audit", style="audit") as p:
    from ui import model_picker
    from ui.audit import choices, chosen, running, view
    from ui.components import copy_link
    from ui.report import basket

    p.address(choices.parameters())
    chosen.go()
    run = running.settle()
    with st.sidebar:
        root = view.folder(making=run is not None)
        copy_link(key="copy_link")
        st.caption("The link carries every choice on this page. Audits made here are deleted when your session ends.")
    with p.section("The audit"):
        if run is not None:
            running.show(run)
        elif root is not None:
            p.notify(*view.show(root, p.publish, basket.add))
        else:
            model = view.welcome()
            with p.offer:
                model_picker.offer_download(model)
