"""The rules of a policy judged on two versions: passed, failed or not examined, each in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from camcore.release.kinds import AT_LEAST, BEST, FIGURE, PASS, WORST, Rule
from camcore.release.measured import Figure, Measured, measure
from camcore.text import MINUS, counted

if TYPE_CHECKING:
    from camcore.release.policy import Policy
    from camcore.release.versions import Versions

State = Literal["passed", "failed", "not examined"]
PASSED: State = "passed"
FAILED: State = "failed"
NOT_EXAMINED: State = "not examined"

_LET_PASS = "The policy lets that pass."
_REFUSES = "That refuses, unless the policy says if_not_examined = 'pass'."
_NARROWER = "The figure itself keeps the limit, and more pictures would make its interval narrower."


@dataclass(frozen=True)
class Judgement:
    """A rule, its ``figure`` (None where it cannot be had), and whether it is kept.

    ``remark``: what could not be examined, and what to do; empty where there is nothing to say.
    """

    rule: Rule
    figure: Figure | None
    state: State
    remark: str = ""

    @property
    def refuses(self) -> bool:
        """Tell whether the new version may not replace the old one because of this rule."""
        return self.state == FAILED or (self.state == NOT_EXAMINED and self.rule.if_not_examined != PASS)

    @property
    def subject(self) -> str:
        """The figure in words, and of which class or group it is."""
        words = self.rule.kind.figure
        if self.rule.name == "reasons_moved":
            words += f", its {self.rule.reason} more than {self.rule.distance:g} away"
        of = f" ({self.figure.of})" if self.figure is not None and self.figure.of else ""
        return f"{words[0].upper()}{words[1:]}{of}"

    @property
    def figure_text(self) -> str:
        """The figure with its interval, as ``95.1 % (93.4 to 96.9)``; a dash where there is none."""
        one, rule = self.figure, self.rule
        if one is None:
            return "–"
        value = f"{amount(rule, one.value)}{unit(rule)}"
        return value if one.low == one.high else f"{value} ({amount(rule, one.low)} to {amount(rule, one.high)})"

    @property
    def limit_text(self) -> str:
        """The limit, and what must keep it, as ``at least 90 %, the worse end of the interval``."""
        words = {WORST: ", the worse end of the interval", BEST: ", the better end of the interval", FIGURE: ""}
        side = "at least" if self.rule.kind.limit == AT_LEAST else "at most"
        limit = amount(self.rule, self.rule.limit, as_given=True)
        return f"{side} {limit}{unit(self.rule)}{words[self.rule.by] if self.rule.kind.interval else ''}"

    @property
    def sentence(self) -> str:
        """All of that: the figure, of how many pictures, the limit, and the remark."""
        if self.figure is None:
            return self.remark
        counts = "" if self.rule.kind.whole else f" of {counted(self.figure.n, 'picture')}"
        told = f"{self.subject}: {self.figure_text}{counts}. Asked for: {self.limit_text}."
        return f"{told} {self.remark}" if self.remark else told


def judge(versions: Versions, policy: Policy) -> tuple[Judgement, ...]:
    """The judgement of every rule, in the policy's order."""
    return tuple(judged(rule, measure(versions, rule)) for rule in policy.rules)


def judged(rule: Rule, found: Measured) -> Judgement:
    """The judgement of a rule by its figure. One that keeps it, but leaves something unexamined, is not examined."""
    figure = found.figure
    if figure is not None and not figure.keeps(rule):
        narrow = rule.by == WORST and Figure(figure.value, figure.value, figure.value, figure.n).keeps(rule)
        return Judgement(rule, figure, FAILED, _NARROWER if narrow else "")
    if figure is not None and not found.unknown:
        return Judgement(rule, figure, PASSED)
    then = _LET_PASS if rule.if_not_examined == PASS else _REFUSES
    return Judgement(rule, figure, NOT_EXAMINED, f"Not examined: {found.unknown} {then}")


def amount(rule: Rule, value: float, as_given: bool = False) -> str:
    """A value of a rule's figure: a number of pictures, or a share as per cent with one digit behind the point.

    ``as_given``: with all the digits that a limit was written with.
    """
    if rule.kind.whole:
        return f"{value:,.0f}"
    text = f"{100 * value:{'.10g' if as_given else '.1f'}}"
    return "0.0" if text == "-0.0" else text.replace("-", MINUS)


def unit(rule: Rule) -> str:
    """The unit behind an amount: none, per cent, or the percentage points of a difference."""
    return "" if rule.kind.whole else " points" if rule.kind.low < 0 else " %"
