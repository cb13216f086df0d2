"""A generator that returns a value, iterated over."""

from collections.abc import Generator

import pytest

from camcore.generators import Returning


def counting(count: int) -> Generator[int, None, str]:
    yield from range(count)
    return "done"


@pytest.mark.parametrize("count", [0, 3])
def test_the_value_is_there_once_the_generator_is_used_up(count):
    run = Returning(counting(count))
    assert list(run) == list(range(count))
    assert run.result == "done"


def test_there_is_no_value_before_the_end():
    run = Returning(counting(3))
    next(iter(run))
    with pytest.raises(AttributeError):
        _ = run.result
