"""The null spread as a policy in TOML: a limit for each rule, with the figures that it comes from as comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from camcore.release.judged import amount, unit
from camcore.release.kinds import AT_LEAST, WORST
from camcore.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from camcore.release.spread import NullFigure, Spread

FEW = 5
"""Networks below which the spread is hardly known."""


def to_toml(spread: Spread) -> str:
    """The policy that all pairs of the networks pass, as ``read_policy`` reads it."""
    return "\n".join(_lines(spread)) + "\n"


def to_facts(spread: Spread) -> dict[str, object]:
    """The spread as values that JSON can hold."""
    return {
        "networks": spread.networks,
        "pictures": spread.pictures,
        "compared": spread.count,
        "margin": spread.margin,
        "rules": [
            {
                "rule": one.rule.name,
                "mean": one.mean if one.figures else None,
                "worst": one.worst if one.figures else None,
                "figures": [figure.value for figure in one.figures],
                one.rule.kind.limit: None if one.unknown else one.rule.limit,
                "not_examined": one.unknown,
            }
            for one in spread.rules
        ],
        "policy": to_toml(spread),
    }


def _lines(spread: Spread) -> Iterator[str]:
    count = len(spread.networks)
    yield f"# Limits that {count} networks of one recipe keep, each in the place of every other, on"
    yield f"# {counted(spread.count, 'picture')} of {_line(spread.pictures)}: {_line(', '.join(spread.networks))}"
    if spread.margin:
        yield f"# Loosened by {spread.margin:g} times the distance of the worst figure from the mean."
    else:
        yield "# A further one may exceed some of them by chance: loosen them (--margin) by what you can give away."
    if count < FEW:
        yield f"# {count} networks show little of what chance does: of {FEW} or more the limits are surer."
    for one in spread.rules:
        yield ""
        yield from _unknown(one) if one.unknown or not one.figures else _table(one)


def _unknown(one: NullFigure) -> Iterator[str]:
    yield f"# [{one.rule.name}] is not examined: {_line(one.unknown)}"


def _table(one: NullFigure) -> Iterator[str]:
    rule, kind = one.rule, one.rule.kind
    edge = "lowest" if kind.limit == AT_LEAST else "highest"
    yield f"[{rule.name}]  # {kind.figure}"
    mean, worst = (f"{amount(rule, value)}{unit(rule)}" for value in (one.mean, one.worst))
    yield f"# mean {mean}, {edge} {worst}"
    yield f"{kind.limit} = {rule.limit:{'.0f' if kind.whole else 'g'}}"
    if kind.interval and rule.by != WORST:
        yield f"by = {json.dumps(rule.by)}"
    for name in kind.choices:
        yield f"{name} = {json.dumps(getattr(rule, name))}"


def _line(text: str) -> str:
    """Text from outside as a part of a comment, on its line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
