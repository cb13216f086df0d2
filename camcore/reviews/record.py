"""The record of a review: what was fixed when it began, every answer, and the result that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from camcore.reviews.decision import Goal, Outcome, Tally, outcome
from camcore.reviews.order import Item, plan

SCHEMA = 1
"""Of the fields below and of the rules of order and decision: a record is judged by those it was made by."""

RIGHT, WRONG, UNSEEN, UNDONE = VERDICTS = ("right", "wrong", "unseen", "undone")
"""The right reason, a wrong one; the picture could not be shown; the answer before it was taken back."""


@dataclass(frozen=True)
class Header:
    """Everything that is fixed when a review begins.

    ``camcore``: the version. ``said``: the class whose decisions are judged, None for all classes. ``pictures``: with a
    map; ``empty``: whose map is zero. ``sample_sha256``: over paths and file digests of all of them, in their order.
    ``keyed``: sealed with a key.
    """

    id: str
    reviewer: str
    started: str
    camcore: str
    network: str
    weights_sha256: str
    method: str
    layer: str
    framing: str
    said: str | None
    goal: float
    confidence: float
    budget: int
    seed: int
    pictures: int
    empty: int
    sample_sha256: str
    keyed: bool
    schema: int = SCHEMA


@dataclass(frozen=True)
class Answer:
    """One key pressed. ``number``: of the map in the review's plan; ``path``, ``sha256``: of its picture and file."""

    number: int
    verdict: str
    path: str
    sha256: str
    time: str
    seal: str = ""


@dataclass(frozen=True)
class Result:
    """The end of a review. ``shams``: the numbers of the maps that were shams."""

    state: str
    low: float
    high: float
    p: float
    right: int
    wrong: int
    unseen: int
    sham_maps: int
    shams_right: int
    shams: tuple[int, ...]
    time: str


@dataclass(frozen=True)
class Record:
    """A review as it stands: its header, every answer, the result where there is one, and the last seal."""

    header: Header
    answers: tuple[Answer, ...] = ()
    result: Result | None = None
    seal: str = ""

    @property
    def plan(self) -> tuple[Item, ...]:
        """The maps in their order."""
        return plan(self.header.seed, self.header.pictures, self.header.budget)

    @property
    def standing(self) -> tuple[Answer, ...]:
        """The answers that were not taken back. Raises ValueError where one was taken back that was not the last."""
        kept: list[Answer] = []
        for answer in self.answers:
            if answer.verdict == UNDONE:
                if not kept or kept.pop().number != answer.number:
                    raise ValueError("an answer was taken back that was not the last one")
            else:
                kept.append(answer)
        return tuple(kept)


def tally(record: Record, items: tuple[Item, ...]) -> Tally:
    """The answers counted; shams apart."""
    counted = {(verdict, sham): 0 for verdict in VERDICTS for sham in (False, True)}
    for answer in record.standing:
        counted[answer.verdict, items[answer.number].sham] += 1
    return Tally(
        counted[RIGHT, False],
        counted[WRONG, False],
        counted[UNSEEN, False],
        counted[RIGHT, True] + counted[WRONG, True],
        counted[RIGHT, True],
    )


def decide(record: Record, items: tuple[Item, ...]) -> Outcome:
    """The outcome of the answers so far."""
    header = record.header
    finished = len(record.standing) == len(items)
    goal = Goal(header.goal, header.confidence)
    return outcome(tally(record, items), header.pictures, header.empty, goal, finished)


def result_of(record: Record, items: tuple[Item, ...], time: str) -> Result:
    """The result of a record, as it is kept."""
    found, counts = decide(record, items), tally(record, items)
    shown = tuple(answer.number for answer in record.standing if items[answer.number].sham)
    return Result(
        found.state, found.low, found.high, float(f"{found.p:.6g}"),  # the same with every SciPy
        counts.right, counts.wrong, counts.unseen, counts.shams, counts.shams_right, shown, time,
    )  # fmt: skip
