"""What a comparison has so far: maps, what was refused and why, what waits for the visitor's word. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ui.compare.comparison import Cell, Plan
from ui.facts import Facts
from ui.questions import Failure, NetworkKey


@dataclass(frozen=True, eq=False)
class Found:
    """A map, or what there is of it: ``done`` is the share of its work in 0..1.

    ``change``: how far a growing map moved with its last part, mean |Δvalues| in 0..1.
    """

    map: Any
    done: float = 1.0
    change: float | None = None


@dataclass(frozen=True)
class Bill:
    """What waits until the visitor says so: the methods' titles, forward passes, and seconds on this machine."""

    methods: tuple[str, ...]
    passes: float
    seconds: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is known of a plan's cells; each step of a job replaces it by a fuller one."""

    plan: Plan
    facts: Mapping[NetworkKey, Facts] = field(default_factory=dict)
    found: Mapping[Cell, Found] = field(default_factory=dict)
    refused: Mapping[Cell, str] = field(default_factory=dict)
    failures: Mapping[NetworkKey, Failure] = field(default_factory=dict)
    bill: Bill | None = None

    @property
    def maps(self) -> dict[Cell, Any]:
        """The finished maps, in reading order."""
        return {cell: self.found[cell].map for cell in self.plan.cells if self._whole(cell)}

    @property
    def missing(self) -> tuple[Cell, ...]:
        """The cells that neither have a whole map nor were refused."""
        return tuple(cell for cell in self.plan.cells if not self._whole(cell) and cell not in self.refused)

    @property
    def growing(self) -> Found | None:
        """A map of which a part is there; of several, the fullest."""
        parts = [f for cell in self.plan.cells if (f := self.found.get(cell)) is not None and f.done < 1.0]
        return max(parts, key=lambda f: f.done, default=None)

    def with_facts(self, key: NetworkKey, facts: Facts) -> "Sheet":
        """The sheet that knows a network."""
        return replace(self, facts={**self.facts, key: facts})

    def with_found(self, found: Mapping[Cell, Found]) -> "Sheet":
        """The sheet with these maps."""
        return replace(self, found={**self.found, **found})

    def with_refused(self, refused: Mapping[Cell, str]) -> "Sheet":
        """The sheet in which these cells have no map, and why."""
        return replace(self, refused={**self.refused, **refused})

    def _whole(self, cell: Cell) -> bool:
        found = self.found.get(cell)
        return found is not None and found.done >= 1.0
