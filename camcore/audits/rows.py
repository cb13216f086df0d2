"""The rows of a chunk of pictures: answers, maps and evidence, a batch at a time by one shared pass each."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from camcore.audits.addresses import open_below
from camcore.audits.schema import SCHEMA
from camcore.audits.sources import NO_LABEL
from camcore.batches import Batch, framed_batches
from camcore.errors import PictureError
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.cam_map import normalised
from camcore.heatmaps.compute import raw_map
from camcore.methods import find_method
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.training.folders import Skipped

T = TypeVar("T")
Number = TypeVar("Number", bound=np.generic)

_AHEAD = 2  # batches that are opened and framed while another one is computed

_HALF = float(np.finfo(np.float16).max)

_ANSWERS = ("predicted", "correct", "probability", "label_probability", "logits", "map", "evidence")

_OVERFLOW = "The network's scores for it are not finite numbers: it overflows on this picture."
_NOT_FINITE = (
    "Its preprocessing gives NaN or infinite values, as division by the spread of a picture of one colour does."
)


@dataclass(frozen=True)
class Plan:
    """The computation, the same for all pictures: their ``base``, and how they are framed, explained and batched."""

    base: str
    method: str
    layer: str
    framing: str
    batch: int


@dataclass(frozen=True)
class Chunk:
    """Pictures that become one part: its number, the first one's place in the audit, paths and class indices."""

    number: int
    first: int
    paths: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Framed:
    """A batch of a chunk made ready, from the ``first`` place in the chunk on. ``sha256``: of the files, by place."""

    chunk: Chunk
    first: int
    batch: Batch
    sha256: dict[int, str]


@dataclass(frozen=True, eq=False)
class _Answers:
    """The results of one shared pass over n pictures.

    ``usable`` (n,): those whose results are all finite. ``predicted`` (n,); ``probabilities`` and ``logits``
    (n, classes); ``maps`` (n, h·w) in 0..1; ``evidence`` (n, K).
    """

    usable: NDArray[np.bool_]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    logits: NDArray[np.floating]
    maps: NDArray[np.float32]
    evidence: NDArray[np.float32]


def computed(network: Network, plan: Plan, chunks: Iterable[Chunk]) -> Generator[tuple[Chunk, pa.Table], None, None]:
    """The rows of some chunks, in order, a batch at a time; the pictures of the next are opened meanwhile.

    Closing the generator stops the work.
    """
    with closing(_ahead(_framed(network, plan, chunks))) as ready:
        for framed in ready:
            yield framed.chunk, _rows(network, plan, framed)


def evidence(A: NDArray[np.floating], maps: NDArray[np.floating]) -> NDArray[np.float32]:
    """Σ_ij M_ij A_kij / Σ_ij M_ij of activations (n, h, w, K) and maps (n, h, w): (n, K); zero where a map is."""
    n, K = len(A), A.shape[-1]
    M = maps.reshape(n, 1, -1).astype(np.float32)
    total = M.sum(axis=2)
    with np.errstate(all="ignore"):  # what is not finite is an error of its row
        weighed = (M @ A.reshape(n, -1, K).astype(np.float32, copy=False))[:, 0]
    return np.divide(weighed, total, out=np.zeros((n, K), np.float32), where=total > 0)


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items of an iterator, some of which are made in a thread before they are asked for."""
    with ThreadPoolExecutor(1) as pool:
        pending = deque(pool.submit(_next, items) for _ in range(_AHEAD))
        try:
            while made := pending.popleft().result():
                pending.append(pool.submit(_next, items))
                yield made[0]
        finally:
            pool.shutdown(cancel_futures=True)


def _next(items: Iterator[T]) -> list[T]:
    return list(islice(items, 1))


def _framed(network: Network, plan: Plan, chunks: Iterable[Chunk]) -> Iterator[_Framed]:
    for chunk in chunks:
        hashes: dict[int, str] = {}
        first = 0
        for batch in framed_batches(network, _opened(plan, chunk, hashes), plan.framing, plan.batch):
            yield _Framed(chunk, first, batch, hashes)
            first += batch.seen


def _opened(plan: Plan, chunk: Chunk, hashes: dict[int, str]) -> Iterator[tuple[int, Picture | Skipped]]:
    for place, path in enumerate(chunk.paths):
        try:
            pic = open_below(plan.base, path)
        except PictureError as error:
            yield place, Skipped(Path(path), str(error))
            continue
        hashes[place] = pic.sha256
        yield place, pic


def _rows(network: Network, plan: Plan, framed: _Framed) -> pa.Table:
    """The rows of a batch, in the order of the pictures."""
    chunk, batch = framed.chunk, framed.batch
    places = np.arange(framed.first, framed.first + batch.seen)
    opened = np.isin(places, batch.indices)
    errors: list[str | None] = [None] * len(places)
    for i, skipped in zip(np.flatnonzero(~opened), batch.skipped, strict=True):
        errors[i] = skipped.reason
    finite = np.array([bool(np.isfinite(x).all()) for x in batch.x], bool)
    x = batch.x if finite.all() else batch.x[finite]
    answers = _answers(network, plan, x) if len(x) else None
    for i in np.flatnonzero(opened)[~finite]:
        errors[i] = _NOT_FINITE
    if answers is not None:
        for i in np.flatnonzero(opened)[finite][~answers.usable]:
            errors[i] = _OVERFLOW
    usable = np.array([error is None for error in errors], bool)
    frames = dict(zip(batch.indices.tolist(), batch.frames, strict=True))
    sizes = [frames[place].picture_size if place in frames else None for place in places.tolist()]
    labels = np.array([chunk.labels[place] for place in places], np.int64)
    return pa.Table.from_arrays(
        [
            pa.array(chunk.first + places),
            pa.array([chunk.paths[place] for place in places], pa.string()),
            pa.array([framed.sha256.get(int(place)) for place in places], pa.string()),
            *(pa.array([size and size[axis] for size in sizes], pa.int32()) for axis in (0, 1)),
            _names(network.labels, labels, labels != NO_LABEL),
            *_of_answers(network, answers, labels, usable),
            pa.array(errors, pa.string()),
        ],
        schema=SCHEMA,
    )


def _of_answers(
    network: Network, answers: _Answers | None, labels: NDArray[np.int64], usable: NDArray[np.bool_]
) -> list[pa.Array]:
    """The columns from ``predicted`` to ``evidence`` of all rows, null where one is not usable."""
    if answers is None:
        return [pa.nulls(len(usable), SCHEMA.field(name).type) for name in _ANSWERS]
    kept = answers.usable
    predicted = _spread(answers.predicted[kept], usable)
    p = _spread(answers.probabilities[kept], usable)
    rows = np.arange(len(usable))
    true = usable & (labels != NO_LABEL)
    return [
        _names(network.labels, predicted, usable),
        pa.array(predicted == labels, pa.bool_(), mask=~true),
        pa.array(p[rows, predicted].astype(np.float32), mask=~usable),
        pa.array(p[rows, labels].astype(np.float32), mask=~true),
        *(_lists(one[kept], usable) for one in (answers.logits, answers.maps, answers.evidence)),
    ]


def _answers(network: Network, plan: Plan, x: NDArray[np.number]) -> _Answers:
    tapped = network.tap(x, [plan.layer], [TOP_CLASS])
    A, G = tapped.activations[plan.layer], tapped.gradients[0][plan.layer]
    # Of an output that is a map the probabilities are means of their own, and take another pass.
    p = network.answer(x)[1] if network.scored_over else network.probabilities(tapped.logits)
    info = find_method(plan.method)
    options = info.checked({})
    maps = np.stack([normalised(raw_map(info, one, options)[0], info.min_max) for one in zip(A, G, strict=True)])
    vectors = evidence(A, maps)
    usable = [np.isfinite(one).all(axis=1) for one in (tapped.logits, p, vectors)]
    return _Answers(
        np.logical_and.reduce(usable), tapped.classes[0], p, tapped.logits, maps.reshape(len(maps), -1), vectors
    )


def _spread(values: NDArray[Number], usable: NDArray[np.bool_]) -> NDArray[Number]:
    """Values of the usable rows at their places; zero elsewhere."""
    spread = np.zeros((len(usable), *values.shape[1:]), values.dtype)
    spread[usable] = values
    return spread


def _names(names: Sequence[str], indices: NDArray[np.int64], known: NDArray[np.bool_]) -> pa.Array:
    return pa.array([names[i] if is_known else None for i, is_known in zip(indices, known, strict=True)], pa.string())


def _lists(values: NDArray[np.floating], usable: NDArray[np.bool_]) -> pa.Array:
    """Vectors (m, K) of the m usable rows as lists of float16; null elsewhere."""
    halves = np.clip(values, -_HALF, _HALF).astype(np.float16)
    offsets = np.concatenate([[0], np.cumsum(usable)]) * values.shape[1]
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), pa.array(halves.ravel()), mask=pa.array(~usable)
    )
