"""The figures of a group's trial as bars: its patches beside their controls."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.audits.groups import Group
    from camcore.metrics.intervals import Rate


def bars(one: Group) -> str:
    """The trial of a group as HTML; empty where it was not tried."""
    figures = None if one.verdict is None else one.verdict.figures
    if figures is None:
        return ""
    label, kind = html.escape(words.label(one.label)), "cam-trial cam-trial-suspect" if one.suspect else "cam-trial"
    pasted = [("its patches", figures.sufficiency), ("random patches", figures.random)]
    if figures.others is not None:
        pasted.append(("patches of other groups" if one.alike else "pieces of pictures without it", figures.others))
    painted = [("its patch", figures.necessity), ("a random patch", figures.random_necessity)]
    return _chart(kind, f"Pasted into pictures of other classes: became “{label}”", pasted) + _chart(
        kind, f"Painted over in its own pictures: no longer “{label}”", painted
    )


def _chart(kind: str, title: str, rows: Sequence[tuple[str, Rate]]) -> str:
    known = [(name, one) for name, one in rows if one.n]
    if not known:
        return ""
    lines = "".join(_bar(name, one, lead=place == 0) for place, (name, one) in enumerate(known))
    return f'<div class="{kind}"><b>{title}</b>{lines}</div>'


def _bar(name: str, one: Rate, lead: bool) -> str:
    low, high = (100 * end for end in (one.low, one.high))
    kind = ' class="cam-trial-lead"' if lead else ""
    interval = f"95 % interval {low:.0f} to {high:.0f} %"
    return (
        f'<div{kind} title="{interval}"><span>{name}</span><i><u style="width:{100 * one.value:.1f}%"></u>'
        f'<s style="left:{low:.1f}%;width:{high - low:.1f}%"></s></i>'
        f"<span>{one.count:,} of {one.n:,}, {words.percent(one.value)}</span></div>"
    )
