"""Two versions of a network on the same pictures: the audits, their comparison, and what the rules ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.groups import NAME as GROUPS
from camcore.audits.joined import LOST, SAME
from camcore.audits.summary import calibration
from camcore.errors import CamcoreError
from camcore.files import UNFIT, Json, read_json
from camcore.release.kinds import MAP
from camcore.text import readable

if TYPE_CHECKING:
    from camcore.audits.comparison import Comparison
    from camcore.audits.store import Audit
    from camcore.release.masks import InsideMasks


@dataclass(frozen=True)
class TriedGroup:
    """A group of the new network's evidence: its class, number and ``share`` of what is called so.

    ``tried``: whether its patches were tried for a shortcut; ``suspect``: they look like one, for these ``reasons``.
    """

    label: str
    number: int
    share: float
    tried: bool
    suspect: bool
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The group as people call it: ``dog 2``."""
        return f"{readable(self.label)} {self.number}"


@dataclass(frozen=True, eq=False)
class Versions:
    """The old and the new version. ``inside``: their maps on the objects' masks; None without masks."""

    old: Audit
    new: Audit
    comparison: Comparison
    inside: InsideMasks | None = None

    @property
    def common(self) -> int:
        """Pictures that both answered."""
        return len(self.comparison.pictures)

    @property
    def total(self) -> int:
        """Pictures that either of them was to answer."""
        return max(self.old.manifest.total, self.new.manifest.total, self.common)

    @property
    def changed(self) -> int:
        """Pictures whose answer is another one than before."""
        import pyarrow.compute as pc

        rows = self.comparison.pictures
        return int(pc.sum(pc.not_equal(rows["old"], rows["new"])).as_py() or 0)

    @property
    def regressions(self) -> int:
        """Pictures that were right and are wrong now."""
        return self.comparison.counts[LOST]

    @cached_property
    def identical(self) -> bool:
        """Tell whether both are one network: the same weights, answers, probabilities and maps on all pictures."""
        rows = self.comparison.pictures
        return (
            self.old.manifest.network.weights_sha256 == self.new.manifest.network.weights_sha256
            and not self.changed
            and rows["old_probability"].equals(rows["new_probability"])
            and not self.distances(MAP).any()
        )

    @property
    def comparable_evidence(self) -> bool:
        """Tell whether the evidence of the two is of layers of one name and width."""
        one, other = self.old.manifest, self.new.manifest
        return one.layer == other.layer and one.channels == other.channels

    def distances(self, reason: str) -> NDArray[np.float64]:
        """The distances of the maps, or of the evidence, of the pictures with the same answer.

        Where one of the two is zero, which has no distance, 1; where both are, 0.
        """
        import pyarrow.compute as pc

        same = self.comparison.pictures.filter(pc.equal(self.comparison.pictures["change"], SAME))
        found = same[f"{reason}_distance"].to_numpy().astype(np.float64)
        unknown = np.flatnonzero(np.isnan(found))
        paths = same["path"].take(unknown).to_pylist()
        if reason == MAP:
            one, other = self.old.maps(paths), self.new.maps(paths)
        else:
            one, other = self.old.evidence(paths), self.new.evidence(paths)
        for place, a, b in zip(unknown.tolist(), one, other, strict=True):
            found[place] = 0.0 if np.array_equal(a, b) else 1.0
        return found

    @cached_property
    def calibration_error(self) -> float:
        """The expected calibration error of the new network; NaN without labels."""
        told = calibration(self.new)
        return float("nan") if told is None else told.ece

    @cached_property
    def groups(self) -> tuple[TriedGroup, ...]:
        """The groups of the new network's evidence, the largest share of a class first.

        Raises CamcoreError where they are damaged.
        """
        path = self.new.folder / GROUPS
        if not path.is_file():
            return ()
        try:
            return tuple(sorted(map(_group, read_json(path)), key=lambda one: -one.share))
        except (OSError, *UNFIT) as error:
            raise CamcoreError(
                f"The groups of the audit, '{path}', cannot be read ({type(error).__name__}: {error}). They were "
                "damaged. Delete that file and run the same audit again: it writes them anew."
            ) from error

    @property
    def suspects(self) -> tuple[TriedGroup, ...]:
        """Those that are suspected of a shortcut."""
        return tuple(one for one in self.groups if one.suspect)


def _group(content: Mapping[str, Json]) -> TriedGroup:
    """A group out of groups.json; those that were tried have the figures of their trial."""
    return TriedGroup(
        str(content["class"]),
        int(content["number"]),
        float(content["share"]),
        content.get("sufficiency") is not None,
        bool(content.get("suspect", False)),
        tuple(map(str, content.get("reasons", ()))),
    )
