"""The decisions of an audit that a review draws from: the pictures called a class, or all, that have a map."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore.errors import CamcoreError, nearest
from camcore.reviews.order import MOST_PICTURES
from camcore.text import counted, readable

if TYPE_CHECKING:
    from camcore.audits.store import Audit

LEAST_PICTURES = 20
"""With fewer pictures the sham maps would outnumber them, and everybody can look at all of them."""
LEAST_CELLS = 9
"""Of a map's grid."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """The pictures with a map, in the audit's order; ``said``: the class of each, ``sha256s``: of each file.

    ``empty``: pictures beside them whose map is zero everywhere. ``sha256``: over paths and digests of all.
    """

    paths: tuple[str, ...]
    sha256s: tuple[str, ...]
    said: tuple[str, ...]
    empty: int
    sha256: str


def decisions(audit: Audit, said: str | None) -> Decisions:
    """The pictures of an audit that were called ``said``; None: all that have an answer.

    Raises CamcoreError where they are too few or too many to be reviewed, or have no map.
    """
    rows = audit.sql(
        "select path, coalesce(sha256, '') as sha256, predicted, list_max(\"map\") > 0 as marked from pictures "
        'where error is null and (? is null or predicted = ?) order by "index"',
        (said, said),
    )
    shown = rows.filter(rows["marked"])
    _check(audit, said, len(rows), len(shown))
    digest = hashlib.sha256()
    paths, sha256s = shown["path"].to_pylist(), shown["sha256"].to_pylist()
    for path, sha256 in zip(paths, sha256s, strict=True):
        digest.update(f"{path}\0{sha256}\n".encode())
    return Decisions(
        tuple(paths), tuple(sha256s), tuple(shown["predicted"].to_pylist()), len(rows) - len(shown), digest.hexdigest()
    )


def _check(audit: Audit, said: str | None, count: int, marked: int) -> None:
    """Raise CamcoreError where ``marked`` maps of ``count`` decisions cannot be reviewed."""
    which = "have an answer" if said is None else f"are called {readable(said)!r}"
    manifest = audit.manifest
    cells = manifest.grid[0] * manifest.grid[1]
    if said is not None and not count:
        known = audit.sql("select distinct predicted as said from rows where error is null")["said"].to_pylist()
        near = nearest(said, known)
        raise CamcoreError(
            f"No picture of the audit '{audit.folder}' is called {said!r}. A review is of the pictures that the "
            f"network called a class. {f'Did you mean {near!r}?' if near else 'Name another class, or none for all.'}"
        )
    if count > MOST_PICTURES:
        raise CamcoreError(
            f"{count:,} pictures {which}. A review draws from at most {MOST_PICTURES:,}. Name a class, or audit a "
            "random sample of the pictures (--limit)."
        )
    if count and not marked:
        raise CamcoreError(
            f"{counted(count, 'picture')} {which}, and all of their maps are zero: at layer {manifest.layer!r} nothing "
            "speaks for the class, so there is no reason to judge. Audit with another layer or method."
        )
    if marked < LEAST_PICTURES:
        raise CamcoreError(
            f"{counted(marked, 'picture')} with a map {which}. A review by random sample takes {LEAST_PICTURES} or "
            "more: among fewer there would be too many sham maps. Look at all of them in the gallery, or audit more."
        )
    if cells < LEAST_CELLS:
        raise CamcoreError(
            f"The maps of the audit '{audit.folder}' have {counted(cells, 'cell')}. They hardly say where, and no sham "
            "map would differ from them. Audit at a layer with a finer grid."
        )
