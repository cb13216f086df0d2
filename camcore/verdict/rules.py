"""The verdict on a map, in plain words with the reasons. The rules and their grounds: docs/verdict.md.

A verdict is made of findings, which camcore.verdict.gather gathers; nothing is computed here but comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import expm1, isfinite
from statistics import mean, median
from typing import Literal

from camcore.text import decimal, percent, readable

Level = Literal["trust", "caution", "distrust"]
ReasonKind = Literal["for", "against", "beware", "note"]

# The share of the picture whose hiding the verdict tells of.
HIDDEN = 0.2

# A network whose top class is no more probable than this many times a guess among its classes decides nothing.
UNDECIDED = 1.1

# The log-odds move by less than this, whatever is hidden: there is nothing to explain.
INDIFFERENT = 0.1

# Rank correlation with the map of a network of random weights: this much is the same map, or like it.
SURVIVES, RESEMBLES = 0.7, 0.4

# Relative change under noise that can hardly be seen.
UNSTABLE = 0.5

# Below the one a class is improbable; above the other its probability can hardly rise.
IMPROBABLE, SATURATED = 0.1, 0.999


@dataclass(frozen=True)
class Reason:
    """One reason: ``for`` or ``against`` trust, ``beware`` (trust with caution), or a ``note`` that changes nothing.

    ``key`` names the rule.
    """

    kind: ReasonKind
    key: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """``level``, its ``headline``, and the reasons, those that decide first."""

    level: Level
    headline: str
    reasons: tuple[Reason, ...]

    @property
    def text(self) -> str:
        """Headline and reasons as one paragraph."""
        return " ".join((self.headline, *(reason.text for reason in self.reasons)))


@dataclass(frozen=True)
class Chance:
    """A map beside the centred blob and several random maps on the same picture; see faithfulness.sufficiency.

    Each figure is of the map, of the blob, and of each random map. ``removed``: the share of the score that hiding
    the top 20 % takes away; below 0 where it adds. ``lead``: log-odds of the top shown alone less those of the rest.
    ``spread``: of the log-odds over all these pictures; of an output without probability
    of the output, as a share of its value.
    """

    removed: float
    removed_random: tuple[float, ...]
    lead: float
    lead_centre: float
    lead_random: tuple[float, ...]
    spread: float


@dataclass(frozen=True)
class Findings:
    """The findings that a verdict rests on; None: not checked.

    ``same_everywhere``: no place of the map stands out. ``probability`` of the class and of the ``top`` class, NaN
    where the network gives none; ``top_label``: where another class is on top. ``survival``: rank correlation with
    the map of networks of random weights, one for each. ``random_sureness``: the top probability of each of these.
    ``unchecked``: why these two are not known. ``sensitivity``: relative change under small noise. ``whole_picture``:
    every cell of the layer sees all of the picture. ``warning``: the map's own.
    """

    same_everywhere: bool
    probability: float
    top: float
    top_label: str | None
    classes: int
    chance: Chance
    survival: tuple[float, ...] = ()
    random_sureness: tuple[float, ...] = ()
    unchecked: str | None = None
    sensitivity: float | None = None
    whole_picture: bool = False
    layer: str | None = None
    warning: str | None = None


def judge(findings: Findings) -> Verdict:
    """The verdict on a map. One reason against it: do not trust. One to beware: with caution."""
    reasons = [reason for rule in _RULES for reason in rule(findings)]
    order: tuple[ReasonKind, ...] = ("against", "for", "beware", "note")
    reasons.sort(key=lambda reason: order.index(reason.kind))
    kinds = {reason.kind for reason in reasons}
    if "against" in kinds:
        return Verdict("distrust", "Do not trust this map.", tuple(reasons))
    if "beware" in kinds:
        return Verdict("caution", "This map beats chance, but take it with caution.", tuple(reasons))
    return Verdict("trust", "This map beats chance.", tuple(reasons))


# ---- the rules


def _stands_out(findings: Findings) -> list[Reason]:
    if findings.same_everywhere:
        return [Reason("against", "flat", "It is the same everywhere, so it singles out no place.")]
    return []


def _decides(findings: Findings) -> list[Reason]:
    if findings.top <= UNDECIDED / findings.classes:
        text = (
            f"The network is guessing here: its first class has {percent(findings.top)}, and a blind guess among "
            f"{findings.classes} classes would have {percent(1 / findings.classes)}."
        )
        return [Reason("against", "undecided", text)]
    if findings.random_sureness and findings.top <= max(findings.random_sureness):
        text = (
            f"The network is no surer ({percent(findings.top)}) than one with random weights "
            f"({percent(max(findings.random_sureness))})."
        )
        return [Reason("against", "unsure", text)]
    return []


def _beats_chance(findings: Findings) -> list[Reason]:
    chance = findings.chance
    if not isfinite(chance.lead):
        return [Reason("against", "overflow", "The network’s scores are not finite numbers on this picture.")]
    if chance.spread < INDIFFERENT:
        moved = f"its odds move by {percent(expm1(chance.spread))}"
        if not isfinite(findings.probability):
            moved = f"the output moves by {percent(chance.spread)} of its value"
        text = f"The score hardly depends on the picture: whatever part is hidden, {moved} at most."
        return [Reason("against", "indifferent", text)]
    count = len(chance.lead_random)
    as_good = sum(lead >= chance.lead for lead in chance.lead_random)
    hiding = Reason("note", "hiding", f"{_hiding(chance.removed, mean(chance.removed_random))}.")
    if as_good:
        mark = "marks" if as_good == 1 else "mark"
        text = f"What {as_good} of {count} random maps {mark} matters at least as much to the score."
        return [Reason("against", "chance", text), hiding]
    text = f"What it marks matters more to the score than what any of {count} random maps marks."
    return [Reason("for", "chance", text), hiding]


def _depends_on_weights(findings: Findings) -> list[Reason]:
    if not findings.survival:
        why = findings.unchecked or "that was not checked"
        return [
            Reason("beware", "unchecked", f"Whether it depends on what the network has learned is not known: {why}.")
        ]
    likeness = median(findings.survival)
    shown = f"rank correlation {decimal(likeness)}"
    if likeness >= SURVIVES:
        text = (
            f"It stays nearly the same when the network’s weights are replaced by random ones ({shown}): it shows the "
            "picture, not what the network has learned."
        )
        return [Reason("against", "survives", text)]
    if likeness >= RESEMBLES:
        text = f"It changes only in part when the network’s weights are replaced by random ones ({shown})."
        return [Reason("beware", "resembles", text)]
    return [Reason("for", "depends", f"It changes when the network’s weights are replaced by random ones ({shown}).")]


def _beats_centre(findings: Findings) -> list[Reason]:
    if findings.chance.lead > findings.chance.lead_centre:
        return []
    text = "A blob in the middle does as well, without looking at the picture."
    return [Reason("beware", "centre", text)]


def _is_first(findings: Findings) -> list[Reason]:
    if findings.top_label is not None:
        text = (
            f"The network says “{readable(findings.top_label)}” ({percent(findings.top)}); the class explained has "
            f"{percent(findings.probability)}."
        )
        return [Reason("beware", "not first", text)]
    if findings.probability < IMPROBABLE:
        return [Reason("beware", "improbable", f"The network gives the class only {percent(findings.probability)}.")]
    if findings.probability > SATURATED:
        text = (
            f"The probability is nearly at its limit ({percent(findings.probability)}): much evidence can be hidden "
            "before it falls."
        )
        return [Reason("note", "saturated", text)]
    return []


def _is_stable(findings: Findings) -> list[Reason]:
    if findings.sensitivity is None:
        return []
    change = percent(findings.sensitivity)
    if findings.sensitivity > UNSTABLE:
        text = f"Barely visible noise changes it by {change}."
        return [Reason("beware", "unstable", text)]
    return [Reason("for", "stable", f"Barely visible noise changes it by {change} at most.")]


def _method(findings: Findings) -> list[Reason]:
    reasons = []
    if findings.warning:
        reasons.append(Reason("beware", "warning", findings.warning))
    if findings.whole_picture:
        text = (
            f"Each cell of the layer “{findings.layer}” can see the whole picture, so a bright place shows where the "
            "evidence is held, not always where in the picture it comes from."
        )
        reasons.append(Reason("note", "receptive field", text))
    return reasons


_RULES: tuple[Callable[[Findings], list[Reason]], ...] = (
    _stands_out, _decides, _beats_chance, _depends_on_weights, _beats_centre, _is_stable, _is_first, _method,
)  # fmt: skip


def _hiding(removed: float, by_chance: float) -> str:
    """The effect of hiding the map's top on the score, beside that of hiding a random map's."""
    effect, of_chance = _effect(removed), _effect(by_chance)
    hidden = f"Hiding its top {percent(HIDDEN)}"
    if effect == of_chance == _NO_EFFECT:
        return f"{hidden} hardly changes the score, and neither does hiding a random map’s"
    if effect == of_chance:
        return f"{hidden} {effect}, as hiding a random map’s does on average"
    return f"{hidden} {effect}; hiding a random map’s {of_chance.replace('the score', 'it')} on average"


_NO_EFFECT = "hardly changes the score"


def _effect(removed: float) -> str:
    if abs(removed) < 0.005:
        return _NO_EFFECT
    return f"lowers the score by {percent(removed)}" if removed > 0 else f"raises the score by {percent(-removed)}"
