"""Concepts: the few things that a layer's activations are made of, over several pictures, and what each adds."""

import streamlit as st

from ui import frame

frame.begin("Concepts")

# The page's title is on its way while the rest is imported.
from ui import errors, model_picker, page_style, picture_box, sidebar, urls  # noqa: E402
from ui.concepts import view  # noqa: E402
from ui.networks import start  # noqa: E402

page_style.add("concepts")
parameters = view.parameters()
urls.adopt(parameters)

chosen, model = sidebar.show()

notes = st.container(key="cam_notes", gap=None)
st.container(key="cam_head").header(f"What {model.key.name} sees these pictures made of", anchor=False)
asked = view.choices(chosen, model)
with errors.guarded("The concepts"):
    view.show(asked, model)

with notes:
    errors.notices(urls.notices().values())
    model_picker.offer_download(model)
urls.publish(parameters, left_out=picture_box.unnamed(chosen))
start()
