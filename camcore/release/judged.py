"""The rules of a policy judged on two versions: passed, failed or not examined, each in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from camcore.release.kinds import AT_LEAST, BEST, EVIDENCE, FIGURE, PASS, WORST, Rule
from camcore.release.measured import Figure, Measured, measure
from camcore.text import MINUS, counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.release.policy import Policy
    from camcore.release.versions import Versions

State = Literal["passed", "failed", "not examined"]
PASSED: State = "passed"
FAILED: State = "failed"
NOT_EXAMINED: State = "not examined"

_LET_PASS = "The policy lets that pass."
_SIGNED = ("accuracy_lost", "class_accuracy_lost", "evidence_inside_lost")  # differences of shares, in points


@dataclass(frozen=True)
class Judgement:
    """A rule, its ``figure`` (None where it cannot be had), and whether it is kept, with a ``sentence`` on it."""

    rule: Rule
    figure: Figure | None
    state: State
    sentence: str

    @property
    def refuses(self) -> bool:
        """Tell whether the new version may not replace the old one because of this rule."""
        return self.state == FAILED or (self.state == NOT_EXAMINED and self.rule.if_not_examined != PASS)

    @property
    def figure_text(self) -> str:
        """The figure with its interval, as ``95 % (93 % to 97 %)``; a dash where there is none."""
        if self.figure is None:
            return "–"
        value, low, high = (amount(self.rule, one) for one in (self.figure.value, self.figure.low, self.figure.high))
        return value if low == high == value else f"{value} ({low} to {high})"

    @property
    def limit_text(self) -> str:
        """The limit, and of what, as ``at least 90 %, the worse end of the interval``."""
        words = {WORST: ", the worse end of the interval", BEST: ", the better end of the interval", FIGURE: ""}
        side = "at least" if self.rule.kind.limit == AT_LEAST else "at most"
        return f"{side} {amount(self.rule, self.rule.limit)}{words[self.rule.by] if self.rule.kind.interval else ''}"


def judge(versions: Versions, policy: Policy) -> tuple[Judgement, ...]:
    """The judgement of every rule, in the policy's order."""
    return tuple(judged(rule, measure(versions, rule)) for rule in policy.rules)


def judged(rule: Rule, found: Measured) -> Judgement:
    """The judgement of a rule by its figure. One that keeps it, but leaves something unexamined, is not examined."""
    figure = found.figure
    state: State = NOT_EXAMINED
    if figure is not None and not figure.keeps(rule):
        state = FAILED
    elif figure is not None and not found.unknown:
        state = PASSED
    bare = Judgement(rule, figure, state, "")
    return Judgement(rule, figure, state, " ".join(_sentences(bare, found.unknown)))


def amount(rule: Rule, value: float) -> str:
    """A value of a rule's figure: a number of pictures, a share, or a difference of shares in percentage points."""
    if rule.kind.whole:
        return f"{value:,.0f}"
    if rule.name not in _SIGNED:
        return percent(value)
    text = f"{100 * value:+.1f}"
    return f"{'0.0' if text in ('+0.0', '-0.0') else text.replace('-', MINUS)} points"


def _sentences(one: Judgement, unknown: str) -> Sequence[str]:
    rule, figure = one.rule, one.figure
    said = []
    if figure is not None:
        of = f" ({figure.of})" if figure.of else ""
        counts = "" if rule.kind.whole else f" of {counted(figure.n, 'picture')}"
        said.append(f"{_subject(rule)}{of}: {one.figure_text}{counts}. Asked for: {one.limit_text}.")
        if one.state == FAILED and _end_only(rule, figure):
            said.append("The figure itself keeps the limit, but so few pictures do not prove it. Give more.")
    if one.state == NOT_EXAMINED:
        said.append(f"Not examined: {unknown}")
        said.append("That refuses, unless the policy says if_not_examined = 'pass'." if one.refuses else _LET_PASS)
    return said


def _subject(rule: Rule) -> str:
    words = rule.kind.figure
    if rule.name == "reasons_moved":
        what = "evidence" if rule.reason == EVIDENCE else "map"
        words += f", its {what} more than {rule.distance:g} away"
    return words[0].upper() + words[1:]


def _end_only(rule: Rule, figure: Figure) -> bool:
    """Tell whether the limit is missed by the end of the interval alone."""
    return rule.by == WORST and Figure(figure.value, figure.value, figure.value, figure.n).keeps(rule)
