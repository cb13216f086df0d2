"""Prices of long work beforehand: the seconds of a forward pass on this machine, as real work went here before.

A pace belongs to a network and a kind of work. Where none of the kind was measured yet, it is taken from passes that
were tried, or from another kind, and may be off by a factor: then a price is a range.
"""

from __future__ import annotations

from dataclasses import dataclass

from ui.query import Cost, NetworkKey

MAPS, EVIDENCE = "maps", "evidence"
"""The kinds of work: a method's changed pictures in batches, and gathering the evidence on a map."""
TRIED = 2.0
"""A few passes that were tried may be off by so much: others may be at work, or the machine is not warm yet."""
_EVIDENCE_FROM_MAPS = 1.7
"""Evidence draws weights and makes maps anew besides: so much longer for each pass than a method's (1.2 to 2.5)."""
_FEWEST = 24.0
"""Fewer passes than these tell no pace: what is made ready at their beginning would count too much."""


@dataclass(frozen=True)
class Pace:
    """Seconds for each forward pass. ``spread``: the factor by which they may be off; 1 where they were measured."""

    seconds: float
    spread: float = 1.0

    def cost(self, passes: float) -> Cost:
        """The price of so many passes."""
        return Cost(passes, passes * self.seconds, self.spread)


class Paces:
    """The paces that this process has seen."""

    def __init__(self) -> None:
        self._measured: dict[tuple[NetworkKey, str], float] = {}
        self._tried: dict[NetworkKey, float] = {}

    def learn(self, network: NetworkKey, passes: float, seconds: float, kind: str = MAPS) -> None:
        """Take the pace of real work for the next price."""
        if passes >= _FEWEST and seconds > 0:
            self._measured[network, kind] = seconds / passes

    def take_trial(self, network: NetworkKey, seconds: float) -> None:
        """Take the time of a pass that was tried; the quickest counts, as others may have been at work."""
        self._tried[network] = min(seconds, self._tried.get(network, seconds))

    def known(self, network: NetworkKey, kind: str = MAPS) -> Pace | None:
        """The pace of a kind of work, None where nothing of this network is known."""
        measured = self._measured.get((network, kind))
        if measured is not None:
            return Pace(measured)
        if kind == EVIDENCE:
            maps = self.known(network)
            return None if maps is None else Pace(maps.seconds * _EVIDENCE_FROM_MAPS, maps.spread * TRIED)
        tried = self._tried.get(network)
        return None if tried is None else Pace(tried, TRIED)


def total(costs: list[Cost]) -> Cost:
    """The price of several pieces of work together, as sure as the least sure one."""
    return Cost(
        sum(one.passes for one in costs),
        sum(one.seconds for one in costs),
        max((one.spread for one in costs), default=1.0),
    )
