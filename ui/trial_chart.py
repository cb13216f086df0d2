"""A group's trial in a sentence, and its figures as bars: its patches beside their controls."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, NamedTuple

from camcore.text import counted
from ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.audits.groups import Group
    from camcore.metrics.intervals import Rate


class _Names(NamedTuple):
    """The names of a trial's two parts, and of their bars."""

    given: str
    own: str
    control: str
    others: str
    taken: str
    own_taken: str
    control_taken: str


_PAINTED = ("Painted over in", "its patch", "a random patch")
_NAMES = {
    "alike": _Names("Pasted into", "its patches", "random patches", "patches of other groups", *_PAINTED),
    "copy": _Names("Pasted into", "its patches", "copy painted over", "pieces without it", *_PAINTED),
    "in place": _Names(
        "Pasted at its place into",
        "what comes again",
        "that part painted over",
        "that part of the others",
        "Painted over in",
        "what comes again",
        "a random patch",
    ),
    "style": _Names(
        "Given to", "its style", "style of others", "rest of the class", "Taken from", "its style", "style of others"
    ),
}


_DONE = {
    "alike": ("Their patches, pasted into", "make", "patches of other groups"),
    "copy": ("What they share, pasted into", "makes", "pieces without it"),
    "in place": ("What they share, pasted at its place into", "makes", "that part of the others"),
    "style": ("Their style, given to", "makes", "the style of the rest of the class"),
}


def sentence(one: Group) -> str:
    """A sentence on the trial: the experiment, the pictures turned, those by the control; empty without a trial."""
    figures = None if one.verdict is None else one.verdict.figures
    if figures is None or not figures.sufficiency.n:
        return ""
    done, make, beside = _DONE[_kind(one)]
    own, control = figures.sufficiency, figures.others
    text = (
        f"{done} {counted(own.n, 'picture')} of other classes, {make} {own.count:,} of them “{words.label(one.label)}”"
    )
    if control is None or not control.n:
        return f"{text}."
    return f"{text}; {beside}: {control.count:,} of {control.n:,}."


def bars(one: Group) -> str:
    """The trial of a group as HTML; empty where it was not tried."""
    figures = None if one.verdict is None else one.verdict.figures
    if figures is None:
        return ""
    label, kind = html.escape(words.label(one.label)), "cam-trial cam-trial-suspect" if one.suspect else "cam-trial"
    names = _NAMES[_kind(one)]
    given = [(names.own, figures.sufficiency), (names.control, figures.random)]
    if figures.others is not None:
        given.append((names.others, figures.others))
    taken = [(names.own_taken, figures.necessity), (names.control_taken, figures.random_necessity)]
    return _chart(kind, f"{names.given} pictures of other classes: became “{label}”", given) + _chart(
        kind, f"{names.taken} its own pictures: no longer “{label}”", taken
    )


def _kind(one: Group) -> str:
    if one.styled is not None:
        return "style"
    if one.copied is None:
        return "alike"
    return "in place" if one.copied.in_place else "copy"


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
        f'<div{kind} title="{interval}"><span>{name}</span><i aria-hidden="true">'
        f'<u style="width:{100 * one.value:.1f}%"></u>'
        f'<s style="left:{low:.1f}%;width:{high - low:.1f}%"></s></i>'
        f"<span>{one.count:,} of {one.n:,}, {words.percent(one.value)}</span></div>"
    )
