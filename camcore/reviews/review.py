"""A review: begun, gone on with, and ended when its bound decides.

review = camcore.start_review("audit/", "A. Turing", said="dog")
while review.number is not None:
    seen = review.shown()          # the photograph, the map on it, the class said
    review = review.answer("right")
print(review.sentence)
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import camcore
from camcore.audits.sources import open_row
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked, number, one_of, optional, text, whole
from camcore.errors import CamcoreError, PictureError
from camcore.heatmaps.arguments import a_path
from camcore.reviews import sealed
from camcore.reviews.decision import OPEN, Outcome
from camcore.reviews.decisions import LEAST_PICTURES, Decisions, decisions
from camcore.reviews.order import MOST_BUDGET, Item, shuffled
from camcore.reviews.record import RIGHT, UNDONE, UNSEEN, WRONG, Answer, Header, Record, decide, result_of
from camcore.reviews.shams import sham
from camcore.reviews.words import sentence

if TYPE_CHECKING:
    from camcore.pictures.picture import Picture

LONGEST_NAME = 120
_POOL, _OTHERS = 64, 16
"""Pictures whose maps shams may follow, and those of them for one sham, whose mean it keeps away from."""
_LOOKED_AT = 5
"""Pictures of which one at least has to be there when a review begins."""

_writing = Lock()


@dataclass(frozen=True, eq=False)
class Shown:
    """A map to be judged: its photograph, its values (h, w) in 0..1 on the layer's grid, and the class ``said``."""

    picture: Picture
    values: NDArray[np.float32]
    said: str


@dataclass(frozen=True)
class Drawn:
    """A picture that was drawn: its path, the digest of its file when it was audited, and the class ``said``."""

    path: str
    sha256: str
    said: str


@dataclass(frozen=True, eq=False)
class Review:
    """A review as it stands; each answer makes the next.

    ``items``: the maps in their order, each with the picture ``drawn`` for it. ``pool``: pictures whose maps shams may
    follow.
    """

    audit: Audit
    record: Record
    items: tuple[Item, ...]
    drawn: tuple[Drawn, ...]
    pool: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The file of its record."""
        return sealed.record_file(self.audit.folder, self.record)

    @property
    def number(self) -> int | None:
        """The number of the map to be judged next, from 0; None where the review has ended."""
        return None if self.record.result is not None else len(self.record.standing)

    @cached_property
    def outcome(self) -> Outcome:
        """What the answers so far prove."""
        return decide(self.record, self.items)

    @property
    def sentence(self) -> str:
        """The result, or how far it is, in words."""
        return sentence(self.record)

    def shown(self, number: int | None = None) -> Shown:
        """The map of this number, by default the next one.

        Raises PictureError where its picture is gone or is another one now (answer with "unseen"), and CamcoreError
        where there is no such map.
        """
        number = self._place(number)
        drawn = self.drawn[number]
        picture = open_row(self.audit.manifest, drawn.path)
        if picture.sha256 != drawn.sha256:
            raise PictureError(
                f"The picture '{drawn.path}' is another file than the one that was audited. Its map belongs to the "
                "other one. Put that back, or leave this one out."
            )
        if not self.items[number].sham:
            return Shown(picture, self.audit.maps([drawn.path])[0], drawn.said)
        rng = np.random.default_rng([self.record.header.seed, number])
        others = rng.choice(self.pool, _OTHERS).tolist()
        own, *rest = self.audit.maps([drawn.path, *others])
        return Shown(picture, sham(own, np.stack(rest), rng), drawn.said)

    def answer(self, verdict: str) -> Review:
        """The review with one more answer, written: "right", "wrong", or "unseen" for a picture that is gone.

        Raises CamcoreError where it has ended, went on elsewhere meanwhile, or its file cannot be written.
        """
        verdict = one_of(RIGHT, WRONG, UNSEEN, kind="answer")("verdict", verdict)
        return self._with(self._place(None), verdict)

    def undo(self) -> Review:
        """The review without its last answer; the record keeps that it was given and taken back.

        Raises CamcoreError where there is none, the review has ended, or as ``answer`` does.
        """
        number = self._place(None) - 1
        if number < 0:
            raise CamcoreError("There is no answer to take back: the review has just begun. Judge its first map.")
        return self._with(number, UNDONE)

    def _place(self, number: int | None) -> int:
        if number is None:
            number = self.number
        if number is None:
            raise CamcoreError(
                "The review has ended, and its answers stand: they were given before the result was known. Begin "
                "another one."
            )
        return whole(0, len(self.items) - 1)("number", number)

    def _with(self, number: int, verdict: str) -> Review:
        drawn = self.drawn[number]
        answer = Answer(number, verdict, drawn.path, drawn.sha256, _now())
        record = sealed.with_answer(self.record, answer)
        if decide(record, self.items).state != OPEN:
            record = sealed.with_result(record, result_of(record, self.items, _now()))
        with _writing:
            if len(sealed.read_record(self.file).answers) != len(self.record.answers):
                raise CamcoreError(
                    f"The review '{self.file.stem}' went on elsewhere, perhaps in another window. Two people cannot "
                    "give its answers at once. Open it again to see how far it is, or begin one of your own."
                )
            sealed.write_record(self.audit.folder, record)
        return replace(self, record=record)


@checked(
    folder=a_path,
    reviewer=text,
    said=optional(text),
    goal=number(0.01, 0.999, example=0.9),
    confidence=number(0.5, 0.999, example=0.95),
    budget=whole(LEAST_PICTURES, MOST_BUDGET, example=200),
    seed=optional(whole(0, (1 << 53) - 1, example=0)),
)
def start_review(
    folder: str | os.PathLike[str],
    reviewer: str,
    said: str | None = None,
    goal: float = 0.9,
    confidence: float = 0.95,
    budget: int = 200,
    seed: int | None = None,
) -> Review:
    """Begin the review of an audit: do at least ``goal`` of its decisions have the right reason?

    ``reviewer``: the name that the record carries. ``said``: the class whose decisions are judged; None: of all.
    ``budget``: the most pictures to judge, sham maps apart. ``seed``: of the random order; None: drawn.

    Raises CamcoreError where the audit cannot be opened or written to, has too few decisions with a map, or none of its
    pictures is there any more.

    >>> review = camcore.start_review(out, "Ada", goal=0.8)
    >>> review.answer("right").sentence
    'Not finished: 1 map judged, nothing decided yet.'
    """
    audit = open_audit(folder)
    name = " ".join(reviewer.split())
    if not name or len(name) > LONGEST_NAME:
        raise CamcoreError(
            f"The reviewer's name {name[:40]!r} has {len(name)} letters. The record says who judged. Give a name of 1 "
            f"to {LONGEST_NAME} letters."
        )
    found = decisions(audit, said)
    manifest, started = audit.manifest, datetime.now(UTC)
    header = Header(
        id=f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
        reviewer=name,
        started=_now(),
        camcore=camcore.__version__,
        network=manifest.network.name,
        weights_sha256=manifest.network.weights_sha256,
        method=manifest.method,
        layer=manifest.layer,
        framing=manifest.framing,
        said=said,
        goal=goal,
        confidence=confidence,
        budget=budget,
        seed=secrets.randbits(53) if seed is None else seed,
        pictures=len(found.paths),
        empty=found.empty,
        sample_sha256=found.sha256,
        keyed=bool(sealed.key()),
    )
    record = sealed.begun(header)
    if decide(record, record.plan).state != OPEN:
        record = sealed.with_result(record, result_of(record, record.plan, _now()))
    review = _review(audit, found, record)
    _check_there(review)
    sealed.write_record(audit.folder, record)
    return review


@checked(file=a_path)
def open_review(file: str | os.PathLike[str]) -> Review:
    """Open the record of a review, to go on with it or to read its result; it is checked against its audit.

    Raises CamcoreError where the record is damaged or was altered, or the audit is not the one that was reviewed.

    >>> review = camcore.start_review(out, "Ada")
    >>> camcore.open_review(review.file).sentence
    'Just begun.'
    """
    path = Path(file).expanduser().absolute()
    record = sealed.read_record(path)
    audit = open_audit(path.parent.parent)
    return resumed(audit, decisions(audit, record.header.said), record)


def resumed(audit: Audit, found: Decisions, record: Record) -> Review:
    """A review of an audit that is open. Raises CamcoreError where it is not the one that was reviewed."""
    header = record.header
    if header.weights_sha256 != audit.manifest.network.weights_sha256:
        difference = f"of other weights of {header.network}"
    elif (header.sample_sha256, header.pictures, header.empty) != (found.sha256, len(found.paths), found.empty):
        difference = f"of other pictures ({header.pictures:,} with a map, and here are {len(found.paths):,})"
    else:
        review = _review(audit, found, record)
        if all(answer.path == review.drawn[answer.number].path for answer in record.answers):
            return review
        difference = "of these pictures in another order"
    raise CamcoreError(
        f"The review '{header.id}' is {difference}. It says nothing about the audit '{audit.folder}', which was "
        "made anew or has grown since. Review that again."
    )


def _review(audit: Audit, found: Decisions, record: Record) -> Review:
    items, order = record.plan, shuffled(record.header.seed, found.paths)
    places = [order[item.rank] for item in items]
    drawn = tuple(Drawn(found.paths[place], found.sha256s[place], found.said[place]) for place in places)
    return Review(audit, record, items, drawn, tuple(found.paths[place] for place in order[-_POOL:]))


def _check_there(review: Review) -> None:
    """Raise CamcoreError where none of the first pictures can be shown."""
    for place in range(_LOOKED_AT):
        try:
            review.shown(place)
        except PictureError as error:
            problem = error
        else:
            return
    raise CamcoreError(
        f"The pictures of the audit '{review.audit.folder}' cannot be shown any more. The first one: {problem} A "
        "review shows each one with its map. Put them where they were, or audit them again where they are."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
