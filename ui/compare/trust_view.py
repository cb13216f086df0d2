"""Which of the compared maps can be believed: a line for each, judged when asked for."""

import html
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import streamlit as st

from ui import errors, words, working
from ui.compare import judging, names
from ui.compare.comparison import Cell, Plan
from ui.compare.judging import Judged
from ui.compare.sheets import Sheet
from ui.engine import engine
from ui.picture_box import Chosen
from ui.questions import Cost, NetworkKey, map_identity
from ui.trust import words as trust_words
from ui.working import Standing

_HEADS = ("", "verdict", "score lost with its top 20 %", "shown against hidden", "with random weights", "under noise")


def show(sheet: Sheet, plan: Plan, chosen: Chosen, busy: bool) -> None:
    """The whole section; while the grid is filling its place is kept."""
    st.subheader("Which of them can be believed?", anchor=False)
    by_network = {key: _of(sheet, plan, key) for key in plan.backbones}
    by_network = {key: cells for key, cells in by_network.items() if cells and engine().peek(key) is not None}
    asked = tuple(
        map_identity(key, plan.picture, sheet.found[cell].map) for key, cells in by_network.items() for cell in cells
    )
    if busy or not asked:
        st.caption("Once the maps are here.")
        working.section("judged_0", None, lambda now: None)
        return
    if st.session_state.get("judge_maps") != asked:
        _offer(sheet, by_network, asked)
        working.section("judged_0", None, lambda now: None)
        return
    for number, (key, cells) in enumerate(by_network.items()):
        _judge(f"judged_{number}", key, cells, sheet, chosen)


def _judge(section: str, key: NetworkKey, cells: Sequence[Cell], sheet: Sheet, chosen: Chosen) -> None:
    """The lines of one network."""
    work = judging.work(key, chosen.picture, [sheet.found[cell].map for cell in cells])
    working.section(section, work, lambda now: _section(now, section, sheet, cells))


def _of(sheet: Sheet, plan: Plan, key: NetworkKey) -> list[Cell]:
    """The cells of one network whose maps are whole."""
    return [
        cell
        for cell in plan.cells
        if cell.network == key and cell in sheet.found and sheet.found[cell].done >= 1.0
    ]  # fmt: skip


def _offer(sheet: Sheet, by_network: dict[NetworkKey, list[Cell]], asked: tuple[Any, ...]) -> None:
    bills = [
        judging.price(key, engine().peek(key), [sheet.found[cell].map for cell in cells])
        for key, cells in by_network.items()
    ]
    total = Cost(sum(one.passes for one in bills), sum(one.seconds for one in bills))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Judge {len(asked)} map{'s' if len(asked) > 1 else ''}",
            key="judge_maps_now",
            on_click=lambda: st.session_state.update(judge_maps=asked),
        )
        st.caption(words.price(total) + ": each beside a blob in the middle and 19 random maps.")


def _section(standing: Standing, section: str, sheet: Sheet, cells: Sequence[Cell]) -> None:
    with errors.guarded("The verdicts"):
        if standing.failure is not None:
            errors.panel(standing.failure, "The maps could not be judged")
        if standing.busy or standing.stopped or standing.failure is not None:
            working.progress(section, standing)
        judged: Judged = standing.value or {}
        body = ""
        for cell in cells:
            m = sheet.found[cell].map
            found = judged.get(map_identity(cell.network, sheet.plan.picture, m))
            body += _line(names.full(sheet, cell) or words.label(m.label), found)
        heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in _HEADS)
        table = f'<table class="cam-trust-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        st.html(f'<div class="cam-scroll">{table}</div>')
        st.caption(
            "Beneath each figure the mean of the random maps. With random weights: the rank correlation with the map "
            "of an untrained network, low is good."
        )


def _line(name: str, found: Any) -> str:
    title = f'<th scope="row">{html.escape(name)}</th>'
    if found is None:
        return f"<tr>{title}{'<td>…</td>' * (len(_HEADS) - 1)}</tr>"
    tone = trust_words.LEVELS[found.verdict.level]
    reasons = " ".join(one.text for one in found.verdict.reasons)
    chance = found.findings.chance
    likeness = median(found.findings.survival) if found.findings.survival else float("nan")
    cells = (
        (trust_words.share(chance.removed), trust_words.share(mean(chance.removed_random))),
        (trust_words.signed(chance.lead), trust_words.signed(mean(chance.lead_random))),
        (trust_words.signed(likeness), ""),
        (trust_words.NOTHING if found.sensitivity is None else trust_words.share(found.sensitivity), ""),
    )
    figures = "".join(f"<td>{one}<small>{chance}</small></td>" for one, chance in cells)
    said = f"{html.escape(found.verdict.headline)}<small>{html.escape(trust_words.briefly(found))}</small>"
    return f'<tr>{title}<td class="cam-tone-{tone}" title="{html.escape(reasons)}">{said}</td>{figures}</tr>'
