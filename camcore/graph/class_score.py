"""The score of a class that a method differentiates, as a value; ``targets`` builds it in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INPUT = ""
"""The path that stands for the network's input."""


@dataclass(frozen=True)
class Score:
    """The score of a class c that is differentiated; y are the logits, p the probabilities.

    ``logit``: y_c, of the network's own kind (see ``Scores``). ``finer``: Σ_d p_d (y_c − α y_d) / Σ_d p_d over the
    classes d of ``against``, or where there are none over the three whose logits are nearest to y_c (Zhang 2025).
    ``rest``: y_c + log p_c.
    """

    kind: Literal["logit", "finer", "rest"] = "logit"
    against: tuple[int, ...] = ()
    alpha: float = 1.0

    @property
    def graph_kind(self) -> str:
        """The part of the graph it needs; the classes and α are fed."""
        return "finer against" if self.kind == "finer" and self.against else self.kind

    @property
    def fed(self) -> tuple[float | tuple[int, ...], ...]:
        """The values fed beside the class."""
        if self.kind != "finer":
            return ()
        return (self.alpha, self.against) if self.against else (self.alpha,)


LOGIT = Score()
