"""Filters: pictures that excite a channel of a layer, or a class, as strongly as possible; and the first kernels."""

import streamlit as st

from ui import frame

frame.begin("Filters")

# The page's title is on its way while the rest is imported.
from ui import errors, model_picker, page_style, picture_box, sidebar, urls  # noqa: E402
from ui.filters import choices, many_view, one_view, view  # noqa: E402
from ui.filters.work import response_work  # noqa: E402
from ui.jobs import session  # noqa: E402
from ui.networks import start  # noqa: E402

page_style.add("filters")
state = st.session_state
parameters = choices.parameters()
urls.adopt(parameters)

chosen, model = sidebar.show()

places = view.claim()
network = model.key
choices.settle(network)
choices.layers(places.layers, network)
look = response_work(network, chosen.picture, model.framing, state["layer"]) if model.fetch is None else None
standing = session.ask("filters_look", look)
if standing.failure is not None and standing.failure.kind == "LayerError" and state["layer"] is not None:
    urls.object_to("layer", f"{standing.failure.message} Showing the recommended layer instead.")
    st.rerun()
looked = standing.value
choices.show(places.choices, looked)
all_, one = choices.wanted(network, looked) if looked is not None else (None, None)
view.head(places.head, network, looked, one, model.fetch is not None)

with places.one, errors.guarded("The picture"):
    if looked is None or all_ is None or one is None:
        if one_view.waiting(look).value is not None:
            st.rerun()  # it came between asking and drawing
    else:
        single = one_view.show(looked, chosen, all_, one)
        with places.many, errors.guarded("The pictures"):
            many_view.show(looked, all_, one.indices[0], single)
        with places.kernels, errors.guarded("The kernels"):
            view.kernels(looked)
            view.explained(looked)

with places.notes:
    errors.notices(urls.notices().values())
with places.fetch:
    model_picker.offer_download(model)
urls.publish(parameters, left_out=picture_box.unnamed(chosen))
start()
