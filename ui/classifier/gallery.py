"""Which pictures the gallery shows, and in which order. No Streamlit."""

from dataclasses import dataclass

import numpy as np

from camcore.evaluation.predict import Predictions

WRONG, FIRST, SECOND, UNSURE, RIGHT = "mistakes", "first", "second", "unsure", "right"
KINDS = (WRONG, FIRST, SECOND, UNSURE, RIGHT)
PAGE = 12


@dataclass(frozen=True)
class Entry:
    """A picture: its true class, the class said, and that class's probability."""

    file: str
    label: int
    said: int
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the class said is the true one."""
        return self.said == self.label


def entries(p: Predictions, kind: str, threshold: float = 0.5) -> tuple[Entry, ...]:
    """The pictures of one of KINDS, the surest first; of UNSURE the least sure first.

    FIRST, SECOND: of the first (second) class that are said to be another. UNSURE: all, by how far the
    probability is from the threshold, of more than two classes from that of the second choice.
    """
    said = p.predicted(threshold)
    confidence = p.probabilities[np.arange(len(p)), said]
    wrong = said != p.labels
    chosen = {
        WRONG: wrong,
        FIRST: wrong & (p.labels == 0),
        SECOND: wrong & (p.labels == 1),
        UNSURE: np.ones(len(p), bool),
        RIGHT: ~wrong,
    }[kind]
    if kind != UNSURE:
        order = np.argsort(-confidence, kind="stable")
    elif len(p.classes) == 2:
        order = np.argsort(np.abs(p.probabilities[:, 1] - threshold), kind="stable")
    else:
        best = np.sort(p.probabilities, axis=1)
        order = np.argsort(best[:, -1] - best[:, -2], kind="stable")
    return tuple(Entry(p.files[i], int(p.labels[i]), int(said[i]), float(confidence[i])) for i in order if chosen[i])


def page_of(found: tuple[Entry, ...], number: int) -> tuple[tuple[Entry, ...], int, int]:
    """(the entries of a page, its number from 0 brought into range, how many pages there are)."""
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(number, 0), pages - 1)
    return found[number * PAGE : (number + 1) * PAGE], number, pages
