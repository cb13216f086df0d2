"""Evaluation: how good a classifier is, where it fails and looks, how it learned, and what it sees in a picture."""

import streamlit as st

from ui.page import page

with page("Evaluation", style="classifier") as p:
    from ui import picture_box
    from ui.classifier import view
    from ui.components import copy_link
    from ui.report import basket

    view.follow(p.address(view.parameters()))
    with st.sidebar:
        chosen = picture_box.show()
        saved = view.pick()
        copy_link(key="copy_link")

    if saved is None:
        view.missing()
    else:
        with p.section("The test results"):
            view.quality_section(saved, basket.add)
        view.learning_sections(saved, chosen)
