"""The order of a review: which picture comes when, and which places take a sham map.

All of it follows from the seed by SHA-256, as in Rivest's "Consistent Sampling with Replacement" (2018): no library's
random numbers are in it, so an order can be checked by anybody, and years later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SHAMS_IN = 5
"""One of so many maps is a sham."""
LEAST_SHAMS = 11
"""Shams that are seen before a claim is made, however soon its bound is reached."""

MOST_BUDGET, MOST_PICTURES = 5_000, 10_000_000
"""The most maps that a review shows of their own pictures, and the most that they are drawn from."""


@dataclass(frozen=True)
class Item:
    """A map to be judged. ``rank``: of its picture in the random order; ``sham``: the map is not the picture's own."""

    rank: int
    sham: bool


def shuffled(seed: int, names: Sequence[str]) -> list[int]:
    """The places of these names in random order: by the hash of each with the seed."""
    tickets = [_ticket(seed, name) for name in names]
    return sorted(range(len(names)), key=tickets.__getitem__)


def plan(seed: int, pictures: int, budget: int) -> tuple[Item, ...]:
    """The maps of a review of at most ``budget`` of so many pictures.

    Pictures come in their random order; those under sham maps are from its end, so that nobody sees one twice where
    there are enough. Of each run of SHAMS_IN maps one is a sham, at a random place.
    """
    real = min(pictures, budget)
    shams = max(LEAST_SHAMS, -(-real // (SHAMS_IN - 1)))
    length = real + shams
    edges = [length * number // shams for number in range(shams + 1)]
    places = {
        low + int.from_bytes(_ticket(seed, f"sham {number}")) % (high - low): number
        for number, (low, high) in enumerate(pairwise(edges))
    }
    ranks = iter(range(real))
    return tuple(
        Item((pictures - 1 - places[place]) % pictures, True) if place in places else Item(next(ranks), False)
        for place in range(length)
    )


def _ticket(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
