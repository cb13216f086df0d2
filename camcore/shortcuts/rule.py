"""The rule by which a group is suspected of resting on a shortcut, and its reasons in sentences.

A group is suspect where one of these holds:

1. *A copy that works.* What its answers rest on comes again in its members pixel by pixel, and not in pictures of other
   classes (``camcore.shortcuts.copies``). Pasted into these it moves them farther towards the class than pieces of
   pictures of the class that have no copy do at the same places: in score, by at least LEAST_OF_COPIES of what these
   leave missing to the class, by the lower end of the 95 % interval; beyond the class nothing counts. What any foreign
   piece does to a picture is no cue, nor is a part of the object that shows through a watermark. And it turns one in
   twenty more of them than these pieces do, or than its own patches with the copy painted over. Photographs of a thing
   do not repeat pixels; marks, texts, borders and objects that were put into pictures do. A copy that is at the same
   place in all members is pasted there, in its shape; its controls are the same part of other pictures of other
   classes, and this part painted over, and gains count beyond the better of the two.
2. *Patches that work far better than others of the class.* The group's evidence is alike (its sameness is positive),
   its patches turn at least a fifth of other pictures, and it is proved that they turn FACTOR times as many as those of
   the class's other groups do: the lower end of its interval is FACTOR times the upper end of theirs. Faces turn more
   than other parts of an animal, too, and are no shortcut; three times as many, by the shares alone, are not rare in
   clean networks. The interval is also apart from that of random pieces of the same pictures, which are mostly without
   the cue; or these, too, turn FACTOR times as many as random pieces of the other groups: then what counts lies all
   over the picture, as a texture does.
3. *A style that works.* In the colours of the input, or at an early layer (``camcore.shortcuts.styles``), pictures of
   other classes, given the group's style, move towards the class: in score, by at least WAY_OF_STYLES of what the
   better of two controls leaves missing, by the lower end of the interval. These are the style of pictures of other
   classes that were chosen in the same way, and that of the rest of the class: leaves are green, and that is no
   shortcut. Some pictures of a class differ from the rest by nature, as orange cats do, and move others a quarter of
   the way. So a blur, a compression or a cast of colour is found, of which no piece can be pasted.

Necessity and the share of the class stand beside it and decide nothing: a genuine part of an object turns pictures,
too, and a picture of a dog with a mark stays a dog without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from camcore.shortcuts.reasons import reasons
from camcore.shortcuts.verdict import Figures, Verdict

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.metrics.intervals import Rate
    from camcore.shortcuts.trial import Tally


FACTOR = 3.0
"""Least ratio of a suspect's patches to the controls', where it is no copy, at the worse ends of their intervals."""
LEAST = 0.2
"""The least share of other pictures that such patches turn."""


WAY_OF_STYLES = 1 / 3
"""The least share of the way to the class that a style moves a picture beyond the better of its controls."""
LEAST_OF_COPIES = 0.1
"""The least share of the way to the class that a copy moves a picture beyond pieces without it."""
LEAST_TURNED = 0.05
"""The least share of pictures that a copy turns beyond those that one of its controls turns."""
FALSE_ALARMS = (
    "False alarms: of 20 networks that had met no shortcut, 0 were accused (95 % interval 0 to 16 %). "
    "A suspicion is a question to a person, not a proof."
)
"""The measured rate of false alarms, beside every suspicion: a line of benchmarks/shortcuts.py."""


def judged(group: Group, tally: Tally, others: Tally | None, doubted: bool) -> Verdict:
    """The verdict on a group that was tried. ``others``: the trials of the class's other groups together.

    ``doubted``: False where its first trial showed nothing, so that there was no second one.
    """
    beside = None if others is None else others.sufficiency
    if not group.alike:
        beside = tally.rest
    figures = Figures(tally.sufficiency, tally.random, beside, tally.necessity, tally.random_necessity)
    if group.copied is not None:
        suspect = _copy_works(tally)
    elif group.styled is not None:
        suspect = tally.way >= WAY_OF_STYLES
    else:
        suspect = doubted and others is not None and group.sameness > 0 and works_better(tally, others)
    return Verdict(figures, suspect, tuple(reasons(group, figures, suspect, tally)))


def works_better(tally: Tally, others: Tally, clearly: bool = True) -> bool:
    """Tell a group whose patches work far better than those of the class's other groups.

    ``clearly``: beyond the intervals, not only by the shares.
    """
    if not tally.pasted or not others.pasted:
        return False
    own = tally.sufficiency
    if not clearly:
        return own.value >= LEAST and own.value >= 2 * others.sufficiency.value
    better = own.value >= LEAST and _times(own, others.sufficiency)
    everywhere = _times(tally.random, others.random)
    return better and (_apart(own, tally.random) or everywhere)


def _copy_works(tally: Tally) -> bool:
    turned = tally.flipped - min(tally.random_flipped, tally.rest_flipped)
    return turned >= LEAST_TURNED * tally.pasted > 0 and tally.way >= LEAST_OF_COPIES


def _apart(one: Rate, other: Rate) -> bool:
    return one.low > other.high


def _times(one: Rate, other: Rate) -> bool:
    return one.low >= FACTOR * other.high


def not_tried(why: str) -> Verdict:
    """The verdict on a group that was not tried."""
    return Verdict(None, False, (why,))
