"""A decision as an entry of a report, for the page, HTML, PDF and a presentation, and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from camcore.audits import report_words
from camcore.audits.groups import rate_to_json
from camcore.audits.report_sections import group_card, mean_print
from camcore.decision.decide import HEADLINES, Decision
from camcore.decision.points import OPEN, counting
from camcore.report.blocks import Block, Bullets, Cards, Facts, Paragraph, Prints, Section, Table
from camcore.report.document import AuditItem
from camcore.report.record import to_json
from camcore.text import one_line, percent, readable

if TYPE_CHECKING:
    from camcore.files import Json

CLASSES, SUSPECTS, MEANS = 24, 8, 12
"""The most of each that is shown."""
NOT_EXAMINED = "What was not examined"
RULES_TITLE = "How this answer is made"
RULES = (
    f"“{HEADLINES['no']}” if a person judged a suspected group to be a shortcut, a review by a person missed its goal, "
    "a gate refused the network, or its accuracy is not clearly above naming the most frequent class every time.",
    f"“{HEADLINES['open']}” if not that, but its accuracy on new pictures (neither learned from nor chosen by) is not "
    "known, no audit has tried its answers for shortcuts, a suspected group is not settled by a person, or no review "
    "is decided.",
    f"“{HEADLINES['clear']}” if neither.",
    "It is advice from what is kept of the network; nothing was measured for it. How good is good enough depends on "
    "what a mistake costs: people decide that.",
)
LIMITS = (
    "Pictures from elsewhere: another camera, another place, another year. All figures hold for pictures like those "
    "used here.",
    "Pictures of none of its classes: it names one of them anyway.",
    "A shortcut that every picture of a class has, which no trial on the same pictures can show.",
    "What a mistake costs, and who bears it.",
)


def entry(decision: Decision) -> AuditItem:
    """The decision as an entry of a report, which needs neither network nor audit any more."""
    return AuditItem(
        title=f"May we use {one_line(decision.network)}?",
        source="From what evaluation, audit, reviews, gate and training left",
        answer=f"{decision.headline}. {reason(decision)}",
        numbers=tuple(numbers(decision)),
        sections=tuple(_sections(decision)),
        notes=decision.notes,
        files={"decision.json": to_json(summary(decision))},
    )


def reason(decision: Decision) -> str:
    """The reason that decides, in a sentence or two."""
    against = [one.text for one in decision.points if one.state == "against"]
    if against:
        return " ".join(against)
    if decision.missing:
        return f"Still missing: {'; '.join(one.lacks for one in decision.missing)}."
    used = counting(decision.measured)
    assert used is not None, "it is among the required points"
    return (
        f"On pictures like those it was tried on, expect it to be right on {percent(used.right.low)} to "
        f"{percent(used.right.high)}. Whether that is enough, you decide."
    )


def numbers(decision: Decision) -> Iterator[tuple[str, str, str]]:
    """The large figures: value, name, and a note."""
    used = counting(decision.measured)
    if used is not None:
        right = used.right
        yield percent(right.value), "right", f"{percent(right.low)} to {percent(right.high)}, of {right.n:,} pictures"
        if used.weakest is not None:
            name, found = used.weakest
            yield percent(found.value), f"of “{readable(name)}” found", "the class found least often"
    tried = [one for one in decision.groups if one.verdict is not None and one.verdict.figures is not None]
    if tried:
        suspects = sum(one.suspect for one in decision.groups)
        yield (
            f"{suspects:,}",
            "suspected shortcut" if suspects == 1 else "suspected shortcuts",
            f"of {len(tried)} tried",
        )
    open_points = [one for one in decision.points if one.state == OPEN]
    if open_points:
        yield f"{len(open_points)}", "not examined", "questions still open"


def _sections(decision: Decision) -> Iterator[Section]:
    more = {"accuracy": _accuracy, "looks": _looks, "shortcuts": _shortcuts, "people": _people}
    for point in decision.points:
        blocks = tuple(more[point.key](decision)) if point.key in more else ()
        if blocks or point.state != OPEN:
            yield Section(point.question, (Paragraph(point.text), *blocks))
    unexamined = [f"{one.question} {one.remedy}" for one in decision.points if one.state == OPEN]
    yield Section(NOT_EXAMINED, (Bullets((*unexamined, *LIMITS)),))
    yield Section(RULES_TITLE, (Bullets(RULES), *_facts(decision)))


def _accuracy(decision: Decision) -> Iterator[Block]:
    if not decision.measured:
        return
    rows = tuple((one.source, one.right, one.caution) for one in decision.measured)
    yield Table(("pictures", "right", "beware"), rows)
    used = counting(decision.measured)
    classes = () if used is None else used.classes
    present = sorted((one for one in classes if one[1].n), key=lambda one: one[1].high)
    if present:
        shown = tuple((readable(name), found, f"{found.n:,}") for name, found in present[:CLASSES])
        yield Table(("class, found least often first", "found", "pictures"), shown, frozenset((2,)))
    if len(present) > CLASSES:
        yield Paragraph(f"{len(present) - CLASSES:,} more classes are found more often.", quiet=True)


def _looks(decision: Decision) -> Iterator[Block]:
    if decision.averages:
        yield Prints(tuple(map(mean_print, decision.averages[:MEANS])), maps=True)


def _shortcuts(decision: Decision) -> Iterator[Block]:
    suspects = [one for one in decision.groups if one.suspect][:SUSPECTS]
    if suspects and decision.audit is not None:
        yield Cards(tuple(group_card(decision.audit, one) for one in suspects))


def _people(decision: Decision) -> Iterator[Block]:
    if decision.reviews:
        yield Facts(tuple((one.about, one.text) for one in decision.reviews))


def _facts(decision: Decision) -> Iterator[Block]:
    if decision.audit is not None:
        kept = {"Network", "Weights", "Weights' SHA-256", "Method", "Framing", "Sample", "Versions"}
        facts = tuple(one for one in report_words.facts(decision.audit.manifest) if one[0] in kept)
        yield Facts((("Audit", decision.audit.folder.name), *facts))


def summary(decision: Decision) -> dict[str, Json]:
    """All of a decision as values that JSON can hold."""
    return {
        "network": decision.network,
        "answer": decision.answer,
        "headline": decision.headline,
        "reason": reason(decision),
        "points": [
            {
                "key": one.key,
                "question": one.question,
                "state": one.state,
                "required": one.required,
                "text": one.text,
                "remedy": one.remedy,
            }
            for one in decision.points
        ],
        "accuracy": [
            {"source": one.source, **rate_to_json(one.right), "counts": one.counts, "caution": one.caution}
            for one in decision.measured
        ],
        "suspects": [
            {"class": one.label, "number": one.number, "share": one.share} for one in decision.groups if one.suspect
        ],
        "reviews": [{"file": one.file.name, "text": one.text} for one in decision.reviews],
        "audit": None if decision.audit is None else decision.audit.folder.name,
        "not_examined": list(LIMITS),
        "notes": list(decision.notes),
    }
