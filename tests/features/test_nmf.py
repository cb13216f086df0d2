"""Non-negative factorisation: known factors are found again, the error falls, nothing depends on chance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import camcore
from camcore.features.nmf import factorise


def known(rows: int = 60, k: int = 4, columns: int = 30, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Factors that are unique: each part has rows and columns to itself (Donoho and Stodden, NeurIPS 2003)."""
    rng = np.random.default_rng(seed)
    S, P = rng.uniform(0.2, 1, (rows, k)), rng.uniform(0.2, 1, (k, columns))
    S[: 5 * k] = np.kron(np.eye(k), rng.uniform(0.5, 2, (5, 1)))
    P[:, : 4 * k] = np.kron(np.eye(k), rng.uniform(0.5, 2, (1, 4)))
    return S, P / np.linalg.norm(P, axis=1, keepdims=True)


def last(*arguments, **options):
    *_, final = factorise(*arguments, **options)
    return final


@pytest.mark.parametrize("k", [1, 2, 4, 6])
def test_known_factors_are_found_again(k):
    S, P = known(k=k)
    found = last(S @ P, k, sweeps=5000)
    match = (found.parts @ P.T).argmax(axis=1)
    assert sorted(match) == list(range(k))
    np.testing.assert_allclose(found.parts, P[match], atol=0.02)
    np.testing.assert_allclose(found.weights, S[:, match], atol=0.05)
    assert found.error < 5e-3
    assert found.done


def test_of_one_part_it_is_the_first_singular_pair():
    """Perron and Frobenius: the leading singular vectors of a non-negative matrix are non-negative."""
    V = np.random.default_rng(2).random((40, 25))
    U, s, Vt = np.linalg.svd(V)
    found = last(V, 1)
    np.testing.assert_allclose(found.parts[0], np.abs(Vt[0]), atol=1e-4)
    np.testing.assert_allclose(found.weights[:, 0], s[0] * np.abs(U[:, 0]), rtol=1e-3)
    assert found.error == pytest.approx(np.sqrt((s[1:] ** 2).sum() / (s**2).sum()), abs=1e-6)


def test_the_error_never_rises_and_is_what_it_says():
    V = np.random.default_rng(3).random((50, 20)) ** 4
    steps = list(factorise(V, 5, every=1))
    errors = [step.error for step in steps]
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(errors))
    for step in steps[:: len(steps) // 4]:
        assert step.error == pytest.approx(np.linalg.norm(V - step.weights @ step.parts) / np.linalg.norm(V))
        assert step.weights.min() >= 0
        assert step.parts.min() >= 0
        np.testing.assert_allclose(np.linalg.norm(step.parts, axis=1), 1)
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]


def test_at_the_end_no_small_step_makes_it_better():
    """The conditions of Karush, Kuhn and Tucker: no descent left where a value is positive, none into the allowed."""
    V = np.random.default_rng(4).random((30, 12))
    found = last(V, 3, sweeps=20000)
    rest = found.weights @ found.parts - V
    for gradient, at in ((rest @ found.parts.T, found.weights), (found.weights.T @ rest, found.parts)):
        assert np.abs(gradient[at > 1e-3]).max() < 0.05
        assert gradient.min() > -0.05


def test_it_is_the_same_every_time_and_hardly_depends_on_the_seed():
    S, P = known()
    V = S @ P + np.random.default_rng(5).random((60, 30)) * 0.01
    one, two, other = last(V, 4), last(V, 4), last(V, 4, seed=9)
    np.testing.assert_array_equal(one.parts, two.parts)
    np.testing.assert_array_equal(one.weights, two.weights)
    np.testing.assert_allclose(one.parts, other.parts, atol=1e-2)


def test_parts_come_in_the_order_of_what_they_add():
    S, P = known()
    S = S * [1, 8, 2, 4]
    found = last(S @ P, 4, sweeps=3000)
    assert list((found.parts @ P.T).argmax(axis=1)) == [1, 3, 2, 0]


def test_nothing_has_nothing_to_find():
    found = last(np.zeros((6, 5)), 2)
    assert (found.error, found.done, found.weights.any()) == (0.0, True, False)


def test_a_channel_of_zeros_and_a_place_of_zeros_stay_so():
    S, P = known()
    V = S @ P
    V[3], V[:, 7] = 0, 0
    found = last(V, 4)
    assert (found.weights @ found.parts)[3].max() < 1e-3
    assert (found.weights @ found.parts)[:, 7].max() < 1e-3


def test_single_precision_says_the_same():
    S, P = known()
    V = S @ P
    np.testing.assert_allclose(last(V.astype(np.float32), 4).parts, last(V, 4).parts, atol=0.02)


@pytest.mark.parametrize("bad", [-1e-3, np.nan, np.inf])
def test_values_that_cannot_be_factorised_are_refused(bad):
    V = np.ones((4, 4))
    V[1, 2] = bad
    with pytest.raises(camcore.CamcoreError, match="not negative"):
        factorise(V, 2)


@pytest.mark.parametrize("k", [0, 5])
def test_more_parts_than_there_can_be_are_refused(k):
    with pytest.raises(camcore.CamcoreError, match=f"{k} concepts .* Choose 1 to 4"):
        factorise(np.ones((4, 9)), k)
