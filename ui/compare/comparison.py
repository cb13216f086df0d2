"""The plan of a comparison: two axes of choices, and the cells that they span. Plain frozen values.

A class is named by a word for its place among a network's own answers, or by its index in the first network; other
networks look for the same label. A layer is named by its path, or by a word for its place on the ladder of depths,
which means something in every network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from camcore import LayerError, ModelError
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.predictions import Prediction

AXES = ("methods", "layers", "classes", "backbones", "framings")
NONE = "none"
"""The word for no rows: the maps of the columns stand in as many lines as fit."""
ONE_OF = {"methods": "method", "layers": "layer", "classes": "class", "backbones": "backbone", "framings": "framing"}
"""The name of a single choice of an axis."""
MOST_CELLS = 48
MOST_BACKBONES = 3

RANKS = ("first", "second", "third")
"""The words for the network's own answers."""
DEPTHS = ("last", "last-1", "last-2", "last-3")
"""The words for the last layer of each of the last grid sizes, deep to shallow."""


@dataclass(frozen=True)
class GridCell:
    """One map of a comparison. ``layer`` None: the recommended one; ``aim``: one of RANKS, or an index as text."""

    network: NetworkKey
    framing: str
    method: str
    layer: str | None = None
    aim: str = RANKS[0]


@dataclass(frozen=True)
class GridPlan:
    """Everything that decides a comparison: the choices of each axis, one alone where it is not an axis.

    ``picture``: its SHA-256. ``framings``: None for each network's own. ``held``: networks that may not be
    fetched yet. ``expressly``: the visitor pressed Run, knowing what it costs.
    """

    picture: str
    columns: str
    rows: str
    methods: tuple[str, ...]
    layers: tuple[str | None, ...]
    classes: tuple[str, ...]
    backbones: tuple[NetworkKey, ...]
    framings: tuple[str | None, ...]
    held: tuple[NetworkKey, ...] = ()
    expressly: bool = False

    def framings_of(self, network: NetworkKey) -> tuple[str, ...]:
        """The framings in which a network is fed."""
        return tuple(framing or network.framing for framing in self.framings)

    @property
    def framing(self) -> str:
        """The first framing of the first network."""
        return self.framings_of(self.lead)[0]

    def choices(self, axis: str) -> tuple[Any, ...]:
        """The choices along an axis; one None for no axis."""
        return (None,) if axis == NONE else tuple(getattr(self, axis))

    @cached_property
    def grid(self) -> tuple[tuple[GridCell, ...], ...]:
        """The cells, row by row."""
        return tuple(
            tuple(self._cell({self.rows: row, self.columns: column}) for column in self.choices(self.columns))
            for row in self.choices(self.rows)
        )

    @cached_property
    def cells(self) -> tuple[GridCell, ...]:
        """All cells in reading order."""
        return tuple(cell for row in self.grid for cell in row)

    @property
    def lead(self) -> NetworkKey:
        """The network whose indices name the classes."""
        return self.backbones[0]

    @property
    def shares_scales(self) -> bool:
        """Some maps have values of one unit: those of one method at one layer of one network."""
        units = {(cell.network, cell.method, cell.layer) for cell in self.cells}
        return len(units) < len(self.cells)

    def _cell(self, at: dict[str, Any]) -> GridCell:
        def one(axis: str) -> Any:
            return at[axis] if axis in at else self.choices(axis)[0]

        network = one("backbones")
        return GridCell(network, one("framings") or network.framing, one("methods"), one("layers"), one("classes"))


def layer_path(network: Network, layer: str | None) -> str:
    """The path of a cell's layer in a network. Raises LayerError where it has none."""
    if layer not in DEPTHS:
        return str(network.layer_with_grid(layer).path)
    ladder = network.ladder
    steps = DEPTHS.index(layer)
    if steps >= len(ladder):
        raise LayerError(
            f"{network.name} has no layer that lies {steps} grid sizes before the last: its maps can be drawn at "
            f"{len(ladder)} grid sizes. Choose a deeper one."
        )
    return str(ladder[-1 - steps])


def known_index(aim: str, predictions: Sequence[Prediction]) -> int | None:
    """The index that a class's name stands for among a network's own answers; None where they are not known."""
    if aim not in RANKS:
        return int(aim)
    place = RANKS.index(aim)
    return int(predictions[place].index) if place < len(predictions) else None


def class_index(network: Network, predictions: Sequence[Prediction], aim: str, lead: Network) -> int:
    """The index of a cell's class in a network. ``lead``: the network that an index is counted in.

    Raises ModelError where the network does not know the class.
    """
    if aim in RANKS:
        place = RANKS.index(aim)
        if place >= len(predictions):
            raise ModelError(
                f"{network.name} knows {len(predictions)} classes, so there is no {aim} answer. Leave it out."
            )
        return int(predictions[place].index)
    index = int(lead.check_class(int(aim)))
    if network is lead or tuple(network.labels) == tuple(lead.labels):
        return index
    label = lead.labels[index]
    if label not in network.labels:
        raise ModelError(
            f"{network.name} does not know the class “{label.replace('_', ' ')}”, so it cannot be asked about it. "
            "Choose each network's own first answer."
        )
    return int(network.labels.index(label))
