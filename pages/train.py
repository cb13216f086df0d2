"""Train: a folder of pictures becomes a network of one's own, in a process of its own."""

import streamlit as st

from ui.page import page

with page("Train", needs_network=False) as p:
    import camcore
    from ui import policy
    from ui.components import copy_link
    from ui.query import Failure
    from ui.training import form_view, run_view, runs, view
    from ui.training.form import Form

    def start(form: Form) -> None:
        try:
            policy.check_room()
            st.session_state["run"] = runs.start(form, shared=policy.policy().public).name
            st.session_state.update(name="", train_failure=None)
        except camcore.CamcoreError as error:
            st.session_state["train_failure"] = Failure.of(error)

    parameters = view.parameters()
    p.address(parameters)
    listed = runs.listed()
    with st.sidebar:
        chosen = view.pick(listed)
        copy_link(key="copy_link")

    run = next((run for run in listed if run.name == chosen), None)
    with p.section("The page"):
        if run is not None:
            p.left_out = [one.name for one in parameters if one.name != "run"]  # a run's link names the run only
            run_view.show(run)
        else:
            taken = (*(row.name for row in camcore.backbones()), *(run.name for run in listed))
            form_view.show(next((run for run in listed if run.live), None), taken, start)
