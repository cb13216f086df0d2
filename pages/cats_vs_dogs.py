"""Evaluation: what a classifier sees in a picture, how good it is, where it fails, and how it came to that."""

import streamlit as st

from ui.page import page

with page("Evaluation", style="classifier") as p:
    from ui import picture_box
    from ui.classifier import evidence, view
    from ui.components import copy_link

    view.follow()
    p.address(view.parameters())
    with st.sidebar:
        chosen = picture_box.show()
        saved = view.pick()
        copy_link(key="copy_link")

    if saved is None:
        view.missing()
    elif chosen is None:
        st.header("Choose a picture to begin", anchor=False)
    else:
        status = view.picture_section(saved, chosen)
        with p.section("The lesson"):
            evidence.lesson(saved, status.value)
        with p.section("The test results"):
            view.quality_section(saved)
        view.learning_sections(saved, chosen, status.value if status.complete else None)
