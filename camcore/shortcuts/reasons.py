"""The reasons of a verdict, in sentences: what was done, how often it worked, and what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from camcore.text import counted, percent, readable

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.metrics.intervals import Rate
    from camcore.shortcuts.trial import Tally
    from camcore.shortcuts.verdict import Figures


def reasons(group: Group, figures: Figures, suspect: bool, tally: Tally) -> list[str]:
    """The sentences on a group that was tried."""
    label = readable(group.label)
    lines = [_found(group)]
    lines += _of_style(label, figures) if group.styled is not None else _of_patches(label, figures, group)
    if not group.alike and tally.way > 0:
        lines.append(
            f"In score it moves them at least {percent(tally.way)} of the way to “{label}” that "
            f"{'pieces without it leave' if _moves(group) else 'the better of these controls leaves'}."
        )
    if group.alike and suspect:
        lines.append("Its patches work far better than those of the class's other groups.")
    if group.copied is not None and not suspect:
        lines.append("It hardly turns more pictures than other pieces do, so the network hardly uses it.")
    if group.styled is not None and suspect:
        lines.append("So the answer rests in part on how the whole picture looks, and not on a thing in it.")
    if tally.missing:
        pictures, were = counted(tally.missing, "picture"), _was(tally.missing)
        lines.append(f"{pictures} could not be opened any more and {were} left out.")
    return lines


def _found(group: Group) -> str:
    if group.copied is not None:
        within, beside, share = group.copied.within, group.copied.beside, group.copied.in_place
        if share:
            return (
                f"What they share comes again pixel by pixel, at the same place: {percent(share)} of the picture, of "
                f"which {percent(within)} agrees in each of them, {percent(beside)} in pictures of other classes."
            )
        return (
            f"What they share comes again pixel by pixel: the best match correlates at {within:.2f} within the group, "
            f"at {beside:.2f} in pictures of other classes."
        )
    if group.styled is not None:
        layer = group.styled.layer
        kind = "a blur, a compression or a grain is one" if layer else "a cast or a loss of colour is one"
        return (
            f"They share a style, as {kind}: given to other pictures{f' at layer {layer}' if layer else ''}, it moves "
            "them farther towards the class than most styles of other classes do."
        )
    return "Nothing in them comes again pixel by pixel."


def _of_patches(label: str, figures: Figures, group: Group) -> list[str]:
    lines, one = [], figures.sufficiency
    verb, controls = "Pasted", ("random patches of the same pictures", "patches of the other groups")
    if group.copied is not None:
        controls = ("the same patches with it painted over", "pieces of pictures without it")
    if group.copied is not None and group.copied.in_place:
        verb, controls = (
            "Pasted at its place",
            ("this part painted over", "this part of other pictures of these classes"),
        )
    if one.n:
        text = (
            f"{verb} into {counted(one.n, 'picture')} of other classes, {one.count:,} became “{label}” "
            f"({_with_interval(one)}); {controls[0]}: {figures.random.count:,}"
        )
        if figures.others is not None and figures.others.n:
            text += f"; {controls[1]}: {percent(figures.others.value)}"
        lines.append(f"{text}.")
    else:
        lines.append("There are no pictures of other classes to paste its patches into.")
    painted = figures.necessity
    if painted.n:
        lines.append(
            f"Painted over in {counted(painted.n, 'picture')} of its own, {painted.count:,} {_was(painted.count)} no "
            f"longer called “{label}” ({_with_interval(painted)}); with a random patch painted over: "
            f"{figures.random_necessity.count:,}."
        )
    return lines


def _of_style(label: str, figures: Figures) -> list[str]:
    one, taken, rest = figures.sufficiency, figures.necessity, figures.others
    if not one.n or rest is None:
        return ["There are too few pictures without this style to try it on."]
    lines = [
        f"Given to {counted(one.n, 'picture')} of other classes, it made {one.count:,} “{label}” "
        f"({_with_interval(one)}); the style of pictures of other classes that were chosen alike: "
        f"{figures.random.count:,}; that of the rest of the class: {percent(rest.value)}."
    ]
    if taken.n:
        lines.append(
            f"Taken from {counted(taken.n, 'picture')} of its own, {taken.count:,} {_was(taken.count)} no longer "
            f"called “{label}” ({_with_interval(taken)}); after as large a change from the controls' style: "
            f"{figures.random_necessity.count:,}."
        )
    return lines


def _moves(group: Group) -> bool:
    """Tell a copy that moves about."""
    return group.copied is not None and not group.copied.in_place


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _with_interval(one: Rate) -> str:
    return f"{percent(one.value)}, {100 * one.low:.0f} to {100 * one.high:.0f}"
