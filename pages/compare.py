"""Compare: methods, layers, classes, backbones and framings side by side, and how far they agree."""

from functools import partial

import streamlit as st

from ui.page import page

with page("Compare", style="compare") as p:
    from ui import model_picker, sidebar
    from ui.compare import (
        agreement,
        agreement_view,
        choices,
        contrast_view,
        grid,
        parts,
        request,
        table_view,
        trust_view,
        view,
    )
    from ui.compare.export import Take
    from ui.compare.sheets import MapSheet
    from ui.jobs import session
    from ui.report import basket, sheet_snapshot

    def pin(cell: str) -> None:
        state["pin"] = None if state["pin"] == cell else cell

    def open_in_inspect(cell: str) -> None:
        state["open_in_inspect"] = cell

    state = st.session_state
    p.address([*choices.parameters(), parts.PART])
    choices.settle()
    p.left_out = choices.left_out()
    chosen, model = sidebar.show(framings="framings" not in (state["columns"], state["rows"]))

    head = st.container(key="cam_head")
    axes = st.container(key="cam_axes", horizontal=True, vertical_alignment="bottom", gap="small")
    row = st.container(key="cam_compare_row", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    progress = row.container(key="cam_compare_progress")
    buttons = row.container(key="cam_compare_buttons", horizontal=True, width="content", gap="small", wrap=False)
    maps = st.container(key="cam_grid")
    controls = st.container(key="cam_compare_look", gap="xsmall")
    files = st.container(key="cam_compare_save", horizontal=True, gap="small")
    caution = st.container(key="cam_caution", gap=None)
    agreed, verdicts, contrast, table = view.parts(st.container(key="cam_parts"))

    known = request.summary(model.key)
    choices.show(axes, known, model.framing, model.key.name)
    plan, notes = choices.plan(chosen.picture.sha256, model, known)
    with p.offer:
        model_picker.offer_download(choices.missing(model) or model)
    status = request.ask(plan, chosen.picture, allowed=model.fetch is None)
    sheet = status.value or MapSheet(plan)
    if not status.busy and request.summary(model.key) is not known:  # the choices can now be called by their names
        session.rerun()
    target = state.pop("open_in_inspect", None)
    if target is not None:
        st.switch_page("app.py", query_params=view.inspect_query(sheet, view.reference(sheet, target), chosen.sample))

    reference = view.reference(sheet, state["pin"])
    look, differences = view.look(controls, plan, reference is not None)
    with p.section("The headline"):
        failed = status.failure is not None or model.key in sheet.failures
        view.head(head, sheet, model.key.name, model.fetch is not None, failed)
    together = None
    with p.section("The maps"):
        if agreed.open or reference is not None:
            together = agreement.aligned(sheet, filling=status.busy)
        figures = {} if reference is None or together is None else agreement.to_reference(together, reference)
        shown_reference = reference if differences else None
        drawn = grid.draw(sheet, look, status.busy, shown_reference, figures)
        view.photograph(maps, chosen, sheet, drawn, look, state["pin"], differences, pin, open_in_inspect)
        view.caution(caution, drawn)
        take = Take(sheet, drawn, look, chosen.picture, chosen.title, shown_reference)
        view.files(files, take)
        basket.offer(files, None if status.busy else sheet_snapshot.draft(chosen, take))

    bar = view.status(progress, buttons, sheet, status, lambda: request.run(plan), request.stop)
    view.retry(p.retry, sheet, status, request.retry)
    p.notify(*notes, failure=status.failure)

    # What was begun goes on while another tab is looked at.
    if agreed.open:
        with p.section("The agreement", agreed):
            agreement_view.show(sheet, together, chosen, look, status.busy)
    if verdicts.open or session.pressed(trust_view.SECTION):
        with p.section("The verdicts", verdicts):
            trust_view.show(sheet, plan, chosen, status.busy)
    if contrast.open:
        with p.section("The contrast", contrast):
            contrast_view.show(sheet, plan, chosen, look)
    if table.open or session.pressed(table_view.SECTION):
        with p.section("The table", table):
            table_view.show(plan, chosen, status.busy)

    p.follow = partial(session.follow, status, bar)
