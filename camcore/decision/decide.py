"""May it be used: the points on a network, gathered, and the answer by three rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from camcore.audits.averages import MeanMap, mean_maps, means_of
from camcore.decision import measured as figures
from camcore.decision import points
from camcore.decision.measured import MeasuredAccuracy
from camcore.decision.points import AGAINST, OPEN, Point
from camcore.errors import CamcoreError
from camcore.evaluation.average_maps import AVERAGES, read_averages
from camcore.models.catalogue import Backbone
from camcore.models.saved import SavedNetwork
from camcore.release.kept import read_check
from camcore.reviews.decisions import decisions
from camcore.reviews.listing import Listed, list_reviews
from camcore.reviews.review import resumed
from camcore.shortcuts.judgements import read_judgements

if TYPE_CHECKING:
    from camcore.audits.groups import Group
    from camcore.audits.store import Audit
    from camcore.models.listing import NetworkListing
    from camcore.shortcuts.judgements import Judgement

T = TypeVar("T")
Answer = Literal["no", "open", "clear"]
NO: Answer = "no"
NOT_YET: Answer = "open"
CLEAR: Answer = "clear"

HEADLINES: dict[Answer, str] = {
    NO: "Not as it is",
    NOT_YET: "Not enough has been examined to say",
    CLEAR: "Nothing that was examined speaks against it",
}


@dataclass(frozen=True, eq=False)
class Decision:
    """The answer for a network with all points on it.

    ``measured``: its accuracy, from each source. ``averages``: mean maps; ``groups``, ``reviews``: of the ``audit``.
    ``notes``: what could not be read.
    """

    network: str
    points: tuple[Point, ...]
    measured: tuple[MeasuredAccuracy, ...]
    averages: tuple[MeanMap, ...] = ()
    groups: tuple[Group, ...] = ()
    reviews: tuple[Listed, ...] = ()
    audit: Audit | None = None
    notes: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        """NO where a point speaks against it; NOT_YET where a required one is open; else CLEAR."""
        if any(one.state == AGAINST for one in self.points):
            return NO
        return NOT_YET if self.missing else CLEAR

    @property
    def headline(self) -> str:
        """The answer in words."""
        return HEADLINES[self.answer]

    @property
    def missing(self) -> tuple[Point, ...]:
        """The required points that are open."""
        return tuple(one for one in self.points if one.state == OPEN and one.required)


def decide(
    network: NetworkListing, audit: Audit | None = None, weights_sha256: str = "", levels: Sequence[str] = ()
) -> Decision:
    """Decide whether a network may be used, from what is kept of it. Nothing is measured.

    ``audit``: of it, with the hash of its weights as ``weights_sha256``, which may be left out without one.
    ``levels``: of the verdicts on its maps, as VerdictSummary has them. Raises CamcoreError where the audit is of
    another network.
    """
    saved = network if isinstance(network, SavedNetwork) else None
    notes: list[str] = []
    if audit is not None:
        check_network(network.name, audit, weights_sha256)
        notes += audit.notes
    found = _measured(network, audit, weights_sha256, notes)
    averages = _averages(saved, audit, weights_sha256, notes)
    groups: tuple[Group, ...] = ()
    judgements: Mapping[str, Judgement] = {}
    reviews: tuple[Listed, ...] = ()
    kept = None
    if audit is not None:
        groups = _read(notes, audit.groups) or ()
        judgements = _read(notes, lambda: read_judgements(audit.folder)) or {}
        reviews = tuple(_reviews(audit, notes))
        kept = _read(notes, lambda: read_check(audit.folder))
    answered = (
        points.accuracy(found),
        points.looks(len(averages), groups),
        points.shortcuts(groups, judgements),
        points.people(reviews),
        points.maps(levels),
        points.versions(kept if kept is not None and kept.weights_sha256 == weights_sha256 else None),
    )
    return Decision(network.name, answered, found, averages, groups, reviews, audit, tuple(notes))


def check_network(name: str, audit: Audit, weights_sha256: str) -> None:
    """Raise CamcoreError where an audit is not of the network with these weights."""
    audited = audit.manifest.network
    if audited.weights_sha256 != weights_sha256:
        raise CamcoreError(
            f"The audit in '{audit.folder}' is not of {name} as it is here, but of {audited.name} with other weights: "
            f"it says nothing about these. Choose an audit of {name}, or audit it anew."
        )


def _measured(
    network: NetworkListing, audit: Audit | None, weights_sha256: str, notes: list[str]
) -> tuple[MeasuredAccuracy, ...]:
    """The accuracy from each source that has one."""
    saved = network if isinstance(network, SavedNetwork) else None
    found: list[MeasuredAccuracy | None] = []
    if audit is not None:
        found.append(figures.audited(audit, saved))
    if saved is not None:
        found += [_read(notes, lambda: figures.evaluated(saved, weights_sha256)), figures.trained(saved)]
    elif isinstance(network, Backbone):
        found.append(figures.published(network))
    return tuple(one for one in found if one is not None)


def _averages(
    saved: SavedNetwork | None, audit: Audit | None, weights_sha256: str, notes: list[str]
) -> tuple[MeanMap, ...]:
    """The mean maps: of the audit where there is one, else those of the evaluation beside the network, if of it."""
    if audit is not None:
        return mean_maps(audit)
    path = None if saved is None else saved.folder / AVERAGES
    if saved is None or path is None or not path.is_file():
        return ()
    if figures.of_these_weights(saved, weights_sha256) is False:
        return ()
    stored = _read(notes, lambda: read_averages(path))
    return () if stored is None else means_of(stored, saved.labels)


def _reviews(audit: Audit, notes: list[str]) -> Iterator[Listed]:
    """The reviews of an audit that can be relied on: intact, and of this audit."""
    for one in list_reviews(audit.folder):
        try:
            if one.record is None:
                raise CamcoreError(one.text)
            resumed(audit, decisions(audit, one.record.header.said), one.record)
        except CamcoreError as error:
            notes.append(str(error))
        else:
            yield one


def _read(notes: list[str], read: Callable[[], T]) -> T | None:
    """The result of a function that reads; None where it cannot, with the reason among the notes."""
    try:
        return read()
    except CamcoreError as error:
        notes.append(str(error))
        return None
