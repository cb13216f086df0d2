"""The state of a comparison: maps, refusals with their reasons, and the price of the rest. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ui.compare.comparison import GridCell, GridPlan
from ui.network_summary import NetworkSummary
from ui.query import Cost, Failure, NetworkKey

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap


@dataclass(frozen=True, eq=False)
class GridMap:
    """A map, whole or growing: ``done`` is the share of its work in 0..1.

    ``change``: how far a growing map moved with its last part, mean |Δvalues| in 0..1.
    """

    map: CamMap
    done: float = 1.0
    change: float | None = None


@dataclass(frozen=True)
class Bill:
    """The price of what waits for the visitor's word, with the methods' titles."""

    methods: tuple[str, ...]
    cost: Cost
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, eq=False)
class MapSheet:
    """A plan's cells so far; each step of a job replaces it by a fuller one. ``networks``: their facts."""

    plan: GridPlan
    networks: Mapping[NetworkKey, NetworkSummary] = field(default_factory=dict)
    filled: Mapping[GridCell, GridMap] = field(default_factory=dict)
    refused: Mapping[GridCell, str] = field(default_factory=dict)
    failures: Mapping[NetworkKey, Failure] = field(default_factory=dict)
    bill: Bill | None = None

    @property
    def maps(self) -> dict[GridCell, CamMap]:
        """The finished maps, in reading order."""
        return {cell: self.filled[cell].map for cell in self.plan.cells if self._whole(cell)}

    @property
    def missing(self) -> tuple[GridCell, ...]:
        """The cells that neither have a whole map nor were refused."""
        return tuple(cell for cell in self.plan.cells if not self._whole(cell) and cell not in self.refused)

    @property
    def growing(self) -> GridMap | None:
        """A map of which a part is there; of several, the fullest."""
        parts = [f for cell in self.plan.cells if (f := self.filled.get(cell)) is not None and f.done < 1.0]
        return max(parts, key=lambda f: f.done, default=None)

    def with_network(self, key: NetworkKey, summary: NetworkSummary) -> MapSheet:
        """The sheet that knows a network."""
        return replace(self, networks={**self.networks, key: summary})

    def with_filled(self, filled: Mapping[GridCell, GridMap]) -> MapSheet:
        """The sheet with these maps."""
        return replace(self, filled={**self.filled, **filled})

    def with_refused(self, refused: Mapping[GridCell, str]) -> MapSheet:
        """The sheet in which these cells have no map, and why."""
        return replace(self, refused={**self.refused, **refused})

    def _whole(self, cell: GridCell) -> bool:
        found = self.filled.get(cell)
        return found is not None and found.done >= 1.0
