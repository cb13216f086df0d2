"""The questions about a network, each answered from what is there, or with what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from camcore.audits.report_words import group_name
from camcore.reviews.decision import NO, YES
from camcore.shortcuts.state import group_key
from camcore.text import counted, percent, readable

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.decision.measured import MeasuredAccuracy
    from camcore.release.kept import KeptCheck
    from camcore.reviews.listing import Listed
    from camcore.shortcuts.judgements import Judgement

State = Literal["for", "against", "open", "note"]
FOR: State = "for"
AGAINST: State = "against"
OPEN: State = "open"
NOTE: State = "note"

Key = Literal["accuracy", "looks", "shortcuts", "people", "maps", "versions"]
QUESTIONS: dict[Key, str] = {
    "accuracy": "How often is it right?",
    "looks": "Where does it look?",
    "shortcuts": "Does it rely on a shortcut?",
    "people": "Do people find its reasons right?",
    "maps": "Do its maps beat chance?",
    "versions": "May it replace an older version?",
}
REQUIRED: tuple[Key, ...] = ("accuracy", "shortcuts", "people")
"""Without an answer to these there is none to the whole."""

_NAMED = 4


@dataclass(frozen=True)
class Point:
    """A question about a network: what speaks ``for`` it, what ``against`` it, what is ``open``, or a ``note``.

    ``text``: what was found, or that nothing was. Of an open question: ``remedy``, what would answer it, and ``lacks``,
    what is missing, in a few words.
    """

    key: Key
    state: State
    text: str
    remedy: str = ""
    lacks: str = ""

    @property
    def question(self) -> str:
        """The question in words."""
        return QUESTIONS[self.key]

    @property
    def required(self) -> bool:
        """The whole waits for its answer."""
        return self.key in REQUIRED


def counting(measured: Sequence[MeasuredAccuracy]) -> MeasuredAccuracy | None:
    """The accuracy that counts: that on the most new pictures, which had no part in the making of the network."""
    return max((one for one in measured if one.counts and one.right.n), key=lambda one: one.right.n, default=None)


def accuracy(measured: Sequence[MeasuredAccuracy]) -> Point:
    """Right more often than who always names the most frequent class, by the lower end of the interval."""
    used = counting(measured)
    if used is None:
        known = [f"{one.source}: {percent(one.right.value)}. {one.caution}" for one in measured if one.right.n]
        text = " ".join(["Its accuracy on new pictures is not known.", *known])
        remedy = "Audit labelled pictures that it has not learned from."
        return Point("accuracy", OPEN, text, remedy, "its accuracy on new pictures")
    right = used.right
    text = (
        f"It is right on {right.count:,} of {counted(right.n, 'picture')}: {percent(right.value)}. On others like them "
        f"expect {percent(right.low)} to {percent(right.high)} (95 % interval)."
    )
    label, share = used.guess
    if right.low <= share:
        guess = f"Naming “{readable(label)}” every time would be right on {percent(share)}, which is not clearly less."
        return Point("accuracy", AGAINST, f"{text} {guess}")
    weakest = used.weakest
    if weakest is not None:
        name, found = weakest
        text += f" The class found least often is “{readable(name)}”: {percent(found.value)} of {found.n:,}."
    return Point("accuracy", FOR, " ".join(filter(None, (text, used.caution))))


def looks(maps: int, groups: Sequence[Group]) -> Point:
    """Average maps, and groups of alike evidence on which it is clearly worse. ``maps``: how many averages."""
    if not maps:
        return Point(
            "looks", OPEN, "No average maps are kept, so it is not known where it looks.", "An audit averages its maps."
        )
    failing = [one for one in groups if one.clearly_failing]
    text = "The average maps below show where it looks; whether that is the right place, a person has to say."
    if failing:
        text += (
            f" It is clearly less accurate on {counted(len(failing), 'group')} of alike pictures: {_named(failing)}."
        )
    return Point("looks", NOTE, text)


def shortcuts(groups: Sequence[Group], judgements: Mapping[str, Judgement]) -> Point:
    """The groups that an audit tried; a suspect is settled by a person's judgement alone."""
    tried = [one for one in groups if one.verdict is not None and one.verdict.figures is not None]
    if not tried:
        untried = "An audit is there, but its groups were not tried for shortcuts." if groups else ""
        return Point(
            "shortcuts",
            OPEN,
            untried or "Its answers have not been tried for shortcuts.",
            "An audit groups its answers by what they rest on, and tries each group.",
            "a trial of its answers for shortcuts",
        )
    suspects = [one for one in groups if one.suspect]
    said = {group_key(one): judgements.get(group_key(one)) for one in suspects}
    by_answer: dict[str, list[Group]] = {}
    for one in suspects:
        judgement = said[group_key(one)]
        by_answer.setdefault("unsure" if judgement is None else judgement.answer, []).append(one)
    of_tried = f"of {counted(len(tried), 'group')} tried"
    if found := by_answer.get("shortcut"):
        are = "group rests" if len(found) == 1 else "groups rest"
        text = f"A person judged that {len(found)} {are} on a shortcut, {of_tried}: {_named(found)}."
        return Point("shortcuts", AGAINST, text)
    if unsure := by_answer.get("unsure"):
        are = "is suspected" if len(unsure) == 1 else "are suspected"
        text = f"{len(unsure)} {of_tried} {are} of a shortcut, and no person has settled it: {_named(unsure)}."
        remedy = "Look at the suspects on the Audit page, and judge each."
        return Point("shortcuts", OPEN, text, remedy, "a person’s judgement of the suspected groups")
    if suspects:
        text = f"{len(suspects)} {of_tried} looked like a shortcut; a person judged: the object itself."
        return Point("shortcuts", FOR, text)
    return Point("shortcuts", FOR, f"None {of_tried} is suspected of a shortcut.")


def people(reviews: Sequence[Listed]) -> Point:
    """The finished reviews: one that misses its goal speaks against it, whatever others say."""
    results = [(one.record.result.state, one.text) for one in reviews if one.record and one.record.result]
    for state, kind in ((NO, AGAINST), (YES, FOR)):
        told = next((text for found, text in results if found == state), None)
        if told is not None:
            return Point("people", kind, told)
    remedy = "Review a sample of its maps on the Audit page: some minutes of pressing two keys."
    lacks = "a person’s judgement of a sample of its maps"
    if results:
        return Point("people", OPEN, results[0][1], remedy, lacks)
    begun = f" {counted(len(reviews), 'review')} begun, none finished." if reviews else ""
    return Point("people", OPEN, f"No person has judged a sample of its maps.{begun}", remedy, lacks)


def maps(levels: Sequence[str]) -> Point:
    """The verdicts on single maps, by their level."""
    counts = Counter(level for level in levels if level)
    total = counts.total()
    if not total:
        remedy = "Add maps of this network to the report; the Report page checks how far to trust each."
        return Point("maps", OPEN, "No verdict on a map of it is in the report.", remedy)
    parts = [
        f"{counts[level]} {words}"
        for level, words in (
            ("trust", "beat chance"),
            ("caution", "beat chance, with caution"),
            ("distrust", "should not be trusted"),
        )
        if counts[level]
    ]
    return Point("maps", NOTE, f"Of {counted(total, 'map')} in the report that were checked: {', '.join(parts)}.")


def versions(check: KeptCheck | None) -> Point:
    """The outcome of the gate."""
    if check is None:
        return Point(
            "versions",
            OPEN,
            "It was not compared with an older version.",
            "Where it is to replace one, let a gate compare both: python -m camcore check.",
        )
    text = f"The gate {'passed' if check.passed else 'refused'} it in place of {check.old}. {check.verdict}"
    return Point("versions", FOR if check.passed else AGAINST, text)


def _named(groups: Sequence[Group]) -> str:
    more = f" and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    return ", ".join(map(group_name, groups[:_NAMED])) + more
