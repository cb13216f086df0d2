"""The progress of an audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from camcore.audits import schema
from camcore.metrics.intervals import Rate, rate

Stage = Literal["pictures", "groups", "court", "report", "done"]

LATEST = 8
"""The most rows that a step shows."""


@dataclass(frozen=True)
class AuditStep:
    """The progress of an audit: ``done`` of ``total`` pictures have their row, ``failed`` of them one with an error.

    ``seconds``: since the audit was begun or taken up; ``kept``: rows that were there by then. ``stage``: what is being
    made, ``pictures``, then ``groups``, their trials in the ``court`` and the ``report``; at last ``done``.
    ``labelled``: answers to pictures with a label, ``right``: those of them that are. ``latest``: the newest rows,
    LATEST at most. ``tried``: in the court, of so many ``trials``, the pictures that the network has to answer there.
    """

    done: int
    total: int
    failed: int
    seconds: float
    kept: int = 0
    stage: Stage = "pictures"
    tried: int = 0
    trials: int = 0
    labelled: int = 0
    right: int = 0
    latest: pa.Table = field(default_factory=schema.SCHEMA.empty_table, repr=False, compare=False)

    @property
    def accuracy(self) -> Rate:
        """The share of right answers so far; without pictures where there are no labels."""
        return rate(self.right, self.labelled)

    @property
    def pictures_per_second(self) -> float:
        """The pace since it was begun or taken up; NaN before the first."""
        return (self.done - self.kept) / self.seconds if self.done > self.kept and self.seconds else float("nan")

    @property
    def seconds_left(self) -> float:
        """Seconds that the rest will take at the same pace; 0 where there is none."""
        return (self.total - self.done) / self.pictures_per_second if self.done < self.total else 0.0
