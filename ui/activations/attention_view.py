"""Where a transformer's tokens look: a map for each block and head, of a token that is chosen on the picture."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from camcore.features.attention import spread
from camcore.render.colour import css_gradient
from ui import controls, errors, figures, rasters, words
from ui.activations import attention_choices, attention_export
from ui.activations import attention_sheet as sheets
from ui.activations.attention_choices import Head
from ui.activations.attention_sheet import HeadMap
from ui.activations.choices import SheetLook
from ui.activations.work import attention_work
from ui.components.cells import cell
from ui.components.channels import contact_sheet
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.network_summary import NetworkSummary
from ui.picture_box import Chosen

if TYPE_CHECKING:
    from camcore.features.attention import AttentionLayout, AttentionRows, Token

COLUMNS = (1.0, 1.45)
OPACITY = 65


def section(model: Model, chosen: Chosen, facts: NetworkSummary | None, look: SheetLook) -> None:
    """The whole part; nothing for a network without attention. ``facts`` None: not yet, the layer above comes first."""
    layout = facts.attention if facts is not None else None
    if layout is None:
        return
    st.subheader("Where the tokens look", anchor="attention")
    if layout.refusal:
        st.markdown(
            f"Nothing to show: {layout.refusal}. A map needs tokens that all attend to each other. What these blocks "
            "hold is above, layer by layer and channel by channel."
        )
        return
    st.markdown(
        "In each block every token takes something from the others, by its attention to them; each head has an "
        "attention of its own. It tells where a token looks, not what that is worth to a class: for that, *Gradient "
        "attention rollout* and *LeGrad* on the Inspect page."
    )
    token = attention_choices.token(layout)
    work = attention_work(model.key, chosen.picture, model.framing, token)

    def draw(status: Status[AttentionRows]) -> None:
        if st.session_state.pop("attention_picked", False):
            session.rerun()  # the callback ran with this fragment; the address is the whole page's
        if status.failure is not None:
            errors.panel(status.failure, "The attention could not be looked at")
        if status.value is not None:
            _show(status.value, work, layout, chosen, look)
        elif status.busy:
            session.progress("attention", status, stoppable=False)

    with st.container(key="cam_attention"):
        status = session.section("attention", work, draw)
    rows = status.value if status.complete else None
    attention_export.offer_files(rows, chosen, layout, look, model)


def _show(rows: AttentionRows, key: Hashable, layout: AttentionLayout, chosen: Chosen, look: SheetLook) -> None:
    """The picture with one map, and the sheet of all."""
    head = attention_choices.head(rows)
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        _token_box(rows.token, layout)
        _picture(rows, key, head, layout, chosen, look)
        _figures(rows, head)
    with right:
        drawn = sheets.drawn(rows, key, look.colormap)
        contact_sheet(
            drawn.sheet,
            drawn.src,
            key="attention_sheet",
            label=f"Attention of the {sheets.token_name(rows.token, layout.read)}, block by block",
            hint="First the mean over the heads, then head by head. Press one, or use the arrow keys",
            ids=drawn.ids,
            tips=drawn.tips,
            labels=drawn.labels,
            bar={"low": "0", "high": "each one’s largest", "gradient": css_gradient(look.colormap)},
            tallest="76vh",
            label_width="8rem",
            chosen=attention_choices.head_name(head),
            on_pick=attention_choices.pick_head,
        )


def _token_box(token: Token, layout: AttentionLayout) -> None:
    """The token by name; a place is chosen on the picture."""
    tokens: dict[str, Token] = {layout.read: None, **{name: name for name in layout.names if name != layout.read}}
    now = sheets.token_name(token, layout.read)
    tokens.setdefault(now, token)
    box = controls.mirrored("token_box", now, lambda name: attention_choices.pick_token(tokens[name]))
    st.selectbox(
        "The token that looks",
        list(tokens),
        **box,
        help="A place is chosen on the picture, by a press or with the arrow keys.",
    )


def _picture(
    rows: AttentionRows, key: Hashable, head: Head, layout: AttentionLayout, chosen: Chosen, look: SheetLook
) -> None:
    picture, token = chosen.picture, rows.token
    shown = HeadMap(rows.map_of(*head), rows.frame, rows.cells)
    where = sheets.strongest(shown.raw)[1]
    name = sheets.token_name(token, layout.read)
    cell(
        key="attention_picture",
        photo=rasters.photo_url(picture),
        lit=rasters.overlay_url(
            picture, shown, (key, head), rasters.MapLook(OPACITY, look.colormap, smooth=False), rasters.SIDE
        ),
        size=(picture.height, picture.width),
        grid=rasters.geometry(shown),
        field=None,
        chosen=token if isinstance(token, tuple) else None,
        effective=None,
        identity=f"{picture.sha256} {rows.network} {rows.frame.framing} {name}",
        label=f"Places of the tokens on {chosen.title}",
        alt=f"{sheets.title(head)}: where the {name} looks on {chosen.title}, most at {where}",
        busy=False,
        on_pick=lambda row, column: attention_choices.pick_token((row, column)),
        without=f"the {name}; press a place to look from there",
    )


def _figures(rows: AttentionRows, head: Head) -> None:
    """The map in figures."""
    row, others = rows.map_of(*head), rows.beside_of(*head)
    most, where = sheets.strongest(row)
    parts = [
        (words.percent(most), "at most to one place", where),
        (f"{spread(row):.0f}", f"of {row.size} places", "if spread evenly"),
    ]
    if isinstance(rows.token, tuple):
        parts.append((words.percent(float(row[rows.token])), "to itself", ""))
    if len(others):
        shares = zip(others, rows.names, strict=True)
        named = ", ".join(f"{name} {words.percent(float(share))}" for share, name in shares) if len(others) == 2 else ""
        parts.append((words.percent(float(others.sum())), f"to {sheets.listed(rows.names)}", named))
    figures.numbers(parts, f"{sheets.title(head)} in figures")
