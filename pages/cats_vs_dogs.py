"""Cats vs dogs: what a classifier sees in a picture, how good it is, where it fails, and how it came to that."""

import streamlit as st

from ui import frame

frame.begin("Cats vs dogs")

# The page's title is on its way while the rest is imported.
from ui import errors, page_style, picture_box, urls  # noqa: E402
from ui.classifier import evidence, view  # noqa: E402
from ui.components import copy_link, scroll  # noqa: E402
from ui.engine import engine  # noqa: E402

page_style.add("classifier")
parameters = view.parameters()
urls.adopt(parameters)

with st.sidebar:
    chosen = picture_box.show()
    saved = view.pick()
    folder = view.folder()
    copy_link(key="copy_link")


def publish() -> None:
    urls.publish(parameters, left_out=picture_box.unnamed(chosen))


notes = st.container(key="cam_notes", gap=None)
if saved is None:
    view.missing()
elif chosen is None:
    st.header("Choose a picture to begin", anchor=False)
else:
    standing = view.picture_section(saved, chosen)
    with errors.guarded("The lesson"):
        evidence.lesson(saved, standing.value)
    evaluated = None
    with errors.guarded("The test results"):
        evaluated = view.quality_section(saved, folder, ready=not standing.busy, publish=publish)
    view.learning_sections(saved, chosen, standing.value if standing.complete else None, evaluated)

with notes:
    errors.notices(urls.notices().values())
scroll(".st-key-cam_sees", key="scroll", count=st.session_state.get("times_picked", 0))
publish()
if saved is not None:
    engine().start()
