"""The price of work, from how such work went."""

import pytest

from ui.paces import EVIDENCE, TRIED, Paces, total
from ui.query import Cost, NetworkKey

NET, OTHER = NetworkKey("Net"), NetworkKey("Other")


def test_a_pace_that_was_measured_is_sure_and_belongs_to_its_network_and_kind() -> None:
    paces = Paces()
    assert paces.known(NET) is None
    paces.take_trial(NET, 0.2)
    paces.take_trial(NET, 0.3)
    assert paces.known(NET) is not None
    assert paces.known(NET).cost(100) == Cost(100, 20.0, TRIED), "the quicker trial, and as a range"
    paces.learn(NET, 1000, 50)
    assert paces.known(NET).cost(100) == Cost(100, 5.0, 1.0)
    paces.take_trial(NET, 0.001)
    assert paces.known(NET).seconds == 0.05, "no trial takes the place of real work"
    assert paces.known(OTHER) is None


def test_evidence_is_priced_by_evidence_and_until_then_by_a_wide_range() -> None:
    paces = Paces()
    assert paces.known(NET, EVIDENCE) is None
    paces.learn(NET, 100, 2.0)
    guess = paces.known(NET, EVIDENCE)
    assert guess is not None
    low, high = guess.seconds / guess.spread, guess.seconds * guess.spread
    assert low < 0.02 < 0.05 < high, "evidence was seen to take 1.2 to 2.5 times as long for each pass"
    paces.learn(NET, 228, 11.4, EVIDENCE)
    assert paces.known(NET, EVIDENCE).cost(100) == Cost(100, pytest.approx(5.0), 1.0)
    assert paces.known(NET).seconds == pytest.approx(0.02), "the other kind's pace stays"


def test_a_few_passes_tell_no_pace() -> None:
    paces = Paces()
    paces.learn(NET, 17, 3.1)  # the first chunk, with all that is made ready in it
    assert paces.known(NET) is None


def test_several_pieces_are_as_sure_as_the_least_sure_one() -> None:
    assert total([Cost(10, 1.0), Cost(20, 2.0, 2.0)]) == Cost(30, 3.0, 2.0)
    assert total([]) == Cost(0, 0.0, 1.0)
