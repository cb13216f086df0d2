"""Attention itself: where a token looks, in each block and head of a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, refused, whole
from camcore.errors import LayerError
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.session import open_session
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame
    from camcore.graph.attention import TokenPlaces

Array = NDArray[np.floating]
Token = tuple[int, int] | str | None
"""A patch (row, column), the name of a token without a place, or None: what the scores are made from."""


@dataclass(frozen=True, eq=False)
class AttentionRows:
    """Where one token looks, block by block; ``network``, ``picture``: of which network and picture.

    ``rows``: for each block (heads, h, w), its attention to each patch. ``beside``: for each block (heads, tokens), to
    the tokens without a place, called ``names``; with these each row sums to 1. ``token``: which token looks; for None
    the tokens that the scores are made from, of several their mean.
    """

    network: str
    token: Token
    rows: tuple[Array, ...]
    beside: tuple[Array, ...]
    names: tuple[str, ...]
    frame: Frame
    cells: CellGrid

    @property
    def grid(self) -> tuple[int, int]:
        """The grid (h, w) of the patches."""
        return self.rows[0].shape[1], self.rows[0].shape[2]

    @cached_property
    def means(self) -> tuple[Array, ...]:
        """The mean (h, w) over the heads of each block."""
        return tuple(block.mean(axis=0) for block in self.rows)

    def map_of(self, block: int, head: int | None) -> Array:
        """The attention (h, w) of a head, or for None the mean over the heads, both counted from 0."""
        return self.means[block] if head is None else self.rows[block][head]

    def beside_of(self, block: int, head: int | None) -> Array:
        """The attention (tokens,) of a head, or of the mean over the heads, to the tokens without a place."""
        found = self.beside[block]
        return np.asarray(found.mean(axis=0) if head is None else found[head])

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return sum(block.nbytes for block in (*self.rows, *self.beside))


@dataclass(frozen=True)
class AttentionLayout:
    """The attentions of a network, before any picture: ``blocks``, their number, and the tokens that can be asked.

    ``names``: the tokens without a place; ``read``: what the scores are made from, in words; ``grid``: of the patches.
    ``refusal``: why there is no token that looks at all others; then there are no tokens.
    """

    blocks: int
    names: tuple[str, ...] = ()
    read: str = ""
    grid: tuple[int, int] = (0, 0)
    refusal: str = ""


def attention_layout(network: Network) -> AttentionLayout | None:
    """The attentions of a network; None where it has none."""
    found = network.attentions
    if not found.found:
        return None
    if found.places is None:
        return AttentionLayout(len(found.found), refusal=found.refusal)
    names = token_names(found.places)
    read = _names_of(found.places.read, found.places, names)
    said = f"mean of {' and '.join(read)}" if len(read) > 1 else read[0] if read else "mean of all patches"
    return AttentionLayout(len(found.found), names, said, found.places.grid)


def _names_of(tokens: Sequence[int], places: TokenPlaces, names: Sequence[str]) -> list[str]:
    """The names of some of the tokens without a place."""
    others = _others(places)
    return [names[others.index(token)] for token in tokens]


def _others(places: TokenPlaces) -> list[int]:
    """The numbers of the tokens without a place."""
    return [token for token in range(places.count) if not places.first <= token < places.patches.stop]


def spread(row: Array) -> float:
    """The number of patches that an even attention of the same entropy would take in: 1 for a single one, up to all."""
    share = np.asarray(row, np.float64).ravel()
    share = share[share > 0] / share.sum()
    return float(np.exp(-(share * np.log(share)).sum())) if share.size else 0.0


def token_names(places: TokenPlaces) -> tuple[str, ...]:
    """The names of the tokens without a place, in their order.

    What the scores are made from is the class token; of two the second is the distillation token, as in DeiT. The rest
    are registers, tokens that are there to be looked at; in a network that pools its patches just further tokens.
    """
    others = _others(places)
    read = [token for token in others if token in places.read]
    called = ("class token", "distillation token") if len(read) <= 2 else _numbered("class token", len(read))
    names = dict(zip(read, called, strict=False))
    rest = [token for token in others if token not in names]
    names |= dict(zip(rest, _numbered("register" if read else "token", len(rest)), strict=True))
    return tuple(names[token] for token in others)


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name} {number}" for number in range(1, count + 1))


def _a_token(name: str, value: object) -> Token:
    """A patch, a token's name, or None."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise refused(
            name,
            value,
            "a patch (row, column) or the name of a token",
            "Give two whole numbers, a name such as 'class token', or None for what the scores are made from.",
        )
    row, column = (whole(0)(name, one) for one in value)
    return row, column


@checked(network=a_network, pic=a_picture, token=_a_token, framing=a_framing, memory=a_memory)
def attention_rows(
    network: Network,
    pic: Picture,
    token: Token = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> AttentionRows:
    """Where a token looks in each block and head: a patch (row, column) of the tokens' grid, one without a place by
    its name ("class token", "register 2"), or for None what the scores are made from.

    One forward pass; with ``memory`` a further token of the same picture costs nothing. Raises MethodError for a
    network without attention of all tokens to all, LayerError for a token that it has not.

    With ``net = camcore.load("cats_vs_dogs")``, which has none, and a picture ``pic``:

    >>> camcore.attention_rows(net, pic, (2, 3))
    Traceback (most recent call last):
        ...
    camcore.errors.MethodError: Attention is not defined for this network: no attention of tokens with places was ...
    """
    places = network.attentions.checked("Attention")
    names = token_names(places)
    asked = _asked(token, places, names)
    session, frame = open_session(network, pic, framing, memory)
    patches = np.arange(places.count)[places.patches]
    rows, beside = [], []
    for weights in session.attention():
        looked = weights[:, asked].mean(axis=1)
        rows.append(np.stack([places.on_grid(head) for head in looked]))
        beside.append(np.delete(looked, patches, axis=-1))
    cells = network.attentions.cells(network.layers, network.input_size)
    return AttentionRows(network.name, token, tuple(rows), tuple(beside), names, frame, cells)


def _asked(token: Token, places: TokenPlaces, names: tuple[str, ...]) -> list[int]:
    """The numbers of the tokens that are asked for."""
    h, w = places.grid
    if token is None:
        return list(places.read or range(places.count)[places.patches])
    if isinstance(token, str):
        if token not in names:
            known = ", ".join(map(repr, names)) or "none"
            raise LayerError(
                f"There is no token {token!r}. Tokens without a place in this network: {known}. Name one of these, or "
                "give a patch (row, column)."
            )
        return [_others(places)[names.index(token)]]
    if not (token[0] < h and token[1] < w):
        raise LayerError(
            f"There is no patch in row {token[0]}, column {token[1]}: the tokens' grid is {h}×{w}, rows 0 to {h - 1} "
            f"and columns 0 to {w - 1}. Choose one of these."
        )
    numbers = np.zeros(places.count)
    numbers[places.patches] = np.arange(h * w)
    return [places.first + int(places.on_grid(numbers)[token])]
