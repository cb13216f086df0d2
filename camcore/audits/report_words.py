"""The sentences of an audit's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from camcore.audits.clustering import LEAST
from camcore.methods import METHODS
from camcore.report.blocks import rate_text
from camcore.shortcuts.rule import FALSE_ALARMS
from camcore.text import counted, percent, readable, sides

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.audits.manifest import Manifest
    from camcore.metrics.intervals import Rate
    from camcore.shortcuts.judgements import Judgement
    from camcore.shortcuts.mended import Mending

_CHANNELS = 5  # named on a card


GROUPS = (
    "The pictures of each predicted class, grouped by similar evidence. Each group has its mean map and, from its most "
    "typical pictures, the patch that holds half of the map."
)


def answer(right: Rate, failed: int) -> str:
    """The audit's outcome in a sentence or two."""
    could_not = f" {counted(failed, 'picture')} could not be used." if failed else ""
    if not right.n:
        return (
            f"The true classes of these pictures are not known, so it cannot be said how often it is right.{could_not}"
        )
    return (
        f"The network is right on {right.count:,} of {counted(right.n, 'picture')}: {percent(right.value)}. On others "
        f"like these it is right on {percent(right.low)} to {percent(right.high)}, with 95 % confidence.{could_not}"
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
    of_class = f"{percent(one.share)} of those predicted as {readable(one.label)}"
    nothing = "" if one.evidence else ". Their maps are zero everywhere: at this layer nothing supports the class"
    return f"{counted(one.size, 'picture')}, {of_class}{nothing}"


def beside_class(one: Group) -> str:
    """The accuracy of a group's answers beside the class's; empty without labels."""
    if one.accuracy is None or one.class_accuracy is None:
        return ""
    return f"right in {rate_text(one.accuracy)}; in the whole class {percent(one.class_accuracy.value)}"


def failing(groups: Sequence[Group]) -> str:
    """Introduction to the list of failing groups: how many of them lie clearly below their class."""
    clearly = sum(one.clearly_failing for one in groups)
    if clearly:
        kind = f"{clearly:,} of {len(groups):,} clearly so: the accuracy of the class lies above the whole interval."
    else:
        kind = "None of them clearly so: the accuracy of the class lies within their intervals."
    return f"Groups of similar evidence that are right less often than their class, the worst first. {kind}"


def channels(one: Group) -> str:
    """The channels that stand out in a group; empty where it is all of its class."""
    named = [c for c in one.channels if c.mean > c.class_mean][:_CHANNELS] if one.share < 1 else []
    if not named:
        return ""
    texts = [f"{c.channel} ({c.mean:.2f}, class {c.class_mean:.2f})" for c in named]
    return f"Channels that are stronger than in the class as a whole: {', '.join(texts)}"


def stability(one: Group) -> str:
    """The stability of a class's division."""
    if one.share == 1 or not one.stability.seeds:
        return ""
    seeds = one.stability.seeds
    return (
        f"Stability of the class's groups (adjusted Rand index): {sum(seeds) / len(seeds):.2f} between seeds, "
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


def flagged(one: Group) -> str:
    """The mark on a group's card; empty where there is none."""
    marks = ["suspected of a shortcut"] if one.suspect else []
    if one.clearly_failing:
        marks.append("clearly less accurate than its class")
    return ", ".join(marks)


def trial(one: Group) -> tuple[str, ...]:
    """The sentences of a group's trial; none before it. Beside a suspicion stands how often it is a false alarm."""
    if one.verdict is None:
        return ()
    return (*one.verdict.reasons, FALSE_ALARMS) if one.suspect else one.verdict.reasons


def turned(one: Group, count: int) -> str:
    """The caption of examples of a group's trial."""
    return f"{counted(count, 'picture')} of other classes in this trial, before and after: now “{readable(one.label)}”"


def judgement(one: Judgement) -> str:
    """A person's judgement on a group."""
    time = f"{one.time[:16].replace('T', ' ')} UTC"
    if one.answer == "unsure":
        return f"A person was not sure whether it is a shortcut ({time})."
    what = "a shortcut" if one.answer == "shortcut" else "the object itself, not a shortcut"
    return f"Judged by a person: {what} ({time})."


def mended(name: str, one: Mending) -> str:
    """A network that was mended of a group, before and after."""
    known = [
        f"{figure} {percent(before.value)} before, {percent(after.value)} after"
        for figure, before, after in one.rows
        if before is not None and after is not None and before.n and after.n
    ]
    return f"Mended in the network “{name}”: {'; '.join(known) or 'no picture to try it on'}."


def limits(manifest: Manifest, labelled: bool) -> list[str]:
    """The limits of the report, in plain words."""
    method = METHODS[manifest.method]
    texts = [
        f"{method.title} shows: {method.summary} Its limits: {method.weaknesses}",
        "A group holds pictures with similar evidence at this layer: the activations under the map. A suspicion comes "
        "from experiments on the pixels. Whether the group is a shortcut has to be judged by a person, from the "
        "patches; a shortcut that every picture of a class has is suspected of nothing.",
        "The number of groups is the one on which random halves of the pictures agree best. Where the index between "
        "halves is low, the borders between groups are arbitrary.",
    ]
    if labelled:
        texts += [
            "Intervals hold for pictures drawn as these were. They say nothing about pictures from elsewhere.",
            "Labels are taken as they are. A wrong label counts as a wrong answer.",
            "Among many groups some lie below their class by chance: of forty, about one will appear to do so clearly.",
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
