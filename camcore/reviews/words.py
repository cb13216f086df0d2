"""The sentences of a review: its result, and what that does and does not prove."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from camcore.reviews.decision import NO, REFUSED, SHAM_LEVEL, YES
from camcore.text import counted, percent, readable

if TYPE_CHECKING:
    from camcore.reviews.record import Header, Record, Result


def sentence(record: Record) -> str:
    """The result of a review in a few sentences, or how far it is."""
    header, result = record.header, record.result
    if result is None:
        given = len(record.standing)
        return f"Not finished: {counted(given, 'map')} judged, nothing decided yet." if given else "Just begun."
    if result.state == REFUSED:
        return _refused(result)
    sure, goal = f"with {percent(header.confidence)} confidence", percent(header.goal)
    shams = _shams(result)
    if result.state == YES:
        return (
            f"{at_least(result.low)} of {decisions(header)} have the right reason, {sure}. The goal, {goal}, is "
            f"reached after {_judged(result)}. {shams}"
        )
    if result.state == NO:
        told = (
            f"{at_most(result.high)} of {decisions(header)} have the right reason, {sure}. The goal, {goal}, is missed "
            f"after {_judged(result)}."
        )
        return f"{told} {_empty(header)}{_all_wrong(result) or shams}".strip()
    return (
        f"Not decided: {lower(at_least(result.low))} and {lower(at_most(result.high))} of {decisions(header)} have the "
        f"right reason, each {sure}, after {_judged(result)}. The goal is {goal}. {shams}"
    )


def decisions(header: Header) -> str:
    """The decisions that a review is about."""
    return "the decisions" if header.said is None else f"the “{readable(header.said)}” decisions"


def at_least(share: float) -> str:
    """A lower bound for reading, never above what was proved: ``At least 90.6 %``."""
    return f"At least {floor(1000 * share + 1e-9) / 10:g} %"


def at_most(share: float) -> str:
    """An upper bound for reading, never below what was proved."""
    return f"At most {ceil(1000 * share - 1e-9) / 10:g} %"


def lower(text: str) -> str:
    """A sentence's beginning inside another one."""
    return text[:1].lower() + text[1:]


def _refused(result: Result) -> str:
    if not result.right + result.wrong:
        return "Refused: none of the pictures could be shown, so nothing was judged."
    return (
        f"Refused: {result.shams_right} of {counted(result.sham_maps, 'sham map')} and {result.right} of "
        f"{counted(result.right + result.wrong, 'real map')} were called right, and that is no clear difference "
        f"(Fisher's exact test, p = {result.p:.2g}; at most {SHAM_LEVEL:g} counts). Either the shams were not noticed, "
        "or the real maps lie no better than they do."
    )


def _judged(result: Result) -> str:
    unseen = f" ({result.unseen:,} more could not be shown)" if result.unseen else ""
    return f"{counted(result.right + result.wrong, 'picture')}{unseen}"


def _empty(header: Header) -> str:
    if not header.empty:
        return ""
    return f"{counted(header.empty, 'map')} of {header.pictures + header.empty:,} are zero and count as wrong. "


def _all_wrong(result: Result) -> str:
    if result.right or result.shams_right or not result.wrong:
        return ""
    return (
        "No map at all was called right, real or sham: a reviewer who calls everything wrong ends here, too, and sham "
        "maps cannot tell."
    )


def _shams(result: Result) -> str:
    maps, right = counted(result.sham_maps, "sham map"), result.shams_right
    return f"Of {maps} {right or 'none'} {'were' if right > 1 else 'was'} called right." if result.sham_maps else ""
