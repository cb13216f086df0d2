"""Notes beside the verdict of a gate: what differs between the two audits, and what readers should beware of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from camcore.errors import CamcoreError
from camcore.text import counted, readable

if TYPE_CHECKING:
    from camcore.release.versions import Versions

_NAMED = 5


def check_classes(old: Sequence[str], new: Sequence[str]) -> None:
    """Raise CamcoreError where two networks have no class in common; they are matched by name, in any order."""
    if not set(old) & set(new):
        raise CamcoreError(
            f"The two networks have no class in common: the old one's are {_shown(old)}, the new one's {_shown(new)}. "
            "They are matched by name. Name them alike (--labels FILE, or labels= of camcore.load)."
        )


def notes(versions: Versions) -> tuple[str, ...]:
    """All notes on two versions."""
    return tuple(_notes(versions))


def _notes(versions: Versions) -> Iterator[str]:
    old, new, found = versions.old.manifest, versions.new.manifest, versions.comparison
    if versions.identical:
        yield "The two networks are the same: they have the same weights, answers and maps."
    for which, audit in (("old", versions.old), ("new", versions.new)):
        yield from (f"The audit of the {which} network: {note}" for note in audit.notes)
    for which, one, other in (("new", old, new), ("old", new, old)):
        missing = [label for label in one.network.labels if label not in other.network.labels]
        if missing:
            classes = "class" if len(missing) == 1 else "classes"
            yield f"The {which} network has no {classes} {_shown(missing)}, as the other has: they are matched by name."
    if found.replaced:
        are = "is another file" if found.replaced == 1 else "are other files"
        yield f"{counted(found.replaced, 'picture')} {are} in the new audit, and not compared. Delete the older audit."
    if found.relabelled:
        have = "has" if found.relabelled == 1 else "have"
        yield f"{counted(found.relabelled, 'picture')} {have} another label in the new audit, and nobody judges them."
    for name in ("method", "framing"):
        if getattr(old, name) != getattr(new, name):
            yield (
                f"The old audit has the {name} {getattr(old, name)}, the new one {getattr(new, name)}: a part of the "
                "distance of the maps comes from that."
            )
    if old.grid != new.grid:
        yield "The maps have grids of different sizes: a part of their distance is that one shows less detail."
    said = found.pictures["new"].unique().to_pylist()
    if len(said) == 1 and len(found.classes) > 1:
        yield f"The new network says {readable(said[0])} to every picture."
    elif len(found.classes) == 1:
        yield f"All labelled pictures are of one class, {readable(found.classes[0].label)}: nothing is known of others."


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels[:_NAMED])) + (" …" if len(labels) > _NAMED else "")
