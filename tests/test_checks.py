"""The decorator and the kinds of values, by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from camcore.checks import checked, flag, many, number, one_of, optional, plane, shown, text, whole
from camcore.errors import CamcoreError


@checked(a=whole(1, 5), b=optional(number(above=0)), names=many(text))
def door(a: int, b: float | None = None, *, names: tuple[str, ...] = ()) -> tuple:
    """Give back what came in."""
    return a, b, names


def test_arguments_are_checked_wherever_they_stand():
    assert door(3, 2, names=["x"]) == (3, 2.0, ("x",))
    assert door(a=np.int64(3)) == (3, None, ())
    for given in ({"a": 0}, {"a": 6}, {"a": True}, {"a": 1, "b": 0}, {"a": 1, "b": np.nan}, {"a": 1, "names": "xy"}):
        with pytest.raises(CamcoreError):
            door(**given)
    with pytest.raises(TypeError, match="missing"):
        door()
    assert door.__doc__ == "Give back what came in."


def test_a_generators_arguments_are_checked_at_the_call():
    @checked(count=whole(0))
    def steps(count: int) -> Iterator[int]:
        yield from range(count)

    assert list(steps(2)) == [0, 1]
    with pytest.raises(CamcoreError, match=r"count=-1 cannot be used. It must be at least 0"):
        steps(-1)


def test_an_argument_that_there_is_not_is_found_at_once():
    with pytest.raises(TypeError, match="no argument height"):
        checked(height=flag)(lambda width: width)


def test_messages_have_three_parts():
    with pytest.raises(CamcoreError) as caught:
        door("x")
    assert str(caught.value) == "a='x' cannot be used. It must be a whole number. Give one such as 1."
    with pytest.raises(CamcoreError, match=r"how=.meen. .* one of 'max', 'mean'. Choose 'mean', perhaps"):
        one_of("max", "mean")("how", "meen")


def test_values_are_shown_short_and_whatever_their_repr_does():
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Odd()) == "a Odd"
    assert shown(10**5000) == "a int"
    assert len(shown("x" * 1000)) < 100
    assert shown(np.zeros((2, 3))) == "an array of shape (2, 3) and dtype float64"


def test_planes():
    assert plane("m", [[1, 2]]).dtype == np.float32
    for value in ([1], [[1], [1, 2]], [["a"]], np.zeros((0, 3)), None):
        with pytest.raises(CamcoreError):
            plane("m", value)


@pytest.mark.parametrize(("value", "wanted"), [(True, True), (0, False), (np.bool_(True), True), (1, True)])
def test_flags(value, wanted):
    assert flag("smooth", value) is wanted
