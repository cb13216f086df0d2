"""The audits of a bias study: what was found in each head without being told of the mark, and the mended copy."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from camcore.bias.study import HEADS, TRIALS
from camcore.shortcuts.rule import LEAST
from camcore.text import counted
from ui import mended, trial_chart, words

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.bias.court import HeadCourt
    from camcore.bias.study import Study
    from camcore.models.saved import SavedNetwork

_PLANTED = HEADS[1]


def show(study: Study, saved: SavedNetwork, trials: dict[str, str]) -> None:
    """The audits of the heads, where there are any, and the way to one of the network. ``trials``: their names."""
    courts = {head.name: head.court for head in study.heads if head.court is not None}
    planted = courts.get(_PLANTED)
    if planted is not None:
        st.markdown(words.together(conclusion(study, courts)))
        left, right = st.columns(2, gap="medium")
        with left:
            bars = "" if planted.first is None else trial_chart.bars(planted.first)
            if bars:
                st.html(bars)
        with right:
            st.html(_suspects(courts))
            if planted.mended:
                before = next(head.accuracy for head in study.heads if head.name == _PLANTED)
                rows = [(f"right, {trials[key]}", before[key], planted.mended[key]) for key in TRIALS]
                st.html(mended.rows(rows, "planted"))
    st.markdown(
        "An **audit** does the same for any network and pictures. What you then call a shortcut is taken out of a copy "
        "of the network, which is audited again and held against the old one."
    )
    st.page_link(
        "pages/audit.py",
        label="Audit this network",
        icon=":material/fact_check:",
        query_params={"model": saved.name},
    )


def conclusion(study: Study, courts: dict[str, HeadCourt]) -> str:
    """The findings of the audits, in a few sentences of Markdown."""
    planted = courts[_PLANTED]
    first = planted.first
    begin = "**Would an audit have found it?** "
    asked = "Each network was also audited on the marked test pictures, and the audit was not told of the mark. "
    if first is None or not first.suspect:
        return f"{begin}Not here. {asked}It suspects nothing in *planted*.{_others(courts)}"
    found = (
        f"In *planted* it suspects {counted(first.size, 'picture')} predicted as “{words.label(first.label)}”, "
        f"{planted.marked:,} of them with the mark. {trial_chart.sentence(first)}"
    )
    right = planted.mended.get("swapped")
    before = next(head.accuracy["swapped"] for head in study.heads if head.name == _PLANTED)
    mending = (
        f" With that taken out of its head, it is right for **{words.percent(right.value)}** with the mark swapped, "
        f"{words.percent(before.value)} before."
        if right is not None
        else ""
    )
    answer = "Yes." if planted.marked else "Not the mark, but something else."
    return f"{begin}{answer} {asked}{found}{mending}{_others(courts)}"


def _others(courts: dict[str, HeadCourt]) -> str:
    """The heads besides the planted one: in which of them something is suspected."""
    clean = [name for name, one in courts.items() if name != _PLANTED and not one.suspects]
    told = f" In {' and '.join(f'*{name}*' for name in clean)} it suspects nothing." if clean else ""
    for name, one in courts.items():
        if name != _PLANTED and one.suspects and one.first is not None:
            told += f" In *{name}* it suspects {counted(one.first.size, 'picture')}, too{_turned_only(one.first)}."
    return told


def _turned_only(one: Group) -> str:
    """A clause on a suspicion that rests on few turned pictures; empty where many were turned."""
    figures = None if one.verdict is None else one.verdict.figures
    if figures is None or figures.sufficiency.value >= LEAST:
        return ""
    own = figures.sufficiency
    return f", though what they share turns only {own.count:,} of {own.n:,}: a suspicion is a question, not a proof"


def _suspects(courts: dict[str, HeadCourt]) -> str:
    """A table of the heads: how many of their groups are suspects, and what the first one's patches do."""
    lines = "".join(
        f"<tr><th>{html.escape(name)}</th><td><b>{one.suspects:,}</b> <small>of {counted(one.groups, 'group')}</small>"
        f"</td><td>{_turned(one.first)}</td></tr>"
        for name, one in courts.items()
    )
    return (
        '<table class="cam-mended"><thead><tr><th>network</th><th>suspected of a shortcut</th>'
        f"<th>turned by its first group’s patches</th></tr></thead>{lines}</table>"
    )


def _turned(one: Group | None) -> str:
    figures = None if one is None or one.verdict is None else one.verdict.figures
    return "not tried" if figures is None else mended.share(figures.sufficiency)
