"""Generators that also return a value."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Yielded = TypeVar("Yielded")
Result = TypeVar("Result")


class Returning(Generic[Yielded, Result]):
    """A generator to iterate over, whose return value is ``result`` once it is used up."""

    result: Result

    def __init__(self, generator: Generator[Yielded, None, Result]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Yielded]:
        self.result = yield from self._generator
