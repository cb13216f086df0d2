"""The plan of a network, read from its list of layers: stages of one grid size, and blocks whose branches run
beside each other and meet again, as in Inception and residual networks.

Only the layers' ``inputs`` are looked at, no names. A block ends in a layer with several inputs. It begins at the
last layer that everything between has to pass (the end's immediate dominator), and holds the layers from which
every way leads through its end (which the end post-dominates): so a layer whose output also goes elsewhere, as from
cell to cell in NASNet, belongs to no block that it leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from camcore.graph.layers import LayerInfo

Grid = tuple[int, int]


@dataclass(frozen=True)
class GridStage:
    """The layers of one grid size, in the order of the computation; ``grid`` None: those behind the last grid."""

    grid: Grid | None
    layers: tuple[LayerInfo, ...]


@dataclass(frozen=True)
class Block:
    """Branches that part behind ``start`` and meet in ``end``, both paths; ``start`` "": the input itself.

    ``branches``: for each input of ``end`` the paths of the layers on its way, in the order of the computation; an
    empty one is a skip connection, or comes from outside. Inner blocks lie within a branch. A layer that leads to
    several inputs lies on no branch.
    """

    start: str
    end: str
    branches: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class BranchPosition:
    """The position of a layer in a block: its branch, from 0, of how many. The block's ``end`` is its name."""

    end: str
    branch: int
    branches: int


def stages(layers: Sequence[LayerInfo]) -> tuple[GridStage, ...]:
    """The layers by grid size, the sizes in the order in which they first come.

    Layers whose grid has one cell, or that have none, stand in the stage in whose midst they are computed (such as
    the gates of squeeze and excitation), and so does a border that is added; those behind the last grid make a stage
    of their own.
    """
    with_grid = [i for i, info in enumerate(layers) if _has_cells(info)]
    last = with_grid[-1] if with_grid else -1
    by_grid: dict[Grid | None, list[LayerInfo]] = {}
    grid: Grid | None = layers[with_grid[0]].grid if with_grid else None
    for i, info in enumerate(layers):
        grid = (info.grid if _has_cells(info) else grid) if i <= last else None
        by_grid.setdefault(grid, []).append(info)
    return tuple(GridStage(size, tuple(members)) for size, members in by_grid.items())


def blocks(layers: Sequence[LayerInfo]) -> tuple[Block, ...]:
    """The blocks with at least one layer on a branch, by their ends, in the order of the computation."""
    number = {info.path: i for i, info in enumerate(layers)}
    inputs = [[number[path] for path in info.inputs if path in number] for info in layers]
    outputs: list[list[int]] = [[] for _ in layers]
    for i, sources in enumerate(inputs):
        for source in sources:
            outputs[source].append(i)
    count = len(layers)
    before = _dominators(inputs, range(count))
    after = _dominators(outputs, range(count - 1, -1, -1))

    with_branches = []
    for end in range(count):
        if len(inputs[end]) < 2:
            continue
        ways = [_back(source, before[end], end, inputs, after) for source in inputs[end]]
        often = Counter(layer for way in ways for layer in way)
        branches = tuple(tuple(layers[i].path for i in sorted(way) if often[i] == 1) for way in ways)
        if any(branches):
            start = before[end]
            with_branches.append(Block(layers[start].path if start >= 0 else "", layers[end].path, branches))
    return tuple(with_branches)


def branch_positions(layers: Sequence[LayerInfo]) -> dict[str, tuple[BranchPosition, ...]]:
    """For each layer on a branch its positions, from the outermost block to the innermost."""
    outer_first = sorted(blocks(layers), key=lambda block: -sum(map(len, block.branches)))
    positions: dict[str, list[BranchPosition]] = {}
    for block in outer_first:
        for number, branch in enumerate(block.branches):
            for path in branch:
                positions.setdefault(path, []).append(BranchPosition(block.end, number, len(block.branches)))
    return {path: tuple(nested) for path, nested in positions.items()}


def reading_order(layers: Sequence[LayerInfo]) -> tuple[LayerInfo, ...]:
    """The layers in reading order: each branch in one piece, one after the other, then the layer where they meet."""
    number = {info.path: i for i, info in enumerate(layers)}
    positions = branch_positions(layers)

    def order(info: LayerInfo) -> tuple[tuple[int, int], ...]:
        # A block stands where its end is computed; within it its branches, the end last of all.
        ends = [(number[position.end], position.branch) for position in positions.get(info.path, ())]
        return (*ends, (number[info.path], _LAST))

    return tuple(sorted(layers, key=order))


_LAST = 1 << 30


def _has_cells(info: LayerInfo) -> bool:
    return info.grid is not None and info.grid != (1, 1) and info.kind != "padding"


def _dominators(sources: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """The immediate dominator of each layer, −1 where it is the entrance; ``order``: every layer after its sources.

    Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001); without cycles one round is enough.
    """
    rank = [0] * len(sources)
    for position, layer in enumerate(order):
        rank[layer] = position
    dominators = [-1] * len(sources)
    for layer in order:
        common: int | None = None
        for source in sources[layer]:
            if common is None:
                common = source
                continue
            other = source
            while common != other:
                if common == -1 or other == -1:
                    common = other = -1
                elif rank[common] > rank[other]:
                    common = dominators[common]
                else:
                    other = dominators[other]
        dominators[layer] = -1 if common is None else common
    return dominators


def _back(source: int, start: int, end: int, inputs: Sequence[Sequence[int]], after: Sequence[int]) -> set[int]:
    """The layers from ``source`` back to ``start`` from which every way on leads through ``end``."""
    way: set[int] = set()
    stack = [source]
    while stack:
        layer = stack.pop()
        if layer != start and layer not in way and _led_through(end, layer, after):
            way.add(layer)
            stack += inputs[layer]
    return way


def _led_through(end: int, layer: int, after: Sequence[int]) -> bool:
    """True where every way on from ``layer`` passes ``end``, later in the order."""
    while -1 < layer < end:
        layer = after[layer]
    return layer == end
