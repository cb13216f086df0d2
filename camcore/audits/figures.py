"""Figures of an audit's answers: how many are right, of each class and in all, and which are taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.filters import Filters, condition
from camcore.evaluation.measures import Confusion
from camcore.metrics.intervals import Rate, rate

if TYPE_CHECKING:
    from camcore.audits.store import Audit


MOST = 1000
"""The most classes of a confusion matrix."""


@dataclass(frozen=True)
class ClassFigures:
    """The answers about one class.

    ``found``: of its pictures those that are called so; ``precision``: of the pictures called so those that are of it;
    both without pictures where there are no labels. ``said``: pictures called so. ``probability``: mean of these.
    """

    name: str
    found: Rate
    precision: Rate
    said: int
    probability: float


@dataclass(frozen=True)
class Mistake:
    """Pictures of the class ``label`` that are called ``said``, of the ``of`` pictures of that class."""

    label: str
    said: str
    count: int
    of: int


def accuracy(audit: Audit, where: Filters | None = None) -> Rate:
    """The share of the labelled pictures whose class is said, with its interval; without pictures where none is."""
    chosen = condition(where or Filters())
    row = audit.sql(
        f"select count(correct) as n, count(*) filter (correct) as right_ones from rows where {chosen.text}",
        chosen.parameters,
    )
    return rate(row["right_ones"][0].as_py(), row["n"][0].as_py())


def class_figures(audit: Audit) -> tuple[ClassFigures, ...]:
    """The figures of every class that has pictures or is said, in the order of the network's classes."""
    table = audit.sql(
        """
        with said as (
            select predicted as name, count(*) as said, count(correct) as judged, count(*) filter (correct) as hits,
                   avg(probability) as probability
            from rows where error is null group by predicted
        ), truth as (
            select label as name, count(correct) as n, count(*) filter (correct) as hits
            from rows where error is null and label is not null group by label
        )
        select coalesce(said.name, truth.name) as name, coalesce(truth.n, 0) as n, coalesce(truth.hits, 0) as found,
               coalesce(said, 0) as said, coalesce(judged, 0) as judged, coalesce(said.hits, 0) as hits, probability
        from said full join truth on said.name = truth.name
        """
    ).to_pylist()
    order = {name: place for place, name in enumerate(audit.manifest.network.labels)}
    return tuple(
        ClassFigures(
            row["name"],
            rate(row["found"], row["n"]),
            rate(row["hits"], row["judged"]),
            row["said"],
            float("nan") if row["probability"] is None else row["probability"],
        )
        for row in sorted(table, key=lambda row: (order.get(row["name"], len(order)), row["name"]))
    )


def mistakes(audit: Audit, most: int = 20) -> tuple[Mistake, ...]:
    """The classes taken for another, the most frequent first."""
    table = audit.sql(
        """
        select r.label, predicted, count(*) as n, any_value(totals.n) as total
        from rows r join (select label, count(correct) as n from rows group by label) totals on r.label = totals.label
        where not correct group by r.label, predicted order by n desc, r.label, predicted limit ?
        """,
        (most,),
    )
    return tuple(Mistake(*row.values()) for row in table.to_pylist())


def confusion(audit: Audit) -> Confusion:
    """The counts of each class taken for each, over the classes that occur, in the order of the network's.

    Without classes where more than MOST occur: nobody reads so large a table, and it grows with their square.
    """
    table = audit.sql(
        "select label, predicted, count(*) as n from rows where correct is not null group by label, predicted"
    ).to_pylist()
    present = {name for row in table for name in (row["label"], row["predicted"])}
    if len(present) > MOST:
        return Confusion(np.zeros((0, 0), np.int64), ())
    known = tuple(name for name in dict.fromkeys(audit.manifest.network.labels) if name in present)
    classes = (*known, *sorted(present.difference(known)))
    place = {name: index for index, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), np.int64)
    for row in table:
        counts[place[row["label"]], place[row["predicted"]]] = row["n"]
    return Confusion(counts, classes)


def surest_answers(audit: Audit, bins: int = 20) -> NDArray[np.int64]:
    """A histogram of the probabilities of the classes predicted, in bins of one width from 0 to 1."""
    table = audit.sql(
        "select least(floor(probability * ?)::integer, ? - 1) as bin, count(*) as n from rows where error is null "
        "group by bin",
        (bins, bins),
    )
    counts = np.zeros(bins, np.int64)
    counts[table["bin"].to_numpy()] = table["n"].to_numpy()
    return counts
