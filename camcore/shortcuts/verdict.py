"""The verdict on a group of evidence: the figures of its trial, whether it is suspected, and why, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from camcore.files import Json
from camcore.metrics.intervals import Rate, rate


@dataclass(frozen=True)
class Figures:
    """The figures of a group's trial.

    ``sufficiency``: pictures of other classes that became the group's class by a patch of its members; beside it
    ``random``, by random rectangles of the same members, and ``others``, by patches of the class's other groups; None
    where there are none. In the trial of a style: by the group's, by that of other classes, and by that of the rest of
    the class. ``necessity``: members that left the class where their patch was painted over, beside
    ``random_necessity``, where a random rectangle of its size was.
    """

    sufficiency: Rate
    random: Rate
    others: Rate | None
    necessity: Rate
    random_necessity: Rate


@dataclass(frozen=True)
class Copied:
    """The match with what comes again pixel by pixel: ``within`` the group and in pictures of other classes.

    ``in_place``: the share of the network's input that is the same in all members, at the same place; the match is the
    share of its pixels that agree. 0 where the copy moves about; then the match is the highest correlation.
    """

    within: float
    beside: float
    in_place: float = 0.0


@dataclass(frozen=True)
class Styled:
    """The layer that a group's style was found at; None: the input itself, so that it is one of colours."""

    layer: str | None


@dataclass(frozen=True)
class Verdict:
    """The outcome for a group. ``figures``: None where it was not tried; ``reasons`` then say why."""

    figures: Figures | None
    suspect: bool
    reasons: tuple[str, ...]


def verdict_to_json(one: Verdict | None) -> dict[str, Json]:
    """The fields of a group that say how its trial went; null and empty where there was none."""
    if one is None:
        return {"suspect": False, "sufficiency": None, "necessity": None, "reasons": []}
    made: dict[str, Json] = {"suspect": one.suspect, "sufficiency": None, "necessity": None}
    figures = one.figures
    if figures is not None:
        made["sufficiency"] = {
            "flipped": figures.sufficiency.count,
            **_bounds(figures.sufficiency),
            "random": figures.random.value,
            "random_flipped": figures.random.count,
            "others": None if figures.others is None else figures.others.value,
            "others_flipped": None if figures.others is None else figures.others.count,
            "others_of": None if figures.others is None else figures.others.n,
        }
        made["necessity"] = {
            "fell": figures.necessity.count,
            **_bounds(figures.necessity),
            "random": figures.random_necessity.value,
            "random_fell": figures.random_necessity.count,
        }
    return {**made, "reasons": list(one.reasons)}


def verdict_from_json(content: Json) -> Verdict | None:
    """The verdict of a group out of its fields; None before its trial."""
    reasons = tuple(map(str, content.get("reasons", ())))
    if not reasons:
        return None
    sufficiency, necessity = content["sufficiency"], content["necessity"]
    figures = None
    if sufficiency is not None:
        others = sufficiency["others_flipped"]
        figures = Figures(
            rate(sufficiency["flipped"], sufficiency["of"]),
            rate(sufficiency["random_flipped"], sufficiency["of"]),
            None if others is None else rate(others, sufficiency["others_of"]),
            rate(necessity["fell"], necessity["of"]),
            rate(necessity["random_fell"], necessity["of"]),
        )
    return Verdict(figures, bool(content["suspect"]), reasons)


def _bounds(one: Rate) -> dict[str, Json]:
    return {"of": one.n, "low": one.low if one.n else None, "high": one.high if one.n else None}
