"""The sentences of an audit's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from camcore.audits.clustering import LEAST
from camcore.methods import METHODS
from camcore.text import counted, percent, readable, sides

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.audits.manifest import Manifest
    from camcore.evaluation.measures import Calibration
    from camcore.metrics.intervals import Rate

_CHANNELS = 5  # named on a card


def interval(one: Rate) -> str:
    """A share with its interval: ``95 % (93 % to 96 %)``; a dash where there is nothing to count."""
    return f"{percent(one.value)} ({percent(one.low)} to {percent(one.high)})" if one.n else "–"


def answer(right: Rate, failed: int) -> str:
    """The audit's outcome in a sentence or two."""
    could_not = f" {counted(failed, 'picture')} could not be used." if failed else ""
    if not right.n:
        return f"Nobody says the true classes of these pictures, so nothing here says how often it is right.{could_not}"
    return (
        f"It is right for {right.count:,} of {counted(right.n, 'picture')}: {percent(right.value)}. For pictures like "
        f"these that is {percent(right.low)} to {percent(right.high)}, with 95 % confidence.{could_not}"
    )


def class_size(one: Group) -> int:
    """The number of pictures that were said to be of a group's class."""
    return round(one.size / one.share)


def divided(one: Group) -> bool:
    """Says whether a group's class had enough pictures to be divided."""
    return class_size(one) >= 2 * LEAST


def group_name(one: Group) -> str:
    """A group by its class and number: ``dog 2``."""
    return f"{readable(one.label)} {one.number}" if one.evidence else f"{readable(one.label)}, no evidence"


def size(one: Group) -> str:
    """The group's size in words."""
    of_class = f"{percent(one.share)} of what is called {readable(one.label)}"
    nothing = "" if one.evidence else ". Their map is zero everywhere: at this layer nothing speaks for the class"
    return f"{counted(one.size, 'picture')}, {of_class}{nothing}"


def beside_class(one: Group) -> str:
    """The accuracy of a group's answers beside the class's; empty without labels."""
    if one.accuracy is None or one.class_accuracy is None:
        return ""
    return f"right in {interval(one.accuracy)}; in the whole class {percent(one.class_accuracy.value)}"


def clearly_failing(failing: Sequence[Group]) -> str:
    """The number of groups that lie clearly below their class, in a sentence."""
    clearly = sum(one.clearly_failing for one in failing)
    if not clearly:
        return "None of them clearly: their intervals reach to the class's accuracy."
    return f"{clearly:,} of {len(failing):,} clearly: the class's accuracy lies above the whole interval."


def channels(one: Group) -> str:
    """The channels that stand out in a group; empty where it is all of its class."""
    named = [c for c in one.channels if c.mean > c.class_mean][:_CHANNELS] if one.share < 1 else []
    if not named:
        return ""
    texts = [f"{c.channel} ({c.mean:.2f}, class {c.class_mean:.2f})" for c in named]
    return f"Channels stronger than in the class: {', '.join(texts)}"


def stability(one: Group) -> str:
    """The stability of a class's division."""
    if one.share == 1 or not one.stability.seeds:
        return ""
    seeds = one.stability.seeds
    return (
        f"Adjusted Rand index of the class's division: {sum(seeds) / len(seeds):.2f} between seeds, "
        f"{one.stability.halves:.2f} between random halves"
    )


def not_shown(groups: Sequence[Group], shown: Sequence[Group]) -> str:
    """The groups that the report leaves out; empty where there are none."""
    classes = {one.label for one in groups if not divided(one)}
    texts = []
    if classes:
        texts.append(
            f"{counted(len(classes), 'class', 'classes')} with fewer than {2 * LEAST} pictures "
            f"{'is' if len(classes) == 1 else 'are'} not divided and not shown here."
        )
    more = sum(map(divided, groups)) - len(shown)
    if more:
        texts.append(f"{counted(more, 'more group')} are in groups.json.")
    return " ".join(texts)


def calibration(told: Calibration) -> str:
    """The calibration error in words."""
    return (
        f"The probability it gives misses the share of right answers by {percent(told.ece)} on average (expected "
        "calibration error, ten bins). Points below the diagonal: surer than it is right."
    )


def limits(manifest: Manifest, labelled: bool) -> list[str]:
    """The limits of the report, in plain words."""
    method = METHODS[manifest.method]
    texts = [
        f"{method.title} shows: {method.summary} Its limits: {method.weaknesses}",
        "A group holds pictures whose evidence at this layer is alike: the activations that the map weighs. Whether it "
        "is a shortcut, a person has to judge from the patches.",
        "The number of groups is the one that random halves of the pictures agree on best. Where the index between "
        "halves is low, the borders between groups are a matter of choice.",
    ]
    if labelled:
        texts += [
            "Intervals hold for pictures drawn as these were. They say nothing about pictures from elsewhere.",
            "Labels are taken as they are. A wrong label counts as a wrong answer.",
            "Among many groups some lie below their class by chance: of forty, about one seems to do so clearly.",
        ]
    return texts


def facts(manifest: Manifest) -> list[tuple[str, str]]:
    """The facts of an audit, by name: network, pictures, method, versions."""
    network = manifest.network
    rows = [
        ("Network", f"{network.name}, input {sides(network.input_size)}, {len(network.labels):,} classes"),
        ("Weights", network.weights_note),
        ("Weights' SHA-256", network.weights_sha256),
        ("Pictures", f"{manifest.pictures} ({counted(manifest.total, 'picture')})"),
        ("Pictures' SHA-256", f"{manifest.pictures_sha256} (over paths and labels)"),
        ("Method", f"{METHODS[manifest.method].title} at {manifest.layer}, grid {sides(manifest.grid)}"),
        ("Framing", manifest.framing),
    ]
    if manifest.limit is not None:
        rows.append(("Sample", f"{manifest.limit:,} at random, seed {manifest.seed}"))
    if manifest.left_out:
        rows.append(("Left out", f"{counted(manifest.left_out, 'other file')} that are no pictures"))
    rows.append(("Work", f"{manifest.seconds:,.0f} s"))
    rows.append(("Versions", ", ".join(f"{name} {number}" for name, number in manifest.versions.items())))
    return rows
