"""The description of long work: a frozen value that nobody has begun yet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ui.jobs.job import Job
    from ui.query import NetworkKey

V = TypeVar("V")
Lane = Literal["answer", "work", "evidence"]
"""Work of one lane never waits for a free place behind that of another.

``answer``: short, and somebody waits for it. ``evidence``: begun by itself beside an answer; it gives way to all else.
"""


@dataclass(frozen=True)
class Update(Generic[V]):
    """News of a work: ``share`` done in 0..1, None: by the clock; ``value`` and ``title`` None: as before."""

    share: float | None = None
    value: V | None = None
    title: str | None = None


Updates: TypeAlias = Generator[Update[V], None, None]


@dataclass(frozen=True)
class Work(Generic[V]):
    """Work to be done. ``key``, with the network (None: it needs none), tells it from all other work.

    ``steps``: (network, job) → Updates, the last one complete. Between two of them it is stopped where nobody waits;
    ``job`` is for what calls back in between, and for stages and networks of its own.
    ``size``: value → bytes in the cache of results; None: results are kept elsewhere. ``expected``: seconds, where no
    update tells its share. ``start``: the value at the beginning. ``lane``: among whose work it waits for a place.
    """

    network: NetworkKey | None
    key: Hashable
    title: str = field(compare=False)
    steps: Callable[[Any, Job[V]], Updates[V]] = field(compare=False)
    size: Callable[[V], int] | None = field(compare=False, default=None)
    expected: float | None = field(compare=False, default=None)
    start: V | None = field(compare=False, default=None)
    lane: Lane = field(compare=False, default="work")
