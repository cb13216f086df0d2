"""The tally of a trial against what a network of known answers must say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from planted import MARK, SIDE, colour_network, mark

from camcore.framing import frame_for
from camcore.shortcuts.transplants import Framed
from camcore.shortcuts.trial import Exhibit, Tally, counted, passes, try_group

FRAME = frame_for((SIDE, SIDE), (SIDE, SIDE), "stretch")
LEAF = [1]


def plain(blue: int, count: int, seed: int = 0) -> list[Framed]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        pixels = rng.integers(60, 100, (SIDE, SIDE, 3)).astype(np.uint8)
        pixels[..., 2] += np.uint8(blue)
        made.append(Framed(pixels, FRAME))
    return made


def marked(count: int) -> list[Exhibit]:
    pattern, made = mark(np.random.default_rng(3)), []
    for picture in plain(60, count, seed=1):
        picture.pixels[20 : 20 + MARK, 30 : 30 + MARK] = pattern
        made.append(Exhibit(picture, (20, 30, 20 + MARK, 30 + MARK)))
    return made


def tried(
    pastes: int, paints: int, exhibits: list[Exhibit], others: list[Framed], without: Sequence[Framed] = ()
) -> Tally:
    network = colour_network(magenta=400)
    parts = list(try_group(network, LEAF, exhibits, others, pastes, paints, np.random.default_rng(0), without))
    total = sum((part.tally for part in parts), Tally())
    ways = 3 if without else 2
    assert sum(part.answered for part in parts) == ways * total.pasted + 2 * total.painted
    assert passes(len(exhibits), len(others), pastes, paints, ways) == ways * total.pasted + 2 * total.painted
    return total


def test_a_mark_that_decides_turns_every_picture_and_falls_when_it_is_painted_over():
    tally = tried(40, 10, marked(10), plain(60, 8))
    assert (tally.pasted, tally.painted) == (40, 10)
    assert tally.flipped == 40
    assert tally.random_flipped < 40
    assert tally.fell == 10
    assert tally.random_fell < 10


def test_of_a_copy_its_own_patches_without_it_and_pieces_of_other_pictures_are_the_controls():
    """Neither turns anything; pieces of pictures that are full of it turn all."""
    exhibits = [replace(one, box=(12, 22, 44, 54)) for one in marked(10)]  # twice the mark's sides
    few, full = plain(60, 4), plain(60, 4)
    for one in full:
        one.pixels[:] = np.tile(mark(np.random.default_rng(0)), (4, 4, 1))
    tally = tried(40, 0, exhibits, plain(60, 8), few)
    assert (tally.flipped, tally.random_flipped, tally.rest_flipped) == (40, 0, 0)
    assert tally.mean_gain.low > 0
    assert tally.way == pytest.approx(tally.mean_gain.low / (tally.short / 40))
    assert tally.gain == pytest.approx(tally.short)  # the whole way, and nothing beyond it counts
    tally = tried(40, 0, exhibits, plain(60, 8), full)
    assert tally.rest_flipped == 40
    assert tally.gain == tally.short == 0


def test_a_copy_that_stays_in_its_place_is_pasted_in_its_shape():
    """Its controls are the same part of other pictures, and this part painted over: neither has it."""
    shape = np.zeros((SIDE, SIDE), bool)
    shape[20 : 20 + MARK, 30 : 30 + MARK] = True
    exhibits = [replace(one, shape=shape, box=(0, 0, 4, 4)) for one in marked(10)]
    full = plain(60, 4)  # pictures of the class, which no longer count
    for one in full:
        one.pixels[:] = np.tile(mark(np.random.default_rng(0)), (4, 4, 1))
    tally = tried(40, 10, exhibits, plain(60, 8), full)
    assert (tally.flipped, tally.random_flipped, tally.rest_flipped) == (40, 0, 0)
    assert (tally.painted, tally.fell) == (10, 10)
    assert tally.random_fell < 10


@pytest.mark.parametrize(("better", "gain", "squares", "short"), [(False, 3, 17, 4), (True, -1, 1, 0)])
def test_a_gain_ends_at_the_class(better, gain, squares, short):
    """The first patch ends beyond the class, four from its second control and none from its first; the other before."""
    above = np.array([2.0, 0.5, -4.0, -1.0, -9.0, 3.0])
    tally = counted(["patch", "random patch", "rest"] * 2, above, better)
    assert (tally.gain, tally.gain_squares, tally.short) == (gain, squares, short)
    assert (tally.flipped, tally.random_flipped, tally.rest_flipped) == (1, 1, 1)


def test_the_interval_of_the_gain_is_that_of_a_mean():
    gains = np.array([0.5, 1.0, -0.25, 2.0, 0.75])
    tally = Tally(pasted=5, gain=float(gains.sum()), gain_squares=float((gains**2).sum()))
    half = 1.959964 * gains.std(ddof=1) / np.sqrt(5)
    found = tally.mean_gain
    assert (found.mean, found.low, found.high) == pytest.approx(
        (gains.mean(), gains.mean() - half, gains.mean() + half), abs=1e-6
    )


def test_pieces_of_noise_turn_nothing():
    exhibits = [Exhibit(one, (8, 8, 24, 24)) for one in plain(0, 10, seed=5)]
    tally = tried(60, 0, exhibits, plain(60, 8))
    assert tally.flipped == tally.random_flipped == 0


def test_without_members_or_others_there_is_nothing_to_count():
    assert tried(10, 5, [], plain(60, 2)) == Tally()
    alone = tried(10, 5, marked(3), [])
    assert (alone.pasted, alone.painted) == (0, 3)
    assert alone.sufficiency.n == 0
