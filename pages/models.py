"""Models: every network there is, where its weights are, and how to bring one's own."""

import streamlit as st

from ui import frame

frame.begin("Models")

# The page's title is on its way while the rest is imported.
from ui import errors, page_style, urls  # noqa: E402
from ui.components import copy_link  # noqa: E402
from ui.engine import engine  # noqa: E402
from ui.models import card, declared, own_view, view  # noqa: E402

page_style.add("models")
parameters = view.parameters()
urls.adopt(parameters)

with st.sidebar:
    copy_link(key="copy_link")
    st.caption("The link names the network that is looked at.")

networks = view.all_networks()
view.head(networks)
with st.container(key="cam_notes"):
    errors.notices(urls.notices().values())
left, right = st.columns((1.62, 1.0), gap="medium")
beneath = st.container(key="cam_feeding")
with left, errors.guarded("The list"):
    about = view.choose(networks)
    view.take_away(networks)
with right, errors.guarded("The network"):
    tried = card.show(about)
    with beneath:
        declared.preprocessing(about, tried)
with st.container(key="cam_own"), errors.guarded("Networks of your own"):
    own_view.show()

urls.publish(parameters)
engine().start()
