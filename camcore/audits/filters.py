"""Filters and orders of an audit's rows, and their SQL: the only place where a choice becomes a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from camcore.checks import Check, flag, many, number, one_of, optional, text, whole

LISTING = "listing"

_ORDERS: Mapping[str, str] = MappingProxyType(
    {
        LISTING: '"index"',
        "surest": 'probability desc nulls last, "index"',
        "least sure": 'probability nulls last, "index"',
        "true class least": 'label_probability nulls last, "index"',
        "name": "path",
    }
)

ORDERS = tuple(_ORDERS)
"""As the pictures were listed; the surest answers first, or last; by the probability of the true class; by name."""


an_order = one_of(*ORDERS, kind="order of an audit's rows")


@dataclass(frozen=True)
class Filters:
    """A choice of rows; None, 0 to 1 and empty text choose all that have an answer.

    ``said``: the class predicted; ``label``: the true one. ``right``: the two are the same. ``low``, ``high``: of the
    probability of the class predicted. ``group``: its place in ``groups.json``. ``search``: text in the path, in
    capitals or not. ``paths``: these pictures only. ``failed``: the pictures that could not be used, instead of those
    with an answer.
    """

    said: str | None = None
    label: str | None = None
    right: bool | None = None
    low: float = 0.0
    high: float = 1.0
    group: int | None = None
    search: str = ""
    paths: tuple[str, ...] | None = None
    failed: bool = False

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))


_CHECKS: Mapping[str, Check[object]] = {
    "said": optional(text),
    "label": optional(text),
    "right": optional(flag),
    "low": number(),
    "high": number(),
    "group": optional(whole(0, 1 << 62)),
    "search": text,
    "paths": optional(many(text)),
    "failed": flag,
}


@dataclass(frozen=True)
class Condition:
    """A condition of SQL and the values of its parameters."""

    text: str
    parameters: tuple[object, ...] = ()


def condition(filters: Filters) -> Condition:
    """The condition that chooses the rows of ``filters``."""
    parts: list[tuple[str, tuple[object, ...]]] = [(f"error is {'not ' * filters.failed}null", ())]
    for column, value in (
        ("predicted", filters.said),
        ("label", filters.label),
        ("correct", filters.right),
        ('"group"', filters.group),
    ):
        if value is not None:
            parts.append((f"{column} = ?", (value,)))
    if filters.low > 0 or filters.high < 1:
        parts.append(("probability between ? and ?", (filters.low, filters.high)))
    if filters.search:
        parts.append(("contains(lower(path), lower(?))", (filters.search,)))
    if filters.paths is not None:
        parts.append(("path in (select unnest(?::varchar[]))", (list(filters.paths),)))
    values = tuple(value for _, parameters in parts for value in parameters)
    return Condition(" and ".join(text for text, _ in parts), values)


def order_by(order: str) -> str:
    """The SQL of one of ORDERS."""
    return _ORDERS[order]
