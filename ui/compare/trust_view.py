"""Verdicts on the compared maps: a line for each, judged when asked for."""

from __future__ import annotations

import html
from collections.abc import Hashable, Sequence
from statistics import mean, median
from typing import TYPE_CHECKING

import streamlit as st

from camcore.text import with_sign
from ui import errors, paces, words
from ui.compare import names
from ui.compare.comparison import GridCell, GridPlan
from ui.compare.sheets import MapSheet
from ui.compare.work import Verdicts, verdicts_price, verdicts_work
from ui.jobs import session
from ui.jobs.session import Status
from ui.networks import networks
from ui.picture_box import Chosen
from ui.query import NetworkKey, map_identity
from ui.trust import words as trust_words

if TYPE_CHECKING:
    from camcore.verdict.gather import Trust

SECTION = "judged"
_HEADS = ("", "verdict", "score lost with its top 20 %", "shown against hidden", "with random weights", "under noise")


def show(sheet: MapSheet, plan: GridPlan, chosen: Chosen, busy: bool) -> None:
    """The whole section; while the grid is filling its place is kept."""
    by_network = {key: cells for key in plan.backbones if networks().peek(key) and (cells := _of(sheet, key))}
    identities = tuple(
        map_identity(key, plan.picture, sheet.filled[cell].map) for key, cells in by_network.items() for cell in cells
    )
    if busy or not identities:
        st.caption("Available once the maps are ready.")
        session.section(f"{SECTION}_0", None)
        return
    if session.pressed(SECTION) != identities:
        _offer(sheet, by_network, identities)
        session.section(f"{SECTION}_0", None)
        return
    for number, (key, cells) in enumerate(by_network.items()):
        _judge(f"{SECTION}_{number}", key, cells, sheet, chosen)


def _judge(section: str, key: NetworkKey, cells: Sequence[GridCell], sheet: MapSheet, chosen: Chosen) -> None:
    """The lines of one network."""
    work = verdicts_work(key, chosen.picture, [sheet.filled[cell].map for cell in cells])
    session.section(section, work, lambda now: _section(now, section, sheet, cells))


def _of(sheet: MapSheet, key: NetworkKey) -> list[GridCell]:
    """The cells of one network whose maps are whole."""
    return [cell for cell in sheet.maps if cell.network == key]


def _offer(sheet: MapSheet, by_network: dict[NetworkKey, list[GridCell]], identities: tuple[Hashable, ...]) -> None:
    bills = [
        verdicts_price(key, net, [sheet.filled[cell].map for cell in cells])
        for key, cells in by_network.items()
        if (net := networks().peek(key)) is not None
    ]
    count = len(identities)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Judge {count} map{'s' if count > 1 else ''}",
            key="judge_maps_now",
            on_click=session.press,
            args=(SECTION, identities),
        )
        st.caption(words.price(paces.total(bills)) + ". Each is compared with a blob in the middle and 19 random maps.")


def _section(status: Status[Verdicts], section: str, sheet: MapSheet, cells: Sequence[GridCell]) -> None:
    with errors.guarded("The verdicts"):
        if status.failure is not None:
            errors.panel(status.failure, "The maps could not be judged")
        if status.busy or status.stopped or status.failure is not None:
            session.progress(section, status)
        verdicts: Verdicts = status.value or {}
        body = ""
        for cell in cells:
            m = sheet.filled[cell].map
            found = verdicts.get(map_identity(cell.network, sheet.plan.picture, m))
            body += _line(names.full(sheet, cell) or words.label(m.label), found)
        heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in _HEADS)
        table = f'<table class="cam-trust-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        st.html(f'<div class="cam-scroll">{table}</div>')
        st.caption(
            "Below each figure: the mean of the random maps. “With random weights” is the rank correlation with the "
            "map of an untrained network; low is good."
        )


def _line(name: str, found: Trust | None) -> str:
    title = f'<th scope="row">{html.escape(name)}</th>'
    if found is None or found.verdict is None or found.findings is None:
        return f"<tr>{title}{'<td>…</td>' * (len(_HEADS) - 1)}</tr>"
    tone = trust_words.LEVELS[found.verdict.level]
    reasons = " ".join(one.text for one in found.verdict.reasons)
    chance = found.findings.chance
    likeness = median(found.findings.survival) if found.findings.survival else float("nan")
    cells = (
        (words.percent(chance.removed), words.percent(mean(chance.removed_random))),
        (with_sign(chance.lead), with_sign(mean(chance.lead_random))),
        (with_sign(likeness), ""),
        (trust_words.NOTHING if found.sensitivity is None else words.percent(found.sensitivity), ""),
    )
    figures = "".join(f"<td>{one}<small>{chance}</small></td>" for one, chance in cells)
    headline = f"{html.escape(found.verdict.headline)}<small>{html.escape(trust_words.briefly(found.verdict))}</small>"
    return f'<tr>{title}<td class="cam-tone-{tone}" title="{html.escape(reasons)}">{headline}</td>{figures}</tr>'
