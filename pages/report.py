"""Report: what was pinned on the other pages, in order, with comments; to take away and to present."""

import streamlit as st

from ui import frame

frame.begin("Report")

# The page's title is on its way while the rest is imported.
from ui import errors, page_style, urls  # noqa: E402
from ui.components import copy_link  # noqa: E402
from ui.engine import engine  # noqa: E402
from ui.report import basket, store, view  # noqa: E402

page_style.add("report")
state = st.session_state
parameters = view.parameters()
urls.adopt(parameters)
problem = store.adopt(state["report"])
state["report"] = store.save()
presenting = state["present"] == "1" and bool(basket.entries())

if presenting:
    with errors.guarded("The presentation"):
        view.present()
else:
    state["present"] = "0"
    with st.sidebar:
        copy_link(key="copy_link")
    with st.container(key="cam_notes", gap=None):
        errors.notices([*urls.notices().values(), *([problem] if problem else [])])
    with errors.guarded("The report"):
        if basket.entries():
            view.show()
        else:
            view.empty()

urls.publish(parameters)
engine().start()
