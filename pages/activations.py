"""Activations: what each channel of a layer responds to in a picture, and the whole network on one page."""

import streamlit as st

from ui import frame

frame.begin("Activations")

# The page's title is on its way while the rest is imported.
from ui import errors, layer_browser, model_picker, page_style, picture_box, sidebar, urls, working  # noqa: E402
from ui.activations import choices, export, overview, view  # noqa: E402
from ui.components import scroll  # noqa: E402
from ui.engine import engine  # noqa: E402
from ui.meeting import known_facts  # noqa: E402

page_style.add("activations")
parameters = choices.parameters()
urls.adopt(parameters)

chosen, model = sidebar.show()


def publish() -> None:
    urls.publish(parameters, left_out=picture_box.unnamed(chosen))


facts = known_facts(model.key)
notes = st.container(key="cam_notes", gap=None)
with st.container(key="cam_activations_head"):
    head = st.empty()
with st.container(key="cam_browser"):
    layers, ladder = (facts.layers, facts.ladder) if facts is not None else ((), ())
    settled = layer_browser.settle(layers)
    view.head(head, model.key.name, settled, model.fetch is not None, failed=False, loaded=facts is not None)
    info = layer_browser.show(layers, ladder, kinds=choices.KINDS)
look = choices.show(facts)
work = view.next_work(model, chosen.picture, info)
standing = working.section("channels", work, view.status)
found = view.channels_of(standing)
if standing.failure is not None:
    view.head(head, model.key.name, info, model.fetch is not None, failed=True)

left, right = st.columns(view.COLUMNS, gap="medium")
with errors.guarded("The sheet"), left:
    view.whole_sheet(found, work, info, look)
    export.offer_files(found, chosen, look, model.framing)
with errors.guarded("The channel"), right:
    st.fragment(view.viewer)(found, work, chosen, look, publish)
with errors.guarded("The figures"):
    view.exact(found)
with errors.guarded("The whole network"):
    overview.section(model, chosen, facts if standing.complete else None, look)

with notes:
    errors.notices(urls.notices().values())
    model_picker.offer_download(model)
scroll(".st-key-cam_activations_head", key="scroll", count=st.session_state.get("times_picked", 0))
publish()
if model.fetch is None:
    engine().start()
