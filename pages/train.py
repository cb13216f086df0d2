"""Train: a folder of pictures becomes a network of one's own, in a process of its own."""

import streamlit as st

from ui import frame

frame.begin("Train")

# The page's title is on its way while the rest is imported.
import camcore  # noqa: E402
from ui import errors, urls  # noqa: E402
from ui.components import copy_link  # noqa: E402
from ui.query import Failure  # noqa: E402
from ui.training import form_view, run_view, runs, view  # noqa: E402
from ui.training.form import Form  # noqa: E402

state = st.session_state
parameters = view.parameters()
urls.adopt(parameters)


def start(form: Form) -> None:
    try:
        state["run"] = runs.start(form).name
        state.update(name="", train_failure=None)
    except camcore.CamcoreError as error:
        state["train_failure"] = Failure.of(error)


listed = runs.listed()
with st.sidebar:
    chosen = view.pick(listed)
    copy_link(key="copy_link")

errors.notices(urls.notices().values())
run = next((run for run in listed if run.name == chosen), None)
with errors.guarded("The page"):
    if run is not None:
        run_view.show(run)
    else:
        taken = (*(row.name for row in camcore.backbones()), *(run.name for run in listed))
        form_view.show(next((run for run in listed if run.live), None), taken, start)

# A run's link names the run only.
urls.publish(parameters, left_out=[p.name for p in parameters if run is not None and p.name != "run"])
