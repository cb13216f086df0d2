"""Concepts: the few things that a layer's activations are made of, over several pictures, and what each adds."""

import streamlit as st

from ui.page import page

with page("Concepts", style="concepts") as p:
    from ui import model_picker, sidebar, words
    from ui.concepts import view

    p.address(view.parameters())
    chosen, model = sidebar.show()
    with p.offer:
        model_picker.offer_download(model)

    st.container(key="cam_head").header(
        words.plain(f"The patterns that {model.key.title} finds in these pictures"), anchor=False
    )
    asked = view.choices(chosen, model)
    p.left_out = view.left_out()
    with p.section("The concepts"):
        view.show(asked, model)
